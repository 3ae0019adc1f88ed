//! The HTTP client of one source: its connections, its TLS, and how far it follows redirects.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::{Action, Attempt, Policy};
use url::{Host, Url};

use super::failure::{Failure, whole};
use super::source::Source;
use super::tls::Material;

/// Redirects that are followed for one request.
const MAX_REDIRECTS: usize = 3;

/// The client of a source, with the fingerprint of the certificates that it was made with; none before the first attempt.
///
/// Each source has one of its own, so that one source's connections and redirects are never another's.
#[derive(Debug, Default)]
pub(crate) struct Connection(Option<(u128, Client)>);

impl Connection {
    /// The client, made anew if the files of its certificates have changed.
    pub(crate) async fn client(&mut self, source: &Arc<Source>) -> Result<Client, Failure> {
        if let Some((_, client)) = &self.0
            && !source.config.tls_config.has_files()
        {
            return Ok(client.clone());
        }
        let (known, source) = (self.0.clone(), Arc::clone(source));
        let made = tokio::task::spawn_blocking(move || make(&source, known)).await;
        let made = made.unwrap_or_else(|_| Err("the making of the HTTP client broke off".into()));
        let (fingerprint, client) = made.map_err(Failure::request)?;
        self.0 = Some((fingerprint, client.clone()));
        Ok(client)
    }
}

fn make(source: &Source, known: Option<(u128, Client)>) -> Result<(u128, Client), String> {
    let material = Material::read(&source.config.tls_config)?;
    let fingerprint = material.fingerprint();
    match known {
        Some(known) if known.0 == fingerprint => Ok(known),
        _ => build(source, &material).map(|client| (fingerprint, client)),
    }
}

/// Makes a client; the error says what is wrong with its certificates.
pub(super) fn build(source: &Source, material: &Material) -> Result<Client, String> {
    let tls = &source.config.tls_config;
    let builder = || {
        let mut builder = Client::builder()
            .user_agent(concat!("fleetscope/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::custom(follow))
            .referer(false)
            .no_proxy()
            .connect_timeout(source.timeout)
            .pool_max_idle_per_host(1)
            .tls_danger_accept_invalid_certs(tls.insecure_skip_verify);
        if source.target != source.url {
            // With HTTP/2 the name would replace the host in the request too.
            builder = builder.dns_resolver(HostOf(source.url.clone())).http1_only();
        }
        builder
    };
    let client = material.apply(builder(), tls)?.build().or_else(|error| match source.url.scheme() {
        // A machine without certificates of authorities can still speak plain HTTP.
        "http" if !tls.has_files() => builder().tls_certs_only([]).build(),
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
    let (from, to) = (first.port_or_known_default(), next.port_or_known_default());
    let is_upgrade = first.scheme() == "http" && next.scheme() == "https";
    let is_same_port = from == to || (is_upgrade && from == Some(80) && to == Some(443));
    first.host() == next.host() && is_same_port && (is_upgrade || first.scheme() == next.scheme())
}
