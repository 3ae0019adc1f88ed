//! Who is asked: how each is started, and where its API is.

use std::path::{Path, PathBuf};

use reqwest::{Client, RequestBuilder};

use super::data::Data;
use super::questions::{Asked, Question};
use crate::process::Process;
use crate::{Fault, peers};

/// One of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Contender {
    Ours,
    Prometheus,
    VictoriaMetrics,
}

impl Contender {
    pub(super) const ALL: [Self; 3] = [Contender::Ours, Contender::Prometheus, Contender::VictoriaMetrics];

    pub(super) fn name(self) -> &'static str {
        ["ours", "Prometheus", "VictoriaMetrics"][self as usize]
    }

    /// Where its files are.
    pub(super) fn folder(self, folder: &Path) -> PathBuf {
        folder.join(["store", "tsdb", "victoria"][self as usize])
    }

    /// Starts it, and waits until it is ready. `cut_seconds` is the time from cut to cut of ours, if it is to make any.
    pub(super) async fn start(self, folder: &Path, cut_seconds: Option<u64>) -> Result<Process, Fault> {
        match self {
            Contender::Ours => {
                let cut_every = cut_seconds.map_or("24h".to_owned(), |seconds| format!("{seconds}s"));
                let storage = format!("cut_every: {cut_every}, memory_bytes: 8GB, journal_bytes: 16GB");
                // No limit of one may decide before the other has answered.
                let query = "query: {timeout: 10m, memory_bytes: 8000000000, query_memory_bytes: 8000000000}\n";
                peers::fleetscope_with(folder, &storage, query).await
            }
            Contender::Prometheus => {
                let flags =
                    ["--query.timeout=10m", "--query.max-samples=500000000", "--storage.tsdb.retention.time=15d"];
                let mut process = peers::prometheus_with(folder, &folder.join("tsdb"), "", &flags)?;
                process.answers("/-/ready").await?;
                Ok(process)
            }
            Contender::VictoriaMetrics => {
                let flags = [
                    "-search.maxQueryDuration=10m",
                    "-search.maxUniqueTimeseries=5000000",
                    "-search.maxTagValues=5000000",
                ];
                peers::victoria_metrics_with(folder, &flags).await
            }
        }
    }

    /// A question to it.
    pub(super) fn request(self, client: &Client, url: &str, question: &Question, data: &Data) -> RequestBuilder {
        let (start, end) = data.range();
        let (start, end) = (start.to_string(), end.to_string());
        let text = question.text.clone();
        let (path, mut parameters) = match question.asked {
            Asked::Range { step } => {
                let step = step.to_string();
                ("query_range", vec![("query", text), ("start", start), ("end", end), ("step", step)])
            }
            Asked::Instant => ("query", vec![("query", text), ("time", end)]),
            Asked::LabelValues => ("label/pod/values", vec![("match[]", text), ("start", start), ("end", end)]),
        };
        if self == Contender::VictoriaMetrics {
            parameters.push(("nocache", "1".to_owned()));
        }
        let prefix = if self == Contender::Ours { "/prometheus" } else { "" };
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        client.get(format!("{url}{prefix}/api/v1/{path}?{query}"))
    }
}
