//! A staged cut: its blocks are durable on the local disk, and on their way into their tables, hours later if need be.
//!
//! Owns: the order of upload, commit and removal, and going on where it stopped: within a process, and in the next.
//! Does not own: how blocks are built (`build`), when it is tried (`cutter`).
//!
//! The manifest is written after the blocks and removed before them. So what a manifest names is there, and a file that
//! none names is of no use. Its commits carry the journal's position, by which the next process sees which were made.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use journal::Position;
use model::{Error, ErrorKind};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt, PutPayload, WriteMultipart};
use uuid::Uuid;

use super::manifest::Manifest;
use crate::block::{Block, LastSamples};
use crate::delta::{Change, DeltaTable};
use crate::staging::Staging;
use crate::store::{GRACE, Inner, OnDamage};
use crate::tables::Table;

/// Staged blocks have this generation plus the number of their cut until their commit gives them one: above every
/// version of a table, below the rows in memory.
const STAGED_GENERATION: i64 = i64::MAX / 4;
/// A block larger than this is uploaded in parts, so that memory does not grow with blocks.
const PART_BYTES: usize = 8 << 20;
/// The folder in the staging folder to which the remains of a damaged one are moved.
const ASIDE: &str = "set-aside";
/// So many parts are on their way at once.
const PARTS: usize = 4;

/// A cut whose blocks are staged and not yet all in their tables.
#[derive(Debug)]
pub(crate) struct StagedCut {
    number: u64,
    journal: Uuid,
    position: Position,
    /// The commits still to be made, in their order, with their blocks as queries see them until then. One that failed
    /// is tried again as it was: only so can it be recognised if it came through after all.
    commits: VecDeque<(Table, Change, Vec<Arc<Block>>)>,
    /// When each block was uploaded, in milliseconds.
    uploaded: HashMap<String, i64>,
    /// The files of this cut in the staging folder, the manifest first, and the objects that blocks become.
    files: Vec<String>,
    objects: Vec<Path>,
}

impl StagedCut {
    /// Makes the staged files of a cut a whole that outlives the process. The files themselves must be durable.
    ///
    /// # Errors
    /// `Unavailable` if the disk fails; it may be tried again.
    pub(crate) async fn seal(staging: &Staging, number: u64, manifest: Manifest) -> Result<Self, Error> {
        let bytes = manifest.encode()?;
        let name = Path::from(manifest.name.as_str());
        staging.folder().put(&name, PutPayload::from(bytes)).await.map_err(|e| {
            let message = format!("cannot write the manifest {name} in {}", staging.path().display());
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        })?;
        Ok(Self::of(staging, number, manifest))
    }

    fn of(staging: &Staging, number: u64, manifest: Manifest) -> Self {
        let (mut files, mut objects) = (vec![manifest.name], Vec::new());
        let mut commits = VecDeque::new();
        for (table, change) in manifest.changes {
            let mut blocks = Vec::new();
            for add in &change.adds {
                let generation = STAGED_GENERATION + number as i64;
                blocks.push(Arc::new(Block { gen_min: generation, gen_max: generation, ..add.block.clone() }));
                let (object, file) = (table.location(&add.block.path), file_of(&add.block));
                staging.insert(object.clone(), Path::from(file.as_str()));
                files.push(file);
                objects.push(object);
            }
            commits.push_back((table, change, blocks));
        }
        let (journal, position) = (manifest.journal, manifest.position);
        StagedCut { number, journal, position, commits, uploaded: HashMap::new(), files, objects }
    }

    /// The cut's number.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// How far the journal's rows of a table are in this cut, if it has any of the table.
    pub(crate) fn position(&self, table: Table, journal: Uuid) -> Option<Position> {
        let has = self.journal == journal && self.commits.iter().any(|(of, ..)| *of == table);
        has.then_some(self.position)
    }

    /// What the blocks of each table tell of the newest sample of each cluster.
    pub(crate) fn last_samples(&self) -> impl Iterator<Item = (Table, &LastSamples)> {
        self.commits.iter().flat_map(|(table, change, _)| change.adds.iter().map(|add| (*table, &add.last_samples)))
    }

