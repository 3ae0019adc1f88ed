//! Writing logs and spans, 500 a batch: nanoseconds of CPU a row, until the last is answered and until the last lies in a
//! committed block, and bytes a row there. Without a request and its decoding; for profiles of the store alone.
//!
//! Run: `cargo bench -p storage --bench columnar`, with `logs` or `spans` behind `--` for one of them

use std::error::Error;
use std::sync::Arc;

use model::files::Disk;
use model::logs::Log;
use model::resource::{Resource, Scope};
use model::spans::Span;
use model::{Clock, Ingest, Logs, Spans, SystemClock};
use storage::{Config, Parts, Store, Table};

const ROWS: usize = 800_000;
const OF_BATCH: usize = 500;
const PODS: u64 = 100;
const SERVICES: u64 = 20;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let only = std::env::args().find(|arg| matches!(arg.as_str(), "logs" | "spans"));
    runtime.block_on(async {
        if only.as_deref() != Some("spans") {
            measure(Table::Logs).await?;
        }
        if only.as_deref() != Some("logs") {
            measure(Table::Spans).await?;
        }
        Ok(())
    })
}

async fn measure(table: Table) -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let config = Config { url: folder.path().display().to_string(), memory_bytes: 4 << 30, ..Config::default() };
    let store = Store::open(config, Parts { files: Arc::new(Disk), clock: Arc::new(SystemClock) }).await?;
    let mut random = Random(7);
    let start = SystemClock.now_ms() * 1_000_000 - ROWS as i64 * 50_000;
    let (mut making, mut raw) = (0.0, 0);
    let begin = cpu_seconds()?;
    for batch in 0..ROWS / OF_BATCH {
        let before = cpu_seconds()?;
        let first = start + (batch * OF_BATCH) as i64 * 50_000;
        if table == Table::Logs {
            let (logs, bytes) = logs(&mut random, first);
            raw += bytes;
            making += cpu_seconds()? - before;
            store.write_logs(logs).await?;
        } else {
            let spans = spans(&mut random, first);
            making += cpu_seconds()? - before;
            store.write_spans(spans).await?;
        }
    }
    let written = cpu_seconds()?;
    store.close().await?;
    let closed = cpu_seconds()?;
    let of_row = |seconds: f64| seconds * 1e9 / ROWS as f64;
    let bytes: u64 = store.snapshot().blocks(table).iter().map(|block| block.size_bytes).sum();
    let seconds = closed - begin - making;
    println!(
        "{}: written {:.0} ns, cut {:.0} ns, {:.0} rows and {:.0} MB of raw lines a CPU second, {:.1} bytes a row",
        table.name(),
        of_row(written - begin - making),
        of_row(closed - written),
        ROWS as f64 / seconds,
        raw as f64 / seconds / 1e6,
        bytes as f64 / ROWS as f64,
    );
    Ok(())
}

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 11) % limit
    }

    fn id<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| (self.next() >> 24) as u8)
    }
}

fn resource(pod: u64) -> Arc<Resource> {
    let service = format!("service-{}", pod % SERVICES);
    let name = format!("{service}-7d9f8b6c5-{pod:05}");
    let node = format!("ip-10-0-{}-{}.ec2.internal", pod % 4, pod % 13);
    let namespace = format!("team-{}", pod % 5);
    Arc::new(Resource::new([
        ("k8s.cluster.name", ["eu-1", "us-1", "us-2"][(pod % 3) as usize]),
        ("service.name", &service),
        ("service.version", "1.42.0"),
        ("k8s.namespace.name", &namespace),
        ("k8s.pod.name", &name),
        ("k8s.container.name", "main"),
        ("k8s.node.name", &node),
        ("k8s.deployment.name", &service),
        ("cloud.region", "eu-central-1"),
        ("telemetry.sdk.language", "go"),
    ]))
}

