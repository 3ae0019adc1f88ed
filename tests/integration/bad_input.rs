//! Bad input over HTTP: a clear refusal, nothing lost, memory bounded, the next request served.

use std::time::Duration;

use reqwest::StatusCode;
use tempfile::{TempDir, tempdir};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::remote_write::{HEADERS, body, compress, now_ms, write};
use crate::server::{Server, Setup};

const MIB: f64 = 1024.0 * 1024.0;

/// A server with one good sample, whose memory is known before anything bad comes.
struct Fixture {
    server: Server,
    resident_before: f64,
    _folder: TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let folder = tempdir().unwrap();
        let server = Server::start(&Setup::new(folder.path(), "")).await;
        write(&server, &[(&[("__name__", "good")], &[(now_ms(), 1.0)])]).await;
        assert_eq!(server.number("SELECT count(*) FROM metrics WHERE name = 'good'").await, 1);
        let resident_before = server.metric("process_resident_memory_bytes").await.unwrap();
        Fixture { server, resident_before, _folder: folder }
    }

    /// Nothing was lost or added, memory is bounded, nothing panicked, it ends well.
    async fn survives(self) {
        assert_eq!(self.server.rows("SELECT name, count(*) FROM samples GROUP BY name").await, [["good", "1"]]);
        let grown = self.server.metric("process_resident_memory_bytes").await.unwrap() - self.resident_before;
        assert!(grown < 192.0 * MIB, "{} MiB more", grown / MIB);
        assert!(!self.server.stderr().contains("panicked"), "{}", self.server.stderr());
        self.server.terminate().await;
    }
}

#[tokio::test]
async fn remote_write_that_is_wrong_is_refused_with_a_reason() {
    let fixture = Fixture::start().await;
    let now = now_ms();
    let many: Vec<(String, String)> = (0..100_000).map(|n| (format!("label_{n}"), "x".into())).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let good = [(now, 1.0)];
    let mut claims_4_gib = vec![0xff, 0xff, 0xff, 0xff, 0x0f];
    claims_4_gib.extend_from_slice(b"....");
    let (year_50000, year_minus_1) = (1_515_678_345_600_000, -62_167_305_600_000);
    let cases: [(&str, Vec<u8>); 8] = [
        ("garbage", b"\x17garbage, not snappy".to_vec()),
        ("snappy of garbage", compress(b"garbage, not protobuf")),
        ("snappy that claims 4 GiB", claims_4_gib),
        ("snappy bomb", compress(&vec![0; 256 << 20])),
        ("100,000 labels", body(&[(&many, &good)])),
        ("year 50000", body(&[(&[("__name__", "bad")], &[(year_50000, 1.0)])])),
        ("before year 1", body(&[(&[("__name__", "bad")], &[(year_minus_1, 1.0)])])),
        ("truncated", body(&[(&[("__name__", "bad")], &good)])[..12].to_vec()),
    ];
    for (what, bytes) in cases {
        let (status, text) = fixture.server.post("/api/v1/write", &HEADERS, bytes).await;
        assert!(status.is_client_error(), "{what}: {status} {text}");
        assert!(text.len() > 10 && text.len() < 2000, "{what}: says why, and not at length: {text}");
    }
    fixture.survives().await;
}

#[tokio::test]
async fn series_with_bad_labels_are_left_out_and_counted() {
    let fixture = Fixture::start().await;
    let good = [(now_ms(), 1.0)];
    // WriteRequest{TimeSeries{Label{"__name__", bytes that are not UTF-8}, Sample{}}}
    let not_text = b"\x0a\x14\x0a\x0e\x0a\x08__name__\x12\x02\xff\xfe\x12\x02\x10\x01";
    for bytes in [
        body(&[(&[("__name__", "good"), ("a", "1"), ("a", "2")], &good)]),
        body(&[(&[("__name__", "bad"), ("", "1")], &good)]),
        compress(not_text),
    ] {
        let (status, text) = fixture.server.post("/api/v1/write", &HEADERS, bytes).await;
        assert_eq!(status, StatusCode::NO_CONTENT, "{text}");
    }
    let refused = fixture.server.metric("fleetscope_push_left_out_total{cluster=\"\",reason=\"invalid_labels\"}").await;
    assert_eq!(refused, Some(3.0));
    fixture.survives().await;
}

