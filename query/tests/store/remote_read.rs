//! Remote read over a real store: many series, some rows in blocks and some in the head, native histograms.

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::http::StatusCode;
use decode::Limits;
use decode::body::{ContentEncoding, decompress};
use decode::remote_read::{
    Frames, Matcher, Operator, Query, ResponseType, decode_chunks, decode_samples, encode_request,
};
use model::time::{MAX_TIME_MS, MIN_TIME_MS};

use super::*;

const ALL: std::ops::RangeInclusive<i64> = MIN_TIME_MS..=MAX_TIME_MS;

fn limits() -> Limits {
    Limits { max_rows: 10_000_000, max_decoded_bytes: 1 << 30, max_body_bytes: 1 << 30, ..Limits::default() }
}

async fn read(api: &Router, name: &str, form: ResponseType) -> (StatusCode, Bytes) {
    let matcher = Matcher { label: "__name__".into(), operator: Operator::Equal, value: name.into() };
    let query = Query { time_ms: 0..=MAX_TIME_MS, matchers: vec![matcher], hints: None };
    let body = encode_request(&query, &[form]).unwrap();
    let request = Request::post("/prometheus/api/v1/read").body(Body::from(body)).unwrap();
    let response = api.clone().oneshot(request).await.unwrap();
    (response.status(), to_bytes(response.into_body(), usize::MAX).await.unwrap())
}

fn unsnapped(body: &Bytes) -> Bytes {
    decompress(ContentEncoding::Snappy, body, &limits()).unwrap()
}

/// The labels of each series but name and cluster, and how many samples it has, in the order of the answer.
fn series(batch: &Batch) -> Vec<(String, usize)> {
    let mut counts = vec![0; batch.series.len()];
    batch.samples.iter().for_each(|sample| counts[sample.series as usize] += 1);
    let mut builder = LabelsBuilder::default();
    let labels = |index| {
        let labels = batch.key(index, &mut builder).unwrap().labels;
        labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    };
    (0..batch.series.len()).map(labels).zip(counts).collect()
}

/// Moves what is in the head into blocks.
async fn cut(store: &Store, clock: &ManualClock) {
    clock.advance(HOUR / 2);
    store.cut().await.unwrap();
    assert!(store.snapshot().blocks(storage::Table::Samples).iter().any(|block| block.rows > 0));
}

/// So many series of one name, with so many samples each.
fn many(count: usize, samples: i64, from_ms: i64) -> Batch {
    let mut batch = BatchBuilder::default();
    for number in 0..count {
        let pod = format!("pod-{number:05}");
        let series = batch.series("many", &[("pod", &pod)], Kind::Gauge);
        (0..samples).for_each(|n| batch.sample(series, from_ms + n * 1_000, (number as i64 * n % 977) as f64 / 8.0));
    }
    batch.build()
}

#[tokio::test(flavor = "multi_thread")]
async fn series_of_blocks_and_head_come_in_order_of_labels() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new(NOON));
    let (store, engine) = open(&folder, &clock).await;
    let api = query::routes(engine);
    store.write(many(700, 5, NOON - HOUR)).await.unwrap();
    cut(&store, &clock).await;
    store.write(many(900, 3, NOON - HOUR + 60_000)).await.unwrap();
    let (status, samples) = read(&api, "many", ResponseType::Samples).await;
    assert_eq!(status, StatusCode::OK);
    let samples = series(&decode_samples(&unsnapped(&samples), ALL, &limits()).unwrap().batch);
    let expected = |number: usize| (format!("pod=pod-{number:05}"), if number < 700 { 8 } else { 3 });
    assert_eq!(samples, (0..900).map(expected).collect::<Vec<_>>());
    let (status, stream) = read(&api, "many", ResponseType::StreamedXorChunks).await;
    assert_eq!(status, StatusCode::OK);
    let mut frames = Frames::new(&limits());
    frames.push(&stream).unwrap();
    assert_eq!(series(&decode_chunks(&frames.take(), ALL, &limits()).unwrap().batch), samples);
}

#[tokio::test(flavor = "multi_thread")]
async fn native_histograms_are_sent_in_both_forms() {
    let folder = tempfile::tempdir().unwrap();
    let (store, engine) = open(&folder, &Arc::new(ManualClock::new(NOON))).await;
    let api = query::routes(engine);
    store.write(everything_else()).await.unwrap();
    let whole = read(&api, "seconds", ResponseType::Samples).await.1;
    let batch = decode_samples(&unsnapped(&whole), ALL, &limits()).unwrap().batch;
    let (markers, histograms): (Vec<_>, Vec<_>) =
        batch.histograms.iter().partition(|one| model::batch::is_stale(one.value.sum));
    assert_eq!(markers.iter().map(|one| one.time_ms).collect::<Vec<_>>(), [NOON - 1000]);
    let counts = |histogram: &&Histogram| match &histogram.value.counts {
        Counts::Float(counts) => (histogram.value.schema, counts.count, counts.positive.clone()),
        Counts::Integer(_) => panic!("counts are sent as floats"),
    };
    let found: Vec<_> = histograms.iter().map(counts).collect();
    assert_eq!(found, [(3, 6.0, vec![2.0, 3.0]), (CUSTOM_BUCKETS, 1.5, vec![0.5, 1.0])]);
    let stream = read(&api, "seconds", ResponseType::StreamedXorChunks).await.1;
    let mut frames = Frames::new(&limits());
    frames.push(&stream).unwrap();
    let error = decode_chunks(&frames.take(), ALL, &limits()).unwrap_err();
    assert!(error.message().contains("it has native histograms: ask for samples"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_takes_less_memory_than_it_has_samples() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { query_memory_bytes: 26 << 20, ..Config::default() };
    let clock = Arc::new(ManualClock::new(NOON));
    let (store, engine) = open_with(&folder, &clock, config).await;
    let api = query::routes(engine);
    for part in 0..20 {
        store.write(many(1_000, 100, NOON - HOUR + part * 100_000)).await.unwrap();
    }
    cut(&store, &clock).await;
    // 32 MB of times and values.
    let (status, stream) = read(&api, "many", ResponseType::StreamedXorChunks).await;
    assert_eq!(status, StatusCode::OK, "{}", String::from_utf8_lossy(&stream));
    let mut frames = Frames::new(&limits());
    frames.push(&stream).unwrap();
    let found = series(&decode_chunks(&frames.take(), ALL, &limits()).unwrap().batch);
    assert!(found.len() == 1_000 && found.iter().all(|(_, samples)| *samples == 2_000), "{:?}", &found[..3]);
    // All at once it does not fit.
    let (status, text) = read(&api, "many", ResponseType::Samples).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{}", String::from_utf8_lossy(&text));
}
