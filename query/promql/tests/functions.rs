//! Tests of functions and aggregations: the text cases (`cases/README.md`) that they answer without an engine, in which no
//! more is asked than a function of a window or of the newest samples, and an aggregation around it.
//!
//! Owns: that the functions of a window and the aggregations give what Prometheus gives, with its notes.
//! Does not own: all other cases, and how an engine brings samples and functions together (`query`).

#[allow(dead_code, reason = "the tool that confirms the cases uses the rest")]
#[path = "cases/format.rs"]
mod format;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use format::answers::{Answer, Outcome, Point, Row};
use format::histograms::{Bucket, Buckets};
use format::samples::Sample;
use format::{Case, CaseFile, Series, Times};
use model::batch::is_stale;
use promql::aggregate::count_values::{Grouping, ValueCounts};
use promql::aggregate::{Fold, Operator, Parameter, quantile, selection};
use promql::ast::{
    Aggregate, AggregateOp, At, Call, DurationError, DurationExpr, Expr, Extension, MatchOp, MatrixSelector,
    VectorSelector,
};
use promql::functions::range::{Args, Boundary, Workspace, counter_note, range_function};
use promql::histogram::FloatHistogram;
use promql::labels::Labels;
use promql::note::{Level, Notes};
use promql::presence::Presence;
use promql::span::Span;
use promql::value::{Value, Window};

/// How many cases are answered here. More may become so, none may get lost.
const ANSWERED: usize = 1243;

/// How a duration becomes milliseconds, given the step of the query and its range.
type Resolve = fn(&DurationExpr, i64, i64) -> Result<i64, DurationError>;

/// How far an instant selector looks back.
const LOOKBACK_MS: i64 = 300_000;

/// An element of a vector.
struct Element {
    labels: Labels,
    value: Value,
    /// Whether the answer has it without the name of its metric.
    drops_name: bool,
}

/// Why there is no answer.
enum Refusal {
    /// The case asks for more than is done here.
    Beyond,
    /// Prometheus refuses it too.
    Error(model::Error),
}

impl From<model::Error> for Refusal {
    fn from(error: model::Error) -> Self {
        Refusal::Error(error)
    }
}

type Answered<T> = Result<T, Refusal>;

/// One case while it is answered.
struct Question<'a> {
    /// All series in the order of their labels.
    series: &'a [Stored],
    times: Times,
    /// The step that is evaluated.
    time_ms: i64,
    lookback_ms: i64,
    /// The texts of the notes, each with its place.
    notes: BTreeMap<String, Span>,
}

/// A series with its samples as windows have them.
struct Stored {
    labels: Labels,
    times_ms: Vec<i64>,
    values: Vec<f64>,
    histograms: Vec<(i64, FloatHistogram)>,
    /// The times of staleness markers.
    stale_ms: Vec<i64>,
}

impl From<&Series> for Stored {
    fn from(series: &Series) -> Self {
        let labels = Labels::from_texts(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let mut stored = Stored { labels, times_ms: vec![], values: vec![], histograms: vec![], stale_ms: vec![] };
        for (time_ms, sample) in &series.samples {
            match sample {
                Sample::Float(value) if is_stale(*value) => stored.stale_ms.push(*time_ms),
                Sample::Histogram(value) if value.is_stale() => stored.stale_ms.push(*time_ms),
                Sample::Float(value) => {
                    stored.times_ms.push(*time_ms);
                    stored.values.push(*value);
                }
                Sample::Histogram(value) => stored.histograms.push((*time_ms, FloatHistogram::from(&**value))),
            }
        }
        stored
    }
}

impl Stored {
    /// The samples behind one time up to another.
    fn window(&self, after_ms: i64, until_ms: i64, start_ms: i64, end_ms: i64) -> Window<'_> {
        let place = |time_ms: i64| self.times_ms.partition_point(|time| *time <= time_ms);
        let histogram_place = |time_ms: i64| self.histograms.partition_point(|(time, _)| *time <= time_ms);
        let numbers = place(after_ms)..place(until_ms);
        Window {
            start_ms,
            end_ms,
            times_ms: &self.times_ms[numbers.clone()],
            values: &self.values[numbers],
            histograms: &self.histograms[histogram_place(after_ms)..histogram_place(until_ms)],
        }
    }

