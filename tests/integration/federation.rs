//! A real Prometheus with a real node exporter, federated and compared sample by sample.

use std::time::Duration;

use tempfile::tempdir;

use crate::peers::{Prometheus, python};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// How long the sources are watched, and the intervals at which they scrape and are federated, in seconds: `make federation`
/// says ten minutes, at the interval of the demo. A short watch needs more samples a second, and a fetch that comes late on a
/// busy machine must not cost a tenth of them: only the newest sample can be fetched.
fn watch() -> (u64, u64, u64) {
    let seconds = std::env::var("FLEETSCOPE_FEDERATION_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(20);
    if seconds < 120 { (seconds, 2, 1) } else { (seconds, 5, 5) }
}

#[tokio::test]
async fn what_two_prometheus_servers_have_is_what_we_have_bit_for_bit() {
    let folder = tempdir().unwrap();
    let folders = ["berlin", "dublin"].map(|cluster| folder.path().join(cluster));
    let (seconds, interval, ours) = watch();
    let start = |folder| Prometheus::start(folder, interval);
    let (berlin, mut dublin) = tokio::join!(start(&folders[0]), start(&folders[1]));
    let yaml = format!(
        "global: {{scrape_interval: {ours}s}}\nstorage: {{cut_every: 5s}}\nclusters: [{{name: berlin}}, {{name: \
         dublin}}]\nfederate_configs:\n  - {{cluster: berlin, url: '{}'}}\n  - {{cluster: dublin, url: '{}'}}\n",
        berlin.url, dublin.url
    );
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let fetches = async |cluster: &str| {
        let name =
            format!("fleetscope_federate_scrapes_total{{cluster=\"{cluster}\",job=\"federate\",result=\"success\"}}");
        server.metric(&name).await.unwrap_or_default() as u64
    };
    let wanted = seconds / ours + 2;
    eventually("fetches of both clusters", PATIENCE + 2 * Duration::from_secs(seconds), async || {
        (fetches("berlin").await >= wanted && fetches("dublin").await >= wanted).then_some(())
    })
    .await;
    // What ends at the source must end here. Its other job goes on, so that the end is well within what is judged.
    dublin.stop_node();
    let since_the_end = "SELECT coalesce(greatest(max(time_ms) FILTER (WHERE name = 'prometheus_build_info') - \
                         min(time_ms) FILTER (WHERE name = 'node_load1' AND mantissa IS NULL AND value IS NULL), 0), 0) \
                         FROM samples WHERE cluster = 'dublin'";
    let is_past = async || (server.number(since_the_end).await >= 3_000 + 1_000 * interval).then_some(());
    eventually("some time after the end of node_load1", PATIENCE, is_past).await;
    for (cluster, source) in [("berlin", &berlin), ("dublin", &dublin)] {
        let compared = python("compare_federation.py", &[&server.url(""), cluster, &source.url]);
        println!("{cluster}: {compared}");
        let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
        let (theirs, missing) = (compared["theirs"].as_f64().unwrap(), compared["missing"].as_f64().unwrap());
        assert!(theirs > 500.0 * (seconds.saturating_sub(5) / interval) as f64, "{compared}");
        assert_eq!((&compared["foreign"], &compared["changed"]), (&0.into(), &0.into()), "{compared}");
        assert!(missing <= 0.02 * theirs, "at least 98 % must be here: {compared}");
        assert!(cluster == "berlin" || compared["markers"].as_u64() > Some(100), "{compared}");
    }
    let without_job = "SELECT count(DISTINCT cluster) FROM metrics WHERE name = 'targets:up:sum'";
    assert_eq!(server.number(without_job).await, 2, "a series without a job is federated too");
    let errors = server.rows("SELECT cluster, error FROM sources WHERE error IS NOT NULL").await;
    assert!(errors.is_empty(), "{errors:?}");
    server.terminate().await;
}

#[tokio::test]
async fn a_source_that_is_away_is_told_by_sources_and_by_up() {
    let folder = tempdir().unwrap();
    let port = crate::peers::free_port();
    let yaml = format!(
        "federate_configs:\n  - {{cluster: gone, url: 'http://127.0.0.1:{port}', scrape_interval: 1s, scrape_timeout: 500ms}}\n"
    );
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let up = "SELECT value FROM metrics WHERE name = 'up' AND cluster = 'gone'";
    let down = async || server.rows(up).await.first().map(|row| row[0].clone());
    assert_eq!(eventually("up of the source", PATIENCE, down).await.parse::<f64>(), Ok(0.0));
    let known = server.rows("SELECT count(*) FROM sources WHERE cluster = 'gone' AND error IS NOT NULL").await;
    assert_eq!(known, [["1"]]);
    server.terminate().await;
}
