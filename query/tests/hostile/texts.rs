//! The texts that must not hurt: asked of the engine by its own tests, and through a socket by the integration tests.

/// Statements of `hostile.sql` with what must come of each.
pub(crate) fn corpus() -> Vec<(String, String)> {
    let mut expected = "";
    let mut corpus = Vec::new();
    for line in include_str!("../hostile.sql").lines() {
        match line.strip_prefix("-- expect: ") {
            Some(what) => expected = what,
            None if expected.is_empty() => {}
            None => corpus.push((expected.to_owned(), line.to_owned())),
        }
    }
    corpus
}

/// Statements too long to be written down.
pub(crate) fn generated() -> Vec<(String, String)> {
    let chained = |links: usize, body: &dyn Fn(usize) -> String| {
        let ctes: Vec<String> = (1..links).map(|i| format!("c{i} AS ({})", body(i))).collect();
        format!("WITH c0 AS (SELECT 1 AS x), {} SELECT * FROM c{}", ctes.join(", "), links - 1)
    };
    let nested =
        |depth: usize| format!("SELECT * FROM {}(SELECT 1){}", "(SELECT * FROM ".repeat(depth), ") t".repeat(depth));
    let refused = vec![
        format!("SELECT 1{}", "+1".repeat(20_000)),
        format!("SELECT 1{}", "+1".repeat(1_000)),
        format!("SELECT * FROM metrics WHERE name = 'a'{}", " OR name = 'b'".repeat(4_000)),
        format!("SELECT * FROM metrics WHERE {} TRUE", "NOT ".repeat(5_000)),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(3_000)),
        format!("SELECT 1{}", " UNION SELECT 1".repeat(100)),
        format!("SELECT {}1{}", "(".repeat(20_000), ")".repeat(20_000)),
        format!("SELECT {}1{}", "abs(".repeat(1_000), ")".repeat(1_000)),
        format!("SELECT {}", "[".repeat(10_000)),
        format!("SELECT {}1{}", "CASE WHEN true THEN ".repeat(500), " END".repeat(500)),
        format!("SELECT {}1", "- ".repeat(20_000)),
        format!("SELECT 1{}", "::INT".repeat(5_000)),
        format!("SELECT {}", vec!["a"; 20_000].join(",")),
        format!("SELECT * FROM metrics{}", ", metrics".repeat(5_000)),
        format!(
            "SELECT * FROM metrics m0{}",
            (1..60).map(|i| format!(" JOIN metrics m{i} ON m0.ts = m{i}.ts")).collect::<String>()
        ),
        format!("SELECT * FROM metrics WHERE name IN ({})", vec!["'x'"; 12_000].join(",")),
        format!("SELECT '{}'", "x".repeat(1 << 20)),
        format!("SELECT {}", "a.".repeat(30_000)),
        format!("SELECT x FROM t{}", " WHERE EXISTS (SELECT 1 FROM t".repeat(100)),
        nested(100),
        chained(1_000, &|i| format!("SELECT * FROM c{}", i - 1)),
        chained(60, &|i| format!("SELECT a.x AS x FROM c{0} a, c{0} b", i - 1)),
        chained(40, &|i| format!("SELECT * FROM c{0} a, c{0} b", i - 1)),
        format!("{}SELECT 1", "EXPLAIN ".repeat(5_000)),
        format!("{}SELECT 1", "/*".repeat(30_000)),
        "\u{0}\u{1}\u{2}".to_owned(),
        "SELECT '\u{202e}' FROM \u{feff}metrics".to_owned(),
        "\u{1f600}".repeat(10_000),
    ];
    let either = vec![
        nested(20),
        chained(60, &|i| format!("SELECT * FROM c{}", i - 1)),
        chained(6, &|i| format!("SELECT a.x FROM c{0} a, c{0} b", i - 1)),
        format!("SELECT 1{}", "+1".repeat(200)),
        format!("SELECT * FROM metrics WHERE name IN ({})", vec!["'x'"; 9_000].join(",")),
        format!(
            "SELECT * FROM metrics m0{}",
            (1..20)
                .map(|i| format!(" JOIN metrics m{i} ON m0.ts = m{i}.ts AND m0.value = m{i}.value"))
                .collect::<String>()
        ),
        format!("SELECT count(*) FROM metrics WHERE labels['a'] = '{}'", "x".repeat(60_000)),
        format!("SELECT concat({}) FROM metrics", vec!["repeat(name, 9000)"; 120].join(",")),
        format!(
            "WITH a AS (SELECT repeat(name, 1000) AS x FROM metrics){} SELECT max(x) FROM b9",
            (0..10)
                .map(|i| format!(
                    ", b{i} AS (SELECT x || x AS x FROM {})",
                    if i == 0 { "a".to_owned() } else { format!("b{}", i - 1) }
                ))
                .collect::<String>()
        ),
        format!(
            "WITH a AS (SELECT make_array(1, 2, 3, 4) AS x FROM metrics){} SELECT max(array_length(x)) FROM b29",
            (0..30)
                .map(|i| format!(
                    ", b{i} AS (SELECT array_concat(x, x) AS x FROM {})",
                    if i == 0 { "a".to_owned() } else { format!("b{}", i - 1) }
                ))
                .collect::<String>()
        ),
    ];
    [expecting("error", refused), expecting("any", either), of_promql()].concat()
}

/// Statements with expressions of PromQL too long to be written down.
fn of_promql() -> Vec<(String, String)> {
    let all = "SELECT value AS x FROM promql('{__name__=~\".+\"}', 1767225600, 1767236600, 1)";
    let many = (0..60).map(|number| format!("c{number} AS ({all})")).collect::<Vec<_>>().join(", ");
    let refused = vec![
        format!("SELECT * FROM promql('{}1{}')", "(".repeat(10_000), ")".repeat(10_000)),
        format!("SELECT * FROM promql('up{}')", " + up".repeat(5_000)),
        format!("SELECT * FROM promql('up'){}", ", promql('up')".repeat(200)),
        format!("SELECT * FROM promql('time(){}')", " + time()".repeat(900)),
    ];
    let either = vec![
        format!("SELECT * FROM promql('up{}', 1767225600)", " + up".repeat(100)),
        format!("SELECT * FROM promql('time(){}')", " + time()".repeat(240)),
        format!("SELECT * FROM promql('{}up{}', 1767225600, 1767236600, 1)", "abs(".repeat(200), ")".repeat(200)),
        format!(
            "SELECT count(*) FROM promql('up') p0{}",
            (1..30).map(|i| format!(" JOIN promql('up[1h:1s]') p{i} ON p0.ts = p{i}.ts")).collect::<String>()
        ),
        format!("WITH {many} SELECT count(*) FROM c0, c1, c59"),
    ];
    [expecting("error", refused), expecting("any", either)].concat()
}

fn expecting(what: &str, texts: Vec<String>) -> Vec<(String, String)> {
    texts.into_iter().map(|text| (what.to_owned(), text)).collect()
}
