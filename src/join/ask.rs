//! One question to a Prometheus and its answer, bounded in time and bytes.
//!
//! Owns: credentials, the client, how much is read and how long is waited. Does not own: what is asked (`probe`), what an
//! answer means (`answer`, `remote_read`).

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use collector::config::{Authorization, BasicAuth};
use model::{Error, ErrorKind, duration};
use reqwest::header::{CONTENT_TYPE, HeaderValue, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::answer;
use super::yaml::printable;
use crate::cli::Join;

/// No file of credentials or certificates is longer, and a wrong path must not be read into memory whole.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// The bytes of an answer that is a few figures.
const FIGURES_BYTES: usize = 1 << 20;
/// The bytes of an answer that may be long: a configuration, or samples.
pub(super) const LONG_BYTES: usize = 16 << 20;
/// How much of the first line of an answer is told that is not the one that was asked for.
const LINE_CHARS: usize = 80;

/// How servers are asked, as the configuration says it. Paths are absolute.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Access {
    /// User and password.
    pub(super) basic_auth: Option<BasicAuth>,
    /// A bearer token.
    pub(super) authorization: Option<Authorization>,
    /// Who may vouch for a server.
    pub(super) ca_file: Option<PathBuf>,
}

impl Access {
    /// What the command line says.
    ///
    /// # Errors
    /// `Invalid` if the user is none that HTTP can carry, or a path none that YAML can hold.
    pub(super) fn new(join: &Join) -> Result<Self, Error> {
        if join.username.as_ref().is_some_and(|username| username.is_empty() || username.contains(':')) {
            return Err(Error::invalid("--username is empty or holds a colon, which HTTP cannot carry"));
        }
        let basic_auth = match (&join.username, &join.password_file) {
            (Some(username), Some(file)) => {
                Some(BasicAuth { username: username.clone(), username_file: None, password_file: absolute(file)? })
            }
            _ => None,
        };
        let authorization = join.bearer_token_file.as_deref().map(absolute).transpose()?.map(Authorization::bearer);
        Ok(Access { basic_auth, authorization, ca_file: join.ca_file.as_deref().map(absolute).transpose()? })
    }
}

/// The path from the root: the server may be started in another folder.
fn absolute(path: &Path) -> Result<PathBuf, Error> {
    let shown = path.display();
    let path = std::path::absolute(path).map_err(|e| Error::invalid(format!("{shown} is no path")).with_source(e))?;
    match path.to_str() {
        Some(_) => Ok(path),
        None => Err(Error::invalid(format!("the path {shown} is not UTF-8, the configuration cannot hold it"))),
    }
}

/// An answer, whatever it says.
#[derive(Debug)]
pub(super) struct Answer {
    /// What it says of itself.
    pub(super) status: StatusCode,
    /// The `Content-Type` header; empty without one.
    pub(super) content_type: String,
    /// Where it leads, if it leads elsewhere.
    location: Option<String>,
    /// The whole body.
    pub(super) body: Bytes,
}

/// Asks servers. Has no `Debug`, for there is a secret in it.
pub(super) struct Client {
    http: reqwest::Client,
    credential: Credential,
    timeout: Duration,
}

enum Credential {
    None,
    Basic { username: String, password: String },
    Bearer(HeaderValue),
}

impl Client {
    /// A client with these credentials; `timeout` is what one question may take, its answer included.
    ///
    /// # Errors
    /// `Invalid` if a file cannot be read or used, or the time is none.
    pub(super) fn new(access: &Access, timeout: Duration) -> Result<Self, Error> {
        if timeout.is_zero() {
            return Err(Error::invalid("--timeout is 0s, no server answers in that"));
        }
        let credential = match (&access.basic_auth, &access.authorization) {
            (Some(basic), _) => {
                Credential::Basic { username: basic.username.clone(), password: secret(&basic.password_file)? }
            }
            (None, Some(authorization)) => bearer(&authorization.credentials_file)?,
            (None, None) => Credential::None,
        };
        let builder = || {
            // Where a redirect leads is told, not followed: it is what must stand in the configuration.
            let builder = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
            builder.user_agent(concat!("fleetscope/", env!("CARGO_PKG_VERSION")))
        };
        let built = match &access.ca_file {
            Some(file) => builder().tls_certs_only(authorities(file)?).build(),
            // A machine without certificates of authorities can still speak plain HTTP.
            None => builder().build().or_else(|_| builder().tls_certs_only([]).build()),
        };
        let http = built.map_err(|e| Error::internal("cannot set up the HTTP client").with_source(e))?;
        Ok(Client { http, credential, timeout })
    }

    /// Asks for the `data` of an answer of the HTTP API, of the usual few figures.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` if no whole answer comes, `Invalid` if it is not what was asked for.
    pub(super) async fn figures<T: DeserializeOwned>(&self, server: &Url, path: &str) -> Result<T, Error> {
        let request = self.http.get(place(server, path));
        answer::data(&self.ask(request, FIGURES_BYTES).await?)
    }

    /// As [`Client::figures`], of an answer that may be long.
    ///
    /// # Errors
    /// As [`Client::figures`].
    pub(super) async fn text<T: DeserializeOwned>(&self, server: &Url, path: &str) -> Result<T, Error> {
        let request = self.http.get(place(server, path));
        answer::data(&self.ask(request, LONG_BYTES).await?)
    }

