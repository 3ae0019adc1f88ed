//! Who pushes, and how much: tokens, limits, and what is said to whom.

use std::path::Path;
use std::sync::Arc;

use collector::config::{Bytes, ClusterConfig, LimitsConfig, TokenConfig};
use collector::{Config, Token};

use crate::remote_write::{Served, answer, small_body};
use crate::support::PATIENCE;
use crate::support::recorder::{Recorder, Row};
use crate::support::sender::body;

const BERLIN: &str = "the-token-of-berlin";
const DUBLIN: &str = "the-token-of-dublin";
const NOBODY: &str = "the-token-of-nobody";

fn hashed(token: &str) -> TokenConfig {
    TokenConfig::Sha256(Token::parse(token).unwrap().hash())
}

fn cluster(name: &str, token: TokenConfig) -> ClusterConfig {
    ClusterConfig { name: name.into(), tokens: vec![token], ..ClusterConfig::default() }
}

fn two_clusters() -> Config {
    let clusters = vec![cluster("berlin", hashed(BERLIN)), cluster("dublin", hashed(DUBLIN))];
    Config { clusters, ..Config::default() }
}

async fn serve(config: &Config) -> Served {
    Served::start_whole(config, Arc::new(Recorder::default())).await
}

/// Sends a body with a bearer token and gives status and text of the answer.
async fn push(served: &Served, token: &str, body: Vec<u8>) -> (u16, String) {
    answer(served.request(body).bearer_auth(token).send().await.unwrap()).await
}

/// Cluster and text of each row.
fn rows(served: &Served) -> Vec<(String, String)> {
    served.rows().iter().map(|row: &Row| (row.cluster.clone(), row.text())).collect()
}

fn refused(served: &Served, cluster: &str, reason: &str) -> u64 {
    let series = format!("fleetscope_push_refused_total{{cluster=\"{cluster}\",reason=\"{reason}\"}}");
    served.bench.counter(&series)
}

fn left_out(served: &Served, cluster: &str, reason: &str) -> u64 {
    let series = format!("fleetscope_push_left_out_total{{cluster=\"{cluster}\",reason=\"{reason}\"}}");
    served.bench.counter(&series)
}

#[tokio::test]
async fn the_token_decides_the_cluster_whatever_the_labels_say() {
    let served = serve(&two_clusters()).await;
    let sent = || body(&[(&[("__name__", "a"), ("cluster", "berlin")], &[(1, 1.0)])]);
    assert_eq!(push(&served, BERLIN, sent()).await, (204, String::new()));
    let basic = served.request(sent()).basic_auth("anyone", Some(DUBLIN)).send().await.unwrap();
    assert_eq!(answer(basic).await.0, 204);
    let expected = [("berlin", "a{} 1 1"), ("dublin", "a{exported_cluster=berlin} 1 1")];
    assert_eq!(rows(&served), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    let mut on_board: Vec<_> = served.bench.sources.all().into_iter().map(|status| status.cluster).collect();
    on_board.sort();
    assert_eq!(on_board, ["berlin", "dublin"]);
}

#[tokio::test]
async fn an_unknown_token_is_told_nothing_and_leaves_nothing() {
    let served = serve(&two_clusters()).await;
    let all = [
        served.request(small_body()),
        served.request(small_body()).bearer_auth(NOBODY),
        served.request(small_body()).bearer_auth(&BERLIN[1..]),
        served.request(small_body()).basic_auth(BERLIN, Some("")),
        served.request(small_body()).header("authorization", format!("Token {BERLIN}")),
        // Who is not known is not told either what is wrong with his request.
        served.request(vec![0; 100]).header("content-type", "text/plain"),
    ];
    for request in all {
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer, Basic realm=\"fleetscope\"");
        let (status, text) = answer(response).await;
        // The same words to all: they tell how to be known, and not what was wrong.
        let expected =
            "unauthorized: show the token of a cluster, as a bearer token or as the password of basic authentication\n";
        assert_eq!((status, text.as_str()), (401, expected));
    }
    assert_eq!(refused(&served, "", "unauthorized"), 6);
    assert_eq!((served.bench.recorder.offered(), served.bench.sources.all().len()), (0, 0));
    assert_eq!(served.bench.counter("fleetscope_remote_write_requests_total{code=\"401\"}"), 6);
}