    /// The blocks of tables that have not yet got them by a commit.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = (Table, &Arc<Block>)> {
        self.commits.iter().flat_map(|(table, _, blocks)| blocks.iter().map(|block| (*table, block)))
    }

    /// Uploads and commits what is left to be. After an error it may be called again.
    ///
    /// # Errors
    /// `Unavailable` if the bucket is away, `Conflict` if another writer's commit is in the way.
    pub(crate) async fn deliver(&mut self, inner: &Inner, tables: &mut [DeltaTable]) -> Result<(), Error> {
        let blocks: Vec<_> = self.blocks().map(|(table, block)| (table, block.clone())).collect();
        for (table, block) in blocks {
            let now_ms = inner.clock.now_ms();
            // Another node deletes what it has long seen to be in no version, so an old upload is made again.
            let fresh = |at: &i64| now_ms.abs_diff(*at) < GRACE.as_millis() as u64 / 2;
            if !self.uploaded.get(&block.path).is_some_and(fresh) {
                upload(&inner.staging, table, &block).await?;
                self.uploaded.insert(block.path.clone(), now_ms);
            }
        }
        while let Some((table, change, _)) = self.commits.front() {
            tables[table.place()].commit(change).await?;
            self.commits.pop_front();
        }
        Ok(())
    }

    /// Removes the staged files, which nobody needs after the commits: readers find the objects in the bucket.
    pub(crate) async fn clear(self, inner: &Inner) {
        self.objects.iter().for_each(|object| inner.staging.remove(object));
        let staging = inner.staging.clone();
        if tokio::task::spawn_blocking(move || staging.clear(&self.files)).await.is_err() {
            tracing::warn!("removing staged files panicked");
        }
    }
}

/// The name of a block's file in the staging folder.
fn file_of(block: &Block) -> String {
    block.path.rsplit('/').next().unwrap_or_default().to_owned()
}

async fn upload(staging: &Staging, table: Table, block: &Block) -> Result<(), Error> {
    let (file, target) = (Path::from(file_of(block)), table.location(&block.path));
    let cannot_upload = |e: object_store::Error| {
        Error::new(ErrorKind::Unavailable, format!("cannot upload a block to {target}")).with_source(e)
    };
    let part = |from: u64| from..(from + PART_BYTES as u64).min(block.size_bytes);
    if block.size_bytes <= PART_BYTES as u64 {
        let bytes = read(staging, &file, part(0)).await?;
        staging.bucket().put(&target, PutPayload::from(bytes)).await.map_err(cannot_upload)?;
        return Ok(());
    }
    let parts = staging.bucket().put_multipart(&target).await.map_err(cannot_upload)?;
    let mut parts = WriteMultipart::new_with_chunk_size(parts, PART_BYTES);
    let mut at = 0;
    while at < block.size_bytes {
        let bytes = match read(staging, &file, part(at)).await {
            Ok(bytes) => bytes,
            Err(error) => {
                // The parts that are there already are of no use. If that fails too, the bucket's own rules remove them.
                let _ = parts.abort().await;
                return Err(error);
            }
        };
        at += bytes.len() as u64;
        if let Err(error) = parts.wait_for_capacity(PARTS).await {
            let _ = parts.abort().await;
            return Err(cannot_upload(error));
        }
        parts.put(bytes);
    }
    parts.finish().await.map(drop).map_err(cannot_upload)
}

async fn read(staging: &Staging, file: &Path, range: std::ops::Range<u64>) -> Result<Bytes, Error> {
    staging.folder().get_range(file, range).await.map_err(|e| {
        let message = format!("cannot read the staged block {file} in {}", staging.path().display());
        Error::new(ErrorKind::Unavailable, message).with_source(e)
    })
}

