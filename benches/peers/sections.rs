//! A document whose tables a program writes anew, and nothing else in it.
//!
//! A section stands between `<!-- part: name -->` and `<!-- end -->`, each on a line of its own. What is outside belongs to
//! people.

/// The document with another text in the section of a part.
///
/// # Errors
/// Without just one section of this name, or without its end: it names the marker that is to be put there.
pub(crate) fn replaced(document: &str, part: &str, text: &str) -> Result<String, String> {
    let begin = format!("<!-- part: {part} -->\n");
    let places: Vec<usize> = document.match_indices(&begin).map(|(place, _)| place + begin.len()).collect();
    let [place] = places[..] else {
        let found = places.len();
        return Err(format!(
            "there are {found} lines {:?}: put one where the tables of this part belong",
            begin.trim()
        ));
    };
    let (before, rest) = document.split_at(place);
    let end = rest.find(END).filter(|end| !rest[..*end].contains("<!-- part: "));
    let end = end.ok_or_else(|| format!("the section of part {part} has no end: put a line {END:?} behind it"))?;
    Ok(format!("{before}\n{}\n\n{}", text.trim(), &rest[end..]))
}

const END: &str = "<!-- end -->";
