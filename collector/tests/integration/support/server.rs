//! A server that answers each request by script, down to the byte.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use model::worker::Worker;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

/// What the server does with one request; then it closes the connection.
#[derive(Clone)]
pub(crate) enum Reply {
    /// These bytes.
    Bytes(Vec<u8>),
    /// These bytes, once a permit of the gate is free.
    Gated(Arc<Semaphore>, Vec<u8>),
    /// These bytes, then the second ones again and again, with a pause after each time.
    Endless(Vec<u8>, Vec<u8>, Duration),
    /// Nothing, for ever.
    Hang,
}

/// The server; it ends when dropped, with the runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    _worker: Worker,
}

impl Server {
    /// Begins to serve. `script` gets the number of the request, from 0, and its head.
    pub(crate) async fn start(script: impl Fn(usize, &str) -> Reply + Send + Sync + 'static) -> Self {
        Self::reading(move |number, head, _| script(number, head)).await
    }

    /// Begins to serve. `script` gets the number of the request, from 0, its head and its body.
    pub(crate) async fn reading(script: impl Fn(usize, &str, &[u8]) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let log = requests.clone();
        let worker = Worker::task("server", |stop| async move {
            let mut connections = Vec::new();
            loop {
                let (stream, _) = tokio::select! {
                    accepted = listener.accept() => accepted.unwrap(),
                    () = stop.stopped() => return,
                };
                let Some((stream, head, body)) = read(stream).await else { continue };
                let number = log.lock().len();
                let reply = script(number, &head, &body);
                log.lock().push(head);
                connections.push(Worker::task("connection", |_| answer(stream, reply)));
            }
        });
        Server { address, requests, _worker: worker }
    }

    /// A server that gives these replies, the last one again and again.
    pub(crate) async fn replying(replies: impl IntoIterator<Item = Reply>) -> Self {
        let replies: Vec<Reply> = replies.into_iter().collect();
        Self::start(move |number, _| replies[number.min(replies.len() - 1)].clone()).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The heads of the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().clone()
    }
}

async fn read(mut stream: TcpStream) -> Option<(TcpStream, String, Vec<u8>)> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some((stream, head, body))
}

async fn answer(mut stream: TcpStream, reply: Reply) {
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::Gated(gate, bytes) => {
            gate.acquire().await.unwrap().forget();
            let _ = stream.write_all(&bytes).await;
        }
        Reply::Endless(head, again, pause) => {
            let mut sent = stream.write_all(&head).await;
            while sent.is_ok() {
                sent = stream.write_all(&again).await;
                tokio::time::sleep(pause).await;
            }
        }
        Reply::Hang => std::future::pending().await,
    }
    let _ = stream.shutdown().await;
}

/// An answer with further header lines.
pub(crate) fn answer_with(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len()).into_bytes();
    for header in headers {
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(body);
    bytes
}

/// The header of the text format.
pub(crate) const TEXT: &str = "Content-Type: text/plain; version=0.0.4; charset=utf-8";

/// A good answer.
pub(crate) fn text(body: &str) -> Reply {
    Reply::Bytes(answer_with("200 OK", &[TEXT], body.as_bytes()))
}
