//! Regular expressions in Go's syntax, written anew in the syntax of the crate `regex`.
//!
//! Both descend from RE2: they find the same match, the leftmost and of those the first, in linear time. But they read
//! some texts differently, so none is handed on as it stands. Everything is taken apart by Go's rules and written such
//! that there is one way to read it: flags are resolved, classes spelt out, names of groups kept aside.
//!
//! | in Go | in `regex` | here |
//! |---|---|---|
//! | `\d \s \w \b [[:word:]]` know ASCII | know Unicode | ASCII |
//! | `\Q…\E`, octal `\012`, `\0` | unknown | the characters |
//! | `\v` and `\s` without it | `\s` with it | as Go |
//! | `\<` `\>` `\-` `\&` escape a character | some are word boundaries | the character |
//! | `\pN`, `\p{Greek}`, `\p{^Greek}` | other names and more of them | categories and scripts by their names |
//! | `{`, `{,3}`, `{01}` are characters | a mistake or a repetition | the characters |
//! | `a{1001}`, `(a{100}){11}` are refused | taken | refused |
//! | `a**`, `a{2}{3}`, `a*+` are refused | taken | refused |
//! | `a(?i)*` repeats the `a` | is refused | repeats the `a` |
//! | `[]a]`, `[a&&b]`, `[[a]` are plain sets | sets of sets, some refused | plain sets |
//! | `[^\x00-\x{10FFFF}]` and surrogates match nothing | refused or nothing | nothing |
//! | `(?x)`, `(?u)`, `(?R)` are refused | flags | refused |
//! | `\C`, `\1`, `\G`, `\Z`, `(?=…)`, `(?>…)` are refused | mostly refused | refused |
//! | groups may share a name, names may begin with a digit | refused | taken |
//!
//! What is left of differences: case folds and classes are those of the Unicode version of each engine; names of
//! classes count in any case and with `_`, `-` and blanks left out, as Go has it since 1.25, and scripts are known by their
//! ISO codes too; levels of nesting end at [`MAX_NESTING`] instead of a thousand; and where Go takes 128 MB the engine gets
//! less, which something like `\pL{1000}` meets. Values are UTF-8 here and there, so that bytes outside of it do not come
//! up.

mod class;
mod escape;

use regex::{Regex, RegexBuilder};

use crate::Error;
use crate::size;

use self::class::{NOTHING, perl_class, read_class, read_unicode_class};
use self::escape::read_escape;

/// The levels of groups and repetitions inside each other above which an expression is refused. The engine goes down
/// into them with up to 16 KiB of stack a level, in a build that is not optimised, and a thread may have but two MiB.
pub const MAX_NESTING: usize = 64;
/// Each level of the translation's own limit makes at most four in the engine.
const ENGINE_NESTING: u32 = 4 * MAX_NESTING as u32 + 8;
/// The compiled bytes above which an expression is refused. Ten thousand words of twenty characters fit, and half of that
/// is `\pL{100}`, which is dear since a letter may be many bytes.
const SIZE_LIMIT_BYTES: usize = 16 << 20;
/// The most that a counted repetition may ask for, with those inside of it multiplied.
const MAX_REPEATS: u32 = 1000;

/// An expression that the crate `regex` reads as Go reads the original.
#[derive(Debug)]
pub struct Translation {
    /// The expression in the syntax of the crate.
    pub text: String,
    /// The name of each group, if it has one; the first is the whole match.
    pub groups: Vec<Option<String>>,
}

/// An expression that was compiled.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What finds matches.
    pub regex: Regex,
    /// The name of each group, if it has one; the first is the whole match. The engine does not know them.
    pub groups: Vec<Option<String>>,
}

/// Compiles an expression that is anchored at both ends as Prometheus does it: `^(?s:` before it and `)$` behind it.
///
/// This is plain text, so that `a)|(b` closes the group and is anchored at one end of each side only: so has it the
/// relabeling of Prometheus. Its matchers refuse that, for which [`translate`] is asked first.
///
/// # Errors
/// `Invalid` if it is not an expression, or one that takes too much memory.
pub fn compile_anchored(expression: &str) -> Result<Compiled, Error> {
    let Translation { text, groups } = translate(&format!("^(?s:{expression})$"))?;
    let built = RegexBuilder::new(&text).size_limit(SIZE_LIMIT_BYTES).nest_limit(ENGINE_NESTING).build();
    let regex = built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => Error::invalid(format!(
            "takes more than {} compiled, repeat less or split it up",
            size::format(SIZE_LIMIT_BYTES as u64)
        )),
        other => Error::invalid("the engine cannot take it").with_source(other),
    })?;
    Ok(Compiled { regex, groups })
}

