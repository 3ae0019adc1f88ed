//! The tables of `docs/benchmarks.md`, which the bench beside the peers writes: it has no test harness of its own.

#[path = "../../benches/peers/sections.rs"]
mod sections;

use sections::replaced;

const DOCUMENT: &str =
    "# Title\n\n<!-- part: first -->\n\n| old |\n\n<!-- end -->\n\nProse.\n\n<!-- part: second -->\n<!-- end -->\n";

#[test]
fn only_the_section_of_the_part_changes() {
    let once = replaced(DOCUMENT, "first", "| new |\n").unwrap();
    assert_eq!(once, DOCUMENT.replace("old", "new"));
    assert_eq!(replaced(&once, "first", "| new |").unwrap(), once, "the same text again changes nothing");
    let filled = replaced(DOCUMENT, "second", "| two |").unwrap();
    assert!(filled.ends_with("<!-- part: second -->\n\n| two |\n\n<!-- end -->\n"), "{filled}");
    assert!(filled.starts_with(DOCUMENT.split_once("<!-- part: second").unwrap().0), "{filled}");
}

#[test]
fn a_missing_marker_is_named() {
    let missing = replaced(DOCUMENT, "third", "").unwrap_err();
    assert!(missing.contains("there are 0 lines \"<!-- part: third -->\""), "{missing}");
    let twice = replaced(&DOCUMENT.repeat(2), "first", "").unwrap_err();
    assert!(twice.contains("there are 2 lines"), "{twice}");
    // The end of the next section is not its own.
    let endless = DOCUMENT.replacen("<!-- end -->\n", "", 1);
    let no_end = replaced(&endless, "first", "").unwrap_err();
    assert!(no_end.contains("part first has no end: put a line \"<!-- end -->\""), "{no_end}");
    assert_eq!(replaced(&endless, "second", "").map(drop), Ok(()));
}

#[test]
fn the_document_has_a_section_for_each_part() {
    let document = include_str!("../../docs/benchmarks.md");
    for part in ["remote_write", "otlp", "series", "sustained", "promql"] {
        assert!(replaced(document, part, "text").unwrap() != document, "{part}");
    }
}
