//! Building: from the rows of a cut to staged blocks, sorted and synced on the local disk.

use std::collections::HashSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::files::{File, FilesRef};
use model::time::Date;
use model::{Error, ErrorKind, NativeHistogram};
use uuid::Uuid;

use super::plan::{Class, Window};
use crate::block::columnar::{self, Blocked};
use crate::block::{
    BlockMeta, ExemplarsWriter, HistogramsWriter, MetadataWriter, SamplesWriter, SeriesWriter, StartsWriter,
};
use crate::columnar::Chunk;
use crate::days::{DayKey, Days};
use crate::head::{CutRows, FrozenRun, PackedRun};
use crate::rows::{ExemplarRow, MetadataRow, StartRow};
use crate::series::{Series, SeriesInfo};
use crate::tables::Table;

/// A file in the staging folder that is to become a block.
#[derive(Debug, Clone)]
pub(crate) struct StagedFile {
    pub(crate) table: Table,
    pub(crate) date: Date,
    /// The window of the cut, or `None` for a late block.
    pub(crate) window_ms: Option<(i64, i64)>,
    pub(crate) meta: BlockMeta,
    /// Where it will be below the table's folder, under the name it has in the staging folder.
    pub(crate) object: String,
}

/// The blocks of a cut, and the series whose rows are among them.
#[derive(Debug, Default)]
pub(crate) struct Built {
    pub(crate) blocks: Vec<StagedFile>,
    pub(crate) new_days: BTreeMap<Date, HashSet<DayKey>>,
}

/// Writes the blocks of a cut into the staging folder. Blocking; `days` must know the dates of the cut.
///
/// # Errors
/// `Unavailable` if the disk fails: the files written so far are removed, now or at the next start.
pub(crate) fn build(cut: &CutRows, days: &Days, files: &FilesRef, folder: &Path) -> Result<Built, Error> {
    let (series_rows, built) = (BTreeMap::new(), Built::default());
    let mut builder = Builder { files, folder, days, series_rows, built, created: Vec::new() };
    let done = builder.all(cut);
    if done.is_err() {
        // The disk may be full; what cannot be removed either is removed at the next start.
        builder.created.iter().for_each(|path| drop(files.remove(path)));
    }
    done.map(|()| builder.built)
}

fn staging_failed(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot stage blocks in {}", path.display())).with_source(error)
}

struct Builder<'a> {
    files: &'a FilesRef,
    folder: &'a Path,
    days: &'a Days,
    series_rows: BTreeMap<Date, Vec<SeriesInfo>>,
    built: Built,
    created: Vec<PathBuf>,
}

/// A staged file that is being written.
struct Open {
    path: PathBuf,
    file: Arc<dyn File>,
}

/// Writes a block of rows that the head packs: series by series, each sorted by time.
trait RunWriter<V>: Sized {
    fn begin(sink: Sink) -> Result<Self, Error>;
    fn push(&mut self, series: &Series, rows: &[(i64, V)]) -> Result<(), Error>;
    fn finish(self) -> Result<BlockMeta, Error>;
}

impl RunWriter<u64> for SamplesWriter<Sink> {
    fn begin(sink: Sink) -> Result<Self, Error> {
        Self::new(sink)
    }

    fn push(&mut self, series: &Series, rows: &[(i64, u64)]) -> Result<(), Error> {
        self.push_series(&series.key, series.id, rows)
    }

    fn finish(self) -> Result<BlockMeta, Error> {
        self.finish()
    }
}

impl RunWriter<NativeHistogram> for HistogramsWriter<Sink> {
    fn begin(sink: Sink) -> Result<Self, Error> {
        Self::new(sink)
    }

    fn push(&mut self, series: &Series, rows: &[(i64, NativeHistogram)]) -> Result<(), Error> {
        self.push_series(&series.key, series.id, rows)
    }

    fn finish(self) -> Result<BlockMeta, Error> {
        self.finish()
    }
}

/// The files that a cut writes of a table, with their writers.
type OpenWriters<W> = BTreeMap<(Date, Class), (Open, W)>;

