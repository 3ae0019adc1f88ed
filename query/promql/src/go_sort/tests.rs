use super::{FEW, sort_few};

#[test]
fn few_elements_follow_the_relation_and_many_the_order() {
    // Whatever is compared with a zero stays where it is.
    let is_before = |a: &i32, b: &i32| a * b != 0 && a < b;
    let mut few = vec![3, 0, 2, 1];
    sort_few(&mut few, is_before, i32::cmp);
    assert_eq!(few, [3, 0, 1, 2]);
    let mut many: Vec<i32> = (0..=FEW as i32).rev().collect();
    sort_few(&mut many, is_before, i32::cmp);
    assert!(many.is_sorted());
}
