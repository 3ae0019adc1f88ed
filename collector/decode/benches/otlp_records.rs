//! OTLP requests for logs and traces as OpenTelemetry's Collector sends them for the pods of a node: 1,000 lines of about 350
//! bytes, each with a trace and six attributes, or 1,000 spans with eight; from ten pods, whose resources have ten attributes.
//!
//! The throughput of logs is that of their lines alone; that of traces is spans.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::Limits;
use decode::otlp::{json, logs, traces};

const PODS: u64 = 10;
const ROWS_OF_POD: u64 = 100;
const TIME: u64 = 1_700_000_000_000_000_000;

/// A protobuf message, and the same as JSON, while they are written.
#[derive(Default)]
struct Message {
    protobuf: Vec<u8>,
    json: Vec<String>,
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

impl Message {
    fn sized(&mut self, field: u64, content: &[u8]) {
        varint(&mut self.protobuf, field << 3 | 2);
        varint(&mut self.protobuf, content.len() as u64);
        self.protobuf.extend_from_slice(content);
    }

    fn text(mut self, field: u64, name: &str, text: &str) -> Self {
        self.sized(field, text.as_bytes());
        self.json.push(format!("{name:?}:{text:?}"));
        self
    }

    fn id(mut self, field: u64, name: &str, id: &[u8]) -> Self {
        self.sized(field, id);
        let digits: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        self.json.push(format!("{name:?}:{digits:?}"));
        self
    }

    fn fixed(mut self, field: u64, name: &str, number: u64) -> Self {
        varint(&mut self.protobuf, field << 3 | 1);
        self.protobuf.extend_from_slice(&number.to_le_bytes());
        self.json.push(format!("{name:?}:\"{number}\""));
        self
    }

    fn number(mut self, field: u64, name: &str, number: u64) -> Self {
        varint(&mut self.protobuf, field << 3);
        varint(&mut self.protobuf, number);
        self.json.push(format!("{name:?}:{number}"));
        self
    }

    fn message(mut self, field: u64, name: &str, message: Message) -> Self {
        self.sized(field, &message.protobuf);
        self.json.push(format!("{name:?}:{}", message.json()));
        self
    }

    fn messages(mut self, field: u64, name: &str, messages: Vec<Message>) -> Self {
        messages.iter().for_each(|message| self.sized(field, &message.protobuf));
        let all: Vec<String> = messages.iter().map(Message::json).collect();
        self.json.push(format!("{name:?}:[{}]", all.join(",")));
        self
    }

    fn json(&self) -> String {
        format!("{{{}}}", self.json.join(","))
    }
}

fn text(text: &str) -> Message {
    Message::default().text(1, "stringValue", text)
}

fn number(number: u64) -> Message {
    Message::default().number(3, "intValue", number)
}

fn attribute((key, value): (&str, Message)) -> Message {
    Message::default().text(1, "key", key).message(2, "value", value)
}

fn attributes<const N: usize>(pairs: [(&str, Message); N]) -> Vec<Message> {
    pairs.into_iter().map(attribute).collect()
}

fn resource(pod: u64) -> Message {
    let pairs = [
        ("service.name", text("checkout-service")),
        ("service.version", text("1.42.7")),
        ("k8s.namespace.name", text("production")),
        ("k8s.deployment.name", text("checkout-service")),
        ("k8s.pod.name", text(&format!("checkout-service-7d9c5b6f4-{pod:05x}"))),
        ("k8s.pod.uid", text(&format!("3f0c2f0e-8a57-4c1e-9d3b-{pod:012x}"))),
        ("k8s.container.name", text("checkout")),
        ("k8s.node.name", text("ip-10-12-0-7.eu-central-1")),
        ("k8s.cluster.name", text("eu-central-1a")),
        ("k8s.container.restart_count", number(2)),
    ];
    Message::default().messages(1, "attributes", attributes(pairs))
}

/// The same bytes for the same number, spread as those of ids are.
fn trace_id(number: u64) -> [u8; 16] {
    let spread = |number: u64| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&spread(number + 1));
    id[8..].copy_from_slice(&spread(number + 1_000_003));
    id
}

fn span_id(number: u64) -> [u8; 8] {
    trace_id(number)[8..].try_into().expect("eight bytes")
}

fn line(row: u64) -> String {
    format!(
        "2026-07-02T11:42:{:02}.{:03}Z INFO  [checkout-service,order-{row:08x}] c.s.checkout.OrderController : \
         POST /api/v1/carts/{:012x}/checkout completed status=201 items={} total={}.{:02} currency=EUR duration_ms={} \
         customer=cus_{:014x} payment_provider=adyen region=eu-central-1 retries=0 cache=hit session=s-{:024x} \
         user_agent=\"Mozilla/5.0 (X11; Linux x86_64)\"",
        row / 17 % 60,
        row % 1000,
        row * 7919,
        row % 9 + 1,
        row % 400,
        row % 100,
        row % 800 + 3,
        row * 104_729,
        row * 1_299_709
    )
}

