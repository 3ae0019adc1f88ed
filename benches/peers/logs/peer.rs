//! Another store, started by hand on this machine, that is sent the same lines.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::Fault;
use crate::process::{self, folder_bytes};
use crate::records::way::Way;

/// What names them: of each, separated by commas, what it is called, a form, the URL that takes it, the process and the folder
/// of its data; between two a semicolon.
const SETTING: &str = "FLEETSCOPE_LOGS_PEERS";
/// A process is quiet that needs less than this share of a core for [`QUIET`].
const IDLE: f64 = 0.05;
const QUIET: Duration = Duration::from_secs(5);
/// For how long it may work on after the last answer.
const PATIENCE: Duration = Duration::from_secs(300);

/// A store.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) name: String,
    pub(super) way: Way,
    pub(super) url: String,
    process: u32,
    folder: PathBuf,
}

impl Peer {
    /// All that the environment names, for example
    /// `VictoriaLogs,Loki protobuf,http://127.0.0.1:9428/insert/loki/api/v1/push,1234,/tmp/victoria-logs-data`.
    pub(super) fn all() -> Result<Vec<Self>, Fault> {
        let Ok(text) = std::env::var(SETTING) else { return Ok(Vec::new()) };
        text.split(';')
            .map(|entry| Peer::of(entry).map_err(|what| format!("{SETTING}: {entry:?}: {what}").into()))
            .collect()
    }

    fn of(entry: &str) -> Result<Self, String> {
        let parts: Vec<&str> = entry.split(',').map(str::trim).collect();
        let [name, way, url, process, folder] = parts[..] else {
            return Err("not a name, a form, a URL, a process and a folder with commas between".to_owned());
        };
        let forms = Way::ALL.map(Way::name).join(", ");
        let way = Way::ALL.into_iter().find(|known| known.name() == way);
        Ok(Peer {
            name: name.to_owned(),
            way: way.ok_or_else(|| format!("no form of these: {forms}"))?,
            url: url.to_owned(),
            process: process.parse().map_err(|_| format!("{process:?} is no number of a process"))?,
            folder: folder.into(),
        })
    }

    pub(super) fn cpu_seconds(&self) -> Result<f64, Fault> {
        process::cpu_seconds_of(self.process)
    }

    /// Bytes of its memory in RAM, at most.
    pub(super) fn peak_bytes(&self) -> Result<f64, Fault> {
        Ok(process::peak_bytes_of(self.process)? as f64)
    }

    pub(super) fn disk_bytes(&self) -> Result<f64, Fault> {
        Ok(folder_bytes(&self.folder)? as f64)
    }

    /// Waits until it works no more on what it was sent.
    ///
    /// # Errors
    /// If it does not come to rest.
    pub(super) async fn is_quiet(&self) -> Result<(), Fault> {
        let begin = Instant::now();
        loop {
            let before = self.cpu_seconds()?;
            tokio::time::sleep(QUIET).await;
            if self.cpu_seconds()? - before < IDLE * QUIET.as_secs_f64() {
                return Ok(());
            }
            if begin.elapsed() > PATIENCE {
                return Err(format!("{} still works {} s after its last answer", self.name, PATIENCE.as_secs()).into());
            }
        }
    }
}
