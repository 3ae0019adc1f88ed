//! Resources and scopes: the labels that all their series have, and the series `target_info`.

use std::ops::Range;

use model::batch::{Kind, Metadata, Sample};
use model::labels::{CLUSTER_LABEL, NAME_LABEL};

use super::labels::{Fixed, FixedLabels, push_pair, too_many_labels};
use super::values::{self, Form, Pairs, text};
use super::{Decoder, Fault};
use crate::protobuf::wire::{Fields, Value};

/// Rows that a scope counts for: the labels of its resource are gone through for it.
pub(super) const SCOPE_ROWS: usize = 4;
/// The attribute that names the cluster of a resource.
const CLUSTER_KEY: &str = "k8s.cluster.name";
const NAMESPACE_KEY: &str = "service.namespace";
const SERVICE_KEY: &str = "service.name";
const INSTANCE_KEY: &str = "service.instance.id";

const TARGET_INFO: &str = "target_info";
/// Between two rows of `target_info`: half of the time for which PromQL takes a row for the newest.
const TARGET_INFO_STEP_MS: i64 = 150_000;
/// Rows of `target_info` of a resource in one request; those before the newest ones are left out.
const MAX_TARGET_INFO: i64 = 288;

/// A resource, once its labels are known.
#[derive(Debug, Default)]
struct Resource {
    pairs: Pairs,
    fixed: FixedLabels,
}

