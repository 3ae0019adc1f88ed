//! Where the targets of a job are found.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Error, duration};
use serde::{Deserialize, Serialize};
use url::Url;

use super::http::server_url;
use super::{Authorization, BasicAuth, HttpConfig, TlsConfig};

/// The endings that a discovery file may have.
const FILE_ENDINGS: [&str; 3] = ["json", "yml", "yaml"];

/// Targets with the labels that they have in common.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticConfig {
    /// Each one a host with its port: `node.example:9100`. Default none.
    #[serde(default)]
    pub targets: Vec<String>,
    /// Labels of all of them. Default none.
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

/// Files that list targets, as JSON or YAML: `[{"targets": ["host:port"], "labels": {"name": "value"}}]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSdConfig {
    /// Paths, which end in `.json`, `.yml` or `.yaml`; their last part may hold a `*`. Required.
    pub files: Vec<String>,
    /// How often they are read although they do not seem to have changed; a change is seen within seconds. Default `5m`.
    #[serde(with = "duration", default = "five_minutes")]
    pub refresh_interval: Duration,
}

/// A server that lists targets, as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSdConfig {
    /// What is asked for the list. Required.
    pub url: String,
    /// How often it is asked. Default `1m`.
    #[serde(with = "duration", default = "one_minute")]
    pub refresh_interval: Duration,
    /// Further request headers; no secrets. Default none.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// User and password. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basic_auth: Option<BasicAuth>,
    /// The `Authorization` header. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<Authorization>,
    /// Certificates and names of a server that is asked by `https`. Default the authorities of the system.
    #[serde(default)]
    pub tls_config: TlsConfig,
    /// Whether redirects are followed; never to another server. Default `true`.
    #[serde(default = "yes")]
    pub follow_redirects: bool,
    /// The HTTP proxy to ask through. Default none, whatever the environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy_url: Option<String>,
}

impl StaticConfig {
    pub(super) fn validate(&self) -> Result<(), Error> {
        match self.targets.iter().find(|target| target.is_empty() || target.contains('/')) {
            None => Ok(()),
            Some(target) => Err(Error::invalid(format!(
                "target {target:?} is not a host with its port like node.example:9100; scheme and path have fields of \
                 their own"
            ))),
        }
    }
}

impl FileSdConfig {
    pub(super) fn validate(&self) -> Result<(), Error> {
        if self.files.is_empty() {
            return Err(Error::invalid("files is empty"));
        }
        check_refresh(self.refresh_interval)?;
        for file in &self.files {
            let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
            let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
            if !FILE_ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)) {
                return Err(Error::invalid(format!("file {file:?} does not end in .json, .yml or .yaml")));
            }
            if folder.contains('*') || name.matches('*').count() > 1 {
                return Err(Error::invalid(format!("file {file:?} may hold one * in its last part, nowhere else")));
            }
        }
        Ok(())
    }
}

impl HttpSdConfig {
    /// A server at `url`, everything else by default.
    pub fn new(url: impl Into<String>, refresh_interval: Duration) -> Self {
        HttpSdConfig {
            url: url.into(),
            refresh_interval,
            headers: BTreeMap::new(),
            basic_auth: None,
            authorization: None,
            tls_config: TlsConfig::default(),
            follow_redirects: true,
            proxy_url: None,
        }
    }

    /// How the server is asked.
    pub(crate) fn http(&self) -> HttpConfig {
        HttpConfig {
            basic_auth: self.basic_auth.clone(),
            authorization: self.authorization.clone(),
            tls_config: self.tls_config.clone(),
            headers: self.headers.clone(),
            follow_redirects: self.follow_redirects,
            proxy_url: self.proxy_url.clone(),
        }
    }

    /// What is asked.
    ///
    /// # Errors
    /// `Invalid` if it is no URL of a server.
    pub(crate) fn request_url(&self) -> Result<Url, Error> {
        server_url(&self.url, "http://targets/list")
    }

    pub(super) fn validate(&self) -> Result<(), Error> {
        self.request_url()?;
        check_refresh(self.refresh_interval)?;
        self.http().validate()
    }
}

fn check_refresh(interval: Duration) -> Result<(), Error> {
    if interval < Duration::from_secs(1) {
        return Err(Error::invalid("refresh_interval is shorter than 1s"));
    }
    Ok(())
}

fn yes() -> bool {
    true
}

fn five_minutes() -> Duration {
    Duration::from_secs(300)
}

fn one_minute() -> Duration {
    Duration::from_secs(60)
}
