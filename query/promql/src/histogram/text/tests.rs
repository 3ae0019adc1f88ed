use crate::histogram::samples::named;

#[test]
fn texts_are_those_of_prometheus() {
    let cases = [
        ("basic", "{count:17, sum:30, [-4,-2):2, [-2,-1):1, [-0.5,0.5]:2, (0.5,1]:3, (1,2]:4, (4,8]:5}"),
        ("custom", "{count:10, sum:50, [-Inf,1]:2, (2.5,5]:3, (5,10]:4, (10,+Inf]:1}"),
        ("none", "{count:0, sum:0}"),
    ];
    for (name, text) in cases {
        assert_eq!(named(name).to_string(), text);
    }
}
