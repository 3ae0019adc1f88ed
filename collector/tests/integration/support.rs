//! What the tests stand on: a store that records, a server that answers by script, a few short words.

pub(crate) mod loki;
pub(crate) mod past;
pub(crate) mod prometheus;
pub(crate) mod recorder;
pub(crate) mod sender;
pub(crate) mod server;

use std::sync::Arc;
use std::time::Duration;

use collector::config::FederateConfig;
use collector::{Collectors, Config, Parts};
use model::{SourceStatus, Sources, SystemClock};

use self::recorder::Recorder;

/// The longest any test waits for something that should happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Collectors over a recording store.
pub(crate) struct Bench {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) sources: Sources,
    pub(crate) collectors: Collectors,
}

impl Bench {
    pub(crate) fn start(config: &Config) -> Self {
        Self::start_with(config, Arc::new(Recorder::default()))
    }

    pub(crate) fn start_with(config: &Config, recorder: Arc<Recorder>) -> Self {
        let sources = Sources::default();
        let parts = Parts {
            ingest: recorder.clone(),
            recall: recorder.clone(),
            sources: sources.clone(),
            clock: Arc::new(SystemClock),
        };
        Bench { recorder, sources, collectors: Collectors::start(config, parts).unwrap() }
    }

    /// The only entry of the board.
    pub(crate) fn status(&self) -> SourceStatus {
        let all = self.sources.all();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// The value of one of our counters, found by the start of its line.
    pub(crate) fn counter(&self, series: &str) -> u64 {
        let mut text = String::new();
        self.collectors.metrics().render(&mut text);
        let line =
            text.lines().find(|line| line.starts_with(series)).unwrap_or_else(|| panic!("no {series} in\n{text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }
}

/// A source of the cluster `east`, asked twice a second.
pub(crate) fn quick(url: &str) -> FederateConfig {
    FederateConfig { scrape_interval: Duration::from_millis(500), ..FederateConfig::new("east", url) }
}

/// A configuration with these sources.
pub(crate) fn federating(configs: impl IntoIterator<Item = FederateConfig>) -> Config {
    Config { federate_configs: configs.into_iter().collect(), ..Config::default() }
}
