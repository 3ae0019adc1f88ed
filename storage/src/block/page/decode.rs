//! Reading pages of a block of `samples` out of its file.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{Array, AsArray, Float64Array, Int8Array, Int64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int8Type, Int64Type, Schema};
use model::batch::STALE_NAN_BITS;
use model::{Error, ErrorKind};
use object_store::ObjectStore;
use parquet::DecodeResult;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, RowSelection, RowSelector};
use parquet::arrow::push_decoder::ParquetPushDecoderBuilder;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaData;

use super::{PageBuilder, PageRows, SamplePage, Unpacked};
use crate::block::{Block, mantissa};
use crate::tables::Table;

/// The columns that are read, in the order of the table.
const COLUMNS: [&str; 7] = ["name", "cluster", "series_id", "time_ms", "mantissa", "scale", "value"];
/// Rows that are decoded at a time.
const BATCH_ROWS: usize = 32 << 10;

/// Reads pages of a block of `samples`, which are given in their order.
///
/// # Errors
/// `Unavailable` if the object store does not give what it has, `Corrupt` if the block is damaged.
pub async fn read(
    store: &dyn ObjectStore,
    block: &Block,
    footer: &Arc<ParquetMetaData>,
    pages: &[PageRows],
) -> Result<Vec<SamplePage>, Error> {
    let damaged = |error: ParquetError| {
        let what = format!("block {} of {} is damaged", block.path, Table::Samples.name());
        Error::new(ErrorKind::Corrupt, what).with_source(error)
    };
    let (metadata, mask) = columns(footer).map_err(damaged)?;
    let (groups, selection) = selection(footer, pages);
    let mut decoder = ParquetPushDecoderBuilder::new_with_metadata(metadata)
        .with_projection(mask)
        .with_row_groups(groups)
        .with_row_selection(selection)
        .with_batch_size(BATCH_ROWS)
        .build()
        .map_err(damaged)?;
    let location = Table::Samples.location(&block.path);
    let mut made = Pages::new(pages);
    loop {
        match decoder.try_decode().map_err(damaged)? {
            DecodeResult::NeedsData(ranges) => {
                let parts = store.get_ranges(&location, &ranges).await.map_err(|e| {
                    Error::new(ErrorKind::Unavailable, format!("cannot read {location}")).with_source(e)
                })?;
                decoder.push_ranges(ranges, parts).map_err(damaged)?;
            }
            DecodeResult::Data(batch) => made.add(&Columns::new(&batch).map_err(damaged)?),
            DecodeResult::Finished => return made.finish().map_err(damaged),
        }
    }
}

/// The file's metadata such that texts are read as views, and the columns to read.
fn columns(footer: &Arc<ParquetMetaData>) -> Result<(ArrowReaderMetadata, ProjectionMask), ParquetError> {
    let plain = ArrowReaderMetadata::try_new(footer.clone(), ArrowReaderOptions::new())?;
    let as_view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 | DataType::LargeUtf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        _ => field.clone(),
    };
    let schema = Schema::new(plain.schema().fields().iter().map(as_view).collect::<Vec<_>>());
    let place = |name: &&str| {
        let place = schema.index_of(name);
        place.map_err(|_| ParquetError::General(format!("there is no column {name}")))
    };
    let roots = COLUMNS.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let mask = ProjectionMask::roots(footer.file_metadata().schema_descr(), roots);
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    Ok((ArrowReaderMetadata::try_new(footer.clone(), options)?, mask))
}

/// The row groups of some pages, and their rows among all of these.
fn selection(footer: &ParquetMetaData, pages: &[PageRows]) -> (Vec<usize>, RowSelection) {
    let (mut groups, mut selectors) = (Vec::new(), Vec::new());
    for of_group in pages.chunk_by(|a, b| a.group == b.group) {
        let group = of_group[0].group;
        let mut at = 0;
        for Range { start, end } in of_group.iter().map(|page| page.rows.clone()) {
            selectors.extend([RowSelector::skip(start - at), RowSelector::select(end - start)]);
            at = end;
        }
        let rows = usize::try_from(footer.row_group(group).num_rows()).unwrap_or(0);
        selectors.push(RowSelector::skip(rows.saturating_sub(at)));
        groups.push(group);
    }
    selectors.retain(|selector| selector.row_count > 0);
    (groups, RowSelection::from(selectors))
}

/// Rows of a file.
struct Columns {
    names: StringViewArray,
    clusters: StringViewArray,
    ids: Int64Array,
    times_ms: Int64Array,
    mantissas: Int64Array,
    scales: Int8Array,
    values: Float64Array,
}