    /// The newest sample of a window that is open at both ends, unless a staleness marker is behind it.
    fn newest(&self, after_ms: i64, until_ms: i64) -> Option<Value> {
        let window = self.window(after_ms, until_ms, after_ms, until_ms);
        let number = window.times_ms.last().map(|time| (*time, Value::Float(window.values[window.values.len() - 1])));
        let histogram = window.histograms.last().map(|(time, histogram)| (*time, Value::from(histogram.clone())));
        let (time_ms, value) = match (number, histogram) {
            (Some(number), Some(histogram)) => {
                if number.0 > histogram.0 {
                    number
                } else {
                    histogram
                }
            }
            (number, histogram) => number.or(histogram)?,
        };
        let is_over = self.stale_ms.iter().any(|stale| (time_ms..=until_ms).contains(stale));
        (!is_over).then_some(value)
    }
}

impl Question<'_> {
    fn add_notes(&mut self, notes: &Notes, span: Span) {
        for note in notes.iter() {
            let word = if note.level() == Level::Warning { "warning" } else { "info" };
            let place = self.notes.entry(format!("{word} {note}")).or_insert(span);
            // A text is there once, with the place that is evaluated last: the right one, and what is around others.
            if (span.end, Reverse(span.start)) > (place.end, Reverse(place.start)) {
                *place = span;
            }
        }
    }

    fn vector(&mut self, expr: &Expr) -> Answered<Vec<Element>> {
        match expr {
            Expr::Vector(selector) => self.newest(selector),
            Expr::Call(call) => self.over_window(call),
            Expr::Aggregate(aggregate) => self.aggregate(aggregate),
            Expr::Paren(paren) => self.vector(&paren.expr),
            _ => Err(Refusal::Beyond),
        }
    }

    /// The series of a selector, and the time that it looks at.
    fn select(&self, selector: &VectorSelector) -> Answered<(Vec<&Stored>, i64)> {
        if !selector.matchers.iter().any(|matcher| matcher.label == "__name__" && matcher.op == MatchOp::Equal) {
            return Err(Refusal::Beyond);
        }
        let mut series: Vec<&Stored> = self.series.iter().collect();
        for matcher in &selector.matchers {
            let regex = matcher.op.is_regex().then(|| matcher.regex().expect("a parsed expression"));
            series.retain(|series| {
                let value = series.labels.get(&matcher.label);
                let fits = regex.as_ref().map_or(value == matcher.value, |regex| regex.is_match(value));
                fits != matcher.op.is_negative()
            });
        }
        let (start_ms, end_ms, _) = bounds(self.times);
        let at_ms = match selector.at {
            Some(At::Time(time_ms)) => time_ms,
            Some(At::Start) => start_ms,
            Some(At::End) => end_ms,
            None => self.time_ms,
        };
        let offset_ms = match &selector.offset {
            Some(offset) => self.milliseconds(offset, DurationExpr::resolve)?,
            None => 0,
        };
        Ok((series, at_ms - offset_ms))
    }

    fn milliseconds(&self, duration: &DurationExpr, resolve: Resolve) -> Answered<i64> {
        let (start_ms, end_ms, step_ms) = bounds(self.times);
        resolve(duration, step_ms, end_ms - start_ms).map_err(|_| Refusal::Beyond)
    }

    fn newest(&self, selector: &VectorSelector) -> Answered<Vec<Element>> {
        if selector.extension.is_some() {
            return Err(Refusal::Beyond);
        }
        let (series, look_ms) = self.select(selector)?;
        let newest = |series: &Stored| {
            let value = series.newest(look_ms - self.lookback_ms, look_ms)?;
            Some(Element { labels: series.labels.clone(), value, drops_name: false })
        };
        Ok(series.into_iter().filter_map(newest).collect())
    }

    fn over_window(&mut self, call: &Call) -> Answered<Vec<Element>> {
        let name = call.function.name;
        let function = range_function(name).filter(|_| name != "absent_over_time").ok_or(Refusal::Beyond)?;
        let mut matrix = None;
        let (mut scalars, mut place) = ([0.0; 2], 0);
        for arg in &call.args {
            match arg {
                Expr::Matrix(arg) => matrix = Some(arg),
                Expr::Number(number) => {
                    scalars[place] = number.value;
                    place += 1;
                }
                _ => return Err(Refusal::Beyond),
            }
        }
        let MatrixSelector { selector, range, .. } = matrix.ok_or(Refusal::Beyond)?;
        let range_ms = self.milliseconds(range, DurationExpr::resolve_positive)?;
        let (boundary, before_ms, behind_ms) = match selector.extension {
            None => (Boundary::Open, 0, 0),
            Some(Extension::Anchored) => (Boundary::Anchored, self.lookback_ms, 0),
            Some(Extension::Smoothed) => (Boundary::Smoothed, self.lookback_ms, self.lookback_ms),
        };
        boundary.check(name)?;
        let drops_name = !matches!(name, "first_over_time" | "last_over_time");
        let (mut made, mut work) = (Vec::new(), Workspace::default());
        let (series, end_ms) = self.select(selector)?;
        for series in series {
            let start_ms = end_ms - range_ms;
            let window = series.window(start_ms - before_ms, end_ms + behind_ms, start_ms, end_ms);
            if window.is_empty() {
                continue;
            }
            let metric = series.labels.metric();
            let args = Args { scalars, eval_ms: self.time_ms, boundary, metric };
            let value = function(&window, &args, &mut work)?;
            if let (Some(Value::Float(_)), Some(note)) = (&value, counter_note(name, metric)) {
                work.notes.add(note);
            }
            made.extend(value.map(|value| Element { labels: series.labels.clone(), value, drops_name }));
        }
        self.add_notes(&work.notes, call.args[0].span());
        Ok(made)
    }
}

