//! Logs in each form in which they are pushed, and spans: CPU until every row lies in a committed block, bytes of a row there.
//!
//! A *raw line* is the JSON that a service prints with what an agent knows of its pod, see [`Line::raw_bytes`]; whatever the
//! form, the same lines are sent, so that megabytes of them compare. Ours answers once the rows are synced to disk.
//!
//! Other stores can stand beside ours in the same run: `FLEETSCOPE_LOGS_PEERS` names them, see [`Peer::all`].
//!
//! [`Line::raw_bytes`]: crate::records::line::Line::raw_bytes

mod peer;

use std::time::Instant;

use futures::{StreamExt, TryStreamExt};
use model::Clock;
use reqwest::Client;

use self::peer::Peer;
use crate::markdown::{self, Table};
use crate::process::folder_bytes;
use crate::records::sent::{Sent, took_all};
use crate::records::way::Way;
use crate::records::{OF_REQUEST, Rows};
use crate::report::median;
use crate::{Bench, Fault, peers};

const ROWS: usize = 1_000_000;
const STEP_NANOS: i64 = 360_000;
const ROUNDS: usize = 3;
const CONNECTIONS: usize = 4;
/// Bytes that a log row may take, indexes included.
const LINE_BYTES: f64 = 45.0;
/// Bytes that a span may take, likewise.
const SPAN_BYTES: f64 = 60.0;
/// Spans a CPU-second that are asked for.
const SPANS: f64 = 150e3;

/// What it came to, round by round.
#[derive(Debug, Default)]
struct Rounds {
    rows_per_cpu_second: Vec<f64>,
    raw_bytes_per_cpu_second: Vec<f64>,
    seconds: Vec<f64>,
    peak_bytes: Vec<f64>,
    disk_bytes_per_row: Vec<f64>,
}

/// Who took how much CPU and disk for all rows.
struct Taken {
    cpu_seconds: f64,
    seconds: f64,
    peak_bytes: f64,
    disk_bytes: f64,
    raw_bytes: f64,
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let peers = Peer::all()?;
    let sent = Way::ALL.map(Sent::Lines).into_iter().chain([Sent::Spans]);
    let mut ours: Vec<(Sent, Rounds)> = sent.map(|sent| (sent, Rounds::default())).collect();
    let mut theirs: Vec<(&Peer, Rounds)> = peers.iter().map(|peer| (peer, Rounds::default())).collect();
    for round in 0..ROUNDS {
        for (sent, rounds) in &mut ours {
            rounds.add(&measure(bench, *sent).await?);
            println!("round {}: {}: {:?} rows a CPU-second", round + 1, sent.name(), rounds.rows_per_cpu_second.last());
        }
        for (peer, rounds) in &mut theirs {
            rounds.add(&measure_peer(peer).await?);
            println!("round {}: {}: {:?} rows a CPU-second", round + 1, peer.name, rounds.rows_per_cpu_second.last());
        }
    }
    bench.publish("logs", &report(&ours, &theirs)?)
}

/// Sends everything; the seconds until the last answer, and the bytes of it as raw lines.
async fn send(sent: Sent, url: &str) -> Result<(f64, f64), Fault> {
    let start_nanos = (model::SystemClock.now_ms() - 3_600_000) * 1_000_000;
    let (client, begin) = (Client::new(), Instant::now());
    let requests = (0..ROWS).step_by(OF_REQUEST).map(|first| {
        let client = &client;
        async move {
            let time_unix_nano = start_nanos + first as i64 * STEP_NANOS;
            let rows = Rows { first, time_unix_nano, step_nanos: STEP_NANOS, cluster: None };
            let (request, raw_bytes) = sent.request(client, url, &rows)?;
            let answer = request.send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            match took_all(status, &text) {
                true => Ok(raw_bytes),
                false => Err(Fault::from(format!("{}: {url}: {status}: {text}", sent.name()))),
            }
        }
    });
    let of_each: Vec<usize> = futures::stream::iter(requests).buffer_unordered(CONNECTIONS).try_collect().await?;
    Ok((begin.elapsed().as_secs_f64(), of_each.iter().sum::<usize>() as f64))
}

