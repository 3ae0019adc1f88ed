use super::*;

fn integer(spans: &[(i32, u32)], positive: &[u64]) -> NativeHistogram {
    let counts = BucketCounts { count: positive.iter().sum(), positive: positive.to_vec(), ..BucketCounts::default() };
    NativeHistogram {
        sum: 1.0,
        positive_spans: spans.iter().map(|(offset, length)| Span { offset: *offset, length: *length }).collect(),
        counts: Counts::Integer(counts),
        ..NativeHistogram::stale()
    }
}

fn refused(histogram: &NativeHistogram) -> String {
    histogram.validate().unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_together_is_named() {
    integer(&[(-3, 2), (1, 1)], &[1, 0, 5]).validate().unwrap();
    let cases = [
        (integer(&[(0, 2)], &[1]), "the positive spans of a histogram are 2 buckets long, it has 1"),
        (integer(&[(0, 1), (-1, 1)], &[1, 1]), "the positive spans of a histogram overlap"),
        (integer(&[(i32::MAX, 1)], &[1]), "the positive spans of a histogram reach to bucket 2147483648"),
        (NativeHistogram { schema: 9, ..integer(&[], &[]) }, "schema 9"),
        (NativeHistogram { schema: -5, ..integer(&[], &[]) }, "schema -5"),
        (NativeHistogram { zero_threshold: -1.0, ..integer(&[], &[]) }, "zero threshold -1"),
        (NativeHistogram { custom_bounds: vec![1.0], ..integer(&[], &[]) }, "bounds of its own"),
        (integer(&[(0, 2)], &[u64::MAX, 0]), "at most 2^63 - 1"),
    ];
    for (histogram, part) in cases {
        assert!(refused(&histogram).contains(part), "{histogram:?}: {}", refused(&histogram));
    }
    let mut counted = integer(&[(0, 1)], &[1]);
    if let Counts::Integer(counts) = &mut counted.counts {
        counts.count = 2;
    }
    assert!(refused(&counted).contains("counts 2 observations, its buckets 1"));
    counted.sum = f64::NAN;
    counted.validate().unwrap();
    let float = BucketCounts { count: 1.0, zero: -0.5, ..BucketCounts::default() };
    let float = NativeHistogram { counts: Counts::Float(float), ..integer(&[], &[]) };
    assert!(refused(&float).contains("negative count -0.5"));
}

#[test]
fn custom_buckets_have_their_own_rules() {
    let custom = |bounds: &[f64], spans: &[(i32, u32)], counts: &[u64]| NativeHistogram {
        schema: CUSTOM_BUCKETS,
        custom_bounds: bounds.to_vec(),
        ..integer(spans, counts)
    };
    custom(&[0.1, 1.0], &[(0, 3)], &[1, 2, 3]).validate().unwrap();
    custom(&[], &[(0, 1)], &[1]).validate().unwrap();
    for wrong in [
        custom(&[0.1, 1.0], &[(0, 4)], &[1, 2, 3, 4]),
        custom(&[1.0, 1.0], &[(0, 1)], &[1]),
        custom(&[f64::INFINITY], &[(0, 1)], &[1]),
        custom(&[0.1], &[(-1, 1)], &[1]),
        NativeHistogram { zero_threshold: 0.1, ..custom(&[0.1], &[], &[]) },
        NativeHistogram { negative_spans: vec![Span { offset: 0, length: 0 }], ..custom(&[0.1], &[], &[]) },
    ] {
        wrong.validate().unwrap_err();
    }
}

#[test]
fn a_stale_one_is_sound_whatever_else_it_says() {
    let stale = NativeHistogram { schema: 100, ..NativeHistogram::stale() };
    assert!(stale.is_stale());
    stale.validate().unwrap();
}

#[test]
fn coarser_buckets_hold_what_the_finer_ones_held() {
    // Buckets 1 and 2 of schema 1 end at sqrt(2) and 2: together they are bucket 1 of schema 0.
    let mut histogram = NativeHistogram { schema: 1, ..integer(&[(-1, 5)], &[1, 2, 4, 8, 16]) };
    histogram.reduce_to(0);
    histogram.validate().unwrap();
    let Counts::Integer(counts) = &histogram.counts else { panic!() };
    let got: Vec<_> = indexed(&histogram.positive_spans, &counts.positive).collect();
    // -1 | 0 -> 0, 1 | 2 -> 1, 3 -> 2
    assert_eq!(got, [(0, 3), (1, 12), (2, 16)]);
    assert_eq!(histogram.schema, 0);
    let before = histogram.clone();
    histogram.reduce_to(3);
    assert_eq!(histogram, before, "never finer");
}

#[test]
fn spans_and_indices_say_the_same() {
    let indices = [-7, -6, 0, 1, 2, 9];
    let spans = spans_of(indices);
    let counts = [1u64; 6];
    assert_eq!(indexed(&spans, &counts).map(|(index, _)| index).collect::<Vec<_>>(), indices);
    assert_eq!(spans[0], Span { offset: -7, length: 2 });
    assert_eq!(spans[1], Span { offset: 5, length: 3 });
}
