//! The ways in: what each of them sends, and what of its answers is an acknowledgement.

pub(crate) mod loki;
pub(crate) mod otlp;
pub(crate) mod otlp_grpc;
pub(crate) mod otlp_http;
pub(crate) mod otlp_json;
pub(crate) mod otlp_records;
pub(crate) mod remote_write_1;
pub(crate) mod remote_write_2;

use std::collections::BTreeSet;
use std::io;

use crate::http;
use crate::http2;
use crate::log::Answer;
use crate::row::{Kind, Record, Row};

/// One of the ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    RemoteWrite1,
    RemoteWrite2,
    /// OTLP over HTTP, protobuf.
    OtlpHttp,
    OtlpGrpc,
    /// Deltas over HTTP, JSON.
    DeltaJson,
    /// Deltas over gRPC.
    DeltaGrpc,
    /// Log rows over HTTP, protobuf.
    LogsHttp,
    /// Log rows as Loki takes them, JSON.
    LogsLoki,
    /// Spans over gRPC.
    SpansGrpc,
    /// Spans over HTTP, JSON.
    SpansJson,
}

/// What is sent at once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Request {
    pub(crate) way: Way,
    pub(crate) connection: u64,
    /// Sorted by series and time.
    pub(crate) rows: Vec<Row>,
    /// Log rows or spans, of the ways that have these.
    pub(crate) records: Vec<Record>,
    /// What is said of each metric.
    pub(crate) help: String,
}

impl Request {
    /// How many rows it has.
    pub(crate) fn size(&self) -> u64 {
        (self.rows.len() + self.records.len()) as u64
    }

    /// The kinds of its series, each once.
    pub(crate) fn kinds(&self) -> BTreeSet<Kind> {
        self.rows.iter().map(|row| row.kind).collect()
    }

    /// The rows of each series, of those of one kind.
    pub(crate) fn series(&self, kind: Kind) -> impl Iterator<Item = &[Row]> {
        self.rows.chunk_by(|a, b| a.series == b.series).filter(move |rows| rows[0].kind == kind)
    }

    /// The labels of a series, beside its name.
    pub(crate) fn labels(&self, series: u64) -> [(&'static str, String); 2] {
        [("connection", self.connection.to_string()), ("series", series.to_string())]
    }
}

/// Where the server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) http: String,
    pub(crate) grpc: String,
}

impl Address {
    /// Reads two lines, each of `host:port`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines().map(|line| line.trim().to_owned());
        Some(Address { http: lines.next()?, grpc: lines.next()? })
    }
}

/// An open connection of the kind that a way needs.
#[derive(Debug)]
pub(crate) enum Connection {
    Http(http::Connection),
    Http2(http2::Connection),
}

impl Way {
    pub(crate) const ALL: [Way; 10] = [
        Way::RemoteWrite1,
        Way::RemoteWrite2,
        Way::OtlpHttp,
        Way::OtlpGrpc,
        Way::DeltaJson,
        Way::DeltaGrpc,
        Way::LogsHttp,
        Way::LogsLoki,
        Way::SpansGrpc,
        Way::SpansJson,
    ];

    /// The way of a sender.
    pub(crate) fn of(sender: u64) -> Self {
        Self::ALL[(sender % Self::ALL.len() as u64) as usize]
    }

    /// Whether its rows say what was added since the one before.
    pub(crate) fn is_delta(self) -> bool {
        matches!(self, Way::DeltaJson | Way::DeltaGrpc)
    }

    /// Whether it has log rows or spans, no samples.
    pub(crate) fn is_columnar(self) -> bool {
        matches!(self, Way::LogsHttp | Way::LogsLoki) || self.has_spans()
    }

    /// Whether it has spans.
    pub(crate) fn has_spans(self) -> bool {
        matches!(self, Way::SpansGrpc | Way::SpansJson)
    }

    /// Whether what was not acknowledged is sent again.
    pub(crate) fn comes_again(self) -> bool {
        self.is_delta() || self.is_columnar()
    }

    fn is_grpc(self) -> bool {
        matches!(self, Way::OtlpGrpc | Way::DeltaGrpc | Way::SpansGrpc)
    }

    /// The service that its log rows or spans are of, as the tables have it.
    pub(crate) fn service(self) -> String {
        format!("oracle_{}", self.word())
    }

    fn word(self) -> &'static str {
        match self {
            Way::RemoteWrite1 => "remote_write_1",
            Way::RemoteWrite2 => "remote_write_2",
            Way::OtlpHttp => "otlp_http",
            Way::OtlpGrpc => "otlp_grpc",
            Way::DeltaJson => "delta_json",
            Way::DeltaGrpc => "delta_grpc",
            Way::LogsHttp => "logs_http",
            Way::LogsLoki => "logs_loki",
            Way::SpansGrpc => "spans_grpc",
            Way::SpansJson => "spans_json",
        }
    }

    /// The name of its series of a kind, as the tables have it.
    pub(crate) fn name(self, kind: Kind) -> String {
        // What the translation of OTLP appends to the name of a counter.
        let suffix = if kind == Kind::Counter { "_total" } else { "" };
        format!("oracle_{}_{}{suffix}", self.word(), kind.word())
    }

    /// Connects to a server.
    pub(crate) fn connect(self, address: &Address) -> io::Result<Connection> {
        if self.is_grpc() {
            http2::Connection::open(&address.grpc).map(Connection::Http2)
        } else {
            http::Connection::open(&address.http).map(Connection::Http)
        }
    }
}

impl Connection {
    /// Sends a request and waits for what is said to it. After an error the connection is of no use.
    pub(crate) fn ask(&mut self, request: &Request) -> io::Result<Answer> {
        match (self, request.way) {
            (Connection::Http(http), Way::RemoteWrite1) => remote_write_1::ask(http, request),
            (Connection::Http(http), Way::RemoteWrite2) => remote_write_2::ask(http, request),
            (Connection::Http(http), Way::OtlpHttp) => otlp_http::ask(http, request),
            (Connection::Http(http), Way::LogsHttp) => otlp_http::ask(http, request),
            (Connection::Http(http), Way::LogsLoki) => loki::ask(http, request),
            (Connection::Http(http), _) => otlp_json::ask(http, request),
            (Connection::Http2(http2), _) => otlp_grpc::ask(http2, request),
        }
    }

    /// Sends a request of those that come again and goes away.
    pub(crate) fn hang_up_on(self, request: &Request) -> io::Result<()> {
        match self {
            Connection::Http(mut http) if request.way == Way::LogsHttp => otlp_http::send(&mut http, request),
            Connection::Http(mut http) if request.way == Way::LogsLoki => loki::send(&mut http, request),
            Connection::Http(mut http) => otlp_json::send(&mut http, request),
            Connection::Http2(mut http2) => otlp_grpc::send(&mut http2, request).map(|_| ()),
        }
    }
}
