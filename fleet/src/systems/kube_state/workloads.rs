//! What keeps pods: deployments with their autoscalers and budgets, stateful sets with their backups, daemon sets.

use std::collections::BTreeMap;

use crate::exposition::{Family, Sink, What, gauge};
use crate::moment::{Moment, Pod};
use crate::workload::{Drive, Keeper, Workload};

static WANTED: Family = gauge("kube_deployment_spec_replicas", "Pods that a deployment should have.");
static REPLICAS: Family = gauge("kube_deployment_status_replicas", "Pods that a deployment has.");
static READY: Family = gauge("kube_deployment_status_replicas_ready", "Pods of a deployment that are ready.");
static AVAILABLE: Family = gauge("kube_deployment_status_replicas_available", "Pods of a deployment that can be used.");
static UNAVAILABLE: Family = gauge("kube_deployment_status_replicas_unavailable", "Pods that a deployment lacks.");
static UPDATED: Family = gauge("kube_deployment_status_replicas_updated", "Pods of a deployment's newest template.");
static GENERATION: Family = gauge("kube_deployment_metadata_generation", "Number of a deployment's last change.");
static OBSERVED: Family = gauge("kube_deployment_status_observed_generation", "Last change that was acted on.");

static SET_OWNER: Family = gauge("kube_replicaset_owner", "What keeps a replica set, always 1.");

static SCALED: Family = gauge("kube_horizontalpodautoscaler_status_current_replicas", "Pods an autoscaler sees.");
static TO_SCALE: Family = gauge("kube_horizontalpodautoscaler_status_desired_replicas", "Pods an autoscaler wants.");
static LEAST: Family = gauge("kube_horizontalpodautoscaler_spec_min_replicas", "Pods an autoscaler keeps at least.");
static MOST: Family = gauge("kube_horizontalpodautoscaler_spec_max_replicas", "Pods an autoscaler goes up to.");

static ALLOWED: Family =
    gauge("kube_poddisruptionbudget_status_pod_disruptions_allowed", "Pods that may be evicted now.");
static HEALTHY: Family = gauge("kube_poddisruptionbudget_status_current_healthy", "Pods of a budget that are healthy.");
static NEEDED: Family = gauge("kube_poddisruptionbudget_status_desired_healthy", "Pods that must stay healthy.");
static EXPECTED: Family = gauge("kube_poddisruptionbudget_status_expected_pods", "Pods that a budget counts.");

static SET_WANTED: Family = gauge("kube_statefulset_replicas", "Pods that a stateful set should have.");
static SET_REPLICAS: Family = gauge("kube_statefulset_status_replicas", "Pods that a stateful set has.");
static SET_READY: Family = gauge("kube_statefulset_status_replicas_ready", "Pods of a stateful set that are ready.");

static CRON: Family = gauge("kube_cronjob_info", "What a cron job is, always 1.");
static CRON_SUCCESS: Family =
    gauge("kube_cronjob_status_last_successful_time", "When a cron job last went well, in seconds since 1970.");
static CRON_RUN: Family =
    gauge("kube_cronjob_status_last_schedule_time", "When a cron job was last started, in seconds since 1970.");
static CRON_NEXT: Family =
    gauge("kube_cronjob_next_schedule_time", "When a cron job is next started, in seconds since 1970.");
static CRON_ACTIVE: Family = gauge("kube_cronjob_status_active", "Runs of a cron job that go on.");

static DAEMONS_WANTED: Family =
    gauge("kube_daemonset_status_desired_number_scheduled", "Nodes that should have a daemon.");
static DAEMONS: Family = gauge("kube_daemonset_status_current_number_scheduled", "Nodes that have a daemon.");
static DAEMONS_READY: Family = gauge("kube_daemonset_status_number_ready", "Nodes whose daemon is ready.");

/// Exposes a workload; `pods` are all of its pods.
pub(super) fn expose(moment: &Moment<'_>, workload: &Workload, pods: &[Pod], sink: &mut impl Sink) {
    let ready = pods.iter().filter(|pod| pod.life.is_ready(moment.time_ms)).count() as f64;
    let count = pods.len() as f64;
    let namespace = ("namespace", workload.namespace.as_str());
    match workload.keeper {
        Keeper::Deployment => {
            deployment(moment, workload, pods, ready, sink);
            replica_sets(workload, pods, sink);
        }
        Keeper::StatefulSet => {
            let of = [namespace, ("statefulset", workload.name.as_str())];
            for (family, value) in [(&SET_WANTED, count), (&SET_REPLICAS, count), (&SET_READY, ready)] {
                sink.put(family, &of, &[], value);
            }
            if workload.drive != Drive::Cluster {
                backup(moment, workload, sink);
            }
        }
        Keeper::DaemonSet => {
            let of = [namespace, ("daemonset", workload.name.as_str())];
            for (family, value) in [(&DAEMONS_WANTED, count), (&DAEMONS, count), (&DAEMONS_READY, ready)] {
                sink.put(family, &of, &[], value);
            }
        }
        Keeper::Node => {}
    }
}

