//! A text column whose rows come in runs: as an array for a query, and as a column chunk of Parquet.
//!
//! Name and cluster stand in every row of a table and change once in thousands. The Parquet library encodes them row by
//! row, each with a look-up in the dictionary and four comparisons for the statistics: that was more than half of the time
//! of a cut. Here a run costs as much as a row does there.
//!
//! Source: <https://parquet.apache.org/docs/file-format/data-pages/encodings/>, "Dictionary Encoding", "Run Length Encoding"

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use arrow::array::{ArrayRef, DictionaryArray, StringArray};
use arrow::datatypes::Int32Type;
use bytes::Bytes;
use model::Error;
use parquet::basic::{BoundaryOrder, Compression, Encoding, PageType, Type, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats};
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use crate::block::Layout;

/// What takes the least time; runs leave little to pack.
const ZSTD_LEVEL: i32 = 1;

/// Rows gathered so far, by runs.
#[derive(Debug, Default)]
pub(crate) struct Texts(VecDeque<(Arc<str>, usize)>);

impl Texts {
    /// Adds so many rows with this text.
    pub(crate) fn push(&mut self, value: &Arc<str>, rows: usize) {
        match self.0.back_mut() {
            Some((last, run)) if Arc::ptr_eq(last, value) || last == value => *run += rows,
            _ => self.0.push_back((value.clone(), rows)),
        }
    }

    /// The rows so far as a dictionary array; starts the next.
    pub(crate) fn take(&mut self) -> Result<ArrayRef, Error> {
        let mut keys = Vec::new();
        for (key, (_, rows)) in self.0.iter().enumerate() {
            keys.resize(keys.len() + rows, key as i32);
        }
        let values = StringArray::from_iter_values(std::mem::take(&mut self.0).into_iter().map(|(value, _)| value));
        let array = DictionaryArray::<Int32Type>::try_new(keys.into(), Arc::new(values))
            .map_err(|e| Error::internal("a text column does not fit its dictionary").with_source(e))?;
        Ok(Arc::new(array))
    }
}

/// The runs of one row group on their way into its column chunk: places in the dictionary, and how many rows.
#[derive(Debug, Default)]
pub(crate) struct TextChunk {
    values: Vec<Arc<str>>,
    places: HashMap<Arc<str>, u32>,
    runs: Vec<(u32, usize)>,
    text_bytes: usize,
}

impl TextChunk {
    /// Takes over the first `rows` rows.
    pub(crate) fn take_from(&mut self, texts: &mut Texts, mut rows: usize) {
        while let Some((value, run)) = texts.0.front_mut().filter(|_| rows > 0) {
            let taken = rows.min(*run);
            let place = match self.places.get(value) {
                Some(place) => *place,
                None => {
                    let place = self.values.len() as u32;
                    self.text_bytes += value.len();
                    self.values.push(value.clone());
                    self.places.insert(value.clone(), place);
                    place
                }
            };
            match self.runs.last_mut() {
                Some((last, run)) if *last == place => *run += taken,
                _ => self.runs.push((place, taken)),
            }
            rows -= taken;
            *run -= taken;
            if *run == 0 {
                texts.0.pop_front();
            }
        }
    }

