//! A record of the journal: the rows of one batch, with the definition of each series the generation does not know yet.
//!
//! Owns: the bytes of a record's payload and tag. Byte-exact description: `docs/formats/record.md`.
//! Does not own: where records are kept and when they are safe (`journal`).
//!
//! Short ids count the series of a generation from 0, so a generation needs no other to be read, and a definition is
//! written once a generation. The payload is LZ4-compressed as one block.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use model::batch::{Kind, Metadata, Sample};
use model::{Error, Labels, Logs, SeriesKey, Spans};

use crate::codec::{
    Reader, TimeDecoder, TimeEncoder, ValueDecoder, ValueEncoder, damaged, put_bytes, put_signed, put_varint,
};
use crate::columnar::{Carry, read_carry, read_rows};
use crate::histogram::{HistogramDecoder, HistogramEncoder};
use crate::rows::{ExemplarRow, HistogramRow, MetadataRow, Rows, StartRow};
use crate::series::Series;

/// The version of the payload, its first byte.
const VERSION: u8 = 1;
/// The version of a payload that has native histograms or starts behind all that version 1 has.
const VERSION_WITH_HISTOGRAMS: u8 = 2;
/// The version of a payload of log rows.
pub(crate) const VERSION_OF_LOGS: u8 = 3;
/// The version of a payload of spans.
pub(crate) const VERSION_OF_SPANS: u8 = 4;
/// A tag holds at most this many bytes; the first cluster that does not fit and all after it are left out.
const TAG_BYTES: usize = 255;
/// No record is larger than this when unpacked: what claims to be more is damaged.
const MAX_UNPACKED_BYTES: usize = 1 << 30;
/// LZ4 makes at most so many bytes of one.
const MAX_LZ4_RATIO: usize = 255;
/// A longer run of short ids whose definitions were lost is taken for damage itself: it would only cost memory.
const MAX_LOST_DEFINITIONS: usize = 1 << 22;

/// How rows came into the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// By a batch. Of two rows with the same series and time the later one counts.
    Written,
    /// By a cut that left them behind. They never replace a row that is there already.
    Carried,
}

/// Writes records of one journal. Knows which series the current generation has defined.
#[derive(Debug, Default)]
pub(crate) struct RecordWriter {
    generation: u64,
    next_short: u64,
    plain: Vec<u8>,
    /// The short ids of the series of the rows being written.
    shorts: Vec<u64>,
}

impl RecordWriter {
    /// Appends the payload of `rows` to `payload` and what a reader of damage wants to know to `tag`.
    pub(crate) fn write(
        &mut self,
        rows: &Rows,
        origin: Origin,
        generation: u64,
        tag: &mut Vec<u8>,
        payload: &mut Vec<u8>,
    ) {
        if generation != self.generation {
            (self.generation, self.next_short) = (generation, 0);
        }
        self.plain.clear();
        self.write_definitions(rows);
        self.write_samples(rows);
        self.write_exemplars(rows);
        self.write_metadata(rows);
        let is_longer = !rows.histograms.is_empty() || !rows.starts.is_empty();
        if is_longer {
            self.write_histograms(rows);
            self.write_starts(rows);
        }
        payload.push(if is_longer { VERSION_WITH_HISTOGRAMS } else { VERSION });
        payload.push(u8::from(origin == Origin::Carried));
        pack(&self.plain, payload);
        Summary::of(rows).write(tag);
    }

