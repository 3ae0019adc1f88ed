//! Queries through a real socket: PromQL in SQL, whose turn it is when places are scarce, and clients that hang up.

use std::net::{IpAddr, Ipv4Addr};

use reqwest::header::AUTHORIZATION;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::tempdir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::access::Secret;
use crate::remote_write::{now_ms, write};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// A million million pairs: hours.
const ENDLESS: &str = "SELECT count(*) FROM generate_series(1, 1000000) a, generate_series(1, 1000000) b \
                       WHERE a.value <> b.value";
/// One place, and time enough for whatever happens to it.
const ONE_PLACE: &str = "query: {max_concurrent: 1, queue_timeout: 5m, timeout: 10m, max_rows: 100000000}\n";

const RUNNING: &str = "fleetscope_queries_running";
const WAITING: &str = "fleetscope_queries_waiting";

/// Two clusters that have answered requests for ten minutes, the second one twice as many; returns when that ended, in seconds.
async fn write_requests(server: &Server) -> i64 {
    let end = now_ms() / 60_000 * 60;
    for (cluster, rate) in [("berlin", 15.0), ("dublin", 30.0)] {
        let labels = [("__name__", "requests_total"), ("cluster", cluster), ("job", "api")];
        let samples: Vec<(i64, f64)> = (0..=40).map(|n| ((end - 600 + n * 15) * 1000, n as f64 * rate)).collect();
        write(server, &[(&labels, &samples)]).await;
    }
    end
}

/// A statement as JSON.
async fn ask(server: &Server, request: Value) -> (StatusCode, Value) {
    let (status, text) = server.post("/api/v1/sql", &[], request.to_string().into_bytes()).await;
    (status, serde_json::from_str(&text).unwrap())
}

#[tokio::test]
async fn promql_is_a_table_in_sql() {
    let folder = tempdir().unwrap();
    let yaml = "clusters: [{name: berlin, region: de}, {name: dublin, region: ie}]\n";
    let server = Server::start(&Setup::new(folder.path(), yaml)).await;
    let end = write_requests(&server).await;
    let sql = "SELECT p.cluster, c.region, count(*) AS steps, round(max(p.value), 6) AS rate \
               FROM promql('sum by (cluster) (rate(requests_total[1m]))', $1, $2, INTERVAL '1 minute') p \
               JOIN clusters c ON c.name = p.cluster WHERE p.value > 0.5 GROUP BY 1, 2 ORDER BY 1";
    let (status, answer) = ask(&server, json!({"query": sql, "params": [end - 300, end]})).await;
    let row = |cluster: &str, region: &str, rate: f64| json!({"cluster": cluster, "region": region, "steps": 6, "rate": rate});
    assert_eq!(
        (status, &answer["rows"]),
        (StatusCode::OK, &json!([row("berlin", "de", 1.0), row("dublin", "ie", 2.0)]))
    );
    // The same numbers as the other API gives.
    let path = format!("/prometheus/api/v1/query?query=sum(requests_total)&time={end}");
    let (_, api) = server.get(&path).await;
    let sql = format!("SELECT value FROM promql('sum(requests_total)', {end})");
    let rows = server.rows(&sql).await;
    assert_eq!(rows, [["1800.0"]]);
    assert!(api.contains(&format!("\"value\":[{end},\"1800\"]")), "{api}");
    let (status, error) = ask(&server, json!({"query": "SELECT * FROM promql('rate(requests_total)')"})).await;
    assert_eq!((status, &error["kind"]), (StatusCode::BAD_REQUEST, &json!("invalid")));
    assert!(error["message"].as_str().unwrap().contains("1:6: parse error: expected type range vector"), "{error}");
    server.terminate().await;
}

#[tokio::test]
async fn warnings_of_promql_come_as_trailers_to_who_wants_them() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "")).await;
    let end = write_requests(&server).await;
    let sql = format!("SELECT cluster, value FROM promql('quantile(2, requests_total)', {end})");
    let (_, answer) = ask(&server, json!({"query": sql})).await;
    let warnings = answer["warnings"].to_string();
    assert!(warnings.contains("quantile value should be between 0 and 1, got 2"), "{answer}");
    let body = json!({"query": sql}).to_string();
    for (wish, expected) in [("TE: trailers\r\nConnection: TE, close\r\n", true), ("Connection: close\r\n", false)] {
        let mut socket = TcpStream::connect(server.address).await.unwrap();
        let head = format!(
            "POST /api/v1/sql HTTP/1.1\r\nHost: fleetscope\r\nAccept: text/csv\r\n{wish}Content-Length: {}\r\n\r\n",
            body.len()
        );
        socket.write_all(format!("{head}{body}").as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("trailer: fleetscope-warnings, fleetscope-infos\r\n"), "{answer}");
        let (_, behind) = answer.split_once("\r\n0\r\n").unwrap();
        assert_eq!(behind == format!("fleetscope-warnings: {warnings}\r\n\r\n"), expected, "{answer}");
        assert_eq!(behind == "\r\n", !expected, "{answer}");
    }
    server.terminate().await;
}

