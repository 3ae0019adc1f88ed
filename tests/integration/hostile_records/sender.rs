//! Who sends hostile bodies: over HTTP and gRPC, and reads of the answers how many rows were refused, and what was said.

use std::io::Write;
use std::net::SocketAddr;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Client;
use serde_json::Value;

use super::encode::Form;
use crate::remote_write::compress;

/// What a body holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    Logs,
    Traces,
}

/// How a body is packed, where its form leaves the choice: Loki's protobuf is always in snappy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    fn word(self) -> &'static str {
        match self {
            Packing::Plain => "identity",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// The body, packed as well as it can be at little cost.
    pub(super) fn pack(self, body: &[u8]) -> Vec<u8> {
        match self {
            Packing::Plain => body.to_vec(),
            Packing::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
                encoder.write_all(body).unwrap();
                encoder.finish().unwrap()
            }
            Packing::Zstd => zstd::bulk::compress(body, 1).unwrap(),
        }
    }
}

/// What a sender is told.
#[derive(Debug)]
pub(super) struct Answer {
    /// Of HTTP; of gRPC that which HTTP has for its code.
    pub(super) status: u16,
    /// The whole of it, or of a bulk request the reasons alone.
    pub(super) said: String,
    /// How many rows were refused beside others that are durable; `None` if nothing is promised.
    pub(super) refused: Option<u64>,
}

impl Answer {
    /// All was taken but so many rows, and each of these words is in what was said of them.
    #[track_caller]
    pub(super) fn took_all_but(&self, rows: u64, words: &[&str], what: &str) {
        assert_eq!(self.refused, Some(rows), "{what}: {} {}", self.status, self.short());
        self.says(words, what);
    }

    /// The request was refused whole, with this status and these words.
    #[track_caller]
    pub(super) fn is_refused(&self, status: u16, words: &[&str], what: &str) {
        assert_eq!((self.status, self.refused), (status, None), "{what}: {}", self.short());
        self.says(words, what);
    }

    #[track_caller]
    fn says(&self, words: &[&str], what: &str) {
        assert!(self.said.len() < 8000, "{what}: not at length: {} bytes", self.said.len());
        for word in words {
            assert!(self.said.contains(word), "{what}: no {word:?} in {}", self.short());
        }
    }

    fn short(&self) -> String {
        self.said.chars().take(600).collect()
    }
}

#[derive(Debug)]
pub(super) struct Sender {
    http: SocketAddr,
    grpc: SocketAddr,
    /// For either version of HTTP.
    clients: [Client; 2],
}

impl Sender {
    pub(super) fn new(http: SocketAddr, grpc: SocketAddr) -> Self {
        let clients = [Client::new(), Client::builder().http2_prior_knowledge().build().unwrap()];
        Sender { http, grpc, clients }
    }

    /// Sends a body of log lines that is neither packed nor framed yet.
    pub(super) async fn lines(&self, form: Form, token: &str, body: &[u8]) -> Answer {
        self.send(form, Signal::Logs, token, Packing::Plain, body.to_vec()).await
    }

    /// Sends a body of spans, likewise.
    pub(super) async fn spans(&self, form: Form, token: &str, body: &[u8]) -> Answer {
        self.send(form, Signal::Traces, token, Packing::Plain, body.to_vec()).await
    }

