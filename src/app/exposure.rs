//! Whether other machines may reach the server: only where both sides prove who they are, or somebody insists.

use std::net::SocketAddr;

use model::Error;

use crate::config::Config;

/// What must be there before other machines may reach the server.
#[derive(Debug, Clone)]
pub(super) struct Exposure {
    /// The addresses that they reach.
    addresses: Vec<SocketAddr>,
    has_tls: bool,
    is_insisted_on: bool,
}

impl Exposure {
    /// That of these addresses.
    pub(super) fn new(addresses: &[SocketAddr], has_tls: bool, is_insisted_on: bool) -> Self {
        let addresses = addresses.iter().filter(|address| !address.ip().is_loopback()).copied().collect();
        Exposure { addresses, has_tls, is_insisted_on }
    }

    /// Lets a configuration pass, or says what it lacks: loudly, if somebody has insisted.
    ///
    /// # Errors
    /// `Invalid` if it lacks something and nobody has insisted.
    pub(super) fn check(&self, config: &Config) -> Result<(), Error> {
        let missing = self.missing(config);
        let Some(address) = self.addresses.first().filter(|_| !missing.is_empty()) else { return Ok(()) };
        let missing = missing.join("; ");
        if self.is_insisted_on {
            tracing::warn!(
                %address, missing,
                "INSECURE: other machines can reach this server as --insecure-listen says, although this is missing"
            );
            return Ok(());
        }
        Err(Error::invalid(format!(
            "{address} can be reached by other machines, and this is missing: {missing}. docs/security.md has how; or \
             listen on 127.0.0.1, or say --insecure-listen"
        )))
    }

    fn missing(&self, config: &Config) -> Vec<&'static str> {
        let all = [
            (!self.has_tls, "tls_server_config (whoever listens on the way reads along)"),
            (!config.collector.has_tokens(), "tokens of at least one of clusters (whoever reaches it writes)"),
            (config.collector.push.allow_anonymous, "push.allow_anonymous turned off (whoever reaches it writes)"),
            (config.readers.tokens.is_empty(), "readers.tokens (whoever reaches it reads)"),
        ];
        all.into_iter().filter_map(|(is_missing, what)| is_missing.then_some(what)).collect()
    }
}