/// The first and the last instant of a query, and the time from one to the next.
fn bounds(times: Times) -> (i64, i64, i64) {
    match times {
        Times::At(time_ms) => (time_ms, time_ms, 0),
        Times::Range { start_ms, end_ms, step_ms } => (start_ms, end_ms, step_ms),
    }
}

/// Aggregations, of one step.
impl Question<'_> {
    fn aggregate(&mut self, aggregate: &Aggregate) -> Answered<Vec<Element>> {
        let elements = self.vector(&aggregate.expr)?;
        let Aggregate { op, grouping, .. } = aggregate;
        let parameter = match aggregate.param.as_deref() {
            None => 0.0,
            Some(Expr::Number(number)) => number.value,
            Some(Expr::String(label)) => {
                let grouping = Grouping::new(&label.value, grouping.is_without, grouping.labels.clone())?;
                return Ok(count_values(&grouping, elements));
            }
            Some(_) => return Err(Refusal::Beyond),
        };
        if let Some(param) = &aggregate.param {
            let mut notes = Notes::default();
            let asked = Parameter::new(&[parameter]);
            let gives_any = match op {
                AggregateOp::Quantile => {
                    asked.check_quantile(&mut notes);
                    true
                }
                AggregateOp::LimitRatio => asked.check_ratio(&mut notes)?,
                _ => asked.check_count()?,
            };
            self.add_notes(&notes, param.span());
            if !gives_any {
                return Ok(Vec::new());
            }
        }
        let mut groups: Vec<(Labels, Vec<Element>)> = Vec::new();
        for element in elements {
            let group = element.labels.grouped(grouping.is_without, &grouping.labels);
            match groups.iter_mut().find(|(labels, _)| *labels == group) {
                Some((_, members)) => members.push(element),
                None => groups.push((group, vec![element])),
            }
        }
        let (mut made, mut notes) = (Vec::new(), Notes::default());
        for (labels, members) in groups {
            match Operator::of(*op) {
                Some(operator) => made.extend(fold(operator, labels, &members, &mut notes)),
                None if *op == AggregateOp::Quantile => made.extend(quantile(parameter, labels, &members, &mut notes)),
                None => made.extend(pick(*op, parameter, members, &mut notes)),
            }
        }
        let is_of_whole = matches!(op, AggregateOp::Topk | AggregateOp::Bottomk);
        self.add_notes(&notes, if is_of_whole { aggregate.span } else { aggregate.expr.span() });
        Ok(made)
    }
}

