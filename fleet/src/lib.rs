//! A simulated fleet of Kubernetes clusters: what every system in every cluster exposes and emits at any instant.
//!
//! Owns: the load of a fleet and all that follows from it, the names, labels and types of the systems that are observed
//! (`systems.rs`), the requests that are traced (`traffic.rs`), and the forms in which all that is had: text pages,
//! `/federate`, batches of the past, messages of OTLP.
//! Does not own: sockets and clocks (the binary serves what is made here), keeping anything (`storage`).
//!
//! # Topology
//!
//! Clusters are in two regions, and each serves the users near it. A fleet has services, each a namespace in every
//! cluster, with deployments that serve requests and a database. A service is *active* in some clusters and *passive* in
//! the others, where nearly nothing comes; one service has these the other way round. Beside them runs what every
//! cluster has: API server, etcd, CoreDNS, kube-proxy, exporters, Prometheus.
//!
//! ```text
//! region ─ cluster ─┬─ nodes (the first: control plane)
//!                   ├─ namespaces of services ─ deployments ─ slots ─ pods, one after the other ─ containers
//!                   │                         └ database, its volume and its hourly backup
//!                   └─ kube-system, monitoring
//! ```
//!
//! A deployment has *slots*. A slot is taken while the autoscaler wants so many pods, always on the same node; every roll
//! replaces the pod in it by one with another name.
//!
//! # Time
//!
//! Everything is a function of (seed, settings, changes, instant), so that any instant can be asked for in any order, and
//! what is asked for twice is the same to the last bit. Four decisions make that cheap:
//!
//! 1. **Every day is the same** in all that has a rate: the hours' curve of each region, noise, the minutes in which one
//!    cluster is silent, how many pods the autoscalers want, the times of rolls and crash loops. Names are not: they come
//!    from the count of all rolls there ever were. So a day is worked out once, in cells of ten seconds
//!    (`world.rs`), and the integral up to any instant is a multiplication, two reads and an interpolation
//!    (`curve.rs`).
//! 2. **Integrals are integers**, in millionths. Only their differences are used: a counter is what has passed since its
//!    process began. So nothing is rounded differently by another order of asking, and no counter ever goes back.
//! 3. **What one pod does is what all pods of its deployment do**: requests are spread evenly over those that serve. A pod
//!    asks the shared integral a few seconds late, by a delay of its own that changes slowly
//!    (`chance.rs`); that is its noise, and it costs neither memory nor conservation.
//! 4. **A cluster that is silenced for good makes another day.** From the instant on, load goes over in three steps, and
//!    once the autoscalers have noticed the plans of pods do (`timeline.rs`); integrals are put together where one day
//!    follows another (`course.rs`).
//!
//! # What follows from what
//!
//! ```text
//! hour, region, noise ─> requests of own users ─┬─> requests served ─> pods wanted
//!        clusters that are gone ────────────────┘        │                 │
//!                                  requests of each pod that serves <──────┘
//!                                   │
//!   cores (up to the limit) ── share of slow requests ── periods held back ── bytes in and out ── memory
//!      │                         └─> histogram, errors                           │
//!      └─> sum over the pods of a node: its cores, load, network, disk <─────────┘
//! ```
//!
//! # Traces and logs
//!
//! Of the requests that the metrics count a fixed part is traced ([`Settings::requests_traced`]). Each goes to a pod that
//! serves at that instant, takes long as often as its metrics say and fails as often; so error ratio, durations and numbers
//! agree without being measured against each other.
//!
//! ```text
//! user ─> GET /api/v1/items ──┬─> search.v1.Search/Find, for the shop
//!                             └─> SELECT items
//! user ─> POST /api/v1/orders ┬─> payments: POST /api/v1/orders, for the shop; in another cluster, as a rule
//!                             ├─> psp.example.com, for the payments
//!                             └─> INSERT orders ─> a job in the queue
//! queue ─> POST /internal/jobs ─> process …-jobs, with links to the orders ─> UPDATE jobs
//! ```
//!
//! A span is emitted when it ends, if its cluster is not silent then: so a parent may be missing where a cluster has just
//! fallen silent. Slow orders wait for the provider of payments in one cluster and for the database elsewhere.
//!
//! A sink (`exposition.rs`) takes what a target exposes, so that a page, `/federate` and a batch are the same samples:
//!
//! ```
//! let fleet = fleet::Fleet::new(7, &fleet::Settings::default())?;
//! let berlin = fleet.cluster("berlin").expect("a cluster of the default fleet");
//! let noon_ms = 1_767_268_800_000;
//! let page = berlin.page("kube-state-metrics", noon_ms)?;
//! assert!(page.contains("kube_deployment_status_replicas_available{namespace=\"shop\",deployment=\"shop-api\"}"));
//! let samples: usize = berlin.batches(noon_ms, noon_ms + 60_000, 15_000)?.map(|batch| batch.samples.len()).sum();
//! assert!(samples > 8_000);
//! let emitted = fleet.traffic().between(noon_ms, noon_ms + 60_000)?;
//! assert!(emitted.iter().all(|of_cluster| !of_cluster.traces.resource_spans.is_empty()));
//! # Ok::<(), model::Error>(())
//! ```

#![forbid(unsafe_code)]

mod batches;
mod chance;
mod cluster;
mod course;
mod curve;
mod exposition;
mod federate;
mod fleet;
mod identity;
mod latency;
mod life;
mod load;
mod member;
mod moment;
mod page;
mod plan;
mod recorder;
mod roster;
mod scrape;
mod settings;
mod silence;
mod site;
mod systems;
mod timeline;
mod track;
mod traffic;
mod workload;
mod world;

pub use batches::Batches;
pub use cluster::{Cluster, Target};
pub use fleet::Fleet;
pub use settings::Settings;
pub use traffic::{Telemetry, Traffic};
