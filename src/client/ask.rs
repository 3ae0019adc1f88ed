//! One statement, asked over HTTP.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use model::{Error, ErrorKind};
use reqwest::Response;
use tokio::time::Instant;

/// How long an answer may take before it is told that it is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// Sends a statement and gives the answer, whose body is still to come.
///
/// While it waits it says so, if somebody looks: on standard error, if that is a terminal.
///
/// # Errors
/// `Unavailable` if the server cannot be reached, the server's own kind and message if it refuses the statement.
pub(super) async fn ask(server: &str, sql: &str, accept: &str) -> Result<Response, Error> {
    let url = format!("{}/api/v1/sql", server.trim_end_matches('/'));
    let body = serde_json::json!({ "query": sql }).to_string();
    let request = reqwest::Client::new().post(&url).header("content-type", "application/json").header("accept", accept);
    let sent = waited_for(request.body(body).send()).await;
    let answer = sent.map_err(|e| {
        Error::new(ErrorKind::Unavailable, format!("cannot reach {url}, is the server running there")).with_source(e)
    })?;
    if !answer.status().is_success() {
        let status = answer.status();
        let text = answer.text().await.unwrap_or_default();
        return Err(refused(status.as_u16(), &text));
    }
    Ok(answer)
}

/// As [`ask`], with the whole body.
///
/// # Errors
/// As [`ask`], and `Unavailable` if the answer breaks off.
pub(super) async fn text(server: &str, sql: &str, accept: &str) -> Result<String, Error> {
    ask(server, sql, accept).await?.text().await.map_err(broken_off)
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
