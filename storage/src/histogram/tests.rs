use proptest::prelude::*;

use super::*;

fn spans() -> impl Strategy<Value = Vec<Span>> {
    prop::collection::vec((-9i32..9, 0u32..4).prop_map(|(offset, length)| Span { offset, length }), 0..4)
}

fn counts(positive: usize, negative: usize, bits: &[u64], is_float: bool) -> Counts {
    let at = |place: usize| bits[place % bits.len()].rotate_left(place as u32);
    let side = |from: usize, len: usize| (from..from + len).map(at).collect::<Vec<u64>>();
    let integer =
        BucketCounts { count: at(0), zero: at(1), positive: side(2, positive), negative: side(2 + positive, negative) };
    if !is_float {
        return Counts::Integer(integer);
    }
    let float = |bits: &[u64]| bits.iter().copied().map(f64::from_bits).collect();
    Counts::Float(BucketCounts {
        count: f64::from_bits(integer.count),
        zero: f64::from_bits(integer.zero),
        positive: float(&integer.positive),
        negative: float(&integer.negative),
    })
}

prop_compose! {
    /// Any histogram whose spans fit its buckets, sound or not.
    pub(crate) fn histogram()(
        (schema, hint, start_ms) in (any::<i8>(), 0u8..4, any::<Option<i64>>()),
        (sum, zero_threshold) in (any::<u64>(), any::<u64>()),
        custom_bounds in prop::collection::vec(any::<u64>().prop_map(f64::from_bits), 0..3),
        (positive_spans, negative_spans) in (spans(), spans()),
        bits in prop::collection::vec(any::<u64>(), 1..5),
        is_float in any::<bool>(),
    ) -> NativeHistogram {
        let of = |spans: &[Span]| buckets(spans) as usize;
        NativeHistogram {
            schema,
            reset_hint: ResetHint::from_u8(hint).unwrap(),
            start_ms,
            sum: f64::from_bits(sum),
            zero_threshold: f64::from_bits(zero_threshold),
            custom_bounds,
            counts: counts(of(&positive_spans), of(&negative_spans), &bits, is_float),
            positive_spans,
            negative_spans,
        }
    }
}

/// Everything it says, doubles by their bits.
fn told(histogram: &NativeHistogram) -> (String, Vec<u64>) {
    let mut bits: Vec<u64> = vec![histogram.sum.to_bits(), histogram.zero_threshold.to_bits()];
    bits.extend(histogram.custom_bounds.iter().map(|bound| bound.to_bits()));
    match &histogram.counts {
        Counts::Integer(counts) => bits.extend(all(counts)),
        Counts::Float(counts) => bits.extend(all(counts).map(|count| count.to_bits())),
    }
    let NativeHistogram { schema, reset_hint, start_ms, positive_spans, negative_spans, counts, .. } = histogram;
    let kind = std::mem::discriminant(counts);
    (format!("{schema} {reset_hint:?} {start_ms:?} {positive_spans:?} {negative_spans:?} {kind:?}"), bits)
}

proptest! {
    #[test]
    fn histograms_come_back_bit_for_bit(histograms in prop::collection::vec((histogram(), 1usize..4), 0..8)) {
        let (mut encoder, mut out, mut written) = (HistogramEncoder::default(), Vec::new(), Vec::new());
        for (histogram, times) in histograms {
            for time in 0..times {
                let mut grown = histogram.clone();
                if let Counts::Integer(counts) = &mut grown.counts {
                    counts.positive.iter_mut().for_each(|count| *count = count.wrapping_add(time as u64));
                }
                encoder.put(&mut out, &grown);
                written.push(told(&grown));
            }
        }
        let (mut decoder, mut reader) = (HistogramDecoder::default(), Reader::new(&out));
        for expected in written {
            prop_assert_eq!(told(&decoder.take(&mut reader).unwrap()), expected);
        }
        prop_assert_eq!(reader.left(), 0);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let (mut decoder, mut reader) = (HistogramDecoder::default(), Reader::new(&bytes));
        while let Ok(histogram) = decoder.take(&mut reader) {
            prop_assert!(histogram.buckets() <= bytes.len());
        }
    }
}

#[test]
fn what_has_hardly_changed_takes_few_bytes() {
    let spans = vec![Span { offset: 0, length: 40 }];
    let counts = BucketCounts { count: 40_000_000, positive: vec![1_000_000; 40], ..BucketCounts::default() };
    let mut histogram = NativeHistogram {
        sum: 5e6,
        positive_spans: spans,
        counts: Counts::Integer(counts),
        ..NativeHistogram::stale()
    };
    let (mut encoder, mut out) = (HistogramEncoder::default(), Vec::new());
    encoder.put(&mut out, &histogram);
    let first = out.len();
    histogram.sum += 7.0;
    if let Counts::Integer(counts) = &mut histogram.counts {
        counts.count += 1;
        counts.positive[3] += 1;
    }
    encoder.put(&mut out, &histogram);
    assert!(out.len() - first < 50, "{} bytes", out.len() - first);
}
