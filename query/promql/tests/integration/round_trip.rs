//! Drawn trees are printed, on one line and laid out, and read back as the same trees.

use promql::ast::{Binary, DurationExpr, DurationNode, Expr};
use promql::parse;
use promql::span::Span;
use proptest::prelude::*;

use crate::draw::Draw;

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_is_read_back(choices in proptest::collection::vec(any::<u8>(), 0..300)) {
        let expr = Draw::new(&choices).expr();
        for text in [expr.to_string(), expr.pretty()] {
            let read = parse(&text).map_err(|error| TestCaseError::fail(format!("{text}: {}", error.display(&text))))?;
            check_spans(&text, &read)?;
            let mut read = read;
            forget_spans(&mut read);
            prop_assert!(read == expr, "{text}\nis read as\n{read}");
        }
        let json: serde_json::Value = serde_json::from_str(&expr.to_json()).unwrap();
        prop_assert!(json["type"].is_string());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,40}", tokens in "([a-c+*()\\[\\]{},:@^\"=~ ]|offset|by|sum|[0-9]m|step\\(\\)){0,20}") {
        for text in [text, tokens] {
            match parse(&text) {
                Ok(expr) => check_spans(&text, &expr)?,
                Err(error) => {
                    prop_assert!(error.span.start <= error.span.end && error.span.end as usize <= text.len());
                    prop_assert!(text.is_char_boundary(error.span.start as usize));
                }
            }
        }
    }
}

/// Each part that can stand alone is read from its place in the text as the same part.
fn check_spans(text: &str, expr: &Expr) -> Result<(), TestCaseError> {
    let span = expr.span();
    let part = &text[span.start as usize..span.end as usize];
    match parse(part) {
        Ok(read) => prop_assert_eq!(read.to_string(), expr.to_string()),
        // The selector of labels that `info` has may be none that selects anything.
        Err(error) => prop_assert!(error.message.contains("non-empty matcher"), "{}: {}", part, error),
    }
    expr.children().try_for_each(|child| {
        let inner = child.span();
        prop_assert!(span.start <= inner.start && inner.end <= span.end, "{}", part);
        check_spans(text, child)
    })
}

fn forget_spans(expr: &mut Expr) {
    let none = Span::default();
    match expr {
        Expr::Number(e) => e.span = none,
        Expr::String(e) => e.span = none,
        Expr::Vector(e) => forget_spans_of_selector(e),
        Expr::Matrix(e) => {
            e.span = none;
            forget_spans_of_selector(&mut e.selector);
            forget_spans_of_duration(&mut e.range);
        }
        Expr::Subquery(e) => {
            e.span = none;
            forget_spans(&mut e.expr);
            [Some(&mut e.range), e.step.as_mut(), e.offset.as_mut()]
                .into_iter()
                .flatten()
                .for_each(forget_spans_of_duration);
        }
        Expr::Call(e) => {
            e.span = none;
            e.args.iter_mut().for_each(forget_spans);
        }
        Expr::Aggregate(e) => {
            e.span = none;
            e.param.iter_mut().for_each(|param| forget_spans(param));
            forget_spans(&mut e.expr);
        }
        Expr::Binary(Binary { lhs, rhs, span, op_span, .. }) => {
            (*span, *op_span) = (none, none);
            forget_spans(lhs);
            forget_spans(rhs);
        }
        Expr::Unary(e) => {
            e.span = none;
            forget_spans(&mut e.expr);
        }
        Expr::Paren(e) => {
            e.span = none;
            forget_spans(&mut e.expr);
        }
    }
}

fn forget_spans_of_selector(selector: &mut promql::ast::VectorSelector) {
    selector.span = Span::default();
    selector.matchers.iter_mut().for_each(|matcher| matcher.span = Span::default());
    selector.offset.iter_mut().for_each(forget_spans_of_duration);
}

fn forget_spans_of_duration(duration: &mut DurationExpr) {
    duration.span = Span::default();
    match &mut duration.node {
        DurationNode::Literal { .. } | DurationNode::Step | DurationNode::Range => {}
        DurationNode::Sign { operand, .. } => forget_spans_of_duration(operand),
        DurationNode::Binary { lhs, rhs, .. } => {
            forget_spans_of_duration(lhs);
            forget_spans_of_duration(rhs);
        }
    }
}
