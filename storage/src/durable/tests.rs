use std::collections::BTreeMap;

use futures::TryStreamExt;
use model::files::faulty::{Fault, Faulty, Op};
use model::files::sim::{Fate, SimDisk};
use model::files::{Disk, Files as _, read};
use object_store::{GetRange, ObjectStoreExt};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Path {
    Path::from(text)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().build().unwrap()
}

async fn names(store: &DurableLocal, prefix: Option<&str>) -> Vec<String> {
    let listed: Vec<_> = store.list(prefix.map(at).as_ref()).try_collect().await.unwrap();
    listed.into_iter().map(|meta| format!("{}:{}", meta.location, meta.size)).collect()
}

async fn content(store: &DurableLocal, name: &str) -> Bytes {
    store.get(&at(name)).await.unwrap().bytes().await.unwrap()
}

/// What every object store does, on any file layer.
async fn behaves_like_an_object_store(store: DurableLocal) {
    assert!(names(&store, None).await.is_empty());
    store.put(&at("t/_delta_log/0.json"), "one".into()).await.unwrap();
    store.put(&at("t/date=1/b"), "three".into()).await.unwrap();
    store.put(&at("t/date=1-a"), "four".into()).await.unwrap();
    store.put(&at("t/_delta_log/0.json"), "two!".into()).await.unwrap();
    assert_eq!(content(&store, "t/_delta_log/0.json").await, "two!");

    let taken = store.put_opts(&at("t/date=1/b"), "x".into(), PutMode::Create.into()).await.unwrap_err();
    assert!(matches!(taken, Error::AlreadyExists { .. }), "{taken}");
    store.put_opts(&at("t/new"), "".into(), PutMode::Create.into()).await.unwrap();
    assert_eq!(content(&store, "t/new").await, "");

    let all = ["t/_delta_log/0.json:4", "t/date=1-a:4", "t/date=1/b:5", "t/new:0"];
    assert_eq!(names(&store, None).await, all);
    assert_eq!(names(&store, Some("t/date=1")).await, ["t/date=1/b:5"], "a prefix is whole parts of the name");
    assert!(names(&store, Some("t/date=1/b")).await.is_empty());
    assert!(names(&store, Some("gone")).await.is_empty());
    let flat = store.list_with_delimiter(Some(&at("t"))).await.unwrap();
    assert_eq!(flat.common_prefixes, [at("t/_delta_log"), at("t/date=1")]);
    assert_eq!(flat.objects.iter().map(|o| o.location.as_ref()).collect::<Vec<_>>(), ["t/date=1-a", "t/new"]);
    let after: Vec<_> = store.list_with_offset(None, &at("t/date=1-a")).try_collect().await.unwrap();
    assert_eq!(after.len(), 2);

    reads_ranges(&store).await;
    moves_and_copies(&store).await;

    for gone in ["t/gone", "gone/too", "t/new/below-a-file", "t"] {
        let missing = store.get(&at(gone)).await.unwrap_err();
        assert!(matches!(missing, Error::NotFound { .. }), "{gone}: {missing}");
    }
    store.delete(&at("t/new")).await.unwrap();
    store.delete(&at("t/new")).await.unwrap();
    assert!(store.head(&at("t/new")).await.is_err());
}

