use model::Sources;
use model::SystemClock;

use super::*;

fn list(folder: &Path, pattern: &str) -> FileList {
    let parts = Parts { sources: Sources::default(), clock: Arc::new(SystemClock) };
    let files = vec![folder.join(pattern).display().to_string()];
    let config = FileSdConfig { files, refresh_interval: Duration::from_secs(300) };
    FileList::new(&ScrapeConfig::new("node", "east"), &config, &parts)
}

/// The addresses that are known, in order.
fn addresses(list: &FileList) -> Vec<String> {
    let groups = list.known.values().flat_map(|known| known.groups.iter());
    let targets = groups.flat_map(Group::targets);
    targets.flat_map(|labels| labels.filter(|(name, _)| *name == "__address__").map(|(_, v)| v.to_owned())).collect()
}

fn errors(list: &FileList) -> Vec<String> {
    list.parts.sources.all().into_iter().filter_map(|status| status.error).collect()
}

#[test]
fn a_star_names_files_of_one_folder() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.json", "b.json", ".hidden.json", "c.yml"] {
        fs::write(folder.path().join(name), "[]").unwrap();
    }
    let names = |pattern: &str| {
        let mut found = matching(&folder.path().join(pattern).display().to_string());
        found.sort();
        found.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("*.json"), ["a.json", "b.json"]);
    assert_eq!(names("a*.json"), ["a.json"]);
    assert_eq!(names("aa*a.json"), [""; 0]);
    assert_eq!(names("not-there.json"), ["not-there.json"]);
}

#[test]
fn a_file_that_cannot_be_read_leaves_what_it_held() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("list.json");
    let mut list = list(folder.path(), "*.json");
    list.look_now(true);
    assert_eq!((addresses(&list), errors(&list)), (vec![], vec![]));

    fs::write(&path, r#"[{"targets": ["a:1"]}]"#).unwrap();
    list.look_now(false);
    assert_eq!((addresses(&list), errors(&list)), (vec!["a:1".to_owned()], vec![]));

    fs::write(&path, r#"[{"targets": ["a:1", "b:"#).unwrap();
    list.look_now(false);
    assert_eq!(addresses(&list), ["a:1"]);
    assert!(errors(&list)[0].contains("list.json is no list of targets: EOF while parsing"), "{:?}", errors(&list));

    // It is looked at again although nothing about it has changed.
    fs::write(&path, r#"[{"targets": ["a:1", "b:2"]}]"#).unwrap();
    list.look_now(false);
    assert_eq!((addresses(&list), errors(&list)), (vec!["a:1".to_owned(), "b:2".to_owned()], vec![]));

    fs::remove_file(&path).unwrap();
    list.look_now(false);
    assert_eq!((addresses(&list), list.parts.sources.all().len()), (vec![], 0));
}

#[test]
fn a_file_that_is_named_and_missing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut list = list(folder.path(), "missing.json");
    list.look_now(true);
    assert!(errors(&list)[0].contains("missing.json cannot be read"), "{:?}", errors(&list));
}
