//! Reading the bytes of an index. Total over any bytes: it never panics and never allocates by a length it was told.

use bytes::Bytes;
use model::Error;
use roaring::RoaringBitmap;

use super::postings::{Postings, Runs, take, take_header};
use super::select::{self, Label, corrupt};
use super::{MAGIC, VERSION};
use crate::Matcher;

/// The index of one block, its postings still encoded.
#[derive(Debug, Clone)]
pub struct SeriesIndex {
    /// What [`SeriesIndex::decode`] was given.
    bytes: Bytes,
    all: RoaringBitmap,
    /// Ascending by name.
    labels: Vec<LabelIndex>,
}

/// One label of a block.
#[derive(Debug, Clone)]
pub(super) struct LabelIndex {
    pub(super) name: Box<str>,
    /// The values back to back.
    text: Box<str>,
    /// For each value its end in `text` and the start of its postings in the bytes of the index.
    places: Box<[(u32, u32)]>,
    pub(super) present: RoaringBitmap,
}

impl LabelIndex {
    /// How many values there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The value number `i`.
    pub(super) fn value(&self, i: usize) -> &str {
        let start = if i == 0 { 0 } else { self.places[i - 1].0 };
        &self.text[start as usize..self.places[i].0 as usize]
    }

    /// The number of a value.
    pub(super) fn find(&self, value: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            match self.value(middle).cmp(value) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// Who has the value number `i`.
    fn postings<'a>(&self, i: usize, bytes: &'a [u8]) -> Postings<'a> {
        Postings::Encoded(&bytes[self.places[i].1 as usize..])
    }
}

/// A label with the bytes of the index, which hold its postings.
#[derive(Clone, Copy)]
struct BlockLabel<'a>(&'a LabelIndex, &'a [u8]);

impl<'a> Label<'a> for BlockLabel<'a> {
    fn present(self) -> &'a RoaringBitmap {
        &self.0.present
    }

    fn find(self, value: &str) -> Option<Postings<'a>> {
        self.0.find(value).map(|i| self.0.postings(i, self.1))
    }

    fn values(self) -> impl Iterator<Item = (&'a str, Postings<'a>)> {
        let BlockLabel(label, bytes) = self;
        (0..label.len()).map(move |i| (label.value(i), label.postings(i, bytes)))
    }
}

impl SeriesIndex {
    /// Reads an index of a block with `rows` rows, checking every byte of it.
    ///
    /// # Errors
    /// `Corrupt` if the bytes are damaged, of another version, or of a block with another number of rows.
    pub fn decode(bytes: Bytes, rows: u32) -> Result<Self, Error> {
        let (head, body, crc) = frame(&bytes)?;
        if crc32c::crc32c(&bytes[..bytes.len() - 4]) != crc {
            return Err(corrupt("its checksum does not fit"));
        }
        let [magic @ .., version] = head;
        if *magic != MAGIC {
            return Err(corrupt("it does not start with FSIX"));
        }
        if *version != VERSION {
            return Err(corrupt(format_args!("it has version {version}, this program reads {VERSION}")));
        }
        let mut reader =
            Reader { rest: body, whole: bytes.len() - 4, rows, seen: vec![0; (rows as usize).div_ceil(8)] };
        let claimed = reader.number("the number of rows")?;
        if claimed != rows {
            return Err(corrupt(format_args!("it is of {claimed} rows, the block has {rows}")));
        }
        let count = reader.number("the number of labels")?;
        let mut labels: Vec<LabelIndex> = Vec::new();
        for _ in 0..count {
            let label = reader.label()?;
            if labels.last().is_some_and(|before| before.name >= label.name) {
                return Err(corrupt("its labels are not ascending"));
            }
            labels.push(label);
        }
        if !reader.rest.is_empty() {
            return Err(corrupt("bytes are left after the last label"));
        }
        let mut all = RoaringBitmap::new();
        all.insert_range(0..rows);
        Ok(SeriesIndex { bytes, all, labels })
    }

    /// The rows of the series that fulfil all matchers.
    pub fn select(&self, matchers: &[Matcher]) -> RoaringBitmap {
        select::select(&self.all, |name| self.label(name), matchers)
    }

    /// The names of the labels that a series of `among` has, ascending; of all series without `among`. For the label
    /// calls of the Prometheus API, which end at the index.
    pub fn label_names(&self, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.labels
            .iter()
            .filter(|label| among.is_none_or(|set| !label.present.is_disjoint(set)))
            .map(|label| label.name.to_string())
            .collect()
    }

    /// The values of a label that a series of `among` has, ascending; of all series without `among`. For the same calls.
    pub fn label_values(&self, name: &str, among: Option<&RoaringBitmap>) -> Vec<String> {
        self.label(name).map_or_else(Vec::new, |label| select::values(label, among))
    }

    /// Number of rows of the block.
    pub fn rows(&self) -> u32 {
        self.all.len() as u32
    }

