//! Who sends, and how much he may send: asked once for every push, whatever its protocol.
//!
//! Owns: the decision whose a push is, the limits of each cluster, the counts of what was refused.
//! Does not own: tokens and their files ([`Keyring`]), the protocols' own refusals, limits on all pushes together
//! (`receive::budget`), limits on series (the store).
//!
//! A route asks [`Identity::caller`] before anything else, and [`Caller::may_send`] before it decodes within
//! [`Caller::limits`] and [`Caller::latest_ms`]; it writes what [`Caller::admit`] gives, or, once it has
//! [taken its rows](Caller::take_rows), [`Caller::admit_logs`] and [`Caller::admit_spans`].

mod account;
mod anonymous;
mod rate;
mod refused;
mod unit;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use model::batch::SeriesLimits;
use model::worker::Worker;
use model::{Batch, Clock, Error, ErrorKind, LeftOut, Logs, Resource, Spans};
use parking_lot::RwLock;
use tokio::time::Instant;

use self::account::Account;
pub(crate) use self::refused::{Reason, Unauthorized};
pub(crate) use self::unit::Unit;
use crate::config::Config;
use crate::keyring::Keyring;
use crate::metrics::Metrics;

/// Knows who sends. Cloning shares it.
#[derive(Debug, Clone)]
pub(crate) struct Identity(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    ring: Keyring,
    rules: RwLock<Arc<Rules>>,
    metrics: Arc<Metrics>,
    clock: Arc<dyn Clock>,
}

/// What a reload replaces as a whole.
#[derive(Debug)]
struct Rules {
    /// Every push has to show a token.
    is_closed: bool,
    clusters: HashMap<Arc<str>, Arc<Account>>,
    /// That of all who show no token.
    anonymous: Arc<Account>,
    /// The cluster of those who show no token, where they may not name one.
    stamp: Option<Arc<str>>,
    /// The clusters that only their tokens write to.
    guarded: HashSet<String>,
    /// How many clusters there may be for those who name one without a token.
    max_clusters: u64,
}

impl Identity {
    /// Knows the clusters of a configuration; counts what it refuses into `metrics`. Reads the files of tokens.
    pub(crate) fn new(config: &Config, clock: Arc<dyn Clock>, metrics: Arc<Metrics>) -> Self {
        let ring = Keyring::new(holders(config));
        metrics.pushes.set_keyring(ring.clone());
        let rules = RwLock::new(Arc::new(Rules::new(config, None, &metrics)));
        Identity(Arc::new(Shared { ring, rules, metrics, clock }))
    }

    /// Begins to look for changes of the files of tokens.
    pub(crate) fn watch(&self) -> Worker {
        self.0.ring.watch("push tokens")
    }

    /// Goes over to another configuration; what senders have saved up for their rates stays. Reads the files of tokens away
    /// from the runtime.
    ///
    /// # Errors
    /// `Internal` if the reading breaks off.
    pub(crate) async fn reload(&self, config: &Config) -> Result<(), Error> {
        let (ring, read) = (self.0.ring.clone(), config.clone());
        let reading = tokio::task::spawn_blocking(move || ring.replace(holders(&read)));
        reading.await.map_err(|e| Error::internal("reading the files of tokens broke off").with_source(e))?;
        let old = self.0.rules.read().clone();
        *self.0.rules.write() = Arc::new(Rules::new(config, Some(&old), &self.0.metrics));
        Ok(())
    }

    /// Who sends a request with these headers (or, of gRPC, this metadata).
    ///
    /// # Errors
    /// [`Unauthorized`] for a token that is not known, and for none where one is needed.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Unauthorized> {
        let rules = self.0.rules.read().clone();
        let held = self.0.ring.holder(headers).and_then(|holder| rules.clusters.get(&holder).cloned());
        let is_anonymous = rules.guarded.is_empty() || !rules.is_closed && !headers.contains_key(AUTHORIZATION);
        let (account, cluster) = match held {
            Some(account) => (account.clone(), account.cluster().cloned()),
            None if is_anonymous => (rules.anonymous.clone(), rules.stamp.clone()),
            None => return Err(rules.anonymous.unauthorized()),
        };
        Ok(Caller { account, cluster, rules, clock: self.0.clock.clone() })
    }
}

