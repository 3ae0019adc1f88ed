//! SQL through a real socket: what must not be done is refused and not done, and no text stops what goes on beside it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::StatusCode;
use tempfile::tempdir;
use tokio::net::TcpListener;

use crate::remote_write::{now_ms, write};
use crate::server::{PATIENCE, Server, Setup, eventually, tick};

#[path = "../../query/tests/hostile/texts.rs"]
mod texts;

/// What no answer may hold.
const SECRET: &str = "the-secret-of-the-canary";

/// Statements that change something; each must be refused as such, with its place.
const CHANGING: &[&str] = &[
    "CREATE TABLE stolen AS SELECT * FROM metrics",
    "CREATE VIEW stolen AS SELECT * FROM metrics",
    "CREATE OR REPLACE VIEW metrics AS SELECT 1 AS value",
    "CREATE EXTERNAL TABLE stolen STORED AS CSV LOCATION '{canary}.csv' OPTIONS ('has_header' 'false')",
    "CREATE EXTERNAL TABLE stolen STORED AS PARQUET LOCATION '{store}/samples/'",
    "CREATE EXTERNAL TABLE stolen STORED AS JSON LOCATION '{url}/x.json'",
    "CREATE UNBOUNDED EXTERNAL TABLE stolen STORED AS CSV LOCATION '{out}'",
    "CREATE SCHEMA stolen",
    "CREATE DATABASE stolen",
    "CREATE FUNCTION stolen(DOUBLE) RETURNS DOUBLE RETURN $1 + 1",
    "DROP TABLE metrics",
    "DROP VIEW IF EXISTS metrics CASCADE",
    "DROP SCHEMA public CASCADE",
    "ALTER TABLE metrics ADD COLUMN stolen INT",
    "TRUNCATE TABLE samples",
    "INSERT INTO samples SELECT * FROM samples",
    "INSERT OVERWRITE samples SELECT * FROM samples",
    "WITH s AS (SELECT 1) INSERT INTO samples SELECT * FROM s",
    "SELECT * INTO stolen FROM metrics",
    "SELECT 1 UNION ALL SELECT value INTO stolen FROM metrics",
    "UPDATE samples SET value = 0",
    "DELETE FROM samples",
    "COPY metrics TO '{out}.csv'",
    "COPY (SELECT * FROM metrics) TO '{out}.parquet' STORED AS PARQUET",
    "COPY metrics TO '{url}/x.csv'",
    "SET datafusion.execution.batch_size = 1",
    "SET datafusion.catalog.information_schema = false",
    "SET TIME ZONE 'UTC'",
    "RESET datafusion.execution.batch_size",
    "PREPARE stolen AS SELECT 1",
    "PREPARE stolen(INT) AS SELECT * FROM metrics WHERE value = $1",
    "EXECUTE stolen",
    "EXECUTE stolen(1)",
    "DEALLOCATE stolen",
    "BEGIN",
    "COMMIT",
    "SHOW ALL",
    "SHOW datafusion.execution.batch_size",
    "EXPLAIN COPY metrics TO '{out}.csv'",
    "EXPLAIN ANALYZE COPY metrics TO '{out}.csv'",
    "EXPLAIN VERBOSE INSERT INTO samples SELECT * FROM samples",
    "EXPLAIN CREATE EXTERNAL TABLE stolen STORED AS CSV LOCATION '{canary}.csv'",
    "EXPLAIN ANALYZE CREATE TABLE stolen AS SELECT 1",
    "EXPLAIN SET datafusion.execution.batch_size = 1",
    "EXPLAIN PREPARE stolen AS SELECT 1",
    "EXPLAIN EXECUTE stolen",
    "EXPLAIN EXPLAIN COPY metrics TO '{out}.csv'",
    "  -- a comment first\n  DROP TABLE metrics",
];

/// Statements that read what is not a table of ours, or are more than one; each must be refused.
const READING: &[&str] = &[
    "SELECT * FROM '{canary}.csv'",
    "SELECT * FROM \"{canary}.csv\"",
    "SELECT * FROM \"file://{canary}.csv\"",
    "SELECT * FROM '{url}/x.csv'",
    "SELECT * FROM \"{url}/x.parquet\"",
    "SELECT * FROM '{store}/samples'",
    "SELECT * FROM public.\"{canary}.csv\"",
    "SELECT * FROM fleetscope.public.\"{canary}.csv\"",
    "SELECT * FROM metric.\"../../{canary}.csv\"",
    "SELECT * FROM read_csv('{canary}.csv')",
    "SELECT * FROM read_json('{canary}.csv')",
    "SELECT * FROM read_parquet('{store}/samples/*/*.parquet')",
    "SELECT * FROM read_parquet('{url}/x.parquet')",
    "SELECT * FROM parquet_metadata('{store}/samples')",
    "SELECT * FROM delta_scan('{store}/samples')",
    "SELECT * FROM glob('{canary}*')",
    "SELECT * FROM metadata_cache()",
    "SELECT pg_read_file('{canary}.csv')",
    "SELECT lo_import('{canary}.csv')",
    "SELECT load_extension('{canary}')",
    "SELECT getenv('HOME')",
    "SELECT http_get('{url}')",
    "SELECT current_setting('datafusion.execution.batch_size')",
    "SELECT set_config('datafusion.execution.batch_size', '1', false)",
    "SELECT @@version",
    "SELECT * FROM information_schema.\"{canary}.csv\"",
    "SELECT * FROM information_schema.metrics",
    "SELECT * FROM pg_catalog.pg_settings",
    "SELECT * FROM datafusion.public.metrics",
    "COPY metrics FROM '{canary}.csv'",
    "SELECT 1; SELECT 2",
    "SELECT 1; COPY metrics TO '{out}.csv'",
    "SELECT 1;;; DROP TABLE metrics",
    "COPY metrics TO '{out}.csv'; SELECT 1",
    "SELECT 1 /* */ ; /* */ INSERT INTO samples SELECT * FROM samples",
];

