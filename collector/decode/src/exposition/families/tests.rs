use bytes::Bytes;

use super::*;
use crate::{Limits, openmetrics, text};

fn of_text(page: &str) -> Families {
    text::decode_apart(&Bytes::from(page.to_owned()), 0, &Limits::default()).unwrap().1
}

#[test]
fn the_fingerprint_tells_what_is_said_and_nothing_else() {
    let page = of_text("# HELP a Text.\n# TYPE a counter\na 1\n").fingerprint();
    assert_eq!(of_text("# TYPE a counter\n\n# HELP a Text.\na 2\na{x=\"1\"} 3\n").fingerprint(), page);
    for other in [
        "# HELP a Text\n# TYPE a counter\na 1\n",
        "# HELP a Text.\n# TYPE a gauge\na 1\n",
        "# HELP b Text.\n# TYPE b counter\na 1\n",
        "# HELP a Text.\n# TYPE a counter\n# HELP b x\na 1\n",
        "a 1\n",
    ] {
        assert_ne!(of_text(other).fingerprint(), page, "{other}");
    }
    let same = Bytes::from("# HELP a Text.\n# TYPE a counter\na_total 1\n# EOF\n");
    let same = openmetrics::decode_apart(&same, 0, &Limits::default()).unwrap().1;
    assert_eq!(same.metadata(), of_text("# HELP a Text.\n# TYPE a counter\n").metadata());
    assert_ne!(same.fingerprint(), page, "its escapes mean something else");
}

#[test]
fn texts_come_back_with_their_escapes_resolved() {
    let families = of_text("# HELP a one\\ntwo \\\"three\\\"\n# TYPE b gauge\n# HELP \"c d\" é\n");
    let metadata = families.metadata();
    let help =
        |name: &str, kind, help: &str| Metadata { name: name.into(), kind, unit: String::new(), help: help.into() };
    assert_eq!(
        metadata,
        [
            help("a", Kind::Unknown, "one\ntwo \\\"three\\\""),
            help("b", Kind::Gauge, ""),
            help("c d", Kind::Unknown, "é"),
        ]
    );
    assert_eq!((families.len(), families.is_empty(), of_text("a 1\n").is_empty()), (3, false, true));
}
