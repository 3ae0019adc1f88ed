//! The metrics of all parts, for `/metrics` and for readiness.

use std::fmt::Write;
use std::sync::Arc;

use collector::Keyring;
use query::Engine;
use storage::Store;
use storage::store::Stats;

use crate::server::tls::Tls;
use crate::telemetry::Requests;

/// So many queries that never end leave too few threads to go on: another process should take over.
const STUCK_LIMIT: usize = 3;

/// What is asked when metrics are rendered.
#[derive(Debug)]
pub(super) struct Metrics {
    pub(super) requests: Requests,
    pub(super) collectors: Arc<collector::Metrics>,
    pub(super) store: Store,
    pub(super) engine: Engine,
    pub(super) readers: Keyring,
    pub(super) tls: Option<Tls>,
}

/// Why no request should be sent here.
#[derive(Debug)]
pub(super) struct Obstacle {
    /// In a word, for anybody.
    pub(super) state: &'static str,
    /// Whole, with the places that it may name: for readers.
    pub(super) why: String,
}

impl Metrics {
    /// Appends everything in the text exposition format.
    pub(super) fn render(&self, out: &mut String) {
        self.requests.render(out);
        self.collectors.render(out);
        render_storage(&self.store.stats(), out);
        out.push_str(&self.engine.metrics_text());
        self.render_files(out);
    }

    /// Files that cannot be used as they are: what they held before counts.
    fn render_files(&self, out: &mut String) {
        let readers: u64 = self.readers.failing_files().values().sum();
        let certificate = self.tls.as_ref().map(|tls| u64::from(tls.fault().is_some()));
        let all = [
            ("reader_token_files", "Files of readers' tokens that cannot be used as they are.", Some(readers)),
            ("tls_files", "1 if the files of tls_server_config cannot be used as they are.", certificate),
        ];
        for (name, help, value) in all {
            let (name, Some(value)) = (format!("fleetscope_{name}_failing"), value) else { continue };
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}");
        }
    }

    /// Why no request should be sent here, as far as the parts know.
    pub(super) fn obstacle(&self) -> Option<Obstacle> {
        let stuck = self.engine.stuck();
        if stuck >= STUCK_LIMIT {
            let why = format!("{stuck} queries go on past their deadline, restart this server");
            return Some(Obstacle { state: "queries are stuck", why });
        }
        self.store.obstacle().map(|why| Obstacle { state: "the store takes no rows", why })
    }
}

fn render_storage(stats: &Stats, out: &mut String) {
    let single = [
        ("head_bytes", "gauge", "Memory that rows not yet in a block take.", stats.head_bytes),
        ("head_budget_bytes", "gauge", "Memory that they may take.", stats.head_budget_bytes),
        ("series", "gauge", "Series in memory.", stats.series),
        ("series_evicted_total", "counter", "Series that left memory as nobody wrote them.", stats.series_evicted),
        ("series_collisions_total", "counter", "Series refused: another one has their id.", stats.series_collisions),
        ("samples_total", "counter", "Samples taken, replayed ones included.", stats.samples),
        ("log_rows_total", "counter", "Log rows taken, replayed ones included.", stats.log_rows),
        ("spans_total", "counter", "Spans taken, replayed ones included.", stats.spans),
        ("cuts_total", "counter", "Cuts whose rows are in blocks, staged ones included.", stats.cuts),
        ("cut_failures_total", "counter", "Attempts to cut, upload or commit that failed.", stats.cut_failures),
        ("staged_blocks", "gauge", "Blocks on the local disk that are in no table yet.", stats.staged_blocks as u64),
        ("staged_bytes", "gauge", "Disk that they take.", stats.staged_bytes),
        ("disk_free_bytes", "gauge", "Disk that is free where journal and staged blocks are.", stats.disk_free_bytes),
        ("disk_reserve_bytes", "gauge", "Disk that is kept free there.", stats.disk_reserve_bytes),
        ("journal_bytes", "gauge", "Disk that the journal takes.", stats.journal_bytes),
        ("journal_budget_bytes", "gauge", "Disk that it may take.", stats.journal_budget_bytes),
        ("journal_groups_total", "counter", "Groups of rows made safe.", stats.journal_groups),
        ("journal_failed_groups_total", "counter", "Groups that could not be made safe.", stats.journal_failed_groups),
    ];
    for (name, kind, help, value) in single {
        let name = format!("fleetscope_storage_{name}");
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    let by_table =
        [("blocks", "Live blocks."), ("block_rows", "Rows in live blocks."), ("block_bytes", "Bytes of live blocks.")];
    for (number, (name, help)) in by_table.into_iter().enumerate() {
        let name = format!("fleetscope_storage_{name}");
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
        for (table, blocks, rows, bytes) in &stats.tables {
            let value = [*blocks as u64, *rows, *bytes][number];
            let _ = writeln!(out, "{name}{{table=\"{}\"}} {value}", table.name());
        }
    }
}
