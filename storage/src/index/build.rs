//! Building the index of a block from its rows, once all are known.
//!
//! Owns: the order of the work, and how much of it lies in memory at a time.
//! Does not own: the bytes (`encode`).

use std::collections::BTreeMap;
use std::sync::Arc;

use hashbrown::HashMap;
use model::labels::{CLUSTER_LABEL, Labels, NAME_LABEL};
use model::{Error, SeriesKey};

use super::encode::Encoder;

/// So many labels of rows are gathered at a time, or those with one name if they are more. The rows are gone through once
/// for each such part.
const GATHERED: usize = 2 << 20;

/// The rows of a block on their way into its index.
#[derive(Debug, Default)]
pub struct IndexBuilder {
    labels: Vec<Labels>,
    /// Name and cluster of rows one behind the other, and the row behind the last of them.
    keys: Vec<(Arc<str>, Arc<str>, u32)>,
    /// Labels of rows to gather at a time, if it is not [`GATHERED`].
    gathered: Option<usize>,
}

impl IndexBuilder {
    /// Adds the next row.
    pub fn push(&mut self, key: &SeriesKey) {
        self.labels.push(key.labels.clone());
        let end = self.labels.len() as u32;
        match self.keys.last_mut() {
            Some((name, cluster, last)) if *name == key.name && *cluster == key.cluster => *last = end,
            _ => self.keys.push((key.name.clone(), key.cluster.clone(), end)),
        }
    }

    /// Gathers this many labels of rows at a time.
    #[cfg(test)]
    pub(super) fn gathering(mut self, labels: usize) -> Self {
        self.gathered = Some(labels);
        self
    }

    /// Writes the index of the rows.
    ///
    /// # Errors
    /// `TooLarge` if it takes more than 4 GiB.
    pub fn encode(&self) -> Result<Vec<u8>, Error> {
        let names = self.names();
        let mut encoder = Encoder::new(self.labels.len() as u32, names.len());
        let mut left: &[(&str, usize)] = &names;
        while !left.is_empty() {
            let mut labels = 0;
            let limit = self.gathered.unwrap_or(GATHERED);
            let fits = left.iter().take_while(|(_, rows)| {
                labels += rows;
                labels <= limit
            });
            let (part, others) = left.split_at(fits.count().max(1));
            for (column, (name, _)) in self.gather(part).into_iter().zip(part) {
                column.encode(name, &mut encoder);
            }
            left = others;
        }
        encoder.finish()
    }

    /// Each row with its labels, name and cluster among them; empty values are none.
    fn rows(&self) -> impl Iterator<Item = (u32, impl Iterator<Item = (&str, &str)>)> {
        let mut keys = self.keys.iter();
        let mut key = keys.next();
        self.labels.iter().zip(0..).map(move |(labels, row)| {
            while key.is_some_and(|(_, _, end)| *end <= row) {
                key = keys.next();
            }
            let of_key = key.map(|(name, cluster, _)| [(NAME_LABEL, &**name), (CLUSTER_LABEL, &**cluster)]);
            let of_key = of_key.into_iter().flatten().filter(|(_, value)| !value.is_empty());
            (row, of_key.chain(labels.iter()))
        })
    }

    /// The names of all labels, ascending, and how many rows have each.
    fn names(&self) -> Vec<(&str, usize)> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (_, labels) in self.rows() {
            labels.for_each(|(name, _)| *counts.entry(name).or_default() += 1);
        }
        counts.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect()
    }

    /// The values of some labels.
    fn gather(&self, names: &[(&str, usize)]) -> Vec<Column<'_>> {
        let places: HashMap<&str, usize> = names.iter().enumerate().map(|(place, (name, _))| (*name, place)).collect();
        let mut columns: Vec<Column<'_>> = names.iter().map(|(_, rows)| Column::with_room(*rows)).collect();
        for (row, labels) in self.rows() {
            for (name, value) in labels {
                if let Some(place) = places.get(name) {
                    columns[*place].push(value, row);
                }
            }
        }
        columns
    }
}

/// What rows have of one label.
struct Column<'a> {
    /// The number of each value.
    numbers: HashMap<&'a str, u32>,
    /// The rows that have the label, ascending, each with the number of its value.
    rows: Vec<(u32, u32)>,
}

impl<'a> Column<'a> {
    fn with_room(rows: usize) -> Self {
        Column { numbers: HashMap::new(), rows: Vec::with_capacity(rows) }
    }

    fn push(&mut self, value: &'a str, row: u32) {
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        self.rows.push((number, row));
    }

    fn encode(self, name: &str, encoder: &mut Encoder) {
        let mut values: Vec<(&str, u32)> = self.numbers.into_iter().collect();
        values.sort_unstable();
        // Rows by value: where those of each number begin, then each row to its place.
        let mut starts = vec![0u32; values.len() + 1];
        for (number, _) in &self.rows {
            starts[*number as usize + 1] += 1;
        }
        for number in 1..starts.len() {
            starts[number] += starts[number - 1];
        }
        let (mut next, mut sorted) = (starts.clone(), vec![0u32; self.rows.len()]);
        for (number, row) in &self.rows {
            let place = &mut next[*number as usize];
            sorted[*place as usize] = *row;
            *place += 1;
        }
        encoder.label(name, values.len());
        for (value, number) in values {
            let rows = starts[number as usize] as usize..starts[number as usize + 1] as usize;
            encoder.value(value, &sorted[rows]);
        }
    }
}
