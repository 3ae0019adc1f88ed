//! A Loki as its configuration resolves: what the request is, who it is on the board, how large an answer may be.

use std::sync::Arc;

use decode::Limits;
use model::Error;
use model::source::SourceId;

use crate::config::LokiConfig;
use crate::federate::instance;
use crate::fetch::Endpoint;
use crate::source_key::source_key;

/// One Loki, checked and resolved.
#[derive(Debug, Clone)]
pub(crate) struct Loki {
    /// Who it is on the board.
    pub(crate) id: SourceId,
    /// [`SourceId::cluster`], to stamp rows with.
    pub(crate) cluster: Arc<str>,
    /// The request, without times.
    pub(crate) endpoint: Endpoint,
    /// How large an answer may be.
    pub(crate) limits: Limits,
    /// What tells what is asked for from everything else that could be.
    pub(crate) key: String,
    /// What it was resolved from.
    pub(crate) config: LokiConfig,
}

impl Loki {
    /// Checks and resolves a configuration.
    ///
    /// # Errors
    /// `Invalid` if it is wrong.
    pub(crate) fn resolve(config: &LokiConfig) -> Result<Self, Error> {
        config.validate()?;
        let (url, http) = (config.request_url()?, config.http());
        let id = SourceId {
            kind: "loki_read",
            cluster: config.cluster.clone(),
            job: config.job_name.clone(),
            instance: instance(&url),
            url: String::new(),
            labels: String::new(),
        };
        let key = source_key([url.to_string()], &http);
        let max_decoded_bytes = usize::try_from(config.body_size_limit).unwrap_or(usize::MAX);
        // One limit for both: what is not compressed may be as large as what was.
        let limits = Limits { max_body_bytes: max_decoded_bytes, max_decoded_bytes, ..Limits::federation() };
        Ok(Loki {
            cluster: Arc::from(config.cluster.as_str()),
            endpoint: Endpoint::new(url, config.timeout(), max_decoded_bytes, Arc::new(http))?,
            config: config.clone(),
            id,
            limits,
            key,
        })
    }

    /// Whether what has been read of the one need not be read of the other.
    pub(crate) fn asks_for_the_same(&self, other: &Loki) -> bool {
        (&self.cluster, &self.key) == (&other.cluster, &other.key)
    }
}
