//! Shippers that push to an Elasticsearch: what they ask first, what is taken, and what each item is told.

use std::sync::Arc;
use std::time::Duration;

use collector::config::{ClusterConfig, ReceiverConfig, TokenConfig};
use collector::{Config, Token};
use model::{Error, ErrorKind};
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::loki_push::gzipped;
use crate::remote_write::Served;
use crate::support::recorder::Recorder;

const TIME: &str = "2023-11-14T22:13:20.5Z";
const NANOS: i64 = 1_700_000_000_500_000_000;
const TOKEN: &str = "the-token-of-berlin";

async fn start() -> Served {
    serve(&Config::default()).await
}

async fn serve(config: &Config) -> Served {
    Served::start_whole(config, Arc::new(Recorder::default())).await
}

fn ask(served: &Served, method: Method, path: &str) -> RequestBuilder {
    reqwest::Client::new().request(method, format!("http://{}{path}", served.address))
}

fn bulk(served: &Served, body: impl Into<Vec<u8>>) -> RequestBuilder {
    ask(served, Method::POST, "/_bulk").header("content-type", "application/x-ndjson").body(body.into())
}

/// Status and body of an answer, which must be one that clients of Elasticsearch read.
async fn answer(response: Response) -> (u16, Value) {
    assert_eq!(response.headers()["x-elastic-product"], "Elasticsearch");
    assert_eq!(response.headers()["content-type"], "application/json");
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap() })
}

async fn send(request: RequestBuilder) -> (u16, Value) {
    answer(request.send().await.unwrap()).await
}

/// An action and its document.
fn create(message: &str) -> String {
    format!("{{\"create\":{{\"_index\":\"logs\"}}}}\n{}\n", json!({ "@timestamp": TIME, "message": message }))
}

fn bodies(served: &Served) -> Vec<String> {
    served.bench.recorder.log_rows().into_iter().map(|row| row.body).collect()
}

#[tokio::test]
async fn each_item_is_told_what_became_of_it_in_the_order_of_the_body() {
    let served = start().await;
    let document = json!({ "@timestamp": TIME, "message": "b", "kubernetes": { "namespace": "prod" }, "user": "ann" });
    let body = [
        create("a"),
        format!("{{\"index\":{{\"_id\":\"7\"}}}}\n{document}\n"),
        "{\"delete\":{\"_index\":\"logs\",\"_id\":\"7\"}}\n".to_owned(),
        "{\"update\":{\"_id\":\"8\"}}\n{\"doc\":{}}\n".to_owned(),
        "{\"create\":{}}\n{\"message\":\n".to_owned(),
        create("c"),
    ]
    .concat();
    let (status, answer) = send(ask(&served, Method::PUT, "/app%2D1/_bulk?pipeline=x").body(body.clone())).await;
    assert!(status == 200 && answer["took"].is_u64() && answer["errors"] == true, "{status} {answer}");
    let items = answer["items"].as_array().unwrap();
    let created = json!({ "create": { "_index": "logs", "status": 201, "result": "created" } });
    assert_eq!((items.len(), &items[0], &items[5]), (6, &created, &created));
    assert_eq!(items[1], json!({ "index": { "_index": "app-1", "_id": "7", "status": 201, "result": "created" } }));
    assert_eq!((&items[2]["delete"]["status"], &items[2]["delete"]["_id"]), (&json!(400), &json!("7")));
    assert_eq!(items[2]["delete"]["error"]["type"], "illegal_argument_exception");
    assert_eq!(items[3]["update"]["status"], 400);
    assert_eq!(items[4]["create"]["error"]["type"], "document_parsing_exception");
    let reason = items[4]["create"]["error"]["reason"].as_str().unwrap();
    assert!(reason.contains("line 9, column 12"), "{reason}");

    assert_eq!(bodies(&served), ["a", "b", "c"]);
    let row = &served.bench.recorder.log_rows()[1];
    assert_eq!((row.time_unix_nano, row.attributes.as_str()), (NANOS, "user=ann"));
    assert_eq!(row.resource, "elasticsearch.index=app-1,kubernetes.namespace=prod");
    let status = served.bench.status();
    assert_eq!((status.kind, status.samples), ("elasticsearch", 3));
    assert!(status.error.unwrap().starts_with("3 rows were not written, the others were: "));
    let counter = |series: &str| served.bench.counter(&format!("fleetscope_log_push_{series}"));
    assert_eq!(counter("requests_total{protocol=\"elasticsearch\",code=\"200\"}"), 1);
    assert_eq!(counter("rows_total{protocol=\"elasticsearch\"}"), 3);
    assert_eq!(counter("refused_rows_total{protocol=\"elasticsearch\"}"), 3);
    assert_eq!(counter("decoded_bytes_total{protocol=\"elasticsearch\"}"), body.len() as u64);
    assert_eq!(served.bench.counter("fleetscope_push_left_out_total{cluster=\"\",reason=\"invalid_row\"}"), 3);
}

