//! Asks the installed Prometheus what it does with each body of the files of cases.
//!
//! One server scrapes all bodies of a format at once, each from a path of its own, and is asked which of them it took,
//! and what it keeps of those: samples, exemplars, metadata. `PROMETHEUS` names another program than the installed one;
//! its version decides whose facts it is held against.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::batch::Batch;
use model::labels::LabelsBuilder;
use serde_json::Value;

use crate::cases::{ANSWER_MS, Case, Format, OPENMETRICS, TEXT, Verdict};

/// Each case's samples are asked for over all of this time, and stored wherever in it they lie.
const YEARS: u32 = 140;

struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Serves the bodies at `/0`, `/1`, … until the process ends.
fn serve(bodies: Vec<Vec<u8>>, content_type: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let path = String::from_utf8_lossy(&request);
            let index = path.split_whitespace().nth(1).and_then(|path| path[1..].parse::<usize>().ok());
            let body = index.and_then(|index| bodies.get(index)).map_or(&b"?"[..], |body| body);
            let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nConnection: close\r\n");
            let _ = write!(stream, "{head}Content-Length: {}\r\n\r\n", body.len());
            let _ = stream.write_all(body);
        }
    });
    address
}

/// Starts a server that scrapes `/0`, `/1`, … of `bodies`, and returns it with its address.
fn start(bodies: SocketAddr, count: usize, folder: &Path) -> (Server, SocketAddr) {
    let mut config = "global: {scrape_interval: 2s, scrape_timeout: 2s}\nscrape_configs:\n".to_owned();
    for index in 0..count {
        let target =
            format!("{{job_name: '{index}', metrics_path: '/{index}', static_configs: [{{targets: ['{bodies}']}}]}}");
        writeln!(config, "- {target}").unwrap();
    }
    std::fs::write(folder.join("prometheus.yml"), config).unwrap();
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let program = std::env::var("PROMETHEUS").unwrap_or_else(|_| "prometheus".to_owned());
    // A block so long that samples of any time go into it: half of it lies before now.
    let block = 2 * YEARS;
    let server = Command::new(program)
        .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--storage.tsdb.min-block-duration={block}y"))
        .arg(format!("--storage.tsdb.max-block-duration={block}y"))
        .arg("--enable-feature=exemplar-storage")
        .arg(format!("--web.listen-address={free}"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (Server(server), free)
}

fn get(address: SocketAddr, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    // Prometheus 3 hands out names that are not UTF-8 as it got them.
    let answer = String::from_utf8_lossy(&answer);
    let answer: Value = serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()?;
    assert_eq!(answer["status"], "success", "{path}: {answer}");
    Some(answer["data"].clone())
}

/// What a server made of one case.
#[derive(Debug, Default)]
struct Found {
    /// Whether it took the body, and what it said.
    health: Option<(bool, String)>,
    /// Whether its rows can be seen.
    stored: bool,
    kept: Kept,
}

/// What is kept of a body, each row as a line, so that a difference can be read.
#[derive(Debug, Default, PartialEq, Eq)]
struct Kept {
    samples: BTreeSet<String>,
    exemplars: BTreeSet<String>,
    metadata: BTreeMap<String, String>,
}

impl Kept {
    /// What the decoder made of a body. Of two samples of a series at one time the first counts, as for Prometheus.
    fn of(batch: &Batch) -> Self {
        let mut kept = Kept::default();
        let mut builder = LabelsBuilder::default();
        let mut series = Vec::new();
        for index in 0..batch.series.len() {
            let key = batch.key(index, &mut builder).unwrap();
            let labels = [("__name__", key.name.as_ref())].into_iter().chain(key.labels.iter());
            series.push(format!("{:?}", labels.collect::<BTreeMap<_, _>>()));
        }
        let answered = [ANSWER_MS, ANSWER_MS];
        let mut seen = HashSet::new();
        for sample in &batch.samples {
            let series = &series[sample.series as usize];
            if seen.insert((series, sample.time_ms)) {
                kept.samples.insert(format!("{series} {:?} {}", sample.value, time(sample.time_ms, answered)));
            }
        }
        for exemplar in &batch.exemplars {
            let labels = exemplar.labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            let labels = labels.collect::<BTreeMap<_, _>>();
            let (series, time) = (&series[exemplar.series as usize], time(exemplar.time_ms, answered));
            kept.exemplars.insert(format!("{series} {labels:?} {:?} {time}", exemplar.value));
        }
        for metadata in &batch.metadata {
            let said = format!("{} [{}] {}", metadata.kind.as_str(), metadata.unit, metadata.help);
            kept.metadata.insert(metadata.name.clone(), said);
        }
        kept
    }
}

/// A time, or a dash for that of an answer.
fn time(time_ms: i64, [first_ms, last_ms]: [i64; 2]) -> String {
    if (first_ms..=last_ms).contains(&time_ms) { "-".to_owned() } else { time_ms.to_string() }
}

/// The labels of an answer, without those of the target, as [`Kept`] writes them.
fn labels(json: &Value) -> Option<String> {
    let labels = json.as_object()?.iter().filter(|(name, _)| !matches!(name.as_str(), "job" | "instance"));
    let labels = labels.map(|(name, value)| Some((name.as_str(), value.as_str()?)));
    Some(format!("{:?}", labels.collect::<Option<BTreeMap<_, _>>>()?))
}

/// Seconds of an answer in milliseconds.
fn time_ms(json: &Value) -> Option<i64> {
    Some((json.as_f64()? * 1000.0).round() as i64)
}

fn value(json: &Value) -> Option<f64> {
    json.as_str()?.parse().ok()
}

/// The case that a target or a series of an answer is of.
fn case_of(labels: &Value) -> Option<usize> {
    labels["job"].as_str()?.parse().ok()
}

/// Asks the server which bodies it took, and says whether it has tried all.
fn ask_health(server: SocketAddr, found: &mut [Found]) -> Option<bool> {
    for target in get(server, "/api/v1/targets?state=active")?["activeTargets"].as_array()? {
        let (health, error) = (target["health"].as_str()?, target["lastError"].as_str()?);
        // A scrape that a busy machine did not get to says nothing of the body.
        if health != "unknown" && !error.contains("deadline exceeded") {
            found[case_of(&target["labels"])?].health = Some((health == "up", error.to_owned()));
        }
    }
    Some(found.iter().all(|found| found.health.is_some()))
}

/// Asks the server for all that it keeps, and says whether it is all that it took.
fn ask_rows(server: SocketAddr, found: &mut [Found], answered: [i64; 2]) -> Option<bool> {
    let all = format!("%7Bjob%3D~%22.%2B%22%7D%5B{YEARS}y%5D");
    for series in get(server, &format!("/api/v1/query?query={all}"))?["result"].as_array()? {
        let found = &mut found[case_of(&series["metric"])?];
        let name = series["metric"]["__name__"].as_str()?;
        if name == "up" {
            let ups = series["values"].as_array()?.iter().map(|sample| value(&sample[1]));
            let taken = found.health.as_ref()?.0;
            found.stored = ups.into_iter().any(|up| up == Some(f64::from(taken)));
        } else if !name.starts_with("scrape_") {
            for sample in series["values"].as_array()? {
                let time = time(time_ms(&sample[0])?, answered);
                found.kept.samples.insert(format!("{} {:?} {time}", labels(&series["metric"])?, value(&sample[1])?));
            }
        }
    }
    let everywhen = "start=-9000000000&end=9000000000";
    let exemplars = format!("/api/v1/query_exemplars?query=%7Bjob%3D~%22.%2B%22%7D&{everywhen}");
    for series in get(server, &exemplars)?.as_array()? {
        for exemplar in series["exemplars"].as_array()? {
            let time = time(time_ms(&exemplar["timestamp"])?, answered);
            let (series_labels, labels) = (labels(&series["seriesLabels"])?, labels(&exemplar["labels"])?);
            let line = format!("{series_labels} {labels} {:?} {time}", value(&exemplar["value"])?);
            found[case_of(&series["seriesLabels"])?].kept.exemplars.insert(line);
        }
    }
    for entry in get(server, "/api/v1/targets/metadata")?.as_array()? {
        let text = |key: &str| entry[key].as_str();
        let kind = if text("type")? == "gaugehistogram" { "histogram" } else { text("type")? };
        let said = format!("{kind} [{}] {}", text("unit")?, text("help")?);
        if said != "unknown [] " {
            // The empty name is not written.
            let name = text("metric").unwrap_or_default().to_owned();
            found[case_of(&entry["target"])?].kept.metadata.insert(name, said);
        }
    }
    Some(found.iter().all(|found| found.stored))
}

/// What is wrong with the facts of a case, given what a server did.
fn judge(format: &Format, case: &Case, expected: Verdict, found: &Found) -> Option<String> {
    let (taken, error) = found.health.as_ref()?;
    if *taken != expected.takes() {
        return Some(format!("taken {taken} {error}"));
    }
    let kept = Kept::of(&format.read(&case.body).ok()?);
    let other = kept != found.kept;
    (*taken && other != (expected == Verdict::TakesAs)).then(|| format!("theirs {:?}\n  ours {kept:?}", found.kept))
}

fn hold_facts(format: &Format) {
    let cases = format.cases();
    let bodies = serve(cases.iter().map(|case| case.body.clone()).collect(), format.content_type);
    let folder = tempfile::tempdir().unwrap();
    #[expect(clippy::disallowed_methods, reason = "the server has no other clock")]
    let began_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
    let (mut server, mut address) = start(bodies, cases.len(), folder.path());
    let patience = Duration::from_secs(120);
    let answered = [began_ms, began_ms + patience.as_millis() as i64];
    let deadline = Instant::now() + patience;
    let mut found: Vec<Found> = cases.iter().map(|_| Found::default()).collect();
    while ask_health(address, &mut found) != Some(true) || ask_rows(address, &mut found, answered) != Some(true) {
        assert!(Instant::now() < deadline, "prometheus did not scrape every body within two minutes");
        // Somebody else may have got its port between the look for one and its start.
        if server.0.try_wait().unwrap().is_some() {
            (server, address) = start(bodies, cases.len(), folder.path());
        }
        // The machine is left to the server between two looks.
        std::thread::park_timeout(Duration::from_millis(50));
    }
    let version = get(address, "/api/v1/status/buildinfo").unwrap()["version"].to_string();
    let old = version.contains("\"2.");
    let mut wrong = String::new();
    for (case, found) in cases.iter().zip(found) {
        println!("{}: {:?}", case.title, found.health);
        if let Some(fault) = judge(format, case, if old { case.by_2_42 } else { case.by_3 }, &found) {
            writeln!(wrong, "{}: {fault}", case.title).unwrap();
        }
    }
    assert!(wrong.is_empty(), "version {version}\n{wrong}");
}

#[test]
fn the_facts_about_prometheus_hold() {
    hold_facts(&TEXT);
}

#[test]
fn the_facts_about_prometheus_and_openmetrics_hold() {
    hold_facts(&OPENMETRICS);
}
