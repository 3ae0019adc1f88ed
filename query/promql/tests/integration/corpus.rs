//! The seeds of the fuzz target, and drawn changes of each, as plain tests.

#[path = "../../../../fuzz/checks/promql.rs"]
mod promql_check;
#[allow(dead_code, reason = "the part that reads seeds looks for them from another folder")]
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

/// Drawn changes of each seed.
const CHANGES: u64 = 300;

#[test]
fn seeds_and_their_changes_are_read_or_refused() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/promql");
    let (mut seeds, mut read) = (0, 0);
    for seed in std::fs::read_dir(folder).unwrap() {
        let seed = std::fs::read(seed.unwrap().path()).unwrap();
        promql_check::check(&seed);
        for change in 0..CHANGES {
            let changed = replay::changed(&seed, change);
            promql_check::check(&changed);
            read += u32::from(str::from_utf8(&changed).is_ok_and(|text| promql::parse(text).is_ok()));
        }
        seeds += 1;
    }
    assert!(seeds > 20 && read > 100, "{seeds} seeds, of whose changes {read} are expressions");
}