impl Builder<'_> {
    fn all(&mut self, cut: &CutRows) -> Result<(), Error> {
        self.runs::<_, SamplesWriter<Sink>>(cut, &cut.samples, Table::Samples)?;
        self.runs::<_, HistogramsWriter<Sink>>(cut, &cut.histograms, Table::Histograms)?;
        self.exemplars(cut)?;
        self.starts(cut)?;
        self.metadata(cut)?;
        self.columnar(&cut.logs)?;
        self.columnar(&cut.spans)?;
        self.series()?;
        self.files.sync_dir(self.folder).map_err(|e| staging_failed(self.folder, e))
    }

    /// Writes the samples or the native histograms of a cut.
    fn runs<R: PackedRun, W: RunWriter<R::Value>>(
        &mut self,
        cut: &CutRows,
        runs: &[FrozenRun<R>],
        table: Table,
    ) -> Result<(), Error> {
        let mut writers = OpenWriters::<W>::new();
        let mut rows = Vec::new();
        for FrozenRun { series, run } in in_table_order(runs) {
            run.read(&mut rows);
            // Mostly all of a series are of one day and class.
            let bounds = rows.first().zip(rows.last()).map(|(first, last)| (first.0, last.0));
            match bounds.and_then(|(min, max)| cut.window.uniform(min, max)) {
                Some((class, date)) => self.series_rows(&mut writers, (date, class), series, &rows)?,
                None => {
                    for (block, rows) in split(cut.window, rows.drain(..)) {
                        self.series_rows(&mut writers, block, series, &rows)?;
                    }
                }
            }
        }
        for ((date, class), (open, writer)) in writers {
            self.done(table, date, window_ms(cut, class), writer.finish()?, open)?;
        }
        Ok(())
    }

    /// Writes rows of one series, sorted by time, into their block.
    fn series_rows<V, W: RunWriter<V>>(
        &mut self,
        writers: &mut OpenWriters<W>,
        (date, class): (Date, Class),
        series: &Arc<Series>,
        rows: &[(i64, V)],
    ) -> Result<(), Error> {
        self.note_series(series, date, rows.first().map_or(0, |row| row.0));
        let (_, writer) = match writers.entry((date, class)) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(free) => {
                let (open, sink) = self.create()?;
                free.insert((open, W::begin(sink)?))
            }
        };
        writer.push(series, rows)
    }

    fn exemplars(&mut self, cut: &CutRows) -> Result<(), Error> {
        let mut exemplars = BTreeMap::<Date, Vec<&ExemplarRow>>::new();
        for row in &cut.extras.exemplars {
            self.note_series(&row.series, Date::of_ms(row.time_ms), row.time_ms);
            exemplars.entry(Date::of_ms(row.time_ms)).or_default().push(row);
        }
        for (date, mut rows) in exemplars {
            rows.sort_by(|a, b| a.series.table_order(&b.series).then(a.time_ms.cmp(&b.time_ms)));
            let (open, sink) = self.create()?;
            let mut writer = ExemplarsWriter::new(sink)?;
            for row in rows {
                writer.push(&row.series.key, row.series.id, row.time_ms, row.value, &row.labels)?;
            }
            let meta = writer.finish()?;
            self.done(Table::Exemplars, date, None, meta, open)?;
        }
        Ok(())
    }

    fn starts(&mut self, cut: &CutRows) -> Result<(), Error> {
        let mut starts = BTreeMap::<Date, Vec<&StartRow>>::new();
        for row in &cut.extras.starts {
            self.note_series(&row.series, Date::of_ms(row.time_ms), row.time_ms);
            starts.entry(Date::of_ms(row.time_ms)).or_default().push(row);
        }
        for (date, mut rows) in starts {
            rows.sort_by(|a, b| a.series.table_order(&b.series).then(a.time_ms.cmp(&b.time_ms)));
            let (open, sink) = self.create()?;
            let mut writer = StartsWriter::new(sink)?;
            for row in rows {
                writer.push(&row.series.key, row.series.id, row.time_ms, row.start_ms)?;
            }
            let meta = writer.finish()?;
            self.done(Table::Starts, date, None, meta, open)?;
        }
        Ok(())
    }

    fn metadata(&mut self, cut: &CutRows) -> Result<(), Error> {
        let mut metadata = BTreeMap::<Date, Vec<&MetadataRow>>::new();
        for row in &cut.extras.metadata {
            metadata.entry(Date::of_ms(row.time_ms)).or_default().push(row);
        }
        for (date, mut rows) in metadata {
            rows.sort_by(|a, b| (&a.family.name, &a.cluster).cmp(&(&b.family.name, &b.cluster)));
            let (open, sink) = self.create()?;
            let mut writer = MetadataWriter::new(sink)?;
            for row in rows {
                writer.push(&row.cluster, &row.family, row.time_ms)?;
            }
            let meta = writer.finish()?;
            self.done(Table::Metadata, date, None, meta, open)?;
        }
        Ok(())
    }

    /// Writes logs or spans.
    fn columnar<C: Blocked>(&mut self, chunks: &[Chunk<C>]) -> Result<(), Error> {
        for (date, rows) in columnar::sorted(chunks) {
            let (open, sink) = self.create()?;
            let meta = columnar::write(chunks, &rows, sink)?;
            self.done(C::TABLE, date, None, meta, open)?;
        }
        Ok(())
    }

    /// Notes that the day needs a row for the series, unless a block has one.
    fn note_series(&mut self, series: &Arc<Series>, date: Date, first_time_ms: i64) {
        let key = DayKey::of(&series.key, series.id);
        if self.days.contains(date, key) {
            return;
        }
        if self.built.new_days.entry(date).or_default().insert(key) {
            self.series_rows.entry(date).or_default().push(series.info(first_time_ms));
        }
    }

    fn series(&mut self) -> Result<(), Error> {
        for (date, mut rows) in std::mem::take(&mut self.series_rows) {
            rows.sort_by(SeriesInfo::table_order);
            let (open, sink) = self.create()?;
            let mut writer = SeriesWriter::new(sink)?;
            for row in &rows {
                writer.push(&row.key, row.id, row.kind, row.first_time_ms)?;
            }
            let meta = writer.finish()?;
            self.done(Table::Series, date, None, meta, open)?;
        }
        Ok(())
    }

    fn create(&mut self) -> Result<(Open, Sink), Error> {
        let path = self.folder.join(format!("{}.parquet", Uuid::new_v4().simple()));
        let file: Arc<dyn File> = self.files.create(&path).map_err(|e| staging_failed(&path, e))?.into();
        self.created.push(path.clone());
        Ok((Open { path, file: file.clone() }, Sink { file, offset: 0 }))
    }

    fn done(
        &mut self,
        table: Table,
        date: Date,
        window_ms: Option<(i64, i64)>,
        meta: BlockMeta,
        Open { path, file }: Open,
    ) -> Result<(), Error> {
        file.sync().map_err(|e| staging_failed(&path, e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let object = format!("date={date}/{name}");
        self.built.blocks.push(StagedFile { table, date, window_ms, meta, object });
        Ok(())
    }
}

/// These in the order of the tables. What is compared is gathered first: to look for it at each comparison takes longer.
fn in_table_order<R>(runs: &[FrozenRun<R>]) -> impl Iterator<Item = &FrozenRun<R>> {
    let mut sorted: Vec<_> = runs.iter().map(|run| (run.series.key.columns(run.series.id), run)).collect();
    sorted.sort_unstable_by_key(|(columns, _)| *columns);
    sorted.into_iter().map(|(_, run)| run)
}

/// The rows of one series, each with its time in milliseconds, by the block they go to.
fn split<V>(window: Window, rows: impl Iterator<Item = (i64, V)>) -> BTreeMap<(Date, Class), Vec<(i64, V)>> {
    let mut blocks = BTreeMap::<(Date, Class), Vec<(i64, V)>>::new();
    for row in rows {
        blocks.entry((Date::of_ms(row.0), window.class(row.0))).or_default().push(row);
    }
    blocks
}

/// The window of a block with rows of this class; a late one has none.
fn window_ms(cut: &CutRows, class: Class) -> Option<(i64, i64)> {
    (class == Class::Window).then_some((cut.window.start_ms, cut.window.end_ms))
}

/// Appends to a file of the file layer. The Parquet writer before it buffers.
#[derive(Debug)]
struct Sink {
    file: Arc<dyn File>,
    offset: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write_at(self.offset, bytes)?;
        self.offset += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
