use super::*;

/// A name that is misspelt, or that DataFusion has dropped, would silently take a function away.
#[test]
fn every_listed_function_exists() {
    let functions = Functions::new();
    let listed = PLAIN.iter().chain(COPYING.iter().map(|(name, _)| name)).chain(GROWING.iter().map(|(name, _)| name));
    let missing: Vec<_> = listed.filter(|name| !functions.scalar.contains_key(**name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(functions.concat_operator().name(), "concat_operator");
}

#[test]
fn what_reaches_files_or_grows_without_measure_is_not_listed() {
    let functions = Functions::new();
    for name in ["array_repeat", "array_resize", "arrow_cast", "input_file_name", "md5", "digest"] {
        assert!(functions.admitted(name).is_none(), "{name}");
    }
}
