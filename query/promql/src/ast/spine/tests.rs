use crate::ast::Expr;
use crate::parse;

#[test]
fn a_spine_is_the_left_sides() {
    let Expr::Binary(binary) = parse("a + b * c - (d + e) == f").unwrap() else { panic!("no operator") };
    let (operators, first) = binary.spine();
    let found: Vec<String> = operators.iter().map(|binary| format!("{} {}", binary.op.as_str(), binary.rhs)).collect();
    assert_eq!(found, ["== f", "- (d + e)", "+ b * c"]);
    assert_eq!(first.to_string(), "a");
}

#[test]
fn copies_are_equal_and_others_are_not() {
    let parsed = |text: &str| parse(text).unwrap();
    let all =
        ["a + b + c", "a + b - c", "a + b + d", "x + b + c", "a + b", "a + on (x) b + c", "a + fill (1) b + c", "a"];
    for (index, text) in all.iter().enumerate() {
        for (other, other_text) in all.iter().enumerate() {
            assert_eq!(parsed(text).clone() == parsed(other_text), index == other, "{text} and {other_text}");
        }
    }
    assert!(parsed("a + b") != parsed("a  + b"), "it is elsewhere");
    assert_eq!(format!("{:?}", parsed("a  + b")), "Binary(a + b at 0..6)");
}
