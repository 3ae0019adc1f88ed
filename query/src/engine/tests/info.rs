//! `info()` where clusters have the same jobs and instances.

use std::collections::BTreeSet;

use super::*;
use crate::promql::{AnswerValue, Failure, Query};

/// What an expression comes to at the start: of each series its labels but the name.
async fn labels(engine: &Engine, text: &str) -> Result<BTreeSet<String>, String> {
    let series = match engine.promql(Query::new(text, None, START)).await {
        Ok(answer) => match answer.value {
            AnswerValue::Vector(series) => series,
            other => panic!("{text}: {other:?}"),
        },
        Err(Failure::Run(error)) => return Err(error.message().to_owned()),
        Err(failure) => panic!("{text}: {failure:?}"),
    };
    let shown = series.iter().map(|one| {
        let labels = one.labels.iter().filter(|(name, _)| *name != "__name__");
        labels.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
    });
    Ok(shown.collect())
}

async fn engine() -> Engine {
    let (own, others) = ([("instance", "i"), ("job", "j")], [("instance", "k"), ("job", "j")]);
    let with = |labels: &[(&'static str, &'static str)], version| [labels, &[("version", version)]].concat();
    let keys = [
        key("up", "east", &own),
        key("up", "west", &own),
        key("up", "", &own),
        key("up", "west", &others),
        key("target_info", "east", &with(&own, "1")),
        key("target_info", "west", &with(&own, "2")),
        key("target_info", "", &with(&others, "3")),
        key("target_info", "east", &with(&others, "4")),
    ];
    let mut fixture = Fixture::new(&keys);
    fixture.head(1, &(0..keys.len()).map(|series| (series, START - SECOND, 1.0)).collect::<Vec<Row>>());
    Engine::over_fixture(Config::default(), fixture, Vec::new(), Sources::default(), START)
}

fn set(lines: &[&str]) -> Result<BTreeSet<String>, String> {
    Ok(lines.iter().map(|line| (*line).to_owned()).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_has_the_info_of_its_own_cluster() {
    let engine = engine().await;
    let found = labels(&engine, "info(up{instance='i', cluster!=''})").await;
    assert_eq!(found, set(&["cluster=east,instance=i,job=j,version=1", "cluster=west,instance=i,job=j,version=2"]));
    let needed = labels(&engine, "info(up{cluster='west'}, {version='1'})").await;
    assert_eq!(needed, set(&[]), "the version of another cluster is none of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_cluster_has_none_what_is_of_no_cluster_counts() {
    let found = labels(&engine().await, "info(up{instance='k'})").await;
    assert_eq!(found, set(&["cluster=west,instance=k,job=j,version=3"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_series_of_no_cluster_has_that_of_all_as_in_prometheus() {
    let engine = engine().await;
    let found =
        labels(&engine, "info(sum by (instance, job) (up{cluster='east'}), {__name__='target_info', version='1'})")
            .await;
    assert_eq!(found, set(&["instance=i,job=j,version=1"]));
    let error = labels(&engine, "info(sum by (instance, job) (up{instance='i'}))").await.unwrap_err();
    assert!(error.contains("found duplicate series for info metric"), "{error}");
    // The one that is ambiguous does no harm to others.
    let found = labels(&engine, "info(up{cluster='east'})").await;
    assert_eq!(found, set(&["cluster=east,instance=i,job=j,version=1"]));
}
