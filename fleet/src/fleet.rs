//! The fleet: its clusters, and what is done to them.

use std::sync::Arc;

use model::{Error, ErrorKind};

use crate::cluster::Cluster;
use crate::course::Course;
use crate::member::Member;
use crate::roster::Roster;
use crate::settings::Settings;
use crate::silence::Silences;
use crate::site::Site;
use crate::timeline::Timeline;
use crate::traffic::Traffic;

/// A simulated fleet.
///
/// The same seed, settings and changes give the same fleet, bit for bit, on one machine. Clusters are cheap to clone and
/// share what is known of them; a clone does not see later changes.
#[derive(Debug)]
pub struct Fleet {
    sites: Vec<Arc<Site>>,
    silences: Silences,
    timeline: Timeline,
    clusters: Vec<Cluster>,
    roster: Arc<Roster>,
    /// Requests a second that are traced.
    requests_traced: usize,
    /// When each cluster was silenced, and when revived.
    silenced: Vec<Vec<(i64, Option<i64>)>>,
}

impl Fleet {
    /// The fleet of a seed.
    ///
    /// # Errors
    /// `Invalid` if a size is outside its bounds.
    pub fn new(seed: u64, settings: &Settings) -> Result<Self, Error> {
        settings.validate()?;
        let sites: Vec<Arc<Site>> =
            (0..settings.clusters).map(|index| Arc::new(Site::new(seed, settings, index))).collect();
        let silences = Silences::new(seed, settings.clusters, settings.silences);
        let silenced = vec![Vec::new(); sites.len()];
        let (timeline, roster) = (Timeline::new(silences), Arc::new(Roster::new(Vec::new(), 0)));
        let requests_traced = settings.requests_traced;
        let mut fleet = Fleet { sites, silences, timeline, clusters: Vec::new(), roster, requests_traced, silenced };
        fleet.rebuild();
        Ok(fleet)
    }

    /// The clusters.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The cluster of a name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        self.clusters.iter().find(|cluster| cluster.name() == name)
    }

    /// Silences a cluster from an instant on: nothing is heard of it, and its users go to the other clusters.
    ///
    /// Nothing before that instant changes. For a set of silenced clusters that was not met before it takes twice as long as
    /// [`Fleet::new`], some 50 ms with the default settings.
    ///
    /// # Errors
    /// `NotFound` if there is no such cluster, `Invalid` if the last change was later.
    pub fn silence(&mut self, cluster: &str, from_ms: i64) -> Result<(), Error> {
        self.change(cluster, true, from_ms)
    }

    /// Takes back [`Fleet::silence`] from an instant on.
    ///
    /// # Errors
    /// As those of [`Fleet::silence`].
    pub fn revive(&mut self, cluster: &str, from_ms: i64) -> Result<(), Error> {
        self.change(cluster, false, from_ms)
    }

    /// The requests that its applications serve, as traces and logs. What is done to the fleet later is not seen there.
    pub fn traffic(&self) -> Traffic {
        Traffic::new(Arc::clone(&self.roster))
    }

    fn change(&mut self, name: &str, is_gone: bool, from_ms: i64) -> Result<(), Error> {
        let Some(index) = self.sites.iter().position(|site| site.name == name) else {
            return Err(Error::new(ErrorKind::NotFound, format!("there is no cluster {name:?} in the fleet")));
        };
        if self.timeline.change(index, is_gone, from_ms)? {
            let silenced = &mut self.silenced[index];
            match silenced.last_mut() {
                Some((_, until_ms @ None)) => *until_ms = Some(from_ms),
                _ => silenced.push((from_ms, None)),
            }
            self.rebuild();
        }
        Ok(())
    }

    fn rebuild(&mut self) {
        let (stages, plans) = self.timeline.unroll(&self.sites);
        let parts = self.sites.iter().zip(plans).zip(&self.silenced);
        let members: Vec<Member> = parts
            .map(|((site, plans), silenced)| {
                let course = Course::new(site.index, &stages);
                Member::new(Arc::clone(site), course, plans, self.silences, silenced.clone())
            })
            .collect();
        self.roster = Arc::new(Roster::new(members, self.requests_traced));
        self.clusters = (0..self.sites.len()).map(|index| Cluster::new(Arc::clone(&self.roster), index)).collect();
    }
}
