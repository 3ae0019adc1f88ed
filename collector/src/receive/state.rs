//! What the routes of a way in share, and what a reload replaces.

use std::sync::Arc;

use parking_lot::RwLock;

use super::identity::Identity;
use super::intake::Intake;
use super::senders::Senders;
use crate::Parts;
use crate::config::ReceiverConfig;
use crate::metrics::Metrics;

/// Where rows go, who sends them and within which limits.
#[derive(Debug)]
pub(super) struct State {
    pub(super) parts: Parts,
    pub(super) metrics: Arc<Metrics>,
    pub(super) senders: Senders,
    pub(super) identity: Identity,
    section: &'static str,
    settings: RwLock<Arc<Settings>>,
}

/// What a reload replaces as a whole.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) config: ReceiverConfig,
    pub(super) intake: Intake,
}

impl State {
    /// That of a way in whose settings are the section of this name.
    pub(super) fn new(
        section: &'static str,
        config: &ReceiverConfig,
        identity: Identity,
        parts: Parts,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        let senders = Senders::new(parts.sources.clone());
        let settings = RwLock::new(Settings::new(section, config));
        Arc::new(State { parts, metrics, senders, identity, section, settings })
    }

    /// Goes over to another configuration; requests that have begun end under the old one.
    pub(super) fn reload(&self, config: &ReceiverConfig) {
        let is_same = self.settings.read().config == *config;
        if !is_same {
            *self.settings.write() = Settings::new(self.section, config);
        }
    }

    pub(super) fn settings(&self) -> Arc<Settings> {
        self.settings.read().clone()
    }
}

impl Settings {
    fn new(section: &'static str, config: &ReceiverConfig) -> Arc<Self> {
        Arc::new(Settings { intake: Intake::new(section, config), config: config.clone() })
    }
}
