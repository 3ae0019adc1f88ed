//! What is asked about: four clusters whose pods are there all the time, and short jobs that come and go.

use std::fmt::{self, Display};

use model::Clock;

use crate::fleet::{Random, STEP_MS};
use crate::wire;

/// Samples of a series that come at once: a quarter of an hour.
pub(super) const WINDOW: usize = 60;
/// Series of a pod.
const OF_POD: usize = 100;
/// Series that come and go, for each that stays; each is there for a window.
const CHURN: usize = 10;
/// Series of a request, as many as a pod has.
const OF_REQUEST: usize = OF_POD;
/// Times of samples end with these milliseconds: so it makes no difference whether a range is open on the left, which
/// Prometheus has changed since 2.42.
const FRACTION_MS: i64 = 137;
/// What a scraper sends when a series has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

const CLUSTERS: [&str; 4] = ["amsterdam", "berlin", "cork", "dublin"];
const NAMESPACES: usize = 20;
const CODES: [&str; 5] = ["200", "201", "404", "500", "503"];
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
const BOUNDS: [&str; 12] = ["0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "+Inf"];

/// The data of a run.
#[derive(Debug)]
pub(super) struct Data {
    /// Series that are there all the time.
    series: usize,
    hours: usize,
    start_ms: i64,
}

/// The place among the series of a pod at which its histograms begin, and the series of each: buckets, sum, count.
const FIRST_PART: usize = 20;
const PARTS: usize = BOUNDS.len() + 2;

/// What the values of a series are like.
enum Course {
    /// A counter.
    Counter,
    /// This part of a counter, which all series of a histogram share.
    Part(f64),
    /// A gauge of its own level, which no other series has.
    Level,
    /// Always 1.
    One,
}

impl Data {
    /// So many series, rounded up to whole pods in all clusters, over so many hours that have just passed.
    pub(super) fn new(series: usize, hours: usize) -> Self {
        const HOUR_MS: i64 = 3_600_000;
        let end_ms = model::SystemClock.now_ms() / HOUR_MS * HOUR_MS;
        let start_ms = end_ms - hours as i64 * HOUR_MS + FRACTION_MS;
        Data { series: series.next_multiple_of(OF_POD * CLUSTERS.len()), hours, start_ms }
    }

    /// Quarters of an hour.
    pub(super) fn windows(&self) -> usize {
        self.hours * 4
    }

    /// What is asked for, in whole seconds: from behind the first sample to behind the last.
    pub(super) fn range(&self) -> (i64, i64) {
        let start = self.start_ms.div_euclid(1000);
        (start, start + self.hours as i64 * 3600)
    }

    /// Samples of all windows, without the markers of ends.
    pub(super) fn samples(&self) -> usize {
        let lives = (0..self.windows()).flat_map(|window| self.jobs_of(window));
        let of_jobs: usize = lives.map(|job| self.life(job).len()).sum();
        self.series * self.windows() * WINDOW + of_jobs
    }

    /// The bodies of the requests of a window, and the rows in all of them, markers of ends included.
    pub(super) fn window(&self, window: usize) -> (usize, impl Iterator<Item = Result<Vec<u8>, snap::Error>>) {
        let steps = window * WINDOW..(window + 1) * WINDOW;
        let before = window.checked_sub(1).map(|before| self.jobs_of(before)).unwrap_or_default();
        let jobs: Vec<usize> = before.chain(self.jobs_of(window)).collect();
        let rows_of = |job: &usize| {
            let life = self.life(*job);
            let there = life.start.max(steps.start)..life.end.min(steps.end);
            there.len() + usize::from(steps.contains(&life.end))
        };
        let rows = self.series * WINDOW + jobs.iter().map(rows_of).sum::<usize>();
        let live = (0..self.series).step_by(OF_REQUEST).map({
            let steps = steps.clone();
            move |first| {
                let mut request = wire::Request::default();
                for index in first..first + OF_REQUEST {
                    let (labels, course) = series(index);
                    let sample = |step| (self.time_ms(step), value(&course, index, step));
                    request.push(&encoded(labels), steps.clone().map(sample));
                }
                request.compressed()
            }
        });
        let chunks: Vec<Vec<usize>> = jobs.chunks(OF_REQUEST).map(<[usize]>::to_vec).collect();
        let short = chunks.into_iter().map(move |jobs| {
            let mut request = wire::Request::default();
            for job in jobs {
                let life = self.life(job);
                let there = life.start.max(steps.start)..(life.end + 1).min(steps.end);
                let value = |step| if step == life.end { f64::from_bits(STALE) } else { 1.0 };
                request.push(&encoded(job_labels(job)), there.map(|step| (self.time_ms(step), value(step))));
            }
            request.compressed()
        });
        (rows, live.chain(short))
    }

    fn time_ms(&self, step: usize) -> i64 {
        self.start_ms + step as i64 * STEP_MS
    }

    /// The jobs that begin in a window.
    fn jobs_of(&self, window: usize) -> std::ops::Range<usize> {
        let of_window = self.series * CHURN / self.windows();
        window * of_window..(window + 1) * of_window
    }

    /// The steps at which a job is there. What begins in the last window is there until the end.
    fn life(&self, job: usize) -> std::ops::Range<usize> {
        let window = job / (self.series * CHURN / self.windows());
        let begin = window * WINDOW + job % WINDOW;
        begin..(begin + WINDOW).min(self.windows() * WINDOW)
    }
}

impl Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (series, hours) = (self.series, self.hours);
        let short = self.series * CHURN / self.windows() * self.windows();
        let samples = self.samples() as f64 / 1e6;
        write!(f, "{series} series over {hours} h, {short} more that come and go, {samples:.1} M samples")
    }
}