#[tokio::test]
async fn another_type_or_encoding_is_refused() {
    let fixture = Fixture::start().await;
    let good = body(&[(&[("__name__", "bad")], &[(now_ms(), 1.0)])]);
    for header in [("content-type", "text/html"), ("content-encoding", "br")] {
        let (status, text) = fixture.server.post("/api/v1/write", &[header], good.clone()).await;
        assert_eq!(status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{header:?}: {text}");
    }
    let (status, text) = fixture.server.get("/api/v1/write").await;
    let expected = "GET is not taken at /api/v1/write: send POST\n";
    assert_eq!((status, text.as_str()), (StatusCode::METHOD_NOT_ALLOWED, expected));
    let (status, text) = fixture.server.post("/api/v1/writ", &[], good.clone()).await;
    assert!(status == StatusCode::NOT_FOUND && text.contains("remote write goes to /api/v1/write"), "{text}");
    fixture.survives().await;
}

#[tokio::test]
async fn a_body_of_a_gigabyte_is_refused_before_it_is_read() {
    let fixture = Fixture::start().await;
    let mut stream = TcpStream::connect(fixture.server.address).await.unwrap();
    let head = "POST /api/v1/write HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-protobuf\r\n\
                content-encoding: snappy\r\ncontent-length: 1073741824\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = vec![0; 4096];
    let came = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut answer)).await.unwrap().unwrap();
    let answer = String::from_utf8_lossy(&answer[..came]).into_owned();
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    fixture.survives().await;
}

#[tokio::test]
async fn clients_that_say_nothing_do_not_keep_others_out() {
    let fixture = Fixture::start().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = TcpStream::connect(fixture.server.address).await.unwrap();
        stream.write_all(b"POST /api/v1/write HTTP/1.1\r\nhost: x\r\ncontent-le").await.unwrap();
        silent.push(stream);
    }
    assert_eq!(fixture.server.number("SELECT count(*) FROM metrics").await, 1);
    drop(silent);
    fixture.survives().await;
}

#[tokio::test]
async fn sql_that_is_wrong_is_refused_with_kind_and_message() {
    let fixture = Fixture::start().await;
    let long = format!("SELECT '{}'", "x".repeat(1 << 20));
    let deep = format!("SELECT {}1{}", "(".repeat(5000), ")".repeat(5000));
    let cases: [(&str, &str); 9] = [
        ("SELEC 1", "SELEC"),
        ("SELECT * FROM nowhere", "metrics"),
        (&long, "bytes"),
        (&deep, ""),
        ("DROP TABLE metrics", ""),
        ("COPY metrics TO '/tmp/stolen.csv'", ""),
        ("SET datafusion.execution.batch_size = 1", ""),
        ("SELECT * FROM '/etc/passwd'", ""),
        ("INSERT INTO samples SELECT * FROM samples", ""),
    ];
    for (sql, says) in cases {
        let (status, text) = fixture.server.ask(sql).await;
        let shown: String = sql.chars().take(60).collect();
        assert!(status.is_client_error(), "{shown}: {status} {text}");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{shown}: {e}: {text}"));
        assert!(json.to_string().contains("kind") && text.contains(says), "{shown}: {text}");
    }
    let (status, _) = fixture.server.post("/api/v1/sql", &[("content-type", "application/json")], b"{".to_vec()).await;
    assert!(status.is_client_error(), "{status}");
    fixture.survives().await;
}

#[tokio::test]
async fn a_query_for_a_week_ends_at_its_time_and_others_are_answered_meanwhile() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "query: {timeout: 2s}\n")).await;
    let week = "SELECT count(*) FROM generate_series(1, 100000) a, generate_series(1, 100000) b, \
                generate_series(1, 100000) c WHERE a.value + b.value + c.value = 7";
    let (slow, quick) = tokio::join!(server.try_ask(week), server.ask("SELECT 1"));
    // Its head may have gone out before the time was over; then the body must break off instead of ending well.
    assert!(slow.as_ref().map_or(true, |(status, _)| !status.is_success()), "{slow:?}");
    assert_eq!(quick.0, StatusCode::OK, "{quick:?}");
    write(&server, &[(&[("__name__", "after")], &[(now_ms(), 1.0)])]).await;
    server.terminate().await;
}
