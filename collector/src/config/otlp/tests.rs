use super::*;

fn read(fields: &str) -> Result<OtlpConfig, String> {
    let config: OtlpConfig = serde_saphyr::from_str(fields).map_err(|e| e.to_string())?;
    config.validate().map_err(|e| e.to_string())?;
    Ok(config)
}

#[test]
fn the_words_are_those_of_prometheus() {
    let config = read(
        "{promote_resource_attributes: [host.name, ' region '], translation_strategy: NoUTF8EscapingWithSuffixes,
          keep_identifying_resource_attributes: true, promote_scope_metadata: true, convert_histograms_to_nhcb: true,
          label_name_underscore_sanitization: false, label_name_preserve_multiple_underscores: false}",
    );
    let keys = ["host.name", "region"].map(str::to_owned);
    let expected = Translation {
        strategy: Strategy::NoUtf8EscapingWithSuffixes,
        promotion: Promotion::Only(keys.into()),
        keep_identifying: true,
        promote_scope: true,
        classic_to_native: true,
        key_before_underscore: false,
        keep_underscores: false,
    };
    assert_eq!(config.unwrap().translation(), expected);
    let all = read("{promote_all_resource_attributes: true, ignore_resource_attributes: [a]}").unwrap();
    assert_eq!(all.translation().promotion, Promotion::AllBut(["a".to_owned()].into()));
    assert_eq!(read("{}").unwrap().translation(), Translation::default());
    for word in ["UnderscoreEscapingWithSuffixes", "UnderscoreEscapingWithoutSuffixes", "NoTranslation"] {
        let config = read(&format!("{{translation_strategy: {word}}}")).unwrap();
        assert_eq!(format!("{:?}", config.translation().strategy), word);
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for (fields, expected) in [
        ("{promote_all_resource_attributes: true, promote_resource_attributes: [a]}", "are both given"),
        ("{ignore_resource_attributes: [a]}", "there is nothing to ignore"),
        ("{promote_resource_attributes: [a, ' a']}", "\"a\" twice"),
        ("{promote_resource_attributes: ['']}", "an empty attribute"),
        ("{translation_strategy: Underscore}", "translation_strategy"),
        ("{promote_resource_attribute: [a]}", "promote_resource_attribute"),
        (
            "{memory_limit: 207MB}",
            "memory_limit 207MB has no room for one request of 208MB, body_size_limit and three times",
        ),
        ("{max_delta_series: 0}", "max_delta_series is 0"),
        ("{delta_idle: 0s}", "delta_idle is 0s"),
    ] {
        let error = read(fields).unwrap_err();
        assert!(error.contains(expected), "{fields} -> {error}");
    }
}
