//! Senders that send badly: a clear answer, nothing written, memory bounded, and the next one is served.

use std::sync::Arc;
use std::time::Duration;

use collector::config::ReceiverConfig;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;

use crate::remote_write::{Served, answer, small_body};
use crate::support::PATIENCE;
use crate::support::recorder::Recorder;
use crate::support::sender::{body, compressed, message, varint};

/// Sends each body, checks that the answer is of these, and that the receiver still works afterwards.
async fn refused(cases: Vec<(&str, Vec<u8>, u16, &str)>) {
    let served = Served::start(ReceiverConfig::default()).await;
    for (name, body, code, expected) in cases {
        let (status, text) = served.send(body).await;
        assert_eq!(status, code, "{name}: {text}");
        assert!(text.contains(expected), "{name}: {expected:?} in {text:?}");
        assert_eq!(served.bench.status().error.unwrap(), text.trim(), "{name}");
    }
    assert_eq!(served.rows().len(), 0);
    assert_eq!(served.send(small_body()).await.0, 204);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let valid = message(&[(&[("__name__", "a")], &[(1, 1.0)])]);
    refused(vec![
        ("nothing", Vec::new(), 400, ""),
        ("not snappy", b"this is no snappy body at all".to_vec(), 400, "snappy"),
        ("not protobuf", compressed(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), 400, ""),
        ("cut protobuf", compressed(&valid[..valid.len() - 3]), 400, ""),
        (
            "cut snappy",
            {
                let mut cut = compressed(&valid);
                cut.truncate(cut.len() - 3);
                cut
            },
            400,
            "snappy",
        ),
        ("year 50000", body(&[(&[("__name__", "a")], &[(1_515_695_846_400_000, 1.0)])]), 400, "outside years"),
        ("year 0", body(&[(&[("__name__", "a")], &[(-62_167_219_200_000, 1.0)])]), 400, "outside years"),
    ])
    .await;
}

/// The first version of remote write has no way to say that a part was bad, and its senders drop what a 400 answers.
#[tokio::test]
async fn series_with_bad_labels_are_left_out_of_the_first_version() {
    let served = Served::start(ReceiverConfig::default()).await;
    let mut not_text = message(&[(&[("__name__", "abcd")], &[(1, 1.0)])]);
    let at = not_text.windows(4).position(|window| window == b"abcd").unwrap();
    not_text[at] = 0xff;
    let bad: [(&str, Vec<u8>, &str); 5] = [
        ("an empty label name", message(&[(&[("__name__", "a"), ("", "a")], &[(1, 1.0)])]), "empty"),
        ("a label twice", message(&[(&[("__name__", "a"), ("x", "1"), ("x", "2")], &[(1, 1.0)])]), "twice"),
        ("no labels", message(&[(&[], &[(1, 1.0)])]), "no labels"),
        ("no name", message(&[(&[("a", "b")], &[(1, 1.0)])]), "no name"),
        ("not UTF-8", not_text, "UTF-8"),
    ];
    for (number, (name, bad, expected)) in bad.iter().enumerate() {
        let both = [bad.clone(), message(&[(&[("__name__", "good")], &[(number as i64, 1.0)])])].concat();
        assert_eq!(served.send(compressed(&both)).await, (204, String::new()), "{name}");
        let error = served.bench.status().error.unwrap();
        assert!(error.contains(expected) && error.starts_with("1 row was not written"), "{name}: {error}");
    }
    assert_eq!(served.rows().iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["good"; 5]);
    assert_eq!(served.bench.counter("fleetscope_push_left_out_total{cluster=\"\",reason=\"invalid_labels\"}"), 5);
}

#[tokio::test]
async fn endless_labels_are_refused() {
    let names: Vec<String> = (0..200_000).map(|n| format!("l{n}")).collect();
    let labels: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "v")).collect();
    let long = "x".repeat(1 << 20);
    refused(vec![
        ("many labels", body(&[(&labels, &[(1, 1.0)])]), 400, "labels"),
        ("a long value", body(&[(&[("__name__", "a"), ("x", &long)], &[(1, 1.0)])]), 400, "bytes"),
    ])
    .await;
}

#[tokio::test]
async fn a_claim_of_four_gigabytes_is_refused_without_them() {
    let mut claim = Vec::new();
    varint(&mut claim, u64::from(u32::MAX));
    claim.extend_from_slice(&[0; 100]);
    let mut within = Vec::new();
    varint(&mut within, 60 << 20);
    within.extend_from_slice(&[0; 100]);
    refused(vec![("four gigabytes", claim, 400, "claims"), ("more than it can hold", within, 400, "claims")]).await;
}

