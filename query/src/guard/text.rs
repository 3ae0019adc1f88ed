//! Weighs a text by its tokens before anything recursive sees it.

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};
use model::ErrorKind;

use crate::error::{Error, Position};

/// Tokens other than white space and comments.
const MAX_TOKENS: usize = 32_768;
/// Operators: arithmetic, comparisons, AND, OR, NOT, LIKE, IN, CASE branches, casts.
const MAX_OPERATORS: usize = 256;
/// Parentheses, brackets, CASE … END inside each other.
const MAX_DEPTH: usize = 32;
/// Calls of functions inside each other: the parser reads each argument twice, so each level doubles its work.
const MAX_CALLS: usize = 16;
/// Common table expressions.
const MAX_CTES: usize = 64;
/// UNION, INTERSECT and EXCEPT.
const MAX_SET_OPERATIONS: usize = 64;
/// JOINs.
const MAX_JOINS: usize = 32;
/// SELECTs, subqueries among them.
const MAX_SELECTS: usize = 96;
/// Commas between literals: lists of IN and VALUES.
const MAX_LIST: usize = 10_000;
/// All other commas: columns, arguments, tables.
const MAX_COMMAS: usize = 512;

#[derive(Debug, Default)]
struct Weight {
    tokens: usize,
    operators: usize,
    depth: usize,
    calls: usize,
    ctes: usize,
    set_operations: usize,
    joins: usize,
    selects: usize,
    list: usize,
    commas: usize,
}

/// Weighs a text of at most `max_bytes`.
///
/// # Errors
/// `TooLarge` with the place where a cap was passed, `Invalid` if there is no token at all or one does not end.
pub(crate) fn weigh(text: &str, max_bytes: usize) -> Result<(), Error> {
    if text.len() > max_bytes {
        return Err(Error::new(
            ErrorKind::TooLarge,
            format!("the query has {} bytes, the limit is {max_bytes}", text.len()),
        ));
    }
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().map_err(untokenized)?;
    let tokens: Vec<&TokenWithSpan> =
        tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_) | Token::EOF)).collect();
    if tokens.is_empty() {
        return Err(Error::new(ErrorKind::Invalid, "the query is empty"));
    }
    let mut weight = Weight::default();
    let mut depth = 0usize;
    // Of each parenthesis that is open, whether it holds arguments.
    let mut open: Vec<bool> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        weight.tokens += 1;
        let neighbour = |offset: isize| at.checked_add_signed(offset).and_then(|at| tokens.get(at)).map(|t| &t.token);
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => {
                depth += 1;
                let is_call = token.token == Token::LParen && is_callable(neighbour(-1));
                weight.calls += usize::from(is_call);
                open.push(is_call);
                if keyword(neighbour(-1)) == Some(Keyword::AS)
                    || matches!(keyword(neighbour(-1)), Some(Keyword::MATERIALIZED))
                {
                    weight.ctes += 1;
                }
            }
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.saturating_sub(1);
                weight.calls -= usize::from(open.pop() == Some(true));
            }
            Token::Comma if is_literal(neighbour(-1)) && is_literal(neighbour(1)) => weight.list += 1,
            Token::Comma if neighbour(-1) == Some(&Token::RParen) && neighbour(1) == Some(&Token::LParen) => {
                weight.list += 1;
            }
            Token::Comma => weight.commas += 1,
            Token::Word(word) if word.quote_style.is_none() => count_word(word.keyword, &mut weight, &mut depth),
            token if is_operator(token) => weight.operators += 1,
            _ => {}
        }
        weight.depth = weight.depth.max(depth);
        if let Some(what) = weight.passed() {
            let at = token.span.start;
            return Err(Error::new(ErrorKind::TooLarge, what).at(Position { line: at.line, column: at.column }));
        }
    }
    Ok(())
}

/// Where statement number `index`, counted from 0, begins in a text that has been weighed.
pub(crate) fn begin_of(text: &str, index: usize) -> Option<Position> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize_with_location().ok()?;
    let mut statement = 0;
    let mut is_begun = false;
    for token in tokens {
        match token.token {
            Token::Whitespace(_) | Token::EOF => {}
            Token::SemiColon => (statement, is_begun) = (statement + usize::from(is_begun), false),
            _ if statement == index => {
                let at = token.span.start;
                return Some(Position { line: at.line, column: at.column });
            }
            _ => is_begun = true,
        }
    }
    None
}

