//! Step batches: some series with their values at each step. What operators of PromQL hand to each other.
//!
//! As a record batch, so that an operator is a plan node like others: `labels` (canonical bytes of the label set),
//! `drops_name` (whether the name goes at the end, see [`StepBatch::drops_name`]), `floats` (a list as long as there are steps,
//! NULL where the series has no number), `histograms` (bytes, empty for most series, see [`cells`]).

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, BooleanBufferBuilder, FixedSizeListArray, Float64Array,
    RecordBatch,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Float64Type, Schema, SchemaRef};
use datafusion::common::{DataFusionError, Result};
use promql::labels::is_of_metric;
use promql::presence::Presence;
use promql::value::Value;

use super::cells::{self, Cells};
use super::labels::LabelSet;

/// A batch is handed on once its values take so many bytes.
pub(crate) const FULL_BYTES: usize = 4 << 20;

/// Series and their values at each step.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepBatch {
    /// How many values each series has room for.
    pub(crate) steps: usize,
    pub(crate) labels: Vec<LabelSet>,
    /// Whether the name of a series is to be taken out at the end: most functions make values that are no longer those of the
    /// metric, but what stands around them may still ask for its name.
    pub(crate) drops_name: Vec<bool>,
    /// Series behind series; anything where there is no value.
    pub(crate) values: Vec<f64>,
    /// At which steps each series has a number.
    pub(crate) present: Vec<Presence>,
    /// The native histograms of each series, at other steps than its numbers.
    pub(crate) histograms: Vec<Cells>,
    /// Series whose histograms have been counted, and the bytes of these.
    counted: (usize, usize),
}

/// The values of one series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) labels: &'a LabelSet,
    pub(crate) drops_name: bool,
    pub(crate) values: &'a [f64],
    pub(crate) present: &'a Presence,
    pub(crate) histograms: &'a Cells,
}

impl Row<'_> {
    /// The labels that the series has in an answer: a name that is to go is taken out.
    pub(crate) fn answered_labels(&self) -> LabelSet {
        match self.drops_name {
            true => self.labels.filtered(|name| !is_of_metric(name)),
            false => self.labels.clone(),
        }
    }

    /// At which steps there is a number or a histogram.
    pub(crate) fn all_present(&self) -> Presence {
        let mut all = self.present.clone();
        self.histograms.iter().for_each(|(step, _)| all.insert(*step));
        all
    }

    /// The value of a step; anything where there is none.
    pub(crate) fn value(&self, step: usize) -> Value {
        match self.histograms.binary_search_by_key(&step, |(step, _)| *step) {
            Ok(cell) => Value::Histogram(Box::new(self.histograms[cell].1.clone())),
            Err(_) => Value::Float(self.values[step]),
        }
    }
}

/// The room for the values of a series.
#[derive(Debug)]
pub(crate) struct RowMut<'a> {
    pub(crate) values: &'a mut [f64],
    pub(crate) present: &'a mut Presence,
    pub(crate) histograms: &'a mut Cells,
}

impl RowMut<'_> {
    /// Sets the value of a step.
    pub(crate) fn set(&mut self, step: usize, value: Value) {
        match value {
            Value::Float(value) => {
                self.values[step] = value;
                self.present.insert(step);
            }
            Value::Histogram(histogram) => self.histograms.push((step, *histogram)),
        }
    }
}

impl StepBatch {
    /// An empty batch.
    pub(crate) fn new(steps: usize) -> Self {
        StepBatch { steps, ..StepBatch::default() }
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Whether it is time to hand it on.
    pub(crate) fn is_full(&self) -> bool {
        self.memory_bytes() >= FULL_BYTES
    }

    /// Bytes of memory taken, roughly.
    pub(crate) fn memory_bytes(&self) -> usize {
        let (rows, counted) = self.counted;
        let rest = self.histograms.get(rows..).unwrap_or_default();
        let histograms = counted + rest.iter().map(|cells| cells::bytes(cells)).sum::<usize>();
        self.values.len() * size_of::<f64>() + self.labels.len() * (256 + self.steps / 8) + histograms
    }

    /// Counts the bytes of all histograms there are, once for good: who asks for bytes after each series would count them over
    /// and over.
    pub(crate) fn count(&mut self) {
        let rest = self.histograms.get(self.counted.0..).unwrap_or_default();
        self.counted =
            (self.histograms.len(), self.counted.1 + rest.iter().map(|cells| cells::bytes(cells)).sum::<usize>());
    }

    /// Adds a series that has no value so far, and gives the room for its values.
    pub(crate) fn push(&mut self, labels: LabelSet, drops_name: bool) -> RowMut<'_> {
        let (at, start) = (self.labels.len(), self.values.len());
        self.labels.push(labels);
        self.drops_name.push(drops_name);
        self.values.resize(start + self.steps, 0.0);
        self.present.push(Presence::none(self.steps));
        self.histograms.push(Cells::new());
        RowMut {
            values: &mut self.values[start..],
            present: &mut self.present[at],
            histograms: &mut self.histograms[at],
        }
    }

