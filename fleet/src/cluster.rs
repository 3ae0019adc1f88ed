//! One cluster of the fleet, as it can be asked: target by target, federated, or played from the past.

use std::sync::Arc;

use model::{Error, ErrorKind};

use crate::batches::Batches;
use crate::federate::Federation;
use crate::member::Member;
use crate::moment::{Moment, Names};
use crate::page::Page;
use crate::roster::Roster;
use crate::scrape::{Job, Subject, expose, scrape, targets};
use crate::site::Site;
use crate::track::Track;
use crate::traffic::{Exemplars, exemplars};

/// A cluster. Whatever it is asked for is a function of the instant, so that any instant of the years 1 to 9999 can be asked
/// for at any time.
///
/// A silent cluster still answers here: whoever serves it asks [`Cluster::is_silent`] first, and [`Cluster::batches`]
/// does.
#[derive(Debug, Clone)]
pub struct Cluster {
    roster: Arc<Roster>,
    /// Its place in the roster.
    index: usize,
}

/// Something in a cluster that can be scraped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its name in the cluster, for [`Cluster::page`] and for a path: `node-exporter/ip-10-0-0-11.…`.
    pub name: String,
    /// The labels that a scrape adds to its samples, `job` and `instance` among them.
    pub labels: Vec<(String, String)>,
    /// Whether it answers; a program in a crash loop does not.
    pub is_up: bool,
}

impl Cluster {
    pub(crate) fn new(roster: Arc<Roster>, index: usize) -> Self {
        Cluster { roster, index }
    }

    /// Its name: the value of the `cluster` label.
    pub fn name(&self) -> &str {
        &self.site().name
    }

    /// What a server's configuration says of it.
    pub fn attributes(&self) -> &model::Cluster {
        &self.member().attributes
    }

    /// Whether nothing is to be heard of it at an instant.
    pub fn is_silent(&self, time_ms: i64) -> bool {
        self.member().is_silent(time_ms)
    }

    /// The names of the fleet's services, each of which has a namespace of its name in every cluster.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.site().services.iter().map(|service| service.name.as_str())
    }

    /// Requests a second of a service that the cluster serves at an instant; `None` if there is no such service.
    pub fn requests_per_second(&self, service: &str, time_ms: i64) -> Option<f64> {
        let index = self.services().position(|name| name == service)?;
        Some(self.moment(time_ms).rate(Track::Service(index)))
    }

    /// What can be scraped at an instant.
    pub fn targets(&self, time_ms: i64) -> Vec<Target> {
        let (moment, mut names, mut all) = (self.moment(time_ms), Names::default(), Vec::new());
        for job in Job::ALL {
            targets(&moment, job, &mut names, |target, _| {
                let name = full_name(job, target.name);
                all.push(Target { name, labels: target.labels.to_vec(), is_up: target.is_up });
            });
        }
        all
    }

    /// What a target answers at an instant, in the text exposition format 0.0.4.
    ///
    /// # Errors
    /// `NotFound` if there is no such target at that instant, `Unavailable` if it does not answer.
    pub fn page(&self, target: &str, time_ms: i64) -> Result<String, Error> {
        self.answer(target, time_ms, |_| Page::text())
    }

    /// What a target answers at an instant, in OpenMetrics 1.0: the same samples, and with the durations of requests
    /// exemplars that name traces of [`crate::Traffic`].
    ///
    /// # Errors
    /// As those of [`Cluster::page`].
    pub fn openmetrics(&self, target: &str, time_ms: i64) -> Result<String, Error> {
        self.answer(target, time_ms, |subject| {
            Page::openmetrics(match subject {
                Subject::Pod(pod) => exemplars(&self.roster, self.index, pod, time_ms),
                Subject::Program | Subject::Node(..) => Exemplars::new(),
            })
        })
    }

    fn answer(&self, target: &str, time_ms: i64, page: impl Fn(&Subject<'_>) -> Page) -> Result<String, Error> {
        let (moment, mut names) = (self.moment(time_ms), Names::default());
        let word = target.split('/').next().unwrap_or(target);
        let mut found = None;
        for job in Job::ALL.into_iter().filter(|job| job.word() == word) {
            targets(&moment, job, &mut names, |of_job, pods| {
                if full_name(job, of_job.name) == target {
                    let mut page = page(&of_job.subject);
                    expose(&moment, job, of_job, pods, &mut page);
                    found = Some((of_job.is_up, page));
                }
            });
        }
        match found {
            None => {
                let what = format!("cluster {} has no target {target:?} at {time_ms} ms", self.name());
                Err(Error::new(ErrorKind::NotFound, what))
            }
            Some((false, _)) => {
                let what = format!("target {target:?} of cluster {} does not answer at {time_ms} ms", self.name());
                Err(Error::new(ErrorKind::Unavailable, what))
            }
            Some((true, page)) => Ok(page.into_text()),
        }
    }

    /// What the cluster's own Prometheus answers at `/federate` for every series: the samples that it took last, which
    /// it does every 15 s.
    pub fn federate(&self, time_ms: i64) -> String {
        let (mut names, mut federation) = (Names::default(), Federation::default());
        for job in Job::ALL {
            let scraped_ms = job.last_ms(self.site(), time_ms);
            federation.at(scraped_ms);
            scrape(&self.moment(scraped_ms), job, &mut names, &mut federation);
        }
        federation.into_text()
    }

    /// What the cluster's Prometheus scraped in `from_ms..to_ms`, one scrape every `step_ms`: batches of some ten thousand
    /// samples, in order of time, without what nobody heard.
    ///
    /// With a step of 15 s these are the very samples that [`Cluster::federate`] gives. A series that ends gets a
    /// staleness marker where its target is next scraped. Batches are not stamped with the cluster: see
    /// [`model::Batch::stamped`].
    ///
    /// # Errors
    /// `Invalid` if `step_ms` is not positive.
    pub fn batches(&self, from_ms: i64, to_ms: i64, step_ms: i64) -> Result<Batches, Error> {
        if step_ms <= 0 {
            return Err(Error::invalid(format!("a step of {step_ms} ms leads nowhere: it must be positive")));
        }
        Ok(Batches::new(self.clone(), from_ms..to_ms, step_ms))
    }

    pub(crate) fn site(&self) -> &Site {
        &self.member().site
    }

    pub(crate) fn moment(&self, time_ms: i64) -> Moment<'_> {
        self.member().moment(time_ms)
    }

    fn member(&self) -> &Member {
        self.roster.member(self.index)
    }
}

fn full_name(job: Job, name: &str) -> String {
    if name.is_empty() { job.word().to_owned() } else { format!("{}/{name}", job.word()) }
}
