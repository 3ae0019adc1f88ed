use model::Recall;

use crate::config::Config;
use crate::engine::tests::engine_with;

const START: i64 = 1_767_225_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_one_series_are_found_in_blocks_and_head() {
    let engine = engine_with(Config::default()).await;
    let find = |cluster, label, from_ms, until_ms| {
        let engine = engine.clone();
        async move {
            let mut rows = engine.recall(cluster, "cpu", label, from_ms..=until_ms).await.unwrap();
            rows.sort_by_key(|(time_ms, _)| *time_ms);
            rows
        }
    };
    // One late row before all, 200 in blocks, 10 in the head; two of them written again with another value.
    let all = find("east", ("instance", "east-0"), i64::MIN / 4, i64::MAX / 4).await;
    assert_eq!(all.len(), 211);
    assert_eq!(all[0], (START - 1000, 7.5));
    assert_eq!((all[11], all[12]), ((START + 10_000, 0.123), (START + 11_000, 0.5)));
    // A marker is no row, and both ends count.
    let marked = find("east", ("instance", "east-1"), START + 49_000, START + 51_000).await;
    assert_eq!(marked.iter().map(|(time_ms, _)| *time_ms).collect::<Vec<_>>(), [START + 49_000, START + 51_000]);
    assert_eq!(find("moon", ("instance", "east-0"), START, START + 1000).await, []);
    assert_eq!(find("east", ("instance", "' OR true --"), START, START + 1000).await, []);
    assert_eq!(find("east", ("no such", "east-0"), START, START + 1000).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_users_may_ask_for_is_no_limit_and_a_failure_is_no_part_of_the_rows() {
    let find = async |config| {
        let engine = engine_with(config).await;
        engine.recall("east", "cpu", ("instance", "east-0"), 0..=START + 1_000_000).await
    };
    assert_eq!(find(Config { max_rows: 10, ..Config::default() }).await.unwrap().len(), 211);
    let failed = find(Config { timeout: std::time::Duration::from_nanos(1), ..Config::default() }).await;
    assert!(failed.unwrap_err().to_string().contains("cannot find rows again"));
}