    /// Adds a series with its numbers, if it has one.
    pub(crate) fn push_values(&mut self, labels: LabelSet, drops_name: bool, values: &[f64], present: Presence) {
        self.push_all(labels, drops_name, values, present, Cells::new());
    }

    /// Adds a series with its numbers and histograms, if it has one.
    pub(crate) fn push_all(
        &mut self,
        labels: LabelSet,
        drops_name: bool,
        values: &[f64],
        present: Presence,
        histograms: Cells,
    ) {
        if present.is_empty() && histograms.is_empty() {
            return;
        }
        self.histograms.push(histograms);
        self.labels.push(labels);
        self.drops_name.push(drops_name);
        self.values.extend_from_slice(values);
        self.present.push(present);
    }

    /// Adds a series as another batch has it.
    pub(crate) fn push_row(&mut self, row: Row<'_>) {
        let (present, histograms) = (row.present.clone(), row.histograms.clone());
        self.push_all(row.labels.clone(), row.drops_name, row.values, present, histograms);
    }

    /// Adds the values of a row to the series with this number, which has none at any of its steps. Whether the name goes is
    /// what the earliest value says.
    pub(crate) fn join(&mut self, number: usize, row: Row<'_>) {
        let first = |row: Row<'_>| row.all_present().iter().next();
        if first(row) < first(self.row(number)) {
            self.drops_name[number] = row.drops_name;
        }
        self.present[number].union_with(row.present);
        let start = number * self.steps;
        row.present.iter().for_each(|step| self.values[start + step] = row.values[step]);
        self.histograms[number].extend_from_slice(row.histograms);
        self.histograms[number].sort_by_key(|(step, _)| *step);
    }

    /// Takes back the last series if it has no value at all.
    pub(crate) fn pop_if_absent(&mut self) {
        let has_no_histogram = self.histograms.last().is_some_and(Cells::is_empty);
        if has_no_histogram && self.present.last().is_some_and(Presence::is_empty) {
            self.labels.pop();
            self.drops_name.pop();
            self.present.pop();
            self.histograms.pop();
            self.values.truncate(self.values.len() - self.steps);
            self.counted.0 = self.counted.0.min(self.len());
        }
    }

    /// Leaves a series the values of some steps.
    pub(crate) fn keep(&mut self, number: usize, kept: &Presence) {
        self.present[number].intersect_with(kept);
        self.histograms[number].retain(|(step, _)| kept.has(*step));
    }

