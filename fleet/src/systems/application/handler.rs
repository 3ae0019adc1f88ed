//! What an application can be asked, how it answers and how long that takes: for its metrics and its traces alike.

use std::sync::LazyLock;

use super::BOUNDS;
use crate::chance::Chance;
use crate::latency::Latency;
use crate::workload::Workload;

/// One thing that the application can be asked.
pub(crate) struct Handler {
    /// Its path, or the method of a remote procedure with its service.
    pub(crate) path: &'static str,
    /// The method of HTTP; empty for a remote procedure.
    pub(crate) method: &'static str,
    /// Its part of the requests.
    pub(crate) share: f64,
    /// Statuses, each with its part of the requests that go well and of those that take long.
    pub(crate) statuses: &'static [(&'static str, f64, f64)],
    pub(crate) fast: LazyLock<Latency>,
    pub(crate) slow: LazyLock<Latency>,
}

/// What users ask.
static OF_USERS: [Handler; 2] = [
    Handler {
        path: "/api/v1/items",
        method: "GET",
        share: 0.7,
        statuses: &[("200", 0.970, 0.850), ("404", 0.029, 0.029), ("500", 0.001, 0.021), ("503", 0.0, 0.100)],
        fast: LazyLock::new(|| Latency::new(BOUNDS, 0.012, 0.6)),
        slow: LazyLock::new(|| Latency::new(BOUNDS, 0.180, 0.8)),
    },
    Handler {
        path: "/api/v1/orders",
        method: "POST",
        share: 0.3,
        statuses: &[("201", 0.980, 0.860), ("400", 0.018, 0.018), ("500", 0.002, 0.022), ("503", 0.0, 0.100)],
        fast: LazyLock::new(|| Latency::new(BOUNDS, 0.035, 0.6)),
        slow: LazyLock::new(|| Latency::new(BOUNDS, 0.450, 0.8)),
    },
];

/// What other deployments ask.
static OF_DEPLOYMENTS: [Handler; 1] = [Handler {
    path: "/internal/jobs",
    method: "POST",
    share: 1.0,
    statuses: &[("202", 0.996, 0.880), ("500", 0.004, 0.020), ("503", 0.0, 0.100)],
    fast: LazyLock::new(|| Latency::new(BOUNDS, 0.060, 0.7)),
    slow: LazyLock::new(|| Latency::new(BOUNDS, 0.700, 0.8)),
}];

/// What the pods of a deployment of an application can be asked.
pub(crate) fn handlers(workload: &Workload) -> &'static [Handler] {
    if workload.tier == 0 { &OF_USERS } else { &OF_DEPLOYMENTS }
}

impl Handler {
    /// Whether it is a remote procedure.
    pub(crate) fn is_procedure(&self) -> bool {
        self.method.is_empty()
    }

    /// What a span of it is called.
    pub(crate) fn name(&self) -> String {
        if self.is_procedure() { self.path.to_owned() } else { format!("{} {}", self.method, self.path) }
    }

    /// Whether an answer with this status is the server's fault.
    pub(crate) fn is_failure(&self, status: &str) -> bool {
        if self.is_procedure() { status != "OK" } else { status.starts_with('5') }
    }

    /// The status of one answer.
    pub(crate) fn status(&self, chance: Chance, is_slow: bool) -> &'static str {
        let mut left = chance.fraction();
        for (status, of_well, of_slow) in self.statuses {
            left -= if is_slow { of_slow } else { of_well };
            if left < 0.0 {
                return status;
            }
        }
        // What rounding leaves over is an answer as most are.
        self.statuses[0].0
    }

    /// How long one answer takes, in seconds.
    pub(crate) fn seconds(&self, chance: Chance, is_slow: bool) -> f64 {
        if is_slow { self.slow.draw(chance) } else { self.fast.draw(chance) }
    }
}
