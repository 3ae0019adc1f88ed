//! A store that keeps what it is given in memory, and fails when told to.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use model::batch::{Histogram, is_stale};
use model::labels::LabelsBuilder;
use model::recall::{Newest, NewestValue};
use model::{Batch, Error, ErrorKind, Ingest, LeftOut, LeftOutReason, Logs, Recall, Receipt, SeriesKey, Spans};
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::PATIENCE;

/// A row as a store sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) cluster: String,
    /// `name=value`, joined by commas, in order.
    pub(crate) labels: String,
    pub(crate) time_ms: i64,
    pub(crate) value: f64,
}

impl Row {
    /// Whether it tells of the fetching itself.
    pub(crate) fn is_report(&self) -> bool {
        let is_ours = self.labels.contains("job=federate") || self.labels.contains("job=node");
        (self.name == "up" || self.name.starts_with("scrape_")) && is_ours
    }

    pub(crate) fn is_marker(&self) -> bool {
        is_stale(self.value)
    }

    /// Name, labels, time and value in one line, a marker as `stale`.
    pub(crate) fn text(&self) -> String {
        let value = if self.is_marker() { "stale".to_owned() } else { self.value.to_string() };
        format!("{}{{{}}} {value} {}", self.name, self.labels, self.time_ms)
    }
}

/// A log row as a store sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LogRow {
    pub(crate) cluster: String,
    pub(crate) service: String,
    /// `name=value`, joined by commas, in order.
    pub(crate) resource: String,
    pub(crate) time_unix_nano: i64,
    pub(crate) body: String,
    /// As `resource`.
    pub(crate) attributes: String,
}

/// One write.
pub(crate) type Written = Vec<Row>;

#[derive(Debug)]
pub(crate) struct Recorder {
    writes: Mutex<Vec<Written>>,
    /// What the writes held besides samples, as it was given.
    batches: Mutex<Vec<Batch>>,
    logs: Mutex<Vec<Logs>>,
    spans: Mutex<Vec<Spans>>,
    failures: Mutex<VecDeque<Error>>,
    forgetting: Mutex<VecDeque<Error>>,
    /// Offered batches, refused ones too.
    offered: Mutex<usize>,
    changed: Notify,
    /// One permit is needed for each write.
    gate: Semaphore,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::with_gate(Semaphore::MAX_PERMITS)
    }
}

impl Recorder {
    /// A store that lets `open` writes through until [`Recorder::open`] is called.
    pub(crate) fn with_gate(open: usize) -> Self {
        Recorder {
            writes: Mutex::default(),
            batches: Mutex::default(),
            logs: Mutex::default(),
            spans: Mutex::default(),
            failures: Mutex::default(),
            forgetting: Mutex::default(),
            offered: Mutex::default(),
            changed: Notify::new(),
            gate: Semaphore::new(open),
        }
    }

    /// Lets `more` writes through.
    pub(crate) fn open(&self, more: usize) {
        self.gate.add_permits(more);
    }

    /// The next writes fail like this.
    pub(crate) fn fail(&self, errors: impl IntoIterator<Item = Error>) {
        self.failures.lock().extend(errors);
    }

    /// The next questions for rows fail like this.
    pub(crate) fn forget(&self, errors: impl IntoIterator<Item = Error>) {
        self.forgetting.lock().extend(errors);
    }

    pub(crate) fn offered(&self) -> usize {
        *self.offered.lock()
    }

    pub(crate) fn writes(&self) -> Vec<Written> {
        self.writes.lock().clone()
    }

    /// What was written, as it was given.
    pub(crate) fn batches(&self) -> Vec<Batch> {
        self.batches.lock().clone()
    }

    /// Every log row that was written.
    pub(crate) fn log_rows(&self) -> Vec<LogRow> {
        self.logs.lock().iter().flat_map(log_rows).collect()
    }

    /// Log rows that were written, as they were given.
    pub(crate) fn logs(&self) -> Vec<Logs> {
        self.logs.lock().clone()
    }