/// Takes over the cuts that an earlier process has staged, numbered from 1 on, and removes all other files of the
/// staging folder.
///
/// # Errors
/// `Corrupt` if a manifest or a file that one names is damaged or missing: with [`OnDamage::SetAside`] what is missing
/// is left out and told instead. `Unavailable` if the folder cannot be read.
pub(crate) async fn adopt(
    staging: &Staging,
    tables: &[DeltaTable],
    on_damage: OnDamage,
) -> Result<VecDeque<StagedCut>, Error> {
    let listed = staging.folder().list_with_delimiter(None).await.map_err(|e| {
        let message = format!("cannot read the staging folder {}", staging.path().display());
        Error::new(ErrorKind::Unavailable, message).with_source(e)
    })?;
    let sizes: HashMap<String, u64> = listed.objects.iter().map(|o| (o.location.to_string(), o.size)).collect();
    let mut whole = true;
    let mut manifests = Vec::new();
    for name in sizes.keys().filter(|name| Manifest::is_name(name)) {
        let size = sizes.get(name).copied().unwrap_or_default();
        let bytes = read(staging, &Path::from(name.as_str()), 0..size).await?;
        match Manifest::decode(name, &bytes) {
            Ok(manifest) => manifests.push(manifest),
            Err(error) => {
                damaged(staging, on_damage, error.context(format!("the manifest {name}")))?;
                whole = false;
            }
        }
    }
    manifests.sort_by_key(|manifest| (manifest.journal, manifest.position));
    let mut cuts = VecDeque::new();
    for mut manifest in manifests {
        manifest.changes.retain(|(table, _)| !is_committed(tables, *table, manifest.journal, manifest.position));
        for (table, change) in &mut manifest.changes {
            let (there, missing): (Vec<_>, Vec<_>) = std::mem::take(&mut change.adds)
                .into_iter()
                .partition(|add| sizes.get(&file_of(&add.block)) == Some(&add.block.size_bytes));
            change.adds = there;
            for add in missing {
                let (file, block) = (file_of(&add.block), &add.block);
                let what = format!(
                    "the staged block {file} is missing or has another length; it holds {} rows of {} between \
                     {} and {} ms that are in no table yet",
                    block.rows,
                    table.name(),
                    block.min_time_ms,
                    block.max_time_ms
                );
                damaged(staging, on_damage, Error::new(ErrorKind::Corrupt, what))?;
                whole = false;
            }
        }
        if !manifest.changes.is_empty() {
            cuts.push_back(StagedCut::of(staging, cuts.len() as u64 + 1, manifest));
        }
    }
    remove_others(staging, sizes.into_keys().collect(), &cuts, whole).await?;
    Ok(cuts)
}

fn is_committed(tables: &[DeltaTable], table: Table, journal: Uuid, position: Position) -> bool {
    tables[table.place()].position(journal).is_some_and(|there| there as u64 >= position.0)
}

fn damaged(staging: &Staging, on_damage: OnDamage, error: Error) -> Result<(), Error> {
    match on_damage {
        OnDamage::Stop => Err(error.context(format!("the staging folder {} is damaged", staging.path().display()))),
        OnDamage::SetAside => {
            tracing::error!(%error, "rows are lost");
            Ok(())
        }
    }
}

/// Removes the files that no cut needs, manifests before the blocks they name; of a damaged folder it moves them aside.
async fn remove_others(
    staging: &Staging,
    mut names: Vec<String>,
    cuts: &VecDeque<StagedCut>,
    whole: bool,
) -> Result<(), Error> {
    let needed: HashSet<&String> = cuts.iter().flat_map(|cut| &cut.files).collect();
    names.retain(|name| !needed.contains(name));
    names.sort_by_key(|name| !Manifest::is_name(name));
    for name in names {
        let file = Path::from(name.as_str());
        let done = match whole {
            true => staging.folder().delete(&file).await,
            false => staging.folder().rename(&file, &Path::from(ASIDE).join(name.as_str())).await,
        };
        done.map_err(|e| {
            let message = format!("cannot remove {name} from {}", staging.path().display());
            Error::new(ErrorKind::Unavailable, message).with_source(e)
        })?;
    }
    Ok(())
}