    /// About how many bytes of memory this takes.
    pub fn memory_bytes(&self) -> u64 {
        let labels: usize = self
            .labels
            .iter()
            .map(|label| {
                size_of::<LabelIndex>()
                    + label.name.len()
                    + label.text.len()
                    + size_of_val(&*label.places)
                    + label.present.serialized_size()
            })
            .sum();
        (self.bytes.len() + labels + self.all.serialized_size()) as u64
    }

    /// The labels in ascending order of their names.
    pub(super) fn labels(&self) -> &[LabelIndex] {
        &self.labels
    }

    /// The runs of rows that have the value number `value` of a label.
    pub(super) fn runs(&self, label: &LabelIndex, value: usize) -> Runs<'_> {
        Runs::new(&self.bytes[label.places[value].1 as usize..])
    }

    fn label(&self, name: &str) -> Option<BlockLabel<'_>> {
        let at = self.labels.binary_search_by(|label| label.name.as_ref().cmp(name)).ok()?;
        Some(BlockLabel(&self.labels[at], &self.bytes))
    }
}

/// Takes head and checksum off: magic and version, what is between, the checksum.
fn frame(bytes: &[u8]) -> Result<(&[u8; 5], &[u8], u32), Error> {
    let short = || corrupt("it is shorter than its frame");
    let (head, rest) = bytes.split_first_chunk().ok_or_else(short)?;
    let (body, crc) = rest.split_last_chunk().ok_or_else(short)?;
    if u32::try_from(bytes.len()).is_err() {
        return Err(corrupt("it takes more than 4 GiB"));
    }
    Ok((head, body, u32::from_le_bytes(*crc)))
}

/// What is left to be read.
struct Reader<'a> {
    rest: &'a [u8],
    /// Where `rest` ends in the bytes of the index.
    whole: usize,
    rows: u32,
    /// A bit per row: whether it has the label at hand. Scratch space.
    seen: Vec<u8>,
}

impl<'a> Reader<'a> {
    fn number(&mut self, what: &str) -> Result<u32, Error> {
        take(&mut self.rest).ok_or_else(|| corrupt(format_args!("{what} is cut off or above 32 bits")))
    }

    fn text(&mut self, what: &str) -> Result<&'a str, Error> {
        let length = self.number(what)? as usize;
        let (text, rest) =
            self.rest.split_at_checked(length).ok_or_else(|| corrupt(format_args!("{what} is cut off")))?;
        self.rest = rest;
        std::str::from_utf8(text).map_err(|_| corrupt(format_args!("{what} is not UTF-8")))
    }

    fn label(&mut self) -> Result<LabelIndex, Error> {
        let name = self.text("the name of a label")?;
        let count = self.number("the number of values")?;
        if name.is_empty() || count == 0 {
            return Err(corrupt("a label has no name or no value"));
        }
        self.seen.fill(0);
        let (mut text, mut places) = (String::new(), Vec::new());
        let mut before = 0..0;
        for _ in 0..count {
            let start = text.len();
            let (&shared, rest) = self.rest.split_first().ok_or_else(|| corrupt("a value is cut off"))?;
            self.rest = rest;
            let front = before.start..before.start + usize::from(shared);
            if front.end > before.end || !text.is_char_boundary(front.end) {
                return Err(corrupt("a value shares more than the value before it has"));
            }
            text.extend_from_within(front);
            text.push_str(self.text("a value")?);
            if text[start..] <= text[before.clone()] {
                return Err(corrupt("the values of a label are not ascending"));
            }
            let end = u32::try_from(text.len()).map_err(|_| corrupt("a label has more than 4 GiB of values"))?;
            places.push((end, (self.whole - self.rest.len()) as u32));
            before = start..text.len();
            self.postings()?;
        }
        let mut present = RoaringBitmap::from_lsb0_bytes(0, &self.seen);
        present.optimize();
        Ok(LabelIndex { name: name.into(), text: text.into(), places: places.into(), present })
    }

    /// Walks over one set of rows: each below the number of rows, none with another value of the label.
    fn postings(&mut self) -> Result<(), Error> {
        let mut ahead = self.rest;
        if take_header(&mut ahead).is_none_or(|(_, entries)| entries == 0) {
            return Err(corrupt("a value belongs to no row"));
        }
        let mut runs = Runs::new(self.rest);
        for (first, last) in &mut runs {
            if last >= self.rows {
                return Err(corrupt("a row lies beyond the end of the block"));
            }
            for row in first..=last {
                let (byte, bit) = (row as usize / 8, 1 << (row % 8));
                if self.seen[byte] & bit != 0 {
                    return Err(corrupt("a row has two values of one label"));
                }
                self.seen[byte] |= bit;
            }
        }
        let (left, rest) = runs.rest();
        if left > 0 {
            return Err(corrupt("a set of rows is cut off"));
        }
        self.rest = rest;
        Ok(())
    }
}
