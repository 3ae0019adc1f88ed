use super::{Dictionary, Texts};

#[test]
fn texts_are_found_by_place() {
    let mut texts = Texts::default();
    ["a", "", "länger", "z"].into_iter().for_each(|text| texts.push(text));
    assert_eq!(texts.iter().collect::<Vec<_>>(), ["a", "", "länger", "z"]);
    assert_eq!((texts.get(2), texts.get(1), texts.get(9)), ("länger", "", ""));

    let mut others = Texts::default();
    others.push("b");
    others.extend_from(&texts, 1..3);
    assert_eq!(others.iter().collect::<Vec<_>>(), ["b", "", "länger"]);
    others.truncate(1);
    assert_eq!((others.iter().collect::<Vec<_>>(), others.all()), (vec!["b"], "b"));
    others.truncate(0);
    assert!(others.is_empty() && others.all().is_empty());
}

#[test]
fn a_dictionary_keeps_each_text_once() {
    let mut dictionary = Dictionary::default();
    let places: Vec<u32> = (0..1000).map(|n| dictionary.place(&format!("key {}", n % 7))).collect();
    assert_eq!(dictionary.texts().len(), 7);
    assert!(places.iter().zip(0..).all(|(place, n)| dictionary.get(*place) == format!("key {}", n % 7)));
    assert_eq!(dictionary.place_near("key 3", Some(3)), 3);
    assert_eq!(dictionary.place_near("key 3", Some(4)), 3);

    let mut other = Dictionary::default();
    other.place("key 6");
    let places = other.places_of(&dictionary);
    assert!((0..7).all(|place| other.get(places[place as usize]) == dictionary.get(place)));
    assert_eq!(other.texts().len(), 7);
}