/// Log rows of one request, and how long they would be as lines of JSON.
fn logs(random: &mut Random, first: i64) -> (Logs, usize) {
    const METHODS: [&str; 4] = ["GET", "POST", "PUT", "DELETE"];
    const PATHS: [&str; 6] = ["/api/v1/items", "/api/v1/orders", "/cart", "/checkout", "/login", "/healthz"];
    const LEVELS: [(u8, &str); 10] = [
        (9, "INFO"),
        (9, "INFO"),
        (9, "INFO"),
        (9, "INFO"),
        (9, "INFO"),
        (9, "INFO"),
        (5, "DEBUG"),
        (5, "DEBUG"),
        (13, "WARN"),
        (17, "ERROR"),
    ];
    let (mut logs, mut raw) = (Logs::default(), 0);
    let scope = logs.scopes.place(&Arc::new(Scope::default()));
    for n in 0..OF_BATCH {
        let from = resource(random.below(PODS));
        let place = logs.resources.place(&from);
        let method = METHODS[random.below(4) as usize];
        let path = PATHS[random.below(6) as usize];
        let (status, millis) = ([200, 200, 200, 404, 500][random.below(5) as usize], random.below(2000));
        let user = random.below(5000);
        let body = format!("{method} {path} finished with status {status} in {millis} ms for user u{user}");
        let (severity_number, severity_text) = LEVELS[random.below(10) as usize];
        raw += body.len() + 48 + 30 + from.columns().map(|text| text.len()).iter().sum::<usize>() + 130;
        logs.attributes.push("http.response.status_code", &status.to_string());
        logs.attributes.push("http.request.method", method);
        let row = Log {
            resource: place,
            scope,
            time_unix_nano: first + n as i64 * 50_000 + random.below(50_000) as i64,
            observed_time_unix_nano: first + OF_BATCH as i64 * 50_000,
            severity_number,
            severity_text,
            body: &body,
            trace_id: random.id(),
            span_id: random.id(),
            flags: 1,
        };
        logs.push(&row);
    }
    (logs, raw)
}

/// Traces of ten spans each.
fn spans(random: &mut Random, first: i64) -> Spans {
    let mut spans = Spans::default();
    let scope = spans.scopes.place(&Arc::new(Scope { name: "io.otel.http".into(), version: "1.9.0".into() }));
    for trace in 0..OF_BATCH / 10 {
        let trace_id = random.id();
        let mut parent = [0; 8];
        let start = first + (trace * 10) as i64 * 50_000;
        for depth in 0..10 {
            let place = spans.resources.place(&resource(random.below(PODS)));
            let status = [200, 200, 200, 200, 500][random.below(5) as usize];
            let route = ["/api/v1/items/{id}", "/api/v1/orders", "/cart", "/pay"][random.below(4) as usize];
            spans.attributes.push("http.request.method", "GET");
            spans.attributes.push("http.route", route);
            spans.attributes.push("http.response.status_code", &status.to_string());
            spans.attributes.push("server.address", "shop.example.com");
            spans.attributes.push("network.peer.address", &format!("10.0.{}.{}", random.below(4), random.below(250)));
            spans.attributes.push("url.scheme", "https");
            let span_id = random.id();
            spans.push(&Span {
                resource: place,
                scope,
                trace_id,
                span_id,
                parent_span_id: parent,
                name: &format!("GET {route}"),
                kind: 2 + (depth % 2) as u8,
                start_time_unix_nano: start + depth * 1_000_000 + random.below(1_000_000) as i64,
                duration_nano: 1_000_000 + random.below(50_000_000) as i64,
                status_code: if status == 500 { 2 } else { 0 },
                flags: 1,
                ..Span::default()
            });
            parent = span_id;
        }
    }
    spans
}

fn cpu_seconds() -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks =
        |at: usize| -> Result<f64, Box<dyn Error>> { Ok(fields.get(at).ok_or("a short stat")?.parse::<f64>()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
