//! Opening: place, tables, journal, replay, writer, in this order.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use journal::{Journal, Position};
use model::files::create_dirs;
use model::{Error, ErrorKind};
use object_store::ObjectStore;
use object_store::prefix::PrefixStore;
use parking_lot::{Mutex, RwLock};
use tokio::sync::Notify;
use url::Url;

use super::{Inner, Parts};
use crate::catalog::Catalog;
use crate::config::Config;
use crate::cut::build;
use crate::cut::cutter::{Cutter, Reason};
use crate::days::Days;
use crate::delta::DeltaTable;
use crate::durable::DurableLocal;
use crate::head::Head;
use crate::record::{RecordReader, Summary};
use crate::rows::Rows;
use crate::series::RawCache;
use crate::tables::Table;
use crate::view::View;
use crate::writer::{FreezeSlot, StoreGroup};

/// What to do with a journal that is damaged before its tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnDamage {
    /// Refuse to open, and say where the damage is.
    #[default]
    Stop,
    /// Replay every record that still decodes, make it safe in blocks, move the damaged files aside and say what is lost.
    SetAside,
}

/// Where a store is.
struct Place {
    object_store: Arc<dyn ObjectStore>,
    url: Url,
    local: PathBuf,
}

pub(super) async fn open(config: Config, parts: Parts, on_damage: OnDamage) -> Result<Inner, Error> {
    let place = place(&config, &parts).await?;
    let staged = place.local.join("staged");
    create_dirs(&*parts.files, &staged).map_err(|e| unreachable_folder(&staged, e))?;
    build::clear(&*parts.files, &staged)?;

    let begin_ms = parts.clock.now_ms();
    let mut tables = Vec::new();
    for table in Table::ALL {
        tables.push(DeltaTable::open(place.object_store.clone(), &place.url, table, parts.clock.clone()).await?);
    }
    tracing::info!(milliseconds = parts.clock.now_ms() - begin_ms, "tables open");

    let (journal, head) = replay(&config, &parts, &place, &tables, on_damage).await?;
    let damaged = !journal.damage().is_empty();
    let journal_uuid = journal.uuid();
    let freeze = FreezeSlot::default();
    let group = StoreGroup::new(head.clone(), freeze.clone());
    let view = View { cut: 0, live: tables.iter().map(DeltaTable::live).collect() };
    let inner = Inner {
        catalog: Catalog::new(config.cache_bytes),
        writer: Arc::new(journal::Writer::start(journal, group)?),
        config,
        files: parts.files,
        clock: parts.clock,
        head,
        journal_uuid,
        freeze,
        view: RwLock::new(Arc::new(view)),
        object_store: place.object_store,
        staged,
        cutter: tokio::sync::Mutex::new(Cutter::new(tables, Days::default(), journal_uuid)),
        raw: RawCache::default(),
        metadata: Mutex::new(HashMap::new()),
        closed: AtomicBool::new(false),
        pressure: Notify::new(),
    };
    if damaged {
        // The rows that could be read must be safe in blocks before the files that hold them go.
        inner.cutter.lock().await.cut(&inner, Reason::Drain).await?;
        inner.writer.set_aside()?;
    }
    Ok(inner)
}

async fn place(config: &Config, parts: &Parts) -> Result<Place, Error> {
    let url = config.url.trim_end_matches('/');
    let folder = match Url::parse(url) {
        Ok(url) if url.scheme() == "file" => {
            Some(url.to_file_path().map_err(|()| Error::invalid(format!("storage.url {url} is not a folder")))?)
        }
        Ok(parsed) if url.contains("://") => {
            let (object_store, root) = object_store::parse_url_opts(&parsed, std::env::vars()).map_err(|e| {
                Error::invalid(format!("storage.url {url} is not a folder or a bucket this program can use"))
                    .with_source(e)
            })?;
            let local = PathBuf::from(config.local_dir.as_deref().unwrap_or("data/local"));
            let object_store = Arc::new(PrefixStore::new(object_store, root));
            return Ok(Place { object_store, url: parsed, local });
        }
        _ => None,
    };
    let folder = folder.unwrap_or_else(|| PathBuf::from(url));
    let folder = std::path::absolute(&folder).map_err(|e| unreachable_folder(&folder, e))?;
    create_dirs(&*parts.files, &folder).map_err(|e| unreachable_folder(&folder, e))?;
    let url = Url::from_directory_path(&folder)
        .map_err(|()| Error::invalid(format!("storage.url {} is not a folder", folder.display())))?;
    let local = config.local_dir.as_ref().map_or_else(|| folder.join("local"), PathBuf::from);
    let (files, root) = (parts.files.clone(), folder.clone());
    let opened = tokio::task::spawn_blocking(move || DurableLocal::open(files, root)).await;
    let opened = opened.map_err(|e| Error::internal("opening the folder panicked").with_source(e))?;
    let object_store = Arc::new(opened.map_err(|e| unreachable_folder(&folder, e))?);
    Ok(Place { object_store, url, local })
}