    /// Spans that were written, as they were given.
    pub(crate) fn spans(&self) -> Vec<Spans> {
        self.spans.lock().clone()
    }

    /// Every histogram that was written, with its series.
    pub(crate) fn histograms(&self) -> Vec<(SeriesKey, Histogram)> {
        let mut builder = LabelsBuilder::default();
        let mut all = Vec::new();
        for batch in self.batches.lock().iter() {
            for histogram in &batch.histograms {
                let key = batch.key(histogram.series as usize, &mut builder).unwrap();
                all.push((key, histogram.clone()));
            }
        }
        all
    }

    /// Waits until `found` finds something in the writes so far.
    pub(crate) async fn wait_for<T>(&self, what: &str, mut found: impl FnMut(&[Written]) -> Option<T>) -> T {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(result) = found(&self.writes.lock()) {
                    return result;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("{what} did not happen, there were {:#?}", self.writes()))
    }

    /// Waits until so many log rows were written, and gives them.
    pub(crate) async fn wait_for_log_rows(&self, count: usize) -> Vec<LogRow> {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let rows = self.log_rows();
                if rows.len() >= count {
                    return rows;
                }
                changed.await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        waited.unwrap_or_else(|_| panic!("no {count} log rows, there were {:#?}", self.log_rows()))
    }

    /// Waits for the write of number `number`, from 0, and gives it.
    pub(crate) async fn write_number(&self, number: usize) -> Written {
        self.wait_for(&format!("write {number}"), |writes| writes.get(number).cloned()).await
    }

    /// The way in of a write, whatever it brings.
    async fn enter(&self) -> Result<(), Error> {
        *self.offered.lock() += 1;
        self.changed.notify_waiters();
        self.gate.acquire().await.unwrap().forget();
        self.failures.lock().pop_front().map_or(Ok(()), Err)
    }

