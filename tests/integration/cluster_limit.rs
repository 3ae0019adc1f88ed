//! `push.cluster_limit`: whoever pushes without a token cannot make up clusters without end, whatever the signal and the protocol.

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::tempdir;

use crate::otlp_json::{LOGS, SPANS, attributes, request};
use crate::remote_write::{now_ms, write};
use crate::server::{Server, Setup};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];
const REASON: &str = "is new, and there are 2 clusters, the limit for those that a push without a token names is 2 \
                      (push.cluster_limit): give the cluster a token, or raise the limit";

/// A row of each of these clusters in OTLP's JSON.
fn records(names: [&str; 3], row: &Value, clusters: &[&str]) -> Vec<u8> {
    let of_cluster = |cluster: &&str| (attributes(&[("k8s.cluster.name", cluster)]), vec![row.clone()]);
    request(names, clusters.iter().map(of_cluster))
}

fn logs(clusters: &[&str]) -> Vec<u8> {
    let row = json!({ "timeUnixNano": format!("{}000000", now_ms()), "body": { "stringValue": "a line" } });
    records(LOGS, &row, clusters)
}

fn spans(clusters: &[&str]) -> Vec<u8> {
    let row = json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "b7ad6b7169203331", "name": "a span",
        "startTimeUnixNano": format!("{}000000", now_ms()), "endTimeUnixNano": format!("{}000001", now_ms()),
    });
    records(SPANS, &row, clusters)
}

fn streams(clusters: &[&str]) -> Vec<u8> {
    let of_cluster =
        |cluster: &&str| json!({ "stream": { "cluster": cluster }, "values": [[format!("{}000000", now_ms()), "x"]] });
    json!({ "streams": clusters.iter().map(of_cluster).collect::<Vec<_>>() }).to_string().into_bytes()
}

fn bulk(clusters: &[&str]) -> Vec<u8> {
    let document = |cluster: &&str| {
        let document = json!({ "@timestamp": now_ms(), "message": "x", "orchestrator.cluster.name": cluster });
        format!("{{\"create\":{{\"_index\":\"logs\"}}}}\n{document}\n")
    };
    clusters.iter().map(document).collect::<String>().into_bytes()
}

async fn clusters_of(server: &Server, table: &str) -> Vec<String> {
    let sql = format!("SELECT cluster, count(*) FROM {table} GROUP BY 1 ORDER BY 1");
    server.rows(&sql).await.iter().map(|row| row.join(" ")).collect()
}

/// Sends by each protocol a row of each of two clusters that are known and of two that are not.
async fn push(server: &Server) {
    let clusters = ["a", "c", "b", "d"];
    for (path, body, field) in
        [("/v1/logs", logs(&clusters), "rejectedLogRecords"), ("/v1/traces", spans(&clusters), "rejectedSpans")]
    {
        let (status, text) = server.post(path, &JSON, body).await;
        let told: Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &told["partialSuccess"][field]), (StatusCode::OK, &json!("2")), "{text}");
        let message = told["partialSuccess"]["errorMessage"].as_str().unwrap();
        assert!(message.contains(&format!("cluster \"c\" {REASON}; its rows are left out")), "{message}");
        assert!(message.contains("cluster \"d\" is new"), "{message}");
    }
    let (status, text) = server.post("/loki/api/v1/push", &JSON, streams(&clusters)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(text.starts_with("2 rows were not written, the others were: ") && text.contains(REASON), "{text}");
    let ndjson = [("content-type", "application/x-ndjson")];
    let (status, text) = server.post("/elasticsearch/_bulk", &ndjson, bulk(&clusters)).await;
    let told: Value = serde_json::from_str(&text).unwrap();
    let items: Vec<&Value> = told["items"].as_array().unwrap().iter().map(|item| &item["create"]).collect();
    let statuses: Vec<&Value> = items.iter().map(|item| &item["status"]).collect();
    assert_eq!(
        (status, &told["errors"], json!(statuses)),
        (StatusCode::OK, &json!(true), json!([201, 400, 201, 400])),
        "{text}"
    );
    for (item, cluster) in [(&items[1], "c"), (&items[3], "d")] {
        let reason = item["error"]["reason"].as_str().unwrap();
        assert!(reason.starts_with(&format!("cluster {cluster:?} {REASON}")), "{reason}");
    }
}

#[tokio::test]
async fn rows_without_a_token_that_name_a_cluster_too_many_are_left_out_by_every_protocol() {
    let folder = tempdir().unwrap();
    let setup = Setup::new(folder.path(), "push: {cluster_limit: 2}\n");
    let server = Server::start(&setup).await;
    write(&server, &[(&[("__name__", "x"), ("cluster", "a")], &[(now_ms(), 1.0)])]).await;
    let (status, text) = server.post("/v1/traces", &JSON, spans(&["b"])).await;
    assert_eq!((status, text.as_str()), (StatusCode::OK, "{}"));
    push(&server).await;
    server.kill().await;

    let server = Server::start(&setup).await;
    push(&server).await;
    server.terminate().await;

    let server = Server::start(&setup).await;
    push(&server).await;
    assert_eq!(clusters_of(&server, "logs").await, ["a 9", "b 9"]);
    assert_eq!(clusters_of(&server, "spans").await, ["a 3", "b 4"]);
    let counted = server.get("/metrics").await.1;
    let line = r#"fleetscope_push_left_out_total{cluster="",reason="cluster_limit"} 8"#;
    assert!(counted.lines().any(|other| other == line), "{counted}");
    server.terminate().await;
}
