//! Opening: place, tables, journal, replay, writer, in this order.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use journal::{Journal, Position};
use model::{Error, ErrorKind};
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;

use super::loss::Loss;
use super::place::{Place, unreachable_folder};
use super::{Inner, Parts, Stretches};
use crate::block_cache::BlockCache;
use crate::columnar::Carry;
use crate::config::Config;
use crate::cut::cutter::{Cutter, Reason};
use crate::cut::staged::{self, StagedCut};
use crate::delta::DeltaTable;
use crate::head::Head;
use crate::record::{RecordReader, Recorded};
use crate::rows::Rows;
use crate::series::RawCache;
use crate::staging::Staging;
use crate::tables::Table;
use crate::writer::{FreezeSlot, StoreGroup, Trouble};

/// What to do with a journal that is damaged before its tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDamage {
    /// Refuse to open, and say where the damage is.
    #[default]
    Stop,
    /// Replay every record that still decodes, make it safe in blocks, move the damaged files aside and say what is lost.
    SetAside,
}

pub(super) async fn open(config: Config, parts: Parts, on_damage: OnDamage) -> Result<Inner, Error> {
    let place = Place::find(&config, &parts).await?;
    let staging = Arc::new(staging(&parts, &place).await?);
    let begin_ms = parts.clock.now_ms();
    let mut tables = Vec::new();
    for table in Table::ALL {
        tables.push(DeltaTable::open(place.object_store.clone(), &place.url, table, parts.clock.clone()).await?);
    }
    tracing::info!(milliseconds = parts.clock.now_ms() - begin_ms, "tables open");

    let staged = staged::adopt(&staging, &tables, on_damage).await?;
    let (journal, head) = replay(&config, &parts, &place, (&tables, &staged), on_damage).await?;
    let of_tables = Table::ALL.into_iter().zip(&tables).map(|(table, state)| (table, state.last_samples()));
    for (table, told) in of_tables.chain(staged.iter().flat_map(StagedCut::last_samples)) {
        match table {
            Table::Logs | Table::Spans => head.knows(told),
            _ => head.saw(told),
        }
    }
    let damaged = !journal.damage().is_empty();
    let journal_uuid = journal.uuid();
    let freeze = FreezeSlot::default();
    let trouble = Trouble::default();
    let group = StoreGroup::new(head.clone(), freeze.clone(), trouble.clone(), parts.clock.clone());
    let (cutter, view) = Cutter::new(tables, staged, journal_uuid);
    let inner = Inner {
        block_cache: BlockCache::new(staging.clone(), config.cache_bytes),
        writer: Arc::new(journal::Writer::start(journal, group)?),
        config,
        files: parts.files,
        clock: parts.clock,
        head,
        journal_uuid,
        freeze,
        trouble,
        view: RwLock::new(Arc::new(view)),
        object_store: staging.clone(),
        staging,
        cutter: tokio::sync::Mutex::new(cutter),
        raw: RawCache::default(),
        stretches: Stretches::default(),
        metadata: Mutex::new(HashMap::new()),
        rounds: Mutex::default(),
        closed: AtomicBool::new(false),
        cut_failures: AtomicU64::new(0),
        disk: super::admit::Disk::default(),
        _lock: place.lock,
        pressure: Notify::new(),
        fullness: Notify::new(),
    };
    if damaged {
        // The rows that could be read must be safe in blocks before the files that hold them go.
        inner.cutter.lock().await.cut(&inner, Reason::Drain).await?;
        inner.writer.set_aside()?;
    }
    Ok(inner)
}

async fn staging(parts: &Parts, place: &Place) -> Result<Staging, Error> {
    let (bucket, files, path) = (place.object_store.clone(), parts.files.clone(), place.local.join("staged"));
    let at = path.clone();
    let opened = tokio::task::spawn_blocking(move || Staging::open(bucket, files, path)).await;
    let opened = opened.map_err(|e| Error::internal("opening the staging folder panicked").with_source(e))?;
    opened.map_err(|e| unreachable_folder(&at, e))
}

/// Opens the journal and puts into a new head every row that is in no block.
async fn replay(
    config: &Config,
    parts: &Parts,
    place: &Place,
    blocks: (&[DeltaTable], &VecDeque<StagedCut>),
    on_damage: OnDamage,
) -> Result<(Journal, Arc<Head>), Error> {
    let mut journal_config = journal::Config::new(place.local.join("journal"));
    journal_config.max_bytes = config.journal_bytes;
    // Segments count with the length they were made with, so a small budget needs small ones.
    journal_config.segment_bytes = (config.journal_bytes / 64).clamp(64 << 10, 64 << 20);
    let (files, clock, begin_ms) = (parts.files.clone(), parts.clock.clone(), parts.clock.now_ms());
    let mode = match on_damage {
        OnDamage::Stop => journal::OnDamage::Stop,
        OnDamage::SetAside => journal::OnDamage::SetAside,
    };
    let opened = tokio::task::spawn_blocking(move || Journal::open(files, journal_config, mode)).await;
    let journal = opened.map_err(|e| Error::internal("opening the journal panicked").with_source(e))??;
    tracing::info!(milliseconds = clock.now_ms() - begin_ms, "journal open");
    let committed = Committed::of(blocks, journal.uuid());
    committed.check(&journal, &place.local)?;
    let replayed = tokio::task::spawn_blocking(move || {
        let begin_ms = clock.now_ms();
        let head = Arc::new(Head::new(std::thread::available_parallelism().map_or(2, usize::from)));
        let (records, samples) = replay_into(&head, &journal, &committed, on_damage)?;
        tracing::info!(milliseconds = clock.now_ms() - begin_ms, records, samples, "journal replayed");
        Ok((journal, head))
    });
    replayed.await.map_err(|e| Error::internal("replay panicked").with_source(e))?
}

