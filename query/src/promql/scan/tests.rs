//! What a scan gives beside a model: of each series and time, the value that was written last.

use std::collections::BTreeMap;

use datafusion::execution::memory_pool::UnboundedMemoryPool;
use datafusion::physical_plan::execute_stream;
use futures::TryStreamExt;
use promql::functions::range::Boundary;
use proptest::prelude::*;
use storage::matcher::Condition;
use storage::{Matcher, Selection};

use super::super::labels::LabelSet;
use super::super::ranges;
use super::*;
use crate::fixture::{Fixture, Row, key};
use crate::session::Template;

/// Series that there are: three of each name in each cluster.
const SERIES: usize = 18;

/// Rows that came together.
#[derive(Debug, Clone)]
struct Piece {
    rows: Vec<Row>,
    is_block: bool,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    // Mostly a stretch of time of its own; some came late and overlap others.
    let rows = prop::collection::vec((0..SERIES, 0_i64..40, 0_i64..5), 0..120);
    let piece = (rows, any::<bool>(), prop::bool::weighted(0.8), 0_i64..5).prop_map(
        |(rows, is_block, is_in_order, stretch)| {
            let start_ms = if is_in_order { stretch * 400 } else { 200 };
            // Of two rows of one series and time in one block there is but one.
            let rows: BTreeMap<(usize, i64), i64> =
                rows.into_iter().map(|(series, time, value)| ((series, start_ms + time * 10), value)).collect();
            let rows = rows.into_iter().map(|((series, time_ms), value)| (series, time_ms, value as f64)).collect();
            Piece { rows, is_block }
        },
    );
    prop::collection::vec(piece, 1..5)
}

fn matchers() -> impl Strategy<Value = Vec<Matcher>> {
    let one_of = |label: &'static str, values: Vec<&'static str>| {
        let values = prop::sample::subsequence(values.clone(), 1..=values.len());
        values.prop_map(move |values| {
            let condition = Condition::In(values.into_iter().map(str::to_owned).collect());
            Matcher { label: label.to_owned(), condition }
        })
    };
    let (names, clusters) = (one_of("__name__", vec!["cpu", "up", "zz"]), one_of("cluster", vec!["eu", "us"]));
    let numbers = one_of("number", vec!["0", "1", "2"]);
    let all = (prop::option::of(names), prop::option::of(clusters), prop::option::of(numbers));
    all.prop_map(|(name, cluster, number)| [name, cluster, number].into_iter().flatten().collect())
}

fn keys() -> Vec<model::SeriesKey> {
    let numbered = |number: usize| {
        let (name, cluster) = (["cpu", "up", "zz"][number / 6], ["eu", "us"][number / 3 % 2]);
        key(name, cluster, &[("number", &(number % 3).to_string())])
    };
    (0..SERIES).map(numbered).collect()
}

/// Of each series its labels, times and values.
type Found = BTreeMap<String, Vec<(i64, f64)>>;

async fn scanned(source: Arc<Source>, selection: &Selection) -> Result<Found> {
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let context = Template::new(1).context(&source, Arc::clone(&pool))?;
    let ground = Ground::plain(source, pool);
    let (start_ms, end_ms) = (*selection.time_ms.start(), *selection.time_ms.end());
    let bounds = Bounds { range_ms: end_ms - start_ms + 1, end_ms, boundary: Boundary::Open, reach_ms: (0, 0) };
    let mut stream = execute_stream(plan_ranges(&ground, selection, bounds).await?, context)?;
    let mut found = Found::new();
    while let Some(batch) = stream.try_next().await? {
        let mut all = Vec::new();
        ranges::series(&batch, &mut all)?;
        for series in all {
            let points = series.points.iter().map(|point| (point.time_ms, point.value)).collect();
            let before = found.insert(format!("{:?}", series.labels.iter().collect::<Vec<_>>()), points);
            assert!(before.is_none(), "{:?} came twice", series.labels);
        }
    }
    Ok(found)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]
    #[test]
    fn of_each_series_and_time_the_value_that_was_written_last_is_given(
        pieces in pieces(),
        matchers in matchers(),
        start_ms in 0_i64..1_000,
        length_ms in 1_i64..2_000,
        layout in (1_usize..30, 20_usize..200),
    ) {
        let selection = Selection { matchers, time_ms: start_ms..=start_ms + length_ms };
        let keys = keys();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let mut expected = BTreeMap::<usize, BTreeMap<i64, f64>>::new();
        let mut fixture = Fixture::new(&keys).sized(layout.0, layout.1);
        // What is in no block wins over all blocks.
        let (blocks, heads): (Vec<_>, Vec<_>) = pieces.iter().partition(|piece| piece.is_block);
        for (number, piece) in blocks.iter().chain(&heads).enumerate() {
            let rank = number as i64 + 1;
            match piece.is_block && !piece.rows.is_empty() {
                true => runtime.block_on(fixture.block(rank, None, &piece.rows)),
                false => fixture.head(i64::MAX / 2 + rank, &piece.rows),
            }
            for (series, time_ms, value) in piece.rows.iter().filter(|row| selection.time_ms.contains(&row.1)) {
                expected.entry(*series).or_default().insert(*time_ms, *value);
            }
        }
        let source = Arc::new(Source::Fixture(Arc::new(fixture)));
        let resolved = runtime.block_on(source.resolve(&selection)).unwrap().series;
        let expected: Found = expected
            .into_iter()
            .filter(|(series, _)| resolved.iter().any(|info| info.key == keys[*series]))
            .map(|(series, points)| {
                let labels = LabelSet::of(&keys[series]);
                (format!("{:?}", labels.iter().collect::<Vec<_>>()), points.into_iter().collect())
            })
            .collect();
        prop_assert_eq!(runtime.block_on(scanned(source, &selection)).unwrap(), expected);
    }
}
