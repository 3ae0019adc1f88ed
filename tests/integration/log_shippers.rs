//! Clients of Loki and of Elasticsearch beside the binary: what they push is read back over SQL, field by field, out of memory
//! and, once the server was started again, out of Parquet.
//!
//! Elastic's client is its own, rsyslog is Debian's, and that of Loki's JSON is one that applications use. For Loki's protobuf none was found in
//! Debian or on PyPI: that client is written by hand from the protocol, so a misreading of it may be on both sides.

use std::path::Path;

use serde_json::json;
use tempfile::tempdir;

use crate::access::clusters;
use crate::peers::{python, spawn};
use crate::remote_write::now_ms;
use crate::server::{PATIENCE, Server, Setup, eventually};

#[tokio::test]
async fn what_clients_of_loki_push_is_read_back_field_by_field() {
    let folder = tempdir().unwrap();
    // Three requests of three streams with 32 rows each, by hand; 30 rows of an application's logging.
    let clients = [("protobuf", 288), ("json", 288), ("handler", 30)];
    let (yaml, secrets) = clusters(clients.map(|(client, _)| client.to_owned()));
    let setup = Setup::new(folder.path(), &yaml);
    let server = Server::start(&setup).await;
    let (seed, kept) = (now_ms().to_string(), folder.path().join("rows.json").to_string_lossy().into_owned());
    println!("seed {seed}");
    for ((client, count), (cluster, secret)) in clients.into_iter().zip(&secrets) {
        let arguments = [&server.url(""), cluster, client, &secret.token, &seed, &kept];
        let verdict: serde_json::Value = serde_json::from_str(&python("compare_loki_push.py", &arguments)).unwrap();
        assert_eq!(verdict, json!({ "logs": count }), "{client}");
    }
    server.terminate().await;
    let server = Server::start(&setup).await;
    assert_eq!(python("compare_again.py", &[&server.url(""), &kept]), "606 rows\n");
    server.terminate().await;
}

#[tokio::test]
async fn what_elastics_own_client_sends_is_read_back_field_by_field() {
    let folder = tempdir().unwrap();
    let (yaml, secrets) = clusters(["berlin".to_owned()]);
    let setup = Setup::new(folder.path(), &yaml);
    let server = Server::start(&setup).await;
    let (seed, kept) = (now_ms().to_string(), folder.path().join("rows.json").to_string_lossy().into_owned());
    println!("seed {seed}");
    let arguments = [&server.url(""), "berlin", &secrets[0].1.token, &seed, &kept];
    let verdict: serde_json::Value = serde_json::from_str(&python("compare_elasticsearch.py", &arguments)).unwrap();
    // Three ways to show the token, each with 60 documents that are all good and 60 with two wrong ones among them.
    assert_eq!(verdict, json!({ "logs": 360 }));
    let refused = "fleetscope_log_push_refused_rows_total{protocol=\"elasticsearch\"}";
    assert_eq!(server.metric(refused).await, Some(6.0));
    server.terminate().await;
    let server = Server::start(&setup).await;
    assert_eq!(python("compare_again.py", &[&server.url(""), &kept]), "360 rows\n");
    server.terminate().await;
}

/// Has rsyslog ship the lines of a file, as documents of its own making.
fn rsyslog(folder: &Path, port: u16, token: &str) -> String {
    let folder = folder.display();
    format!(
        r#"global(workDirectory="{folder}" localHostname="node-7")
module(load="imfile")
module(load="omelasticsearch")
template(name="document" type="list" option.jsonf="on") {{
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
  property(outname="host.name" name="hostname" format="jsonf")
  property(outname="level" name="syslogseverity-text" format="jsonf")
  property(outname="service.name" name="programname" format="jsonf")
  property(outname="facility" name="syslogfacility-text" format="jsonf")
}}
input(type="imfile" file="{folder}/lines.log" tag="till" severity="warning" facility="local3")
action(type="omelasticsearch" server="127.0.0.1" serverport="{port}" template="document" searchIndex="logs-till"
       searchType="" bulkmode="on" uid="any" pwd="{token}" errorFile="{folder}/errors")
"#
    )
}

#[tokio::test]
async fn lines_that_rsyslog_ships_are_read_back() {
    let folder = tempdir().unwrap();
    let (yaml, secrets) = clusters(["berlin".to_owned()]);
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let mut lines: Vec<Vec<u8>> = (0..500).map(|line| format!("line {line}").into_bytes()).collect();
    let odd = ["zwölf \"Körbe\" \\ 日本 💡", "\ttab \u{1b}[31mred", "line 7", "{\"a\": [1, null]}", "  blanks  "];
    lines.extend(odd.map(|line| line.as_bytes().to_vec()));
    // Latin 1: rsyslog puts it into its documents as it is.
    lines.push(b"caf\xe9".to_vec());
    std::fs::write(folder.path().join("lines.log"), [lines.join(&b'\n'), b"\n".to_vec()].concat()).unwrap();
    let config = folder.path().join("rsyslog.conf");
    std::fs::write(&config, rsyslog(folder.path(), server.address.port(), &secrets[0].1.token)).unwrap();
    let text = |path: &Path| path.to_string_lossy().into_owned();
    let arguments = ["-n".into(), "-f".into(), text(&config), "-i".into(), text(&folder.path().join("pid"))];
    let begin_ms = now_ms();
    let shipper = spawn("/usr/sbin/rsyslogd", &arguments, &folder.path().join("rsyslog.log"));

    let count = lines.len() as u64;
    let is_there = async || (server.number("SELECT count(*) FROM logs").await >= count).then_some(());
    eventually("all lines are there", PATIENCE, is_there).await;
    drop(shipper);
    let since = format!("BETWEEN to_timestamp_millis({begin_ms}) AND now()");
    let in_time = format!("SELECT count(*) FROM logs WHERE ts {since} AND observed_ts {since}");
    assert_eq!(server.number(&in_time).await, count);
    let mut found = Vec::new();
    for mut row in server.objects("SELECT * FROM logs").await {
        let columns = row.as_object_mut().unwrap();
        columns.retain(|column, _| !["ts", "observed_ts"].contains(&column.as_str()));
        found.push(columns.remove("body").unwrap().as_str().unwrap().to_owned());
        let shared = json!({
            "cluster": "berlin", "service": "till", "namespace": "", "pod": "", "container": "", "node": "",
            "severity_number": 13, "severity_text": "warning", "trace_id": null, "span_id": null, "flags": 0,
            "scope_name": "", "scope_version": "", "attributes": {"facility": "local3"},
            "resource": {"host.name": "node-7", "service.name": "till", "elasticsearch.index": "logs-till"},
        });
        assert_eq!(row, shared);
    }
    let mut sent: Vec<String> = lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    found.sort();
    sent.sort();
    assert_eq!(found, sent);
    server.terminate().await;
}
