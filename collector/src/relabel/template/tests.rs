use super::*;

/// The template with what an expression matches in `abc`; its groups are 1 `a`, 2 `first` `b`, 3 `01` which takes no part,
/// 4 `first` `c`.
fn expanded(template: &str) -> String {
    let regex = Regex::new("^(a)(b)(?:(x)|(c))$").unwrap();
    let groups = [None, None, Some("first".into()), Some("01".into()), Some("first".into())];
    let mut out = String::from(">");
    Template::new(template, &groups).unwrap().expand(&regex.captures("abc").unwrap(), &mut out);
    out
}

#[test]
fn references_are_read_as_go_reads_them() {
    let cases = [
        ("", ">"),
        ("text", ">text"),
        ("$0|$1|$2|$4", ">abc|a|b|c"),
        ("${1}${2}", ">ab"),
        ("[$3][$5][$99]", ">[][][]"),
        ("[$01][${01}][$001]", ">[][][]"),
        ("$first|${first}s|$firsts|$First", ">b|bs||"),
        ("$$|$$1|$$$1|$", ">$|$1|$a|$"),
        ("$-|$ 1|${|${}|${1|${1 }|${-}", ">$-|$ 1|${|${}|${1|${1 }|${-}"),
        ("$1_|$1é|$1٣|$1\u{93e}|$1Ⅷ|$é$1", ">|||a\u{93e}|aⅧ|a"),
        ("${1}}${{1}", ">a}${{1}"),
        ("$18446744073709551616|$340282366920938463463374607431768211456", ">|"),
    ];
    for (template, expected) in cases {
        assert_eq!(expanded(template), expected, "{template}");
    }
}
