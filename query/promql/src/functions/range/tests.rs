use proptest::prelude::*;

use super::{Args, Boundary, Workspace, counter_note, range_function, samples_between_ends, smoothed_at};
use crate::histogram::FloatHistogram;
use crate::number::answer_text;
use crate::value::{Value, Window};

/// Samples as `second:value`. The windows of the table are from 0 to 300 seconds; samples before and behind are for the
/// modifiers.
const WINDOWS: &[(&str, &str)] = &[
    ("counter", "0:1 60:2 120:4 180:4 240:7"),
    ("reset", "10:100 70:140 130:20 190:60 250:5"),
    ("late", "200:50 230:80 260:110"),
    ("gauge", "15:3.5 75:-2 135:8 195:8 255:1"),
    ("beyond", "-90:10 -30:40 30:70 90:5 150:35 330:95 390:2"),
    ("special", "0:NaN 60:+Inf 120:1 180:-Inf 240:2"),
    ("holes", "20:NaN 80:3 140:NaN 200:NaN 260:1"),
    ("large", "30:1e+308 90:1.5e+308 150:-1e+308 210:1.2e+308"),
    ("tiny", "30:1e+16 90:1 150:-1e+16 210:0.25"),
    ("flat", "5:7 65:7 125:7"),
    ("single", "100:42"),
];

/// What Prometheus 3.14 says of the windows, by function, modifier and scalars. `-` is no value at all; times are seconds.
const TABLE: &str = "\
avg_over_time: counter=4.25 reset=65 late=80 gauge=3.7 beyond=36.666666666666664 special=NaN holes=NaN
    large=6.75e+307 tiny=0.3125 flat=7 single=42
changes: counter=2 reset=4 late=2 gauge=3 beyond=2 special=3 holes=3 large=3 tiny=3 flat=0 single=0
changes anchored: counter=3 reset=4 late=2 gauge=3 beyond=3 special=4 holes=3 large=3 tiny=3 flat=0 single=0
count_over_time: counter=4 reset=5 late=3 gauge=5 beyond=3 special=4 holes=5 large=4 tiny=4 flat=3 single=1
delta: counter=8.333333333333334 reset=-118.75 late=90 gauge=-3.125 beyond=-52.5 special=-Inf holes=NaN
    large=2.6666666666666655e+307 tiny=-13333333333333332 flat=0 single=-
delta anchored: counter=6 reset=-95 late=60 gauge=-2.5 beyond=-5 special=NaN holes=NaN large=1.9999999999999992e+307
    tiny=-10000000000000000 flat=0 single=0
delta smoothed: counter=6 reset=-95 late=60 gauge=-2.5 beyond=30 special=NaN holes=NaN large=1.9999999999999992e+307
    tiny=-10000000000000000 flat=0 single=0
deriv: counter=0.025 reset=-0.45 late=1 gauge=0.008333333333333333 beyond=-0.2916666666666667 special=NaN holes=NaN
    large=NaN tiny=-66666666666666.664 flat=0 single=-
double_exponential_smoothing 0.5 0.25: counter=6.875 reset=53.75 late=110 gauge=0.59765625 beyond=-12.5 special=NaN
    holes=NaN large=+Inf tiny=-10000000000000000 flat=7 single=-
first_over_time: counter=2 reset=100 late=50 gauge=3.5 beyond=70 special=+Inf holes=NaN large=1e+308
    tiny=10000000000000000 flat=7 single=42
idelta: counter=3 reset=-55 late=30 gauge=-7 beyond=30 special=+Inf holes=NaN large=+Inf tiny=10000000000000000
    flat=0 single=-
increase: counter=8.333333333333334 reset=131.25 late=90 gauge=11.25 beyond=52.5 special=NaN holes=NaN large=+Inf
    tiny=1.3333333333333333 flat=0 single=-
increase anchored: counter=6 reset=105 late=60 gauge=9 beyond=65 special=NaN holes=NaN large=1.7e+308 tiny=0 flat=0
    single=0
