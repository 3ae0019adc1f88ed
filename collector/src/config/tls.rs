//! How a source proves who it is, and how we prove to it who we are.

use std::path::PathBuf;

use model::Error;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The TLS of one source, in Prometheus' words. Files are read anew at each attempt, so that certificates rotate without a
/// restart.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The file with the certificates, PEM, of the authorities that may vouch for the source, instead of the system's.
    /// Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// The file with our certificate, PEM, and those that lead to the source's authority. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// The file with the key of our certificate, PEM. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// The name that the source's certificate must be for, and that the source is asked for. Default the host of `url`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Take any certificate: whoever stands in between reads and writes along. Default `false`.
    pub insecure_skip_verify: bool,
}

impl TlsConfig {
    pub(super) fn validate(&self) -> Result<(), Error> {
        if self.cert_file.is_some() != self.key_file.is_some() {
            let (given, missing) =
                if self.cert_file.is_some() { ("cert_file", "key_file") } else { ("key_file", "cert_file") };
            return Err(Error::invalid(format!("tls_config: {given} needs {missing} beside it")));
        }
        let Some(name) = &self.server_name else { return Ok(()) };
        let parsed = Url::parse(&format!("https://{name}/")).ok();
        let is_name = |url: &Url| matches!(url.host(), Some(Host::Domain(host)) if host.eq_ignore_ascii_case(name));
        if !parsed.as_ref().is_some_and(is_name) {
            return Err(Error::invalid(format!(
                "tls_config: server_name {name:?} is not a name like prometheus.example"
            )));
        }
        Ok(())
    }

    /// Whether any of it stands in files.
    pub(crate) fn has_files(&self) -> bool {
        self.ca_file.is_some() || self.cert_file.is_some()
    }
}
