use bytes::Bytes;
use decode::Limits;

use super::*;

fn conditions(yaml: &str, target_labels: &[(&str, &str)]) -> Conditions {
    let config: ScrapeConfig = serde_saphyr::from_str(&format!("{{job_name: node, cluster: east, {yaml}}}")).unwrap();
    config.validate().unwrap();
    let rules = Arc::new(Rules::new(&config.metric_relabel_configs).unwrap());
    let labels = target_labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Conditions::new(&config, rules, labels)
}

/// What one line of a page becomes: names and values in order, `None` if it is dropped.
fn labels(conditions: &Conditions, line: &str) -> Result<Option<String>, String> {
    let page = decode::text::decode(&Bytes::from(format!("{line} 1\n")), 0, &Limits::default()).unwrap();
    let made = conditions.labels_of(&page, 0, &mut LabelsBuilder::default()).map_err(|failure| failure.message)?;
    Ok(made.map(|bytes| {
        let fields: Vec<&str> =
            bytes.split(|byte| *byte == 0xff).map(|field| std::str::from_utf8(field).unwrap()).collect();
        let pairs: Vec<String> = fields.chunks_exact(2).map(|pair| format!("{}={}", pair[0], pair[1])).collect();
        pairs.join(",")
    }))
}

const TARGET: [(&str, &str); 2] = [("instance", "host:1"), ("job", "node")];

#[test]
fn the_labels_of_the_target_are_added_and_win() {
    let conditions = conditions("", &TARGET);
    let case = |line: &str, expected: &str| assert_eq!(labels(&conditions, line).unwrap().unwrap(), expected, "{line}");
    case("a", "__name__=a,instance=host:1,job=node");
    case(r#"a{job="own",x="1"}"#, "__name__=a,exported_job=own,instance=host:1,job=node,x=1");
    case(r#"a{job=""}"#, "__name__=a,instance=host:1,job=node");
    let taken = r#"a{job="own",exported_job="other"}"#;
    case(taken, "__name__=a,exported_exported_job=own,exported_job=other,instance=host:1,job=node");
}

#[test]
fn a_label_that_moved_does_not_push_another_one_aside() {
    let conditions = conditions("", &[("a", "1"), ("exported_a", "2")]);
    let line = r#"m{a="x",exported_a="y"}"#;
    let expected = "__name__=m,a=1,exported_a=2,exported_exported_a=x,exported_exported_exported_a=y";
    assert_eq!(labels(&conditions, line).unwrap().unwrap(), expected);
}

#[test]
fn honored_labels_win_even_empty() {
    let conditions = conditions("honor_labels: true", &TARGET);
    let case = |line: &str, expected: &str| assert_eq!(labels(&conditions, line).unwrap().unwrap(), expected, "{line}");
    case("a", "__name__=a,instance=host:1,job=node");
    case(r#"a{job="own"}"#, "__name__=a,instance=host:1,job=own");
    case(r#"a{instance="",job="own"}"#, "__name__=a,job=own");
}

#[test]
fn rules_see_the_labels_of_the_target_and_the_name() {
    let rules = "metric_relabel_configs: [\
        {source_labels: [__name__], regex: 'go_.*', action: drop}, \
        {source_labels: [job, instance], target_label: from}, \
        {source_labels: [__name__], regex: 'old_(.*)', target_label: __name__, replacement: 'new_$1'}]";
    let conditions = conditions(rules, &TARGET);
    assert_eq!(labels(&conditions, "go_threads"), Ok(None));
    let renamed = labels(&conditions, "old_a").unwrap().unwrap();
    assert_eq!(renamed, "__name__=new_a,from=node;host:1,instance=host:1,job=node");
}

#[test]
fn limits_count_what_relabeling_left() {
    let case = |yaml: &str, line: &str, expected: &str| {
        let error = labels(&conditions(yaml, &TARGET), line).unwrap_err();
        assert!(error.contains(expected), "{error}");
    };
    // The name and the two labels of the target are three already.
    assert!(labels(&conditions("label_limit: 4", &TARGET), r#"a{x="1"}"#).is_ok());
    case("label_limit: 4", r#"a{x="1",y="2"}"#, "a has 5 labels, label_limit is 4");
    case("label_name_length_limit: 8", r#"a{long_name="1"}"#, "label_name_length_limit is 8");
    case("label_value_length_limit: 6", r#"a{x="1234567"}"#, "value of 7 bytes, label_value_length_limit is 6");
    let nameless = "metric_relabel_configs: [{target_label: __name__, replacement: ''}]";
    case(nameless, "a", "has no name after relabeling");
}

#[test]
fn the_report_has_the_labels_of_the_target_alone() {
    let rules = "metric_relabel_configs: [{target_label: x, replacement: y}]";
    let bytes = conditions(rules, &TARGET).labels_of_report("up");
    assert_eq!(bytes, b"__name__\xffup\xffinstance\xffhost:1\xffjob\xffnode\xff");
}
