//! Clients of Loki and of Elasticsearch beside the binary: what they push is read back over SQL, field by field, out of memory
//! and, once the server was started again, out of Parquet.
//!
//! Elastic's client is its own, and that of Loki's JSON is one that applications use. For Loki's protobuf none was found in
//! Debian or on PyPI: that client is written by hand from the protocol, so a misreading of it may be on both sides.

use serde_json::json;
use tempfile::tempdir;

use crate::access::clusters;
use crate::peers::python;
use crate::remote_write::now_ms;
use crate::server::{Server, Setup};

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
