//! Trees drawn from bytes: each byte is a choice, and without any more of them all ends soon.
//!
//! Only such trees are drawn as a text can say: with parentheses where the order of operators needs them.

use promql::ast::{
    Aggregate, AggregateOp, At, Binary, BinaryOp, Call, Cardinality, DurationExpr, DurationNode, DurationOp, Expr,
    Extension, Fill, Grouping, MatchOp, Matcher, Matching, MatrixSelector, NAME_LABEL, NumberLiteral, Paren,
    StringLiteral, Subquery, Unary, ValueType, VectorSelector,
};
use promql::signature::FUNCTIONS;
use promql::span::Span;

const SPAN: Span = Span { start: 0, end: 0 };

pub(crate) struct Draw<'a> {
    choices: std::slice::Iter<'a, u8>,
    depth: usize,
}

impl<'a> Draw<'a> {
    pub(crate) fn new(choices: &'a [u8]) -> Self {
        Draw { choices: choices.iter(), depth: 0 }
    }

    fn below(&mut self, count: usize) -> usize {
        usize::from(self.choices.next().copied().unwrap_or(0)) % count
    }

    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    fn maybe<T>(&mut self, draw: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) == 1).then(|| draw(self))
    }

    fn some<T>(&mut self, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| draw(self)).collect()
    }

    pub(crate) fn expr(&mut self) -> Expr {
        let value_type = self.one(&[ValueType::Vector, ValueType::Scalar, ValueType::Matrix, ValueType::String]);
        self.of_type(value_type)
    }

    fn of_type(&mut self, value_type: ValueType) -> Expr {
        self.depth += 1;
        let choice = if self.depth > 12 { 0 } else { self.below(8) };
        let expr = match (value_type, choice) {
            (_, 1) => Expr::Paren(Paren { expr: Box::new(self.of_type(value_type)), span: SPAN }),
            (ValueType::Scalar | ValueType::Vector, 2 | 3) => self.binary(value_type),
            (ValueType::Scalar | ValueType::Vector, 4) => self.unary(value_type),
            (ValueType::Scalar | ValueType::Vector, 5 | 6) => self.call(value_type),
            (ValueType::Vector, 7) => self.aggregate(),
            (ValueType::Matrix, 2..=4) => self.subquery(),
            (ValueType::Scalar, _) => self.number(),
            (ValueType::String, _) => Expr::String(StringLiteral { value: self.text(), span: SPAN }),
            (ValueType::Vector, _) => Expr::Vector(self.selector()),
            (ValueType::Matrix, _) => {
                Expr::Matrix(MatrixSelector { selector: self.selector(), range: self.range(), span: SPAN })
            }
        };
        self.depth -= 1;
        expr
    }

    fn number(&mut self) -> Expr {
        let is_duration = self.below(3) == 1;
        let value = match is_duration {
            true => self.milliseconds() / 1000.0,
            false => self.one(&[0.0, 1.0, 0.1, 1e300, 5e-324, 123_456_789.0, f64::MAX, f64::INFINITY, 2.5e-7]),
        };
        Expr::Number(NumberLiteral { value: value * self.one(&[1.0, -1.0]), is_duration, span: SPAN })
    }

    fn milliseconds(&mut self) -> f64 {
        self.one(&[1.0, 60_000.0, 90_061_001.0, 604_800_000.0, 31_536_000_000.0, 86_400_000.0, 1500.0])
    }

    fn text(&mut self) -> String {
        const PARTS: [&str; 12] =
            ["a", "B_1", "\"", "\\", "'", "`", "\n\t\u{7}", "é漢", "😀", "\u{0}\u{7f}", "{}", "\u{200b}"];
        self.some(|draw| draw.one(&PARTS)).concat()
    }

    fn selector(&mut self) -> VectorSelector {
        const NAMES: [&str; 10] =
            ["up", "job:x:rate5m", "sum", "offset", "by", "and", "step", "start", "fill", "max_of"];
        let name = match self.below(4) {
            0 => None,
            _ => Some(self.one(&NAMES).to_owned()),
        };
        let mut matchers = self.some(Self::matcher);
        if name.is_none() {
            matchers.push(matcher("x", MatchOp::NotEqual, ""));
        }
        matchers.sort_by_key(Matcher::to_string);
        matchers.extend(name.iter().map(|name| matcher(NAME_LABEL, MatchOp::Equal, name)));
        VectorSelector {
            name,
            matchers,
            at: self.maybe(Self::at),
            offset: self.maybe(Self::offset),
            extension: self.maybe(|draw| draw.one(&[Extension::Anchored, Extension::Smoothed])),
            span: SPAN,
        }
    }

    fn matcher(&mut self) -> Matcher {
        let label = self.text();
        let op = self.one(&[MatchOp::Equal, MatchOp::NotEqual, MatchOp::Regex, MatchOp::NotRegex]);
        let value = match op.is_regex() {
            true => self.one(&["", ".*", "a|b", "(?i)x{2,3}[^é]", r"\d+\.", "\"\n"]).to_owned(),
            false => self.text(),
        };
        matcher(&label, op, &value)
    }

    fn at(&mut self) -> At {
        self.one(&[
            At::Start,
            At::End,
            At::Time(0),
            At::Time(1_700_000_000_123),
            At::Time(-1),
            At::Time(999_999_999_999),
        ])
    }

    /// A duration that ends by itself.
    fn offset(&mut self) -> DurationExpr {
        match self.below(4) {
            0 => literal(self.milliseconds() / 1000.0 * self.one(&[1.0, -1.0]), true),
            1 => {
                let operand = Box::new(closed(self.duration_atom()));
                let is_negative = self.below(2) == 0 || !operand.is_wrapped;
                duration(DurationNode::Sign { is_negative, operand })
            }
            _ => closed(self.duration_atom()),
        }
    }

    /// A duration in brackets; one that is a literal is above zero.
    fn range(&mut self) -> DurationExpr {
        match self.below(3) {
            0 => literal(self.milliseconds() / 1000.0, true),
            1 => self.calculation(),
            _ => self.offset_for_brackets(),
        }
    }

    fn offset_for_brackets(&mut self) -> DurationExpr {
        let mut offset = self.offset();
        let is_wrapped = offset.is_wrapped;
        match &mut offset.node {
            DurationNode::Literal { seconds, .. } if !is_wrapped => *seconds = seconds.abs(),
            // A plus is left out there.
            DurationNode::Sign { is_negative, .. } => *is_negative = true,
            _ => {}
        }
        offset
    }

    fn calculation(&mut self) -> DurationExpr {
        self.depth += 1;
        let op = self.one(&[
            DurationOp::Add,
            DurationOp::Sub,
            DurationOp::Mul,
            DurationOp::Div,
            DurationOp::Mod,
            DurationOp::Pow,
            DurationOp::MinOf,
            DurationOp::MaxOf,
        ]);
        let (lhs, rhs) = (Box::new(self.duration_atom()), Box::new(self.duration_atom()));
        self.depth -= 1;
        duration(DurationNode::Binary { op, lhs, rhs })
    }

    fn duration_atom(&mut self) -> DurationExpr {
        let choice = if self.depth > 12 { 0 } else { self.below(6) };
        match choice {
            0 => duration(DurationNode::Step),
            1 => duration(DurationNode::Range),
            2 => literal(self.milliseconds() / 1000.0, true),
            3 => literal(self.one(&[1.0, 0.25, 1e9]), false),
            4 => DurationExpr { is_wrapped: true, ..literal(self.milliseconds() / -1000.0, true) },
            _ => DurationExpr { is_wrapped: true, ..self.calculation() },
        }
    }

    fn subquery(&mut self) -> Expr {
        let expr = self.of_type(ValueType::Vector);
        let expr = if matches!(expr, Expr::Binary(_) | Expr::Unary(_)) { wrapped(expr) } else { expr };
        Expr::Subquery(Subquery {
            expr: Box::new(expr),
            range: self.range(),
            step: self.maybe(Self::range),
            at: self.maybe(Self::at),
            offset: self.maybe(Self::offset),
            span: SPAN,
        })
    }

    fn call(&mut self, value_type: ValueType) -> Expr {
        let functions: Vec<_> = FUNCTIONS.iter().filter(|function| function.result == value_type).collect();
        let function = self.one(&functions);
        let most = function.most().unwrap_or(usize::MAX).min(function.least() + 2);
        let count = function.least() + self.below(most - function.least() + 1);
        let mut args: Vec<Expr> =
            (0..count).map(|index| self.of_type(function.arg(index).expect("a type for each"))).collect();
        if let ("info", Some(labels)) = (function.name, args.get_mut(1)) {
            let mut matchers = self.some(Self::matcher);
            matchers.sort_by_key(Matcher::to_string);
            *labels = Expr::Vector(VectorSelector {
                name: None,
                matchers,
                at: None,
                offset: None,
                extension: None,
                span: SPAN,
            });
        }
        Expr::Call(Call { function, args, span: SPAN })
    }

    fn aggregate(&mut self) -> Expr {
        let op = self.one(&AggregateOp::ALL);
        let labels = self.some(|draw| draw.text() + "x");
        Expr::Aggregate(Aggregate {
            op,
            param: op.param_type().map(|param| Box::new(self.of_type(param))),
            expr: Box::new(self.of_type(ValueType::Vector)),
            grouping: Grouping { is_without: self.below(2) == 1, labels },
            span: SPAN,
        })
    }

    fn unary(&mut self, value_type: ValueType) -> Expr {
        let operand = self.of_type(value_type);
        let is_tight = match &operand {
            Expr::Number(_) => false,
            Expr::Binary(binary) => binary.op == BinaryOp::Pow,
            _ => true,
        };
        let expr = Box::new(if is_tight { operand } else { wrapped(operand) });
        Expr::Unary(Unary { is_negative: self.below(2) == 1, expr, span: SPAN })
    }

    fn binary(&mut self, value_type: ValueType) -> Expr {
        use BinaryOp::{Add, And, Atan2, Div, Equal, Less, Mod, Mul, NotEqual, Or, Pow, Sub, TrimUpper, Unless};
        let op = match value_type {
            ValueType::Scalar => self.one(&[Add, Sub, Mul, Div, Mod, Pow, Atan2, Equal, NotEqual, Less]),
            _ => self.one(&[Add, Sub, Mul, Div, Mod, Pow, Atan2, Equal, Less, TrimUpper, And, Or, Unless]),
        };
        let (left, right) = match value_type {
            ValueType::Scalar => (ValueType::Scalar, ValueType::Scalar),
            _ if op.is_set() => (ValueType::Vector, ValueType::Vector),
            _ => self.one(&[
                (ValueType::Vector, ValueType::Vector),
                (ValueType::Vector, ValueType::Scalar),
                (ValueType::Scalar, ValueType::Vector),
            ]),
        };
        let are_vectors = left == ValueType::Vector && right == ValueType::Vector;
        let lhs = as_left(op, self.of_type(left));
        let rhs = as_right(op, self.of_type(right));
        let returns_bool = op.is_comparison() && (value_type == ValueType::Scalar || self.below(2) == 1);
        let matching = are_vectors.then(|| self.matching(op));
        Expr::Binary(Binary::new((op, SPAN), lhs, rhs, returns_bool, matching))
    }

    fn matching(&mut self, op: BinaryOp) -> Matching {
        let is_on = self.below(2) == 1;
        let labels = self.some(|draw| draw.text() + "x");
        if op.is_set() {
            return Matching { cardinality: Cardinality::ManyToMany, is_on, labels, ..Matching::default() };
        }
        let cardinality = self.one(&[Cardinality::OneToOne, Cardinality::ManyToOne, Cardinality::OneToMany]);
        let include = match cardinality {
            Cardinality::OneToOne => Vec::new(),
            _ => self.some(|draw| draw.text() + "y"),
        };
        let mut value = || self.maybe(|draw| draw.one(&[0.0, 1e6, -1.5e-7, f64::INFINITY]));
        let fill = Fill { left: value(), right: value() };
        Matching { cardinality, is_on, labels, include, fill }
    }
}

