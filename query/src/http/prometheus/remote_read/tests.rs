use axum::Router;
use axum::http::{Request, StatusCode};
use decode::remote_read::{Frames, Part, decode_chunks, decode_samples, encode_request};
use futures::StreamExt;
use model::batch::STALE_NAN_BITS;
use model::labels::LabelsBuilder;
use model::time::{MAX_TIME_MS, MIN_TIME_MS};
use tower::ServiceExt;

use super::*;
use crate::config::Config;
use crate::engine::tests::engine_with;
use crate::engine::tests::faults::failing;
use crate::fixture::Fault;
use crate::promql::labels::LabelSet;

/// 2026-01-01T00:00:00Z, when the series of the tests begin.
const START: i64 = 1_767_225_600_000;
const SAMPLES: &[ResponseType] = &[ResponseType::Samples];
const CHUNKS: &[ResponseType] = &[ResponseType::StreamedXorChunks];

/// The labels of a series, and the times and bits of its samples.
type Found = Vec<(Vec<(String, String)>, Vec<(i64, u64)>)>;

async fn post(router: &Router, body: Vec<u8>) -> (StatusCode, String, Result<Bytes, String>) {
    let request = Request::post("/prometheus/api/v1/read").body(Body::from(body)).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let content_type = response.headers().get(CONTENT_TYPE).map_or("", |value| value.to_str().unwrap()).to_owned();
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.map_err(|e| e.to_string());
    (status, content_type, body)
}

fn query(matchers: &[(&str, Operator, &str)], start_ms: i64, end_ms: i64) -> Query {
    let matcher = |(label, operator, value): &(&str, Operator, &str)| decode::remote_read::Matcher {
        label: (*label).to_owned(),
        operator: *operator,
        value: (*value).to_owned(),
    };
    Query { time_ms: start_ms..=end_ms, matchers: matchers.iter().map(matcher).collect(), hints: None }
}

fn found(part: &Part, into: &mut Found) {
    let mut builder = LabelsBuilder::default();
    for index in 0..part.batch.series.len() {
        let key = part.batch.key(index, &mut builder).unwrap();
        let labels = LabelSet::of(&key).iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let of_series = part.batch.samples.iter().filter(|sample| sample.series as usize == index);
        into.push((labels, of_series.map(|sample| (sample.time_ms, sample.value.to_bits())).collect()));
    }
}

fn unsnapped(body: &Bytes) -> Bytes {
    decompress(ContentEncoding::Snappy, body, &Limits::default()).unwrap()
}

fn framed(stream: &[u8]) -> Bytes {
    let mut frames = Frames::new(&Limits::default());
    frames.push(stream).unwrap();
    frames.finish().unwrap()
}

async fn ask(router: &Router, query: &Query, accepted: &[ResponseType]) -> Found {
    let (status, content_type, body) = post(router, encode_request(query, accepted).unwrap()).await;
    let body = body.unwrap();
    assert_eq!(status, StatusCode::OK, "{body:?}");
    assert_eq!(content_type, accepted[0].content_type());
    let (all, limits, mut series) = (MIN_TIME_MS..=MAX_TIME_MS, Limits::default(), Found::new());
    let part = match accepted[0] {
        ResponseType::Samples => decode_samples(&unsnapped(&body), all, &limits),
        ResponseType::StreamedXorChunks => decode_chunks(&framed(&body), all, &limits),
    };
    found(&part.unwrap(), &mut series);
    series
}

