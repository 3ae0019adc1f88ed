//! An application that serves HTTP, with the metrics of a Go program.
//!
//! Source: the names of Prometheus' client library for Go (`promhttp`, process and Go collectors); `application_build_info`
//! is this application's own.

mod handler;

pub(crate) use handler::{Handler, handlers};

use crate::curve::MICRO;
use crate::exposition::{Bound, Family, Sink, What, bounds, counter, gauge, histogram};
use crate::moment::{Moment, Pod, micros};
use crate::track::{PodTrack, Track};

static REQUESTS: Family = counter("http_requests_total", "Requests answered, by status.");
pub(crate) static DURATION: Family = histogram("http_request_duration_seconds", "How long answers took.");
static IN_FLIGHT: Family = gauge("http_requests_in_flight", "Requests being answered.");
static BUILD: Family = gauge("application_build_info", "What was built, always 1.");
static CPU: Family = counter("process_cpu_seconds_total", "Processor time used, in seconds.");
static MEMORY: Family = gauge("process_resident_memory_bytes", "Resident memory, in bytes.");
static START: Family = gauge("process_start_time_seconds", "When the process was started, in seconds since 1970.");
static GOROUTINES: Family = gauge("go_goroutines", "Goroutines there are.");

/// The default buckets of the client library.
pub(crate) static BOUNDS: &[Bound] = bounds![0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/// Exposes what a pod of an application says of itself.
pub(crate) fn expose(moment: &Moment<'_>, pod: &Pod, sink: &mut impl Sink) {
    let handlers = handlers(&moment.site.workloads[pod.workload]);
    // A process that is started again goes on under the same labels.
    sink.begin(What::Program, pod.id);
    let (all, slow) = (moment.served(pod, PodTrack::Work), moment.served(pod, PodTrack::Slow));
    for handler in handlers {
        answered(handler, (all - slow) / MICRO, slow / MICRO, sink);
    }
    let rate = moment.requests(pod);
    let slow_rate = match pod.life.is_ready(moment.time_ms) {
        true => moment.rate(Track::Pod(pod.workload, PodTrack::Slow)),
        false => 0.0,
    };
    let busy: f64 = handlers.iter().map(|of| of.share * busy(of, rate - slow_rate, slow_rate)).sum();
    let noise = moment.site.chance.of(pod.id).wander(moment.time_ms, 15_000);
    let in_flight = (busy * (1.0 + 0.5 * noise)).round();
    sink.put(&IN_FLIGHT, &[], &[], in_flight);
    let (started_ms, life) = (pod.life.started_ms, &pod.life);
    let revision = format!("{:07x}", moment.site.workloads[pod.workload].chance.at(life.revision).number() >> 36);
    sink.put(&BUILD, &[("version", &life.version()), ("revision", &revision), ("goversion", "go1.25.3")], &[], 1.0);
    sink.put(&CPU, &[], &[], (moment.core_seconds(pod, 0) * 100.0).floor() / 100.0);
    sink.put(&MEMORY, &[], &[], moment.memory_bytes(pod, 0));
    sink.put(&START, &[], &[], started_ms as f64 / 1000.0);
    sink.put(&GOROUTINES, &[], &[], 24.0 + 2.0 * in_flight + (rate / 4.0).round());
}

/// Counters of one handler: `well` and `slow` requests have come to the pod so far.
fn answered(handler: &'static Handler, well: f64, slow: f64, sink: &mut impl Sink) {
    let of_handler = [("handler", handler.path), ("method", handler.method)];
    let mut count = 0.0;
    for (status, of_well, of_slow) in handler.statuses {
        // Whole requests of each status: their sum is the histogram's count, whatever was rounded off.
        let answers = (handler.share * (well * of_well + slow * of_slow)).floor();
        count += answers;
        sink.put(&REQUESTS, &of_handler, &[("code", *status)], answers);
    }
    let (well, slow) = (well * handler.share, slow * handler.share);
    let shares = handler.fast.shares.iter().zip(&handler.slow.shares);
    let counts = shares.map(|(fast, late)| (fast * well + late * slow).floor());
    let sum = micros(well * handler.fast.mean + slow * handler.slow.mean);
    sink.put_histogram(&DURATION, &of_handler, BOUNDS, counts, (count, sum));
}

/// Requests being answered at once, by Little's law.
fn busy(handler: &Handler, well_rate: f64, slow_rate: f64) -> f64 {
    well_rate * handler.fast.mean + slow_rate * handler.slow.mean
}
