//! node-exporter: a node as its kernel has it.
//!
//! Source: what Debian's prometheus-node-exporter 1.5.0 answers.

use crate::exposition::{Family, Sink, What, counter, gauge};
use crate::moment::{Moment, Pod, pages};
use crate::site::Node;
use crate::systems::cadvisor::{ANSWER_SHARE, REQUEST_BYTES};
use crate::systems::kube_state::DISK_BYTES;
use crate::track::{NodeTrack, Track};

static CPU: Family = counter("node_cpu_seconds_total", "Seconds that a processor spent in a mode.");
static LOAD1: Family = gauge("node_load1", "Tasks that ran or waited, over a minute.");
static LOAD5: Family = gauge("node_load5", "Tasks that ran or waited, over five minutes.");
static LOAD15: Family = gauge("node_load15", "Tasks that ran or waited, over fifteen minutes.");
static MEMORY: Family = gauge("node_memory_MemTotal_bytes", "Memory, in bytes.");
static MEMORY_FREE: Family = gauge("node_memory_MemFree_bytes", "Memory that nothing uses, in bytes.");
static MEMORY_AVAILABLE: Family = gauge("node_memory_MemAvailable_bytes", "Memory that can be had, in bytes.");
static BUFFERS: Family = gauge("node_memory_Buffers_bytes", "Memory for buffers, in bytes.");
static CACHED: Family = gauge("node_memory_Cached_bytes", "Memory for files, in bytes.");
static DISK_SIZE: Family = gauge("node_filesystem_size_bytes", "Bytes of a file system.");
static DISK_FREE: Family = gauge("node_filesystem_free_bytes", "Bytes of a file system that are free.");
static DISK_AVAILABLE: Family = gauge("node_filesystem_avail_bytes", "Bytes of a file system for all users.");
static IO_TIME: Family = counter("node_disk_io_time_seconds_total", "Seconds that a disk was busy.");
static READ: Family = counter("node_disk_read_bytes_total", "Bytes read from a disk.");
static WRITTEN: Family = counter("node_disk_written_bytes_total", "Bytes written to a disk.");
static RECEIVED: Family = counter("node_network_receive_bytes_total", "Bytes received.");
static SENT: Family = counter("node_network_transmit_bytes_total", "Bytes sent.");
static RECEIVE_ERRORS: Family = counter("node_network_receive_errs_total", "Errors in receiving.");
static SEND_ERRORS: Family = counter("node_network_transmit_errs_total", "Errors in sending.");
static RECEIVE_DROPS: Family = counter("node_network_receive_drop_total", "Packets dropped in receiving.");
static OFFSET: Family = gauge("node_timex_offset_seconds", "How far the clock is off, in seconds.");
static SYNC: Family = gauge("node_timex_sync_status", "Whether the clock follows a reference.");
static MAX_ERROR: Family = gauge("node_timex_maxerror_seconds", "How far the clock is off at most, in seconds.");
static BOOT: Family = gauge("node_boot_time_seconds", "When the node was started, in seconds since 1970.");
static TIME: Family = gauge("node_time_seconds", "What the clock shows, in seconds since 1970.");
static UNAME: Family = gauge("node_uname_info", "What the kernel says it is, always 1.");

/// The parts that busy time goes to.
const BUSY_MODES: [(&str, f64); 6] =
    [("user", 0.68), ("system", 0.22), ("softirq", 0.06), ("steal", 0.02), ("nice", 0.015), ("irq", 0.005)];
/// Time that a processor waits for a disk, for each second that it is busy.
const WAITS: f64 = 0.03;
/// Seconds by which one processor may have done more than another; well below what the node needs by itself.
const SWING_SECONDS: f64 = 0.6;
/// Names of processors, as many as are made without making a text.
const NUMBERS: [&str; 16] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"];

/// Exposes one node with its `pods`.
pub(crate) fn expose(moment: &Moment<'_>, pods: &[&Pod], index: usize, sink: &mut impl Sink) {
    let node = &moment.site.nodes[index];
    sink.begin(What::Node, index as u64);
    processors(moment, node, index, sink);
    load(moment, node, index, sink);
    memory(moment, pods, index, sink);
    let since_boot = moment.seconds_since(node.boot_ms(moment.time_ms));
    let work = moment.since(Track::Node(index, NodeTrack::Work), node.boot_ms(moment.time_ms));
    disk(moment, node, since_boot, work, sink);
    network(since_boot, work, sink);
    clock(moment, node, sink);
    let uname = [
        ("domainname", "(none)"),
        ("machine", "x86_64"),
        ("nodename", node.name.as_str()),
        ("release", "6.12.48"),
        ("sysname", "Linux"),
        ("version", "#1 SMP Mon Sep 22 17:02:31 UTC 2025"),
    ];
    sink.put(&UNAME, &[], &uname, 1.0);
}

