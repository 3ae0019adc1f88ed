//! Puts the credential of a source on a request, read from its file at that moment, so that it rotates without a restart.

use std::io::Read;
use std::path::{Path, PathBuf};

use reqwest::RequestBuilder;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::failure::Failure;
use crate::config::FederateConfig;

/// No credential is longer, and a wrong path must not be read into memory whole.
const MAX_SECRET_BYTES: u64 = 64 << 10;

/// Adds the configured credential, if there is one.
pub(crate) async fn authorize(request: RequestBuilder, config: &FederateConfig) -> Result<RequestBuilder, Failure> {
    if let Some(basic) = &config.basic_auth {
        let password = secret(basic.password_file.clone()).await?;
        return Ok(request.basic_auth(&basic.username, Some(password)));
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
    match read {
        Ok(Ok(text)) if text.is_empty() => Err(Failure::request(format!("the credential file {shown} is empty"))),
        Ok(Ok(text)) => Ok(text),
        Ok(Err(e)) => Err(Failure::request(format!("the credential file {shown} cannot be read: {e}"))),
        Err(_) => Err(Failure::request(format!("the reading of the credential file {shown} broke off"))),
    }
}

fn read_secret(path: &Path) -> std::io::Result<String> {
    let mut text = String::new();
    let read = std::fs::File::open(path)?.take(MAX_SECRET_BYTES + 1).read_to_string(&mut text)?;
    if read as u64 > MAX_SECRET_BYTES {
        return Err(std::io::Error::other("it is larger than any credential"));
    }
    Ok(text.trim().to_owned())
}
