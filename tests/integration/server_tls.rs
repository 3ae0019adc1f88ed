//! The server behind TLS of its own: its certificate is replaced while it runs, and nobody holds others up.

use reqwest::{Client, StatusCode, Version};
use rustix::process::Signal;
use tempfile::tempdir;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use crate::server::{PATIENCE, Server, Setup, authority, eventually};
use crate::tls::Certificates;

/// Whether somebody who trusts only this authority is served, on a new connection.
async fn is_served(server: &Server, certificates: &Certificates, ca: &str) -> bool {
    let ca = authority(certificates.path(&format!("{ca}.pem")).as_ref());
    let client = Client::builder().tls_certs_only([ca]).build().unwrap();
    client.get(server.url("/healthz")).send().await.is_ok_and(|answer| answer.status() == StatusCode::OK)
}

/// Puts certificate and key in place, first the one, then the other, as a careless program does.
fn put(certificates: &Certificates, cert: &str, key: &str) {
    std::fs::copy(certificates.path(key), certificates.path("shown.key")).unwrap();
    std::fs::copy(certificates.path(cert), certificates.path("shown.pem")).unwrap();
}

fn setup(certificates: &Certificates, folder: &std::path::Path) -> Setup {
    certificates.make_server("one", "ca");
    certificates.make_server("two", "other");
    put(certificates, "one.pem", "one.key");
    let (cert, key) = (certificates.path("shown.pem"), certificates.path("shown.key"));
    let yaml = format!("tls_server_config: {{cert_file: {cert}, key_file: {key}}}\n");
    Setup::new(folder, &yaml).trusting(certificates.path("ca.pem"))
}

#[tokio::test]
async fn a_certificate_is_replaced_while_the_server_runs_and_a_bad_one_is_not_taken() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let server = Server::start(&setup(&certificates, folder.path())).await;
    assert!(is_served(&server, &certificates, "ca").await && !is_served(&server, &certificates, "other").await);

    put(&certificates, "two.pem", "two.key");
    let other = async || is_served(&server, &certificates, "other").await.then_some(());
    eventually("the other certificate", PATIENCE, other).await;
    assert!(!is_served(&server, &certificates, "ca").await);

    // A certificate and the key of another one.
    put(&certificates, "one.pem", "two.key");
    let noticed = async || server.stderr().contains("are not a certificate and its key").then_some(());
    eventually("the bad pair", PATIENCE, noticed).await;
    assert!(is_served(&server, &certificates, "other").await);
    std::fs::remove_file(certificates.path("shown.pem")).unwrap();
    server.signal(Signal::HUP);
    let noticed = async || server.stderr().contains("shown.pem cannot be read").then_some(());
    eventually("the missing file", PATIENCE, noticed).await;
    assert!(is_served(&server, &certificates, "other").await);
    put(&certificates, "one.pem", "one.key");
    let back = async || is_served(&server, &certificates, "ca").await.then_some(());
    eventually("the first certificate", PATIENCE, back).await;
    let failing = "fleetscope_tls_files_failing";
    eventually("no fault", PATIENCE, async || server.metric(failing).await.filter(|fault| *fault == 0.0)).await;
    let key = std::fs::read_to_string(certificates.path("one.key")).unwrap();
    let line = key.lines().nth(1).unwrap();
    assert!(!server.stderr().contains(line), "{}", server.stderr());
    server.terminate().await;
}

#[tokio::test]
async fn http_2_is_spoken_and_whoever_does_not_shake_hands_holds_nobody_up() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let server = Server::start(&setup(&certificates, folder.path())).await;
    let mut silent = Vec::new();
    for _ in 0..50 {
        silent.push(TcpStream::connect(server.address).await.unwrap());
    }
    let ca = authority(certificates.path("ca.pem").as_ref());
    let client = Client::builder().tls_certs_only([ca]).build().unwrap();
    let answer = client.get(server.url("/healthz")).send().await.unwrap();
    assert_eq!((answer.status(), answer.version()), (StatusCode::OK, Version::HTTP_2));
    // More than an HTTP/2 client bears of what is empty.
    for n in 0..150 {
        assert_eq!(server.number(&format!("SELECT {n}")).await, n);
    }
    let plain = Client::new().get(format!("http://{}/healthz", server.address)).send().await;
    assert!(plain.is_err(), "{plain:?}");
    // It ends although they have not begun, and lets them go.
    server.terminate().await;
    for mut stream in silent {
        assert!(stream.read(&mut [0; 1]).await.map_or(true, |count| count == 0));
    }
}
