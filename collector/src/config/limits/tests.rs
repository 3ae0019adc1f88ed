use super::*;

fn read(yaml: &str) -> Result<LimitsConfig, Error> {
    let limits: LimitsConfig = serde_saphyr::from_str(yaml).unwrap();
    limits.validate()?;
    Ok(limits)
}

#[test]
fn limits_of_rows_are_read_written_and_narrow_what_a_receiver_takes() {
    let text = "{line_size_limit: 2MB, attribute_limit: 40, attribute_value_length_limit: 300, row_rate_limit: 600}";
    let limits = read(text).unwrap();
    let written = serde_saphyr::to_string(&limits).unwrap();
    assert_eq!(read(&written).unwrap(), limits, "{written}");
    let all = limits.over(&PushLimits::default());
    assert_eq!(all.rows_per_second, Some(600));
    let receiver = decode::Limits::default();
    let expected =
        decode::Limits { max_line_bytes: 2 << 20, max_attributes: 40, max_attribute_bytes: 300, ..receiver.clone() };
    assert_eq!(all.narrow(&receiver), expected);
    // What a cluster does not say is as for all.
    let own = read("{attribute_limit: 5, row_rate_limit: 7}").unwrap().over(&all);
    assert_eq!((own.attributes, own.rows_per_second, own.line_bytes), (5, Some(7), 2 << 20));
    assert_eq!(PushLimits::default().narrow(&receiver), receiver);
}

#[test]
fn a_limit_that_lets_nothing_in_or_takes_too_much_is_refused() {
    for (limit, expected) in [
        ("row_rate_limit: 0", "row_rate_limit is 0, nothing could be pushed"),
        ("sample_rate_limit: 0", "sample_rate_limit is 0"),
        ("line_size_limit: 0B", "line_size_limit is not between 1 and 16777216"),
        ("line_size_limit: 17MB", "line_size_limit is not between"),
        ("attribute_limit: 1025", "attribute_limit is not between 1 and 1024"),
        ("attribute_value_length_limit: 0", "attribute_value_length_limit is not between 1 and 1048576"),
        ("label_limit: 0", "label_limit is not between"),
    ] {
        let error = read(&format!("{{{limit}}}")).unwrap_err().to_string();
        assert!(error.starts_with("limits: ") && error.contains(expected), "{limit} -> {error}");
    }
    read("{line_size_limit: 16MB, attribute_limit: 1024, row_rate_limit: 1}").unwrap();
}