    /// Waits until `count` batches were offered.
    pub(crate) async fn wait_for_offers(&self, count: usize) {
        let waiting = async {
            loop {
                let changed = self.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.offered() >= count {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("the offers");
    }
}

/// Leaves out what the store would: series with bad labels, where no decoder has looked at them.
fn without_bad_labels(mut batch: Batch) -> (Batch, Option<Box<LeftOut>>) {
    let mut builder = LabelsBuilder::default();
    let mut told = LeftOut::default();
    let mut is_bad = vec![false; batch.series.len()];
    for (index, is_bad) in is_bad.iter_mut().enumerate().filter(|_| batch.unchecked_labels.is_some()) {
        let Err(error) = batch.key(index, &mut builder) else { continue };
        let is_long = error.kind() == ErrorKind::TooLarge;
        let reason = if is_long { LeftOutReason::LabelLimit } else { LeftOutReason::InvalidLabels };
        let rows = batch.samples.iter().filter(|row| row.series as usize == index).count();
        told.push(index as u32, reason, error.message());
        told.add_rows(reason, rows);
        told.samples += rows;
        *is_bad = true;
    }
    batch.samples.retain(|row| !is_bad[row.series as usize]);
    let left_out = is_bad.contains(&true).then(|| Box::new(told));
    (batch, left_out)
}

#[async_trait]
impl Ingest for Recorder {
    async fn write(&self, batch: Batch) -> Result<Receipt, Error> {
        self.enter().await?;
        let (batch, left_out) = without_bad_labels(batch);
        let rows = rows(&batch)?;
        let receipt = Receipt { samples: rows.len(), left_out, ..Receipt::default() };
        self.batches.lock().push(batch);
        self.writes.lock().push(rows);
        self.changed.notify_waiters();
        Ok(receipt)
    }

    async fn write_logs(&self, logs: Logs) -> Result<Receipt, Error> {
        self.enter().await?;
        let receipt = Receipt { samples: logs.len(), ..Receipt::default() };
        self.logs.lock().push(logs);
        self.changed.notify_waiters();
        Ok(receipt)
    }

    async fn write_spans(&self, spans: Spans) -> Result<Receipt, Error> {
        self.enter().await?;
        let receipt = Receipt { samples: spans.len(), ..Receipt::default() };
        self.spans.lock().push(spans);
        self.changed.notify_waiters();
        Ok(receipt)
    }
}

#[async_trait]
impl Recall for Recorder {
    async fn recall(
        &self,
        cluster: &str,
        name: &str,
        (label, value): (&str, &str),
        time_ms: RangeInclusive<i64>,
    ) -> Result<Vec<(i64, f64)>, Error> {
        if let Some(error) = self.forgetting.lock().pop_front() {
            return Err(error);
        }
        let pair = format!("{label}={value}");
        let is_asked_for = |row: &Row| {
            let labels = row.labels.split(',').any(|label| label == pair);
            row.cluster == cluster && row.name == name && labels && time_ms.contains(&row.time_ms) && !row.is_marker()
        };
        let writes = self.writes.lock();
        Ok(writes.iter().flatten().filter(|row| is_asked_for(row)).map(|row| (row.time_ms, row.value)).collect())
    }

    async fn newest(&self, series: &[SeriesKey], from_ms: i64) -> Result<Vec<Option<Newest>>, Error> {
        let mut builder = LabelsBuilder::default();
        let mut found: Vec<Option<Newest>> = vec![None; series.len()];
        for batch in self.batches.lock().iter() {
            let samples = batch.samples.iter().filter(|row| !is_stale(row.value));
            let samples = samples.map(|row| (row.series, row.time_ms, NewestValue::Number(row.value)));
            let histograms = batch
                .histograms
                .iter()
                .map(|row| (row.series, row.time_ms, NewestValue::Histogram(Box::new(row.value.clone()))));
            for (index, time_ms, value) in samples.chain(histograms).filter(|row| row.1 >= from_ms) {
                let key = batch.key(index as usize, &mut builder)?;
                let Some(place) = series.iter().position(|other| *other == key) else { continue };
                if found[place].as_ref().is_none_or(|known| known.time_ms < time_ms) {
                    found[place] = Some(Newest { time_ms, start_ms: None, value });
                }
            }
        }
        Ok(found)
    }

    async fn logs(&self, cluster: &str, time_unix_nano: RangeInclusive<i64>) -> Result<Logs, Error> {
        if let Some(error) = self.forgetting.lock().pop_front() {
            return Err(error);
        }
        let mut found = Logs::default();
        for logs in self.logs.lock().iter() {
            let is_asked_for = |row: &usize| {
                let of = logs.resources.get(logs.resource[*row]).is_some_and(|it| &*it.cluster == cluster);
                of && time_unix_nano.contains(&logs.time_unix_nano[*row])
            };
            found.append(logs, (0..logs.len()).filter(is_asked_for));
        }
        Ok(found)
    }
}

fn log_rows(logs: &Logs) -> Vec<LogRow> {
    let text = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        pairs.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    };
    let of_row = |row: usize| {
        let (log, resource) = (logs.row(row), logs.resources.get(logs.resource[row]).unwrap());
        LogRow {
            cluster: resource.cluster.to_string(),
            service: resource.service.to_string(),
            resource: text(&mut resource.attributes.iter()),
            time_unix_nano: log.time_unix_nano,
            body: log.body.to_owned(),
            attributes: text(&mut logs.attributes.row(row)),
        }
    };
    (0..logs.len()).map(of_row).collect()
}

fn rows(batch: &Batch) -> Result<Written, Error> {
    let mut builder = LabelsBuilder::default();
    let mut rows = Vec::new();
    for sample in &batch.samples {
        let key = batch.key(sample.series as usize, &mut builder)?;
        let labels: Vec<String> = key.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        rows.push(Row {
            name: key.name.to_string(),
            cluster: key.cluster.to_string(),
            labels: labels.join(","),
            time_ms: sample.time_ms,
            value: sample.value,
        });
    }
    Ok(rows)
}