impl Weight {
    /// Which cap is passed.
    fn passed(&self) -> Option<String> {
        let caps = [
            ("tokens", self.tokens, MAX_TOKENS),
            ("operators", self.operators, MAX_OPERATORS),
            ("levels of nesting", self.depth, MAX_DEPTH),
            ("calls inside each other", self.calls, MAX_CALLS),
            ("common table expressions", self.ctes, MAX_CTES),
            ("set operations", self.set_operations, MAX_SET_OPERATIONS),
            ("joins", self.joins, MAX_JOINS),
            ("SELECTs", self.selects, MAX_SELECTS),
            ("literals in lists", self.list, MAX_LIST),
            ("columns, arguments and tables", self.commas, MAX_COMMAS),
        ];
        let (what, _, cap) = caps.into_iter().find(|(_, found, cap)| found > cap)?;
        Some(format!("the query has more than {cap} {what}, split it up or use a list of literals"))
    }
}

fn count_word(keyword: Keyword, weight: &mut Weight, depth: &mut usize) {
    match keyword {
        Keyword::AND
        | Keyword::OR
        | Keyword::NOT
        | Keyword::LIKE
        | Keyword::ILIKE
        | Keyword::SIMILAR
        | Keyword::IN
        | Keyword::IS
        | Keyword::BETWEEN
        | Keyword::WHEN
        | Keyword::INTERVAL
        | Keyword::COLLATE
        | Keyword::XOR
        | Keyword::DIV
        | Keyword::OVERLAPS => weight.operators += 1,
        Keyword::CASE => *depth += 1,
        Keyword::END => *depth = depth.saturating_sub(1),
        Keyword::UNION | Keyword::INTERSECT | Keyword::EXCEPT | Keyword::MINUS => weight.set_operations += 1,
        Keyword::JOIN | Keyword::APPLY | Keyword::LATERAL => weight.joins += 1,
        Keyword::SELECT | Keyword::VALUES | Keyword::TABLE => weight.selects += 1,
        _ => {}
    }
}

fn keyword(token: Option<&Token>) -> Option<Keyword> {
    match token {
        Some(Token::Word(word)) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}

/// Whether a parenthesis behind this holds arguments: behind a name, and behind words that may be one.
fn is_callable(token: Option<&Token>) -> bool {
    let Some(Token::Word(word)) = token else { return false };
    !matches!(
        word.keyword,
        Keyword::AND
            | Keyword::AS
            | Keyword::BY
            | Keyword::CASE
            | Keyword::ELSE
            | Keyword::EXISTS
            | Keyword::FROM
            | Keyword::IN
            | Keyword::JOIN
            | Keyword::NOT
            | Keyword::ON
            | Keyword::OR
            | Keyword::SELECT
            | Keyword::THEN
            | Keyword::WHEN
            | Keyword::WHERE
    )
}

fn is_literal(token: Option<&Token>) -> bool {
    match token {
        Some(Token::Number(_, _) | Token::SingleQuotedString(_) | Token::NationalStringLiteral(_)) => true,
        Some(Token::EscapedStringLiteral(_) | Token::HexStringLiteral(_) | Token::Placeholder(_)) => true,
        Some(Token::Word(word)) => matches!(word.keyword, Keyword::TRUE | Keyword::FALSE | Keyword::NULL),
        Some(Token::Minus | Token::Plus) => true,
        _ => false,
    }
}

/// Everything that is not a name, a literal or punctuation joins or changes expressions.
fn is_operator(token: &Token) -> bool {
    !matches!(
        token,
        Token::Word(_)
            | Token::Number(_, _)
            | Token::Char(_)
            | Token::SingleQuotedString(_)
            | Token::DoubleQuotedString(_)
            | Token::NationalStringLiteral(_)
            | Token::EscapedStringLiteral(_)
            | Token::UnicodeStringLiteral(_)
            | Token::HexStringLiteral(_)
            | Token::DollarQuotedString(_)
            | Token::Placeholder(_)
            | Token::Comma
            | Token::SemiColon
            | Token::LParen
            | Token::RParen
            | Token::LBracket
            | Token::RBracket
            | Token::LBrace
            | Token::RBrace
            | Token::Period
    )
}

fn untokenized(error: TokenizerError) -> Error {
    let at = Position { line: error.location.line, column: error.location.column };
    Error::new(ErrorKind::Invalid, error.message).at(at)
}
