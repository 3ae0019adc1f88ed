//! What a remote read has filled of a gap: docs/federation.md, "What has been read is a row".

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::TaskContext;
use model::labels::{CLUSTER_LABEL, NAME_LABEL};
use model::source::{READ_SINCE, read_after_ms};

use super::super::scan::Ground;
use super::attempts::Gap;
use super::read::series;
use super::sources::{Asked, is};

/// What was read may end this much behind a gap, in milliseconds.
const BEHIND_MS: i64 = 3_600_000;

/// What is still missing of the gaps of a source, of pieces that are longer than its successes may be apart.
pub(super) async fn still_missing(
    ground: &Ground,
    context: &Arc<TaskContext>,
    asked: &Asked,
    gaps: Vec<Gap>,
) -> Result<Vec<Gap>> {
    let Some(url) = asked.filled_from.as_deref() else { return Ok(gaps) };
    let mut missing = Vec::new();
    for gap in gaps {
        let mut filled = Vec::new();
        let matchers = vec![is(NAME_LABEL, READ_SINCE), is(CLUSTER_LABEL, &asked.up.cluster)];
        let time = Gap { until_ms: gap.until_ms.saturating_add(BEHIND_MS), ..gap };
        series(ground, context, matchers, time, |read| {
            // The label has what is configured, the status what is asked of it.
            if url.starts_with(read.labels.get("url")) {
                let spans = read.points.iter().filter_map(|point| {
                    let until_ms = point.time_ms;
                    read_after_ms(until_ms, point.value).map(|after_ms| Gap { after_ms, until_ms })
                });
                filled.extend(spans);
            }
        })
        .await?;
        missing.extend(without(gap, filled).into_iter().filter(|piece| piece.length_ms() > asked.apart_ms));
    }
    Ok(missing)
}

/// The pieces of a gap that nothing has filled.
fn without(gap: Gap, mut filled: Vec<Gap>) -> Vec<Gap> {
    filled.sort_by_key(|span| span.after_ms);
    let (mut pieces, mut after_ms) = (Vec::new(), gap.after_ms);
    for span in filled {
        pieces.push(Gap { after_ms, until_ms: span.after_ms.min(gap.until_ms) });
        after_ms = after_ms.max(span.until_ms);
    }
    pieces.push(Gap { after_ms, until_ms: gap.until_ms });
    pieces.retain(|piece| piece.length_ms() > 0);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times as (after, until).
    type Times = &'static [(i64, i64)];

    fn gap((after_ms, until_ms): (i64, i64)) -> Gap {
        Gap { after_ms, until_ms }
    }

    #[test]
    fn what_was_filled_is_taken_out_of_a_gap() {
        let cases: [(Times, Times); 7] = [
            (&[], &[(10, 20)]),
            (&[(0, 30)], &[]),
            (&[(0, 12), (18, 30)], &[(12, 18)]),
            (&[(18, 19), (12, 13)], &[(10, 12), (13, 18), (19, 20)]),
            (&[(12, 16), (11, 18), (13, 14)], &[(10, 11), (18, 20)]),
            (&[(0, 5), (25, 30)], &[(10, 20)]),
            (&[(10, 15), (15, 20)], &[]),
        ];
        for (filled, expected) in cases {
            let pieces = without(gap((10, 20)), filled.iter().copied().map(gap).collect());
            assert_eq!(pieces, expected.iter().copied().map(gap).collect::<Vec<_>>(), "{filled:?}");
        }
    }
}
