//! Attempts to ask one source: when they went well, and the gaps between.

/// A time: after the one instant, up to the other; milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub(super) after_ms: i64,
    pub(super) until_ms: i64,
}

impl Gap {
    /// Negative if it ends before it begins.
    pub(super) fn length_ms(self) -> i64 {
        self.until_ms.saturating_sub(self.after_ms)
    }

    /// What both have in common.
    pub(super) fn and(self, other: Gap) -> Self {
        Gap { after_ms: self.after_ms.max(other.after_ms), until_ms: self.until_ms.min(other.until_ms) }
    }

    /// The time from the beginning of the one that begins first to the end of the one that ends last.
    pub(super) fn over(self, other: Gap) -> Self {
        Gap { after_ms: self.after_ms.min(other.after_ms), until_ms: self.until_ms.max(other.until_ms) }
    }
}

/// The successes of some time, those that are not too far apart as one run. So it takes room for gaps, not for attempts.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Successes {
    /// The first and the last success of each run.
    runs: Vec<(i64, i64)>,
}

impl Successes {
    /// Adds a success that is later than all before. Up to `apart_ms` it is one run with the last one.
    pub(super) fn push(&mut self, time_ms: i64, apart_ms: i64) {
        self.push_run((time_ms, time_ms), apart_ms);
    }

    /// Adds those of a later time.
    pub(super) fn append(&mut self, later: &Successes, apart_ms: i64) {
        later.runs.iter().for_each(|run| self.push_run(*run, apart_ms));
    }

    fn push_run(&mut self, run: (i64, i64), apart_ms: i64) {
        match self.runs.last_mut() {
            Some((_, last_ms)) if run.0 - *last_ms <= apart_ms => *last_ms = run.1,
            _ => self.runs.push(run),
        }
    }

    /// The times in which more than `apart_ms` lie between two successes, between the beginning of `known` and the first of
    /// them, or between the last one and the end of `known`, in which all of them lie.
    pub(super) fn gaps(&self, known: Gap, apart_ms: i64) -> Vec<Gap> {
        let mut gaps = Vec::new();
        let mut after_ms = known.after_ms;
        for (first_ms, last_ms) in self.runs.iter().copied().chain([(known.until_ms, known.until_ms)]) {
            let gap = Gap { after_ms, until_ms: first_ms };
            if gap.length_ms() > apart_ms {
                gaps.push(gap);
            }
            after_ms = last_ms;
        }
        gaps
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Straight from the definition: between neighbours among the successes and both ends.
    fn by_definition(successes: &[i64], known: Gap, apart_ms: i64) -> Vec<Gap> {
        let mut times = vec![known.after_ms];
        times.extend_from_slice(successes);
        times.push(known.until_ms);
        let pairs = times.windows(2).map(|pair| Gap { after_ms: pair[0], until_ms: pair[1] });
        pairs.filter(|gap| gap.length_ms() > apart_ms).collect()
    }

    proptest! {
        #[test]
        fn gaps_are_those_of_the_definition_however_the_times_are_cut(
            steps in proptest::collection::vec((1_i64..20, any::<bool>()), 0..60),
            apart_ms in 1_i64..40,
            before_ms in 0_i64..60,
            behind_ms in 0_i64..60,
        ) {
            let (mut time_ms, mut times, mut parts) = (1000, Vec::new(), vec![Successes::default()]);
            for (step_ms, is_cut) in steps {
                time_ms += step_ms;
                if is_cut {
                    parts.push(Successes::default());
                }
                parts.last_mut().unwrap().push(time_ms, apart_ms);
                times.push(time_ms);
            }
            let known = Gap { after_ms: 1000 - before_ms, until_ms: time_ms + behind_ms };
            let mut all = Successes::default();
            parts.iter().for_each(|part| all.append(part, apart_ms));
            prop_assert_eq!(all.gaps(known, apart_ms), by_definition(&times, known, apart_ms));
        }
    }
}