/// The replica sets of a deployment that have pods: two of them while it is rolled out.
fn replica_sets(workload: &Workload, pods: &[Pod], sink: &mut impl Sink) {
    let sets = pods.iter().map(|pod| (pod.life.revision, pod.identity.owner.1.as_str()));
    let owner = [("owner_kind", "Deployment"), ("owner_name", workload.name.as_str()), ("owner_is_controller", "true")];
    for (revision, set) in sets.collect::<BTreeMap<_, _>>() {
        sink.begin(What::ReplicaSet, workload.chance.named("template").at(revision).number());
        sink.put(&SET_OWNER, &[("namespace", &workload.namespace), ("replicaset", set)], &owner, 1.0);
    }
}

fn deployment(moment: &Moment<'_>, workload: &Workload, pods: &[Pod], ready: f64, sink: &mut impl Sink) {
    let count = pods.len() as f64;
    let newest = workload.roll_of(0, moment.time_ms);
    let updated = pods.iter().filter(|pod| pod.life.revision == newest).count() as f64;
    let generation = newest.rem_euclid(10_000) as f64;
    let (namespace, name) = (("namespace", workload.namespace.as_str()), workload.name.as_str());
    for (family, value) in [
        (&WANTED, count),
        (&REPLICAS, count),
        (&READY, ready),
        (&AVAILABLE, ready),
        (&UNAVAILABLE, count - ready),
        (&UPDATED, updated),
        (&GENERATION, generation),
        (&OBSERVED, generation),
    ] {
        sink.put(family, &[namespace, ("deployment", name)], &[], value);
    }
    if !workload.is_application() {
        return;
    }
    let (least, most) = (workload.least as f64, workload.most as f64);
    for (family, value) in [(&SCALED, count), (&TO_SCALE, count), (&LEAST, least), (&MOST, most)] {
        sink.put(family, &[namespace, ("horizontalpodautoscaler", name)], &[], value);
    }
    let needed = (count - 1.0).max(1.0);
    for (family, value) in
        [(&ALLOWED, (ready - needed).max(0.0)), (&HEALTHY, ready), (&NEEDED, needed), (&EXPECTED, count)]
    {
        sink.put(family, &[namespace, ("poddisruptionbudget", name)], &[], value);
    }
}

const HOUR_MS: i64 = 3_600_000;
/// A backup takes this long.
const BACKUP_MS: i64 = 140_000;
/// The part of backups that fail.
const FAILURES: f64 = 0.07;

/// The hourly backup of a database.
fn backup(moment: &Moment<'_>, workload: &Workload, sink: &mut impl Sink) {
    let chance = workload.chance.named("backup");
    let minute = chance.below(60) as i64;
    let last = (moment.time_ms - minute * 60_000).div_euclid(HOUR_MS);
    let start_ms = |run: i64| run * HOUR_MS + minute * 60_000;
    let is_active = moment.time_ms < start_ms(last) + BACKUP_MS;
    let went_well = |run: i64| chance.at(run).fraction() >= FAILURES;
    let newest = if is_active { last - 1 } else { last };
    // Runs fail one by one: a day of nothing but failures does not come about, and is told as if it ended in a success.
    let success = (0..24).map(|ago| newest - ago).find(|run| went_well(*run)).unwrap_or(newest - 24);
    let name = format!("{}-backup", workload.name);
    let schedule = format!("{minute} * * * *");
    let of = [("namespace", workload.namespace.as_str()), ("cronjob", name.as_str())];
    let info = [("schedule", schedule.as_str()), ("concurrency_policy", "Forbid"), ("timezone", "local")];
    let seconds = |time_ms: i64| (time_ms / 1000) as f64;
    sink.put(&CRON, &of, &info, 1.0);
    sink.put(&CRON_SUCCESS, &of, &[], seconds(start_ms(success) + BACKUP_MS));
    sink.put(&CRON_RUN, &of, &[], seconds(start_ms(last)));
    sink.put(&CRON_NEXT, &of, &[], seconds(start_ms(last + 1)));
    sink.put(&CRON_ACTIVE, &of, &[], f64::from(u8::from(is_active)));
}