increase smoothed: counter=6 reset=105 late=60 gauge=9 beyond=100 special=NaN holes=NaN large=1.7e+308 tiny=0 flat=0
    single=0
irate: counter=0.05 reset=0.08333333333333333 late=1 gauge=0.016666666666666666 beyond=0.5 special=+Inf holes=NaN
    large=+Inf tiny=166666666666666.66 flat=0 single=-
last_over_time: counter=7 reset=5 late=110 gauge=1 beyond=35 special=2 holes=1 large=1.2e+308 tiny=0.25 flat=7
    single=42
mad_over_time: counter=1 reset=40 late=30 gauge=4.5 beyond=30 special=+Inf holes=NaN large=2.5e+307
    tiny=5000000000000000 flat=0 single=0
max_over_time: counter=7 reset=140 late=110 gauge=8 beyond=70 special=+Inf holes=3 large=1.5e+308
    tiny=10000000000000000 flat=7 single=42
min_over_time: counter=2 reset=5 late=50 gauge=-2 beyond=5 special=-Inf holes=1 large=-1e+308
    tiny=-10000000000000000 flat=7 single=42
predict_linear 600: counter=23 reset=-281.5 late=750 gauge=10.075 beyond=-199.58333333333334 special=NaN holes=NaN
    large=NaN tiny=-52000000000000000 flat=7 single=-
present_over_time: counter=1 reset=1 late=1 gauge=1 beyond=1 special=1 holes=1 large=1 tiny=1 flat=1 single=1
quantile_over_time 0.25: counter=3.5 reset=20 late=65 gauge=1 beyond=20 special=-Inf holes=NaN large=5e+307
    tiny=-2500000000000000 flat=7 single=42
quantile_over_time 2: counter=+Inf reset=+Inf late=+Inf gauge=+Inf beyond=+Inf special=+Inf holes=+Inf large=+Inf
    tiny=+Inf flat=+Inf single=+Inf
rate: counter=0.02777777777777778 reset=0.4375 late=0.3 gauge=0.0375 beyond=0.17500000000000002 special=NaN
    holes=NaN large=7.555555555555555e+305 tiny=0.0044444444444444444 flat=0 single=-
rate anchored: counter=0.02 reset=0.35 late=0.2 gauge=0.03 beyond=0.21666666666666667 special=NaN holes=NaN
    large=5.6666666666666665e+305 tiny=0 flat=0 single=0
rate smoothed: counter=0.02 reset=0.35 late=0.2 gauge=0.03 beyond=0.3333333333333333 special=NaN holes=NaN
    large=5.6666666666666665e+305 tiny=0 flat=0 single=0
resets: counter=0 reset=2 late=0 gauge=2 beyond=1 special=2 holes=0 large=1 tiny=2 flat=0 single=0
resets anchored: counter=0 reset=2 late=0 gauge=2 beyond=1 special=2 holes=0 large=1 tiny=2 flat=0 single=0
stddev_over_time: counter=1.7853571071357124 reset=50 late=24.49489742783178 gauge=3.9191835884530852
    beyond=26.562295750848712 special=NaN holes=NaN large=NaN tiny=7071067811865475 flat=0 single=0
stdvar_over_time: counter=3.1874999999999996 reset=2500 late=600 gauge=15.360000000000003 beyond=705.5555555555555
    special=NaN holes=NaN large=NaN tiny=4.999999999999999e+31 flat=0 single=0
sum_over_time: counter=17 reset=325 late=240 gauge=18.5 beyond=110 special=NaN holes=NaN large=+Inf tiny=1.25
    flat=21 single=42
ts_of_first_over_time: counter=60 reset=10 late=200 gauge=15 beyond=30 special=60 holes=20 large=30 tiny=30 flat=5
    single=100
ts_of_last_over_time: counter=240 reset=250 late=260 gauge=255 beyond=150 special=240 holes=260 large=210 tiny=210
    flat=125 single=100
