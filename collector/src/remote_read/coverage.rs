//! Which times of a source have been read: a set of spans, each after its start up to and including its end.
//!
//! Pure. Times are milliseconds since the Unix epoch.

use std::collections::BTreeMap;

const DAY_MS: i64 = 86_400_000;

/// The times after `after_ms`, up to and including `until_ms`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) after_ms: i64,
    pub(crate) until_ms: i64,
}

impl Span {
    /// How long it is, in milliseconds.
    pub(crate) fn length_ms(self) -> i64 {
        self.until_ms.saturating_sub(self.after_ms).max(0)
    }

    /// The end of it, at most `length_ms` long.
    pub(crate) fn last(self, length_ms: i64) -> Span {
        Span { after_ms: self.after_ms.max(self.until_ms.saturating_sub(length_ms)), ..self }
    }

    /// The part of it that is on the UTC day of its end.
    pub(crate) fn of_last_day(self) -> Span {
        let midnight_ms = self.until_ms.div_euclid(DAY_MS).saturating_mul(DAY_MS);
        Span { after_ms: self.after_ms.max(midnight_ms.saturating_sub(1)), ..self }
    }
}

/// The spans that have been read. No two of them meet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// The start of each, by its end.
    spans: BTreeMap<i64, i64>,
}

impl Coverage {
    /// Adds a span, which may overlap others.
    pub(crate) fn add(&mut self, span: Span) {
        if span.length_ms() == 0 {
            return;
        }
        let Span { mut after_ms, mut until_ms } = span;
        // Those that end where it starts or later, and start where it ends or sooner.
        let met: Vec<(i64, i64)> = self
            .spans
            .range(after_ms..)
            .map(|(end, start)| (*end, *start))
            .take_while(|(_, start)| *start <= until_ms)
            .collect();
        for (end, start) in met {
            self.spans.remove(&end);
            after_ms = after_ms.min(start);
            until_ms = until_ms.max(end);
        }
        self.spans.insert(until_ms, after_ms);
    }

    /// All spans.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> {
        self.spans.iter().map(|(until_ms, after_ms)| Span { after_ms: *after_ms, until_ms: *until_ms })
    }

    /// The newest time that has been read, up to `until_ms`.
    pub(crate) fn newest(&self, until_ms: i64) -> Option<i64> {
        let (end, start) = self.spans.range(until_ms..).next().unzip();
        match (end, start) {
            (Some(_), Some(start)) if *start < until_ms => Some(until_ms),
            _ => self.spans.range(..until_ms).next_back().map(|(end, _)| *end),
        }
    }

    /// What of `within` has not been read, the newest first.
    pub(crate) fn missing(&self, within: Span) -> impl Iterator<Item = Span> {
        let mut until_ms = within.until_ms;
        let mut read = self.spans.range(within.after_ms.saturating_add(1)..).rev();
        std::iter::from_fn(move || {
            while until_ms > within.after_ms {
                let Some((end, start)) = read.next() else {
                    let rest = Span { after_ms: within.after_ms, until_ms };
                    until_ms = within.after_ms;
                    return Some(rest);
                };
                let gap = Span { after_ms: (*end).min(until_ms), until_ms };
                until_ms = until_ms.min(*start);
                if gap.length_ms() > 0 {
                    return Some(gap);
                }
            }
            None
        })
    }

    /// Forgets what ended before `before_ms`.
    pub(crate) fn forget(&mut self, before_ms: i64) {
        self.spans = self.spans.split_off(&before_ms);
    }
}

#[cfg(test)]
mod tests;