async fn reads_ranges(store: &DurableLocal) {
    let long: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
    store.put(&at("long"), long.clone().into()).await.unwrap();
    assert_eq!(content(store, "long").await, long);
    assert_eq!(store.get_range(&at("long"), 5..9).await.unwrap(), long[5..9]);
    assert_eq!(store.get_range(&at("long"), 100_000..300_000).await.unwrap(), long[100_000..]);
    let suffix = GetOptions { range: Some(GetRange::Suffix(3)), ..GetOptions::default() };
    assert_eq!(store.get_opts(&at("long"), suffix).await.unwrap().bytes().await.unwrap(), long[199_997..]);
    assert!(store.get_range(&at("long"), 200_000..200_001).await.is_err());
    let several = [7..8, 5..9, 100_000..190_000, 3..3];
    let parts = store.get_ranges(&at("long"), &several).await.unwrap();
    for (part, range) in parts.iter().zip(several) {
        assert_eq!(part, &long[range.start as usize..range.end as usize]);
    }
    assert!(store.get_ranges(&at("long"), &[0..1, 199_999..200_001]).await.is_err());
    assert!(matches!(store.get_ranges(&at("none"), &[0..1, 2..3]).await, Err(Error::NotFound { .. })));
    assert_eq!(store.head(&at("long")).await.unwrap().size, 200_000);
    store.delete(&at("long")).await.unwrap();
}

async fn moves_and_copies(store: &DurableLocal) {
    store.copy(&at("t/date=1/b"), &at("c/one")).await.unwrap();
    store.copy(&at("c/one"), &at("c/one")).await.unwrap();
    store.rename(&at("c/one"), &at("t/date=1/b")).await.unwrap();
    assert_eq!(content(store, "t/date=1/b").await, "three");
    assert!(names(store, Some("c")).await.is_empty(), "a rename onto a copy of itself removes the source");
    store.copy(&at("t/date=1/b"), &at("c/one")).await.unwrap();
    store.put(&at("t/date=1/b"), "changed".into()).await.unwrap();
    assert_eq!(content(store, "c/one").await, "three", "a copy does not change with its source");
    let taken = store.copy_if_not_exists(&at("c/one"), &at("t/new")).await.unwrap_err();
    assert!(matches!(taken, Error::AlreadyExists { .. }), "{taken}");
    let taken = store.rename_if_not_exists(&at("c/one"), &at("t/new")).await.unwrap_err();
    assert!(matches!(taken, Error::AlreadyExists { .. }), "{taken}");
    store.rename_if_not_exists(&at("c/one"), &at("d/one")).await.unwrap();
    assert_eq!(names(store, Some("d")).await, ["d/one:5"]);
    store.rename(&at("d/one"), &at("d/two")).await.unwrap();
    store.delete(&at("d/two")).await.unwrap();
    let missing = store.copy(&at("c/one"), &at("c/two")).await.unwrap_err();
    assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
}

#[tokio::test]
async fn the_real_and_the_simulated_disk_are_object_stores() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("made/on/the/way");
    behaves_like_an_object_store(DurableLocal::open(Arc::new(Disk), &root).unwrap()).await;
    behaves_like_an_object_store(DurableLocal::open(Arc::new(SimDisk::new()), "/data").unwrap()).await;
}

#[tokio::test]
async fn parts_of_an_upload_lie_in_the_order_they_were_given() {
    let disk = SimDisk::new();
    let store = DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
    let mut upload = store.put_multipart(&at("a/b")).await.unwrap();
    let (first, second) = (upload.put_part("first ".into()), upload.put_part("second".into()));
    second.await.unwrap();
    assert!(upload.complete().await.is_err(), "a part is missing");
    first.await.unwrap();
    assert!(names(&store, None).await.is_empty(), "an unfinished object cannot be seen");
    upload.complete().await.unwrap();
    disk.power_cut(|| Fate::Lost);
    assert_eq!(content(&store, "a/b").await, "first second");

    let mut aborted = store.put_multipart(&at("a/c")).await.unwrap();
    aborted.put_part("x".into()).await.unwrap();
    aborted.abort().await.unwrap();
    assert!(aborted.complete().await.is_err());
    drop(store.put_multipart(&at("a/d")).await.unwrap());
    assert_eq!(disk.list(FilePath::new("/data/a")).unwrap().len(), 1);
}

