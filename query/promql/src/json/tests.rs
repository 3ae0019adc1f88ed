use serde_json::{Value, json};

use crate::parse;

fn tree(text: &str) -> Value {
    serde_json::from_str(&parse(text).unwrap().to_json()).unwrap()
}

fn series(name: &str) -> Value {
    json!({
        "type": "vectorSelector", "name": name, "offset": 0, "offsetExpr": null, "timestamp": null, "startOrEnd": null,
        "anchored": false, "smoothed": false, "matchers": [{"name": "__name__", "type": "=", "value": name}],
    })
}

#[test]
fn selectors_have_all_their_fields() {
    let mut wanted = series("a");
    wanted["matchers"] = json!([
        {"name": "b", "type": "!~", "value": "c\"\u{e9}"},
        {"name": "__name__", "type": "=", "value": "a"},
    ]);
    wanted["offset"] = json!(-300_000);
    wanted["timestamp"] = json!(1500);
    wanted["smoothed"] = json!(true);
    assert_eq!(tree("a{b!~'c\"\u{e9}'} smoothed @ 1.5 offset -5m"), wanted);
    wanted["type"] = json!("matrixSelector");
    (wanted["range"], wanted["rangeExpr"]) = (json!(1001), json!(null));
    assert_eq!(tree("a{b!~'c\"\u{e9}'}[1s1ms] smoothed @ 1.5 offset -5m"), wanted);
}

#[test]
fn durations_are_trees_if_they_are_no_literals() {
    let step = json!({"type": "durationExpr", "op": "step", "lhs": null, "rhs": null, "wrapped": false});
    let number = json!({"type": "numberLiteral", "val": "60", "duration": true});
    let wrapped = json!({"type": "durationExpr", "op": "+", "lhs": null, "rhs": number, "wrapped": true});
    let found = tree("a[min_of(step(), 1m):(1m)] offset -step() @ start()");
    assert_eq!(found["type"], json!("subquery"));
    assert_eq!(found["expr"], series("a"));
    assert_eq!((&found["range"], &found["step"], &found["offset"]), (&json!(0), &json!(0), &json!(0)));
    assert_eq!(
        found["rangeExpr"],
        json!({"type": "durationExpr", "op": "min_of", "lhs": step, "rhs": number, "wrapped": false})
    );
    assert_eq!(found["stepExpr"], wrapped);
    assert_eq!(
        found["offsetExpr"],
        json!({"type": "durationExpr", "op": "-", "lhs": null, "rhs": step, "wrapped": false})
    );
    assert_eq!((&found["startOrEnd"], &found["timestamp"]), (&json!("start"), &json!(null)));
    assert_eq!(tree("a offset +(1m)")["offsetExpr"], wrapped);
    assert_eq!(tree("a[5m:]")["stepExpr"], json!(null));
}

#[test]
fn operators_tell_how_series_meet() {
    let found = tree("a == bool on (x, y) group_left (z) fill_left (-1.5) fill_right (Inf) b");
    assert_eq!(
        found,
        json!({
            "type": "binaryExpr", "op": "==", "bool": true, "lhs": series("a"), "rhs": series("b"),
            "matching": {
                "card": "many-to-one", "on": true, "labels": ["x", "y"], "include": ["z"],
                "fillValues": {"lhs": -1.5, "rhs": "+Inf"},
            },
        })
    );
    assert_eq!(tree("a and b")["matching"]["card"], json!("many-to-many"));
    assert_eq!(tree("a + 1 + 2")["lhs"]["matching"], json!(null));
    assert_eq!(tree("a + b + c")["lhs"]["rhs"], series("b"));
}

#[test]
fn the_other_parts_are_as_prometheus_has_them() {
    assert_eq!(tree("-1"), json!({"type": "numberLiteral", "val": "-1"}));
    assert_eq!(tree("'\\n'"), json!({"type": "stringLiteral", "val": "\n"}));
    assert_eq!(
        tree("-(a)"),
        json!({"type": "unaryExpr", "op": "-", "expr": {"type": "parenExpr", "expr": series("a")}})
    );
    assert_eq!(
        tree("round(a, 5m)"),
        json!({
            "type": "call",
            "func": {"name": "round", "argTypes": ["vector", "scalar"], "variadic": 1, "returnType": "vector"},
            "args": [series("a"), {"type": "numberLiteral", "val": "300"}],
        })
    );
    assert_eq!(
        tree("count_values without (x) ('v', a)"),
        json!({
            "type": "aggregation", "op": "count_values", "expr": series("a"), "grouping": ["x"], "without": true,
            "param": {"type": "stringLiteral", "val": "v"},
        })
    );
    assert_eq!(tree("sum(a)")["param"], json!(null));
}
