use arrow::array::{StringArray, StringViewArray, StringViewBuilder};
use arrow::buffer::Buffer;
use proptest::prelude::*;

use super::*;

/// A text of words that are like each other, so that one is found within others and across the ends of texts.
fn text() -> impl Strategy<Value = Option<String>> {
    let part = prop_oneof![Just("err"), Just("or"), Just("error"), Just(" "), Just(":"), Just("ö"), Just("_")];
    proptest::option::weighted(0.9, proptest::collection::vec(part, 0..9).prop_map(|parts| parts.concat()))
}

fn expected(texts: &[Option<String>], word: &str) -> Vec<Option<bool>> {
    let has_word = |text: &String| words::words(text).any(|known| known == word.as_bytes());
    texts.iter().map(|text| text.as_ref().map(has_word)).collect()
}

/// Views of texts that lie in one buffer with so many bytes of `error` between them, as lengths do in a page.
fn apart(texts: &[Option<String>], between: usize) -> StringViewArray {
    let mut bytes = Vec::new();
    let places = texts.iter().map(|text| {
        bytes.extend(b"error".iter().cycle().take(between));
        let start = bytes.len() as u32;
        bytes.extend_from_slice(text.as_deref().unwrap_or_default().as_bytes());
        (start, bytes.len() as u32 - start)
    });
    let places: Vec<(u32, u32)> = places.collect();
    let mut builder = StringViewBuilder::new();
    let block = builder.append_block(Buffer::from(bytes));
    for ((start, length), text) in places.into_iter().zip(texts) {
        match text {
            Some(_) => builder.try_append_view(block, start, length).unwrap(),
            None => builder.append_null(),
        }
    }
    builder.finish()
}

proptest! {
    #[test]
    fn what_is_searched_in_one_go_has_the_words_of_each(
        texts in proptest::collection::vec(text(), 0..40),
        word in prop_oneof![Just("error"), Just("err"), Just("or"), Just("ö"), Just("_")],
        between in prop_oneof![Just(0_usize), Just(3), Just(4), Just(100)],
        slice in 0_usize..10,
    ) {
        let finder = Finder::new(word);
        let expected = expected(&texts, word);
        let found = |views: &StringViewArray| find(views, &finder).iter().collect::<Vec<_>>();
        let views = apart(&texts, between);
        prop_assert_eq!(found(&views), expected.clone());
        let plain = StringArray::from(texts.clone());
        prop_assert_eq!(found(&as_views(&(Arc::new(plain) as ArrayRef)).unwrap()), expected.clone());
        let start = slice.min(texts.len());
        prop_assert_eq!(found(&views.slice(start, texts.len() - start)), expected[start..].to_vec());
        // In another order, as those of a dictionary.
        let indices = arrow::array::UInt32Array::from_iter_values((0..texts.len() as u32).rev());
        let turned = arrow::compute::take(&views, &indices, None).unwrap();
        prop_assert_eq!(found(turned.as_string_view()), expected.into_iter().rev().collect::<Vec<_>>());
    }
}
