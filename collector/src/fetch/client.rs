//! HTTP clients: their connections, their TLS, and how far they follow redirects.

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, Proxy, StatusCode};
use url::{Host, Url};

use super::endpoint::Endpoint;
use super::failure::{Failure, whole};
use super::tls::Material;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 3;

/// The client that asks one source, or all targets of one job. Cloning shares it.
///
/// No two sources of the configuration share one, so that the connections and redirects of one are never another's.
#[derive(Debug, Clone, Default)]
pub(crate) struct Connection(Arc<Mutex<Option<Made>>>);

/// A client, with the fingerprint of the certificates that it was made with.
#[derive(Debug, Clone)]
struct Made {
    fingerprint: u128,
    client: Client,
}

impl Connection {
    /// The client for `endpoint`, made anew if the files of its certificates have changed.
    pub(crate) async fn client(&self, endpoint: &Endpoint) -> Result<Client, Failure> {
        let known = self.0.lock().clone();
        if let Some(made) = &known
            && !endpoint.http.tls_config.has_files()
        {
            return Ok(made.client.clone());
        }
        let endpoint = endpoint.clone();
        let made = tokio::task::spawn_blocking(move || make(&endpoint, known)).await;
        let made = made.unwrap_or_else(|_| Err("the making of the HTTP client broke off".into()));
        let made = made.map_err(Failure::request)?;
        *self.0.lock() = Some(made.clone());
        Ok(made.client)
    }
}

fn make(endpoint: &Endpoint, known: Option<Made>) -> Result<Made, String> {
    let material = Material::read(&endpoint.http.tls_config)?;
    let fingerprint = material.fingerprint();
    match known {
        Some(known) if known.fingerprint == fingerprint => Ok(known),
        _ => build(endpoint, &material).map(|client| Made { fingerprint, client }),
    }
}

/// Makes a client; the error says what is wrong with its certificates or its proxy.
pub(super) fn build(endpoint: &Endpoint, material: &Material) -> Result<Client, String> {
    let http = &*endpoint.http;
    let proxy = http.proxy().map_err(|e| e.to_string())?.map(Proxy::all).transpose();
    let proxy = proxy.map_err(|e| format!("proxy_url cannot be used: {}", whole(&e)))?;
    let builder = || {
        let has_body = endpoint.has_body;
        let policy =
            if http.follow_redirects { Policy::custom(move |to| follow(to, has_body)) } else { Policy::none() };
        let mut builder = Client::builder()
            .user_agent(concat!("fleetscope/", env!("CARGO_PKG_VERSION")))
            .redirect(policy)
            .referer(false)
            .no_proxy()
            .connect_timeout(endpoint.timeout)
            .pool_max_idle_per_host(1)
            .tls_danger_accept_invalid_certs(http.tls_config.insecure_skip_verify);
        if let Some(proxy) = &proxy {
            builder = builder.proxy(proxy.clone());
        }
        if endpoint.has_server_name() {
            // With HTTP/2 the name would replace the host in the request too.
            builder = builder.dns_resolver(HostOf(endpoint.url.clone())).http1_only();
        }
        builder
    };
    let client = material.apply(builder(), &http.tls_config)?.build().or_else(|error| match endpoint.url.scheme() {
        // A machine without certificates of authorities can still speak plain HTTP.
        "http" if !http.tls_config.has_files() => builder().tls_certs_only([]).build(),
        _ => Err(error),
    });
    client.map_err(|e| format!("the TLS of the HTTP client cannot be set up: {}", whole(&e)))
}

/// Leads every name to the host of this URL: the only name that is asked for is `server_name`, which need not be known to
/// any resolver.
#[derive(Debug)]
struct HostOf(Url);

impl Resolve for HostOf {
    fn resolve(&self, _: Name) -> Resolving {
        let host = match self.0.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => String::new(),
        };
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// At most three redirects, none to another host, another port or from https to http: whoever can answer for a source must
/// not be able to point us at anything else that this machine can reach. Only the way from http to
/// https is open, on the same port or from 80 to 443.
///
/// Only the newer kinds of redirects take a body along; after the others its question would be another.
fn follow(attempt: Attempt<'_>, has_body: bool) -> Action {
    let keeps_body = matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let refused = match attempt.previous().first() {
        _ if attempt.previous().len() > MAX_REDIRECTS => Some(format!("more than {MAX_REDIRECTS} redirects")),
        Some(first) if !is_same_server(first, attempt.url()) => {
            let (host, port) = (attempt.url().host_str().unwrap_or(""), attempt.url().port_or_known_default());
            Some(format!("redirect to another server, {host}:{}, is not followed", port.unwrap_or(0)))
        }
        _ if has_body && !keeps_body => {
            let (status, url) = (attempt.status(), attempt.url());
            Some(format!("a question with a body is redirected with {status}, configure the url it leads to: {url}"))
        }
        _ => None,
    };
    match refused {
        Some(why) => attempt.error(why),
        None => attempt.follow(),
    }
}

fn is_same_server(first: &Url, next: &Url) -> bool {
    let (from, to) = (first.port_or_known_default(), next.port_or_known_default());
    let is_upgrade = first.scheme() == "http" && next.scheme() == "https";
    let is_same_port = from == to || (is_upgrade && from == Some(80) && to == Some(443));
    first.host() == next.host() && is_same_port && (is_upgrade || first.scheme() == next.scheme())
}
