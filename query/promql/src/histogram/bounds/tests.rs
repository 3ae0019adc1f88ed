//! Bounds of exponential buckets, as Prometheus shows them.

use proptest::prelude::*;

use super::*;
use crate::number::answer_text;

/// The index of a bucket, its lower and its upper bound.
type Case = (i64, &'static str, &'static str);

/// The schema, and some of its buckets.
const CASES: &[(i8, &[Case])] = &[
    (
        -4,
        &[
            (-2, "3.552713678800501e-15", "2.3283064365386963e-10"),
            (0, "0.0000152587890625", "1"),
            (1, "1", "65536"),
            (3, "4294967296", "281474976710656"),
            (64, "2.7430620343968443e+303", "1.7976931348623157e+308"),
            (65, "1.7976931348623157e+308", "+Inf"),
        ],
    ),
    (
        -1,
        &[
            (-3, "0.00390625", "0.015625"),
            (0, "0.25", "1"),
            (1, "1", "4"),
            (512, "4.49423283715579e+307", "1.7976931348623157e+308"),
            (513, "1.7976931348623157e+308", "+Inf"),
        ],
    ),
    (
        0,
        &[
            (-1073, "5e-324", "1e-323"),
            (-5, "0.015625", "0.03125"),
            (0, "0.5", "1"),
            (1, "1", "2"),
            (1024, "8.98846567431158e+307", "1.7976931348623157e+308"),
            (1025, "1.7976931348623157e+308", "+Inf"),
        ],
    ),
    (
        1,
        &[
            (-1, "0.5", "0.7071067811865475"),
            (1, "1", "1.414213562373095"),
            (2, "1.414213562373095", "2"),
            (2049, "1.7976931348623157e+308", "+Inf"),
        ],
    ),
    (
        2,
        &[
            (1, "1", "1.189207115002721"),
            (3, "1.414213562373095", "1.6817928305074288"),
            (6, "2.378414230005442", "2.82842712474619"),
        ],
    ),
    (
        3,
        &[
            (-5, "0.5946035575013605", "0.6484197773255048"),
            (1, "1", "1.0905077326652577"),
            (7, "1.6817928305074288", "1.8340080864093422"),
            (13, "2.82842712474619", "3.0844216508158815"),
            (8193, "1.7976931348623157e+308", "+Inf"),
        ],
    ),
    (4, &[(-27, "0.29730177875068026", "0.310464453018371"), (5, "1.189207115002721", "1.241857812073484")]),
    (5, &[(31, "1.915206561397147", "1.9571441241753997"), (33, "2", "2.0437942973082333")]),
    (6, &[(-63, "0.5", "0.5054446430258502"), (47, "1.6457554781539645", "1.6636765803267362")]),
    (7, &[(-3, "0.9785720620876999", "0.9838856116165875"), (101, "1.7186192981224775", "1.727951230961837")]),
    (
        8,
        &[
            (-256, "0.4986480280427349", "0.5"),
            (1, "1", "1.0027112750502025"),
            (37, "1.102382583307841", "1.1053714457017412"),
            (255, "1.9891988469672657", "1.9945921121709396"),
            (261000, "8.09677122412227e+306", "8.118723797929431e+306"),
        ],
    ),
];

#[test]
fn bounds_are_those_of_prometheus_to_the_last_digit() {
    for (schema, buckets) in CASES {
        for (index, lower, upper) in *buckets {
            let got = (upper_bound(index - 1, *schema), upper_bound(*index, *schema));
            let expected: (f64, f64) = (lower.parse().unwrap(), upper.parse().unwrap());
            let shown = (answer_text(got.0), answer_text(got.1));
            assert_eq!(got, expected, "bucket {index} of schema {schema} is {shown:?}");
        }
    }
}

#[test]
fn every_bound_is_within_a_few_units_of_the_power_it_stands_for() {
    for schema in 0..=MAX_SCHEMA {
        for index in 0..1 << schema {
            let exact = (index as f64 / f64::from(1u32 << schema)).exp2();
            let got = upper_bound(index, schema);
            assert!((got - exact).abs() < 4.0 * f64::EPSILON * exact, "bound {index} of schema {schema} is {got}");
        }
    }
}

#[test]
fn the_logarithm_of_a_power_of_two_is_whole() {
    for exponent in [-1022, -30, -1, 0, 1, 9, 1023] {
        assert_eq!(log2(power_of_two(exponent)), exponent as f64);
    }
    assert_eq!(log2(0.0), f64::NEG_INFINITY);
    assert_eq!(log2(f64::INFINITY), f64::INFINITY);
    assert_eq!(log2(5e-324), -1074.0);
}

proptest! {
    #[test]
    fn bounds_ascend_and_coarser_ones_are_among_finer_ones(schema in -4i8..MAX_SCHEMA, index in -500i64..500) {
        prop_assert!(upper_bound(index, schema) < upper_bound(index + 1, schema) || index.abs() > 60);
        prop_assert_eq!(upper_bound(index, schema), upper_bound(index * 2, schema + 1));
    }

    #[test]
    fn logarithms_agree_with_those_of_the_library(value in 1e-300f64..1e300) {
        prop_assert!((log2(value) - value.log2()).abs() <= 1e-12);
    }
}