/// Texts that ask for what is known of tables and settings: an answer or a refusal, but nothing of the machine.
const ASKING: &[&str] = &[
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.views",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM information_schema.df_settings",
    "SELECT * FROM information_schema.schemata",
    "SELECT * FROM information_schema.routines",
    "SELECT * FROM information_schema.parameters",
    "SHOW TABLES",
    "SHOW COLUMNS FROM metrics",
    "DESCRIBE samples",
    "EXPLAIN VERBOSE SELECT * FROM samples",
    "EXPLAIN ANALYZE SELECT * FROM samples",
];

/// A server with one sample, a file and a network address that nobody may touch, and a place where nothing may appear.
struct Fixture {
    server: Server,
    folder: tempfile::TempDir,
    listener: TcpListener,
}

impl Fixture {
    async fn start() -> Self {
        let folder = tempdir().unwrap();
        let server = Server::start(&Setup::new(folder.path(), "storage: {cut_every: 1h}\n")).await;
        write(&server, &[(&[("__name__", "good")], &[(now_ms(), 1.0)])]).await;
        std::fs::write(folder.path().join("canary.csv"), format!("{SECRET}\n{SECRET}\n")).unwrap();
        Fixture { server, folder, listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    fn sql(&self, text: &str) -> String {
        let path = |name: &str| self.folder.path().join(name).to_string_lossy().into_owned();
        let url = format!("http://{}", self.listener.local_addr().unwrap());
        let text = text.replace("{canary}", &path("canary")).replace("{out}", &path("out"));
        text.replace("{store}", &path("store")).replace("{url}", &url)
    }

    /// The error that a text is refused with.
    async fn refusal(&self, text: &str) -> serde_json::Value {
        let sql = self.sql(text);
        let (status, answer) = self.server.ask(&sql).await;
        assert!(status.is_client_error(), "{sql}: {status} {answer}");
        assert!(!answer.contains(SECRET), "{sql}: {answer}");
        let error: serde_json::Value = serde_json::from_str(&answer).unwrap_or_else(|e| panic!("{sql}: {e}: {answer}"));
        assert!(error["message"].as_str().is_some_and(|message| message.len() > 10), "{sql}: {answer}");
        error
    }

    /// Every file outside of the store.
    fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files.collect();
        files.sort();
        files
    }

    /// What SQL knows of: rows, tables, views, settings.
    async fn known(&self) -> Vec<String> {
        let mut known = Vec::new();
        for sql in [
            "SELECT name, cluster, time_ms, mantissa, value FROM samples",
            "SELECT table_catalog, table_schema, table_name, table_type FROM information_schema.tables ORDER BY 1, 2, 3",
            "SELECT name, value FROM information_schema.df_settings ORDER BY name",
        ] {
            known.push(self.server.ask(sql).await.1);
        }
        known
    }
}

#[tokio::test]
async fn whatever_does_not_only_ask_of_our_tables_is_refused_and_not_done() {
    let fixture = Fixture::start().await;
    let (files, known) = (fixture.files(), fixture.known().await);
    for text in CHANGING {
        let error = fixture.refusal(text).await;
        assert_eq!(error["kind"], "forbidden", "{text}: {error}");
        let begin = if text.starts_with(' ') { (2, 3) } else { (1, 1) };
        assert_eq!(
            (&error["position"]["line"], &error["position"]["column"]),
            (&begin.0.into(), &begin.1.into()),
            "{error}"
        );
    }
    for text in READING {
        let error = fixture.refusal(text).await;
        let kind = error["kind"].as_str().unwrap_or_default();
        assert!(["forbidden", "invalid", "not_found"].contains(&kind), "{text}: {error}");
        let several = text.contains(';');
        assert!(!several || (error["position"].is_object() && text.contains("SELECT")), "{text}: {error}");
    }
    for text in ASKING {
        let (status, answer) = fixture.server.ask(text).await;
        assert!(status.is_success() || status.is_client_error(), "{text}: {status} {answer}");
        let place = fixture.folder.path().to_str().unwrap();
        assert!(!answer.contains(SECRET) && !answer.contains(&format!("{place}/canary")), "{text}: {answer}");
    }
    assert_eq!(fixture.files(), files, "a file appeared or is gone");
    assert_eq!(fixture.known().await, known, "rows, tables, views or settings have changed");
    let knock = tokio::time::timeout(std::time::Duration::from_millis(200), fixture.listener.accept()).await;
    assert!(knock.is_err(), "somebody called from {knock:?}");
    assert!(!fixture.server.stderr().contains("panicked"), "{}", fixture.server.stderr());
    fixture.server.terminate().await;
}

/// Writes sample after sample, each with a time of its own, until told to stop. Every one must be acknowledged.
async fn write_on(server: &Server, acknowledged: &AtomicI64, begin_ms: i64) {
    loop {
        let n = acknowledged.load(Ordering::SeqCst);
        write(server, &[(&[("__name__", "steady")], &[(begin_ms + n, n as f64)])]).await;
        acknowledged.store(n + 1, Ordering::SeqCst);
        tick().await;
    }
}

/// What is wrong with an answer to a hostile text, if anything.
///
/// Whether a text that reads tables meets a limit is decided by their rows, which are others here than in the engine's own
/// tests.
fn verdict(expected: &str, sql: &str, answer: &reqwest::Result<(StatusCode, String)>) -> Option<String> {
    let (status, text) = match answer {
        Ok((status, text)) => (*status, text),
        // The head was out before the limit was met: the body breaks off.
        Err(error) => return (error.is_connect() || expected == "forbidden").then(|| error.to_string()),
    };
    let fits = match expected {
        "forbidden" => status == StatusCode::FORBIDDEN,
        "error" if !sql.contains("metrics") => status.is_client_error() || status == StatusCode::GATEWAY_TIMEOUT,
        _ => status != StatusCode::INTERNAL_SERVER_ERROR,
    };
    let short: String = text.chars().take(200).collect();
    (!fits).then(|| format!("{status} {short}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn no_hostile_text_stops_ingest_or_ends_the_process() {
    let folder = tempdir().unwrap();
    let yaml = "storage: {retention: 1000d, cut_every: 1s}\nquery: {timeout: 1s, query_memory_bytes: 67108864, \
                memory_bytes: 134217728, max_rows: 100000, max_concurrent: 4}\n";
    let mut server = Server::start(&Setup::new(folder.path(), yaml)).await;
    let corpus = [texts::corpus(), texts::generated()].concat();
    assert!(corpus.len() >= 150, "only {} texts", corpus.len());
    let (acknowledged, begin_ms) = (AtomicI64::new(0), now_ms() - 3_600_000);
    let samples: Vec<(i64, f64)> = (0..50).map(|n| (begin_ms + n * 15_000, n as f64)).collect();
    for host in 0..30 {
        let labels = [("__name__", "up"), ("cluster", "east"), ("host", &host.to_string())];
        write(&server, &[(&labels, &samples)]).await;
    }
    let asking = async {
        let mut wrong = String::new();
        for (expected, sql) in &corpus {
            let before = acknowledged.load(Ordering::SeqCst);
            if let Some(what) = verdict(expected, sql, &server.try_ask(sql).await) {
                let short: String = sql.chars().take(160).collect();
                wrong.push_str(&format!("{expected}: {short}\n  {what}\n"));
            }
            let goes_on = async || (acknowledged.load(Ordering::SeqCst) > before).then_some(());
            eventually("ingest goes on", PATIENCE, goes_on).await;
        }
        wrong
    };
    let wrong = tokio::select! {
        wrong = asking => wrong,
        () = write_on(&server, &acknowledged, begin_ms) => String::new(),
    };
    assert!(wrong.is_empty(), "{wrong}");
    assert!(server.is_alive() && !server.stderr().contains("panicked"), "{}", server.stderr());
    let peak = server.peak_bytes() >> 20;
    assert!(peak < 1536, "the process grew to {peak} MiB");
    assert_eq!(server.get("/readyz").await, (StatusCode::OK, "ready\n".into()), "no text is stuck for ever");
    let written = acknowledged.load(Ordering::SeqCst) as u64;
    // The limits are narrow: on a busy machine an answer may break off at the first try.
    let found = eventually("the rows are counted", PATIENCE, async || {
        let (status, text) = server.try_ask("SELECT count(*) FROM metrics WHERE name = 'steady'").await.ok()?;
        text.lines().nth(1).filter(|_| status == StatusCode::OK)?.parse::<u64>().ok()
    })
    .await;
    // One more may have come that was not waited for.
    assert!((written..=written + 1).contains(&found), "{written} acknowledged, {found} found");
    println!("{} texts, {written} writes beside them, at most {peak} MiB", corpus.len());
    server.terminate().await;
}
