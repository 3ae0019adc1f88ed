//! Exemplars: for each bucket of a pod's durations the last traced request that fell into it.

use std::collections::HashMap;

use model::batch::Exemplar;

use crate::moment::{Names, Pod};
use crate::roster::Roster;
use crate::systems::application::BOUNDS;
use crate::traffic::MS_NS;
use crate::traffic::request::requests;
use crate::traffic::serving::serve;
use crate::traffic::trace::{Trace, span_id, stamp, trace_id};

/// The library forgets exemplars that are older.
const KEPT_MS: i64 = 30_000;

/// Exemplars by the path of a handler and the upper bound of a bucket.
pub(crate) type Exemplars = HashMap<(&'static str, &'static str), Exemplar>;

/// The exemplars that a pod of the cluster number `index` has at an instant: of requests of users whose spans were emitted.
pub(crate) fn exemplars(roster: &Roster, index: usize, pod: &Pod, time_ms: i64) -> Exemplars {
    let (mut names, mut exemplars) = (Names::default(), Exemplars::new());
    let member = roster.member(index);
    let seconds = (time_ms - KEPT_MS).div_euclid(1000)..time_ms.div_euclid(1000) + 1;
    for request in requests(roster, index, pod.workload, seconds) {
        let mut trace = Trace::new(roster, &mut names, request.chance);
        let Some(answer) = serve(&mut trace, &request, None) else { continue };
        let ended_ms = stamp(&member.site, answer.end_ns) as i64 / MS_NS;
        if answer.pod_id() != pod.id || ended_ms > time_ms || member.is_silent(ended_ms) {
            continue;
        }
        let value = (answer.end_ns - answer.start_ns) as f64 / 1e9;
        let le = BOUNDS.iter().find(|bound| value <= bound.seconds).map_or("+Inf", |bound| bound.text);
        let labels = vec![
            ("trace_id".to_owned(), hex(&trace_id(request.chance))),
            ("span_id".to_owned(), hex(&span_id(request.chance, 0))),
        ];
        let exemplar = Exemplar { series: 0, time_ms: ended_ms, value, labels };
        let last = exemplars.entry((answer.handler.path, le)).or_insert_with(|| exemplar.clone());
        if last.time_ms <= ended_ms {
            *last = exemplar;
        }
    }
    exemplars
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