fn unreachable_folder(path: &std::path::Path, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Unavailable, format!("cannot use the folder {}", path.display())).with_source(error)
}

/// Opens the journal and puts into a new head every row that is in no block.
async fn replay(
    config: &Config,
    parts: &Parts,
    place: &Place,
    tables: &[DeltaTable],
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
    let committed = Committed::of(tables, journal.uuid());
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

/// Up to which position the rows of each table are in blocks.
struct Committed {
    samples: Position,
    exemplars: Position,
    metadata: Position,
}

impl Committed {
    fn of(tables: &[DeltaTable], journal: uuid::Uuid) -> Self {
        let of = |table: Table| {
            let delta = tables.iter().zip(Table::ALL).find(|(_, of)| *of == table);
            Position(delta.and_then(|(delta, _)| delta.position(journal)).map_or(0, |position| position as u64))
        };
        Committed { samples: of(Table::Samples), exemplars: of(Table::Exemplars), metadata: of(Table::Metadata) }
    }

    /// The journal must reach at least as far as the tables say it did, or new records would be taken for old ones.
    fn check(&self, journal: &Journal, local: &std::path::Path) -> Result<(), Error> {
        let (next, committed) = (journal.next(), self.samples.max(self.exemplars).max(self.metadata));
        if next >= committed {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Corrupt,
            format!(
                "the journal in {} ends at record {next}, but the tables hold its rows up to record {committed}: its \
                 newest segments are missing; restore them, or move the folder away to begin a new journal",
                local.join("journal").display()
            ),
        ))
    }

    /// Takes out the rows that a record at `position` holds in vain.
    fn retain(&self, position: Position, rows: &mut Rows) {
        if position < self.samples {
            rows.samples.clear();
        }
        if position < self.exemplars {
            rows.exemplars.clear();
        }
        if position < self.metadata {
            rows.metadata.clear();
        }
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
    let mut lost = Summary::default();
    let mut lose = |tag: &[u8]| {
        for (cluster, (rows, time_ms)) in Summary::read(tag).clusters {
            lost.add(&cluster, rows, time_ms);
        }
    };
    let (mut records, mut samples) = (0u64, 0u64);
    // A generation is read from its beginning even if its first rows are in blocks: definitions come before rows.
    journal.replay(Position(0), &mut |record| match reader.read(record.generation, record.payload, &mut &**head) {
        Ok((origin, mut rows)) => {
            committed.retain(record.sequence, &mut rows);
            records += 1;
            samples += rows.samples.len() as u64;
            head.apply(rows, origin);
            Ok(())
        }
        Err(_) if on_damage == OnDamage::SetAside => {
            lose(record.tag);
            Ok(())
        }
        Err(error) => Err(journal::Error::from(
            error.context(format!("record {} of generation {}", record.sequence, record.generation)),
        )),
    })?;
    for damage in journal.damage() {
        tracing::error!(%damage, "the journal is damaged");
        damage.tags.iter().for_each(|(_, tag)| lose(tag));
    }
    for (cluster, (rows, time_ms)) in &lost.clusters {
        let (from_ms, to_ms) = (time_ms.start(), time_ms.end());
        tracing::error!(cluster, rows, from_ms, to_ms, "rows are lost");
    }
    Ok((records, samples))
}