impl Columns {
    fn new(batch: &RecordBatch) -> Result<Self, ParquetError> {
        // A file that another engine has written may have them in another order.
        let column = |name: &str| {
            batch.column_by_name(name).ok_or_else(|| ParquetError::General(format!("there is no column {name}")))
        };
        let foreign = |name: &str| ParquetError::General(format!("the column {name} has another type"));
        let text = |name| column(name)?.as_string_view_opt().cloned().ok_or_else(|| foreign(name));
        let long = |name| column(name)?.as_primitive_opt::<Int64Type>().cloned().ok_or_else(|| foreign(name));
        let scales = column("scale")?.as_primitive_opt::<Int8Type>().cloned();
        let values = column("value")?.as_primitive_opt::<Float64Type>().cloned();
        Ok(Columns {
            names: text("name")?,
            clusters: text("cluster")?,
            ids: long("series_id")?,
            times_ms: long("time_ms")?,
            mantissas: long("mantissa")?,
            scales: scales.ok_or_else(|| foreign("scale"))?,
            values: values.ok_or_else(|| foreign("value"))?,
        })
    }

    /// The end of the run that begins at a row, at most `end`.
    fn run(&self, start: usize, end: usize) -> usize {
        let (names, clusters, ids) = (self.names.views(), self.clusters.views(), self.ids.values());
        let of_id = ids[start..end].iter().take_while(|id| **id == ids[start]).count();
        // Equal views are equal texts; unequal views may be equal texts too, which only ends the run early.
        let same = |row: &usize| names[*row] == names[start] && clusters[*row] == clusters[start];
        let last = start + of_id - 1;
        // Rows are sorted: if those of one id begin and end with the same name and cluster, all in between have them too.
        if same(&last) { last + 1 } else { (start..last).take_while(same).last().map_or(start, |row| row) + 1 }
    }

    /// Adds the rows, which are of one series, to a page.
    fn add(&self, rows: Range<usize>, page: &mut PageBuilder, scratch: &mut Vec<f64>) {
        let first = rows.start;
        let key = (self.names.value(first), self.clusters.value(first), self.ids.value(first));
        let times_ms = &self.times_ms.values()[rows.clone()];
        let scales = &self.scales.values()[rows.clone()];
        let has =
            |column: &dyn Array| column.nulls().is_none_or(|nulls| nulls.slice(first, rows.len()).null_count() == 0);
        let is_scaled = has(&self.mantissas) && has(&self.scales) && scales.iter().all(|scale| *scale == scales[0]);
        // What has a value is that value.
        if is_scaled
            && self.values.nulls().is_some_and(|nulls| nulls.slice(first, rows.len()).null_count() == rows.len())
        {
            return page.push(key, times_ms, Unpacked::Scaled(&self.mantissas.values()[rows], scales[0]));
        }
        if has(&self.values) {
            return page.push(key, times_ms, Unpacked::Doubles(&self.values.values()[rows]));
        }
        scratch.clear();
        scratch.extend(rows.map(|row| self.value(row)));
        page.push(key, times_ms, Unpacked::Doubles(scratch));
    }

    /// The value of a row; one without a value is a staleness marker.
    fn value(&self, row: usize) -> f64 {
        if self.values.is_valid(row) {
            self.values.value(row)
        } else if self.mantissas.is_valid(row) {
            mantissa::value(self.mantissas.value(row), self.scales.value(row)).unwrap_or(f64::NAN)
        } else {
            f64::from_bits(STALE_NAN_BITS)
        }
    }
}

/// Pages on the way.
struct Pages<'a> {
    wanted: std::slice::Iter<'a, PageRows>,
    /// The page that is being filled, and the rows that it lacks.
    page: PageBuilder,
    missing: usize,
    made: Vec<SamplePage>,
    scratch: Vec<f64>,
}

impl<'a> Pages<'a> {
    fn new(pages: &'a [PageRows]) -> Self {
        let mut wanted = pages.iter();
        let missing = wanted.next().map_or(0, |page| page.rows.len());
        let made = Vec::with_capacity(pages.len());
        Pages { wanted, page: PageBuilder::default(), missing, made, scratch: Vec::new() }
    }

    fn add(&mut self, rows: &Columns) {
        let (mut at, end) = (0, rows.ids.len());
        while at < end {
            let of_page = end.min(at + self.missing);
            self.missing -= of_page - at;
            while at < of_page {
                let run = rows.run(at, of_page);
                rows.add(at..run, &mut self.page, &mut self.scratch);
                at = run;
            }
            if self.missing == 0 {
                self.made.push(self.page.take());
                let Some(next) = self.wanted.next() else { return };
                self.missing = next.rows.len();
            }
        }
    }

    fn finish(self) -> Result<Vec<SamplePage>, ParquetError> {
        match self.missing {
            0 => Ok(self.made),
            rows => Err(ParquetError::General(format!("{rows} rows are missing"))),
        }
    }
}