fn matcher(label: &str, op: MatchOp, value: &str) -> Matcher {
    Matcher { label: label.to_owned(), op, value: value.to_owned(), span: SPAN }
}

fn duration(node: DurationNode) -> DurationExpr {
    DurationExpr { node, is_wrapped: false, span: SPAN }
}

fn literal(seconds: f64, is_duration: bool) -> DurationExpr {
    duration(DurationNode::Literal { seconds, is_duration })
}

/// A duration that has parentheses around it if it is a literal.
fn closed(duration: DurationExpr) -> DurationExpr {
    DurationExpr { is_wrapped: duration.is_wrapped || duration.literal().is_some(), ..duration }
}

fn wrapped(expr: Expr) -> Expr {
    Expr::Paren(Paren { expr: Box::new(expr), span: SPAN })
}

fn as_left(op: BinaryOp, expr: Expr) -> Expr {
    let is_tight = match &expr {
        _ if ends_in_open_offset(&expr) => false,
        // A sign is weaker than a power.
        Expr::Number(_) | Expr::Unary(_) => op != BinaryOp::Pow,
        Expr::Binary(left) => left.op.precedence() >= op.precedence() && op != BinaryOp::Pow,
        _ => true,
    };
    if is_tight { expr } else { wrapped(expr) }
}

/// Whether an operator behind it would be one of the duration at its end: `a offset (5m) * 2`.
fn ends_in_open_offset(expr: &Expr) -> bool {
    let (offset, is_last) = match expr {
        Expr::Vector(e) => (&e.offset, e.at.is_none() && e.extension.is_none()),
        Expr::Matrix(e) => (&e.selector.offset, e.selector.at.is_none() && e.selector.extension.is_none()),
        Expr::Subquery(e) => (&e.offset, e.at.is_none()),
        Expr::Unary(e) => return ends_in_open_offset(&e.expr),
        Expr::Binary(e) => return ends_in_open_offset(&e.rhs),
        _ => return false,
    };
    is_last && offset.as_ref().is_some_and(|offset| offset.is_wrapped)
}

fn as_right(op: BinaryOp, expr: Expr) -> Expr {
    let is_tight = match &expr {
        Expr::Binary(right) => {
            right.op.precedence() > op.precedence() || (op == BinaryOp::Pow && right.op == BinaryOp::Pow)
        }
        _ => true,
    };
    if is_tight { expr } else { wrapped(expr) }
}