    /// Sends a body that is packed already, but for snappy.
    pub(super) async fn send(
        &self,
        form: Form,
        signal: Signal,
        token: &str,
        packing: Packing,
        packed: Vec<u8>,
    ) -> Answer {
        let (path, content_type) = match (form, signal) {
            (Form::OtlpGrpc, _) => return self.call(signal, token, packing, &packed).await,
            (Form::OtlpProtobuf, Signal::Logs) => ("/v1/logs", "application/x-protobuf"),
            (Form::OtlpProtobuf, Signal::Traces) => ("/v1/traces", "application/x-protobuf"),
            (Form::OtlpJson, Signal::Logs) => ("/v1/logs", "application/json"),
            (Form::OtlpJson, Signal::Traces) => ("/v1/traces", "application/json"),
            (Form::LokiProtobuf, _) => ("/loki/api/v1/push", "application/x-protobuf"),
            (Form::LokiJson, _) => ("/loki/api/v1/push", "application/json"),
            (Form::Bulk, _) => ("/_bulk", "application/x-ndjson"),
        };
        let (encoding, sent) = match form {
            Form::LokiProtobuf => ("snappy", compress(&packed)),
            _ => (packing.word(), packed),
        };
        let request = self.clients[0].post(format!("http://{}{path}", self.http)).bearer_auth(token);
        let request = request.header("content-type", content_type).header("content-encoding", encoding);
        let answer = request.body(sent).send().await.unwrap();
        let (status, said) = (answer.status().as_u16(), answer.bytes().await.unwrap());
        read(form, status, &String::from_utf8_lossy(&said))
    }

    async fn call(&self, signal: Signal, token: &str, packing: Packing, packed: &[u8]) -> Answer {
        let service = if signal == Signal::Logs { "logs.v1.LogsService" } else { "trace.v1.TraceService" };
        let url = format!("http://{}/opentelemetry.proto.collector.{service}/Export", self.grpc);
        let is_packed = u8::from(packing != Packing::Plain);
        let framed = [&[is_packed][..], &u32::try_from(packed.len()).unwrap().to_be_bytes(), packed].concat();
        let request = self.clients[1].post(url).bearer_auth(token).header("te", "trailers");
        let request = request.header("content-type", "application/grpc").header("grpc-encoding", packing.word());
        let answer = request.body(framed).send().await.unwrap();
        // A call that has failed says so among the headers, any other behind its message.
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (code, message) = (header("grpc-status"), header("grpc-message"));
        match code.as_deref() {
            None => read(Form::OtlpGrpc, 200, &String::from_utf8_lossy(&answer.bytes().await.unwrap())),
            Some("3") => Answer { status: 400, said: message.unwrap(), refused: None },
            other => panic!("code {other:?}: {message:?}"),
        }
    }
}

/// Reads an answer.
fn read(form: Form, status: u16, said: &str) -> Answer {
    let (refused, said) = match (form, status) {
        (Form::Bulk, 200) => {
            let answer: Value = serde_json::from_str(said).unwrap();
            let items = answer["items"].as_array().unwrap();
            let outcomes = items.iter().map(|item| item.as_object().unwrap().values().next().unwrap());
            let wrong: Vec<&Value> = outcomes.filter(|outcome| outcome["status"] != 201).collect();
            assert_eq!(answer["errors"], !wrong.is_empty());
            let reasons = wrong.iter().map(|outcome| outcome["error"]["reason"].as_str().unwrap().to_owned());
            (Some(wrong.len() as u64), reasons.collect::<Vec<_>>().join("\n"))
        }
        (Form::LokiProtobuf | Form::LokiJson, 204) => (Some(0), String::new()),
        (Form::LokiProtobuf | Form::LokiJson, 400) => (number_before(said, " row"), said.to_owned()),
        (Form::OtlpJson, 200) if said != "{}" => {
            let answer: Value = serde_json::from_str(said).unwrap();
            let partial = &answer["partialSuccess"];
            let rejected = partial["rejectedLogRecords"].as_str().or(partial["rejectedSpans"].as_str());
            (Some(rejected.unwrap().parse().unwrap()), partial["errorMessage"].as_str().unwrap().to_owned())
        }
        (_, 200) if said.contains("refused: ") => {
            (number_before(said, " log record").or_else(|| number_before(said, " span")), said.to_owned())
        }
        (_, 200) => (Some(0), said.to_owned()),
        _ => (None, said.to_owned()),
    };
    Answer { status, said, refused }
}

/// The number that stands before these words, where they first come.
fn number_before(said: &str, words: &str) -> Option<u64> {
    let before = &said[..said.find(words)?];
    let digits = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    before[digits..].parse().ok()
}
