//! Pushed logs as agents send them: 20 streams of 50 lines as applications in Kubernetes write them, of about 350 bytes;
//! as documents those of all streams by turns, each with what Fluent Bit tells of its pod. Throughput is that of the lines
//! alone.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use decode::elasticsearch::bulk;
use decode::{Arrival, Limits, loki};

const STREAMS: usize = 20;
const LINES: usize = 50;
const START_UNIX_NANO: i64 = 1_700_000_000_000_000_000;
const ARRIVAL: Arrival = Arrival { unix_nano: START_UNIX_NANO, latest_unix_nano: i64::MAX };

/// A line, of JSON, of logfmt, of an access log or of words.
fn line(index: usize) -> String {
    let id = format!("{:032x}", (index as u128 + 1) * 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    match index % 4 {
        0 => format!(
            r#"{{"time":"2023-11-14T22:13:20.{:09}Z","level":"info","logger":"checkout.payment","msg":"payment authorised by the provider","order_id":"{}","customer":"c-{:08}","amount":129.90,"currency":"EUR","provider":"adyen","attempt":1,"duration_ms":{},"http":{{"method":"POST","path":"/v1/payments","status":201}},"region":"eu-central-1"}}"#,
            index * 7919 % 1_000_000_000,
            &id[..12],
            index * 31,
            index % 900
        ),
        1 => format!(
            r#"ts=2023-11-14T22:13:20.{:09}Z caller=handler.go:{} level=debug component=cart user=c-{:08} msg="cart was loaded from the cache of the session" items={} cache=session-store-{} took={}ms traceparent=00-{id}-{}-01 region=eu-central-1 zone=eu-central-1{} host=ip-10-12-{}-{}.eu-central-1.compute.internal"#,
            index * 7919 % 1_000_000_000,
            index % 700,
            index * 31,
            index % 9,
            index % 5,
            index % 40,
            &id[..16],
            ['a', 'b', 'c'][index % 3],
            index % 250,
            index % 249
        ),
        2 => format!(
            r#"10.12.{}.{} - - [14/Nov/2023:22:13:20 +0000] "GET /api/v1/products/{}?currency=EUR&page={} HTTP/1.1" 200 {} "https://shop.example.com/category/shoes/{}" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36" {} 0.0{} [production-catalog-8080] [] 10.244.{}.{}:8080 {} 0.01{} 200 {id}"#,
            index % 250,
            index % 249,
            index * 17,
            index % 40,
            index * 13 % 90_000,
            index * 7,
            index % 2000,
            index % 100,
            index % 250,
            index % 247,
            index * 13 % 90_000,
            index % 10
        ),
        _ => format!(
            "2023-11-14 22:13:20.{:03}  WARN 1 --- [nio-8080-exec-{}] c.e.shop.inventory.ReservationService    : Reservation {} of product {} could not be confirmed within {} ms, the stock of warehouse {} is read again from the primary and the order {} waits; after three attempts it is handed to the back office, see runbook inventory-17 for what to do",
            index % 1000,
            index % 20,
            &id[..12],
            index * 17,
            index % 3000,
            index % 12,
            &id[12..24]
        ),
    }
}

/// The labels of a stream, as Alloy sets them.
fn labels(stream: usize) -> Vec<(&'static str, String)> {
    vec![
        ("cluster", "prod-eu-1".to_owned()),
        ("namespace", "production".to_owned()),
        ("app", format!("service-{stream}")),
        ("pod", format!("service-{stream}-7d9c5b6f4-{stream:05x}")),
        ("container", format!("service-{stream}")),
        ("node_name", format!("ip-10-12-7-{}.eu-central-1", stream % 5)),
        ("job", format!("production/service-{stream}")),
        ("stream", "stdout".to_owned()),
    ]
}

fn time(index: usize) -> i64 {
    START_UNIX_NANO + index as i64 * 1_234_567
}

#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(mut self, field: u64, number: i64) -> Self {
        self.varint(field << 3);
        self.varint(number as u64);
        self
    }

    fn bytes(mut self, field: u64, bytes: impl AsRef<[u8]>) -> Self {
        self.varint(field << 3 | 2);
        self.varint(bytes.as_ref().len() as u64);
        self.0.extend_from_slice(bytes.as_ref());
        self
    }
}

