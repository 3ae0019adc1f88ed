//! The expressions of PromQL that must not hurt, as in `texts`.

/// Expressions of `hostile.promql`, and some too long to be written down, with what must come of each.
pub(crate) fn corpus() -> Vec<(&'static str, String)> {
    let mut expected = "";
    let mut corpus = Vec::new();
    for line in include_str!("../hostile.promql").lines() {
        match line.strip_prefix("# expect: ") {
            Some(what) => expected = what,
            None if expected.is_empty() => {}
            None => corpus.push((expected, line.to_owned())),
        }
    }
    let refused = [
        format!("{}1{}", "(".repeat(10_000), ")".repeat(10_000)),
        format!("{}1", "-".repeat(10_000)),
        format!("{}cpu{}", "abs(".repeat(10_000), ")".repeat(10_000)),
        format!("{}cpu{}", "max_over_time(".repeat(500), "[1m:1s])".repeat(500)),
        format!("cpu{}", " + cpu".repeat(10_000)),
        format!("cpu[{}1s{}]", "(".repeat(10_000), ")".repeat(10_000)),
        format!("\"{}\"", "x".repeat(1 << 20)),
        "{".repeat(60_000),
        "\u{0}\u{1}\u{2}".to_owned(),
        "\u{1f600}".repeat(10_000),
    ];
    let either = [
        format!("cpu{{{}}}", "a!~\"x.+\",".repeat(1_000)),
        format!("cpu{}", " + cpu".repeat(400)),
        format!("time(){}", " + time()".repeat(900)),
        format!("{}cpu{}", "abs(".repeat(200), ")".repeat(200)),
        format!("{}vector(time()){}", "max_over_time(".repeat(20), "[10m:1s])".repeat(20)),
        vec!["sum({__name__=~\".+\"})"; 300].join(" + "),
        vec!["max_over_time(vector(time())[10d:1s])"; 100].join(" + "),
        format!("cpu{{cpu=~\"{}\"}}", vec!["x"; 20_000].join("|")),
        format!("sum by ({}) (cpu)", vec!["a"; 10_000].join(",")),
    ];
    corpus.extend(refused.map(|text| ("error", text)));
    corpus.extend(either.map(|text| ("any", text)));
    corpus
}
