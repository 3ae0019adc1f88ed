use super::*;

fn kind(text: &str) -> Option<ErrorKind> {
    parse(text, 1 << 16).err().map(|error| error.kind())
}

#[test]
fn only_questions_are_statements() {
    for text in
        ["SELECT 1", "WITH a AS (SELECT 1) SELECT * FROM a", "EXPLAIN ANALYZE SELECT 1", "SHOW TABLES", "SELECT 1;"]
    {
        assert_eq!(kind(text), None, "{text}");
    }
    for text in [
        "DROP TABLE t",
        "EXPLAIN DROP TABLE t",
        "SET a = 1",
        "COPY t TO 'x'",
        "SHOW ALL",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "SELECT * INTO t FROM m",
    ] {
        assert_eq!(kind(text), Some(ErrorKind::Forbidden), "{text}");
    }
    assert_eq!(kind("SELECT 1; SELECT 2"), Some(ErrorKind::Invalid));
}

#[test]
fn a_refused_statement_has_its_place() {
    let place = |text: &str| parse(text, 1 << 16).unwrap_err().position().map(|at| (at.line, at.column));
    assert_eq!(place("DROP TABLE t"), Some((1, 1)));
    assert_eq!(place("-- one\n  EXPLAIN COPY t TO 'x'"), Some((2, 3)));
    assert_eq!(place("SELECT ';';;\n /* ; */ DROP TABLE t; SELECT 2"), Some((2, 10)));
}

#[test]
fn expressions_that_double_are_weighed_as_expanded() {
    let doubled = |links: usize| {
        let ctes: Vec<String> = (1..=links).map(|i| format!("c{i} AS (SELECT * FROM c{0} a, c{0} b)", i - 1)).collect();
        format!("WITH c0 AS (SELECT * FROM t), {} SELECT * FROM c{links}", ctes.join(", "))
    };
    assert_eq!(kind(&doubled(6)), None, "2^6 tables");
    assert_eq!(kind(&doubled(8)), Some(ErrorKind::TooLarge), "2^8 tables");
    assert_eq!(kind(&doubled(60)), Some(ErrorKind::TooLarge));
}

#[test]
fn the_cap_on_operators_names_the_place() {
    let error = parse(&format!("SELECT 1\n{}", "+1".repeat(300)), 1 << 16).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TooLarge);
    assert_eq!(error.position().map(|at| at.line), Some(2));
}
