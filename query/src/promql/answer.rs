//! The answer of a query: its series put together out of step batches.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use futures::StreamExt;
use model::ErrorKind;
use promql::ast::{AggregateOp, Expr};
use promql::functions::sorting;
use promql::histogram::FloatHistogram;
use promql::labels::Labels;
use promql::presence::Presence;

use super::batch::{Row, StepBatch};
use super::cells::Cells;
use super::labels::LabelSet;
use super::remarks::Annotations;
use super::steps::Steps;
use crate::engine::Rows;
use crate::error::{Error, from_datafusion};

/// What a query comes to.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) value: AnswerValue,
    pub(crate) annotations: Annotations,
    pub(crate) stats: Stats,
}

/// What an answer took.
#[derive(Debug, Clone)]
pub(crate) struct Stats {
    /// The samples that were read.
    pub(crate) samples: u64,
    /// For how many values each replica was taken, by cluster and replica.
    pub(crate) replicas: BTreeMap<String, BTreeMap<String, u64>>,
    /// Until there was a place to run.
    pub(crate) queue: Duration,
    /// From the question to the answer.
    pub(crate) total: Duration,
}

/// The value of an answer.
#[derive(Debug)]
pub(crate) enum AnswerValue {
    /// Series with their values at several times, in order of their labels.
    Matrix(Vec<SeriesPoints>),
    /// Series with one value each, a number or a histogram.
    Vector(Vec<SeriesPoints>),
    /// One number.
    Scalar(Point),
    /// A text at a time in milliseconds.
    String(i64, String),
}

/// A series of an answer.
#[derive(Debug, Clone)]
pub(crate) struct SeriesPoints {
    pub(crate) labels: LabelSet,
    pub(crate) points: Vec<Point>,
    /// Native histograms with their times in milliseconds.
    pub(crate) histograms: Vec<(i64, FloatHistogram)>,
}

impl SeriesPoints {
    /// The values of a row of a step batch, under the labels that it has in the answer.
    pub(super) fn new(labels: LabelSet, values: &[f64], present: &Presence, mut cells: Cells, steps: &Steps) -> Self {
        cells.sort_by_key(|(step, _)| *step);
        SeriesPoints {
            labels,
            points: present.iter().map(|step| Point { time_ms: steps.time_ms(step), value: values[step] }).collect(),
            histograms: cells.into_iter().map(|(step, one)| (steps.time_ms(step), one)).collect(),
        }
    }
}

/// A number at a time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Milliseconds since the Unix epoch.
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
}

/// In which order the series of an instant query are given.
#[derive(Debug, PartialEq)]
pub(super) enum Order {
    /// By their labels.
    Labels,
    /// As the outermost operator gives them.
    AsGiven,
    /// By their values.
    Values { is_descending: bool },
    /// By the values of some labels.
    LabelsNamed { names: Vec<String>, is_descending: bool },
}

impl Order {
    /// Whether series with histograms are left out, which have no place in the order.
    pub(super) fn drops_histograms(&self) -> bool {
        matches!(self, Order::Values { .. })
    }

    /// What the outermost function or operator says.
    pub(super) fn of(expr: &Expr) -> Self {
        match expr.unwrapped() {
            Expr::Call(call) => match call.function.name {
                "sort" => Order::Values { is_descending: false },
                "sort_desc" => Order::Values { is_descending: true },
                name @ ("sort_by_label" | "sort_by_label_desc") => {
                    let text = |arg: &Expr| match arg.unwrapped() {
                        Expr::String(text) => Some(text.value.clone()),
                        _ => None,
                    };
                    let names = call.args[1..].iter().filter_map(text).collect();
                    Order::LabelsNamed { names, is_descending: name == "sort_by_label_desc" }
                }
                _ => Order::Labels,
            },
            Expr::Aggregate(aggregate) => match aggregate.op {
                AggregateOp::Topk | AggregateOp::Bottomk => Order::AsGiven,
                _ => Order::Labels,
            },
            _ => Order::Labels,
        }
    }
}

