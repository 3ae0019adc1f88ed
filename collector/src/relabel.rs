//! Relabeling: rules that change, drop or keep a set of labels, as Prometheus applies them.
//!
//! Owns: what makes a rule wrong, what each action does, templates of replacements.
//! Does not own: the words of the configuration ([`RelabelConfig`]), where labels come from and go to, and what makes a
//! set complete in the end (an address for a target, a name for a series).
//!
//! Targets: before a target is scraped, its labels with all `__address__`, `__scheme__`, `__metrics_path__`,
//! `__param_…`, `__meta_…`; those that begin with `__` are taken off afterwards. Series: each one of a scrape, its name in
//! `__name__`, its target's labels among the others. The same rules do both. They know no state: whoever has a thousand
//! series with the same labels asks once.
//!
//! The rules are those of Prometheus 3. Its predecessor, down to 2.42, differs in this:
//!
//! - A dot did not match a line break; now it does.
//! - Names of labels were `[a-zA-Z_][a-zA-Z0-9_]*`, others refused, and a `replace` whose `target_label` came out
//!   otherwise did nothing; now any text that is not empty is a name.
//! - A `replace` that comes out empty removed the label that is called like the template of `target_label`, which for
//!   a template with `$` there never was; now it removes the label that the template makes.
//! - `labelmap` went through the labels by name, now in the order of [`LabelSet`]; it matters where two become one.
//! - `(?<name>…)`, and names of Unicode classes in other than their own letters, were not known.
//!
//! And this is left of differences to Prometheus 3:
//!
//! - Its targets have no order of labels, so that it is chance there which one wins where `labelmap` makes one of two.
//! - `modulus` must be a whole number: 8.7 counts as 8 there, and 010 as 8 too.
//! - A label among `source_labels` that is null is refused; there it is one that no set has.
//! - The setting `metric_name_validation_scheme: legacy` does not exist.
//! - What is left of differences between expressions is told in [`model::go_regex`].

mod expression;
mod label_set;
mod letter_case;
mod rule;
mod template;

use model::Error;

pub use self::label_set::LabelSet;
use self::rule::Rule;
use crate::config::RelabelConfig;

/// Rules in the order in which they are applied.
#[derive(Debug, Clone, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Checks and compiles rules.
    ///
    /// # Errors
    /// `Invalid` if one of them is wrong; the message says which one and how to mend it.
    pub fn new(configs: &[RelabelConfig]) -> Result<Self, Error> {
        let rule = |(index, config): (usize, &RelabelConfig)| {
            Rule::new(config).map_err(|e| e.context(format!("rules[{index}] ({})", config.action.as_str())))
        };
        configs.iter().enumerate().map(rule).collect::<Result<_, _>>().map(Rules)
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Applies the rules one after the other; false says that the set is dropped, in whatever state it is then.
    #[must_use]
    pub fn apply(&self, labels: &mut LabelSet) -> bool {
        self.0.iter().all(|rule| rule.apply(labels))
    }
}

#[cfg(test)]
mod tests;
