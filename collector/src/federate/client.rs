//! The HTTP client of one source: its connections, its TLS, and how far it follows redirects.

use model::Error;
use reqwest::Client;
use reqwest::redirect::{Attempt, Policy};

use super::source::Source;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 3;

/// A client of its own for each source, so that one source's connections and redirects are never another's.
///
/// # Errors
/// `Internal` if TLS cannot be set up.
pub(crate) fn client(source: &Source) -> Result<Client, Error> {
    let builder = || {
        Client::builder()
            .user_agent(concat!("fleetscope/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(|attempt| follow(attempt)))
            .referer(false)
            .no_proxy()
            .connect_timeout(source.timeout)
            .pool_max_idle_per_host(1)
    };
    builder()
        .build()
        .or_else(|error| match source.url.scheme() {
            // A machine without certificates of authorities can still speak plain HTTP.
            "http" => builder().tls_certs_only([]).build(),
            _ => Err(error),
        })
        .map_err(|e| Error::internal("the TLS of the HTTP client cannot be set up").with_source(e))
}

/// At most three redirects, none to another host, none from https to http: whoever can answer for a source must not be able
/// to point us at anything else that this machine can reach.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let refused = {
        let (first, next) = (attempt.previous().first(), attempt.url());
        if attempt.previous().len() > MAX_REDIRECTS {
            Some(format!("more than {MAX_REDIRECTS} redirects"))
        } else if first.is_some_and(|first| first.host_str() != next.host_str()) {
            Some(format!("redirect to another host {:?} is not followed", next.host_str().unwrap_or("")))
        } else if first.is_some_and(|first| first.scheme() == "https" && next.scheme() != "https") {
            Some("redirect from https to http is not followed".to_owned())
        } else {
            None
        }
    };
    match refused {
        Some(why) => attempt.error(why),
        None => attempt.follow(),
    }
}
