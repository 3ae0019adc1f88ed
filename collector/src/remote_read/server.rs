//! A server that is read, and what of its answers depends on.

use decode::remote_read::Matcher;
use model::Error;

use crate::config::FederateConfig;
use crate::federate::Source;
use crate::source_key::source_key;

/// One server, checked and resolved.
#[derive(Debug)]
pub(crate) struct Server {
    /// Where it is, and who it is on the board.
    pub(crate) source: Source,
    /// What is asked for: the conditions of each selector.
    pub(crate) selections: Vec<Vec<Matcher>>,
    /// What tells what is asked for from everything else that could be: 16 hexadecimal digits.
    pub(crate) key: String,
}

impl Server {
    /// # Errors
    /// `Invalid` if a selector cannot be read.
    pub(crate) fn new(source: Source) -> Result<Self, Error> {
        let source = Source { endpoint: source.endpoint.with_body(), ..source };
        let config = &source.config;
        let selections = config.selections()?;
        let asked = [source.endpoint.url.to_string()].into_iter().chain(config.matchers.iter().cloned());
        let key = source_key(asked, &config.http());
        Ok(Server { source, selections, key })
    }

    /// What it was resolved from.
    pub(crate) fn config(&self) -> &FederateConfig {
        &self.source.config
    }

    /// Whether what has been read of the one need not be read of the other.
    pub(crate) fn asks_for_the_same(&self, other: &Server) -> bool {
        (&self.source.id.cluster, &self.key) == (&other.source.id.cluster, &other.key)
    }
}