    fn write_definitions(&mut self, rows: &Rows) {
        let (first, generation) = (self.next_short, self.generation);
        let mut unknown = Vec::new();
        let mut define = |series: &Arc<Series>| {
            series.short_id(generation).unwrap_or_else(|| {
                let short = self.next_short;
                series.define(generation, short);
                self.next_short += 1;
                unknown.push(series.clone());
                short
            })
        };
        self.shorts.clear();
        for stretch in rows.series.stretches() {
            stretch.shorts(generation, &mut self.shorts, &mut define);
        }
        let others = rows.exemplars.iter().map(|row| &row.series);
        let others = others.chain(rows.histograms.iter().map(|row| &row.series));
        let others = others.chain(rows.starts.iter().map(|row| &row.series));
        for series in others {
            define(series);
        }
        put_varint(&mut self.plain, unknown.len() as u64);
        put_varint(&mut self.plain, first);
        for series in unknown {
            self.plain.push(series.kind() as u8);
            put_bytes(&mut self.plain, series.key.name.as_bytes());
            put_bytes(&mut self.plain, series.key.cluster.as_bytes());
            put_bytes(&mut self.plain, series.key.labels.as_bytes());
        }
    }

    fn write_samples(&mut self, rows: &Rows) {
        put_varint(&mut self.plain, rows.samples.len() as u64);
        let mut previous = 0;
        for sample in &rows.samples {
            let short = self.shorts[sample.series as usize] as i64;
            put_signed(&mut self.plain, short.wrapping_sub(previous));
            previous = short;
        }
        let mut times = TimeEncoder::default();
        for sample in &rows.samples {
            times.put(&mut self.plain, sample.time_ms);
        }
        let mut values = ValueEncoder::default();
        for sample in &rows.samples {
            values.put(&mut self.plain, sample.value.to_bits());
        }
    }

    fn write_exemplars(&mut self, rows: &Rows) {
        put_varint(&mut self.plain, rows.exemplars.len() as u64);
        for row in &rows.exemplars {
            let short = self.short(&row.series);
            put_signed(&mut self.plain, short);
            put_signed(&mut self.plain, row.time_ms);
            self.plain.extend_from_slice(&row.value.to_bits().to_le_bytes());
            put_varint(&mut self.plain, row.labels.len() as u64);
            for (name, value) in &row.labels {
                put_bytes(&mut self.plain, name.as_bytes());
                put_bytes(&mut self.plain, value.as_bytes());
            }
        }
    }

    fn write_metadata(&mut self, rows: &Rows) {
        put_varint(&mut self.plain, rows.metadata.len() as u64);
        for row in &rows.metadata {
            self.plain.push(row.family.kind as u8);
            for text in [row.family.name.as_str(), &row.cluster, &row.family.unit, &row.family.help] {
                put_bytes(&mut self.plain, text.as_bytes());
            }
            put_signed(&mut self.plain, row.time_ms);
        }
    }

    fn write_histograms(&mut self, rows: &Rows) {
        put_varint(&mut self.plain, rows.histograms.len() as u64);
        let (mut previous, mut times, mut values) = (0, TimeEncoder::default(), HistogramEncoder::default());
        for row in &rows.histograms {
            let short = self.short(&row.series);
            put_signed(&mut self.plain, short.wrapping_sub(previous));
            previous = short;
            times.put(&mut self.plain, row.time_ms);
            values.put(&mut self.plain, &row.value);
        }
    }

    fn write_starts(&mut self, rows: &Rows) {
        put_varint(&mut self.plain, rows.starts.len() as u64);
        let (mut previous, mut times, mut starts) = (0, TimeEncoder::default(), TimeEncoder::default());
        for row in &rows.starts {
            let short = self.short(&row.series);
            put_signed(&mut self.plain, short.wrapping_sub(previous));
            previous = short;
            times.put(&mut self.plain, row.time_ms);
            starts.put(&mut self.plain, row.start_ms);
        }
    }

    fn short(&self, series: &Series) -> i64 {
        series.short_id(self.generation).unwrap_or_default() as i64
    }
}

/// Appends the length of what a record holds, and that compressed.
pub(crate) fn pack(plain: &[u8], payload: &mut Vec<u8>) {
    payload.extend_from_slice(&(plain.len() as u32).to_le_bytes());
    let start = payload.len();
    payload.resize(start + lz4_flex::block::get_maximum_output_size(plain.len()), 0);
    // The target is as large as the library asks for, so it cannot be too small.
    let written = lz4_flex::block::compress_into(plain, &mut payload[start..]).unwrap_or(0);
    payload.truncate(start + written);
}

