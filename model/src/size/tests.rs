use super::*;

#[test]
fn sizes_read_in_units_of_1024() {
    for (text, bytes) in
        [("0", 0), ("0B", 0), ("7B", 7), ("1KB", 1024), ("1KiB", 1024), ("256MB", 256 << 20), ("2TB", 2 << 40)]
    {
        assert_eq!(parse(text).unwrap(), bytes, "{text}");
    }
}

#[test]
fn what_is_no_size_is_refused_with_the_text_in_the_message() {
    for text in ["", "1", "MB", "-1MB", "1.5MB", "1 MB", "1mb", "1M", "1iB", "99999999TB"] {
        let error = parse(text).unwrap_err();
        assert!(error.message().contains(&format!("{text:?}")), "{text}: {error}");
    }
}

#[test]
fn what_is_written_reads_back_the_same() {
    for bytes in [0, 1, 1023, 1024, 1025, 256 << 20, (1 << 30) + 1, 3 << 40] {
        assert_eq!(parse(&format(bytes)).unwrap(), bytes, "{}", format(bytes));
    }
}

#[test]
fn a_bare_number_is_bytes_where_that_is_allowed() {
    assert_eq!(parse_or_bytes("8000000000").unwrap(), 8_000_000_000);
    assert_eq!(parse_or_bytes("8GB").unwrap(), 8 << 30);
    assert!(parse_or_bytes("8 GB").is_err());
}
