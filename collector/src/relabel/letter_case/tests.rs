use super::*;

/// The characters that Rust maps to several, with what Unicode's table of single characters says instead.
#[test]
fn one_character_stays_one() {
    let single = |c: char| {
        let text = c.to_string();
        (lowercase(&text).chars().count(), uppercase(&text).chars().count()) == (1, 1)
    };
    assert!(('\0'..=char::MAX).all(single));
}

#[test]
fn cases_come_back_where_rust_has_several_characters() {
    let several: Vec<char> = ('\0'..=char::MAX).filter(|c| c.to_uppercase().count() > 1).collect();
    let changed: String = several.iter().filter(|c| uppercase(&c.to_string()) != c.to_string()).collect();
    assert_eq!(changed, "ᾀᾁᾂᾃᾄᾅᾆᾇᾐᾑᾒᾓᾔᾕᾖᾗᾠᾡᾢᾣᾤᾥᾦᾧᾳῃῳ");
    assert_eq!(lowercase(&uppercase(&changed)), changed);
    let lower: Vec<char> = ('\0'..=char::MAX).filter(|c| c.to_lowercase().count() > 1).collect();
    assert_eq!(lower, ['İ']);
}
