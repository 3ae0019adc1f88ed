//! One statement, asked over HTTP.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use collector::Token;
use model::{Error, ErrorKind};
use reqwest::{Certificate, Client, Response, StatusCode};
use tokio::time::Instant;

use crate::cli::Connection;

/// How long an answer may take before it is told that it is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What asks one server.
#[derive(Debug)]
pub(super) struct Asker {
    url: String,
    client: Client,
    token: Option<Token>,
}

impl Asker {
    /// Reads the files of the connection.
    ///
    /// # Errors
    /// `Invalid` if one of them cannot be used.
    pub(super) fn new(connection: &Connection) -> Result<Self, Error> {
        let mut builder = Client::builder();
        if let Some(path) = &connection.ca_file {
            let wrong = |e: &dyn std::fmt::Display| Error::invalid(format!("--ca-file {}: {e}", path.display()));
            let pem = std::fs::read(path).map_err(|e| wrong(&e))?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|e| wrong(&e))?;
            if authorities.is_empty() {
                return Err(wrong(&"there is no certificate in PEM in it"));
            }
            builder = builder.tls_certs_only(authorities);
        }
        let token = connection.token_file.as_ref().map(|path| {
            let wrong = |e: &dyn std::fmt::Display| Error::invalid(format!("--token-file {}: {e}", path.display()));
            let text = std::fs::read_to_string(path).map_err(|e| wrong(&e))?;
            Token::parse(&text).map_err(|e| wrong(&e))
        });
        let client = builder.build().map_err(|e| Error::invalid("--ca-file cannot be used").with_source(e))?;
        let url = format!("{}/api/v1/sql", connection.server.trim_end_matches('/'));
        Ok(Asker { url, client, token: token.transpose()? })
    }

    /// Sends a statement and gives the answer, whose body is still to come.
    ///
    /// While it waits it says so, if somebody looks: on standard error, if that is a terminal.
    ///
    /// # Errors
    /// `Unavailable` if the server cannot be reached, the server's own kind and message if it refuses the statement.
    pub(super) async fn ask(&self, sql: &str, accept: &str) -> Result<Response, Error> {
        let (url, body) = (&self.url, serde_json::json!({ "query": sql }).to_string());
        let mut request = self.client.post(url).header("content-type", "application/json").header("accept", accept);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token.reveal());
        }
        let sent = waited_for(request.body(body).send()).await;
        let answer = sent.map_err(|e| {
            let text = format!("cannot reach {url}, is the server running there");
            Error::new(ErrorKind::Unavailable, text).with_source(e)
        })?;
        match answer.status() {
            status if status.is_success() => Ok(answer),
            StatusCode::UNAUTHORIZED => Err(Error::invalid(match self.token {
                Some(_) => "unauthorized: the server does not know the token of --token-file as a reader's",
                None => "unauthorized: the server wants a reader's token, see --token-file",
            })),
            status => Err(refused(status.as_u16(), &answer.text().await.unwrap_or_default())),
        }
    }

    /// As [`Asker::ask`], with the whole body.
    ///
    /// # Errors
    /// As [`Asker::ask`], and `Unavailable` if the answer breaks off.
    pub(super) async fn text(&self, sql: &str, accept: &str) -> Result<String, Error> {
        self.ask(sql, accept).await?.text().await.map_err(broken_off)
    }
}

/// The error of an answer that has no end.
pub(super) fn broken_off(error: reqwest::Error) -> Error {
    Error::new(ErrorKind::Unavailable, "the answer broke off, its rows are not complete").with_source(error)
}

/// Waits, and once a second says how long, in one line that is gone in the end.
async fn waited_for<T>(answer: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let mut answer = std::pin::pin!(answer);
    let shows = std::io::stderr().is_terminal();
    let mut shown = false;
    loop {
        tokio::select! {
            done = &mut answer => {
                if shown {
                    show("");
                }
                return done;
            }
            () = tokio::time::sleep(PATIENCE), if shows => {
                show(&format!("waiting for the answer, {} s (ctrl-C cancels it)", began.elapsed().as_secs()));
                shown = true;
            }
        }
    }
}

fn show(text: &str) {
    let mut stderr = std::io::stderr();
    // Nothing is lost if it cannot be shown.
    let _ = write!(stderr, "\r\x1b[K{text}").and_then(|()| stderr.flush());
}

/// The error that an answer other than 2xx stands for.
pub(super) fn refused(status: u16, text: &str) -> Error {
    let answer: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let Some(message) = answer["message"].as_str() else {
        return Error::new(ErrorKind::Unavailable, format!("the server answered {status}: {}", text.trim()));
    };
    let kind = if status < 500 { ErrorKind::Invalid } else { ErrorKind::Unavailable };
    Error::new(kind, message)
}