ts_of_max_over_time: counter=240 reset=70 late=260 gauge=195 beyond=30 special=60 holes=80 large=90 tiny=30 flat=125
    single=100
ts_of_min_over_time: counter=60 reset=250 late=200 gauge=75 beyond=90 special=180 holes=260 large=150 tiny=150
    flat=125 single=100
";

struct Samples {
    times_ms: Vec<i64>,
    values: Vec<f64>,
}

fn samples(text: &str) -> Samples {
    let (times_ms, values) = text
        .split(' ')
        .map(|sample| {
            let (second, value) = sample.split_once(':').expect("second:value");
            (second.parse::<i64>().expect("a second") * 1000, value.parse::<f64>().expect("a value"))
        })
        .unzip();
    Samples { times_ms, values }
}

impl Samples {
    /// The samples after one second up to another; all of them belong to the window for the modifiers.
    fn window(&self, boundary: Boundary) -> Window<'_> {
        let (from, to) = match boundary {
            Boundary::Open => (0, 300_000),
            Boundary::Anchored => (-300_000, 300_000),
            Boundary::Smoothed => (-300_000, 600_000),
        };
        let first = self.times_ms.partition_point(|time| *time <= from);
        let end = self.times_ms.partition_point(|time| *time <= to);
        Window {
            start_ms: 0,
            end_ms: 300_000,
            times_ms: &self.times_ms[first..end],
            values: &self.values[first..end],
            histograms: &[],
        }
    }
}

