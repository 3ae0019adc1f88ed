//! A store in a bucket: SeaweedFS speaks S3, goes away under load, and comes back.

use tempfile::tempdir;

use crate::peers::{Bucket, python};
use crate::remote_write::{now_ms, write};
use crate::server::{PATIENCE, Server, Setup, eventually};

#[tokio::test]
async fn a_store_in_a_bucket_takes_rows_while_the_bucket_is_away_and_delivers_them_once() {
    let folder = tempdir().unwrap();
    let mut bucket = Bucket::start(&folder.path().join("weed")).await;
    let local = folder.path().join("local");
    let yaml = format!("storage: {{cut_every: 1s, retention: 1000d, local_dir: {}}}\n", local.display());
    let mut setup = Setup::new(folder.path(), &yaml).with_store(bucket.url());
    for (name, value) in bucket.environment() {
        setup = setup.with_env(name, &value);
    }
    let mut server = Server::start(&setup).await;
    // Noon of yesterday, so that no midnight is near.
    let begin = now_ms() / 86_400_000 * 86_400_000 - 43_200_000;
    let mut written = 0;
    let mut more = async |server: &Server| {
        let samples: Vec<(i64, f64)> = (0..10).map(|n| (begin + written + n, (written + n) as f64)).collect();
        let late = [(begin - 86_400_000 + written, written as f64)];
        let steady: &[(&str, &str)] = &[("__name__", "steady"), ("cluster", "berlin")];
        write(server, &[(steady, &samples), (&[("__name__", "late"), ("cluster", "berlin")], &late)]).await;
        written += 10;
        written
    };
    let committed = async |server: &Server, rows: f64| {
        let name = "fleetscope_storage_block_rows{table=\"samples\"}";
        let staged = server.metric("fleetscope_storage_staged_blocks").await?;
        server.metric(name).await.filter(|there| *there >= rows && staged == 0.0)
    };
    let count = "SELECT count(*), sum(value) FROM metrics WHERE name = 'steady'";
    let expected = |written: i64| [[written.to_string(), format!("{:?}", (written * (written - 1) / 2) as f64)]];

    let rows = more(&server).await;
    eventually("the first cut", PATIENCE, async || committed(&server, rows as f64).await).await;

    bucket.away();
    let mut rows = rows;
    eventually("cuts staged while the bucket is away", PATIENCE, async || {
        rows = more(&server).await;
        server.metric("fleetscope_storage_staged_blocks").await.filter(|blocks| *blocks >= 3.0)
    })
    .await;
    let failures = server.metric("fleetscope_storage_cut_failures_total").await;
    assert!(server.is_alive() && failures.is_some_and(|failures| failures > 0.0), "{failures:?}");
    server.kill().await;

    bucket.back().await;
    let server = Server::start(&setup).await;
    assert_eq!(server.rows(count).await, expected(rows), "what was staged is there after SIGKILL");
    let rows = more(&server).await;
    let all = (rows + rows / 10) as f64;
    eventually("all is delivered", PATIENCE, async || committed(&server, all).await).await;
    assert_eq!(server.rows(count).await, expected(rows));
    server.terminate().await;

    let left: Vec<_> =
        std::fs::read_dir(local.join("staged")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
    let mut arguments = vec![bucket.url()];
    arguments.extend(bucket.environment().map(|(name, value)| format!("{name}={value}")));
    let out = python("read_bucket.py", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    let found: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(found, serde_json::json!({"rows": rows + rows / 10, "keys": rows + rows / 10, "series": 2}), "{found}");
}
