//! Bytes and nanoseconds per sample of blocks: real values of a node exporter, 40 instances, Kubernetes' labels.
//!
//! The exporter (`prometheus-node-exporter` of Debian, or `NODE_EXPORTER`) is started and scraped 520 times, half a
//! second apart; the scrapes are kept in `SCRAPES` (default: the target folder) for the next run. Samples are re-stamped
//! to one every 15 s. Instance k starts k scrapes later and its integers are moved by a constant, so that no two
//! instances hold the same run of values. Files are left beside the scrapes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use bytes::Bytes;
use model::batch::Kind;
use model::labels::LabelsBuilder;
use model::{Error, SeriesKey};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use storage::Matcher;
use storage::block::{SamplesWriter, SeriesWriter};
use storage::index::SeriesBlock;
use storage::matcher::Condition;

const INSTANCES: usize = 40;
const SCRAPES: usize = 480 + INSTANCES;
const START_MS: i64 = 1_790_000_000_000;
const STEP_MS: i64 = 15_000;

type Fault = Box<dyn std::error::Error>;

fn main() -> Result<(), Fault> {
    // `cargo test --benches` runs this too and only wants to know that it builds.
    if !std::env::args().any(|arg| arg == "--bench") {
        return Ok(());
    }
    let folder = std::env::var_os("SCRAPES")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("scrapes"), PathBuf::from);
    let series = read_series(&scrapes(&folder)?)?;
    let fleet = fleet(&series)?;
    println!("{} series of one exporter, {} of {INSTANCES} instances", series.len(), fleet.len());
    println!(
        "{:>8} {:>10} {:>14} {:>12} {:>12} {:>12}",
        "samples", "rows", "bytes/sample", "encode ns", "decode ns", "5 columns ns"
    );
    for samples in [60, 240, 480] {
        let (bytes, rows, encode_ns) = encode(&fleet, samples)?;
        let all = decode(&bytes, None)?;
        let five = decode(&bytes, Some(&["series_id", "time_ms", "mantissa", "scale", "value"]))?;
        let rows = rows as f64;
        println!(
            "{samples:>8} {rows:>10} {:>14.3} {:>12.1} {:>12.1} {:>12.1}",
            bytes.len() as f64 / rows,
            encode_ns as f64 / rows,
            all as f64 / rows,
            five as f64 / rows
        );
        std::fs::write(folder.join(format!("samples-{samples}.parquet")), &bytes)?;
        columns(&bytes, samples)?;
    }
    series_block(&fleet, &folder)
}

/// Prints what each column takes.
fn columns(bytes: &Bytes, samples: usize) -> Result<(), Fault> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?;
    let metadata = builder.metadata();
    let rows = metadata.file_metadata().num_rows() as f64;
    let mut sizes: BTreeMap<String, i64> = BTreeMap::new();
    for column in metadata.row_groups().iter().flat_map(|group| group.columns()) {
        *sizes.entry(column.column_path().string()).or_default() += column.compressed_size();
    }
    let rest = bytes.len() as i64 - sizes.values().sum::<i64>();
    sizes.insert("footer and page index".into(), rest);
    let texts: Vec<String> = sizes.iter().map(|(name, size)| format!("{name} {:.4}", *size as f64 / rows)).collect();
    println!("         {samples}: {}", texts.join(", "));
    Ok(())
}

fn encode(fleet: &[Member<'_>], samples: usize) -> Result<(Bytes, u64, u64), Fault> {
    let mut bytes = Vec::with_capacity(64 << 20);
    let mut writer = SamplesWriter::new(&mut bytes)?;
    let mut run = Vec::with_capacity(samples);
    let (mut gathering, start) = (0, cpu_ns()?);
    for (at, member) in fleet.iter().enumerate() {
        run.clear();
        run.extend((0..samples).map(|i| (START_MS + i as i64 * STEP_MS, member.value(i).to_bits())));
        writer.push_series(&member.key, member.id, &run)?;
        if at == 0 {
            let before = cpu_ns()?;
            for _ in 0..100 {
                run.clear();
                run.extend((0..samples).map(|i| (START_MS + i as i64 * STEP_MS, member.value(i).to_bits())));
                std::hint::black_box(&run);
            }
            gathering = (cpu_ns()? - before) / 100;
        }
    }
    let meta = writer.finish()?;
    // Making up the samples is no part of writing them.
    let spent = cpu_ns()? - start - gathering * (fleet.len() as u64 + 100);
    Ok((bytes.into(), meta.rows, spent))
}

fn decode(bytes: &Bytes, columns: Option<&[&str]>) -> Result<u64, Fault> {
    let start = cpu_ns()?;
    let mut builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?.with_batch_size(8192);
    if let Some(columns) = columns {
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        builder = builder.with_projection(mask);
    }
    for batch in builder.build()? {
        std::hint::black_box(batch?);
    }
    Ok(cpu_ns()? - start)
}

fn series_block(fleet: &[Member<'_>], folder: &Path) -> Result<(), Fault> {
    let mut bytes = Vec::new();
    let start = cpu_ns()?;
    let mut writer = SeriesWriter::new(&mut bytes)?;
    for member in fleet {
        writer.push(&member.key, member.id, Kind::Gauge, START_MS)?;
    }
    writer.finish()?;
    let rows = fleet.len() as f64;
    let labels: usize = fleet.iter().map(|member| member.key.labels.as_bytes().len()).sum();
    println!("series: {:.1} bytes of labels, {:.1} bytes a row", labels as f64 / rows, bytes.len() as f64 / rows);
    println!("series: written in {:.0} ns a row", (cpu_ns()? - start) as f64 / rows);
    std::fs::write(folder.join("series.parquet"), &bytes)?;
    columns(&Bytes::from(bytes.clone()), 0)?;
    let start = cpu_ns()?;
    let block = SeriesBlock::open(bytes.into())?;
    println!(
        "series: opened in {:.0} ns a row, {:.1} bytes of memory a row",
        (cpu_ns()? - start) as f64 / rows,
        block.memory_bytes() as f64 / rows
    );
    let matchers = [
        (
            "node_cpu_seconds_total{mode=\"idle\"}",
            vec![matcher("__name__", "node_cpu_seconds_total"), matcher("mode", "idle")],
        ),
        (
            "{instance=~\".*7:9100\"}",
            vec![Matcher { label: "instance".into(), condition: Condition::Matches(regex::Regex::new("^.*7:9100$")?) }],
        ),
    ];
    for (text, matchers) in matchers {
        let start = cpu_ns()?;
        let selected = block.select(&matchers);
        let resolved = cpu_ns()?;
        let infos: Result<Vec<_>, Error> = selected.iter().map(|row| block.info(row)).collect();
        let named = cpu_ns()? - resolved;
        println!(
            "series: {text}: {} of them in {} µs, named in {} ns each",
            selected.len(),
            (resolved - start) / 1000,
            named / infos?.len().max(1) as u64
        );
    }
    Ok(())
}

fn matcher(label: &str, value: &str) -> Matcher {
    Matcher { label: label.into(), condition: Condition::In(vec![value.into()]) }
}

/// CPU time of this thread so far, in nanoseconds.
fn cpu_ns() -> Result<u64, Fault> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}

/// One series of one instance.
struct Member<'a> {
    key: SeriesKey,
    id: i64,
    values: &'a [f64],
    instance: usize,
}