fn fold(operator: Operator, labels: Labels, members: &[Element], notes: &mut Notes) -> Option<Element> {
    let mut fold = Fold::new(operator, 1);
    for Element { labels, value, .. } in members {
        match value {
            Value::Float(value) => fold.fold(&[*value], &Presence::all(1)),
            Value::Histogram(value) => fold.fold_histograms(&[(0, (**value).clone())], labels.metric(), notes),
        }
    }
    let answer = fold.finish(notes);
    let number = answer.row.present.has(0).then(|| Value::Float(answer.row.values[0]));
    let histogram = answer.histograms.into_iter().next().map(|(_, histogram)| Value::from(histogram));
    assert!(number.is_none() || histogram.is_none(), "a step has one value");
    let drops_name = members.iter().any(|member| member.drops_name);
    number.or(histogram).map(|value| Element { labels, value, drops_name })
}

fn quantile(asked: f64, labels: Labels, members: &[Element], notes: &mut Notes) -> Option<Element> {
    let all = Presence::all(1);
    let mut rows: Vec<(&[f64], &Presence)> = Vec::new();
    for member in members {
        match &member.value {
            Value::Float(value) => rows.push((std::slice::from_ref(value), &all)),
            Value::Histogram(_) => notes.add(quantile::IGNORED),
        }
    }
    let row = quantile::quantiles(&[asked], &rows);
    let drops_name = members.iter().any(|member| member.drops_name);
    row.present.has(0).then(|| Element { labels, value: Value::Float(row.values[0]), drops_name })
}

fn pick(op: AggregateOp, parameter: f64, members: Vec<Element>, notes: &mut Notes) -> Vec<Element> {
    let has_histograms = members.iter().any(|member| matches!(member.value, Value::Histogram(_)));
    let candidates = members.iter().enumerate().map(|(place, member)| match member.value {
        Value::Float(value) => (place, Some(value)),
        Value::Histogram(_) => (place, None),
    });
    let numbers = candidates.clone().filter_map(|(place, value)| Some((place, value?)));
    let all = candidates.map(|(place, value)| (place, value.unwrap_or(selection::HISTOGRAM)));
    let picked = match op {
        AggregateOp::Topk | AggregateOp::Bottomk => {
            if has_histograms {
                selection::note_ignored(op.as_str(), parameter, notes);
            }
            if op == AggregateOp::Topk {
                selection::top(parameter, numbers)
            } else {
                selection::bottom(parameter, numbers)
            }
        }
        AggregateOp::Limitk => selection::limit(parameter, all),
        _ => selection::in_ratio(parameter, all.map(|candidate| (candidate, &members[candidate.0].labels))),
    };
    let mut members: Vec<Option<Element>> = members.into_iter().map(Some).collect();
    picked.into_iter().filter_map(|(place, _)| members[place].take()).collect()
}

fn count_values(grouping: &Grouping, elements: Vec<Element>) -> Vec<Element> {
    let mut groups: Vec<(Labels, ValueCounts)> = Vec::new();
    for Element { labels, value, .. } in elements {
        let group = grouping.group(&labels);
        let place = groups.iter().position(|(labels, _)| *labels == group).unwrap_or_else(|| {
            groups.push((group, ValueCounts::new(grouping, 1)));
            groups.len() - 1
        });
        match value {
            Value::Float(value) => groups[place].1.fold(&[value], &Presence::all(1)),
            Value::Histogram(value) => groups[place].1.fold_histograms(&[(0, *value)]),
        }
    }
    let mut made = Vec::new();
    for (labels, counts) in groups {
        for (text, row) in counts.finish() {
            let labels = grouping.result(&labels, &text);
            made.push(Element { labels, value: Value::Float(row.values[0]), drops_name: false });
        }
    }
    made
}

