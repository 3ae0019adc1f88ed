//! Starting, health, reloading, ending.

use reqwest::StatusCode;
use rustix::process::Signal;
use tempfile::tempdir;

use crate::server::{PATIENCE, Server, Setup, eventually};

#[tokio::test]
async fn a_server_says_where_it_listens_is_ready_measures_itself_and_ends_well() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    assert_eq!(server.get("/healthz").await, (StatusCode::OK, "ok\n".into()));
    let (status, text) = server.get("/nowhere").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(text.contains("/nowhere") && text.contains("not_found"), "{text}");
    assert!(server.metric("process_resident_memory_bytes").await.is_some_and(|bytes| bytes > 1e6));
    let answered = "fleetscope_http_requests_total{route=\"/healthz\",code=\"200\"}";
    assert_eq!(server.metric(answered).await, Some(1.0));
    server.terminate().await;
}

#[tokio::test]
async fn sigint_ends_well_too_and_logs_are_json_if_asked() {
    let folder = tempdir().unwrap();
    let mut server = Server::start(&Setup::new(folder.path(), "log: {format: json}\n")).await;
    server.signal(Signal::INT);
    assert!(server.ended().await.success());
    let stderr = server.stderr();
    let parsed: Vec<serde_json::Value> = stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(parsed.iter().any(|line| line["message"] == "stopped"), "{stderr}");
}

#[tokio::test]
async fn a_reload_takes_a_good_file_and_refuses_a_bad_one_whole() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "clusters: [{name: berlin, role: active}]\n")).await;
    let file = folder.path().join("fleetscope.yaml");
    let role = async || server.rows("SELECT role FROM clusters WHERE name = 'berlin'").await.concat().concat();
    assert_eq!(role().await, "active");

    std::fs::write(&file, "clusters: [{name: berlin, role: passive}]\nstorage: {retentoin: 1d}\n").unwrap();
    let (status, text) = server.post("/-/reload", &[], Vec::new()).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.contains("fleetscope.yaml:2:11") && text.contains("retention"), "{text}");
    assert_eq!(role().await, "active");

    std::fs::write(&file, "clusters: [{name: berlin, role: passive}]\n").unwrap();
    let (status, text) = server.post("/-/reload", &[], Vec::new()).await;
    assert_eq!(status, StatusCode::OK, "{text}");
    assert_eq!(role().await, "passive");

    std::fs::write(&file, "clusters: [{name: berlin, role: standby}]\n").unwrap();
    server.signal(Signal::HUP);
    eventually("the role of SIGHUP", PATIENCE, async || (role().await == "standby").then_some(())).await;
    server.terminate().await;
}