/// Waits until so many queries run and wait.
async fn until(server: &Server, running: f64, waiting: f64) {
    eventually(&format!("{running} run and {waiting} wait"), PATIENCE, async || {
        let found = (server.metric(RUNNING).await?, server.metric(WAITING).await?);
        (found == (running, waiting)).then_some(())
    })
    .await;
}

fn statement(server: &Server, client: &Client, sql: &str) -> RequestBuilder {
    client.post(server.url("/api/v1/sql")).body(json!({"query": sql}).to_string())
}

/// The whole answer: its head comes before its rows.
async fn answer(request: RequestBuilder) -> reqwest::Result<(StatusCode, String)> {
    let answer = request.send().await?;
    Ok((answer.status(), answer.text().await?))
}

/// One client takes the only place and fills the queue; another one asks for little and waits for one query of the first, not
/// for all. Each of both sends its requests as `as_client` makes them.
async fn who_asks_for_little_is_answered(server: Server, as_client: impl Fn(usize, RequestBuilder) -> RequestBuilder) {
    let clients = [127, 126].map(|last| {
        let own = IpAddr::V4(Ipv4Addr::new(127, 0, 0, last));
        Client::builder().local_address(own).build().unwrap()
    });
    let mut hog = Vec::new();
    for number in 0..6 {
        let mut asked = JoinSet::new();
        asked.spawn(answer(as_client(0, statement(&server, &clients[0], ENDLESS))));
        hog.push(asked);
        until(&server, 1.0, f64::from(number)).await;
    }
    let mut modest = JoinSet::new();
    modest.spawn(answer(as_client(1, statement(&server, &clients[1], "SELECT 1 AS one"))));
    until(&server, 1.0, 6.0).await;
    // Whoever hangs up frees a place: first one of the hog gets it, and then it is the other's turn.
    drop(hog.remove(0));
    until(&server, 1.0, 5.0).await;
    assert!(modest.try_join_next().is_none(), "it was not its turn yet");
    drop(hog.remove(0));
    let (status, text) = modest.join_next().await.unwrap().unwrap().unwrap();
    assert!(status == StatusCode::OK && text.contains("{\"one\":1}"), "{status}: {text}");
    until(&server, 1.0, 3.0).await;
    // Those that still wait leave the queue when they hang up.
    drop(hog);
    until(&server, 0.0, 0.0).await;
    server.terminate().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_take_turns() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), ONE_PLACE)).await;
    who_asks_for_little_is_answered(server, |_, request| request).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_take_turns_wherever_they_come_from() {
    let folder = tempdir().unwrap();
    let secrets = [Secret::new(), Secret::new()];
    let hashes = secrets.each_ref().map(|secret| format!("{{sha256: {}}}", secret.hash));
    let yaml = format!("{ONE_PLACE}readers: {{tokens: [{}]}}\n", hashes.join(", "));
    let server = Server::start(&Setup::new(folder.path(), &yaml).reading_with(&secrets[1].token)).await;
    let bearer = secrets.map(|secret| format!("Bearer {}", secret.token));
    who_asks_for_little_is_answered(server, |who, request| request.header(AUTHORIZATION, &bearer[who])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_frees_its_place() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), ONE_PLACE)).await;
    let client = Client::new();
    let long = "sum(quantile_over_time(0.5, vector(time())[9d:1s]))";
    let (start, end) = (1_767_225_600, 1_767_236_600);
    let prometheus = |path: &str, times: &[(&str, i64)]| {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("query", long).extend_pairs(times.iter().map(|(name, value)| (name, value.to_string())));
        let request = client.post(server.url(&format!("/prometheus/api/v1/{path}")));
        request.header("content-type", "application/x-www-form-urlencoded").body(form.finish())
    };
    let in_sql = format!("SELECT max(value) FROM promql('{long}', {start}, {end}, 1)");
    let range = [("start", start), ("end", end), ("step", 1)];
    for (what, request) in [
        ("SQL", statement(&server, &client, ENDLESS)),
        ("promql() in SQL", statement(&server, &client, &in_sql)),
        ("query_range", prometheus("query_range", &range)),
    ] {
        let mut asked = JoinSet::new();
        asked.spawn(answer(request));
        until(&server, 1.0, 0.0).await;
        assert!(asked.try_join_next().is_none(), "{what} was answered at once");
        drop(asked);
        until(&server, 0.0, 0.0).await;
    }
    // In the middle of an answer, too.
    let rows = "SELECT value FROM generate_series(1, 10000000)";
    let mut answer = statement(&server, &client, rows).send().await.unwrap();
    assert!(answer.chunk().await.unwrap().is_some());
    assert_eq!(server.metric(RUNNING).await, Some(1.0));
    drop(answer);
    until(&server, 0.0, 0.0).await;
    assert_eq!(server.metric("fleetscope_queries_stuck").await, Some(0.0));
    assert_eq!(server.metric("fleetscope_queries_timed_out_total").await, Some(0.0));
    server.terminate().await;
}
