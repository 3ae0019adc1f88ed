//! Which blocks and head rows may hold the same sample twice, so that only these are merged.

use uuid::Uuid;

/// The stretch of time that a block or a set of head rows covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    /// First instant, in milliseconds.
    pub(crate) min_time_ms: i64,
    /// Last instant, in milliseconds.
    pub(crate) max_time_ms: i64,
    /// The journal, if the rows are those of one of its windows: two windows of one journal never share a sample.
    pub(crate) window_of: Option<Uuid>,
}

impl Span {
    fn may_share_samples(&self, other: &Span) -> bool {
        self.min_time_ms <= other.max_time_ms
            && other.min_time_ms <= self.max_time_ms
            && (self.window_of.is_none() || self.window_of != other.window_of)
    }
}

/// Groups spans so that two of different groups never share a sample. Each group lists positions, ascending.
pub(crate) fn groups(spans: &[Span]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..spans.len()).collect();
    order.sort_by_key(|at| spans[*at].min_time_ms);
    let mut leader: Vec<usize> = (0..spans.len()).collect();
    for (place, &a) in order.iter().enumerate() {
        for &b in order[place + 1..].iter().take_while(|b| spans[**b].min_time_ms <= spans[a].max_time_ms) {
            if spans[a].may_share_samples(&spans[b]) {
                let (a, b) = (find(&mut leader, a), find(&mut leader, b));
                leader[a.max(b)] = a.min(b);
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); spans.len()];
    for at in 0..spans.len() {
        groups[find(&mut leader, at)].push(at);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

fn find(leader: &mut [usize], mut at: usize) -> usize {
    while leader[at] != at {
        leader[at] = leader[leader[at]];
        at = leader[at];
    }
    at
}

#[cfg(test)]
mod tests;
