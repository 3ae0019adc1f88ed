use datafusion::logical_expr::{and, col, lit, or};
use storage::Table;

use super::*;

fn of(filters: &[Expr]) -> Conditions {
    Conditions::of(filters, View::of(Table::Logs))
}

fn time(nanos: i64) -> Expr {
    Expr::Literal(ScalarValue::TimestampNanosecond(Some(nanos), Some("UTC".into())), None)
}

fn set(values: &[&str]) -> BTreeSet<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn ranges_of_time_are_intersected() {
    let filters = [and(col("ts").gt_eq(time(10)), col("ts").lt(time(20))), time(12).lt(col("ts"))];
    assert_eq!(of(&filters).time, 13..=19);
    assert_eq!(of(&[col("ts").between(time(5), time(6))]).time, 5..=6);
    assert_eq!(of(&[col("observed_ts").eq(time(7))]).longs, [("observed_time_unix_nano", 7..=7)]);
    assert_eq!(of(&[or(col("ts").gt(time(10)), col("cluster").eq(lit("a")))]).time, i64::MIN..=i64::MAX);
}

fn words_of(filter: Expr) -> Vec<String> {
    of(&[filter]).words.iter().map(|word| String::from_utf8(word.clone()).unwrap()).collect()
}

#[test]
fn lines_must_have_the_words_that_a_condition_shows_whole() {
    assert_eq!(words_of(col("body").like(lit("%disk full on %"))), ["full", "on"]);
    assert_eq!(words_of(col("body").like(lit("GET /a%b c"))), ["GET", "c"]);
    assert_eq!(words_of(col("body").like(lit("%100\\% done_"))), [""; 0], "both may go on");
    assert_eq!(words_of(col("body").like(lit("% 100\\% done %"))), ["100", "done"]);
    assert_eq!(words_of(col("body").eq(lit("all of it"))), ["all", "it", "of"]);
    assert_eq!(words_of(col("body").not_like(lit("% x %"))), [""; 0]);
    assert_eq!(words_of(col("service").like(lit("% x %"))), [""; 0]);
    let has_word = super::word::HasWord::udf().call(vec![col("body"), lit("timeout")]);
    assert_eq!(words_of(has_word), ["timeout"]);
}

#[test]
fn texts_and_traces_are_sets() {
    let trace = "000102030405060708090a0b0c0d0e0f";
    let conditions = of(&[
        col("cluster").eq(lit("eu")),
        col("service").in_list(vec![lit("a"), lit("b")], false),
        col("namespace").in_list(vec![lit("a")], true),
        col("trace_id").in_list(vec![lit(trace), lit("no trace")], false),
        col("severity_number").gt_eq(lit(17i32)),
    ]);
    assert_eq!(conditions.texts, [("cluster", set(&["eu"])), ("service", set(&["a", "b"]))]);
    assert_eq!(conditions.traces, Some(BTreeSet::from([std::array::from_fn(|at| at as u8)])));
    assert_eq!(conditions.longs, [("severity_number", 17..=i64::MAX)]);
    assert_eq!(of(&[col("trace_id").eq(lit("x"))]).traces, Some(BTreeSet::new()), "which no row has");
}
