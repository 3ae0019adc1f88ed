//! Pushes the rows, once: the store is kept for the next run.

use std::fmt::{self, Display};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use model::Clock;
use reqwest::Client;

use crate::process::folder_bytes;
use crate::records::sent::Sent;
use crate::records::way::Way;
use crate::records::{OF_REQUEST, Rows};
use crate::{Bench, Fault, peers};

const AT_ONCE: usize = 4;
const SENT: [Sent; 2] = [Sent::Lines(Way::OtlpProtobuf), Sent::Spans];
/// Lines and spans are of the hour before.
const LASTS_NANOS: i64 = 3_600_000_000_000;

/// A store that has them all.
#[derive(Debug)]
pub(super) struct Filled {
    /// Where its folder `store` is.
    pub(super) folder: PathBuf,
    rows: usize,
    /// Files and bytes of both tables.
    logs: (usize, u64),
    spans: (usize, u64),
}

impl Display for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Filled { rows, logs, spans, .. } = self;
        let of_row = |bytes: u64| bytes as f64 / *rows as f64;
        write!(
            f,
            "{rows} lines in {} blocks, {:.1} bytes each, and {rows} spans in {} blocks, {:.1} bytes each, indexes and Delta log \
             included.",
            logs.0,
            of_row(logs.1),
            spans.0,
            of_row(spans.1)
        )
    }
}

pub(super) async fn fill(bench: &Bench, rows: usize) -> Result<Filled, Fault> {
    let (folder, made) = (bench.folder.join("search"), format!("{rows} {}", env!("CARGO_PKG_VERSION")));
    let folder = match std::fs::read_to_string(folder.join("made")).is_ok_and(|text| text == made) {
        true => folder,
        false => {
            let folder = bench.fresh("search")?;
            push(&folder, rows).await?;
            std::fs::write(folder.join("made"), made)?;
            folder
        }
    };
    let of_table = |table: &str| -> Result<(usize, u64), Fault> {
        let path = folder.join("store").join(table);
        Ok((blocks(&path)?, folder_bytes(&path)?))
    };
    let (logs, spans) = (of_table("logs")?, of_table("spans")?);
    let filled = Filled { rows, logs, spans, folder };
    println!("{filled}");
    Ok(filled)
}

async fn push(folder: &Path, rows: usize) -> Result<(), Fault> {
    let (server, begin) = (peers::fleetscope_with(folder, "cut_every: 15m", "").await?, Instant::now());
    let start = model::SystemClock.now_ms() * 1_000_000 - LASTS_NANOS;
    let step = LASTS_NANOS / rows as i64;
    let (client, url) = (&Client::new(), server.url.as_str());
    let requests = (0..rows).step_by(OF_REQUEST).flat_map(|first| SENT.map(|sent| (first, sent)));
    let sent = requests.map(|(first, sent)| async move {
        let time_unix_nano = start + first as i64 * step;
        let rows = Rows { first, time_unix_nano, step_nanos: step, cluster: None };
        let (request, _) = sent.request(client, &format!("{url}{}", sent.path()), &rows)?;
        loop {
            let again = request.try_clone().ok_or("a body that is a stream")?;
            let answer = again.send().await?;
            let (status, text) = (answer.status(), answer.text().await?);
            match status.as_u16() {
                200 => return Ok::<_, Fault>(()),
                // It says when to come again: it is to take all as fast as it can, not faster.
                503 => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => return Err(format!("{status}: {text}").into()),
            }
        }
    });
    futures::stream::iter(sent).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    for table in SENT.map(Sent::table) {
        let found = server.ask(&format!("SELECT count(*) FROM {table}")).await?;
        if found != rows.to_string() {
            return Err(format!("{found} of {rows} {table} are there").into());
        }
    }
    server.terminate().await?;
    println!("pushed in {:.0} s", begin.elapsed().as_secs_f64());
    Ok(())
}

/// Files of rows below the folder of a table.
fn blocks(table: &Path) -> Result<usize, Fault> {
    let mut blocks = 0;
    for date in std::fs::read_dir(table)? {
        let date = date?;
        if date.file_name().to_string_lossy().starts_with("date=") {
            blocks += std::fs::read_dir(date.path())?.count();
        }
    }
    Ok(blocks)
}
