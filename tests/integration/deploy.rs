//! What `deploy/` says must be true of the binary: the unit is one for systemd, the image is built with our compiler.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::tempdir;

use crate::server::{Server, Setup};

fn file(path: &str) -> String {
    let top = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").unwrap());
    std::fs::read_to_string(top.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The value of a key of the unit.
fn value<'a>(unit: &'a str, key: &str) -> &'a str {
    unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn systemd_takes_the_unit_as_it_is_and_finds_it_confined() {
    let folder = tempdir().unwrap();
    // It looks for the program, which is not installed here.
    let binary = env!("CARGO_BIN_EXE_fleetscope");
    let unit = file("deploy/fleetscope.service").replace("/usr/local/bin/fleetscope", binary);
    let path = folder.path().join("fleetscope.service");
    std::fs::write(&path, &unit).unwrap();
    let analyze = |arguments: &[&str]| {
        let mut command = Command::new("systemd-analyze");
        let done = command.args(arguments).arg(&path).stdin(Stdio::null()).output();
        let done = done.unwrap_or_else(|e| panic!("systemd-analyze: {e}: run make setup"));
        let text = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        assert!(done.status.success(), "{arguments:?}: {text}");
        text
    };
    let complaints = analyze(&["verify"]);
    assert!(complaints.lines().all(|line| !line.contains("fleetscope.service")), "{complaints}");
    // Ten is open to everything, in tenths here; most services are above nine.
    analyze(&["security", "--offline=true", "--threshold=15"]);
}

#[tokio::test]
async fn the_command_of_the_unit_serves() {
    let unit = file("deploy/fleetscope.service");
    let folder = tempdir().unwrap();
    let config = folder.path().join("fleetscope.yaml");
    std::fs::write(&config, "listen: 127.0.0.1:0\n").unwrap();
    let command = value(&unit, "ExecStart").replace("/etc/fleetscope/fleetscope.yaml", config.to_str().unwrap());
    let mut arguments = command.split(' ').map(str::to_owned);
    assert_eq!(arguments.next().as_deref(), Some("/usr/local/bin/fleetscope"));
    let here = folder.path().join("state");
    std::fs::create_dir(&here).unwrap();
    assert_eq!(value(&unit, "WorkingDirectory"), format!("/var/lib/{}", value(&unit, "StateDirectory")));
    let setup = Setup { arguments: arguments.collect(), ..Setup::new(folder.path(), "listen: 127.0.0.1:0\n") };
    let server = Server::start(&setup.in_folder(&here)).await;
    assert!(here.join("data/samples").is_dir(), "the store is in the working directory");
    server.terminate().await;
}

#[test]
fn the_image_is_built_with_our_compiler() {
    let (image, workspace) = (file("deploy/Dockerfile"), file("Cargo.toml"));
    let version = workspace.lines().find_map(|line| line.strip_prefix("rust-version = ")).unwrap().trim_matches('"');
    assert!(image.contains(&format!("FROM rust:{version}-alpine AS build\n")), "Rust {version}: {image}");
    assert!(image.contains("\nUSER 65532:65532\n") && image.contains("\nFROM scratch\n"), "{image}");
}
