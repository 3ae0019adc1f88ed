//! The receiver of remote write beside that of Debian's Prometheus: the same requests, the same rows.

use tempfile::tempdir;

use crate::peers::{Prometheus, python};
use crate::remote_write::now_ms;
use crate::server::{Server, Setup};

#[tokio::test]
async fn the_receiver_holds_what_a_prometheus_holds_of_the_same_requests() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "{}\n")).await;
    let prometheus = Prometheus::start_receiving(&folder.path().join("prometheus")).await;
    let seed = now_ms().to_string();
    println!("seed {seed}");
    let out = python("compare_receivers.py", &[&server.url(""), "berlin", &prometheus.url, &seed]);
    let verdict: serde_json::Value = serde_json::from_str(&out).unwrap();
    // Twenty requests, each with nine samples, four native histograms, one of which ends, and four exemplars.
    let all = |count: u32| serde_json::json!({"equal": count, "missing": 0, "foreign": 0});
    let expected = serde_json::json!({
        "samples": all(180), "histograms": all(79), "exemplars": all(80), "markers": 3, "markers of histograms": 1, "examples": [],
    });
    assert_eq!(verdict, expected);
    server.terminate().await;
}
