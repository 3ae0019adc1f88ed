//! What a target exposes, said once for all who want it: as text, as federated text, or as batches.

use model::batch::Kind;

/// A metric family.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) help: &'static str,
}

/// A family of counters.
pub(crate) const fn counter(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, help }
}

/// A family of gauges.
pub(crate) const fn gauge(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help }
}

/// A family of histograms.
pub(crate) const fn histogram(name: &'static str, help: &'static str) -> Family {
    Family { name, kind: Kind::Histogram, help }
}

/// What a group of series belongs to. They come and go together, and each time in the same order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Thing {
    pub(crate) what: What,
    /// Tells it from the others of its sort in the same target.
    pub(crate) id: u64,
}

/// The sorts of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// The program itself that is asked.
    Program,
    /// A node.
    Node,
    /// A namespace.
    Namespace,
    /// What keeps pods.
    Workload,
    /// The pods of one template of a deployment.
    ReplicaSet,
    /// A pod.
    Pod,
    /// The network of a pod.
    Network,
    /// A container; not the same one once it is started again.
    Container,
    /// The reason for which a container waits.
    Waiting,
    /// A volume.
    Volume,
    /// What the scraper itself says of a target.
    Scrape,
}

/// Labels as names and values. An empty value means no label, as everywhere.
pub(crate) type Labels<'a> = &'a [(&'a str, &'a str)];

/// Takes what is exposed, in order: a target, its things, their samples.
pub(crate) trait Sink {
    /// The samples from here on are of a target that has these labels; another `id`, another target of the job.
    fn target(&mut self, id: u64, labels: &[(String, String)]);

    /// The samples from here on are of this thing.
    fn thing(&mut self, thing: Thing);

    /// One sample of `family`, or of the part of it that `suffix` names; its labels are `base` and `extra` together.
    fn sample(
        &mut self,
        family: &'static Family,
        suffix: &'static str,
        base: Labels<'_>,
        extra: Labels<'_>,
        value: f64,
    );

    /// How many samples there were so far.
    fn samples(&self) -> usize;

    /// Begins a thing.
    fn begin(&mut self, what: What, id: u64) {
        self.thing(Thing { what, id });
    }

    /// One sample of a family that has no parts.
    fn put(&mut self, family: &'static Family, base: Labels<'_>, extra: Labels<'_>, value: f64) {
        self.sample(family, "", base, extra, value);
    }

    /// A whole histogram. `counts` gives for each of `bounds` how many observations were not above it.
    fn put_histogram(
        &mut self,
        family: &'static Family,
        base: Labels<'_>,
        bounds: &'static [Bound],
        counts: impl Iterator<Item = f64>,
        (count, sum): (f64, f64),
    ) {
        for (bound, at_most) in bounds.iter().zip(counts) {
            self.sample(family, "_bucket", base, &[("le", bound.text)], at_most.min(count));
        }
        self.sample(family, "_bucket", base, &[("le", "+Inf")], count);
        self.sample(family, "_sum", base, &[], sum);
        self.sample(family, "_count", base, &[], count);
    }
}

/// An upper bound of a bucket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    pub(crate) seconds: f64,
    pub(crate) text: &'static str,
}

/// Makes a table of bounds, each number with its text.
macro_rules! bounds {
    ($($bound:literal),+ $(,)?) => {
        &[$($crate::exposition::Bound { seconds: $bound as f64, text: stringify!($bound) }),+]
    };
}
pub(crate) use bounds;
