//! Every file of `examples/` is run as it is, beside the files that it names.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::{TempDir, tempdir};

use crate::remote_write::{HEADERS, body, now_ms};
use crate::server::{Server, Setup};
use crate::tls::Certificates;

/// The tokens in the files of `examples/secured.yaml`.
const TOKENS: [(&str, &str); 3] =
    [("berlin", "a-token-for-berlin"), ("dublin", "a-token-for-dublin"), ("readers", "a-token-for-readers")];

/// A folder with the secrets that an example may name.
fn secrets() -> TempDir {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    certificates.make_server("server", "ca");
    for (name, token) in TOKENS {
        std::fs::write(folder.path().join(format!("{name}.token")), token).unwrap();
    }
    folder
}

fn setup(example: &Path, store: &Path, secrets: &Path) -> Setup {
    let yaml = std::fs::read_to_string(example).unwrap();
    let setup = Setup::new(store, &yaml).in_folder(secrets);
    let setup = if yaml.contains("\nreaders:") { setup.reading_with(TOKENS[2].1) } else { setup };
    if yaml.contains("\ntls_server_config:") { setup.trusting(secrets.join("ca.pem")) } else { setup }
}

#[tokio::test]
async fn every_example_starts_takes_a_sample_and_answers() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("examples");
    let mut examples: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    assert!(examples.len() >= 4, "{examples:?}");
    let secrets = secrets();
    for example in examples {
        let mut check = Command::new(env!("CARGO_BIN_EXE_fleetscope"));
        let check = check.arg("check").arg("--config").arg(&example).current_dir(secrets.path()).output();
        assert!(check.as_ref().unwrap().status.success(), "{check:?}");
        let store = tempdir().unwrap();
        let setup = setup(&example, store.path(), secrets.path());
        let server = Server::start(&setup).await;
        let labels = [("__name__", "up"), ("cluster", "berlin"), ("host", "example")];
        // Where no cluster has a token, this one is not looked at.
        let token = format!("Bearer {}", TOKENS[0].1);
        let headers = [&HEADERS[..], &[("authorization", token.as_str())]].concat();
        let (status, text) = server.post("/api/v1/write", &headers, body(&[(&labels, &[(now_ms(), 1.0)])])).await;
        assert!(status.is_success(), "{}: {status} {text}", example.display());
        let rows = server.rows("SELECT name, role, state FROM clusters ORDER BY name").await;
        assert_eq!(rows[0], ["berlin", "active", "ok"], "{}", example.display());
        assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("dublin", "passive"), "{}", example.display());
        server.terminate().await;
    }
}
