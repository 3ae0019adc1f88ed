//! Samples, lines and spans of four clusters at a pace: at half of what the server can take for ten minutes, then at twice
//! of it, then at half again.
//!
//! Each cluster has its token and its own shipper of logs. Of six requests four have samples, one has lines and one spans,
//! so that each signal takes a like part of the CPU. At the end everything that was acknowledged is counted by SQL: one row
//! too few or too many fails the part.
//!
//! `FLEETSCOPE_SUSTAINED_SECONDS` is how long the first half takes, as of part `sustained`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use model::Clock;
use reqwest::Client;

use crate::load::Load;
use crate::pace::{Request, Sender, Signal, Source};
use crate::paces::Paces;
use crate::records::sent::Sent;
use crate::records::way::Way;
use crate::records::{CLUSTERS, OF_REQUEST, Rows};
use crate::{Bench, Fault, markdown, peers, sustained};

/// Of each cluster.
const SERIES: usize = 5_000;
const WAYS: [Way; 4] = [Way::OtlpProtobuf, Way::LokiProtobuf, Way::Elasticsearch, Way::OtlpJson];
/// What requests are of, in turn.
const TURNS: [Signal; 6] =
    [Signal::Samples, Signal::Lines, Signal::Samples, Signal::Samples, Signal::Spans, Signal::Samples];
/// Lines and spans of a request are so far from each other.
const STEP_NANOS: i64 = 1_000;

/// What a cluster sends.
#[derive(Debug)]
struct Mix {
    cluster: &'static str,
    way: Way,
    load: Load,
    made: AtomicUsize,
    /// Rows that all clusters have sent, so that no two have one number.
    rows: Arc<AtomicUsize>,
}

impl Source for Mix {
    fn next(&self, client: &Client, url: &str) -> Result<Request, snap::Error> {
        let signal = TURNS[self.made.fetch_add(1, Ordering::Relaxed) % TURNS.len()];
        let sent = match signal {
            Signal::Samples => return self.load.next(client, url),
            Signal::Lines => Sent::Lines(self.way),
            Signal::Spans => Sent::Spans,
        };
        let rows = Rows {
            first: self.rows.fetch_add(OF_REQUEST, Ordering::Relaxed),
            time_unix_nano: model::SystemClock.now_ms() * 1_000_000,
            step_nanos: STEP_NANOS,
            cluster: Some(self.cluster),
        };
        let (builder, _) = sent.request(client, &format!("{url}{}", sent.path()), &rows)?;
        Ok(Request { signal, builder })
    }
}

pub(crate) async fn run(bench: &Bench) -> Result<(), Fault> {
    let (half, folder) = (sustained::long_half(bench)?, bench.fresh("mixed")?);
    let clusters: Vec<String> =
        CLUSTERS.iter().map(|name| peers::cluster(&folder, name, "{}")).collect::<Result<_, _>>()?;
    let server = sustained::server(&folder, half, &format!("clusters:\n{}", clusters.concat())).await?;
    let rows = Arc::new(AtomicUsize::new(0));
    let senders = CLUSTERS.into_iter().zip(WAYS).map(|(cluster, way)| {
        let (load, made, rows) = (Load::new(SERIES), AtomicUsize::new(0), rows.clone());
        Sender::new(&server, Some(&peers::token(cluster)), Arc::new(Mix { cluster, way, load, made, rows }))
    });
    let paces = Paces::measure(&server, &folder, &senders.collect::<Vec<_>>(), half).await?;
    let tally = paces.tally(&server).await?;
    server.terminate().await?;
    let (table, levels) = (paces.table(), paces.levels());
    bench.publish("mixed", &format!("{}\n\n{table}\n{levels}\n\n{tally}", markdown::origin()?))?;
    tally.verdict()
}