fn protobuf() -> Vec<u8> {
    let mut request = Message::default();
    for stream in 0..STREAMS {
        let pairs: Vec<_> = labels(stream).iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let mut message = Message::default().bytes(1, format!("{{{}}}", pairs.join(", ")));
        for index in stream * LINES..(stream + 1) * LINES {
            let time = Message::default().number(1, time(index) / 1_000_000_000).number(2, time(index) % 1_000_000_000);
            let id = Message::default().bytes(1, "trace_id").bytes(2, format!("{:032x}", index + 1));
            let thread = Message::default().bytes(1, "thread").bytes(2, format!("worker-{}", index % 8));
            let entry = Message::default().bytes(1, time.0).bytes(2, line(index)).bytes(3, id.0).bytes(3, thread.0);
            message = message.bytes(2, entry.0);
        }
        request = request.bytes(1, message.0);
    }
    request.0
}

fn json() -> Vec<u8> {
    let streams = (0..STREAMS).map(|stream| {
        let labels: serde_json::Map<_, _> =
            labels(stream).into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
        let values = (stream * LINES..(stream + 1) * LINES).map(|index| {
            let metadata = serde_json::json!({"trace_id": format!("{:032x}", index + 1), "thread": format!("worker-{}", index % 8)});
            serde_json::json!([time(index).to_string(), line(index), metadata])
        });
        serde_json::json!({"stream": labels, "values": values.collect::<Vec<_>>()})
    });
    serde_json::json!({"streams": streams.collect::<Vec<_>>()}).to_string().into_bytes()
}

fn documents() -> Vec<u8> {
    let mut body = String::new();
    for index in 0..STREAMS * LINES {
        let stream = index % STREAMS;
        let line = serde_json::Value::from(line(index));
        let millis = time(index) / 1_000_000 % 1000;
        body += &format!(
            r#"{{"create":{{"_index":"logs-app-default"}}}}
{{"@timestamp":"2023-11-14T22:13:20.{millis:03}Z","time":"2023-11-14T22:13:20.{millis:03}456789Z","stream":"stdout","_p":"F","log":{line},"trace_id":"{:032x}","kubernetes":{{"pod_name":"service-{stream}-7d9c5b6f4-{stream:05x}","namespace_name":"production","pod_id":"8d3f7c52-6b1e-4f0a-9d57-{stream:012x}","labels":{{"app.kubernetes.io/name":"service-{stream}","app.kubernetes.io/version":"1.42.7","pod-template-hash":"7d9c5b6f4"}},"annotations":{{"checksum/config":"5f2b9c1d7e8a4f30b6d2c9e1a7f4083d"}},"host":"ip-10-12-7-{}.eu-central-1","pod_ip":"10.244.3.{stream}","container_name":"service-{stream}","docker_id":"{stream:064x}","container_image":"registry.example.com/shop/service-{stream}:1.42.7"}}}}
"#,
            index + 1,
            stream % 5
        );
    }
    body.into_bytes()
}

fn decode_logs(c: &mut Criterion) {
    let limits = Limits::default();
    let lines: usize = (0..STREAMS * LINES).map(|index| line(index).len()).sum();
    let (protobuf, json, documents) = (protobuf(), json(), documents());
    let sizes = [protobuf.len(), json.len(), documents.len()];
    println!("{} bytes a line; bodies of Loki, Loki's JSON and Elasticsearch: {sizes:?}", lines / (STREAMS * LINES));
    for decoded in [loki::decode(&protobuf, ARRIVAL, &limits), loki::json::decode(&json, ARRIVAL, &limits)] {
        let logs = decoded.expect("a request").logs;
        assert_eq!((logs.len(), logs.body.all().len()), (STREAMS * LINES, lines));
    }
    let decoded = bulk::decode(&documents, "", ARRIVAL, &limits).expect("a request");
    assert_eq!((decoded.logs.len(), decoded.logs.body.all().len()), (STREAMS * LINES, lines));
    let mut group = c.benchmark_group("logs");
    group.throughput(Throughput::Bytes(lines as u64));
    group.bench_function("Loki protobuf", |b| b.iter(|| loki::decode(black_box(&protobuf), ARRIVAL, &limits)));
    group.bench_function("Loki JSON", |b| b.iter(|| loki::json::decode(black_box(&json), ARRIVAL, &limits)));
    group.bench_function("Elasticsearch bulk", |b| {
        b.iter(|| bulk::decode(black_box(&documents), "", ARRIVAL, &limits));
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(30).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = decode_logs
}
criterion_main!(benches);
