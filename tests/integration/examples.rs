//! Every file of `examples/` is run as it is.

use std::path::PathBuf;
use std::process::Command;

use tempfile::tempdir;

use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

#[tokio::test]
async fn every_example_starts_takes_a_sample_and_answers() {
    let folder = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap()).join("examples");
    let mut examples: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    assert!(examples.len() >= 2, "{examples:?}");
    for example in examples {
        let check = Command::new(env!("CARGO_BIN_EXE_fleetscope")).arg("check").arg("--config").arg(&example).output();
        assert!(check.as_ref().unwrap().status.success(), "{check:?}");
        let store = tempdir().unwrap();
        let server = Server::start(&Setup::new(store.path(), &std::fs::read_to_string(&example).unwrap())).await;
        write(&server, &[(&[("__name__", "up"), ("cluster", "berlin"), ("host", "example")], &[(now_ms(), 1.0)])])
            .await;
        let rows = server.rows("SELECT name, role, state FROM clusters ORDER BY name").await;
        assert_eq!(rows[0], ["berlin", "active", "ok"], "{}", example.display());
        assert_eq!((rows[1][0].as_str(), rows[1][1].as_str()), ("dublin", "passive"), "{}", example.display());
        server.terminate().await;
    }
}
