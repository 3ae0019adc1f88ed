//! The program as it is called. Also why cargo builds it whenever it runs the tests.

use std::process::Command;

#[test]
fn a_call_without_its_files_is_refused_with_the_usage() {
    let output = Command::new(env!("CARGO_BIN_EXE_oracle")).arg("--late").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("usage: oracle"), "{output:?}");
}