fn call(function: &str, window: &Window<'_>, boundary: Boundary, scalars: &[f64], work: &mut Workspace) -> String {
    let scalar = |at| scalars.get(at).copied().unwrap_or(0.0);
    let args = Args { scalars: [scalar(0), scalar(1)], eval_ms: 300_000, boundary, metric: "m" };
    match range_function(function).expect("a function of windows")(window, &args, work) {
        Ok(Some(Value::Float(value))) => answer_text(value),
        Ok(Some(Value::Histogram(_))) => "histogram".to_owned(),
        Ok(None) => "-".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn functions_give_what_prometheus_gives() {
    let mut heading = (String::new(), Boundary::Open, Vec::new());
    let mut cases = 0;
    for word in TABLE.lines().flat_map(|line| {
        let (title, rest) = line.split_once(':').map_or((None, line), |(title, rest)| (Some(title), rest));
        title.into_iter().map(|title| (true, title)).chain(rest.split_whitespace().map(|case| (false, case)))
    }) {
        match word {
            (true, title) => {
                let mut words = title.split(' ');
                let function = words.next().expect("a function").to_owned();
                let mut boundary = Boundary::Open;
                let mut scalars = Vec::new();
                for word in words {
                    match word {
                        "anchored" => boundary = Boundary::Anchored,
                        "smoothed" => boundary = Boundary::Smoothed,
                        scalar => scalars.push(scalar.parse().expect("a scalar")),
                    }
                }
                heading = (function, boundary, scalars);
            }
            (false, case) => {
                let (function, boundary, scalars) = &heading;
                let (name, expected) = case.split_once('=').expect("window=value");
                let (_, text) = WINDOWS.iter().find(|(other, _)| *other == name).expect("a window");
                let samples = samples(text);
                boundary.check(function).expect("the modifier is allowed");
                let got = call(function, &samples.window(*boundary), *boundary, scalars, &mut Workspace::default());
                assert_eq!(got, expected, "{function} {boundary:?} {scalars:?} of {name}");
                cases += 1;
            }
        }
    }
    assert_eq!(cases, WINDOWS.len() * 35);
}

#[test]
fn modifiers_are_for_some_functions() {
    let error = |boundary: Boundary, function| boundary.check(function).expect_err("not for it").to_string();
    assert_eq!(
        error(Boundary::Anchored, "sum_over_time"),
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - not with sum_over_time"
    );
    assert_eq!(
        error(Boundary::Smoothed, "changes"),
        "smoothed modifier can only be used with: delta, increase, rate - not with changes"
    );
    assert!(Boundary::Open.check("sum_over_time").is_ok());
}

/// A selector with a modifier on its own, as Prometheus 3.14 shows it.
#[test]
fn ends_are_samples_of_their_own() {
    let seconds = |boundary, text| {
        let samples = samples(text);
        let all = samples_between_ends(&samples.window(boundary), boundary).unwrap_or_default();
        all.iter().map(|(time_ms, value)| format!("{}:{value}", time_ms / 1000)).collect::<Vec<_>>().join(" ")
    };
    let beyond = "-90:10 -30:40 30:70 90:5 150:35 330:95 390:2";
    assert_eq!(seconds(Boundary::Anchored, beyond), "0:40 30:70 90:5 150:35 300:35");
    assert_eq!(seconds(Boundary::Smoothed, beyond), "0:55 30:70 90:5 150:35 300:85");
    assert_eq!(seconds(Boundary::Smoothed, "310:4 320:5"), "0:4 300:4");
    assert_eq!(seconds(Boundary::Smoothed, "-20:4 -10:5"), "");
    assert_eq!(seconds(Boundary::Anchored, "0:4 300:5"), "0:4 300:5");
}

#[test]
fn an_instant_lies_between_samples() {
    let samples = samples("10:1 20:3");
    let window = samples.window(Boundary::Open);
    let at = |second: i64| smoothed_at(&window, second * 1000);
    assert_eq!([at(5), at(10), at(15), at(20), at(25)], [None, Some(1.0), Some(2.0), Some(3.0), Some(3.0)]);
}

#[test]
fn smoothing_refuses_factors() {
    let flat = samples("5:7 65:7");
    let smoothed = |scalars: &[f64]| {
        call(
            "double_exponential_smoothing",
            &flat.window(Boundary::Open),
            Boundary::Open,
            scalars,
            &mut Workspace::default(),
        )
    };
    assert_eq!(smoothed(&[0.0, 1.0]), "invalid smoothing factor. Expected: 0 < sf < 1, got: 0.000000");
    assert_eq!(smoothed(&[0.5, f64::INFINITY]), "invalid trend factor. Expected: 0 < tf < 1, got: +Inf");
}

#[test]
fn quantiles_out_of_range_are_remarked_on() {
    let flat = samples("5:7 65:7");
    let mut work = Workspace::default();
    call("quantile_over_time", &flat.window(Boundary::Open), Boundary::Open, &[-0.00001], &mut work);
    let notes: Vec<_> = work.notes.iter().map(ToString::to_string).collect();
    assert_eq!(notes, ["PromQL warning: quantile value should be between 0 and 1, got -1e-05"]);
}

#[test]
fn names_of_gauges_are_remarked_on_where_counters_are_meant() {
    for (function, metric, is_remarked_on) in [
        ("rate", "requests", true),
        ("increase", "requests", true),
        ("delta", "requests", false),
        ("rate", "requests_total", false),
        ("rate", "seconds_sum", false),
        ("rate", "seconds_count", false),
        ("increase", "seconds_bucket", false),
        ("rate", "", false),
    ] {
        assert_eq!(counter_note(function, metric).is_some(), is_remarked_on, "{function}({metric})");
    }
}

fn histogram(count: f64) -> FloatHistogram {
    FloatHistogram {
        schema: 0,
        reset_hint: crate::histogram::ResetHint::Unknown,
        count,
        sum: 0.0,
        zero_threshold: 0.0,
        zero_count: count,
        custom_bounds: Vec::new(),
        positive_spans: Vec::new(),
        negative_spans: Vec::new(),
        positive: Vec::new(),
        negative: Vec::new(),
    }
}

#[test]
fn numbers_among_histograms() {
    let numbers = samples("10:1 30:3 50:2");
    let histograms = [(20_000, histogram(1.0)), (60_000, histogram(2.0))];
    let window = Window { histograms: &histograms, ..numbers.window(Boundary::Open) };
    let ignored =
        "PromQL info: ignored histograms in a range containing both floats and histograms for metric name \"m\"";
    let mixed = "PromQL warning: encountered a mix of histograms and floats for metric name \"m\"";
    for (function, expected, note) in [
        ("rate", "-", Some(mixed)),
        ("delta", "-", Some(mixed)),
        ("irate", "-", Some(mixed)),
        ("idelta", "-", Some(mixed)),
        ("sum_over_time", "-", Some(mixed)),
        ("avg_over_time", "-", Some(mixed)),
        ("max_over_time", "3", Some(ignored)),
        ("ts_of_min_over_time", "10", Some(ignored)),
        ("stddev_over_time", "0.816496580927726", Some(ignored)),
        ("quantile_over_time", "1", Some(ignored)),
        ("mad_over_time", "1", Some(ignored)),
        ("deriv", "0.025", Some(ignored)),
        ("count_over_time", "5", None),
        ("present_over_time", "1", None),
        ("changes", "4", None),
        ("resets", "4", None),
        ("first_over_time", "1", None),
        ("last_over_time", "histogram", None),
        ("ts_of_first_over_time", "10", None),
        ("ts_of_last_over_time", "60", None),
    ] {
        let mut work = Workspace::default();
        assert_eq!(call(function, &window, Boundary::Open, &[], &mut work), expected, "{function}");
        let notes: Vec<_> = work.notes.iter().map(ToString::to_string).collect();
        assert_eq!(notes, note.into_iter().collect::<Vec<_>>(), "{function}");
    }
}

#[test]
fn nothing_comes_of_no_samples() {
    let nothing = Window { start_ms: 0, end_ms: 300_000, times_ms: &[], values: &[], histograms: &[] };
    for (function, _) in super::TABLE {
        for boundary in [Boundary::Open, Boundary::Anchored, Boundary::Smoothed] {
            assert_eq!(call(function, &nothing, boundary, &[0.5, 0.5], &mut Workspace::default()), "-", "{function}");
        }
    }
}

proptest! {
    /// A counter without resets grows by what is between its ends, whatever is between them.
    #[test]
    fn an_anchored_increase_telescopes(steps in prop::collection::vec(0_u32..1000, 2..50)) {
        let mut total = 0;
        let values: Vec<f64> = steps.iter().map(|step| { total += step; f64::from(total) }).collect();
        let times_ms: Vec<i64> = (1..=values.len() as i64).map(|at| at * 5000).collect();
        let window = Window { start_ms: 0, end_ms: 300_000, times_ms: &times_ms, values: &values, histograms: &[] };
        let got = call("increase", &window, Boundary::Anchored, &[], &mut Workspace::default());
        prop_assert_eq!(got, answer_text(f64::from(total - steps[0])));
    }

    /// `rate` is `increase` per second, and `delta` is `increase` where nothing falls.
    #[test]
    fn rates_are_increases_per_second(steps in prop::collection::vec((1_i64..20_000, 0_u32..1000), 2..50)) {
        let (mut time_ms, mut total) = (0, 0);
        let (times_ms, values): (Vec<i64>, Vec<f64>) = steps
            .iter()
            .map(|(later, step)| { time_ms += later; total += step; (time_ms, 1e9 + f64::from(total)) })
            .unzip();
        let window = Window { start_ms: 0, end_ms: time_ms + 1000, times_ms: &times_ms, values: &values, histograms: &[] };
        for boundary in [Boundary::Open, Boundary::Anchored, Boundary::Smoothed] {
            let [rate, increase, delta] = ["rate", "increase", "delta"].map(|function| {
                let got = call(function, &window, boundary, &[], &mut Workspace::default());
                got.parse::<f64>().expect("a number")
            });
            let seconds = (time_ms + 1000) as f64 / 1000.0;
            prop_assert!((rate * seconds - increase).abs() <= increase * 1e-9);
            prop_assert!((delta - increase).abs() <= increase * 1e-9);
        }
    }
}
