//! Servers that answer badly: a clear error, nothing but the report, and the source is asked again.

use std::io::Write;
use std::time::{Duration, Instant};

use collector::config::FederateConfig;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::SourceStatus;

use crate::support::recorder::Written;
use crate::support::server::{Reply, Server, TEXT, answer_with, text};
use crate::support::{Bench, PATIENCE, federating, quick};

/// Lets a source answer once, checks that only a report is written, and gives what the board says.
async fn refused_by(config: FederateConfig) -> SourceStatus {
    let bench = Bench::start(&federating([config]));
    let written: Written = bench.recorder.write_number(0).await;
    assert_eq!(written.iter().filter(|row| row.is_report()).count(), 5, "{written:?}");
    assert_eq!(written.len(), 5, "{written:?}");
    let up = written.iter().find(|row| row.name == "up").unwrap();
    assert_eq!(up.value, 0.0);
    // The board is told after the store.
    let told = async {
        while bench.status().error.is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.expect("an error on the board");
    let status = bench.status();
    assert_eq!((status.last_success_ms, status.samples), (None, 0));
    status
}

async fn refused(reply: Reply) -> String {
    let server = Server::replying([reply]).await;
    refused_by(quick(&server.url())).await.error.unwrap()
}

#[track_caller]
fn says(error: &str, expected: &[&str]) {
    for part in expected {
        assert!(error.contains(part), "{part:?} in {error:?}");
    }
}

fn headed(headers: &[&str], body: &[u8]) -> Reply {
    Reply::Bytes(answer_with("200 OK", headers, body))
}

#[tokio::test]
async fn what_is_not_the_format_is_refused_with_line_and_column() {
    says(&refused(text("a 1 7\nthis is not a metric\n")).await, &["line 2, column"]);
    says(&refused(headed(&[TEXT], &[0xde, 0xad, 0xbe, 0xef, b'\n'])).await, &["line 1"]);
    says(&refused(headed(&[TEXT], b"a 1 7\na{x=\"\xff\"} 1 7\n")).await, &["line 2", "UTF-8"]);
}

#[tokio::test]
async fn years_that_no_table_holds_are_refused() {
    // Years 50000 and 0.
    says(&refused(text("a 1 1515695846400000\n")).await, &["line 1"]);
    says(&refused(text("a 1 7\nb 1 -62167219200000\n")).await, &["line 2"]);
}

#[tokio::test]
async fn other_types_are_refused() {
    let page = b"<html>Please log in</html>\n";
    says(&refused(headed(&["Content-Type: text/html; charset=utf-8"], page)).await, &["text/html", "text/plain"]);
    says(&refused(headed(&[], b"a 1 7\n")).await, &["no content type"]);
    says(&refused(headed(&["Content-Type: text/plain; version=9"], b"a 1 7\n")).await, &["version=9"]);
    says(&refused(headed(&[TEXT, "Content-Encoding: br"], b"a 1 7\n")).await, &["\"br\""]);
}

#[tokio::test]
async fn other_statuses_are_told_with_the_first_line_of_their_body() {
    let reply = Reply::Bytes(answer_with("500 Internal Server Error", &[], b"\r\n  out of \x07memory\r\nmore\r\n"));
    let error = refused(reply).await;
    says(&error, &["500 Internal Server Error: out of memory"]);
    assert!(!error.contains("more"), "{error}");
    says(&refused(Reply::Bytes(answer_with("204 No Content", &[], b""))).await, &["204"]);
    let long = Reply::Bytes(answer_with("404 Not Found", &[], &vec![b'x'; 1 << 20]));
    assert!(refused(long).await.len() < 300);
}

#[tokio::test]
async fn redirects_elsewhere_and_in_circles_are_not_followed() {
    let elsewhere = Reply::Bytes(answer_with("302 Found", &["Location: http://169.254.169.254/secrets"], b""));
    says(&refused(elsewhere).await, &["redirect to another server", "169.254.169.254:80"]);
    let other_port = Reply::Bytes(answer_with("302 Found", &["Location: http://127.0.0.1:1/secrets"], b""));
    says(&refused(other_port).await, &["redirect to another server", "127.0.0.1:1"]);
    let circle = Reply::Bytes(answer_with("302 Found", &["Location: /again"], b""));
    says(&refused(circle).await, &["more than 3 redirects"]);
}

#[tokio::test]
async fn a_gzip_bomb_is_refused() {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(&vec![b'\n'; 64 << 20]).unwrap();
    let bomb = headed(&[TEXT, "Content-Encoding: gzip"], &gzip.finish().unwrap());
    says(&refused(bomb).await, &["grows more than"]);
    says(&refused(headed(&[TEXT, "Content-Encoding: gzip"], b"not gzip at all")).await, &["gzip", "damaged"]);
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let head = format!("HTTP/1.1 200 OK\r\n{TEXT}\r\n\r\n").into_bytes();
    let server = Server::replying([Reply::Endless(head, b"a 1 7\n".repeat(10_000), Duration::ZERO)]).await;
    let config =
        FederateConfig { body_size_limit: 1 << 20, scrape_interval: Duration::from_secs(1), ..quick(&server.url()) };
    says(&refused_by(config).await.error.unwrap(), &["larger than 1048576 bytes", "body_size_limit"]);
}

#[tokio::test]
async fn an_answer_that_announces_too_much_is_not_read() {
    let mut bytes = format!("HTTP/1.1 200 OK\r\n{TEXT}\r\nContent-Length: 1099511627776\r\n\r\n").into_bytes();
    bytes.extend_from_slice(b"a 1 7\n");
    says(&refused(Reply::Endless(bytes, Vec::new(), Duration::from_secs(60))).await, &["larger than"]);
}

#[tokio::test]
async fn an_answer_that_was_cut_is_refused() {
    let mut announced = answer_with("200 OK", &[TEXT], b"a 1 7\nb 2 7\n");
    announced.truncate(announced.len() - 6);
    refused(Reply::Bytes(announced)).await;
    // Without a length, only the missing end of the line tells.
    let head = format!("HTTP/1.0 200 OK\r\n{TEXT}\r\n\r\na 1 7\nb 12").into_bytes();
    says(&refused(Reply::Bytes(head)).await, &["ends inside a line"]);
    refused(Reply::Bytes(Vec::new())).await;
    refused(Reply::Bytes(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec())).await;
}

#[tokio::test]
async fn a_source_that_does_not_answer_is_left_after_the_timeout() {
    let timeout = Some(Duration::from_millis(150));
    let hanging = Server::replying([Reply::Hang]).await;
    let config = FederateConfig { scrape_timeout: timeout, ..quick(&hanging.url()) };
    let status = refused_by(config).await;
    says(&status.error.unwrap(), &["no answer within 150ms"]);
    assert!((0.15..5.0).contains(&status.duration_seconds), "{}", status.duration_seconds);
}

#[tokio::test]
async fn a_source_that_answers_byte_by_byte_is_cut_at_the_timeout() {
    let head = format!("HTTP/1.1 200 OK\r\n{TEXT}\r\nContent-Length: 100000\r\n\r\n").into_bytes();
    let server = Server::replying([Reply::Endless(head, b"a".to_vec(), Duration::from_millis(20))]).await;
    let started = Instant::now();
    let error = refused_by(quick(&server.url())).await.error.unwrap();
    says(&error, &["not whole within 500ms", "bytes had come"]);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn a_source_that_is_not_there_is_told_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    says(&refused_by(quick(&format!("http://{free}"))).await.error.unwrap(), &["refused"]);
    let config = FederateConfig { scrape_interval: Duration::from_secs(1), ..quick("http://no-such-host.invalid") };
    refused_by(config).await.error.unwrap();
}

#[tokio::test]
async fn a_missing_credential_is_named_and_nothing_is_asked() {
    let server = Server::replying([text("a 1 7\n")]).await;
    let credentials_file = "/nowhere/token".into();
    let authorization = collector::config::Authorization { scheme: "Bearer".into(), credentials_file };
    let config = FederateConfig { authorization: Some(authorization), ..quick(&server.url()) };
    says(&refused_by(config).await.error.unwrap(), &["/nowhere/token", "cannot be read"]);
    assert!(server.requests().is_empty());
}
