//! Exemplars: `# {trace_id="…"} value [seconds]` behind a sample.

use model::batch::Exemplar;

use super::Decoder;
use crate::error::Fault;
use crate::exposition::series::{Nameless, Visit, scan_labels};
use crate::exposition::{Page, number};

/// What comes before the labels; anything else behind a sample's value is its time.
const INTRODUCTION: &[u8] = b" # {";

/// The most characters that the labels of an exemplar have, names and values together.
const MAX_CHARACTERS: usize = 128;

impl Decoder<'_> {
    #[inline]
    pub(super) fn is_exemplar(&self, at: usize) -> bool {
        self.page.body[at..].starts_with(INTRODUCTION)
    }

    /// Reads the exemplar that is introduced at `at`, of a sample at `time_ms`, and returns where it ends.
    pub(super) fn exemplar(&mut self, at: usize, series: u32, mut time_ms: i64) -> Result<usize, Box<Fault>> {
        let body = self.page.body;
        let open = at + INTRODUCTION.len() - 1;
        let mut found = Found { page: &self.page, labels: Vec::new(), count: 0, characters: 0 };
        let end = scan_labels::<Nameless>(body, open, false, &mut found)?;
        let Found { labels, characters, .. } = found;
        let (value, mut at) = number::value(body, self.space(end, "the value of the exemplar")?)?;
        if body.get(at) == Some(&b' ') {
            (time_ms, at) = number::time_s(body, at + 1)?;
        }
        if characters <= MAX_CHARACTERS {
            self.page.count_exemplar(open, labels.len())?;
            self.page.batch.exemplars.push(Exemplar { series, time_ms, value, labels });
        }
        Ok(at)
    }
}

/// The labels of one exemplar, taken as long as it has few enough characters.
struct Found<'a> {
    page: &'a Page<'a>,
    labels: Vec<(String, String)>,
    count: usize,
    characters: usize,
}

impl Visit for Found<'_> {
    fn label(&mut self, name: (usize, usize), value: (usize, usize)) -> Result<(), Box<Fault>> {
        let (name, value) = (name.0..name.1, value.0..value.1);
        self.page.check_name(name.clone(), "the label name of the exemplar")?;
        self.page.check_value(value.clone(), "the label value of the exemplar")?;
        self.count += 1;
        if self.count > self.page.limits.max_labels {
            let what = format!("the exemplar has more than {} labels", self.page.limits.max_labels);
            return Err(Fault::too_large(name.start, what));
        }
        // An empty value means that the label is absent, as in a series.
        if value.is_empty() {
            return Ok(());
        }
        let label = (self.page.plain(name), self.page.plain(value));
        self.characters += label.0.chars().count() + label.1.chars().count();
        if self.characters <= MAX_CHARACTERS {
            self.labels.push(label);
        }
        Ok(())
    }
}
