use datafusion::prelude::{col, lit};

use super::*;

fn columns() -> Vec<(String, Output)> {
    vec![
        ("ts".into(), Output::Ts),
        ("name".into(), Output::Name),
        ("cluster".into(), Output::Cluster),
        ("job".into(), Output::Label("job".into())),
        ("value".into(), Output::Value),
    ]
}

/// Whether a series with this job passes; `None` if the filter is not taken.
fn passes(filter: &Expr, job: &str) -> Option<bool> {
    let pushed = push(filter, &columns())?;
    Some(pushed.iter().all(|pushed| match pushed {
        Pushed::Labels(matchers) => matchers.iter().all(|m| m.label == "job" && m.condition.holds(job)),
        Pushed::Time(_) => false,
    }))
}

fn range(filter: Expr) -> Option<(i64, i64)> {
    match push(&filter, &columns())?.as_slice() {
        [Pushed::Time(range)] => Some((*range.start(), *range.end())),
        _ => None,
    }
}

#[test]
fn a_missing_label_is_null_and_fails_every_condition_but_is_null() {
    let job = || col("job");
    let regex = |op, pattern: &str| Expr::BinaryExpr(BinaryExpr::new(Box::new(job()), op, Box::new(lit(pattern))));
    for filter in [
        job().eq(lit("a")),
        job().not_eq(lit("a")),
        job().eq(lit("")),
        job().not_eq(lit("")),
        job().in_list(vec![lit("a"), lit("")], false),
        job().in_list(vec![lit("a")], true),
        job().like(lit("%")),
        job().not_like(lit("b%")),
        regex(Operator::RegexMatch, ".*"),
        regex(Operator::RegexNotMatch, "b"),
        job().is_not_null(),
    ] {
        assert_eq!(passes(&filter, ""), Some(false), "{filter}");
    }
    assert_eq!(passes(&job().is_null(), ""), Some(true));
    assert_eq!(passes(&job().is_null(), "a"), Some(false));
    assert_eq!(passes(&job().not_eq(lit("")), "a"), Some(true));
    assert_eq!(passes(&job().in_list(vec![lit("a")], true), "b"), Some(true));
    assert_eq!(passes(&job().like(lit("a_c%")), "abcd"), Some(true));
    assert_eq!(passes(&job().like(lit(r"a\_c")), "abc"), Some(false));
    assert_eq!(passes(&regex(Operator::RegexIMatch, "^A"), "abc"), Some(true));
    assert_eq!(passes(&job().eq(lit("a")).or(job().eq(lit("b"))), "b"), Some(true));
}

#[test]
fn what_a_selection_cannot_say_is_left_above() {
    let null = Expr::Literal(ScalarValue::Utf8(None), None);
    for filter in [
        col("value").gt(lit(1.0)),
        col("job").eq(col("name")),
        col("job").eq(null.clone()),
        col("job").in_list(vec![lit("a"), null], true),
        col("job").gt(lit("a")),
        col("job").ilike(lit("A%")),
        col("job").eq(lit("a")).or(col("name").eq(lit("b"))),
    ] {
        assert!(push(&filter, &columns()).is_none(), "{filter}");
    }
}

#[test]
fn times_are_read_to_the_millisecond() {
    let ms = |time| Expr::Literal(ScalarValue::TimestampMillisecond(Some(time), Some("UTC".into())), None);
    assert_eq!(range(col("ts").gt(ms(10))), Some((11, MAX_TIME_MS)));
    assert_eq!(range(col("ts").gt_eq(ms(10))), Some((10, MAX_TIME_MS)));
    assert_eq!(range(col("ts").lt(ms(10))), Some((MIN_TIME_MS, 9)));
    assert_eq!(range(ms(10).gt(col("ts"))), Some((MIN_TIME_MS, 9)));
    assert_eq!(range(col("ts").eq(ms(10))), Some((10, 10)));
    let unit = TimeUnit::Microsecond;
    assert_eq!(time_range(Operator::Gt, 10_500, unit), Some(11..=MAX_TIME_MS));
    assert_eq!(time_range(Operator::GtEq, 10_500, unit), Some(11..=MAX_TIME_MS));
    assert_eq!(time_range(Operator::Lt, 10_500, unit), Some(MIN_TIME_MS..=10));
    assert_eq!(time_range(Operator::LtEq, -10_500, unit), Some(MIN_TIME_MS..=-11));
    assert!(time_range(Operator::Eq, 10_500, unit).is_some_and(|range| range.is_empty()));
    assert_eq!(time_range(Operator::Gt, i64::MAX, TimeUnit::Millisecond), None);
}
