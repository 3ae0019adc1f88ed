use std::path::PathBuf;

use super::faulty::{Fault, Faulty, Op};
use super::sim::{Fate, SimDisk};
use super::*;

fn path(text: &str) -> PathBuf {
    PathBuf::from(text)
}

/// Every layer must behave alike where durability is not in question.
fn behaves_like_a_file_system(files: &dyn Files, root: &Path) {
    create_dirs(files, &root.join("a/b")).unwrap();
    let at = root.join("a/b/one");
    let file = files.create(&at).unwrap();
    file.allocate(10).unwrap();
    assert_eq!(file.len().unwrap(), 10);
    file.write_all_at(2, b"hello").unwrap();
    file.set_len(7).unwrap();
    assert_eq!(read(files, &at).unwrap(), b"\0\0hello");
    assert_eq!(files.create(&at).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let two = root.join("a/b/two");
    files.link(&at, &two).unwrap();
    assert_eq!(files.link(&at, &two).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    files.remove(&at).unwrap();
    files.rename(&two, &at).unwrap();
    replace(files, &at, b"new").unwrap();
    let names = files.list(&root.join("a/b")).unwrap();
    assert_eq!(names, [Entry { name: "one".into(), is_dir: false, len: 3 }]);
    files.remove(&at).unwrap();
    let held = files.lock(&root.join("lock")).unwrap();
    assert_eq!(files.lock(&root.join("lock")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
    drop(held);
    files.lock(&root.join("lock")).unwrap();
    assert_eq!(files.open(&at).unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn the_real_and_the_simulated_disk_behave_alike() {
    let folder = tempfile::tempdir().unwrap();
    behaves_like_a_file_system(&Disk, folder.path());
    behaves_like_a_file_system(&SimDisk::new(), Path::new("/"));
    let counted = Faulty::new(Arc::new(SimDisk::new()), Arc::new(|_, _, _| Fault::None));
    behaves_like_a_file_system(&counted, Path::new("/"));
    assert!(counted.calls() > 15);
}

#[test]
fn a_power_cut_forgets_bytes_and_names_that_were_not_synced() {
    let disk = SimDisk::new();
    let file = disk.create(&path("/kept")).unwrap();
    file.write_all_at(0, b"safe").unwrap();
    file.sync().unwrap();
    disk.sync_dir(&path("/")).unwrap();
    file.write_all_at(4, b" and not").unwrap();
    disk.create(&path("/unnamed")).unwrap().sync().unwrap();
    disk.power_cut(|| Fate::Lost);
    assert_eq!(read(&disk, &path("/kept")).unwrap(), b"safe");
    assert_eq!(disk.open(&path("/unnamed")).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert!(file.write_at(0, b"x").is_err(), "a handle of the life before is dead");
}

#[test]
fn a_power_cut_may_tear_a_write() {
    let disk = SimDisk::new();
    let file = disk.create(&path("/f")).unwrap();
    disk.sync_dir(&path("/")).unwrap();
    file.write_all_at(0, b"abcdef").unwrap();
    disk.power_cut(|| Fate::Torn(2));
    assert_eq!(read(&disk, &path("/f")).unwrap(), b"ab");
}

#[test]
fn a_removed_name_comes_back_unless_its_directory_was_synced() {
    let disk = SimDisk::new();
    replace(&disk, &path("/f"), b"1").unwrap();
    disk.remove(&path("/f")).unwrap();
    disk.power_cut(|| Fate::Lost);
    assert_eq!(read(&disk, &path("/f")).unwrap(), b"1");
}

#[test]
fn a_planned_fault_hits_the_call_it_names() {
    let plan = Arc::new(|_, op, path: &Path| match op {
        Op::Write if path.ends_with("short") => Fault::Short(1),
        Op::Sync => Fault::Error(5),
        _ => Fault::None,
    });
    let files = Faulty::new(Arc::new(SimDisk::new()), plan);
    let file = files.create(&path("/short")).unwrap();
    file.write_all_at(0, b"whole after all").unwrap();
    assert_eq!(read(&files, &path("/short")).unwrap(), b"whole after all");
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
}

#[test]
fn a_lock_dies_with_its_process() {
    let disk = SimDisk::new();
    let of_the_dead = disk.lock(&path("/lock")).unwrap();
    disk.kill();
    let held = disk.lock(&path("/lock")).unwrap();
    drop(of_the_dead);
    assert_eq!(disk.lock(&path("/lock")).unwrap_err().kind(), io::ErrorKind::WouldBlock, "still held by the living");
    drop(held);
    disk.lock(&path("/lock")).unwrap();
}
