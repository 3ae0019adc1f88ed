//! Rows of logs and spans that a bench sends, and the forms in which it does.
//!
//! A row follows from its number alone, so that every contender is sent the same ones and nobody has to keep them.

pub(crate) mod line;
pub(crate) mod sent;
pub(crate) mod span;
pub(crate) mod way;

use crate::wire::field;

/// Rows of a request.
pub(crate) const OF_REQUEST: usize = 1000;
/// Rows that come from one pod, one behind the other, as an agent collects them of the pods of its node.
const OF_POD: usize = 50;
const PODS: u64 = 100;
const SERVICES: u64 = 20;
const NODES: u64 = 12;
pub(crate) const CLUSTERS: [&str; 4] = ["eu-1", "eu-2", "us-1", "us-2"];

/// The rows of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows {
    /// The number of the first.
    pub(crate) first: usize,
    /// The time of the first.
    pub(crate) time_unix_nano: i64,
    /// How much later each is than the one before it.
    pub(crate) step_nanos: i64,
    /// The cluster that they are of, if it is one.
    pub(crate) cluster: Option<&'static str>,
}

impl Rows {
    fn time_of(&self, number: usize) -> i64 {
        self.time_unix_nano + (number - self.first) as i64 * self.step_nanos
    }

    /// Where a run of rows comes from, as long as [`OF_POD`].
    fn origin(&self, run: usize) -> Origin {
        let origin = Origin::of_run(run);
        Origin { cluster: self.cluster.unwrap_or(origin.cluster), ..origin }
    }

    /// Those that have one origin: the number of the first of them, and the origin.
    fn runs(&self) -> impl Iterator<Item = (usize, Origin)> {
        (self.first..self.first + OF_REQUEST).step_by(OF_POD).map(|number| (number, self.origin(number / OF_POD)))
    }
}

/// Where rows come from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) cluster: &'static str,
    pub(crate) service: String,
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) node: String,
}

impl Origin {
    fn of_run(run: usize) -> Self {
        let pod = mixed(run as u64) % PODS;
        let service = format!("service-{}", pod % SERVICES);
        Origin {
            cluster: CLUSTERS[(pod % 4) as usize],
            namespace: format!("team-{}", pod % 5),
            pod: format!("{service}-7d9f8b6c5-{pod:05}"),
            node: format!("ip-10-0-{}-{}", pod % 4, pod % NODES),
            service,
        }
    }

    /// Its attributes as OpenTelemetry names them.
    fn attributes(&self) -> [(&str, &str); 6] {
        [
            ("k8s.cluster.name", self.cluster),
            ("service.name", &self.service),
            ("k8s.namespace.name", &self.namespace),
            ("k8s.pod.name", &self.pod),
            ("k8s.container.name", "main"),
            ("k8s.node.name", &self.node),
        ]
    }
}

/// A number that looks random, of another one.
///
/// Source: the finaliser of `SplitMix64`
fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// An id of sixteen bytes.
fn trace_id(number: u64) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&mixed(number << 2).to_be_bytes());
    id[8..].copy_from_slice(&mixed(number << 2 | 1).to_be_bytes());
    id
}

/// An id of eight bytes.
fn span_id(number: u64) -> [u8; 8] {
    mixed(number << 2 | 2).to_be_bytes()
}

/// The digits of an id.
pub(crate) fn hex(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `KeyValue{key=1, value=2}` with `AnyValue{string_value=1}`.
pub(crate) fn attribute(out: &mut Vec<u8>, number: u8, key: &str, value: &str) {
    let (mut any, mut pair) = (Vec::with_capacity(64), Vec::with_capacity(96));
    field(&mut any, 1, value.as_bytes());
    field(&mut pair, 1, key.as_bytes());
    field(&mut pair, 2, &any);
    field(out, number, &pair);
}

/// A field of eight bytes.
fn fixed64(out: &mut Vec<u8>, number: u8, value: i64) {
    out.push(number << 3 | 1);
    out.extend_from_slice(&value.to_le_bytes());
}

/// `ResourceLogs` or `ResourceSpans` around the records of one origin: `resource=1`, `scope_…=2` with `scope=1`, `records=2`.
fn of_resource(out: &mut Vec<u8>, origin: &Origin, records: &[u8]) {
    let (mut resource, mut scope, mut all) = (Vec::new(), Vec::new(), Vec::with_capacity(records.len() + 256));
    for (key, value) in origin.attributes() {
        attribute(&mut resource, 1, key, value);
    }
    field(&mut scope, 1, &[]);
    scope.extend_from_slice(records);
    field(&mut all, 1, &resource);
    field(&mut all, 2, &scope);
    field(out, 1, &all);
}
