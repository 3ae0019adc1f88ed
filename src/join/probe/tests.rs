use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use model::time::ManualClock;
use model::worker::Worker;
use tokio::net::TcpListener;

use super::*;
use crate::join::ask::Access;

/// A server that has these external labels and does not say much else.
pub(in crate::join) fn labelled(labels: &[(&str, &str)]) -> Found {
    let external_labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let interval = Duration::from_secs(15);
    Found {
        version: Ok("2.42.0".into()),
        config: Ok(ServerConfig { external_labels, interval, shortest_interval: None }),
        retention: Ok("15d".into()),
        series: Ok(Figure { value: 1000.0, origin: "by a query" }),
        samples_per_second: Ok(Figure { value: 66.6, origin: "a guess" }),
        remote_read: Err("not asked".into()),
        skew: Skew { ahead_ms: 0, uncertain_ms: 0 },
    }
}

/// What each question whose path and parameters contain a text is answered; the first that fits. All others: 404.
type Answers = Arc<Vec<(&'static str, &'static str)>>;

async fn answer(State(answers): State<Answers>, uri: Uri, RawQuery(query): RawQuery) -> Response {
    let asked = format!("{}?{}", uri.path(), query.unwrap_or_default());
    match answers.iter().find(|(part, _)| asked.contains(part)) {
        Some((_, data)) => {
            let body = format!(r#"{{"status":"success","data":{data}}}"#);
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        None => (StatusCode::NOT_FOUND, "404 page not found\n").into_response(),
    }
}

/// What is found of a server that answers so, by a clock that stands at 100 s.
async fn found(answers: &[(&'static str, &'static str)]) -> Result<Found, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Url::parse(&format!("http://{}/below", listener.local_addr().unwrap())).unwrap();
    let router = Router::new().fallback(answer).with_state(Arc::new(answers.to_vec()));
    let _worker = Worker::task("server", |_| async move { axum::serve(listener, router).await.unwrap() });
    let client = Client::new(&Access::default(), Duration::from_secs(30)).unwrap();
    probe(&client, &server, &ManualClock::new(100_000)).await
}

const TIME: (&str, &str) = ("/below/api/v1/query?query=time", r#"{"resultType":"scalar","result":[103.25,"103.25"]}"#);
const NOTHING: &str = r#"{"resultType":"vector","result":[]}"#;
const SEVEN: &str = r#"{"resultType":"vector","result":[{"metric":{},"value":[100,"7.5"]}]}"#;
const HEAD: (&str, &str) = ("/below/api/v1/status/tsdb", r#"{"headStats":{"numSeries":300}}"#);
const CONFIG: (&str, &str) = ("/below/api/v1/status/config", r#"{"yaml":"global: {scrape_interval: 30s}"}"#);

#[tokio::test]
async fn a_server_that_answers_queries_alone_is_told_as_far_as_it_goes() {
    let found = found(&[TIME, ("count%28%7B", SEVEN), ("query=", NOTHING)]).await.unwrap();
    assert_eq!(found.skew, Skew { ahead_ms: 3_250, uncertain_ms: 0 });
    assert_eq!(found.series, Ok(Figure { value: 7.5, origin: "by a query" }));
    let reasons = [found.version.err(), found.retention.err(), found.remote_read.err(), found.config.err()];
    for reason in reasons {
        assert_eq!(reason.as_deref(), Some("it answered 404 Not Found: 404 page not found"));
    }
    assert_eq!(found.samples_per_second, Err("it has not scraped for five minutes".into()));
}

#[tokio::test]
async fn the_rate_of_samples_comes_from_where_it_is_known_best() {
    let origin = async |answers: &[_]| {
        let found = found(answers).await.unwrap();
        found.samples_per_second.map(|figure| (figure.value, figure.origin))
    };
    let best = origin(&[TIME, HEAD, CONFIG, ("samples_appended", SEVEN)]).await;
    assert_eq!(best, Ok((7.5, "by its own counter, over five minutes")));
    let scraped = ("scrape_samples_post", SEVEN);
    let second = origin(&[TIME, HEAD, CONFIG, ("samples_appended", NOTHING), scraped]).await;
    assert_eq!(second, Ok((7.5, "by its scrapes of five minutes, without what its rules add")));
    let third = origin(&[TIME, HEAD, CONFIG, ("query=", NOTHING)]).await;
    assert_eq!(third, Ok((10.0, "a guess: each series once in an interval")));
}

#[tokio::test]
async fn whoever_does_not_know_the_time_is_no_prometheus() {
    let never = ("query=time", r#"{"resultType":"scalar","result":[1,"NaN"]}"#);
    let far = ("query=time", r#"{"resultType":"scalar","result":[1,"1e300"]}"#);
    for answers in [&[][..], &[HEAD, CONFIG], &[("query=time", NOTHING)], &[never], &[far]] {
        let error = found(answers).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    }
}

#[test]
fn its_own_counter_is_the_one_with_about_as_many_series() {
    assert!(appended(1000.0).contains("(prometheus_tsdb_head_series >= 800 <= 1250)"), "{}", appended(1000.0));
}
