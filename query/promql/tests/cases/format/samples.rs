//! The samples of a series that is stored: `1 2 _ +1*3 stale @90s h{…}`.

use model::NativeHistogram;
use model::batch::STALE_NAN_BITS;

use super::ORIGIN_MS;
use super::histograms;
use super::numbers::{duration_ms, number};

/// One sample.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sample {
    /// A number, or the staleness marker among numbers.
    Float(f64),
    /// A native histogram, or the staleness marker among those.
    Histogram(Box<NativeHistogram>),
}

/// Reads the samples of a series whose first one is at `start_ms`.
pub(crate) fn parse(text: &str, start_ms: i64, step_ms: i64) -> Result<Vec<(i64, Sample)>, String> {
    let mut samples: Vec<(i64, Sample)> = Vec::new();
    let mut time_ms = start_ms;
    for word in words(text) {
        if let Some(time) = word.strip_prefix('@') {
            time_ms = ORIGIN_MS + duration_ms(time)?;
            continue;
        }
        let (value, times) = repeated(word)?;
        for _ in 0..times {
            if value != "_" {
                let sample = sample(value, samples.last().map(|(_, sample)| sample))?;
                if samples.last().is_some_and(|(last_ms, _)| *last_ms >= time_ms) {
                    return Err(format!("'{word}' is not after the sample before it"));
                }
                samples.push((time_ms, sample));
            }
            time_ms += step_ms;
        }
    }
    Ok(samples)
}

/// The words of a line; a space within braces parts none.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0;
    let parts = text.split(move |c: char| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        depth == 0 && c.is_whitespace()
    });
    parts.filter(|part| !part.is_empty())
}

/// What a word repeats, and how many times.
pub(crate) fn repeated(word: &str) -> Result<(&str, usize), String> {
    let (value, times) = match word.rsplit_once('*') {
        Some((value, times)) if !times.contains('}') => (value, times),
        _ => (word, "1"),
    };
    Ok((value, times.parse().map_err(|_| format!("'{word}' is not a value times a count"))?))
}

fn sample(word: &str, last: Option<&Sample>) -> Result<Sample, String> {
    if word == "stale" {
        return Ok(match last {
            Some(Sample::Histogram(_)) => Sample::Histogram(Box::new(NativeHistogram::stale())),
            _ => Sample::Float(f64::from_bits(STALE_NAN_BITS)),
        });
    }
    let Some(more) = word.strip_prefix('+') else {
        return match word.strip_prefix('h') {
            Some(histogram) => Ok(Sample::Histogram(Box::new(histograms::parse_stored(histogram)?))),
            None => Ok(Sample::Float(number(word)?)),
        };
    };
    match (last, more.strip_prefix('h')) {
        (Some(Sample::Histogram(last)), Some(histogram)) => {
            let more = histograms::parse_stored(histogram)?;
            Ok(Sample::Histogram(Box::new(histograms::sum(last, &more)?)))
        }
        (Some(Sample::Float(last)), None) => Ok(Sample::Float(last + number(more)?)),
        _ => Err(format!("'{word}' has no sample of its kind before it")),
    }
}
