//! Lists of targets that servers give.

use std::sync::Arc;
use std::time::Duration;

use decode::body::decompress;
use model::Error;
use model::source::SourceId;
use model::worker::Stop;
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::group::{Group, read_json};
use super::{Board, Parts};
use crate::config::{HttpSdConfig, ScrapeConfig};
use crate::fetch::{Connection, ContentType, Endpoint, Failure, Stage, fetch};

/// The [`SourceId::kind`] of servers.
const KIND: &str = "http_sd";
/// The time that a list may take, as in Prometheus at most its refresh interval.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
/// Bytes of a list, on the wire and after decompression.
const MAX_BYTES: usize = 64 << 20;
const LABEL: &str = "__meta_url";

/// The server of one `http_sd_configs` entry.
#[derive(Debug)]
pub(super) struct HttpList {
    id: SourceId,
    endpoint: Endpoint,
    connection: Connection,
    refresh_interval: Duration,
    parts: Parts,
}

impl HttpList {
    /// # Errors
    /// `Invalid` if the configuration is wrong.
    pub(super) fn new(config: &ScrapeConfig, list: &HttpSdConfig, parts: &Parts) -> Result<Self, Error> {
        let url = list.request_url()?;
        let id = SourceId {
            kind: KIND,
            cluster: config.cluster.clone(),
            job: config.job_name.clone(),
            instance: url.authority().to_owned(),
            url: url.to_string(),
            labels: String::new(),
        };
        let timeout = list.refresh_interval.min(MAX_TIMEOUT);
        let endpoint = Endpoint::new(url, timeout, MAX_BYTES, Arc::new(list.http()))?;
        let refresh_interval = list.refresh_interval;
        Ok(HttpList { id, endpoint, connection: Connection::default(), refresh_interval, parts: parts.clone() })
    }

    /// Asks for the list again and again, until told to stop.
    pub(super) async fn read_on(self, name: String, board: Board, stop: Stop) {
        let mut is_first = true;
        loop {
            let next = Instant::now() + self.refresh_interval;
            let asked = tokio::select! {
                asked = self.ask() => asked,
                () = stop.stopped() => break,
            };
            let asked = asked.map_err(|failure| failure.to_string());
            self.parts.tell(&self.id, Some(self.refresh_interval), &asked);
            if let Ok(groups) = asked {
                board.write(&name, [(String::new(), Arc::new(groups))]);
            }
            if std::mem::take(&mut is_first) {
                board.note_read();
            }
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                () = stop.stopped() => break,
            }
        }
        self.parts.sources.remove(&self.id);
    }

    async fn ask(&self) -> Result<Vec<Group>, Failure> {
        let client = self.connection.client(&self.endpoint).await?;
        let (answer, ()) = fetch(&client, &self.endpoint, "application/json", check_type, Instant::now()).await?;
        let (url, limits) = (self.endpoint.url.to_string(), limits());
        let read = tokio::task::spawn_blocking(move || {
            let text = decompress(answer.encoding, &answer.body, &limits).map_err(|e| e.to_string())?;
            read_json(&text, LABEL, &url)
        });
        let read = read.await.unwrap_or_else(|_| Err("the reading of it broke off".into()));
        read.map_err(|e| Failure::new(Stage::Decode, format!("the answer is no list of targets: {e}")))
    }
}

fn limits() -> decode::Limits {
    decode::Limits { max_body_bytes: MAX_BYTES, max_decoded_bytes: MAX_BYTES, ..decode::Limits::default() }
}

fn check_type(headers: &HeaderMap) -> Result<(), Failure> {
    match ContentType::of(headers) {
        Some(ContentType { media, .. }) if media == "application/json" => Ok(()),
        Some(ContentType { shown, .. }) => {
            Err(Failure::answer(format!("the answer is {shown:?} instead of application/json")))
        }
        None => Err(Failure::answer("the answer has no content type, application/json is expected")),
    }
}