/// The holders of the tokens of a configuration.
fn holders(config: &Config) -> impl Iterator<Item = (&str, &[crate::config::TokenConfig])> {
    config.clusters.iter().map(|cluster| (cluster.name.as_str(), cluster.tokens.as_slice()))
}

impl Rules {
    fn new(config: &Config, old: Option<&Rules>, metrics: &Arc<Metrics>) -> Self {
        let account = |cluster: Option<&str>, old: Option<&Arc<Account>>| {
            let limits = config.limits_of(cluster.unwrap_or(""));
            match old {
                Some(old) if *old.limits() == limits && old.cluster().map(|name| &**name) == cluster => old.clone(),
                _ => Arc::new(Account::new(cluster, limits, metrics.clone())),
            }
        };
        let clusters = config.clusters.iter().filter(|cluster| !cluster.tokens.is_empty()).map(|cluster| {
            let name: Arc<str> = Arc::from(cluster.name.as_str());
            let account = account(Some(&cluster.name), old.and_then(|old| old.clusters.get(&name)));
            (name, account)
        });
        Rules {
            is_closed: config.has_tokens() && !config.push.allow_anonymous,
            clusters: clusters.collect(),
            anonymous: account(None, old.map(|old| &old.anonymous)),
            stamp: config.push.cluster.as_deref().map(Arc::from),
            guarded: config.guarded_clusters(),
            max_clusters: config.push.cluster_limit,
        }
    }
}

/// The sender of one push.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    account: Arc<Account>,
    cluster: Option<Arc<str>>,
    rules: Arc<Rules>,
    clock: Arc<dyn Clock>,
}

impl Caller {
    /// The cluster that his rows are of; none if his own `cluster` label counts.
    pub(crate) fn cluster(&self) -> Option<&Arc<str>> {
        self.cluster.as_ref()
    }

    /// What of a receiver's limits is left for him.
    pub(crate) fn limits(&self, receiver: &decode::Limits) -> decode::Limits {
        self.account.limits().narrow(receiver)
    }

    /// The latest time that a row of his may have, in milliseconds. Decoders leave out what is later: its neighbours are not to
    /// blame for a machine whose clock is wrong.
    pub(crate) fn latest_ms(&self) -> i64 {
        let ahead_ms = i64::try_from(self.account.limits().future.as_millis()).unwrap_or(i64::MAX);
        self.clock.now_ms().saturating_add(ahead_ms)
    }

    /// Counts that his push was refused for a reason that the route has found, and gives what is to be told of it.
    pub(crate) fn refused(&self, reason: Reason, error: Error) -> Error {
        self.account.refused(reason, error)
    }

    /// As [`Caller::refused`], if the error is that his push is too large; any other goes on as it is.
    pub(crate) fn too_large(&self, reason: Reason, error: Error) -> Error {
        if error.kind() == ErrorKind::TooLarge { self.refused(reason, error) } else { error }
    }

    /// Counts what the store has left out of his push.
    pub(crate) fn left_out_by_store(&self, left_out: &LeftOut) {
        let mut refused = decode::Refused::default();
        refused.note_left_out(left_out);
        self.left_out(&refused);
    }

    /// Counts what was left out of his push.
    pub(crate) fn left_out(&self, refused: &decode::Refused) {
        for (reason, rows) in refused.counts() {
            self.account.left_out(reason.as_str(), rows);
        }
    }

    /// Counts rows of his that came too late to be added up.
    pub(crate) fn out_of_order(&self, rows: u64) {
        if rows > 0 {
            self.account.left_out("out_of_order", rows);
        }
    }

    /// Whether he may send anything of this unit now. Asked before a body is decoded, so that one who sends many times what he
    /// may costs the others next to nothing.
    ///
    /// # Errors
    /// `Busy`, counted as [`Reason::SampleRate`] or [`Reason::RowRate`], if he has sent more than he may in a second already.
    pub(crate) fn may_send(&self, unit: Unit) -> Result<(), Error> {
        self.account.may_send(unit, Instant::now())
    }

