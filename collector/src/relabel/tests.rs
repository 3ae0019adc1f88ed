use super::*;
use crate::config::RelabelAction;

fn rules(yaml: &str) -> Result<Rules, String> {
    let configs: Vec<RelabelConfig> = serde_saphyr::from_str(yaml).map_err(|e| e.to_string())?;
    Rules::new(&configs).map_err(|e| e.to_string())
}

#[test]
fn no_rules_keep_everything() {
    let mut labels = LabelSet::new([("a", "x")]);
    let rules = rules("[]").unwrap();
    assert!(rules.is_empty() && rules.apply(&mut labels));
    assert_eq!(labels.get("a"), "x");
}

#[test]
fn errors_name_rule_action_and_mending() {
    let cases = [
        ("[{}]", "rules[0] (replace): target_label is missing, name the label to write or to compare with"),
        (
            "[{action: keep}, {action: hashmod, target_label: a}]",
            "rules[1] (hashmod): modulus is 0, set it to the number of parts",
        ),
        ("[{action: keep, source_labels: [a, '']}]", "rules[0] (keep): source_labels holds an empty name"),
        (
            "[{action: labeldrop, target_label: a}]",
            "rules[0] (labeldrop): target_label does not go with this action, leave it out",
        ),
        (
            "[{action: labelmap, replacement: ''}]",
            "rules[0] (labelmap): replacement is empty, no label can be copied to that name",
        ),
        (r"[{action: drop, regex: 'a\d)'}]", r#"rules[0] (drop): regex "a\\d)": )$ closes a group that is not open"#),
    ];
    for (yaml, expected) in cases {
        assert_eq!(rules(yaml).unwrap_err(), expected, "{yaml}");
    }
}

#[test]
fn a_bomb_is_an_error() {
    let error = rules(r"[{action: keep, regex: '(?:(\pL|\pN|\pP){10}){100}'}]").unwrap_err();
    let expected = "takes more than 16MB compiled, repeat less or split it up";
    assert!(error.starts_with("rules[0] (keep): regex") && error.ends_with(expected), "{error}");
}

#[test]
fn a_long_list_of_names_is_no_bomb() {
    let names: Vec<String> = (0..5000).map(|number| format!("namespace-{:08x}", number * 7919)).collect();
    let config = RelabelConfig {
        source_labels: Some(vec!["a".into()]),
        regex: Some(names.join("|")),
        action: RelabelAction::Drop,
        ..RelabelConfig::default()
    };
    let rules = Rules::new(&[config]).unwrap();
    assert!(!rules.apply(&mut LabelSet::new([("a", &names[4999])])));
    assert!(rules.apply(&mut LabelSet::new([("a", &names[4999][1..])])));
}

/// The deepest expressions that are taken do not overflow the stack of a thread.
#[test]
fn deep_expressions_are_compiled_and_matched() {
    let levels = model::go_regex::MAX_NESTING - 2;
    for (open, close) in [("(", ")"), ("(?:", ")?"), ("(a|", ")"), ("(?:(?i)", ")+?")] {
        let levels = if close == ")" { levels } else { levels / 2 };
        let expression = format!("{}b{}", open.repeat(levels), close.repeat(levels));
        let config = RelabelConfig {
            source_labels: Some(vec!["a".into()]),
            regex: Some(expression),
            action: RelabelAction::Keep,
            ..RelabelConfig::default()
        };
        let rules = Rules::new(&[config]).unwrap();
        assert!(rules.apply(&mut LabelSet::new([("a", "b")])), "{open} {close}");
    }
}

/// A dropped set stops at the rule that drops it.
#[test]
fn rules_behind_a_drop_are_not_applied() {
    let rules = rules("[{action: drop}, {target_label: a, replacement: x}]").unwrap();
    let mut labels = LabelSet::default();
    assert!(!rules.apply(&mut labels) && labels.is_empty());
}