    /// The one number that an expression has now, if it has one.
    ///
    /// # Errors
    /// As [`Client::figures`].
    pub(super) async fn number(&self, server: &Url, expression: &str) -> Result<Option<f64>, Error> {
        let mut url = place(server, "/api/v1/query");
        url.query_pairs_mut().append_pair("query", expression);
        answer::number(&self.ask(self.http.get(url), FIGURES_BYTES).await?)
    }

    /// Sends a body, compressed with snappy, with these further headers.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` if no whole answer comes.
    pub(super) async fn post(
        &self,
        server: &Url,
        path: &str,
        headers: &[(&'static str, &'static str)],
        body: Vec<u8>,
    ) -> Result<Answer, Error> {
        let request = headers
            .iter()
            .fold(self.http.post(place(server, path)), |request, (name, value)| request.header(*name, *value));
        self.ask(request.body(body), LONG_BYTES).await
    }

    async fn ask(&self, request: RequestBuilder, max_bytes: usize) -> Result<Answer, Error> {
        let request = match &self.credential {
            Credential::None => request,
            Credential::Basic { username, password } => request.basic_auth(username, Some(password)),
            Credential::Bearer(value) => request.header(reqwest::header::AUTHORIZATION, value.clone()),
        };
        let answered = tokio::time::timeout(self.timeout, answered(request, max_bytes)).await;
        answered.unwrap_or_else(|_| {
            let timeout = duration::format(self.timeout);
            Err(Error::new(ErrorKind::Timeout, format!("no whole answer within {timeout}, see --timeout")))
        })
    }
}

impl Answer {
    /// An answer as it might have come.
    #[cfg(test)]
    pub(super) fn new(status: StatusCode, content_type: &str, body: Vec<u8>) -> Self {
        Answer { status, content_type: content_type.to_owned(), location: None, body: body.into() }
    }

    /// The error that a status other than 200 means.
    pub(super) fn failed(&self) -> Error {
        self.refused(&format!("it answered {}", self.status))
    }

    /// The error of an answer that is not the one that was asked for, with what it says instead.
    pub(super) fn refused(&self, what: &str) -> Error {
        let said = match (&self.location, self.first_line()) {
            (Some(to), _) => format!(", which leads to {}: give that URL", printable(to)),
            (None, Some(line)) => format!(": {line}"),
            (None, None) => String::new(),
        };
        Error::invalid(format!("{what}{said}"))
    }

    /// The beginning of the first line that says something; a page for a browser says nothing in one line.
    fn first_line(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4096)]);
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('<'))?;
        Some(printable(&line.chars().take(LINE_CHARS).collect::<String>()))
    }
}

async fn answered(request: RequestBuilder, max_bytes: usize) -> Result<Answer, Error> {
    let mut response = request.send().await.map_err(unreachable)?;
    let header = |name| {
        let value = response.headers().get(name)?;
        Some(String::from_utf8_lossy(HeaderValue::as_bytes(value)).into_owned())
    };
    let (content_type, location) = (header(CONTENT_TYPE).unwrap_or_default(), header(LOCATION));
    let status = response.status();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(Error::invalid(format!(
                "its answer is larger than {max_bytes} bytes, which no Prometheus gives"
            )));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Answer { status, content_type, location, body: body.into() })
}

/// The error of a request that got no whole answer, with all its causes: the outermost alone says nothing.
fn unreachable(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let mut message = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = inner.source();
    }
    Error::new(ErrorKind::Unavailable, printable(&message))
}

/// The URL of a path below a server.
fn place(server: &Url, path: &str) -> Url {
    let mut url = server.clone();
    url.set_path(&format!("{}{path}", server.path().trim_end_matches('/')));
    url
}

fn bearer(file: &Path) -> Result<Credential, Error> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", secret(file)?))
        .map_err(|_| Error::invalid(format!("{} holds bytes that no header can carry", file.display())))?;
    value.set_sensitive(true);
    Ok(Credential::Bearer(value))
}

fn authorities(file: &Path) -> Result<Vec<Certificate>, Error> {
    let shown = file.display();
    let certificates = Certificate::from_pem_bundle(&read(file)?)
        .map_err(|e| Error::invalid(format!("{shown} is not PEM")).with_source(e))?;
    if certificates.is_empty() {
        return Err(Error::invalid(format!("{shown} holds no certificate in PEM")));
    }
    Ok(certificates)
}

/// The text of a file without the white space around it, as the server will read it.
fn secret(file: &Path) -> Result<String, Error> {
    let shown = file.display();
    let text = String::from_utf8(read(file)?)
        .map_err(|_| Error::invalid(format!("the credential file {shown} is not UTF-8")))?;
    match text.trim() {
        "" => Err(Error::invalid(format!("the credential file {shown} is empty"))),
        text => Ok(text.to_owned()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    let (mut bytes, shown) = (Vec::new(), path.display());
    let read = File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes));
    match read {
        Err(e) => Err(Error::invalid(format!("{shown} cannot be read")).with_source(e)),
        Ok(count) if count as u64 > MAX_FILE_BYTES => {
            Err(Error::invalid(format!("{shown} is larger than any credential or certificate")))
        }
        Ok(_) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