/// The answer to a case, if it can be given here.
fn answer(case: &Case, series: &[Stored]) -> Option<Answer> {
    let expr = promql::parse(&case.expression).ok()?;
    if !matches!(expr, Expr::Call(_) | Expr::Aggregate(_)) {
        return None;
    }
    let (start_ms, end_ms, step_ms) = bounds(case.times);
    if matches!(case.times, Times::Range { step_ms: ..=0, .. }) {
        return None;
    }
    let mut question = Question {
        series,
        times: case.times,
        time_ms: start_ms,
        lookback_ms: case.lookback_ms.unwrap_or(LOOKBACK_MS),
        notes: BTreeMap::new(),
    };
    let mut rows: Vec<Row> = Vec::new();
    while question.time_ms <= end_ms {
        match question.vector(&expr) {
            Ok(elements) => add_step(&mut rows, elements, question.time_ms)?,
            Err(Refusal::Beyond) => return None,
            Err(Refusal::Error(error)) => {
                let outcome = Outcome::Error("execution".to_owned(), error.to_string());
                return Some(Answer { outcome, notes: BTreeSet::new() });
            }
        }
        question.time_ms += step_ms.max(1);
    }
    if let Times::Range { .. } = case.times {
        rows.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    let notes = question.notes.iter().map(|(text, span)| {
        let (line, column) = span.position(&case.expression);
        format!("{text} ({line}:{column})")
    });
    Some(Answer { outcome: Outcome::Series(rows), notes: notes.collect() })
}

/// Adds the elements of a step to an answer; none if two have the same labels then, which is the engine's to refuse.
fn add_step(rows: &mut Vec<Row>, elements: Vec<Element>, time_ms: i64) -> Option<()> {
    for mut element in elements {
        if element.drops_name {
            element.labels.remove_metric();
        }
        let labels = element.labels.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let point = (time_ms, point(&element.value));
        match rows.iter_mut().find(|row| row.labels == labels) {
            Some(row) if row.points.last().is_some_and(|(last_ms, _)| *last_ms == time_ms) => return None,
            Some(row) => row.points.push(point),
            None => rows.push(Row { labels, points: vec![point] }),
        }
    }
    Some(())
}

fn point(value: &Value) -> Point {
    let histogram = match value {
        Value::Float(value) => return Point::Float(*value),
        Value::Histogram(histogram) => histogram,
    };
    let filled = histogram.ascending().filter(|bucket| bucket.count != 0.0);
    let buckets = filled.map(|bucket| Bucket {
        has_lower: bucket.lower_inclusive,
        has_upper: bucket.upper_inclusive,
        lower: bucket.lower,
        upper: bucket.upper,
        count: bucket.count,
    });
    Point::Histogram(Buckets { count: histogram.count, sum: histogram.sum, buckets: buckets.collect() })
}

#[test]
fn functions_and_aggregations_answer_as_prometheus_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let mut paths: Vec<_> =
        folder.read_dir().expect("the folder of cases").map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "cases"));
    paths.sort();
    let (mut answered, mut wrong) = (0, Vec::new());
    for path in paths {
        let file = CaseFile::parse(&std::fs::read_to_string(&path).expect("a file of cases")).expect("sound cases");
        if !file.without.is_empty() {
            continue;
        }
        let mut series: Vec<Stored> = file.series.iter().map(Stored::from).collect();
        series.sort_by(|a, b| a.labels.cmp(&b.labels));
        for case in &file.cases {
            let Some(answer) = answer(case, &series) else { continue };
            answered += 1;
            if !case.accepts(&answer) {
                let expected = case.answer.as_ref().map(|answer| answer.lines(case.times)).unwrap_or_default();
                wrong.push(format!(
                    "{}:{}: {}\n  expected {}\n       got {}",
                    path.display(),
                    case.line,
                    case.expression,
                    expected.join("\n           "),
                    answer.lines(case.times).join("\n           ")
                ));
            }
        }
    }
    println!("{answered} cases answered, {} of them wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(answered >= ANSWERED, "{answered} cases are answered, {ANSWERED} were before");
}
