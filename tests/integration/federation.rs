//! A real Prometheus with a real node exporter, federated and compared sample by sample.

use std::time::Duration;

use tempfile::tempdir;

use crate::peers::{Prometheus, python};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// How long the sources are watched.
fn watch() -> Duration {
    let seconds = std::env::var("FLEETSCOPE_FEDERATION_SECONDS").ok().and_then(|s| s.parse().ok());
    Duration::from_secs(seconds.unwrap_or(20))
}

#[tokio::test]
async fn what_two_prometheus_servers_have_is_what_we_have_bit_for_bit() {
    let folder = tempdir().unwrap();
    let folders = ["berlin", "dublin"].map(|cluster| folder.path().join(cluster));
    let (berlin, dublin) = tokio::join!(Prometheus::start(&folders[0]), Prometheus::start(&folders[1]));
    let yaml = format!(
        "global: {{scrape_interval: 1s}}\nstorage: {{cut_every: 5s}}\nclusters: [{{name: berlin}}, {{name: dublin}}]\n\
         federate_configs:\n  - {{cluster: berlin, url: '{}'}}\n  - {{cluster: dublin, url: '{}'}}\n",
        berlin.url, dublin.url
    );
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let span = "SELECT count(*) FROM (SELECT cluster FROM metrics WHERE name = 'node_load1' GROUP BY cluster \
                HAVING count(*) >= ";
    let wanted = watch().as_secs().saturating_sub(1);
    eventually("both clusters for long enough", PATIENCE + 2 * watch(), async || {
        (server.number(&format!("{span}{wanted})")).await == 2).then_some(())
    })
    .await;
    for (cluster, source) in [("berlin", &berlin), ("dublin", &dublin)] {
        let compared = python("compare_federation.py", &[&server.url(""), cluster, &source.url]);
        let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
        let (theirs, missing) = (compared["theirs"].as_f64().unwrap(), compared["missing"].as_f64().unwrap());
        assert!(theirs > 1000.0 * wanted as f64 / 2.0, "{compared}");
        assert_eq!(compared["not_theirs"], 0, "{compared}");
        assert!(missing <= 0.02 * theirs, "at least 98 % must be here: {compared}");
    }
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
