//! A disk that fails under the journal: senders are told what to do, readiness says so, and both end with the trouble.

use reqwest::StatusCode;
use tempfile::tempdir;

use crate::access::Secret;
use crate::peers::program;
use crate::remote_write::{HEADERS, body, now_ms};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// A server whose journal fails at calls from the `first` on, with no cut that would touch the journal meanwhile.
async fn start(folder: &std::path::Path, rule: &str) -> Server {
    start_with(Setup::new(folder, "storage: {cut_every: 1h}\n"), rule).await
}

async fn start_with(setup: Setup, rule: &str) -> Server {
    Server::start(&setup.with_binary(program("faulty-server")).with_env("FLEETSCOPE_FAULTS", rule)).await
}

/// Writes one sample until an answer is as wanted.
async fn write_until(server: &Server, what: &str, wanted: impl Fn(StatusCode) -> bool) -> reqwest::Response {
    let begin = now_ms();
    let mut n = 0;
    eventually(what, PATIENCE, async || {
        n += 1;
        let sample = body(&[(&[("__name__", "written")], &[(begin + n, 1.0)])]);
        let mut request = reqwest::Client::new().post(server.url("/api/v1/write")).body(sample);
        for (name, value) in HEADERS {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        wanted(answer.status()).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn a_full_disk_is_told_to_senders_and_by_readiness_and_passes() {
    let folder = tempdir().unwrap();
    let server = start(folder.path(), "sync,/local/journal/,8+3,before,enospc").await;
    let refused = write_until(&server, "a refusal", |status| !status.is_success()).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");
    let text = refused.text().await.unwrap();
    assert!(text.starts_with("disk full: ") && text.contains("free space on this disk, or"), "{text}");
    assert!(text.contains("store/local/journal"), "names the place: {text}");
    let (status, why) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");
    assert!(why.starts_with("disk full: "), "{why}");
    assert_eq!(server.get("/healthz").await.0, StatusCode::OK, "a restart would not help");
    assert_eq!(server.ask("SELECT count(*) FROM metrics").await.0, StatusCode::OK, "questions are still answered");

    write_until(&server, "an acknowledgement", |status| status.is_success()).await;
    assert_eq!(server.get("/readyz").await, (StatusCode::OK, "ready\n".into()));
    server.terminate().await;
}

#[tokio::test]
async fn a_journal_that_has_failed_is_told_by_readiness() {
    let folder = tempdir().unwrap();
    let server = start(folder.path(), "write,/local/journal/,6+1000000,before,eio").await;
    write_until(&server, "a refusal", |status| status == StatusCode::SERVICE_UNAVAILABLE).await;
    let (status, why) = server.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");
    assert!(why.contains("journal") && why.contains("look at the disk"), "{why}");
    server.kill().await;
}

#[tokio::test]
async fn who_is_no_reader_is_told_by_readiness_no_more_than_that_there_is_trouble() {
    let folder = tempdir().unwrap();
    let reader = Secret::new();
    let yaml = format!("storage: {{cut_every: 1h}}\nreaders: {{tokens: [{{sha256: {}}}]}}\n", reader.hash);
    let setup = Setup::new(folder.path(), &yaml).reading_with(&reader.token);
    let server = start_with(setup, "write,/local/journal/,6+1000000,before,eio").await;
    write_until(&server, "a refusal", |status| status == StatusCode::SERVICE_UNAVAILABLE).await;
    let answer = reqwest::get(server.url("/readyz")).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.text().await.unwrap(), "not ready: the store takes no rows\n");
    let (_, why) = server.get("/readyz").await;
    assert!(why.contains("look at the disk"), "a reader is told all: {why}");
    let logged = server.stderr();
    assert_eq!(logged.matches("the store takes no rows").count(), 1, "{logged}");
    assert!(logged.contains("look at the disk"), "{logged}");
    server.kill().await;
}