fn processors(moment: &Moment<'_>, node: &Node, index: usize, sink: &mut impl Sink) {
    let boot_ms = node.boot_ms(moment.time_ms);
    let (up, cpus) = (moment.seconds_since(boot_ms), moment.site.cpus);
    let share = moment.since(Track::Node(index, NodeTrack::Cores), boot_ms) / cpus as f64;
    for cpu in 0..cpus {
        let number = cpu.to_string();
        let number = NUMBERS.get(cpu).map_or(number.as_str(), |number| number);
        let swing = |pair: usize| node.chance.of(pair as u64).wander(moment.time_ms, 60_000) * SWING_SECONDS;
        // Two by two: what one has done more, the other has done less.
        let swing = if cpu % 2 == 0 { swing(cpu / 2) } else { -swing(cpu / 2) };
        let busy = (share + swing + SWING_SECONDS).max(0.0);
        let of = [("cpu", number)];
        let waits = busy * WAITS;
        sink.put(&CPU, &of, &[("mode", "idle")], ticks((up - busy - waits).max(0.0)));
        sink.put(&CPU, &of, &[("mode", "iowait")], ticks(waits));
        for (mode, part) in BUSY_MODES {
            sink.put(&CPU, &of, &[("mode", mode)], ticks(busy * part));
        }
    }
}

/// The kernel counts in hundredths.
fn ticks(seconds: f64) -> f64 {
    (seconds * 100.0).floor() / 100.0
}

fn load(moment: &Moment<'_>, node: &Node, index: usize, sink: &mut impl Sink) {
    for (family, minutes) in [(&LOAD1, 1), (&LOAD5, 5), (&LOAD15, 15)] {
        let from_ms = moment.time_ms - minutes * 60_000;
        let cores = moment.since(Track::Node(index, NodeTrack::Cores), from_ms) / (minutes * 60) as f64;
        let noise = node.chance.named("load").wander(moment.time_ms, minutes * 20_000);
        let tasks = cores * (1.25 + 0.3 * noise / minutes as f64);
        sink.put(family, &[], &[], (tasks * 100.0).round() / 100.0);
    }
}

fn memory(moment: &Moment<'_>, pods: &[&Pod], index: usize, sink: &mut impl Sink) {
    let node = &moment.site.nodes[index];
    let total = moment.site.memory_bytes;
    let of_pod = |pod: &Pod| -> f64 {
        let runs = (0..moment.containers(pod)).filter(|container| moment.runs(pod, *container));
        runs.map(|container| moment.memory_bytes(pod, container)).sum()
    };
    let of_pods: f64 = pods.iter().map(|pod| of_pod(pod)).sum();
    let used = of_pods + total * (0.05 + 0.003 * node.chance.named("memory").wander(moment.time_ms, 300_000));
    let cached = total * (0.25 + 0.05 * node.chance.named("cached").wander(moment.time_ms, 3_600_000));
    let cached = pages(cached.min((total - used).max(0.0) * 0.6));
    let buffers = pages(total * 0.004);
    let free = pages((total - used - cached - buffers).max(0.0));
    for (family, bytes) in [
        (&MEMORY, total),
        (&MEMORY_FREE, free),
        (&MEMORY_AVAILABLE, free + pages(cached * 0.9)),
        (&BUFFERS, buffers),
        (&CACHED, cached),
    ] {
        sink.put(family, &[], &[], bytes);
    }
}

fn disk(moment: &Moment<'_>, node: &Node, since_boot: f64, work: f64, sink: &mut impl Sink) {
    let of = [("device", "/dev/nvme0n1p1"), ("fstype", "xfs"), ("mountpoint", "/")];
    let used =
        0.34 + 0.08 * node.chance.fraction() + 0.03 * node.chance.named("disk").wander(moment.time_ms, 21_600_000);
    let free = pages(DISK_BYTES * (1.0 - used));
    sink.put(&DISK_SIZE, &of, &[], DISK_BYTES);
    sink.put(&DISK_FREE, &of, &[], free);
    sink.put(&DISK_AVAILABLE, &of, &[], free);
    let of = [("device", "nvme0n1")];
    let blocks = |bytes: f64| (bytes / 512.0).floor() * 512.0;
    sink.put(&IO_TIME, &of, &[], ((0.012 * since_boot + 0.000_15 * work) * 1000.0).floor() / 1000.0);
    sink.put(&READ, &of, &[], blocks(9_000.0 * since_boot + 40.0 * work));
    sink.put(&WRITTEN, &of, &[], blocks(70_000.0 * since_boot + 350.0 * work));
}

fn network(since_boot: f64, work: f64, sink: &mut impl Sink) {
    let requests = work * REQUEST_BYTES;
    for (device, received, sent) in [
        ("eth0", 24_000.0 * since_boot + requests, 31_000.0 * since_boot + ANSWER_SHARE * requests),
        ("lo", 6_000.0 * since_boot, 6_000.0 * since_boot),
    ] {
        let of = [("device", device)];
        sink.put(&RECEIVED, &of, &[], received.floor());
        sink.put(&SENT, &of, &[], sent.floor());
        sink.put(&RECEIVE_ERRORS, &of, &[], 0.0);
        sink.put(&SEND_ERRORS, &of, &[], 0.0);
        sink.put(&RECEIVE_DROPS, &of, &[], 0.0);
    }
}

fn clock(moment: &Moment<'_>, node: &Node, sink: &mut impl Sink) {
    let offset = 0.000_8 * node.chance.named("clock").wander(moment.time_ms, 900_000);
    sink.put(&OFFSET, &[], &[], (offset * 1e9).round() / 1e9);
    sink.put(&SYNC, &[], &[], 1.0);
    sink.put(&MAX_ERROR, &[], &[], 0.008 + (moment.time_ms.rem_euclid(64_000) / 1000) as f64 * 0.000_5);
    sink.put(&BOOT, &[], &[], (node.boot_ms(moment.time_ms) / 1000) as f64);
    sink.put(&TIME, &[], &[], moment.time_ms as f64 / 1000.0);
}