/// Translates an expression.
///
/// # Errors
/// `Invalid` if Go does not take it, or if it nests too deep.
pub fn translate(expression: &str) -> Result<Translation, Error> {
    let mut translator = Translator {
        flags: Flags::default(),
        group: Group::default(),
        outer: Vec::new(),
        groups: vec![None],
        is_after_repetition: false,
    };
    let mut rest = expression;
    while let Some(first) = rest.chars().next() {
        rest = translator.token(first, rest)?;
    }
    if !translator.outer.is_empty() {
        return Err(Error::invalid(format!("missing closing ), it is read as {expression}")));
    }
    translator.group.flush();
    Ok(Translation { text: translator.group.text, groups: translator.groups })
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignores_case: bool,
    multi_line: bool,
    dot_takes_newline: bool,
    ungreedy: bool,
}

/// Something that can be repeated.
#[derive(Debug, Default)]
struct Atom {
    text: String,
    /// The levels inside.
    nesting: usize,
    /// The counts of the counted repetitions inside, multiplied along the dearest way down.
    repeats: u32,
}

/// A group that is open.
#[derive(Debug, Default)]
struct Group {
    opening: &'static str,
    /// The flags that count again behind it.
    outer_flags: Flags,
    /// What is in it, without its last atom, which may be about to be repeated.
    text: String,
    last: Option<Atom>,
    nesting: usize,
    repeats: u32,
}

impl Group {
    fn push(&mut self, atom: Atom) {
        self.flush();
        self.last = Some(atom);
    }

    /// Closes the last atom against repetition.
    fn flush(&mut self) {
        if let Some(atom) = self.last.take() {
            self.text.push_str(&atom.text);
            self.nesting = self.nesting.max(atom.nesting);
            self.repeats = self.repeats.max(atom.repeats);
        }
    }
}

#[derive(Debug)]
struct Translator {
    flags: Flags,
    /// The innermost group, and those around it; the expression itself is the outermost.
    group: Group,
    outer: Vec<Group>,
    groups: Vec<Option<String>>,
    is_after_repetition: bool,
}