#[tokio::test]
async fn opening_removes_what_was_left_unfinished() {
    let disk = SimDisk::new();
    let store = DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
    store.put(&at("a/b"), "kept".into()).await.unwrap();
    disk.create(FilePath::new("/data/a/.tmp-left")).unwrap();
    assert_eq!(names(&store, None).await, ["a/b:4"]);
    assert!(store.list_with_delimiter(Some(&at("a"))).await.unwrap().objects.len() == 1);
    DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
    assert_eq!(disk.list(FilePath::new("/data/a")).unwrap().len(), 1);
}

#[tokio::test]
async fn opening_makes_safe_what_a_killed_process_left_visible() {
    let disk = SimDisk::new();
    // As a process leaves it that is killed between the link and the sync of the directory.
    disk.create_dir(FilePath::new("/data")).unwrap();
    let file = disk.create(FilePath::new("/data/commit")).unwrap();
    file.write_all_at(0, b"whole").unwrap();
    file.sync().unwrap();
    disk.kill();
    let store = DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
    assert_eq!(content(&store, "commit").await, "whole");
    disk.power_cut(|| Fate::Lost);
    assert_eq!(content(&store, "commit").await, "whole", "what was read once must not vanish");
}

#[tokio::test]
async fn names_stay_inside_the_folder() {
    let disk = SimDisk::new();
    disk.create(FilePath::new("/secret")).unwrap();
    let store = DurableLocal::open(Arc::new(disk), "/data").unwrap();
    assert!(Path::parse("../secret").is_err());
    assert!(store.get(&Path::from("../secret")).await.is_err());
    assert!(store.put(&at("a/.tmp-mine"), "x".into()).await.is_err());
    assert!(store.put(&Path::default(), "x".into()).await.is_err());
}

#[tokio::test]
async fn a_put_if_absent_that_could_not_be_made_safe_leaves_no_name() {
    let disk = SimDisk::new();
    let first = std::sync::atomic::AtomicBool::new(true);
    let plan = move |_: u64, op: Op, path: &FilePath| match op {
        Op::SyncDir if path.ends_with("log") && first.swap(false, std::sync::atomic::Ordering::SeqCst) => {
            Fault::Error(5)
        }
        _ => Fault::None,
    };
    let store = DurableLocal::open(Arc::new(Faulty::new(Arc::new(disk.clone()), Arc::new(plan))), "/data").unwrap();
    let (log, mode) = (at("log/1"), PutOptions::from(PutMode::Create));
    let create = || store.put_opts(&log, "x".into(), mode.clone());
    assert!(matches!(create().await.unwrap_err(), Error::Generic { .. }));
    assert!(names(&store, None).await.is_empty());
    create().await.unwrap();
    disk.power_cut(|| Fate::Lost);
    assert_eq!(content(&store, "log/1").await, "x");
}

/// One write of the property below.
#[derive(Debug, Clone)]
enum Write {
    Put(u8, Vec<u8>),
    Create(u8, Vec<u8>),
    Parts(u8, Vec<Vec<u8>>),
    Delete(u8),
    Copy(u8, u8),
    Rename(u8, u8),
}

fn write() -> impl Strategy<Value = Write> {
    let name = 0..6_u8;
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    prop_oneof![
        3 => (name.clone(), bytes()).prop_map(|(n, b)| Write::Put(n, b)),
        3 => (name.clone(), bytes()).prop_map(|(n, b)| Write::Create(n, b)),
        1 => (name.clone(), prop::collection::vec(bytes(), 0..3)).prop_map(|(n, p)| Write::Parts(n, p)),
        1 => name.clone().prop_map(Write::Delete),
        1 => (name.clone(), name.clone()).prop_map(|(a, b)| Write::Copy(a, b)),
        1 => (name.clone(), name).prop_map(|(a, b)| Write::Rename(a, b)),
    ]
}

/// Names in folders of different depth, two of them shared.
fn name(n: u8) -> String {
    ["top", "a/one", "a/two", "a/b/deep", "c/d/e/deeper", "c/d/f"][usize::from(n)].to_owned()
}