/// What a record of the journal holds.
#[derive(Debug)]
pub(crate) enum Recorded {
    /// Rows of series, and how they came in.
    Metrics(Origin, Rows),
    /// Log rows; which part of which cut's, if they were carried.
    Logs(Arc<Logs>, Option<Carry>),
    /// Spans.
    Spans(Arc<Spans>, Option<Carry>),
}

/// Finds or makes a series while records are read.
pub(crate) trait Intern {
    /// The series with this key.
    fn intern(&mut self, key: SeriesKey, kind: Kind) -> Result<Arc<Series>, Error>;
}

/// Reads the records of a journal in order.
#[derive(Debug, Default)]
pub(crate) struct RecordReader {
    generation: Option<u64>,
    /// The series of the generation by short id; `None` where the record with the definition was lost.
    series: Vec<Option<Arc<Series>>>,
    plain: Vec<u8>,
    /// Where the series of a short id is in the rows being read, `u32::MAX` if it is not; scratch space.
    places: Vec<u32>,
    /// The short ids that have a place.
    placed: Vec<usize>,
}

impl RecordReader {
    /// What one record holds.
    ///
    /// # Errors
    /// `Corrupt` if the payload is not one of ours, or uses a series whose definition was lost.
    pub(crate) fn read(
        &mut self,
        generation: u64,
        payload: &[u8],
        interner: &mut dyn Intern,
    ) -> Result<Recorded, Error> {
        if self.generation != Some(generation) {
            self.generation = Some(generation);
            self.series.clear();
            self.places.clear();
            self.placed.clear();
        }
        let mut reader = Reader::new(payload);
        let version = reader.byte()?;
        if !(VERSION..=VERSION_OF_SPANS).contains(&version) {
            let text = format!("version {version}, this program reads versions up to {VERSION_OF_SPANS}");
            return Err(damaged(&text));
        }
        let origin = match reader.byte()? {
            0 => Origin::Written,
            1 => Origin::Carried,
            other => return Err(damaged(&format!("unknown origin {other}"))),
        };
        let is_carried = origin == Origin::Carried && version >= VERSION_OF_LOGS;
        let carry = is_carried.then(|| read_carry(&mut reader)).transpose()?;
        self.unpack(reader)?;
        match version {
            VERSION_OF_LOGS => return Ok(Recorded::Logs(read_rows(&self.plain)?, carry)),
            VERSION_OF_SPANS => return Ok(Recorded::Spans(read_rows(&self.plain)?, carry)),
            _ => {}
        }
        let plain = std::mem::take(&mut self.plain);
        let rows = self.read_rows(version, &mut Reader::new(&plain), interner);
        self.plain = plain;
        Ok(Recorded::Metrics(origin, rows?))
    }

    fn unpack(&mut self, mut reader: Reader<'_>) -> Result<(), Error> {
        let mut len = [0; 4];
        len.copy_from_slice(reader.bytes(4)?);
        let len = u32::from_le_bytes(len) as usize;
        let packed = reader.bytes(reader.left())?;
        if len > MAX_UNPACKED_BYTES.min(packed.len().saturating_mul(MAX_LZ4_RATIO)) {
            return Err(damaged("it claims to be larger than it can be"));
        }
        self.plain.resize(len, 0);
        match lz4_flex::block::decompress_into(packed, &mut self.plain) {
            Ok(got) if got == len => Ok(()),
            _ => Err(damaged("it does not unpack")),
        }
    }