/// The rows of an answer, each label set once.
#[derive(Debug)]
pub(super) struct Collected {
    steps: Steps,
    rows: StepBatch,
}

impl Collected {
    /// Reads what the plan gives. Names that are to go are taken out.
    ///
    /// # Errors
    /// Those of the plan; `Invalid` if two series have the same labels at a step, `TooLarge` if it takes more than
    /// `max_bytes`.
    pub(super) async fn read(mut rows: Rows, steps: Steps, max_bytes: u64) -> Result<Self, Error> {
        let (mut all, mut numbers) = (StepBatch::new(steps.count), HashMap::new());
        while let Some(batch) = rows.next().await {
            let batch = StepBatch::from_record_batch(&batch?).map_err(from_datafusion)?;
            for row in batch.rows() {
                match numbers.entry(row.answered_labels()) {
                    Entry::Vacant(new) => {
                        let labels = new.key().clone();
                        new.insert(all.len());
                        all.push_row(Row { labels: &labels, ..row });
                    }
                    Entry::Occupied(known) => join(&mut all, *known.get(), row)?,
                }
            }
            let bytes = all.memory_bytes() as u64;
            if bytes > max_bytes {
                let what = format!(
                    "the answer takes {bytes} bytes of memory and is not complete, the limit is {max_bytes}; select fewer \
                     series or steps, or raise query.query_memory_bytes"
                );
                return Err(Error::new(ErrorKind::TooLarge, what));
            }
        }
        Ok(Collected { steps, rows: all })
    }

    /// The one number of an instant query.
    pub(super) fn scalar(&self) -> f64 {
        self.rows.values.first().copied().unwrap_or(f64::NAN)
    }

    /// The series of an instant query.
    pub(super) fn vector(self, order: &Order) -> Vec<SeriesPoints> {
        let mut series = self.all();
        if *order == Order::AsGiven {
            return series;
        }
        let mut keyed: Vec<_> = series.drain(..).map(|one| (Labels::from(&one.labels), one)).collect();
        keyed.sort_by(|a, b| a.0.cmp(&b.0));
        keyed.retain(|(_, one)| !order.drops_histograms() || one.histograms.is_empty());
        match order {
            Order::AsGiven | Order::Labels => {}
            Order::Values { is_descending } => {
                let value = |one: &(Labels, SeriesPoints)| one.1.points.first().map_or(f64::NAN, |point| point.value);
                sorting::sort_by_value(&mut keyed, *is_descending, value);
            }
            Order::LabelsNamed { names, is_descending } => {
                sorting::sort_by_labels(&mut keyed, *is_descending, names, |one| &one.0);
            }
        }
        keyed.into_iter().map(|(_, one)| one).collect()
    }

    /// The series of a range query.
    pub(super) fn matrix(self) -> Vec<SeriesPoints> {
        let mut series = self.all();
        series.sort_by_cached_key(|one| Labels::from(&one.labels));
        series
    }

    fn all(self) -> Vec<SeriesPoints> {
        let Collected { steps, mut rows } = self;
        let histograms = std::mem::take(&mut rows.histograms);
        let labels = std::mem::take(&mut rows.labels);
        let series = labels.into_iter().zip(histograms).enumerate().map(|(number, (labels, cells))| {
            SeriesPoints::new(labels, &rows.values[number * rows.steps..], &rows.present[number], cells, &steps)
        });
        series.collect()
    }
}

/// Two series of an answer have the same labels at a step.
pub(super) fn same_labels() -> model::Error {
    model::Error::invalid("vector cannot contain metrics with the same labelset")
}

/// Adds the values of a row to those of another with the same labels.
fn join(all: &mut StepBatch, number: usize, row: Row<'_>) -> Result<(), Error> {
    let mut both = all.row(number).all_present();
    both.intersect_with(&row.all_present());
    if !both.is_empty() {
        return Err(same_labels().into());
    }
    all.join(number, row);
    Ok(())
}