impl Member<'_> {
    fn value(&self, i: usize) -> f64 {
        let value = self.values[self.instance + i];
        let counts = value.fract() == 0.0 && value.abs() > 1000.0 && value.abs() < 1e12;
        if counts { value + (self.instance * 4099) as f64 } else { value }
    }
}

/// The series of all instances in the order of the tables.
fn fleet(series: &BTreeMap<String, Vec<f64>>) -> Result<Vec<Member<'_>>, Fault> {
    let mut fleet = Vec::new();
    let mut builder = LabelsBuilder::default();
    for (text, values) in series {
        for instance in 0..INSTANCES {
            read_labels(text, &mut builder)?;
            let tag = (instance as u64 + 3).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            builder.push("job", "node-exporter");
            builder.push("namespace", "monitoring");
            builder.push("endpoint", "http-metrics");
            builder.push("container", "node-exporter");
            builder.push("service", "kube-prometheus-stack-prometheus-node-exporter");
            builder.push("instance", &format!("10.42.{instance}.17:9100"));
            builder.push("pod", &format!("prometheus-node-exporter-{:05x}", tag >> 44));
            builder.push("node", &format!("ip-10-0-{instance}-{}.eu-central-1.compute.internal", tag >> 56));
            let key = builder.build(Some(&["east", "west"][instance % 2].into()))?;
            fleet.push(Member { id: key.labels.series_id(), key, values, instance });
        }
    }
    fleet.sort_by(|a, b| a.key.table_order(&b.key));
    Ok(fleet)
}

/// Takes `name{label="value",…}` apart. The exporter's values hold no quote and no backslash.
fn read_labels(text: &str, builder: &mut LabelsBuilder) -> Result<(), Fault> {
    let (name, labels) = text.split_once('{').unwrap_or((text, ""));
    builder.push("__name__", name);
    let mut rest = labels.trim_end_matches('}');
    while let Some((label, after)) = rest.split_once("=\"") {
        let (value, after) = after.split_once('"').ok_or("a label value does not end")?;
        builder.push(label, value);
        rest = after.trim_start_matches(',');
    }
    Ok(())
}

/// The values of each series that is in every scrape.
fn read_series(scrapes: &[String]) -> Result<BTreeMap<String, Vec<f64>>, Fault> {
    let mut series: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (number, scrape) in scrapes.iter().enumerate() {
        for line in scrape.lines().filter(|line| !line.starts_with('#')) {
            let (text, value) = line.rsplit_once(' ').ok_or("a line has no value")?;
            let values = series.entry(text.to_owned()).or_default();
            if values.len() == number {
                values.push(value.parse()?);
            }
        }
    }
    series.retain(|text, values| values.len() == scrapes.len() && !text.contains('\\'));
    Ok(series)
}

/// The scrapes in the folder, made first if they are not there.
fn scrapes(folder: &Path) -> Result<Vec<String>, Fault> {
    std::fs::create_dir_all(folder)?;
    let path = |number: usize| folder.join(format!("{number:03}.txt"));
    if !path(SCRAPES - 1).exists() {
        let exporter = Exporter::start()?;
        for number in 0..SCRAPES {
            std::fs::write(path(number), exporter.scrape()?)?;
            #[expect(clippy::disallowed_methods, reason = "the exporter's values must move between two scrapes")]
            std::thread::sleep(Duration::from_millis(500));
        }
    }
    (0..SCRAPES).map(|number| Ok(std::fs::read_to_string(path(number))?)).collect()
}

/// A node exporter that ends with this value.
struct Exporter {
    child: Child,
    address: String,
}

impl Exporter {
    fn start() -> Result<Self, Fault> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string();
        let program = std::env::var("NODE_EXPORTER").unwrap_or_else(|_| "prometheus-node-exporter".into());
        let child = Command::new(program).arg(format!("--web.listen-address={address}")).spawn()?;
        let exporter = Exporter { child, address };
        while TcpStream::connect(&exporter.address).is_err() {
            std::thread::yield_now();
        }
        Ok(exporter)
    }

    fn scrape(&self) -> Result<String, Fault> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("the exporter's answer has no body")?;
        Ok(body.to_owned())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
