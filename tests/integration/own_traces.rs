//! The server's traces of itself: they reach whoever is named, himself too, and never make more of themselves.

use std::net::TcpListener;

use tempfile::tempdir;

use crate::peers::fleetscope;
use crate::server::{PATIENCE, Server, Setup, eventually};

/// Batches of spans are sent after this time, in milliseconds; a variable of OpenTelemetry's SDK.
const DELAY: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "100");

fn ask(server: &Server, sql: &str) -> String {
    let (code, answer, error) = fleetscope(&["query", "--server", &server.url(""), "--format", "csv", sql]);
    assert_eq!(code, Some(0), "{sql}: {error}");
    answer.lines().skip(1).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_and_queries_are_traced_and_belong_together() {
    let (here, there) = (tempdir().unwrap(), tempdir().unwrap());
    let receiver = Server::start(&Setup::new(there.path(), "").with_otlp()).await;
    let endpoint = receiver.beside("OTLP over gRPC").await;
    let yaml = format!("telemetry: {{otlp_endpoint: \"http://{endpoint}\"}}\nstorage: {{cut_every: 1s}}\n");
    let server = Server::start(&Setup::new(here.path(), &yaml).with_env(DELAY.0, DELAY.1)).await;
    // A caller that traces itself is the parent.
    let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let request = reqwest::Client::new().post(server.url("/api/v1/sql")).header("traceparent", parent);
    let answer = request.body(r#"{"query": "SELECT 42 AS answer"}"#).send().await.unwrap();
    assert!(answer.status().is_success());
    ask(&server, "SELECT count(*) FROM series");
    let traced = "SELECT request.kind, request.name, request.parent_span_id, query.name, query.attributes['db.query.text'], \
                  request.attributes['http.response.status_code'], request.service \
                  FROM spans query JOIN spans request ON query.parent_span_id = request.span_id \
                  WHERE request.trace_id = '0af7651916cd43dd8448eb211c80319c'";
    let expected = "server,POST /api/v1/sql,b7ad6b7169203331,query,SELECT 42 AS answer,200,fleetscope";
    eventually("the trace is there", PATIENCE, async || (ask(&receiver, traced) == expected).then_some(())).await;
    let bad = fleetscope(&["query", "--server", &server.url(""), "SELECT nothing"]);
    assert_ne!(bad.0, Some(0));
    let failed = "SELECT status, status_message LIKE '%nothing%' FROM spans WHERE name = 'query' AND status = 'error'";
    eventually("a failure is told", PATIENCE, async || (ask(&receiver, failed) == "error,true").then_some(())).await;
    server.terminate().await;
    receiver.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_traces_to_itself_makes_no_loop() {
    let folder = tempdir().unwrap();
    // Its own address must be known before it starts.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let yaml = format!(
        "telemetry: {{otlp_endpoint: \"http://127.0.0.1:{port}\"}}\notlp_listen: {{grpc: \"127.0.0.1:{port}\"}}\n\
         storage: {{cut_every: 1h}}\n"
    );
    let mut setup = Setup::new(folder.path(), &yaml).with_env(DELAY.0, DELAY.1);
    setup.environment.retain(|(name, _)| name != "FLEETSCOPE_OTLP_GRPC_LISTEN");
    let server = Server::start(&setup).await;
    // Only the requests of this test are traced: how many there are follows from how many were made.
    let requests = "SELECT count(*) FROM spans WHERE name = 'POST /api/v1/sql'";
    let others = "SELECT count(*) FROM spans WHERE name NOT IN ('POST /api/v1/sql', 'query', 'GET /readyz')";
    let mut made = 0;
    for _ in 0..5 {
        let all_are_there = async || {
            let before = made;
            made += 1;
            // Of the question itself the span comes later.
            (ask(&server, requests).parse::<u64>().unwrap() == before).then_some(())
        };
        eventually("every request is there once", PATIENCE, all_are_there).await;
    }
    assert_eq!(ask(&server, others), "0");
    server.terminate().await;
}