    /// Bytes of the texts in the dictionary.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// The column chunk in pages, and what the footer says of it.
    pub(crate) fn close(self, column: ColumnDescPtr, layout: Layout) -> ParquetResult<(Bytes, ColumnCloseResult)> {
        let mut sink = TrackedWrite::new(Vec::new());
        let mut writer = SerializedPageWriter::new(&mut sink);
        let mut pages = vec![writer.write_page(self.dictionary()?)?];
        let (mut column_index, mut offset_index) =
            (ColumnIndexBuilder::new(Type::BYTE_ARRAY), OffsetIndexBuilder::new());
        let mut bounds: Vec<(&str, &str)> = Vec::new();
        for runs in pages_of(&self.runs, layout) {
            let rows: usize = runs.iter().map(|(_, rows)| rows).sum();
            let texts = || runs.iter().map(|(place, _)| &*self.values[*place as usize]);
            let (min, max) = (texts().min().unwrap_or_default(), texts().max().unwrap_or_default());
            let written = writer.write_page(self.data_page(&runs, rows)?)?;
            column_index.append(false, min.into(), max.into(), 0);
            offset_index.append_row_count(rows as i64);
            offset_index.append_offset_and_size(written.offset as i64, written.compressed_size as i32);
            offset_index.append_unencoded_byte_array_data_bytes(None);
            bounds.push((min, max));
            pages.push(written);
        }
        writer.close()?;
        let ascends = bounds.windows(2).all(|pair| pair[0].0 <= pair[1].0 && pair[0].1 <= pair[1].1);
        column_index.set_boundary_order(if ascends { BoundaryOrder::ASCENDING } else { BoundaryOrder::UNORDERED });
        let rows = self.runs.iter().map(|(_, rows)| *rows as u64).sum::<u64>();
        let min = bounds.iter().map(|(min, _)| *min).min().map(ByteArray::from);
        let max = bounds.iter().map(|(_, max)| *max).max().map(ByteArray::from);
        let bytes = pages.iter().map(|page| page.compressed_size).sum::<usize>();
        let unpacked = pages.iter().map(|page| page.uncompressed_size).sum::<usize>();
        let stats = |page_type, encoding, count| PageEncodingStats { page_type, encoding, count };
        let metadata = ColumnChunkMetaData::builder(column)
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE, Encoding::RLE_DICTIONARY])
            .set_page_encoding_stats(vec![
                stats(PageType::DICTIONARY_PAGE, Encoding::PLAIN, 1),
                stats(PageType::DATA_PAGE, Encoding::RLE_DICTIONARY, bounds.len() as i32),
            ])
            .set_num_values(rows as i64)
            .set_total_compressed_size(bytes as i64)
            .set_total_uncompressed_size(unpacked as i64)
            .set_dictionary_page_offset(Some(pages[0].offset as i64))
            .set_data_page_offset(pages.get(1).map_or(0, |page| page.offset as i64))
            .set_statistics(Statistics::byte_array(min, max, None, Some(0), false))
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: bytes as u64,
            rows_written: rows,
            metadata,
            bloom_filter: None,
            column_index: Some(column_index.build()?),
            offset_index: Some(offset_index.build()),
        };
        Ok((Bytes::from(sink.into_inner()?), close))
    }

    /// Each text with its length before it.
    fn dictionary(&self) -> ParquetResult<CompressedPage> {
        let mut buf = Vec::with_capacity(self.text_bytes + 4 * self.values.len());
        for value in &self.values {
            buf.extend_from_slice(&(value.len() as u32).to_le_bytes());
            buf.extend_from_slice(value.as_bytes());
        }
        let (num_values, encoding) = (self.values.len() as u32, Encoding::PLAIN);
        packed(&buf, |buf| Page::DictionaryPage { buf, num_values, encoding, is_sorted: false })
    }

    /// The width of a place in bits, then for each run twice its length as a varint and the place in whole bytes.
    fn data_page(&self, runs: &[(u32, usize)], rows: usize) -> ParquetResult<CompressedPage> {
        let width = u32::BITS - (self.values.len() as u32).saturating_sub(1).leading_zeros();
        let mut buf = vec![width as u8];
        for (place, rows) in runs {
            crate::codec::put_varint(&mut buf, (*rows as u64) << 1);
            buf.extend_from_slice(&place.to_le_bytes()[..width.div_ceil(8) as usize]);
        }
        packed(&buf, |buf| Page::DataPage {
            buf,
            num_values: rows as u32,
            encoding: Encoding::RLE_DICTIONARY,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        })
    }
}

fn packed(buf: &[u8], page: impl FnOnce(Bytes) -> Page) -> ParquetResult<CompressedPage> {
    let packed = zstd::bulk::compress(buf, ZSTD_LEVEL).map_err(|e| ParquetError::External(Box::new(e)))?;
    Ok(CompressedPage::new(page(packed.into()), buf.len()))
}

/// The runs of each page.
fn pages_of(runs: &[(u32, usize)], layout: Layout) -> Vec<Vec<(u32, usize)>> {
    let mut pages: Vec<Vec<(u32, usize)>> = Vec::new();
    let page_rows = layout.page_rows.max(1);
    let mut room = 0;
    for (place, rows) in runs {
        let mut left = *rows;
        if page_rows - room >= layout.run_rows {
            room = 0;
        }
        while left > 0 {
            if room == 0 {
                pages.push(Vec::new());
                room = page_rows;
            }
            let taken = left.min(room);
            if let Some(page) = pages.last_mut() {
                page.push((*place, taken));
            }
            left -= taken;
            room -= taken;
        }
    }
    pages
}

#[cfg(test)]
mod tests;
