use std::sync::Arc;

use super::{Span, Spans};
use crate::resource::{Resource, Scope};

fn spans(service: &str, names: &[&str]) -> Spans {
    let mut spans = Spans::default();
    let resource = spans.resources.place(&Arc::new(Resource::new([("service.name", service)])));
    let scope = spans.scopes.place(&Arc::new(Scope::default()));
    for (name, number) in names.iter().zip(1u8..) {
        spans.attributes.push("length", &name.len().to_string());
        for event in 0..number {
            spans.events.attributes.push("event", &format!("{name} {event}"));
            spans.push_event(i64::from(event), name);
        }
        spans.links.attributes.push("link", name);
        spans.push_link([number; 16], [number; 8], "state");
        spans.push(&Span { resource, scope, span_id: [number; 8], name, ..Span::default() });
    }
    spans
}

#[test]
fn spans_of_another_batch_bring_along_all_that_is_theirs() {
    let (mut all, other) = (spans("one", &["a"]), spans("two", &["b", "c", "d"]));
    all.append(&other, [2, 1].into_iter());
    assert_eq!((all.len(), all.row(1).name, all.row(2).name), (3, "d", "c"));
    assert_eq!((all.events.of(0), all.events.of(1), all.events.of(2)), (0..1, 1..4, 4..6));
    assert_eq!(all.events.attributes.get(3, "event"), Some("d 2"));
    assert_eq!(all.texts.get(all.events.name[4]), "c");
    assert_eq!(
        (all.links.of(1), all.links.trace_id[1], all.links.attributes.get(1, "link")),
        (1..2, [3; 16], Some("d"))
    );
    assert_eq!(all.attributes.get(2, "length"), Some("1"));
    assert_eq!(all.resources.get(all.resource[2]).map(|resource| &*resource.service), Some("two"));
}

#[test]
fn a_span_can_be_taken_back_with_all_that_is_its() {
    let mut all = spans("one", &["a"]);
    let before = all.clone();
    all.attributes.push("x", "1");
    all.events.attributes.push("y", "2");
    all.push_event(5, "gone");
    all.events.attributes.push("z", "3");
    all.links.attributes.push("y", "2");
    all.push_link([9; 16], [9; 8], "gone");
    all.cancel();
    let place = all.resource[0];
    let span = Span { resource: place, ..all.row(0) };
    let (name, state) = (span.name.to_owned(), span.trace_state.to_owned());
    all.push(&Span {
        name: &name,
        trace_state: &state,
        status_message: "",
        ..Span { resource: place, ..Span::default() }
    });
    assert_eq!((all.events.of(1), all.links.of(1), all.attributes.range(1)), (1..1, 1..1, 1..1));
    assert_eq!((all.events.of(0), all.row(0).name), (before.events.of(0), before.row(0).name));
}
