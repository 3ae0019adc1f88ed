use arrow::ipc::reader::StreamReader;
use axum::http::StatusCode;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use tower::ServiceExt;

use super::*;
use crate::config::Config;
use crate::engine::tests::engine_with;
use crate::engine::tests::faults::failing;
use crate::fixture::Fault;

async fn post_to(router: &Router, accept: &str, body: impl Into<Body>) -> (StatusCode, String, Vec<u8>) {
    let request = Request::post("/api/v1/sql").header(ACCEPT, accept).header(CONTENT_TYPE, "application/json");
    let response = router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
    let body =
        to_bytes(response.into_body(), usize::MAX).await.map(|b| b.to_vec()).unwrap_or_else(|_| b"broken".into());
    (status, kind, body)
}

async fn router() -> Router {
    routes(engine_with(Config::default()).await)
}

fn text(body: Vec<u8>) -> String {
    String::from_utf8(body).unwrap()
}

const TWO: &str = r#"{"query": "SELECT ts, cluster, labels, value FROM metrics WHERE name = $name AND ts = '2026-01-01T00:00:00Z' ORDER BY cluster", "params": {"name": "up"}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn json_rows_come_with_their_columns() {
    let (status, kind, body) = post_to(&router().await, "*/*", TWO).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/json"));
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["columns"][0], serde_json::json!({"name": "ts", "type": "Timestamp(ms, \"UTC\")"}));
    let row =
        serde_json::json!({"ts": "2026-01-01T00:00:00Z", "cluster": "east", "labels": {"job": "node"}, "value": 200.0});
    assert_eq!(value["rows"][0], row);
    assert_eq!(value["rows"].as_array().unwrap().len(), 2);
    assert_eq!(value.get("error"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn ndjson_and_csv_come_line_by_line() {
    let router = router().await;
    let (_, kind, body) = post_to(&router, "application/x-ndjson", TWO).await;
    assert_eq!(kind, "application/x-ndjson");
    let lines: Vec<serde_json::Value> = text(body).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["value"], 500.0);
    let (_, _, body) = post_to(&router, "text/csv", TWO).await;
    let expected = "ts,cluster,labels,value\r\n2026-01-01T00:00:00Z,east,\"{\"\"job\"\":\"\"node\"\"}\",200.0\r\n\
                    2026-01-01T00:00:00Z,west,\"{\"\"job\"\":\"\"node\"\"}\",500.0\r\n";
    assert_eq!(text(body), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn nan_null_and_equal_names_survive_json() {
    let query = r#"{"query": "SELECT a.value, b.value, 1e0/0e0 AS i, NULL AS n, '' AS e FROM metric.odd a JOIN metric.odd b ON a.ts = b.ts"}"#;
    let router = router().await;
    let (_, _, body) = post_to(&router, "application/x-ndjson", query).await;
    assert_eq!(text(body), "{\"value\":\"NaN\",\"value_2\":\"NaN\",\"i\":\"+Inf\",\"n\":null,\"e\":\"\"}\n");
    let (_, _, body) = post_to(&router, "text/csv", query).await;
    assert_eq!(text(body), "value,value_2,i,n,e\r\nNaN,NaN,+Inf,,\"\"\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn arrow_and_parquet_are_readable_by_stock_readers() {
    let router = router().await;
    let (_, _, body) = post_to(&router, "application/vnd.apache.arrow.stream", TWO).await;
    let rows: usize = StreamReader::try_new(body.as_slice(), None).unwrap().map(|b| b.unwrap().num_rows()).sum();
    assert_eq!(rows, 2);
    let (_, _, body) = post_to(&router, "application/vnd.apache.parquet", TWO).await;
    let batches: Vec<_> =
        ParquetRecordBatchReader::try_new(Bytes::from(body), 100).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(|b| b.num_rows()).sum::<usize>(), 2);
    assert_eq!(batches[0].schema().field(1).name(), "cluster");
}

#[tokio::test(flavor = "multi_thread")]
async fn warnings_of_promql_come_behind_the_rows_in_every_format() {
    let router = router().await;
    let query = r#"{"query": "SELECT value FROM promql('quantile(2, rate(cpu[30s]))', '2026-01-01T00:01:00Z')"}"#;
    let (_, _, body) = post_to(&router, "*/*", query).await;
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["rows"], serde_json::json!([{"value": "+Inf"}]));
    let (warnings, infos) = (&value["warnings"], &value["infos"]);
    assert!(warnings[0].as_str().unwrap().ends_with("(1:10)") && warnings[1].is_null(), "{warnings}");
    assert!(infos[0].as_str().unwrap().contains("might not be a counter"), "{infos}");
    for accept in
        ["*/*", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream", "application/x-parquet"]
    {
        let request = Request::post("/api/v1/sql").header(ACCEPT, accept).body(Body::from(query)).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()[TRAILER], "fleetscope-warnings, fleetscope-infos");
        let body = response.into_body().collect().await.unwrap();
        let trailers = body.trailers().unwrap();
        for (name, expected) in [("fleetscope-warnings", warnings), ("fleetscope-infos", infos)] {
            let told: serde_json::Value = serde_json::from_slice(trailers[name].as_bytes()).unwrap();
            assert_eq!(&told, expected, "{accept}");
        }
    }
    let (_, _, body) = post_to(&router, "*/*", r#"{"query": "SELECT 1 AS one FROM promql('1')"}"#).await;
    assert_eq!(text(body).lines().last(), Some("]}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_name_kind_message_and_place() {
    let router = router().await;
    let (status, _, body) = post_to(&router, "*/*", r#"{"query": "SELECT 1 +"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["kind"], "invalid");
    let (status, _, body) = post_to(&router, "*/*", r#"{"query": "SELECT wrong\nFROM metrics"}"#).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(value["position"], serde_json::json!({"line": 1, "column": 8}));
    for (body, expected) in [
        ("not json", StatusCode::BAD_REQUEST),
        (r#"{"query": "SELECT 1", "surprise": 1}"#, StatusCode::BAD_REQUEST),
        (r#"{"query": "SELECT $1", "params": [[1]]}"#, StatusCode::BAD_REQUEST),
        (r#"{"query": "DROP TABLE metrics"}"#, StatusCode::FORBIDDEN),
        ("{}", StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(post_to(&router, "*/*", body).await.0, expected, "{body}");
    }
    let large = format!(r#"{{"query": "SELECT '{}'"}}"#, "x".repeat(1 << 20));
    assert_eq!(post_to(&router, "*/*", large).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    let long = format!(r#"{{"query": "SELECT '{}'"}}"#, "x".repeat(70 << 10));
    assert_eq!(post_to(&router, "*/*", long).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post_to(&router, "image/png", TWO).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_fails_on_its_way_is_broken_off() {
    let router = routes(engine_with(Config { max_rows: 20_000, ..Config::default() }).await);
    let query = r#"{"query": "SELECT value FROM generate_series(1, 100000)"}"#;
    for accept in ["application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"] {
        let (status, _, body) = post_to(&router, accept, query).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, b"broken".as_slice()), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_panics_on_its_way_is_broken_off() {
    let router = routes(failing(Fault::Panic).await);
    let query = r#"{"query": "SELECT ts, value FROM metrics"}"#;
    for accept in ["application/json", "application/x-ndjson", "text/csv", "application/vnd.apache.arrow.stream"] {
        let (status, _, body) = post_to(&router, accept, query).await;
        assert_eq!((status, body.as_slice()), (StatusCode::OK, b"broken".as_slice()), "{accept}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_takes_too_long_is_a_timeout() {
    let router = router().await;
    let late = model::Error::new(ErrorKind::Timeout, "the body was not complete after 1m");
    let body = Body::from_stream(futures::stream::iter([Ok(Bytes::from_static(b"{")), Err(late)]));
    let (status, _, body) = post_to(&router, "*/*", body).await;
    assert_eq!(status, StatusCode::GATEWAY_TIMEOUT, "{}", text(body));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_of_promql_may_have_less_time_than_is_configured() {
    let router = router().await;
    let ask = async |query: &str| {
        let request = Request::get(format!("/prometheus/api/v1/query?{query}")).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        (status, text(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()))
    };
    let long = "query=sum(quantile_over_time(0.5,vector(time())[11d:1s]))&time=1767225600&timeout";
    let error = r#"{"error":"the query took longer than 0.001 s, select less or raise the timeout of the request","errorType":"timeout","status":"error"}"#;
    assert_eq!(ask(&format!("{long}=1ms")).await, (StatusCode::SERVICE_UNAVAILABLE, error.to_owned()));
    let (status, body) = ask(&format!("{long}=soon")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert!(body.contains(r#"invalid parameter \"timeout\": cannot parse \"soon\" to a valid duration"#), "{body}");
    let (status, body) = ask("query=count(cpu)&time=1767225600&timeout=10m").await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_tell_of_clusters_that_send_nothing() {
    let router = router().await;
    let ask = async |path: &str| {
        let request = Request::get(format!("/prometheus/api/v1/{path}")).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        serde_json::from_slice::<serde_json::Value>(&body).unwrap()["data"].clone()
    };
    let clusters = ask("label/cluster/values?match[]=cluster_info").await;
    assert_eq!(clusters, serde_json::json!(["east", "moon"]));
    let names = ask("labels?match[]=cluster_info").await;
    assert_eq!(names, serde_json::json!(["__name__", "cluster", "region", "role"]));
    let series = ask("series?match[]=cluster_info%7Bregion=%22eu%22%7D").await;
    let east = serde_json::json!([{"__name__": "cluster_info", "cluster": "east", "region": "eu", "role": "active"}]);
    assert_eq!(series, east);
    assert_eq!(ask("series?match[]=cluster_info%7Bcluster=%22west%22%7D").await, serde_json::json!([]));
}
