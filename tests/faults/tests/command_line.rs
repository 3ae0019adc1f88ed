//! The program as it is called. Also why cargo builds it whenever it runs the tests.

use std::process::Command;

#[test]
fn rules_that_cannot_be_read_are_refused() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_faulty-server"));
    let output = command.arg("--help").env("FLEETSCOPE_FAULTS", "sync,now").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("sync,now"), "{output:?}");
    let output = command.env_remove("FLEETSCOPE_FAULTS").output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("serve"), "{output:?}");
}