#[tokio::test(flavor = "multi_thread")]
async fn both_forms_have_all_samples_in_order_of_labels() {
    let router = crate::http::routes(engine_with(Config::default()).await);
    let all = query(&[("__name__", Operator::Matches, "cpu|up")], START - 1_000, START + 300_000);
    let series = ask(&router, &all, SAMPLES).await;
    assert_eq!(ask(&router, &all, CHUNKS).await, series);
    let labels: Vec<_> = series.iter().map(|(labels, _)| labels.clone()).collect();
    assert_eq!(labels.len(), 6);
    assert!(labels.is_sorted(), "{labels:?}");
    let first = [("__name__", "cpu"), ("cluster", "east"), ("cpu", "0"), ("instance", "east-0"), ("mode", "idle")];
    assert_eq!(labels[0], first.map(|(name, value)| (name.to_owned(), value.to_owned())));
    // 210 seconds, one sample before them; the one that was rewritten is there once.
    let samples = &series[0].1;
    assert_eq!(samples.len(), 211);
    assert!(samples.is_sorted_by_key(|(time_ms, _)| *time_ms));
    assert_eq!(samples[11], (START + 10_000, 0.123f64.to_bits()));
    // The other one has ended for a moment.
    assert!(series[1].1.contains(&(START + 50_000, STALE_NAN_BITS)));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_of_the_range_belong_to_it() {
    let router = crate::http::routes(engine_with(Config::default()).await);
    let matchers =
        [("__name__", Operator::Equal, "cpu"), ("cpu", Operator::NotEqual, "1"), ("x", Operator::MatchesNot, ".+")];
    for form in [SAMPLES, CHUNKS] {
        let series = ask(&router, &query(&matchers, START + 20_000, START + 22_000), form).await;
        let times: Vec<Vec<i64>> = series.iter().map(|(_, samples)| samples.iter().map(|s| s.0).collect()).collect();
        assert_eq!(times, [[START + 20_000, START + 21_000, START + 22_000]; 2]);
        assert!(ask(&router, &query(&matchers, START + 22_000, START + 21_000), form).await.is_empty());
        // Series that nobody sends are there as in any other answer, and no range is too long to be said.
        let info =
            query(&[("__name__", Operator::Equal, "cluster_info"), ("cluster", Operator::Equal, "east")], START, START);
        let series = ask(&router, &info, form).await;
        assert_eq!(series[0].1, [(START, 1.0f64.to_bits())]);
        let ever =
            query(&[("__name__", Operator::Equal, "up"), ("cluster", Operator::Equal, "west")], i64::MIN, i64::MAX);
        assert_eq!(ask(&router, &ever, form).await[0].1.len(), 210);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_lists_series_gets_no_samples() {
    // Not one sample may be read.
    let router = crate::http::routes(engine_with(Config { max_samples: 0, ..Config::default() }).await);
    let cpu = query(&[("__name__", Operator::Matches, "cpu|cluster_info")], i64::MIN, i64::MAX);
    let hints = decode::remote_read::Hints { function: ABOUT_LABELS.to_owned(), ..Default::default() };
    let cpu = Query { hints: Some(hints), ..cpu };
    let (status, _, body) = post(&router, encode_request(&cpu, SAMPLES).unwrap()).await;
    let message = unsnapped(&body.unwrap());
    // Each series names itself.
    let names = |bytes: &[u8]| bytes.windows(10).filter(|window| *window == b"\x0a\x08__name__").count();
    assert_eq!((status, names(&message)), (StatusCode::OK, 6));
    let (status, _, body) = post(&router, encode_request(&cpu, CHUNKS).unwrap()).await;
    assert_eq!((status, names(&framed(&body.unwrap()))), (StatusCode::OK, 6));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_query_of_a_request_has_its_result() {
    let router = crate::http::routes(engine_with(Config::default()).await);
    let up = |cluster| [("__name__", Operator::Equal, "up"), ("cluster", Operator::Equal, cluster)];
    let queries = [
        query(&up("nowhere"), START, START),
        query(&up("west"), START, START),
        query(&up("east"), START + 1, START),
        query(&up("east"), START, START + 1_000),
    ];
    // Messages one behind the other are one, with the fields of all.
    let together = |accepted: &[ResponseType]| {
        let message = |query| unsnapped(&encode_request(query, accepted).unwrap().into());
        let message = queries.iter().map(message).collect::<Vec<_>>().concat();
        snap::raw::Encoder::new().compress_vec(&message).unwrap()
    };
    let (status, _, body) = post(&router, together(SAMPLES)).await;
    let message = unsnapped(&body.unwrap());
    assert_eq!((status, &message[..2]), (StatusCode::OK, &[0x0a, 0][..]), "the first result is there and empty");
    let mut lengths = Vec::new();
    let mut rest = &message[..];
    while let [0x0a, length @ 0..0x80, content @ ..] = rest {
        lengths.push(*length);
        rest = &content[usize::from(*length)..];
    }
    assert!(rest.is_empty());
    assert!(lengths.len() == 4 && lengths[1] > 0 && lengths[2] == 0 && lengths[3] > lengths[1], "{lengths:?}");
    let (_, _, body) = post(&router, together(CHUNKS)).await;
    let stream = body.unwrap();
    // The index stands at the end of a frame: of the first one before the length of the second.
    let end = usize::from(stream[0]) + 5;
    assert_eq!(stream[end - 2..end], [0x10, 1]);
    assert_eq!(stream[stream.len() - 2..], [0x10, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_in_words() {
    let router = crate::http::routes(engine_with(Config::default()).await);
    let pack = |message: &[u8]| snap::raw::Encoder::new().compress_vec(message).unwrap();
    let wrong = query(&[("job", Operator::Matches, "a(")], 0, 1);
    for (body, says) in [
        (b"no snappy".to_vec(), "snappy"),
        (pack(&[0x0a, 200]), "byte"),
        (pack(&[0x12, 1, 9]), "none of the accepted response types is known"),
        (encode_request(&wrong, SAMPLES).unwrap(), "the matcher of the label \"job\" is wrong"),
    ] {
        let (status, _, answer) = post(&router, body).await;
        let answer = String::from_utf8(answer.unwrap().to_vec()).unwrap();
        assert_eq!(status, StatusCode::BAD_REQUEST, "{answer}");
        assert!(answer.contains(says), "{answer}");
    }
    let (status, ..) = post(&router, vec![0; 2 << 20]).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    let request = Request::post("/prometheus/api/v1/read").header(CONTENT_ENCODING, "gzip").body(Body::empty());
    assert_eq!(router.clone().oneshot(request.unwrap()).await.unwrap().status(), StatusCode::BAD_REQUEST);
    let get = Request::get("/prometheus/api/v1/read").body(Body::empty()).unwrap();
    assert_eq!(router.oneshot(get).await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_queries_hold() {
    let cpu = query(&[("__name__", Operator::Equal, "cpu")], START, START + 300_000);
    let long = query(&[("__name__", Operator::Equal, &"x".repeat(65 << 10))], START, START);
    for (config, query, says) in [
        (Config { max_samples: 500, ..Config::default() }, &cpu, "query.max_samples"),
        (Config { max_rows: 3, ..Config::default() }, &cpu, "query.max_rows"),
        (Config { query_memory_bytes: 1 << 10, ..Config::default() }, &cpu, ""),
        (Config::default(), &long, "the limit is 65536"),
    ] {
        let router = crate::http::routes(engine_with(config).await);
        for form in [SAMPLES, CHUNKS] {
            let (status, _, answer) = post(&router, encode_request(query, form).unwrap()).await;
            let answer = String::from_utf8_lossy(&answer.unwrap()).into_owned();
            assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{answer}");
            assert!(answer.contains(says), "{answer}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_fails_on_its_way_says_why_and_is_broken_off() {
    let router = crate::http::routes(engine_with(Config { max_samples: 300, ..Config::default() }).await);
    let message = |matchers: &[(&str, Operator, &str)]| {
        let query = query(matchers, START, START + 300_000);
        unsnapped(&encode_request(&query, CHUNKS).unwrap().into())
    };
    let first = message(&[("__name__", Operator::Equal, "up"), ("cluster", Operator::Equal, "east")]);
    let second = message(&[("__name__", Operator::Equal, "cpu")]);
    let body = snap::raw::Encoder::new().compress_vec(&[first, second].concat()).unwrap();
    let request = Request::post("/prometheus/api/v1/read").body(Body::from(body)).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let pieces: Vec<_> = response.into_body().into_data_stream().collect().await;
    let [Ok(frames), Ok(text), Err(_)] = &pieces[..] else { panic!("{pieces:?}") };
    let (all, mut series) = (MIN_TIME_MS..=MAX_TIME_MS, Found::new());
    found(&decode_chunks(&framed(frames), all, &Limits::default()).unwrap(), &mut series);
    assert_eq!(series[0].1.len(), 210);
    assert!(String::from_utf8_lossy(text).contains("query.max_samples"), "{text:?}");
    // A client of ours quotes it.
    let mut stream = Frames::new(&Limits::default());
    let told = stream.push(frames).and_then(|()| stream.push(text)).and_then(|()| stream.finish().map(drop));
    let error = told.unwrap_err();
    assert!(error.message().contains("query.max_samples"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_before_the_first_sample_fails_with_a_status() {
    for (fault, expected) in
        [(Fault::Away, StatusCode::SERVICE_UNAVAILABLE), (Fault::Damage, StatusCode::INTERNAL_SERVER_ERROR)]
    {
        let router = crate::http::routes(failing(fault).await);
        let up = query(&[("__name__", Operator::Equal, "up")], START, START + 10_000_000);
        for form in [SAMPLES, CHUNKS] {
            assert_eq!(post(&router, encode_request(&up, form).unwrap()).await.0, expected);
        }
    }
}