    fn read_rows(&mut self, version: u8, reader: &mut Reader<'_>, interner: &mut dyn Intern) -> Result<Rows, Error> {
        self.read_definitions(reader, interner)?;
        let mut rows = Rows::default();
        self.read_samples(reader, &mut rows)?;
        for _ in 0..reader.count()? {
            let row = self.read_exemplar(reader)?;
            rows.exemplars.push(row);
        }
        for _ in 0..reader.count()? {
            let kind = Kind::from_u8(reader.byte()?).ok_or_else(|| damaged("an unknown kind"))?;
            let (name, cluster) = (reader.text()?.to_owned(), Arc::from(reader.text()?));
            let (unit, help) = (reader.text()?.to_owned(), reader.text()?.to_owned());
            rows.metadata.push(MetadataRow {
                cluster,
                family: Metadata { name, kind, unit, help },
                time_ms: reader.signed()?,
            });
        }
        if version == VERSION_WITH_HISTOGRAMS {
            self.read_histograms(reader, &mut rows)?;
            self.read_starts(reader, &mut rows)?;
        }
        Ok(rows)
    }

    fn read_histograms(&self, reader: &mut Reader<'_>, rows: &mut Rows) -> Result<(), Error> {
        let (mut short, mut times, mut values) = (0i64, TimeDecoder::default(), HistogramDecoder::default());
        for _ in 0..reader.count()? {
            short = short.wrapping_add(reader.signed()?);
            let (series, time_ms) = (self.defined(short)?, times.take(reader)?);
            rows.histograms.push(HistogramRow { series, time_ms, value: values.take(reader)? });
        }
        Ok(())
    }

    fn read_starts(&self, reader: &mut Reader<'_>, rows: &mut Rows) -> Result<(), Error> {
        let (mut short, mut times, mut starts) = (0i64, TimeDecoder::default(), TimeDecoder::default());
        for _ in 0..reader.count()? {
            short = short.wrapping_add(reader.signed()?);
            let (series, time_ms) = (self.defined(short)?, times.take(reader)?);
            rows.starts.push(StartRow { series, time_ms, start_ms: starts.take(reader)? });
        }
        Ok(())
    }

    fn read_definitions(&mut self, reader: &mut Reader<'_>, interner: &mut dyn Intern) -> Result<(), Error> {
        let count = reader.count()?;
        let first = usize::try_from(reader.varint()?).map_err(|_| damaged("an impossible short id"))?;
        if first < self.series.len() || first > self.series.len() + MAX_LOST_DEFINITIONS {
            return Err(damaged("short ids out of order"));
        }
        // A gap means that records with definitions were lost to damage.
        self.series.resize(first, None);
        for _ in 0..count {
            let kind = Kind::from_u8(reader.byte()?).ok_or_else(|| damaged("an unknown kind"))?;
            let (name, cluster) = (Arc::from(reader.text()?), Arc::from(reader.text()?));
            let labels = Labels::from_bytes(reader.sized()?)?;
            self.series.push(Some(interner.intern(SeriesKey { name, cluster, labels }, kind)?));
        }
        Ok(())
    }

    fn read_samples(&mut self, reader: &mut Reader<'_>, rows: &mut Rows) -> Result<(), Error> {
        let count = reader.count()?;
        rows.samples.reserve(count);
        let mut series = Vec::new();
        // Only what the record before has used is cleared: a generation may have far more series than a record.
        for short in self.placed.drain(..) {
            self.places[short] = u32::MAX;
        }
        self.places.resize(self.series.len(), u32::MAX);
        let mut short = 0i64;
        for _ in 0..count {
            short = short.wrapping_add(reader.signed()?);
            let known = usize::try_from(short).ok().and_then(|short| self.places.get(short).copied());
            let place = match known {
                Some(place) if place != u32::MAX => place,
                _ => {
                    series.push(self.defined(short)?);
                    let place = series.len() as u32 - 1;
                    self.places[short as usize] = place;
                    self.placed.push(short as usize);
                    place
                }
            };
            rows.samples.push(Sample { series: place, time_ms: 0, value: 0.0 });
        }
        rows.series = series.into_iter().collect();
        let mut times = TimeDecoder::default();
        for sample in &mut rows.samples {
            sample.time_ms = times.take(reader)?;
        }
        let mut values = ValueDecoder::default();
        for sample in &mut rows.samples {
            sample.value = f64::from_bits(values.take(reader)?);
        }
        Ok(())
    }

