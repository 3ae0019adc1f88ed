//! Medians, and lines that say who needed what.

/// The middle one of the rounds.
pub(crate) fn median(rounds: &[f64]) -> f64 {
    quantile(rounds, 0.5)
}

/// The value that this share of all is below, from 0 for the least to 1 for the greatest.
pub(crate) fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (sorted.len() as f64 * share) as usize;
    sorted.get(place.min(sorted.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// What one contender came to in each round.
#[derive(Debug)]
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) rounds: Vec<f64>,
}

impl Contender {
    pub(crate) fn new(name: &'static str) -> Self {
        Contender { name, rounds: Vec::new() }
    }

    pub(crate) fn median(&self) -> f64 {
        median(&self.rounds)
    }

    /// Its median as it is printed.
    pub(crate) fn shown(&self) -> String {
        number(self.median())
    }
}

/// How many times better the first contender is than another one.
pub(crate) fn times_better(more_is_better: bool, contenders: &[Contender], place: usize) -> f64 {
    let [ours, theirs] = [&contenders[0], &contenders[place]].map(Contender::median);
    if more_is_better { ours / theirs } else { theirs / ours }
}

/// Prints a line for each contender; the first is ours. `more_is_better` says which way the ratio goes: it is always
/// how many times better we are.
pub(crate) fn table(unit: &str, more_is_better: bool, contenders: &[Contender]) {
    for (place, contender) in contenders.iter().enumerate() {
        let ratio = times_better(more_is_better, contenders, place);
        let rounds: Vec<String> = contender.rounds.iter().map(|value| number(*value)).collect();
        let verdict = if place == 0 { String::new() } else { format!("  ours is {ratio:.2} times better") };
        println!("{:>16} {:>10} {unit}  [{}]{verdict}", contender.name, contender.shown(), rounds.join(" "));
    }
}

fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 10_000.0 => format!("{:.0}k", value / 1000.0),
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 1.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
