use super::*;

/// More names than classes, so that unequal names of one class are met.
#[test]
fn a_name_is_new_once() {
    let names: Vec<String> = (0..300).map(|n| format!("{}{n}", ["a", "label_", "zz"][n % 3])).collect();
    let body = names.concat();
    let mut seen = SeenNames::default();
    for round in 0..2 {
        let mut start = 0;
        for name in &names {
            assert_eq!(seen.note(body.as_bytes(), start, start + name.len()), round == 0, "{name}");
            start += name.len();
        }
    }
    assert_eq!(seen.len(), 600);
    seen.clear();
    assert!(seen.note(b"a0", 0, 2) && seen.len() == 1);
}