#[tokio::test]
async fn without_a_token_a_push_comes_in_where_that_is_allowed_but_not_into_a_guarded_cluster() {
    let mut config = two_clusters();
    config.push.allow_anonymous = true;
    let served = serve(&config).await;
    let sent = body(&[
        (&[("__name__", "a"), ("cluster", "paris")], &[(1, 1.0)]),
        (&[("__name__", "b"), ("cluster", "berlin")], &[(1, 2.0)]),
        (&[("__name__", "c")], &[(1, 3.0)]),
    ]);
    assert_eq!(served.send(sent).await, (204, String::new()));
    assert_eq!(push(&served, NOBODY, small_body()).await.0, 401);
    let expected = [("paris", "a{} 1 1"), ("", "c{} 3 1"), ("", "b{exported_cluster=berlin} 2 1")];
    assert_eq!(rows(&served), expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

/// Puts a file in place whole.
fn put(path: &Path, text: &str) {
    std::fs::write(path.with_extension("fresh"), text).unwrap();
    std::fs::rename(path.with_extension("fresh"), path).unwrap();
}

/// Pushes until the answer has this status.
async fn until(served: &Served, token: &str, status: u16) {
    let pushing = async {
        while push(served, token, small_body()).await.0 != status {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, pushing).await.unwrap_or_else(|_| panic!("never {status} for {token}"));
}

#[tokio::test]
async fn a_file_of_tokens_rotates_while_the_server_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("berlin");
    put(&path, BERLIN);
    let file = cluster("berlin", TokenConfig::File(path.clone()));
    let mut served = serve(&Config { clusters: vec![file], ..Config::default() }).await;
    let failing = |served: &Served| served.bench.counter("fleetscope_push_token_files_failing{cluster=\"berlin\"}");
    assert_eq!((push(&served, BERLIN, small_body()).await.0, push(&served, DUBLIN, small_body()).await.0), (204, 401));
    put(&path, &format!("{BERLIN}\n{DUBLIN}\n"));
    until(&served, DUBLIN, 204).await;
    assert_eq!(push(&served, BERLIN, small_body()).await.0, 204);
    put(&path, DUBLIN);
    until(&served, BERLIN, 401).await;
    assert_eq!(failing(&served), 0);
    std::fs::remove_file(&path).unwrap();
    let noticed = async {
        while failing(&served) == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, noticed).await.expect("the file is gone");
    assert_eq!(push(&served, DUBLIN, small_body()).await.0, 204, "the last good content counts");
    served.bench.collectors.reload(&two_clusters()).await.unwrap();
    assert_eq!((push(&served, BERLIN, small_body()).await.0, push(&served, NOBODY, small_body()).await.0), (204, 401));
}

#[tokio::test]
async fn what_is_too_much_is_refused_with_limit_and_amount_and_counted_by_reason() {
    let mut config = two_clusters();
    config.clusters[0].limits = LimitsConfig {
        body_size_limit: Some(Bytes(2000)),
        decoded_size_limit: Some(Bytes(4000)),
        label_limit: Some(2),
        label_value_length_limit: Some(10),
        ..LimitsConfig::default()
    };
    let served = serve(&config).await;
    // What snappy cannot make smaller.
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        char::from(b'!' + (state >> 33) as u8 % 90)
    };
    let noise: String = (0..3000).map(|_| next()).collect();
    let cases = [
        (
            "request_size",
            body(&[(&[("__name__", "a"), ("x", &noise)], &[(1, 1.0)])]),
            "the limit is 2000 bytes (body_size_limit of push.limits or of the cluster's limits)",
        ),
        ("request_size", body(&[(&[("__name__", "a"), ("x", &"x".repeat(10_000))], &[(1, 1.0)])]), "4000"),
    ];
    for (number, (reason, sent, expected)) in cases.into_iter().enumerate() {
        let (status, text) = push(&served, BERLIN, sent).await;
        // Who has sent little that becomes much has sent a bad request.
        assert_eq!(status, [413, 400][number], "{reason}: {text}");
        assert!(text.contains(expected), "{reason}: {text}");
        assert_eq!(refused(&served, "berlin", reason), 1 + number as u64, "{text}");
    }
    let cases = [
        (body(&[(&[("__name__", "a"), ("x", "1"), ("y", "2"), ("z", "3")], &[(1, 1.0)])]), "more than 2 labels"),
        (body(&[(&[("__name__", "a"), ("x", "12345678901")], &[(1, 1.0)])]), "has 11 bytes, the limit is 10"),
    ];
    for (number, (sent, expected)) in cases.into_iter().enumerate() {
        let (status, text) = push(&served, BERLIN, sent).await;
        assert!(status == 400 && text.contains(expected), "{status}: {text}");
        assert_eq!(left_out(&served, "berlin", "label_limit"), 1 + number as u64, "{text}");
    }
    // Others have their own.
    let sent = body(&[(&[("__name__", "a"), ("x", "1"), ("y", "2"), ("z", &noise)], &[(1, 1.0)])]);
    assert_eq!(push(&served, DUBLIN, sent).await.0, 204);
}

#[tokio::test]
async fn above_its_rate_a_cluster_is_told_when_to_come_again_and_others_go_on() {
    let mut config = two_clusters();
    config.clusters[0].limits = LimitsConfig { sample_rate_limit: Some(100), ..LimitsConfig::default() };
    let served = serve(&config).await;
    let samples: Vec<(i64, f64)> = (0..5000).map(|n| (n, 0.0)).collect();
    let sent = || body(&[(&[("__name__", "a")], &samples)]);
    assert_eq!(push(&served, BERLIN, sent()).await.0, 204, "in credit");
    let response = served.request(sent()).bearer_auth(BERLIN).send().await.unwrap();
    let wait: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((30..=40).contains(&wait), "{wait}");
    // Not 429, at which a Prometheus drops what it sent.
    let (status, text) = answer(response).await;
    assert_eq!(status, 503);
    assert!(text.starts_with("cluster berlin: limit 100 samples per second (sample_rate_limit)"), "{text}");
    assert_eq!((served.rows().len(), refused(&served, "berlin", "sample_rate")), (5000, 1));
    assert_eq!(push(&served, DUBLIN, sent()).await.0, 204);
}

#[tokio::test]
async fn rows_of_the_future_are_left_out_and_the_rest_is_written() {
    let served = serve(&two_clusters()).await;
    let far = 32_000_000_000_000;
    let sent = body(&[(&[("__name__", "a")], &[(1, 1.0), (far, 2.0)])]);
    let (status, text) = push(&served, BERLIN, sent).await;
    assert_eq!(status, 400, "{text}");
    assert!(
        text.starts_with("1 row was not written, the others were: the time 32000000000000 ms of series a"),
        "{text}"
    );
    assert_eq!(rows(&served), [("berlin".to_owned(), "a{} 1 1".to_owned())]);
    assert_eq!(left_out(&served, "berlin", "out_of_range"), 1);
    assert_eq!(served.bench.status().error.unwrap(), text.trim());
}

#[tokio::test]
async fn one_token_for_two_clusters_is_no_configuration() {
    let mut config = two_clusters();
    config.clusters[1].tokens.push(hashed(BERLIN));
    let error = config.validate().unwrap_err().to_string();
    assert!(error.contains("cluster \"berlin\"") && error.contains("cluster \"dublin\""), "{error}");
    let mut stamped = two_clusters();
    stamped.push.cluster = Some("berlin".into());
    assert!(stamped.validate().unwrap_err().to_string().contains("has tokens"));
}
