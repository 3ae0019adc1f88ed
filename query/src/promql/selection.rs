//! From the matchers of a selector to those of the index.

use promql::ast::{MatchOp, Matcher as Written};
use storage::Matcher;
use storage::matcher::Condition;

/// The conditions of a selector on the labels of a series.
pub(crate) fn matchers(written: &[Written]) -> Vec<Matcher> {
    let matcher = |written: &Written| Matcher { label: written.label.clone(), condition: condition(written) };
    written.iter().map(matcher).collect()
}

fn condition(written: &Written) -> Condition {
    let value = || vec![written.value.clone()];
    let (is_negative, values) = match written.op {
        MatchOp::Equal => (false, value()),
        MatchOp::NotEqual => (true, value()),
        // Dashboards list the values of a variable this way: the index finds them without an expression.
        MatchOp::Regex | MatchOp::NotRegex => match alternatives(&written.value) {
            Some(values) => (written.op == MatchOp::NotRegex, values),
            None => return expression(written),
        },
    };
    if is_negative { Condition::NotIn(values) } else { Condition::In(values) }
}

fn expression(written: &Written) -> Condition {
    match (written.regex(), written.op) {
        (Ok(regex), MatchOp::NotRegex) => Condition::MatchesNot(regex),
        (Ok(regex), _) => Condition::Matches(regex),
        // The parser has refused those; none fulfils one.
        (Err(_), _) => Condition::In(Vec::new()),
    }
}

/// The texts that an expression stands for, if it is no more than a list of them.
fn alternatives(expression: &str) -> Option<Vec<String>> {
    let is_plain = |text: &str| text == regex::escape(text);
    let texts: Vec<&str> = expression.split('|').collect();
    texts.iter().all(|text| is_plain(text)).then(|| texts.into_iter().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_told_from_expressions() {
        assert_eq!(alternatives("a|b_c|"), Some(vec!["a".into(), "b_c".into(), String::new()]));
        assert_eq!(alternatives("eu"), Some(vec!["eu".into()]));
        for expression in ["a.b", "a+", "(a|b)", "a\\.b", "[ab]", "^a$", "10.0.0.1:9100"] {
            assert_eq!(alternatives(expression), None, "{expression}");
        }
    }
}
