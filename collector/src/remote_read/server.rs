//! A server that is read, and what of its answers depends on.

use decode::remote_read::Matcher;
use model::Error;
use xxhash_rust::xxh3::Xxh3;

use crate::config::FederateConfig;
use crate::federate::Source;

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
        let mut hasher = Xxh3::new();
        // Headers, users and tokens name the tenant at some servers.
        let headers = config.headers.iter().flat_map(|(name, value)| [name.clone(), value.clone()]);
        let user = config.basic_auth.iter().flat_map(|basic| {
            let files = basic.username_file.iter().chain([&basic.password_file]);
            files.map(|file| file.display().to_string()).chain([basic.username.clone()])
        });
        let token = config.authorization.iter().map(|token| token.credentials_file.display().to_string());
        let texts = [source.endpoint.url.to_string()].into_iter().chain(config.matchers.iter().cloned());
        for text in texts.chain(headers).chain(user).chain(token) {
            hasher.update(text.as_bytes());
            hasher.update(&[0xff]);
        }
        let key = format!("{:016x}", hasher.digest());
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