fn encoded(mut labels: Vec<(&'static str, String)>) -> Vec<u8> {
    labels.sort_unstable();
    wire::labels(labels.iter().map(|(name, value)| (*name, value.as_str())))
}

/// The labels of a series that stays, and what its values are like.
fn series(index: usize) -> (Vec<(&'static str, String)>, Course) {
    let (pod, slot) = (index / OF_POD, index % OF_POD);
    let (cluster, number) = (pod % CLUSTERS.len(), pod / CLUSTERS.len());
    let method = |number: usize| ("method", METHODS[number].to_owned());
    let (name, more, course) = match slot {
        0..20 => ("http_requests_total", vec![method(slot % 4), ("code", CODES[slot / 4].to_owned())], Course::Counter),
        FIRST_PART..76 => {
            let (number, part) = ((slot - FIRST_PART) / PARTS, (slot - FIRST_PART) % PARTS);
            let share = (part + 1) as f64 / BOUNDS.len() as f64;
            match part {
                0..12 => (
                    "http_request_duration_seconds_bucket",
                    vec![method(number), ("le", BOUNDS[part].to_owned())],
                    Course::Part(share),
                ),
                12 => ("http_request_duration_seconds_sum", vec![method(number)], Course::Part(0.125)),
                _ => ("http_request_duration_seconds_count", vec![method(number)], Course::Part(1.0)),
            }
        }
        76..80 => {
            ("container_cpu_usage_seconds_total", vec![("container", format!("part-{}", slot - 76))], Course::Counter)
        }
        80 => ("container_memory_working_set_bytes", vec![], Course::Level),
        81 => ("go_goroutines", vec![], Course::Level),
        82 => ("kube_pod_info", vec![("node", format!("ip-10-{cluster}-0-{}", number / 10))], Course::One),
        83 => ("up", vec![], Course::One),
        _ => {
            ("container_network_receive_bytes_total", vec![("interface", format!("eth{}", slot - 84))], Course::Counter)
        }
    };
    let mut labels = vec![
        ("__name__", name.to_owned()),
        ("cluster", CLUSTERS[cluster].to_owned()),
        ("namespace", format!("team-{:02}", number % NAMESPACES)),
        ("pod", pod_name(cluster, number)),
        ("instance", format!("10.{cluster}.{}.{}:8080", number / 250, number % 250)),
        ("job", "web".to_owned()),
        ("endpoint", "http-metrics".to_owned()),
        ("service", "kube-prometheus-stack-web".to_owned()),
    ];
    labels.extend(more);
    (labels, course)
}

/// The name of a pod that stays.
pub(super) fn pod_name(cluster: usize, number: usize) -> String {
    format!("web-{:05}-{}", number, CLUSTERS[cluster])
}

fn job_labels(job: usize) -> Vec<(&'static str, String)> {
    let cluster = job % CLUSTERS.len();
    vec![
        ("__name__", "kube_pod_container_status_running".to_owned()),
        ("cluster", CLUSTERS[cluster].to_owned()),
        ("namespace", format!("team-{:02}", job / CLUSTERS.len() % NAMESPACES)),
        ("pod", format!("job-{job:07}")),
        ("uid", format!("{:016x}", (job as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))),
        ("container", "main".to_owned()),
        ("instance", format!("10.{cluster}.255.1:8080")),
        ("job", "kube-state-metrics".to_owned()),
    ]
}

/// Whole numbers, so that sums are the same in any order.
fn value(course: &Course, index: usize, step: usize) -> f64 {
    let noise = |of: usize| Random((of as u64) << 32 | step as u64).fraction();
    let counter = |of: usize| {
        let rate = (1 + of * 7919 % 97) as f64;
        (of % 1000 * 1000) as f64 + 1e6 + step as f64 * rate + (noise(of) * rate).floor()
    };
    match course {
        Course::Counter => counter(index),
        Course::Part(share) => {
            let first = index - (index % OF_POD - FIRST_PART) % PARTS;
            (counter(first) * share).floor()
        }
        Course::Level => (index << 23) as f64 + (noise(index) * 1024.0).floor() * 4096.0,
        Course::One => 1.0,
    }
}
