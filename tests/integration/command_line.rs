//! `check`, `query` and `--help`.

use tempfile::tempdir;

use crate::peers::fleetscope;
use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

#[test]
fn check_names_file_line_column_and_the_key_that_was_meant() {
    let folder = tempdir().unwrap();
    let file = folder.path().join("f.yaml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, "storage:\n  cut_evry: 1m\n").unwrap();
    let (code, _, stderr) = fleetscope(&["check", "--config", path]);
    assert_eq!(code, Some(2));
    assert_eq!(stderr, format!("fleetscope: {path}:2:3: unknown key \"cut_evry\", did you mean \"cut_every\"\n"));
    std::fs::write(&file, "clusters: [{name: a}]\n").unwrap();
    let (code, stdout, _) = fleetscope(&["check", "--config", path]);
    assert_eq!((code, stdout), (Some(0), format!("{path}: ok, 1 clusters, 0 scrape jobs, 0 federated sources\n")));
    let (code, _, stderr) = fleetscope(&["check", "--config", "/nowhere.yaml"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("/nowhere.yaml: cannot be read"), "{stderr}");
}

#[test]
fn help_has_examples_signals_and_the_environment() {
    let (code, stdout, _) = fleetscope(&["--help"]);
    assert_eq!(code, Some(0));
    assert!(stdout.contains("Examples:") && stdout.contains("SIGHUP") && stdout.contains("Exit codes:"), "{stdout}");
    let (_, stdout, _) = fleetscope(&["serve", "--help"]);
    assert!(stdout.contains("FLEETSCOPE_CONFIG") && stdout.contains("--set-aside-damaged"), "{stdout}");
}

#[tokio::test]
async fn query_prints_rows_in_three_forms_and_errors_in_the_servers_words() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    write(&server, &[(&[("__name__", "load"), ("cluster", "berlin")], &[(now_ms(), 1.5)])]).await;
    let url = server.url("");
    let ask = |format: &str, sql: &str| fleetscope(&["query", "--server", &url, "--format", format, sql]);
    let sql = "SELECT cluster, value FROM metrics WHERE name = 'load'";
    assert_eq!(ask("csv", sql), (Some(0), "cluster,value\r\nberlin,1.5\r\n".into(), String::new()));
    assert_eq!(ask("table", sql).1, "cluster  value\n-------  -----\nberlin     1.5\n(1 row)\n");
    let (_, json, _) = ask("json", sql);
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(json.to_string().contains("berlin"), "{json}");
    let (code, _, stderr) = ask("table", "SELECT * FROM metricks");
    assert_eq!(code, Some(2));
    assert!(stderr.contains("metricks") && stderr.contains("metrics"), "{stderr}");
    server.terminate().await;
    let (code, _, stderr) = ask("table", sql);
    assert_eq!(code, Some(1));
    assert!(stderr.contains("cannot reach"), "{stderr}");
}