#[tokio::test]
async fn every_way_to_the_bulk_route_leads_there() {
    let served = start().await;
    for (number, path) in
        ["/_bulk", "/logs/_bulk", "/elasticsearch/_bulk", "/elasticsearch/logs/_bulk"].iter().enumerate()
    {
        for method in [Method::POST, Method::PUT] {
            let (status, answer) = send(ask(&served, method, path).body(create("a"))).await;
            assert_eq!((status, &answer["errors"]), (200, &json!(false)), "{path}");
        }
        assert_eq!(bodies(&served).len(), 2 * (number + 1));
    }
    let packed = bulk(&served, gzipped(create("packed").as_bytes())).header("content-encoding", "gzip");
    assert_eq!(send(packed).await.0, 200);
    assert_eq!(bodies(&served).last().unwrap(), "packed");
    let (status, answer) = send(bulk(&served, "")).await;
    assert_eq!((status, &answer["items"]), (200, &json!([])));
    let got = ask(&served, Method::GET, "/_bulk").send().await.unwrap();
    assert_eq!(got.status().as_u16(), 405);
}

#[tokio::test]
async fn what_shippers_ask_first_lets_them_go_on() {
    let served = start().await;
    for prefix in ["", "/elasticsearch"] {
        for path in ["/", "/_license", "/_xpack", "/_nodes/http", "/_cluster/health"] {
            let path = format!("{prefix}{path}");
            let (status, told) = send(ask(&served, Method::GET, &path)).await;
            assert!(status == 200 && told.is_object(), "{path}: {status} {told}");
            assert_eq!(send(ask(&served, Method::HEAD, &path)).await, (200, Value::Null), "{path}");
        }
        let info = send(ask(&served, Method::GET, &format!("{prefix}/"))).await.1;
        assert!(info["version"]["number"].as_str().unwrap().starts_with("8."), "{info}");
        let license = send(ask(&served, Method::GET, &format!("{prefix}/_license?human=false"))).await.1;
        assert_eq!(license["license"]["status"], "active");
        assert_eq!(send(ask(&served, Method::GET, &format!("{prefix}/_nodes/http"))).await.1["nodes"], json!({}));
        for kind in ["_index_template", "_component_template", "_template", "_ilm/policy", "_ingest/pipeline"] {
            let path = format!("{prefix}/{kind}/filebeat-8.19.0");
            assert_eq!(send(ask(&served, Method::HEAD, &path)).await, (404, Value::Null), "{path}");
            let large = json!({ "template": "x".repeat(1 << 20) }).to_string();
            let (status, told) = send(ask(&served, Method::PUT, &path).body(large)).await;
            assert_eq!((status, &told["acknowledged"]), (200, &json!(true)), "{path}");
            // Nothing was kept, and nothing else is said.
            let (status, told) = send(ask(&served, Method::GET, &path)).await;
            assert_eq!((status, &told["error"]["type"]), (404, &json!("resource_not_found_exception")), "{path}");
        }
    }
    assert_eq!(send(ask(&served, Method::GET, "/elasticsearch")).await.0, 200);
    // An index that a client makes before it writes to it.
    assert_eq!(send(ask(&served, Method::HEAD, "/elasticsearch/logs")).await.0, 404);
    assert_eq!(send(ask(&served, Method::PUT, "/elasticsearch/logs")).await.0, 200);
    assert_eq!(send(ask(&served, Method::GET, "/elasticsearch/logs/_search")).await.0, 404);
    assert_eq!((served.bench.recorder.offered(), served.bench.sources.all().len()), (0, 0));
}

