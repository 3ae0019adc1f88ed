use super::*;

#[test]
fn functions_are_found_by_their_names() {
    assert!(FUNCTIONS.windows(2).all(|pair| pair[0].name < pair[1].name), "the table is searched by halves");
    assert_eq!(FUNCTIONS.len(), 90);
    for function in FUNCTIONS {
        assert_eq!(Signature::find(function.name), Some(function));
    }
    assert_eq!(Signature::find("Rate"), None);
    assert_eq!(Signature::find(""), None);
}

#[test]
fn arguments_have_a_number_and_types() {
    let of = |name| {
        let function = Signature::find(name).unwrap();
        (function.least(), function.most(), function.arg(0), function.arg(9))
    };
    assert_eq!(of("pi"), (0, Some(0), None, None));
    assert_eq!(of("hour"), (0, Some(1), Some(Vector), Some(Vector)));
    assert_eq!(of("round"), (1, Some(2), Some(Vector), Some(Scalar)));
    assert_eq!(of("label_join"), (3, None, Some(Vector), Some(String)));
    assert_eq!(of("histogram_quantiles"), (3, Some(12), Some(Vector), Some(Scalar)));
    assert_eq!(of("quantile_over_time"), (2, Some(2), Some(Scalar), Some(Matrix)));
}

#[test]
fn unknown_names_are_told_with_those_that_are_alike() {
    for (name, message) in [
        ("rat", r#"unknown function with name "rat", did you mean "rad" or "rate""#),
        ("Rate", r#"unknown function with name "Rate", did you mean "rate""#),
        ("sum_over_tme", r#"unknown function with name "sum_over_tme", did you mean "sum_over_time""#),
        ("absx", r#"unknown function with name "absx", did you mean "abs""#),
        ("holt_winters", r#"unknown function with name "holt_winters""#),
    ] {
        assert_eq!(Signature::unknown(name), message);
    }
}