/// Up to which position the rows of each table are in blocks, committed or staged; in the order of [`Table::ALL`].
struct Committed([Position; Table::ALL.len()]);

impl Committed {
    fn of((tables, staged): (&[DeltaTable], &VecDeque<StagedCut>), journal: uuid::Uuid) -> Self {
        let of = |table: Table| {
            let committed = tables[table.place()].position(journal).map(|position| position as u64);
            let staged = staged.iter().filter_map(|cut| cut.position(table, journal)).max();
            staged.unwrap_or(Position(0)).max(Position(committed.unwrap_or(0)))
        };
        Committed(Table::ALL.map(of))
    }

    /// The positions of the tables whose rows the journal holds; the rows of `series` follow from theirs.
    fn journaled(&self) -> impl Iterator<Item = Position> {
        Table::ALL.into_iter().filter(|table| *table != Table::Series).map(|table| self.0[table.place()])
    }

    /// The journal must reach at least as far as the tables say it did, or new records would be taken for old ones.
    fn check(&self, journal: &Journal, local: &std::path::Path) -> Result<(), Error> {
        let (next, committed) = (journal.next(), self.journaled().max().unwrap_or(Position(0)));
        if next >= committed {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the journal in {} ends at record {next}, but blocks hold its rows up to record {committed}: its \
                 newest segments are missing; restore them, or move the folder away to begin a new journal",
                local.join("journal").display()
            ),
        ))
    }

    /// Takes out the rows that a record at `position` holds in vain.
    fn retain(&self, position: Position, rows: &mut Rows) {
        for table in Table::ALL.into_iter().filter(|table| position < self.0[table.place()]) {
            match table {
                Table::Series => {}
                Table::Samples => rows.samples.clear(),
                Table::Histograms => rows.histograms.clear(),
                Table::Starts => rows.starts.clear(),
                Table::Exemplars => rows.exemplars.clear(),
                Table::Metadata => rows.metadata.clear(),
                // They have records of their own.
                Table::Logs | Table::Spans => {}
            }
        }
    }

    /// Whether a record of logs or spans at `position` has to be applied. `seen` are the carried ones so far.
    fn wants(
        &self,
        table: Table,
        position: Position,
        carry: Option<Carry>,
        seen: &mut BTreeSet<(Table, Carry)>,
    ) -> bool {
        let committed = self.0[table.place()];
        // As long as the cut that carried rows is in no block, their originals are in the journal.
        let is_valid = |carry: Carry| carry.cut <= committed.0 && seen.insert((table, carry));
        position >= committed && carry.is_none_or(is_valid)
    }
}

/// Returns how many records and samples there were to replay.
fn replay_into(
    head: &Arc<Head>,
    journal: &Journal,
    committed: &Committed,
    on_damage: OnDamage,
) -> Result<(u64, u64), Error> {
    let mut reader = RecordReader::default();
    let mut loss = Loss::new(committed.journaled().min().unwrap_or(Position(0)));
    let (mut records, mut samples) = (0u64, 0u64);
    let mut carried = BTreeSet::new();
    // A generation is read from its beginning even if its first rows are in blocks: definitions come before rows.
    journal.replay(Position(0), &mut |record| match reader.read(record.generation, record.payload, &mut &**head) {
        Ok(recorded) => {
            records += 1;
            match recorded {
                Recorded::Metrics(origin, mut rows) => {
                    committed.retain(record.sequence, &mut rows);
                    samples += rows.samples.len() as u64;
                    head.apply(rows, origin);
                }
                Recorded::Logs(logs, carry) => {
                    if committed.wants(Table::Logs, record.sequence, carry, &mut carried) {
                        head.admit_clusters(&*logs, None);
                        head.apply_logs(logs);
                    }
                }
                Recorded::Spans(spans, carry) => {
                    if committed.wants(Table::Spans, record.sequence, carry, &mut carried) {
                        head.admit_clusters(&*spans, None);
                        head.apply_spans(spans);
                    }
                }
            }
            Ok(())
        }
        Err(_) if on_damage == OnDamage::SetAside => {
            loss.record(record.sequence, record.tag);
            Ok(())
        }
        Err(error) => Err(journal::Error::from(
            error.context(format!("record {} of generation {}", record.sequence, record.generation)),
        )),
    })?;
    journal.damage().iter().for_each(|damage| loss.damage(damage));
    loss.tell();
    Ok((records, samples))
}
