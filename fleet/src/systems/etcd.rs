//! etcd: the database of the API server, one member.
//!
//! Source: etcd-io/etcd at c34dc7e, `server/etcdserver/metrics.go`, `server/storage`.

use std::sync::LazyLock;

use crate::exposition::{Bound, Family, Sink, What, bounds, counter, gauge, histogram};
use crate::latency::Latency;
use crate::moment::{Moment, micros, pages};

static HAS_LEADER: Family = gauge("etcd_server_has_leader", "Whether there is a leader.");
static LEADER_CHANGES: Family = counter("etcd_server_leader_changes_seen_total", "Times that the leader changed.");
static FAILED: Family = counter("etcd_server_proposals_failed_total", "Proposals that failed.");
static COMMITTED: Family = gauge("etcd_server_proposals_committed_total", "Proposals that were agreed on.");
static APPLIED: Family = gauge("etcd_server_proposals_applied_total", "Proposals that were carried out.");
static PENDING: Family = gauge("etcd_server_proposals_pending", "Proposals that wait.");
static FSYNC: Family = histogram("etcd_disk_wal_fsync_duration_seconds", "How long syncing the log took.");
static COMMIT: Family = histogram("etcd_disk_backend_commit_duration_seconds", "How long committing to disk took.");
static SIZE: Family = gauge("etcd_mvcc_db_total_size_in_bytes", "Bytes of the database.");
static IN_USE: Family = gauge("etcd_mvcc_db_total_size_in_use_in_bytes", "Bytes of the database that are used.");
static QUOTA: Family = gauge("etcd_server_quota_backend_bytes", "Bytes that the database may have.");
static HANDLED: Family = counter("grpc_server_handled_total", "Calls answered, by status.");

static BOUNDS: &[Bound] =
    bounds![0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024, 2.048, 4.096, 8.192];
static SYNCING: LazyLock<Latency> = LazyLock::new(|| Latency::new(BOUNDS, 0.0015, 0.7));
static COMMITTING: LazyLock<Latency> = LazyLock::new(|| Latency::new(BOUNDS, 0.003, 0.7));

/// Exposes the member.
pub(crate) fn expose(moment: &Moment<'_>, sink: &mut impl Sink) {
    let up = moment.seconds_since(moment.started_ms("etcd"));
    let nodes = moment.site.nodes.len() as f64;
    // Leases and events make most of it, so it follows the nodes.
    let proposals = (up * (2.0 + 0.3 * nodes)).floor();
    sink.begin(What::Program, 0);
    sink.put(&HAS_LEADER, &[], &[], 1.0);
    sink.put(&LEADER_CHANGES, &[], &[], 1.0);
    sink.put(&FAILED, &[], &[], 0.0);
    sink.put(&COMMITTED, &[], &[], proposals);
    sink.put(&APPLIED, &[], &[], proposals);
    sink.put(&PENDING, &[], &[], 0.0);
    for (family, latency, calls) in [(&FSYNC, &SYNCING, proposals), (&COMMIT, &COMMITTING, (up * 2.0).floor())] {
        let sum = micros(calls * latency.mean);
        sink.put_histogram(family, &[], BOUNDS, latency.counts(calls), (calls, sum));
    }
    let size = moment.database_bytes();
    sink.put(&SIZE, &[], &[], size);
    sink.put(&IN_USE, &[], &[], pages(size * 0.62));
    sink.put(&QUOTA, &[], &[], 8_589_934_592.0);
    for (method, rate) in [("Range", 3.0 + 0.5 * nodes), ("Txn", 2.0 + 0.3 * nodes), ("LeaseGrant", 0.2)] {
        let of = [
            ("grpc_service", if method == "LeaseGrant" { "etcdserverpb.Lease" } else { "etcdserverpb.KV" }),
            ("grpc_method", method),
            ("grpc_type", "unary"),
        ];
        sink.put(&HANDLED, &of, &[("grpc_code", "OK")], (up * rate).floor());
        sink.put(&HANDLED, &of, &[("grpc_code", "Unavailable")], (up * rate * 0.000_01).floor());
    }
}
