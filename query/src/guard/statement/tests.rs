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

#[test]
fn calls_inside_each_other_are_few() {
    let nested = |levels: usize| format!("SELECT {}x{}", "upper(".repeat(levels), ")".repeat(levels));
    assert_eq!(kind(&nested(8)), None);
    assert_eq!(kind(&nested(17)), Some(ErrorKind::TooLarge));
    assert_eq!(kind(&format!("SELECT {}1", "upper(x), ".repeat(100))), None, "beside each other");
    let grouped = format!("SELECT 1 WHERE {}a{}", "a AND (".repeat(30), ")".repeat(30));
    assert_eq!(kind(&grouped), None, "parentheses that are no calls");
}

/// Changes texts of a corpus; also what the fuzz targets replay their seeds with.
#[allow(dead_code, reason = "the part that reads seeds is not needed here")]
#[path = "../../../../fuzz/checks/replay.rs"]
mod replay;

/// A stack as large as the one that statements are planned on.
const STACK_BYTES: usize = 64 << 20;

#[test]
fn changed_texts_are_accepted_or_refused() {
    let corpus: Vec<&str> =
        include_str!("../../../tests/hostile.sql").lines().filter(|l| !l.starts_with("--")).collect();
    let work = move || {
        let (mut accepted, mut refused) = (0, 0);
        for (n, text) in corpus.iter().enumerate() {
            for change in 0..40 {
                // A piece of another statement behind this one, then bytes changed.
                let other = corpus[(n * 31 + change as usize * 7) % corpus.len()].as_bytes();
                let spliced = [text.as_bytes(), b" ", &other[other.len() / 2..]].concat();
                let whole = if change % 2 == 0 { text.as_bytes() } else { &spliced };
                match parse(&String::from_utf8_lossy(&replay::changed(whole, change)), 1 << 16) {
                    Ok(_) => accepted += 1,
                    Err(error) => {
                        assert!(!error.to_string().is_empty());
                        refused += 1;
                    }
                }
            }
        }
        (accepted, refused)
    };
    let (accepted, refused) = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(work).unwrap().join().unwrap();
    assert!(
        accepted > 500 && refused > 500,
        "{accepted} accepted, {refused} refused: the changes are too wild or too tame"
    );
}