#[tokio::test]
async fn who_is_not_known_is_told_nothing() {
    let token = TokenConfig::Sha256(Token::parse(TOKEN).unwrap().hash());
    let berlin = ClusterConfig { name: "berlin".into(), tokens: vec![token], ..ClusterConfig::default() };
    let served = serve(&Config { clusters: vec![berlin], ..Config::default() }).await;
    // `id:the-token-of-berlin`, as clients show an API key.
    let api_key = "ApiKey aWQ6dGhlLXRva2VuLW9mLWJlcmxpbg==";
    let all = [(Method::GET, "/"), (Method::PUT, "/elasticsearch/_index_template/x"), (Method::POST, "/_bulk")];
    for (method, path) in all {
        let request = || ask(&served, method.clone(), path).body(create("a"));
        let response = request().send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer, Basic realm=\"fleetscope\"");
        let (status, told) = answer(response).await;
        assert_eq!((status, &told["error"]["type"]), (401, &json!("security_exception")), "{path}");
        assert_eq!(send(request().bearer_auth("the-token-of-nobody")).await.0, 401, "{path}");
        assert_eq!(send(request().basic_auth("elastic", Some(TOKEN))).await.0, 200, "{path}");
        assert_eq!(send(request().header("authorization", api_key)).await.0, 200, "{path}");
        assert_eq!(send(request().bearer_auth(TOKEN)).await.0, 200, "{path}");
    }
    let clusters: Vec<String> = served.bench.recorder.log_rows().into_iter().map(|row| row.cluster).collect();
    assert_eq!(clusters, ["berlin"; 3]);
    assert_eq!(served.bench.counter("fleetscope_push_refused_total{cluster=\"\",reason=\"unauthorized\"}"), 6);
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_whole() {
    let served = start().await;
    let long = format!("/{}/_bulk", "x".repeat(256));
    let no_action = create("a") + "{\"created\":{}}\n{}\n";
    let cases = [
        ("no action", bulk(&served, no_action), 400, "line 3, column 2"),
        ("no JSON", bulk(&served, "x\n"), 400, "line 1, column 1"),
        ("no gzip", bulk(&served, "{}").header("content-encoding", "gzip"), 400, "gzip"),
        ("no encoding", bulk(&served, "{}").header("content-encoding", "br"), 400, "gzip"),
        ("a long index", ask(&served, Method::POST, &long).body(create("a")), 400, "limit is 255"),
        ("too much", bulk(&served, vec![b' '; (16 << 20) + 1]), 413, "log_push.body_size_limit"),
        ("many actions", bulk(&served, "{\"delete\":{}}\n".repeat(500_001)), 413, "500000 rows"),
    ];
    for (name, request, code, expected) in cases {
        let (status, told) = send(request).await;
        let reason = told["error"]["reason"].as_str().unwrap();
        assert!(status == code && reason.contains(expected), "{name}: {status} {told}");
        assert_eq!(
            (&told["status"], &told["error"]["root_cause"][0]["reason"]),
            (&json!(code), &json!(reason)),
            "{name}"
        );
        assert_eq!(served.bench.status().error.unwrap(), reason, "{name}");
    }
    assert_eq!(served.bench.recorder.offered(), 0);
    assert_eq!(send(bulk(&served, create("a"))).await.0, 200, "the next one is served");
}

#[tokio::test]
async fn a_large_request_is_answered_item_by_item() {
    let served = start().await;
    let body: String =
        (0..50_000).map(|n| if n % 2 == 0 { create("a") } else { "{\"index\":{}}\n1\n".into() }).collect();
    let (status, answer) = send(bulk(&served, body)).await;
    let items = answer["items"].as_array().unwrap();
    assert_eq!((status, items.len(), served.bench.recorder.log_rows().len()), (200, 50_000, 25_000));
    let is_told = |(n, item): (usize, &Value)| match n % 2 {
        0 => item["create"]["status"] == 201,
        _ => item["index"]["status"] == 400 && item["index"]["error"]["reason"].is_string(),
    };
    assert!(items.iter().enumerate().all(is_told));
}

#[tokio::test]
async fn where_there_is_no_room_it_is_429_as_elasticsearch_says_it() {
    let served = start().await;
    let cases = [
        (Error::new(ErrorKind::Busy, "no room").with_retry_after(Duration::from_secs(2)), 429, Some("2")),
        (Error::new(ErrorKind::Unavailable, "no journal"), 503, Some("5")),
        (Error::new(ErrorKind::Invalid, "a time"), 400, None),
        (Error::internal("a fault"), 500, None),
    ];
    for (error, code, after) in cases {
        let text = error.to_string();
        served.bench.recorder.fail([error]);
        let response = bulk(&served, create("a")).send().await.unwrap();
        let told = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told.as_deref(), after);
        let (status, told) = answer(response).await;
        assert_eq!((status, &told["error"]["reason"]), (code, &json!(text)));
    }
    assert!(bodies(&served).is_empty());
}

#[tokio::test]
async fn a_reload_changes_the_limits() {
    let mut served = start().await;
    let log_push = ReceiverConfig { body_size_limit: 10, ..ReceiverConfig::default() };
    served.bench.collectors.reload(&Config { log_push, ..Config::default() }).await.unwrap();
    assert_eq!(send(bulk(&served, create("a"))).await.0, 413);
    served.bench.collectors.reload(&Config::default()).await.unwrap();
    assert_eq!(send(bulk(&served, create("a"))).await.0, 200);
}
