use super::*;

/// Every byte at every lane, with a prefix that is skipped and a suffix that is not looked at.
#[test]
fn each_byte_is_classed_alike_in_each_lane_and_in_the_tail() {
    for kind in [Name::Metric, Name::Label] {
        for byte in 0..=255 {
            for lane in 0..20 {
                for tail in [0, 12] {
                    let text = [vec![b'Z'; lane], vec![byte], vec![b'-'; tail]].concat();
                    let expected = lane + usize::from(kind.holds(byte));
                    assert_eq!(skip_name(&text, 0, kind), expected, "{byte} {lane} {tail}");
                }
            }
        }
    }
}

#[test]
fn quotes_and_backslashes_are_found_in_each_lane_and_nothing_else() {
    for byte in 0..=255u8 {
        for lane in 0..40 {
            for tail in [0, 12] {
                let text = [vec![b'!'; lane], vec![byte], vec![0xa2; tail]].concat();
                for or_line_feed in [false, true] {
                    let wanted = matches!(byte, b'"' | b'\\') || or_line_feed && byte == b'\n';
                    let got = find_quote_or_backslash(&text, 0, or_line_feed);
                    assert_eq!(got, wanted.then_some(lane), "{byte} {lane} {tail}");
                }
            }
        }
    }
    assert_eq!(find_quote_or_backslash(b"\"", 2, true), None);
}
