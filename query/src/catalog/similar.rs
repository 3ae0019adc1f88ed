//! Names that someone may have meant.

use std::cmp::Reverse;

/// The `count` names nearest to `wanted`: by the share of three-letter pieces they have in common.
///
/// Source of the measure: Dice's coefficient over trigrams. It is linear in the length of the names, whatever they are.
pub(crate) fn nearest<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let pieces = trigrams(wanted);
    let mut scored: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let other = trigrams(name);
            let common = pieces.iter().filter(|piece| other.binary_search(piece).is_ok()).count();
            let score = 2_000 * common / (pieces.len() + other.len()).max(1);
            (score >= 300).then_some((score, name))
        })
        .collect();
    scored.sort_by_key(|(score, name)| (Reverse(*score), *name));
    scored.into_iter().take(count).map(|(_, name)| name).collect()
}

/// Sorted, each once, of the lower-case text with its ends marked. Texts longer than 256 letters are cut.
fn trigrams(text: &str) -> Vec<[char; 3]> {
    let letters: Vec<char> = [' '; 2].into_iter().chain(text.to_lowercase().chars().take(256)).chain([' ']).collect();
    let mut pieces: Vec<[char; 3]> = letters.windows(3).map(|w| [w[0], w[1], w[2]]).collect();
    pieces.sort_unstable();
    pieces.dedup();
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_the_one_that_was_meant() {
        let names = ["node_cpu_seconds_total", "node_memory_free_bytes", "up", "node_cpu_guest_seconds_total"];
        let found = nearest("node_cpu_second_total", names, 2);
        assert_eq!(found, ["node_cpu_seconds_total", "node_cpu_guest_seconds_total"]);
        assert!(nearest("zzzz", names, 5).is_empty());
        assert_eq!(nearest("UP", names, 5), ["up"]);
    }
}