async fn apply(store: &DurableLocal, write: &Write) -> Result<()> {
    match write {
        Write::Put(n, bytes) => store.put(&at(&name(*n)), bytes.clone().into()).await.map(drop),
        Write::Create(n, bytes) => {
            store.put_opts(&at(&name(*n)), bytes.clone().into(), PutMode::Create.into()).await.map(drop)
        }
        Write::Parts(n, parts) => {
            let mut upload = store.put_multipart(&at(&name(*n))).await?;
            for part in parts {
                upload.put_part(part.clone().into()).await?;
            }
            upload.complete().await.map(drop)
        }
        Write::Delete(n) => store.delete(&at(&name(*n))).await,
        Write::Copy(from, to) => store.copy(&at(&name(*from)), &at(&name(*to))).await,
        Write::Rename(from, to) => store.rename(&at(&name(*from)), &at(&name(*to))).await,
    }
}

type Objects = BTreeMap<String, Vec<u8>>;

/// What the objects are after a write that succeeded.
fn expected(before: &Objects, write: &Write) -> Objects {
    let mut after = before.clone();
    match write {
        Write::Put(n, bytes) => drop(after.insert(name(*n), bytes.clone())),
        Write::Create(n, bytes) => drop(after.entry(name(*n)).or_insert_with(|| bytes.clone())),
        Write::Parts(n, parts) => drop(after.insert(name(*n), parts.concat())),
        Write::Delete(n) => drop(after.remove(&name(*n))),
        Write::Copy(from, to) => {
            if let Some(bytes) = before.get(&name(*from)) {
                after.insert(name(*to), bytes.clone());
            }
        }
        Write::Rename(from, to) => {
            if let Some(bytes) = after.remove(&name(*from)) {
                after.insert(name(*to), bytes);
            }
        }
    }
    after
}

fn objects(disk: &SimDisk) -> Objects {
    let store = DurableLocal::open(Arc::new(disk.clone()), "/data").unwrap();
    let listed = store.0.list(None, false).unwrap().objects;
    let bytes = |o: &ObjectMeta| read(disk, &store.0.locate(&o.location).unwrap()).unwrap();
    listed.iter().map(|o| (o.location.to_string(), bytes(o))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Every write that returned is there whole after a power cut; the one it met is there whole or not at all.
    #[test]
    fn a_power_cut_at_any_call_keeps_what_returned(
        writes in prop::collection::vec(write(), 1..12),
        die_at in 1..120_u64,
        fates in prop::collection::vec(0..3_u8, 64),
    ) {
        let disk = SimDisk::new();
        // From call `die_at` on nothing more reaches the disk: the machine is already off.
        let plan = Arc::new(move |n: u64, _: Op, _: &FilePath| if n >= die_at { Fault::Error(5) } else { Fault::None });
        let faulty = Arc::new(Faulty::new(Arc::new(disk.clone()), plan));
        let mut safe = Objects::new();
        let mut unsure = Objects::new();
        if let Ok(store) = DurableLocal::open(faulty.clone(), "/data") {
            for write in &writes {
                let done = runtime().block_on(apply(&store, write));
                unsure = expected(&safe, write);
                if faulty.calls() >= die_at {
                    break;
                }
                // A refusal (taken, or no source) changes nothing, as the model has it.
                prop_assert!(done.is_ok() || unsure == safe, "{write:?}: {done:?}");
                safe = unsure.clone();
            }
        }
        let mut fates = fates.into_iter().cycle();
        disk.power_cut(|| match fates.next() {
            Some(0) => Fate::Kept,
            Some(1) => Fate::Torn(3),
            _ => Fate::Lost,
        });
        let found = objects(&disk);
        for name in (0..6).map(name) {
            let (is, old, new) = (found.get(&name), safe.get(&name), unsure.get(&name));
            prop_assert!(is == old || is == new, "{name}: found {is:?}, was {old:?}, was to be {new:?}");
        }
        prop_assert!(found.keys().all(|found| (0..6).map(name).any(|n| n == *found)));
    }
}