#[tokio::test]
async fn other_types_are_told_what_to_send() {
    let served = Served::start(ReceiverConfig::default()).await;
    let cases = [
        ("content-type", "application/x-protobuf;proto=other.Message", "other.Message"),
        ("content-type", "application/json", "application/x-protobuf"),
        ("content-encoding", "gzip", "snappy"),
        ("content-encoding", "zstd", "snappy"),
    ];
    for (header, value, expected) in cases {
        let mut request = served.request(small_body()).build().unwrap();
        request.headers_mut().insert(header, value.parse().unwrap());
        let (status, text) = answer(reqwest::Client::new().execute(request).await.unwrap()).await;
        assert_eq!(status, 415, "{value}: {text}");
        assert!(text.contains(expected), "{value}: {text}");
    }
    let response = reqwest::get(format!("http://{}/api/v1/write", served.address)).await.unwrap();
    assert_eq!(response.status().as_u16(), 405);
    assert_eq!(served.bench.recorder.offered(), 0);
}

/// Opens a connection and sends a head with these lines.
async fn connect(served: &Served, lines: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!("POST /api/v1/write HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// The status line of the answer.
async fn status_line(stream: &mut OwnedReadHalf) -> String {
    let read = async {
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            line.push(stream.read_u8().await.unwrap());
        }
        String::from_utf8(line).unwrap()
    };
    tokio::time::timeout(PATIENCE, read).await.expect("an answer")
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_refused_before_it_is_read() {
    let served = Served::start(ReceiverConfig::default()).await;
    let stream = connect(&served, "Content-Length: 1073741824").await;
    assert_eq!(status_line(&mut stream.into_split().0).await, "HTTP/1.1 413 Payload Too Large\r\n");
}

#[tokio::test]
async fn a_body_that_does_not_end_is_refused_at_the_limit() {
    let limits = ReceiverConfig { body_size_limit: 1 << 20, ..ReceiverConfig::default() };
    let served = Served::start(limits).await;
    let (mut answers, mut writer) = connect(&served, "Transfer-Encoding: chunked").await.into_split();
    let mut chunk = b"10000\r\n".to_vec();
    chunk.extend_from_slice(&vec![0; 0x10000]);
    chunk.extend_from_slice(b"\r\n");
    let mut sent = 0usize;
    let sending = async {
        while sent < 1 << 30 && writer.write_all(&chunk).await.is_ok() {
            sent += chunk.len();
        }
        std::future::pending::<()>().await;
    };
    let line = tokio::select! {
        line = status_line(&mut answers) => line,
        () = sending => String::new(),
    };
    assert_eq!(line, "HTTP/1.1 413 Payload Too Large\r\n");
    assert!(sent < 64 << 20, "{sent} bytes were taken");
    assert_eq!(served.send(small_body()).await.0, 204);
}

#[tokio::test]
async fn a_slow_body_is_cut() {
    let limits = ReceiverConfig { body_timeout: Duration::from_millis(200), ..ReceiverConfig::default() };
    let served = Served::start(limits).await;
    let mut stream = connect(&served, "Content-Length: 1000").await;
    stream.write_all(b"a").await.unwrap();
    let (mut answers, _writer) = stream.into_split();
    assert_eq!(status_line(&mut answers).await, "HTTP/1.1 503 Service Unavailable\r\n");
    assert!(served.bench.status().error.unwrap().contains("not whole within 200ms"));
    assert_eq!(served.send(small_body()).await.0, 204);
}

#[tokio::test]
async fn more_requests_than_there_is_room_for_are_told_to_come_again() {
    let recorder = Arc::new(Recorder::with_gate(0));
    let limits = ReceiverConfig { max_concurrent_requests: 1, ..ReceiverConfig::default() };
    let served = Served::start_with(limits, recorder.clone()).await;
    let first = served.send(small_body());
    tokio::pin!(first);
    tokio::select! {
        _ = &mut first => panic!("the store is shut"),
        () = recorder.wait_for_offers(1) => {}
    }
    let response = served.request(small_body()).send().await.unwrap();
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.status().as_u16(), 503);
    recorder.open(2);
    assert_eq!(first.await.0, 204);
    assert_eq!(served.send(small_body()).await.0, 204);
}

#[tokio::test]
async fn more_bytes_than_there_is_room_for_are_told_to_come_again() {
    let limits = ReceiverConfig {
        body_size_limit: 1 << 20,
        decoded_size_limit: 64 << 10,
        memory_limit: (1 << 20) + (128 << 10),
        ..ReceiverConfig::default()
    };
    let served = Served::start(limits).await;
    // A sender announces a megabyte and takes the room, but for what is kept for other clusters; its body does not come.
    let one = connect(&served, "Content-Length: 1048576").await;
    let full = async {
        while served.send(small_body()).await.0 != 503 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, full).await.expect("no room");
    drop(one);
    let free = async {
        while served.send(small_body()).await.0 != 204 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, free).await.expect("room again");
}
