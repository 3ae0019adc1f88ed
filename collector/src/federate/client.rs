//! The HTTP client of one source: its connections, its TLS, and how far it follows redirects.

use model::Error;
use reqwest::Client;
use reqwest::redirect::{Action, Attempt, Policy};
use url::Url;

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
            .redirect(Policy::custom(follow))
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

/// At most three redirects, none to another host, another port or from https to http: whoever can answer for a source must
/// not be able to point us at anything else that this machine can reach. Only the way from http to https is open.
fn follow(attempt: Attempt<'_>) -> Action {
    let refused = match attempt.previous().first() {
        _ if attempt.previous().len() > MAX_REDIRECTS => Some(format!("more than {MAX_REDIRECTS} redirects")),
        Some(first) if !is_same_server(first, attempt.url()) => {
            let (host, port) = (attempt.url().host_str().unwrap_or(""), attempt.url().port_or_known_default());
            Some(format!("redirect to another server, {host}:{}, is not followed", port.unwrap_or(0)))
        }
        _ => None,
    };
    match refused {
        Some(why) => attempt.error(why),
        None => attempt.follow(),
    }
}

fn is_same_server(first: &Url, next: &Url) -> bool {
    let is_upgrade = first.scheme() == "http" && next.scheme() == "https";
    let is_same_port = first.port_or_known_default() == next.port_or_known_default();
    first.host() == next.host() && (is_upgrade || (first.scheme() == next.scheme() && is_same_port))
}
