//! Gaps that heal: a real Prometheus is read while the link to it is cut and our process is killed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::worker::Worker;
use rustix::process::Signal;
use tempfile::tempdir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::missing_data;
use crate::peers::{Prometheus, python};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// How long the link is cut, and how long our process is away, in seconds: `make healing` says three minutes.
fn outage() -> Duration {
    let seconds = std::env::var("FLEETSCOPE_HEALING_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(12);
    Duration::from_secs(seconds)
}

/// A link to a server that can be cut: what goes over it stops, and who asks is not answered.
struct Link {
    address: SocketAddr,
    is_cut: Arc<watch::Sender<bool>>,
    _worker: Worker,
}

impl Link {
    async fn to(url: &str) -> Self {
        let server: SocketAddr = url.strip_prefix("http://").unwrap().parse().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = Arc::new(watch::Sender::new(false));
        let cut = is_cut.clone();
        let worker = Worker::task("link", |stop| async move {
            let mut carried = Vec::new();
            while !stop.is_stopped() {
                let (near, _) = listener.accept().await.unwrap();
                carried.push(Worker::task("connection", |_| carry(near, server, cut.subscribe())));
            }
        });
        Link { address, is_cut, _worker: worker }
    }

    fn cut(&self, is_cut: bool) {
        self.is_cut.send_replace(is_cut);
    }
}

/// Carries bytes both ways, until either end hangs up or the link is cut: then nothing comes through, and nobody says so.
async fn carry(mut near: TcpStream, server: SocketAddr, mut cut: watch::Receiver<bool>) {
    let whole = async {
        let mut far = TcpStream::connect(server).await?;
        copy_bidirectional(&mut near, &mut far).await
    };
    let was_cut = tokio::select! {
        _ = whole => false,
        is_cut = cut.wait_for(|is_cut| *is_cut) => is_cut.is_ok(),
    };
    if was_cut {
        // Fails when the link is gone, which is as good.
        let _ = cut.wait_for(|is_cut| !*is_cut).await;
    }
}

/// The newest time up to which the source has been read, in milliseconds.
const NEWEST: &str = "SELECT coalesce(max(time_ms), 0) FROM samples \
                      WHERE name = 'fleetscope_remote_read_since_timestamp_seconds' AND cluster = 'berlin'";
/// What is missing, in milliseconds; one more than anything if that is not known yet.
const MISSING: &str = "SELECT coalesce(max(missing_ms), 9999999999) FROM sources WHERE cluster = 'berlin'";

fn now_ms() -> u64 {
    u64::try_from(model::Clock::now_ms(&model::SystemClock)).unwrap()
}

/// What an answer for the five minutes before a time says of missing data.
async fn warnings(server: &Server, expression: &str, end_ms: u64) -> Vec<String> {
    let end = end_ms as f64 / 1000.0;
    missing_data::warnings(server, expression, (end - 300.0, end)).await
}

/// Waits until everything up to `until_ms` has been read.
async fn read_up_to(server: &Server, until_ms: u64) {
    eventually("everything has been read", 3 * PATIENCE + outage(), async || {
        (server.number(NEWEST).await >= until_ms && server.number(MISSING).await == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_was_missed_while_the_link_was_cut_and_we_were_dead_is_read_later() {
    let folder = tempdir().unwrap();
    let mut source = Prometheus::start(&folder.path().join("berlin"), 2).await;
    let link = Link::to(&source.url).await;
    let yaml = |more: &str| {
        format!(
            "storage: {{cut_every: 5s}}\nclusters: [{{name: berlin}}]\nfederate_configs:\n  - {{cluster: berlin, url: \
             'http://{}', via: remote_read, scrape_interval: 1s, delay: 10s{more}}}\n",
            link.address
        )
    };
    // So slowly that the hole is there for some readings.
    let slowly = format!(", backfill_rate: {}", 15 * outage().as_secs());
    let mut server = Server::start(&Setup::new(folder.path(), &yaml(&slowly))).await;
    read_up_to(&server, now_ms() - 9_000).await;

    link.cut(true);
    let error = "SELECT count(error) FROM sources WHERE cluster = 'berlin'";
    eventually("the link is cut", PATIENCE, async || (server.number(error).await == 1).then_some(())).await;
    let cut_ms = now_ms();
    let is_told = async || (!warnings(&server, "up", cut_ms + 2_000).await.is_empty()).then_some(());
    eventually("answers say that data is missing", PATIENCE, is_told).await;
    tokio::time::sleep(outage() / 2).await;
    // The series of the node exporter end while nobody can see it.
    source.stop_node();
    tokio::time::sleep(outage() / 2).await;
    link.cut(false);
    let missing = "SELECT coalesce(max(missing_ms), 0) FROM sources WHERE cluster = 'berlin' AND error IS NULL";
    let hole = async || Some(server.number(missing).await).filter(|missing_ms| *missing_ms > 0);
    let hole_ms = eventually("the link is back and there is a hole", PATIENCE, hole).await;
    let heals = async || (server.number(missing).await < hole_ms).then_some(());
    eventually("the hole begins to be filled", PATIENCE, heals).await;
    server.signal(Signal::KILL);
    server.ended().await;
    tokio::time::sleep(outage()).await;

    let server = Server::start(&Setup::new(folder.path(), &yaml(""))).await;
    let (began, back_ms) = (Instant::now(), now_ms());
    read_up_to(&server, back_ms - 10_000).await;
    let seconds = began.elapsed().as_secs_f64();
    let compared = python("compare_remote_read.py", &[&server.url(""), "berlin", &source.url]);
    println!("caught up in {seconds:.1} s after {:?} and {:?} away: {compared}", outage(), outage());
    let compared: serde_json::Value = serde_json::from_str(&compared).unwrap();
    for what in ["missing", "foreign", "changed"] {
        assert_eq!(compared[what], 0, "{compared}");
    }
    // What came later is not missing any more.
    assert_eq!(warnings(&server, "up", back_ms - 10_000).await, Vec::<String>::new());
    let (theirs, stale) = (compared["theirs"].as_u64().unwrap(), compared["stale"].as_u64().unwrap());
    assert!(theirs > 250 * outage().as_secs() && stale > 100, "{compared}");
    server.terminate().await;
}
