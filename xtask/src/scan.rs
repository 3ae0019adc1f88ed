//! Finds functions and their lengths in Rust source, knowing of it only comments, literals and braces.

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`, from 1.
    pub(crate) line: usize,
    /// Lines from its `fn` to its closing brace, both included.
    pub(crate) lines: usize,
}

/// All functions of a file, nested ones included, in order of their closing braces.
pub(crate) fn functions(source: &str) -> Vec<Function> {
    let code = blank(source);
    let mut found = Vec::new();
    // A function whose name was read but whose body has not opened, and those that are open with the depth of their brace.
    let mut pending: Option<(String, usize)> = None;
    let mut open: Vec<(String, usize, usize)> = Vec::new();
    let (mut line, mut depth, mut brackets) = (1, 0, 0_i32);
    let mut previous = "";
    for token in tokens(&code) {
        match token {
            "\n" => {
                line += 1;
                continue;
            }
            "(" | "[" => brackets += 1,
            ")" | "]" => brackets -= 1,
            "{" => {
                depth += 1;
                if brackets == 0
                    && let Some((name, start)) = pending.take()
                {
                    open.push((name, start, depth));
                }
            }
            "}" => {
                if open.last().is_some_and(|(_, _, at)| *at == depth)
                    && let Some((name, start, _)) = open.pop()
                {
                    found.push(Function { name, line: start, lines: line - start + 1 });
                }
                depth -= 1;
            }
            ";" if brackets == 0 => pending = None,
            word if previous == "fn" && word.starts_with(|c: char| c.is_alphabetic() || c == '_') => {
                pending = Some((word.to_owned(), line));
                // A closure's body may hold a function inside brackets: what is bracketed before counts from here.
                brackets = 0;
            }
            _ => {}
        }
        previous = token;
    }
    found
}

fn tokens(code: &str) -> impl Iterator<Item = &str> {
    let mut rest = code;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\r']);
        let first = rest.chars().next()?;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let end = if is_word(first) { rest.find(|c| !is_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (token, after) = rest.split_at(end);
        rest = after;
        Some(token)
    })
}

/// The source with every comment and literal replaced by spaces, line breaks kept.
fn blank(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => block_comment(rest),
            'r' | 'b' | 'c' if !after_word(&out) && raw_string(rest).is_some() => raw_string(rest).unwrap_or(1),
            '"' => quoted(rest, '"'),
            '\'' => character(rest),
            _ => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
                continue;
            }
        };
        let (skipped, after) = rest.split_at(length);
        out.push(' ');
        out.extend(skipped.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    out
}

fn after_word(out: &str) -> bool {
    out.chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_')
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#`, `br"…"` and the like at the start of the text.
fn raw_string(text: &str) -> Option<usize> {
    let after = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character literal, or 1 if the quote begins a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.chars().skip(1);
    match (chars.next(), chars.next()) {
        (Some('\\'), _) | (_, Some('\'')) => quoted(text, '\''),
        _ => 1,
    }
}