    /// The series with this number.
    pub(crate) fn row(&self, number: usize) -> Row<'_> {
        let range = number * self.steps..(number + 1) * self.steps;
        Row {
            labels: &self.labels[number],
            drops_name: self.drops_name[number],
            values: &self.values[range],
            present: &self.present[number],
            histograms: &self.histograms[number],
        }
    }

    /// The values of the series with this number, to change them.
    pub(crate) fn row_mut(&mut self, number: usize) -> RowMut<'_> {
        RowMut {
            values: &mut self.values[number * self.steps..(number + 1) * self.steps],
            present: &mut self.present[number],
            histograms: &mut self.histograms[number],
        }
    }

    /// All series.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.len()).map(|number| self.row(number))
    }

    /// The columns of a batch with so many steps.
    pub(crate) fn schema(steps: usize) -> SchemaRef {
        let list = DataType::FixedSizeList(item(), steps as i32);
        Arc::new(Schema::new(vec![
            Field::new("labels", DataType::Binary, false),
            Field::new("drops_name", DataType::Boolean, false),
            Field::new("floats", list, false),
            Field::new("histograms", DataType::Binary, false),
        ]))
    }

    /// As a record batch.
    ///
    /// # Errors
    /// DataFusion's, if the columns are not as long as each other.
    pub(crate) fn into_record_batch(self) -> Result<RecordBatch> {
        let schema = Self::schema(self.steps);
        let labels = BinaryArray::from_iter_values(self.labels.iter().map(LabelSet::as_bytes));
        let mut bits = BooleanBufferBuilder::new(self.values.len());
        for present in &self.present {
            let bytes: Vec<u8> = present.words().iter().flat_map(|word| word.to_le_bytes()).collect();
            bits.append_packed_range(0..self.steps, &bytes);
        }
        let present = NullBuffer::new(bits.finish());
        let floats = Float64Array::new(self.values.into(), Some(present));
        let floats = FixedSizeListArray::try_new(item(), self.steps as i32, Arc::new(floats), None)?;
        let histograms = self.histograms.iter().map(|cells| {
            let mut bytes = Vec::new();
            cells::encode(cells, &mut bytes);
            bytes
        });
        let histograms = BinaryArray::from_iter_values(histograms);
        let drops_name = BooleanArray::from(self.drops_name);
        let columns: Vec<ArrayRef> =
            vec![Arc::new(labels), Arc::new(drops_name), Arc::new(floats), Arc::new(histograms)];
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    /// Takes a record batch that [`StepBatch::into_record_batch`] made.
    ///
    /// # Errors
    /// `Internal` if it is another one.
    pub(crate) fn from_record_batch(batch: &RecordBatch) -> Result<Self> {
        let foreign = || DataFusionError::Internal("a record batch is no step batch".into());
        let [labels, drops_name, floats, histograms] = batch.columns() else { return Err(foreign()) };
        let labels = labels.as_binary_opt::<i32>().ok_or_else(foreign)?;
        let drops_name = drops_name.as_boolean_opt().ok_or_else(foreign)?;
        let floats = floats.as_fixed_size_list_opt().ok_or_else(foreign)?;
        let histograms = histograms.as_binary_opt::<i32>().ok_or_else(foreign)?;
        let values = floats.values().as_primitive_opt::<Float64Type>().ok_or_else(foreign)?;
        let steps = floats.value_length() as usize;
        let present = |row: usize| match values.nulls() {
            Some(nulls) => {
                let bits = nulls.inner().slice(row * steps, steps);
                Presence::from_words(bits.bit_chunks().iter_padded(), steps)
            }
            None => Presence::all(steps),
        };
        Ok(StepBatch {
            steps,
            labels: labels.iter().map(|bytes| LabelSet::from_bytes(bytes.unwrap_or_default())).collect(),
            drops_name: drops_name.values().iter().collect(),
            values: values.values().to_vec(),
            present: (0..batch.num_rows()).map(present).collect(),
            histograms: histograms.iter().map(|bytes| cells::decode(bytes.unwrap_or_default())).collect(),
            counted: (0, 0),
        })
    }
}

fn item() -> Arc<Field> {
    Arc::new(Field::new("item", DataType::Float64, true))
}

#[cfg(test)]
mod tests {
    use promql::histogram::FloatHistogram;

    use super::*;

    #[test]
    fn a_record_batch_gives_back_what_it_was_made_of() {
        let mut batch = StepBatch::new(3);
        let row = batch.push(LabelSet::default().with("a", "1"), true);
        row.values.copy_from_slice(&[1.0, f64::NAN, 0.0]);
        [0, 1].into_iter().for_each(|step| row.present.insert(step));
        row.histograms.push((2, FloatHistogram::empty(3, Vec::new())));
        batch.push(LabelSet::default(), false);
        let again = StepBatch::from_record_batch(&batch.clone().into_record_batch().unwrap()).unwrap();
        assert_eq!((again.len(), again.steps), (2, 3));
        assert_eq!(
            (&again.labels, &again.drops_name, &again.present),
            (&batch.labels, &batch.drops_name, &batch.present)
        );
        assert!(again.values[0] == 1.0 && again.values[1].is_nan());
        assert_eq!(again.histograms, batch.histograms);
        batch.pop_if_absent();
        assert_eq!(batch.len(), 1);
        batch.pop_if_absent();
        assert_eq!(batch.len(), 1);
    }
}
