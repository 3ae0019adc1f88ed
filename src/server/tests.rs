use std::path::Path;
use std::time::Duration;

use axum::routing::{MethodRouter, get, post};
use model::worker::Worker;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{Notify, mpsc};

use super::*;
use crate::config::TlsServer;

struct Running {
    address: SocketAddr,
    worker: Worker,
}

async fn start(router: Router, limits: Limits) -> Running {
    start_behind(None, router, limits).await
}

async fn start_behind(tls: Option<Tls>, router: Router, limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let listeners = vec![Listener { socket: listener, what: "", router }];
    Running { address, worker: Worker::task("server", move |stop| run(listeners, tls, limits, stop)) }
}

async fn ask(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// A route that tells when it is asked, and answers once it is told to.
fn held(answer: &'static str) -> (MethodRouter, mpsc::Receiver<()>, Arc<Notify>) {
    let (entered, has_entered) = mpsc::channel(1);
    let go_on = Arc::new(Notify::new());
    let waits = go_on.clone();
    let route = get(move || async move {
        entered.send(()).await.unwrap();
        waits.notified().await;
        answer
    });
    (route, has_entered, go_on)
}

fn short() -> Limits {
    let timeout = Duration::from_millis(50);
    Limits { header_timeout: timeout, body_timeout: BodyTimeout::new(timeout), ..Limits::default() }
}

#[tokio::test]
async fn a_panic_in_a_request_is_a_500_and_the_next_request_is_served() {
    let fault = get(|| async { if true { panic!("on purpose") } else { "never" } });
    let running =
        start(Router::new().route("/panic", fault).route("/", get(|| async { "fine" })), Limits::default()).await;
    let answer = ask(running.address, "GET /panic HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 500") && answer.contains("\"internal\""), "{answer}");
    let answer = ask(running.address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("fine"), "{answer}");
    running.worker.stop().await;
}

#[tokio::test]
async fn a_client_that_says_nothing_or_hardly_anything_is_cut_off() {
    let running = start(Router::new().route("/", get(|| async { "fine" })), short()).await;
    for said in ["", "P", "PRI * HTTP/2.0\r\n"] {
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // Ends only because the server ends it.
        let ended = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
        assert!(ended.is_ok(), "{said:?} keeps its connection");
    }
    let answer = ask(running.address, "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(answer.ends_with("fine"), "{answer}");
    running.worker.stop().await;
}

#[tokio::test]
async fn a_client_that_sends_no_head_is_cut_off() {
    let running = start(Router::new(), short()).await;
    let answer = ask(running.address, "GET / HTTP/1.1\r\nhost:").await;
    assert!(!answer.contains("200"), "{answer}");
    running.worker.stop().await;
}

#[tokio::test]
async fn a_body_that_never_ends_is_a_timeout_to_its_reader() {
    let read = |body: Body| async move {
        let error = axum::body::to_bytes(body, 1000).await.unwrap_err();
        model::Error::find(&error).map_or("none of ours", |error| error.kind().as_str())
    };
    let running = start(Router::new().route("/", post(read)), short()).await;
    let answer =
        ask(running.address, "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nconnection: close\r\n\r\nabc").await;
    assert!(answer.ends_with("\r\n\r\ntimeout"), "{answer}");
    running.worker.stop().await;
}

#[tokio::test]
async fn requests_in_flight_are_answered_when_the_server_stops() {
    let (handler, mut has_entered, go_on) = held("answered");
    let running = start(Router::new().route("/", handler), Limits::default()).await;
    let address = running.address;
    let client = ask(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    let server = async {
        has_entered.recv().await.unwrap();
        running.worker.stop_signal().now();
        go_on.notify_one();
        running.worker.join().await;
    };
    let (answer, ()) = tokio::join!(client, server);
    assert!(answer.ends_with("answered"), "{answer}");
    assert!(TcpStream::connect(address).await.is_err());
}

/// Asks on a connection and keeps it.
async fn ask_on(stream: &mut TcpStream) {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"fine") {
        assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "closed before it was answered");
    }
}

#[tokio::test]
async fn the_connection_that_was_idle_for_longest_makes_room_for_another() {
    let limits = Limits { connections: 2, header_timeout: Duration::from_secs(600), ..Limits::default() };
    let running = start(Router::new().route("/", get(|| async { "fine" })), limits).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    ask_on(&mut first).await;
    let mut second = TcpStream::connect(running.address).await.unwrap();
    ask_on(&mut second).await;
    ask_on(&mut first).await;
    let mut third = TcpStream::connect(running.address).await.unwrap();
    ask_on(&mut third).await;
    assert_eq!(second.read(&mut [0]).await.unwrap(), 0);
    ask_on(&mut first).await;
    // One on which nothing was ever asked is idle too.
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    assert_eq!(third.read(&mut [0]).await.unwrap(), 0);
    ask_on(&mut first).await;
    let mut last = TcpStream::connect(running.address).await.unwrap();
    ask_on(&mut last).await;
    assert_eq!(silent.read(&mut [0]).await.unwrap(), 0);
    running.worker.stop().await;
}

#[tokio::test]
async fn who_finds_all_others_busy_waits_for_the_first_that_is_answered() {
    let (busy, mut has_entered, go_on) = held("fine");
    let router = Router::new().route("/busy", busy).route("/", get(|| async { "fine" }));
    let limits = Limits { connections: 1, header_timeout: Duration::from_secs(600), ..Limits::default() };
    let running = start(router, limits).await;
    let mut first = TcpStream::connect(running.address).await.unwrap();
    first.write_all(b"GET /busy HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    has_entered.recv().await.unwrap();
    let mut second = TcpStream::connect(running.address).await.unwrap();
    let waiting = async { ask_on(&mut second).await };
    let answering = async {
        go_on.notify_one();
        let mut answer = String::new();
        first.read_to_string(&mut answer).await.unwrap();
        assert!(answer.ends_with("fine"), "{answer}");
    };
    tokio::join!(waiting, answering);
    running.worker.stop().await;
}

/// A certificate that vouches for itself.
fn certificate(folder: &Path) -> Tls {
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (cert, key) = (path("cert.pem"), path("key.pem"));
    let arguments =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=test", "-keyout", &key, "-out", &cert];
    let made = std::process::Command::new("openssl").args(arguments).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Tls::new(&TlsServer { cert_file: cert.into(), key_file: key.into() }).unwrap()
}

#[tokio::test]
async fn who_does_not_shake_hands_in_time_makes_room_for_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let limits = Limits { connections: 1, handshake_timeout: Duration::from_millis(50), ..Limits::default() };
    let running = start_behind(Some(certificate(folder.path())), Router::new(), limits).await;
    for _ in 0..3 {
        let mut silent = TcpStream::connect(running.address).await.unwrap();
        assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
    }
    running.worker.stop().await;
}

#[tokio::test]
async fn a_credential_is_not_shown_by_whoever_prints_a_request() {
    let print = |request: Request<Body>| async move { format!("{:?}", request.headers()) };
    let running = start(Router::new().route("/", get(print)), Limits::default()).await;
    let head = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer abc\r\nAuthorization: Basic abc\r\n\r\n";
    let answer = ask(running.address, head).await;
    assert_eq!((answer.matches("Sensitive").count(), answer.contains("abc")), (2, false), "{answer}");
    running.worker.stop().await;
}