impl Translator {
    /// Takes one token from the beginning of `text` and gives what is left.
    fn token<'a>(&mut self, first: char, text: &'a str) -> Result<&'a str, Error> {
        let is_after_repetition = std::mem::take(&mut self.is_after_repetition);
        let rest = &text[first.len_utf8()..];
        match first {
            '(' if rest.starts_with('?') => return self.question(text),
            '(' => {
                self.groups.push(None);
                self.open("(")?;
            }
            ')' => self.close(text)?,
            '|' => {
                self.group.flush();
                self.group.text.push('|');
            }
            '^' => self.push(if self.flags.multi_line { "(?m:^)" } else { r"\A" }),
            '$' => self.push(if self.flags.multi_line { "(?m:$)" } else { r"\z" }),
            '.' => self.push(if self.flags.dot_takes_newline { "(?s:.)" } else { r"[^\n]" }),
            '[' => {
                let (class, rest) = read_class(text)?;
                self.push_folding(&class);
                return Ok(rest);
            }
            '*' | '+' | '?' => return self.repeat(&text[..1], 1, rest, is_after_repetition),
            '{' => match counts(text)? {
                Some((count, rest)) => {
                    let operator = &text[..text.len() - rest.len()];
                    return self.repeat(operator, count, rest, is_after_repetition);
                }
                None => self.literal(first),
            },
            '\\' => return self.backslash(text),
            _ => self.literal(first),
        }
        Ok(rest)
    }

    fn push(&mut self, text: &str) {
        self.group.push(Atom { text: text.to_owned(), nesting: 0, repeats: 1 });
    }

    /// Adds a character or a class, which the flag for case counts for.
    fn push_folding(&mut self, text: &str) {
        if self.flags.ignores_case {
            self.push(&format!("(?i:{text})"));
        } else {
            self.push(text);
        }
    }

    fn literal(&mut self, c: char) {
        self.push_folding(&regex::escape(c.encode_utf8(&mut [0; 4])));
    }

    fn backslash<'a>(&mut self, text: &'a str) -> Result<&'a str, Error> {
        if let Some(quoted) = text.strip_prefix(r"\Q") {
            let (characters, rest) = quoted.split_once(r"\E").unwrap_or((quoted, ""));
            characters.chars().for_each(|c| self.literal(c));
            return Ok(rest);
        }
        let boundaries = [(r"\A", r"\A"), (r"\z", r"\z"), (r"\b", r"(?-u:\b)"), (r"\B", r"(?-u:\B)")];
        if let Some((escape, ours)) = boundaries.into_iter().find(|(escape, _)| text.starts_with(escape)) {
            self.push(ours);
            return Ok(&text[escape.len()..]);
        }
        if let Some((class, rest)) = read_unicode_class(text)? {
            self.push_folding(&class);
            return Ok(rest);
        }
        if let Some((class, rest)) = perl_class(text) {
            self.push_folding(class);
            return Ok(rest);
        }
        let (code, rest) = read_escape(text)?;
        match char::from_u32(code) {
            Some(c) => self.literal(c),
            None => self.push(NOTHING),
        }
        Ok(rest)
    }

    /// Takes what begins with `(?`: flags, a group without a number, a group with a name.
    fn question<'a>(&mut self, text: &'a str) -> Result<&'a str, Error> {
        if let Some(named) = text.strip_prefix("(?P<").or_else(|| text.strip_prefix("(?<")) {
            let name = named
                .split_once('>')
                .filter(|(name, _)| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            let Some((name, rest)) = name else {
                return Err(Error::invalid(format!(
                    "{} does not name a group like (?P<name>…); look-behind is not known",
                    beginning(text)
                )));
            };
            self.groups.push(Some(name.to_owned()));
            self.open("(")?;
            return Ok(rest);
        }
        let (mut flags, mut value, mut is_complete) = (self.flags, true, true);
        for (at, c) in text.char_indices().skip(2) {
            match c {
                'i' => flags.ignores_case = value,
                'm' => flags.multi_line = value,
                's' => flags.dot_takes_newline = value,
                'U' => flags.ungreedy = value,
                '-' if value => value = false,
                ':' | ')' if is_complete => {
                    if c == ':' {
                        self.open("(?:")?;
                    }
                    self.flags = flags;
                    return Ok(&text[at + 1..]);
                }
                _ => break,
            }
            is_complete = c != '-';
        }
        Err(Error::invalid(format!(
            "{} is neither a group nor the flags i, m, s, U; look-around is not known",
            beginning(text)
        )))
    }

    fn open(&mut self, opening: &'static str) -> Result<(), Error> {
        self.group.flush();
        let group = Group { opening, outer_flags: self.flags, repeats: 1, ..Group::default() };
        self.outer.push(std::mem::replace(&mut self.group, group));
        check_nesting(self.outer.len())
    }

    fn close(&mut self, text: &str) -> Result<(), Error> {
        let Some(outer) = self.outer.pop() else {
            return Err(Error::invalid(format!("{} closes a group that is not open", beginning(text))));
        };
        let mut group = std::mem::replace(&mut self.group, outer);
        group.flush();
        check_nesting(group.nesting + 1)?;
        self.flags = group.outer_flags;
        self.group.push(Atom {
            text: format!("{}{})", group.opening, group.text),
            nesting: group.nesting + 1,
            repeats: group.repeats,
        });
        Ok(())
    }

    /// Repeats the last atom; `count` is how often at most, where that is counted.
    fn repeat<'a>(
        &mut self,
        operator: &str,
        count: u32,
        rest: &'a str,
        is_after_repetition: bool,
    ) -> Result<&'a str, Error> {
        let (rest, is_lazy) = rest.strip_prefix('?').map_or((rest, false), |rest| (rest, true));
        if is_after_repetition {
            return Err(Error::invalid(format!("{operator} repeats a repetition, put that into (?:…)")));
        }
        let Some(atom) = self.group.last.take() else {
            return Err(Error::invalid(format!("there is nothing before {operator} that it could repeat")));
        };
        // What is repeated at most zero times is not there, and neither is what it holds.
        let repeats = if count == 0 { 1 } else { atom.repeats * count };
        if repeats > MAX_REPEATS {
            return Err(Error::invalid(format!(
                "{operator} repeats more than {MAX_REPEATS} times, inner ones multiplied"
            )));
        }
        check_nesting(atom.nesting + 1)?;
        let greed = if is_lazy == self.flags.ungreedy { "" } else { "?" };
        self.is_after_repetition = true;
        self.group.last =
            Some(Atom { text: format!("(?:{}){operator}{greed}", atom.text), nesting: atom.nesting + 1, repeats });
        Ok(rest)
    }
}

fn check_nesting(nesting: usize) -> Result<(), Error> {
    if nesting > MAX_NESTING {
        return Err(Error::invalid(format!("groups and repetitions are nested more than {MAX_NESTING} deep")));
    }
    Ok(())
}

/// Reads `{n}`, `{n,}` or `{n,m}`: how often at most, and what follows. Anything else is no repetition but plain text.
fn counts(text: &str) -> Result<Option<(u32, &str)>, Error> {
    let Some((inside, rest)) = text[1..].split_once('}') else { return Ok(None) };
    let (least, most) = inside.split_once(',').unwrap_or((inside, inside));
    let is_number = |digits: &str| {
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'))
    };
    if !is_number(least) || !(is_number(most) || most.is_empty()) {
        return Ok(None);
    }
    let least = least.parse().unwrap_or(u32::MAX);
    // A repetition without an upper bound is one loop behind the least number of copies.
    let most = if most.is_empty() { least.max(1) } else { most.parse().unwrap_or(u32::MAX) };
    if least > MAX_REPEATS || most > MAX_REPEATS || least > most {
        return Err(Error::invalid(format!("{{{inside}}} does not count up within 0 and {MAX_REPEATS}")));
    }
    Ok(Some((most, rest)))
}

/// The first characters of a text, as an error shows them.
fn beginning(text: &str) -> String {
    const SHOWN: usize = 16;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