fn record(row: u64) -> Message {
    let pairs = [
        ("log.iostream", text("stdout")),
        ("logtag", text("F")),
        ("log.file.path", text("/var/log/pods/production_checkout-service-7d9c5b6f4/checkout/2.log")),
        ("thread.name", text(&format!("http-nio-8080-exec-{}", row % 32))),
        ("http.response.status_code", number(201)),
        ("http.route", text("/api/v1/carts/{cart}/checkout")),
    ];
    Message::default()
        .fixed(1, "timeUnixNano", TIME + row * 1_000_003)
        .number(2, "severityNumber", if row % 10 == 9 { 13 } else { 9 })
        .text(3, "severityText", if row % 10 == 9 { "WARN" } else { "INFO" })
        .message(5, "body", text(&line(row)))
        .messages(6, "attributes", attributes(pairs))
        .id(9, "traceId", &trace_id(row / 3))
        .id(10, "spanId", &span_id(row))
        .fixed(11, "observedTimeUnixNano", TIME + row * 1_000_003 + 40_000_000)
}

fn span(row: u64) -> Message {
    const NAMES: [&str; 5] = ["POST /checkout", "SELECT orders", "redis GET", "payment.Authorize", "kafka send"];
    let pairs = [
        ("http.request.method", text("POST")),
        ("url.path", text(&format!("/api/v1/carts/{:012x}/checkout", row * 7919))),
        ("http.response.status_code", number(201)),
        ("server.address", text("checkout.production.svc.cluster.local")),
        ("server.port", number(8080)),
        ("network.peer.address", text(&format!("10.12.{}.{}", row / 250 % 250, row % 250))),
        ("thread.id", number(row % 32)),
        ("enduser.id", text(&format!("cus_{:014x}", row * 104_729))),
    ];
    let start = TIME + row * 1_000_003;
    let mut span = Message::default()
        .id(1, "traceId", &trace_id(row / 5))
        .id(2, "spanId", &span_id(row))
        .id(4, "parentSpanId", &span_id(row - row % 5))
        .text(5, "name", NAMES[(row % 5) as usize])
        .number(6, "kind", row % 5 + 1)
        .fixed(7, "startTimeUnixNano", start)
        .fixed(8, "endTimeUnixNano", start + row % 997 * 10_007)
        .messages(9, "attributes", attributes(pairs));
    if row.is_multiple_of(10) {
        let pairs = [("exception.type", text("TimeoutException")), ("exception.message", text("read timed out"))];
        let event = Message::default().fixed(1, "timeUnixNano", start + 5000).text(2, "name", "exception").messages(
            3,
            "attributes",
            attributes(pairs),
        );
        span = span.messages(11, "events", vec![event]);
        span = span.message(15, "status", Message::default().text(2, "message", "timed out").number(3, "code", 2));
    }
    span
}

/// A request for all pods: `names` are those of its fields in JSON.
fn request(names: [&str; 3], record: fn(u64) -> Message) -> (Vec<u8>, String) {
    let of_pod = |pod: u64| {
        let records = (0..ROWS_OF_POD).map(|row| record(pod * ROWS_OF_POD + row)).collect();
        let scope = Message::default().text(1, "name", "checkout").text(2, "version", "1.42.7");
        let scope = Message::default().message(1, "scope", scope).messages(2, names[2], records);
        Message::default().message(1, "resource", resource(pod)).messages(2, names[1], vec![scope])
    };
    let request = Message::default().messages(1, names[0], (0..PODS).map(of_pod).collect());
    let json = request.json();
    (request.protobuf, json)
}

fn decode_requests(c: &mut Criterion) {
    let limits = Limits::default();
    let (lines, lines_json) = request(["resourceLogs", "scopeLogs", "logRecords"], record);
    let (spans, spans_json) = request(["resourceSpans", "scopeSpans", "spans"], span);
    let read_lines = |body: &[u8]| logs::decode(body, 0, i64::MAX, &limits).expect("the request").logs;
    let read_spans = |body: &[u8]| traces::decode(body, i64::MAX, &limits).expect("the request").spans;
    let from_json = |request, body: &str| json::to_protobuf(request, body.as_bytes(), &limits).expect("JSON");
    assert!(read_lines(&lines) == read_lines(&from_json(json::Request::Logs, &lines_json)));
    assert!(read_spans(&spans) == read_spans(&from_json(json::Request::Traces, &spans_json)));
    let line_bytes = read_lines(&lines).body.all().len();
    println!("{line_bytes} bytes of lines in {} of protobuf, {} of JSON", lines.len(), lines_json.len());
    println!("{} spans in {} of protobuf, {} of JSON", read_spans(&spans).len(), spans.len(), spans_json.len());

    let mut group = c.benchmark_group("logs");
    group.throughput(Throughput::BytesDecimal(line_bytes as u64));
    group.bench_function("protobuf", |b| b.iter(|| read_lines(black_box(&lines))));
    group.bench_function("JSON", |b| b.iter(|| read_lines(&from_json(json::Request::Logs, black_box(&lines_json)))));
    group.finish();
    let mut group = c.benchmark_group("traces");
    group.throughput(Throughput::Elements(PODS * ROWS_OF_POD));
    group.bench_function("protobuf", |b| b.iter(|| read_spans(black_box(&spans))));
    group.bench_function("JSON", |b| b.iter(|| read_spans(&from_json(json::Request::Traces, black_box(&spans_json)))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_requests
}
criterion_main!(benches);
