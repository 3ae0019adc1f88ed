//! Lines that no request causes: kubelets tell of pods that come and of containers that fall, databases of checkpoints.

use std::ops::Range;

use opentelemetry_proto::tonic::logs::v1::SeverityNumber;

use crate::chance::Chance;
use crate::curve::CELL_MS;
use crate::life::{Life, State};
use crate::moment::Names;
use crate::roster::Roster;
use crate::traffic::MS_NS;
use crate::traffic::arguments::text;
use crate::traffic::export::Export;
use crate::traffic::lines::{Line, record};
use crate::traffic::place::{Emitter, Place};

/// A database writes all that has changed to its files this often.
const CHECKPOINT_MS: i64 = 300_000;

/// Emits what was written in some `times_ms`.
pub(crate) fn emit(roster: &Roster, names: &mut Names, times_ms: Range<i64>, export: &mut Export<'_>) {
    let mut background = Background { roster, names, export };
    // Clocks differ: a line just outside by the true time may be inside by its own.
    let cells = (times_ms.start - CELL_MS).div_euclid(CELL_MS)..(times_ms.end + CELL_MS).div_euclid(CELL_MS) + 1;
    for (index, member) in roster.members().iter().enumerate() {
        for (at, workload) in member.site.workloads.iter().enumerate() {
            for cell in cells.clone() {
                if workload.is_application() {
                    (0..workload.most).for_each(|slot| background.pod(index, (at, slot), cell * CELL_MS));
                } else if workload.volume_bytes.is_some() && workload.container.name == "postgres" {
                    background.checkpoint(index, &workload.name, workload.chance, cell * CELL_MS);
                }
            }
        }
    }
}

struct Background<'a, 'b> {
    roster: &'a Roster,
    names: &'a mut Names,
    export: &'a mut Export<'b>,
}

impl Background<'_, '_> {
    fn line(&mut self, place: Place, line: Line) {
        let site = &self.roster.member(place.member).site;
        self.export.take_line(place, record(site, line));
    }

    /// What a pod's kubelet and its own program say of what has changed in the cell that begins at `time_ms`.
    fn pod(&mut self, index: usize, (at, slot): (usize, usize), time_ms: i64) {
        let member = self.roster.member(index);
        let (before, now) = (member.moment(time_ms), member.moment(time_ms + CELL_MS));
        let life = |time_ms| Life::at(now.site, now.plans, at, slot, time_ms);
        let Some(new) = life(time_ms + CELL_MS) else { return };
        let old = life(before.time_ms).filter(|old| old.born_ms == new.born_ms);
        let what = match old {
            None => Some((new.born_ms, SeverityNumber::Info, "\"SyncLoop ADD\" source=\"api\"")),
            Some(old) if old.restarts < new.restarts => {
                Some((new.started_ms, SeverityNumber::Info, "\"Started container\""))
            }
            Some(_) if new.state == State::BackOff => {
                let why = "\"Error syncing pod, skipping\" err=\"CrashLoopBackOff: restarting failed container\"";
                Some((time_ms + CELL_MS / 2, SeverityNumber::Error, why))
            }
            Some(_) => None,
        };
        let Some((time_ms, severity, what)) = what else { return };
        let workload = &now.site.workloads[at];
        let Some(pod) = now.pods_of(at, self.names).into_iter().find(|pod| pod.life.born_ms == new.born_ms) else {
            return;
        };
        let (name, namespace) = (pod.identity.name.clone(), &workload.namespace);
        let container = &workload.container.name;
        let letter = if severity == SeverityNumber::Error { 'E' } else { 'I' };
        let body = format!("{letter} kubelet.go: {what} pod=\"{namespace}/{name}\" container=\"{container}\"");
        let attributes = vec![text("k8s.pod.name", &name), text("k8s.namespace.name", namespace)];
        let kubelet = Place { member: index, emitter: Emitter::Kubelet(pod.node) };
        let time_ns = time_ms * MS_NS;
        self.line(kubelet, Line { time_ns, severity, body, attributes });
        if old.is_some_and(|old| old.restarts < new.restarts) {
            let body = "level=fatal msg=\"cannot reach the queue\" error=\"connect: connection refused\"".to_owned();
            // It runs for eight seconds before it gives up.
            let time_ns = (time_ms + 8_000) * MS_NS - MS_NS;
            let line = Line { time_ns, severity: SeverityNumber::Fatal, body, attributes: Vec::new() };
            self.line(Place::pod(index, pod), line);
        }
    }

    /// What a database says of its checkpoint, if one is complete in the cell that begins at `time_ms`.
    fn checkpoint(&mut self, index: usize, database: &str, chance: Chance, time_ms: i64) {
        let phase_ms = chance.named("checkpoint").below((CHECKPOINT_MS / CELL_MS) as u64) as i64 * CELL_MS;
        if (time_ms - phase_ms).rem_euclid(CHECKPOINT_MS) != 0 {
            return;
        }
        let moment = self.roster.member(index).moment(time_ms);
        let Some(place) = Place::single(index, &moment, database, self.names) else { return };
        let buffers = 200 + chance.named("buffers").at(time_ms).below(3_000);
        let body = format!("[27] LOG:  checkpoint complete: wrote {buffers} buffers; sync=0.013 s, total=26.981 s");
        let line = Line { time_ns: time_ms * MS_NS, severity: SeverityNumber::Info, body, attributes: Vec::new() };
        self.line(place, line);
    }
}