    fn read_exemplar(&self, reader: &mut Reader<'_>) -> Result<ExemplarRow, Error> {
        let series = self.defined(reader.signed()?)?;
        let time_ms = reader.signed()?;
        let mut bits = [0; 8];
        bits.copy_from_slice(reader.bytes(8)?);
        let mut labels = Vec::new();
        for _ in 0..reader.count()? {
            labels.push((reader.text()?.to_owned(), reader.text()?.to_owned()));
        }
        Ok(ExemplarRow { series, time_ms, value: f64::from_bits(u64::from_le_bytes(bits)), labels })
    }

    fn defined(&self, short: i64) -> Result<Arc<Series>, Error> {
        let series = usize::try_from(short).ok().and_then(|short| self.series.get(short)?.clone());
        series.ok_or_else(|| damaged(&format!("the definition of series {short} of the generation is lost")))
    }
}

/// What a record holds by cluster: rows, and the range of their times. It is the record's tag, which has a checksum of
/// its own, so that damage to the rows can still be named.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Summary {
    /// Rows and the range of their times in milliseconds, by cluster.
    pub(crate) clusters: BTreeMap<String, (u64, RangeInclusive<i64>)>,
}

impl Summary {
    fn of(rows: &Rows) -> Self {
        let mut summary = Summary::default();
        for (stretch, _, samples) in rows.series.by_stretch(&rows.samples) {
            let times = samples.iter().map(|sample| sample.time_ms);
            if let (Some(min), Some(max)) = (times.clone().min(), times.max()) {
                summary.add(stretch.cluster(), samples.len() as u64, min..=max);
            }
        }
        for row in &rows.exemplars {
            summary.add(&row.series.key.cluster, 1, row.time_ms..=row.time_ms);
        }
        for row in &rows.histograms {
            summary.add(&row.series.key.cluster, 1, row.time_ms..=row.time_ms);
        }
        for row in &rows.starts {
            summary.add(&row.series.key.cluster, 1, row.time_ms..=row.time_ms);
        }
        for row in &rows.metadata {
            summary.add(&row.cluster, 1, row.time_ms..=row.time_ms);
        }
        summary
    }

    /// Adds rows of a cluster.
    pub(crate) fn add(&mut self, cluster: &str, rows: u64, time_ms: RangeInclusive<i64>) {
        if let Some((count, range)) = self.clusters.get_mut(cluster) {
            *count = count.saturating_add(rows);
            *range = *range.start().min(time_ms.start())..=*range.end().max(time_ms.end());
        } else {
            self.clusters.insert(cluster.to_owned(), (rows, time_ms));
        }
    }

    /// Writes the tag, as many clusters as it has room for.
    pub(crate) fn write(&self, tag: &mut Vec<u8>) {
        for (cluster, (rows, time_ms)) in &self.clusters {
            let before = tag.len();
            put_bytes(tag, cluster.as_bytes());
            put_varint(tag, *rows);
            put_signed(tag, *time_ms.start());
            put_signed(tag, *time_ms.end());
            if tag.len() > TAG_BYTES {
                tag.truncate(before);
                return;
            }
        }
    }

    /// Reads the tag of a record; what does not decode is left out.
    pub(crate) fn read(tag: &[u8]) -> Self {
        let mut summary = Summary::default();
        let mut reader = Reader::new(tag);
        while reader.left() > 0 {
            let mut entry = || -> Result<(), Error> {
                let (cluster, rows) = (reader.text()?, reader.varint()?);
                let (start, end) = (reader.signed()?, reader.signed()?);
                summary.add(cluster, rows, start..=end);
                Ok(())
            };
            if entry().is_err() {
                break;
            }
        }
        summary
    }
}

#[cfg(test)]
mod tests;
