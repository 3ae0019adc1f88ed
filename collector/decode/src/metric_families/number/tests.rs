use super::label_text;

#[test]
fn numbers_are_written_as_prometheus_writes_them() {
    for (number, expected) in [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-1.0, "-1.0"),
        (10.0, "10.0"),
        (0.5, "0.5"),
        (0.99, "0.99"),
        (0.0001, "0.0001"),
        (0.000_025, "2.5e-05"),
        (123_456.0, "123456.0"),
        (999_999.5, "999999.5"),
        (1e6, "1e+06"),
        (1_048_576.0, "1.048576e+06"),
        (1e23, "1e+23"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (f64::INFINITY, "+Inf"),
        (f64::NEG_INFINITY, "-Inf"),
        (f64::NAN, "NaN"),
    ] {
        assert_eq!(label_text(number), expected);
    }
}