impl Resource {
    fn get(&self, key: &str) -> Option<&str> {
        self.pairs.iter().find(|(own, _)| own == key).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

impl Decoder<'_> {
    /// Takes the `ResourceMetrics` at `range`.
    pub(super) fn resource_metrics(&mut self, range: Range<usize>) -> Result<(), Fault> {
        // What is wrong with the resource is wrong with each of its points.
        let (resource, trouble) = match self.resource(range.clone()) {
            Ok(resource) => (resource, None),
            Err(Fault::Refused(reason)) => (Resource::default(), Some(format!("its resource is wrong: {reason}"))),
            Err(fatal) => return Err(fatal),
        };
        self.times_ms = None;
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (2, Value::Bytes(range)) => self.scope_metrics(range, &resource, trouble.as_deref())?,
                (2, _) => return Err(Fault::wrong_type("ResourceMetrics", number)),
                _ => {}
            }
        }
        match (self.times_ms, trouble) {
            (Some((first_ms, last_ms)), None) => self.target_info(&resource, first_ms, last_ms),
            _ => Ok(()),
        }
    }

    fn scope_metrics(&mut self, range: Range<usize>, resource: &Resource, trouble: Option<&str>) -> Result<(), Fault> {
        // Each costs as much as a metric, however little it holds.
        self.count_rows(SCOPE_ROWS)?;
        let (fixed, trouble) = match (trouble, self.scope(range.clone(), resource)) {
            (Some(trouble), _) => (FixedLabels::new(), Some(trouble.to_owned())),
            (None, Ok(fixed)) => (fixed, None),
            (None, Err(Fault::Refused(reason))) => (FixedLabels::new(), Some(format!("its scope is wrong: {reason}"))),
            (None, Err(fatal)) => return Err(fatal),
        };
        self.labels.set_fixed(fixed);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (2, Value::Bytes(range)) => self.metric(range, trouble.as_deref())?,
                (2, _) => return Err(Fault::wrong_type("ScopeMetrics", number)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Reads the resource out of the `ResourceMetrics` at `range`.
    fn resource(&self, range: Range<usize>) -> Result<Resource, Fault> {
        let mut pairs = Pairs::new();
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => self.pairs(range, 1, &mut pairs)?,
                (1, _) => return Err(Fault::wrong_type("ResourceMetrics", number)),
                _ => {}
            }
        }
        let mut resource = Resource { pairs, fixed: FixedLabels::new() };
        resource.fixed = self.resource_labels(&resource)?;
        Ok(resource)
    }

    /// Reads attributes, fields `number` of the message at `range`.
    fn pairs(&self, range: Range<usize>, number: u64, pairs: &mut Pairs) -> Result<(), Fault> {
        let max = self.limits.max_labels * 2;
        values::read_pairs(self.body, range, number, max, &Form::label(self.limits), pairs)
    }

    /// The labels that all series of a resource have.
    fn resource_labels(&self, resource: &Resource) -> Result<FixedLabels, Fault> {
        let mut fixed = FixedLabels::new();
        for (key, value) in &resource.pairs {
            if !self.translation.promotion.takes(key) {
                continue;
            }
            let name = self.label_name(key)?;
            // The name of a metric is not for a resource to say.
            if name != NAME_LABEL {
                fixed.insert(name, Fixed { value: value.clone(), replaces: false });
            }
        }
        self.identify(resource, &mut fixed);
        self.check_fixed(&fixed)?;
        Ok(fixed)
    }

    /// Adds what tells the resource from others.
    fn identify(&self, resource: &Resource, fixed: &mut FixedLabels) {
        let job = resource.get(SERVICE_KEY).map(|name| match resource.get(NAMESPACE_KEY) {
            Some(namespace) => format!("{namespace}/{name}"),
            None => name.to_owned(),
        });
        let instance = resource.get(INSTANCE_KEY).map(str::to_owned);
        let cluster = resource.get(CLUSTER_KEY).map(str::to_owned);
        for (name, value) in [("job", job), ("instance", instance), (CLUSTER_LABEL, cluster)] {
            if let Some(value) = value {
                fixed.insert(name.to_owned(), Fixed { value, replaces: true });
            }
        }
    }

    fn check_fixed(&self, fixed: &FixedLabels) -> Result<(), Fault> {
        if fixed.len() > self.limits.max_labels { Err(too_many_labels(self.limits)) } else { Ok(()) }
    }

    fn label_name(&self, key: &str) -> Result<String, Fault> {
        let mut name = Vec::new();
        self.translation.label(key, &mut name).map_err(Fault::Refused)?;
        if name.len() > self.limits.max_name_bytes {
            let limit = self.limits.max_name_bytes;
            return Err(Fault::Refused(format!("an attribute key has {} bytes, the limit is {limit}", key.len())));
        }
        Ok(String::from_utf8_lossy(&name).into_owned())
    }

    /// The labels that all series of the scope in the `ScopeMetrics` at `range` have.
    fn scope(&self, range: Range<usize>, resource: &Resource) -> Result<FixedLabels, Fault> {
        let mut fixed = resource.fixed.clone();
        if !self.translation.promote_scope {
            return Ok(fixed);
        }
        let (mut scopes, mut schema_url) = (Vec::new(), 0..0);
        let mut fields = Fields::new(self.body, range);
        while let Some((number, value)) = fields.next()? {
            match (number, value) {
                (1, Value::Bytes(range)) => scopes.push(range),
                (3, Value::Bytes(range)) => schema_url = range,
                (1 | 3, _) => return Err(Fault::wrong_type("ScopeMetrics", number)),
                _ => {}
            }
        }
        let (mut name, mut version, mut pairs) = (0..0, 0..0, Pairs::new());
        for scope in scopes {
            let mut fields = Fields::new(self.body, scope.clone());
            while let Some((number, value)) = fields.next()? {
                match (number, value) {
                    (1, Value::Bytes(range)) => name = range,
                    (2, Value::Bytes(range)) => version = range,
                    (1 | 2, _) => return Err(Fault::wrong_type("InstrumentationScope", number)),
                    _ => {}
                }
            }
            self.pairs(scope, 3, &mut pairs)?;
        }
        if name.is_empty() {
            return Ok(fixed);
        }
        for (key, value) in pairs {
            fixed.insert(self.label_name(&format!("otel_scope_{key}"))?, Fixed { value, replaces: true });
        }
        for (label, range) in [("name", name), ("version", version), ("schema_url", schema_url)] {
            let value = text(&self.body[range], label)?.to_owned();
            Form::label(self.limits).check_length(value.len())?;
            fixed.insert(format!("otel_scope_{label}"), Fixed { value, replaces: true });
        }
        self.check_fixed(&fixed)?;
        Ok(fixed)
    }

    /// Adds the rows that tell of a resource, for the times of its points.
    fn target_info(&mut self, resource: &Resource, first_ms: i64, last_ms: i64) -> Result<(), Fault> {
        let is_identifying = |key: &str| matches!(key, NAMESPACE_KEY | SERVICE_KEY | INSTANCE_KEY);
        let tells = resource.pairs.iter().any(|(key, _)| !is_identifying(key));
        if !tells || (resource.get(SERVICE_KEY).is_none() && resource.get(INSTANCE_KEY).is_none()) {
            return Ok(());
        }
        let mut labels = FixedLabels::new();
        let mut pairs: Vec<_> = resource.pairs.iter().collect();
        pairs.sort();
        for (key, value) in pairs {
            if is_identifying(key) && !self.translation.keep_identifying {
                continue;
            }
            let name = match self.label_name(key) {
                Ok(name) => name,
                // The points of the resource are there; that it cannot be told of is said, and costs none of them.
                Err(Fault::Refused(reason)) => {
                    self.refused.add(0, format!("{TARGET_INFO}: {reason}"));
                    return Ok(());
                }
                Err(fatal) => return Err(fatal),
            };
            let label = labels.entry(name).or_insert(Fixed { value: String::new(), replaces: false });
            if !label.value.is_empty() {
                label.value.push(';');
            }
            label.value.push_str(value);
        }
        if let Some(cluster) = labels.remove(CLUSTER_LABEL).filter(|_| resource.get(CLUSTER_KEY).is_some()) {
            labels.insert(model::labels::EXPORTED_CLUSTER_LABEL.to_owned(), cluster);
        }
        self.identify(resource, &mut labels);
        labels.remove(NAME_LABEL);
        if labels.len() > self.limits.max_labels {
            self.refused
                .add(0, format!("{TARGET_INFO}: the resource has more than {} attributes", self.limits.max_labels));
            return Ok(());
        }
        self.write_target_info(&labels, first_ms, last_ms)
    }

    fn write_target_info(&mut self, labels: &FixedLabels, first_ms: i64, last_ms: i64) -> Result<(), Fault> {
        let start = self.text.len();
        push_pair(&mut self.text, NAME_LABEL, TARGET_INFO);
        for (name, label) in labels.iter().filter(|(_, label)| !label.value.is_empty()) {
            push_pair(&mut self.text, name, &label.value);
        }
        let series = self.end_series(start, Kind::Info)?;
        let hash = self.batch.series[series as usize].hash;
        let first_ms = first_ms.max(last_ms - MAX_TARGET_INFO * TARGET_INFO_STEP_MS);
        let steps = (first_ms..last_ms).step_by(TARGET_INFO_STEP_MS as usize);
        for time_ms in steps.chain([last_ms]) {
            if self.target_infos.insert((hash, time_ms)) {
                self.count_rows(1)?;
                self.batch.samples.push(Sample { series, time_ms, value: 1.0 });
            }
        }
        if self.families.insert(0) {
            self.batch.metadata.push(Metadata {
                name: TARGET_INFO.to_owned(),
                kind: Kind::Info,
                unit: String::new(),
                help: "Target metadata".to_owned(),
            });
        }
        Ok(())
    }
}
