use datafusion::execution::memory_pool::UnboundedMemoryPool;
use model::SourceStatus;
use model::source::SourceId;
use proptest::prelude::*;

use super::*;
use crate::fixture::{Fixture, Row, key};
use crate::source::Source;

const MINUTE_MS: i64 = 60_000;
const INTERVAL_MS: i64 = 5 * MINUTE_MS;
const APART_MS: i64 = 2 * INTERVAL_MS;

fn asked(job: &str) -> Asked {
    let id = SourceId {
        kind: "scrape",
        cluster: "eu".to_owned(),
        job: job.to_owned(),
        instance: "a:1".to_owned(),
        url: String::new(),
        labels: String::new(),
    };
    Asked::of(&SourceStatus { interval_ms: Some(INTERVAL_MS), ..SourceStatus::new(&id) }).unwrap()
}

/// A store with the attempts up to an instant.
fn ground(attempts: &[Row], now_ms: i64) -> Ground {
    let keys = ["a", "b"].map(|job| key("up", "eu", &[("instance", "a:1"), ("job", job)]));
    let mut fixture = Fixture::new(&keys);
    let rows: Vec<Row> = attempts.iter().copied().filter(|(_, time_ms, _)| *time_ms <= now_ms).collect();
    fixture.head(0, &rows);
    let source = Arc::new(Source::Fixture(Arc::new(fixture)));
    Ground::plain(source, Arc::new(UnboundedMemoryPool::default()))
}

/// Straight from the definition, out of all attempts: a fixture's series are there since the beginning of 1970.
fn by_definition(attempts: &[Row], series: usize, time: Gap, now_ms: i64) -> Vec<Gap> {
    let successes = attempts.iter().filter(|(of, time_ms, value)| *of == series && *time_ms <= now_ms && *value == 1.0);
    let mut times: Vec<i64> = successes.map(|(_, time_ms, _)| *time_ms).chain([0, now_ms]).collect();
    times.sort_unstable();
    let pairs = times.windows(2).map(|pair| Gap { after_ms: pair[0], until_ms: pair[1] });
    let gaps = pairs.filter(|gap| gap.length_ms() > APART_MS).map(|gap| gap.and(time));
    gaps.filter(|gap| gap.length_ms() > 0).collect()
}

/// Minutes until the next question, of which source it is, when it ends before the present and how long it is, in minutes.
type Asking = (i64, bool, bool, i64, i64);

fn askings() -> impl Strategy<Value = Vec<Asking>> {
    let pause = prop_oneof![1_i64..30, 30_i64..600, 1_500_i64..2_000];
    let ago = prop_oneof![Just(0_i64), 0_i64..120, 0_i64..6_000];
    let length = prop_oneof![1_i64..60, 60_i64..4_000];
    proptest::collection::vec((pause, any::<bool>(), any::<bool>(), ago, length), 1..14)
}

/// Attempts of a source: minutes after the one before, and how each went.
fn attempts() -> impl Strategy<Value = Vec<(i64, bool)>> {
    let pause = prop_oneof![20 => Just(5_i64), 2 => 4_i64..13, 1 => 13_i64..400];
    proptest::collection::vec((pause, proptest::bool::weighted(0.95)), 0..900)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_between_queries_changes_no_answer(a in attempts(), b in attempts(), askings in askings()) {
        let mut rows: Vec<Row> = Vec::new();
        for (series, attempts) in [a, b].into_iter().enumerate() {
            let mut time_ms = 1;
            for (pause, is_success) in attempts {
                time_ms += pause * MINUTE_MS;
                rows.push((series, time_ms, f64::from(u8::from(is_success))));
            }
        }
        let sources = [asked("a"), asked("b")];
        let all: BTreeSet<Asked> = sources.iter().cloned().collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (history, context, mut now_ms) = (History::default(), Arc::default(), 0);
        for (pause, of_a, of_b, ago, length) in askings {
            now_ms += pause * MINUTE_MS;
            let until_ms = now_ms - ago * MINUTE_MS;
            let time = Gap { after_ms: until_ms - length * MINUTE_MS, until_ms };
            let wanted = [of_a, of_b].into_iter().zip(&sources).enumerate().filter(|(_, (is_asked, _))| *is_asked);
            let (series, reached): (Vec<usize>, Vec<_>) =
                wanted.map(|(series, (_, source))| (series, (source.clone(), time))).unzip();
            let ground = ground(&rows, now_ms);
            let looked = history.missing(&ground, &context, (&reached, &all), now_ms);
            let missing = runtime.block_on(looked).unwrap();
            prop_assert_eq!(missing.looked_since_ms, None);
            for (series, (_, _, gaps)) in series.into_iter().zip(missing.gaps) {
                prop_assert_eq!(gaps, by_definition(&rows, series, time, now_ms), "of {} at {}", series, now_ms);
            }
        }
    }
}
