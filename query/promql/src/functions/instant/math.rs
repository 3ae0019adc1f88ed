//! Arithmetic that Go does in its own way.

/// The greater of two numbers: none if one of them is none, but positive infinity whatever the other one is.
pub(super) fn max(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        return f64::INFINITY;
    }
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a == b {
        // Of two zeros the positive one.
        if a.is_sign_negative() { b } else { a }
    } else {
        a.max(b)
    }
}

/// The lesser of two numbers: none if one of them is none, but negative infinity whatever the other one is.
pub(super) fn min(a: f64, b: f64) -> f64 {
    -max(-a, -b)
}

/// The nearest multiple, by default of one; halfway between two of them the greater one.
pub(super) fn round(x: f64, multiple: &[f64]) -> f64 {
    let inverse = 1.0 / multiple.first().copied().unwrap_or(1.0);
    (x * inverse + 0.5).floor() / inverse
}

/// Minus one, zero or one; zero keeps its sign, and what is no number stays none.
pub(super) fn sign(x: f64) -> f64 {
    if x < 0.0 {
        -1.0
    } else if x > 0.0 {
        1.0
    } else {
        x
    }
}