async fn measure(bench: &Bench, sent: Sent) -> Result<Taken, Fault> {
    let folder = bench.fresh("logs")?;
    let server = peers::fleetscope_with(&folder, "cut_every: 24h", "").await?;
    let (url, before) = (format!("{}{}", server.url, sent.path()), server.cpu_seconds()?);
    let (seconds, raw_bytes) = send(sent, &url).await?;
    let found = server.ask(&format!("SELECT count(*) FROM {}", sent.table())).await?;
    if found != ROWS.to_string() {
        return Err(format!("{}: {found} of {ROWS} rows are there", sent.name()).into());
    }
    let ended = server.terminate().await?;
    let disk_bytes = folder_bytes(&folder.join("store").join(sent.table()))? as f64;
    let (cpu_seconds, peak_bytes) = (ended.cpu_seconds - before, ended.peak_bytes as f64);
    Ok(Taken { cpu_seconds, seconds, peak_bytes, disk_bytes, raw_bytes })
}

async fn measure_peer(peer: &Peer) -> Result<Taken, Fault> {
    let before = (peer.cpu_seconds()?, peer.disk_bytes()?);
    let (seconds, raw_bytes) = send(Sent::Lines(peer.way), &peer.url).await?;
    peer.is_quiet().await?;
    let cpu_seconds = peer.cpu_seconds()? - before.0;
    let disk_bytes = peer.disk_bytes()? - before.1;
    Ok(Taken { cpu_seconds, seconds, peak_bytes: peer.peak_bytes()?, disk_bytes, raw_bytes })
}

impl Rounds {
    fn add(&mut self, taken: &Taken) {
        self.rows_per_cpu_second.push(ROWS as f64 / taken.cpu_seconds);
        self.raw_bytes_per_cpu_second.push(taken.raw_bytes / taken.cpu_seconds);
        self.seconds.push(taken.seconds);
        self.peak_bytes.push(taken.peak_bytes);
        self.disk_bytes_per_row.push(taken.disk_bytes / ROWS as f64);
    }

    fn cells(&self, name: String) -> [String; 6] {
        let raw = median(&self.raw_bytes_per_cpu_second);
        [
            name,
            if raw > 0.0 { format!("**{:.0}**", raw / 1e6) } else { String::new() },
            format!("{:.0} k", median(&self.rows_per_cpu_second) / 1e3),
            format!("{:.1}", median(&self.seconds)),
            format!("{:.0}", median(&self.peak_bytes) / 1e6),
            format!("{:.1}", median(&self.disk_bytes_per_row)),
        ]
    }
}

fn report(ours: &[(Sent, Rounds)], theirs: &[(&Peer, Rounds)]) -> Result<String, Fault> {
    let mut table = Table::new([
        "",
        "MB of raw lines a CPU-second",
        "rows a CPU-second",
        "seconds until the last answer",
        "MB of memory at most",
        "bytes on disk a row",
    ]);
    for (sent, rounds) in ours {
        table.row(rounds.cells(sent.name().to_owned()));
    }
    for (peer, rounds) in theirs {
        table.row(rounds.cells(format!("{}, {}", peer.name, peer.way.name())));
    }
    let mut verdicts = Vec::new();
    for (sent, rounds) in ours {
        let holds = |held: bool| if held { "holds" } else { "**is missed**" };
        let bytes = median(&rounds.disk_bytes_per_row);
        match sent {
            Sent::Lines(way) => {
                let (asked, found) = (way.asked(), median(&rounds.raw_bytes_per_cpu_second) / 1e6);
                verdicts.push(format!("{}: {asked:.0} MB {}", way.name(), holds(found >= asked)));
                if *way == Way::OtlpProtobuf {
                    verdicts.push(format!("at most {LINE_BYTES:.0} bytes a row {}", holds(bytes <= LINE_BYTES)));
                }
            }
            Sent::Spans => {
                let rate = median(&rounds.rows_per_cpu_second);
                verdicts.push(format!("{:.0} k spans a CPU-second {}", SPANS / 1e3, holds(rate >= SPANS)));
                verdicts.push(format!("at most {SPAN_BYTES:.0} bytes a span {}", holds(bytes <= SPAN_BYTES)));
            }
        }
    }
    Ok(format!("{}\n\n{table}\nAsked for: {}.", markdown::origin()?, verdicts.join("; ")))
}
