//! Puts the credential of a source on a request, read from its file at that moment, so that it rotates without a restart.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::failure::Failure;
use crate::config::HttpConfig;

/// No credential is longer, and a wrong path must not be read into memory whole.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Adds the configured credential, if there is one.
pub(super) async fn authorize(request: RequestBuilder, config: &HttpConfig) -> Result<RequestBuilder, Failure> {
    if let Some(basic) = &config.basic_auth {
        let password = secret(basic.password_file.clone()).await?;
        let username = match &basic.username_file {
            Some(file) => secret(file.clone()).await?,
            None => basic.username.clone(),
        };
        if username.contains(':') {
            return Err(Failure::request("basic_auth: username_file holds a colon, which HTTP cannot carry"));
        }
        return Ok(request.basic_auth(username, Some(password)));
    }
    let Some(authorization) = &config.authorization else { return Ok(request) };
    let credential = secret(authorization.credentials_file.clone()).await?;
    let mut value = HeaderValue::from_str(&format!("{} {credential}", authorization.scheme)).map_err(|_| {
        Failure::request(format!(
            "credentials_file {} holds bytes that no header can carry",
            authorization.credentials_file.display()
        ))
    })?;
    value.set_sensitive(true);
    Ok(request.header(AUTHORIZATION, value))
}

/// The text of a file without the white space around it.
async fn secret(path: PathBuf) -> Result<String, Failure> {
    let shown = path.display().to_string();
    let read = tokio::task::spawn_blocking(move || read_secret(&path)).await;
    read.unwrap_or_else(|_| Err(format!("the reading of the credential file {shown} broke off")))
        .map_err(Failure::request)
}

/// The text of a file without the white space around it, or why there is none.
pub(super) fn read_secret(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let mut text = String::new();
    let read = File::open(path).and_then(|file| file.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text));
    match read {
        Err(e) => Err(format!("the credential file {shown} cannot be read: {e}")),
        Ok(bytes) if bytes as u64 > MAX_SECRET_BYTES => {
            Err(format!("the credential file {shown} is larger than any credential"))
        }
        Ok(_) if text.trim().is_empty() => Err(format!("the credential file {shown} is empty")),
        Ok(_) => Ok(text.trim().to_owned()),
    }
}