    /// Takes log rows or spans out of what he may send in a second. Of samples [`Caller::admit`] does so.
    ///
    /// # Errors
    /// `Busy`, counted as [`Reason::RowRate`], if he has sent more than that already.
    pub(crate) fn take_rows(&self, rows: usize) -> Result<(), Error> {
        self.account.take(Unit::Rows, rows as u64, Instant::now())
    }

    /// Takes bytes, as they came over the wire, out of what he may send in a second.
    ///
    /// # Errors
    /// `Busy`, counted as [`Reason::ByteRate`], if he has sent more than that already.
    pub(crate) fn take_bytes(&self, bytes: usize) -> Result<(), Error> {
        self.account.take_bytes(bytes as u64, Instant::now())
    }

    /// Decides whose the rows of a decoded push are: more than one batch where they differ in how that is.
    ///
    /// # Errors
    /// `Busy`, counted as [`Reason::SampleRate`], if he has sent more than he may in a second already.
    pub(crate) fn admit(&self, batch: Batch) -> Result<Vec<Batch>, Error> {
        let batch = self.limited(batch)?;
        let batches = match self.cluster() {
            Some(cluster) => vec![batch.stamped(cluster.clone())],
            None if self.rules.guarded.is_empty() => vec![batch],
            None => anonymous::split(batch, &self.rules.guarded),
        };
        Ok(batches.into_iter().filter(|batch| !batch.is_empty()).collect())
    }

    /// As [`Caller::admit`], for a push whose rows must stay one batch: without a token the whole of it is of no cluster if one
    /// of its series says that it is of a cluster that has tokens.
    ///
    /// # Errors
    /// As [`Caller::admit`].
    pub(crate) fn admit_whole(&self, batch: Batch) -> Result<Batch, Error> {
        let batch = self.limited(batch)?;
        Ok(match self.cluster() {
            Some(cluster) => batch.stamped(cluster.clone()),
            None if anonymous::claims_any(&batch, &self.rules.guarded) => batch.stamped(Arc::from("")),
            None => batch,
        })
    }

    /// Decides whose log rows are, and tells the store how many clusters there may be. Without a token those of a resource that
    /// says that it is of a cluster that has tokens are of no cluster.
    pub(crate) fn admit_logs(&self, logs: Logs) -> Logs {
        let mut logs = match self.cluster() {
            Some(cluster) => logs.stamped(cluster),
            None => logs.stamped_where(&Arc::from(""), &|resource| self.is_guarded(resource)),
        };
        logs.max_clusters = self.max_clusters();
        logs
    }

    /// As [`Caller::admit_logs`], for spans.
    pub(crate) fn admit_spans(&self, spans: Spans) -> Spans {
        let mut spans = match self.cluster() {
            Some(cluster) => spans.stamped(cluster),
            None => spans.stamped_where(&Arc::from(""), &|resource| self.is_guarded(resource)),
        };
        spans.max_clusters = self.max_clusters();
        spans
    }

    fn is_guarded(&self, resource: &Resource) -> bool {
        self.rules.guarded.contains(&*resource.cluster)
    }

    /// Takes the samples out of what he may send in a second, and tells the store what of his limits only it can keep.
    fn limited(&self, mut batch: Batch) -> Result<Batch, Error> {
        let samples = (batch.samples.len() + batch.histograms.len()) as u64;
        self.account.take(Unit::Samples, samples, Instant::now())?;
        batch.series_limits = self.series_limits();
        Ok(batch)
    }

    fn series_limits(&self) -> SeriesLimits {
        let limits = self.account.limits().series_limits();
        SeriesLimits { max_clusters: self.max_clusters().unwrap_or(limits.max_clusters), ..limits }
    }

    /// Of a sender whose cluster is decided no name is taken, and so no number of names limited.
    fn max_clusters(&self) -> Option<u64> {
        self.cluster().is_none().then_some(self.rules.max_clusters)
    }
}

#[cfg(test)]
mod tests;
