//! The labels of a series: `name{label="value", "a.b"="value"}`, or `{"a.name", label="value"}`.

/// Labels in order of their names, the name of the series among them as `__name__`.
pub(crate) type Labels = Vec<(String, String)>;

/// Reads labels at the beginning of a line, and gives back what follows them.
pub(crate) fn parse(line: &str) -> Result<(Labels, &str), String> {
    let open = line.find('{').ok_or_else(|| format!("'{line}' has no labels, at least {{}} must be there"))?;
    let mut labels = Labels::new();
    if open > 0 {
        labels.push(("__name__".into(), line[..open].into()));
    }
    let mut rest = line[open + 1..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            labels.sort();
            return Ok((labels, after.trim_start()));
        }
        let (name, after) = match rest.strip_prefix('"') {
            Some(quoted) => string(quoted)?,
            None => {
                let end = rest.find(['=', '}']).ok_or_else(|| format!("the labels of '{line}' do not end"))?;
                (rest[..end].trim().to_owned(), &rest[end..])
            }
        };
        rest = match after.strip_prefix("=\"") {
            Some(quoted) => {
                let (value, after) = string(quoted)?;
                labels.push((name, value));
                after
            }
            None => {
                labels.push(("__name__".into(), name));
                after
            }
        };
        rest = rest.trim_start_matches([',', ' ']);
    }
}

/// Writes labels as [`parse`] reads them.
pub(crate) fn text(labels: &Labels) -> String {
    let mut name = "";
    let mut parts = Vec::new();
    for (label, value) in labels {
        if label != "__name__" {
            let label = if is_plain(label) { label.clone() } else { quoted(label) };
            parts.push(format!("{label}={}", quoted(value)));
        } else if is_plain(value) {
            name = value;
        } else {
            parts.insert(0, quoted(value));
        }
    }
    format!("{name}{{{}}}", parts.join(", "))
}

fn is_plain(name: &str) -> bool {
    let is_start = |c: char| c.is_ascii_alphabetic() || c == '_' || c == ':';
    name.starts_with(is_start) && name.chars().all(|c| is_start(c) || c.is_ascii_digit())
}

/// Reads a string behind its opening quote, and gives back what follows its closing one.
pub(crate) fn string(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Ok((value, &text[place + 1..])),
            '\\' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, letter)) => value.push(letter),
                None => break,
            },
            _ => value.push(letter),
        }
    }
    Err(format!("the string \"{text} does not end"))
}

/// Writes a string as [`string`] reads it, in quotes.
pub(crate) fn quoted(value: &str) -> String {
    let mut text = String::from("\"");
    for letter in value.chars() {
        match letter {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            _ => text.push(letter),
        }
    }
    text + "\""
}
