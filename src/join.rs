//! `fleetscope join`: asks Prometheus servers about themselves and prints the configuration that federates them.
//!
//! Owns: which servers are asked, how many at a time, what is told on the way.
//! Does not own: what a key of the configuration means (`collector::config`), what it does (`collector`).
//!
//! ```text
//! URL ─ ask ─ answer, remote_read ─> probe: what one server is ─┐
//! URL ─ …                                                       ├─> fleet: who is which cluster ─> page
//!                                                               └─> estimate: what it costs ─────┘
//! ```
//!
//! What servers say is hostile until shown otherwise: no answer is longer or takes longer than it may, and no text of
//! theirs gets to a terminal or into the YAML but through `yaml`.

mod answer;
mod ask;
mod estimate;
mod fleet;
mod page;
mod probe;
mod remote_read;
mod yaml;

use std::io::Write;

use futures::{StreamExt, stream};
use model::time::Date;
use model::{Clock, Error, ErrorKind};
use reqwest::Url;

use crate::cli::Join;
use crate::client::write;

use self::ask::{Access, Client};
use self::probe::Found;

/// How many servers are asked at a time.
const AT_ONCE: usize = 8;

/// Asks the servers and writes the configuration to `out`; what happens meanwhile goes to standard error.
///
/// # Errors
/// `Invalid` for a URL or a file that cannot be used: then nobody is asked. `Unavailable` if a server cannot be asked; the
/// configuration has the others.
pub async fn run(arguments: &Join, clock: &dyn Clock, out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let servers = servers(&arguments.prometheus)?;
    let access = Access::new(arguments)?;
    let client = Client::new(&access, arguments.timeout)?;
    let asked = servers.into_iter().map(|url| {
        let client = &client;
        async move {
            eprintln!("asking {}", shown(&url));
            let answer = probe::probe(client, &url, clock).await;
            tell(&url, &answer);
            (url, answer)
        }
    });
    let answers = stream::iter(asked).buffered(AT_ONCE).collect().await;
    let fleet = fleet::assemble(answers);
    for warning in fleet.clusters.iter().filter_map(page::unnamed) {
        eprintln!("warning: {}", yaml::visible(&warning));
    }
    for source in &fleet.sources {
        for warning in page::warnings(source) {
            eprintln!("{}: warning: {}", shown(&source.url), yaml::visible(&warning));
        }
    }
    write(out, page::render(&fleet, &access, Date::of_ms(clock.now_ms())).as_bytes())?;
    match &fleet.lost[..] {
        [] => Ok(()),
        lost => {
            let (count, all) = (lost.len(), lost.len() + fleet.sources.len());
            let urls = lost.iter().map(|(url, _)| shown(url)).collect::<Vec<_>>().join(", ");
            Err(Error::new(ErrorKind::Unavailable, format!("{count} of {all} servers could not be asked: {urls}")))
        }
    }
}

fn tell(url: &Url, answer: &Result<Found, Error>) {
    let url = shown(url);
    match answer {
        Err(error) => eprintln!("{url}: {}", yaml::visible(&error.to_string())),
        Ok(found) => {
            let version = found.version.as_deref().unwrap_or("of a version not known");
            let series = found.series.as_ref().map_or("an unknown number of".into(), |f| estimate::count(f.value));
            let remote_read = if found.remote_read.is_ok() { "with" } else { "without" };
            eprintln!("{url}: Prometheus {version}, {series} series, {remote_read} remote read");
        }
    }
}

/// The URLs of the servers, each once.
fn servers(given: &[String]) -> Result<Vec<Url>, Error> {
    let mut servers: Vec<Url> = Vec::with_capacity(given.len());
    for text in given {
        let url = server(text)?;
        if servers.contains(&url) {
            eprintln!("{} is given twice, and asked once", shown(&url));
        } else {
            servers.push(url);
        }
    }
    Ok(servers)
}

fn server(text: &str) -> Result<Url, Error> {
    let wrong = |what: &str| Error::invalid(format!("--prometheus {text:?} {what}"));
    let example = "is not a URL like http://prometheus:9090";
    let mut url = Url::parse(text).map_err(|e| wrong(example).with_source(e))?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(wrong(example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Error::invalid("--prometheus holds credentials, use --username and --password-file"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("holds parameters, give the URL of the server alone"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// A URL without the slash that stands for no path.
fn shown(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests;
