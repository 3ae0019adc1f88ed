//! `labels`, `label/<name>/values` and `series`: what the index knows.

use std::collections::BTreeSet;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use storage::Selection;

use super::envelope::{Failure, Success, respond};
use super::form::Form;
use super::time;
use crate::engine::Engine;
use crate::promql::Annotations;
use crate::promql::labels::LabelSet;
use crate::promql::selection::matchers;

/// What is said of a list that is longer than the request wants.
const TRUNCATED: &str = "results truncated due to limit";
/// Label names that are not plain are sent so, with every other character as its code point.
const ESCAPED: &str = "U__";

/// `labels`: the names of labels.
pub(super) async fn names(State(engine): State<Engine>, request: Request) -> Response {
    respond(label_names(&engine, request).await)
}

/// `label/<name>/values`: the values of a label.
pub(super) async fn values(State(engine): State<Engine>, Path(name): Path<String>, request: Request) -> Response {
    respond(label_values(&engine, &name, request).await)
}

/// `series`: series with all their labels.
pub(super) async fn series(State(engine): State<Engine>, request: Request) -> Response {
    respond(all_series(&engine, request).await)
}

async fn label_names(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    let (selections, limit) = (selections(&form)?, limit(&form)?);
    let snapshot = engine.source();
    let mut names = BTreeSet::new();
    for selection in &selections {
        names.extend(snapshot.label_names(selection).await.map_err(crate::error::Error::from)?);
        for labels in engine.synthetic_series(&selection.matchers) {
            names.extend(labels.iter().map(|(name, _)| name.to_owned()));
        }
    }
    Ok(listed(names.into_iter().map(serde_json::Value::from).collect(), limit))
}

async fn label_values(engine: &Engine, name: &str, request: Request) -> Result<Success, Failure> {
    let name = unescaped(name);
    if name.is_empty() {
        return Err(Failure::bad_data("invalid label name: \"\""));
    }
    let form = Form::read(request).await?;
    let (selections, limit) = (selections(&form)?, limit(&form)?);
    let snapshot = engine.source();
    let mut values = BTreeSet::new();
    for selection in &selections {
        values.extend(snapshot.label_values(&name, selection).await.map_err(crate::error::Error::from)?);
        let synthetic = engine.synthetic_series(&selection.matchers);
        values.extend(synthetic.iter().map(|labels| labels.get(&name).to_owned()).filter(|value| !value.is_empty()));
    }
    Ok(listed(values.into_iter().map(serde_json::Value::from).collect(), limit))
}

async fn all_series(engine: &Engine, request: Request) -> Result<Success, Failure> {
    let form = Form::read(request).await?;
    if form.all("match[]").next().is_none() {
        return Err(Failure::bad_data("no match[] parameter provided"));
    }
    let (selections, limit) = (selections(&form)?, limit(&form)?);
    let snapshot = engine.source();
    let mut found = BTreeSet::new();
    for selection in &selections {
        let resolved = snapshot.resolve(selection).await.map_err(crate::error::Error::from)?;
        // One more than the limit tells that there are more.
        let wanted = limit.map_or(usize::MAX, |limit| limit + 1);
        found.extend(resolved.series.iter().take(wanted).map(|series| LabelSet::of(&series.key)));
        found.extend(engine.synthetic_series(&selection.matchers));
    }
    let object = |labels: LabelSet| {
        let pairs = labels.iter().map(|(name, value)| (name.to_owned(), value.into()));
        serde_json::Value::Object(pairs.collect())
    };
    Ok(listed(found.into_iter().map(object).collect(), limit))
}

/// As many as are wanted, and a warning if there are more.
fn listed(mut all: Vec<serde_json::Value>, limit: Option<usize>) -> Success {
    let mut annotations = Annotations::default();
    if let Some(limit) = limit.filter(|limit| *limit < all.len()) {
        all.truncate(limit);
        annotations.warnings.push(TRUNCATED.to_owned());
    }
    Success { data: serde_json::Value::from(all).to_string(), annotations }
}

/// What `match[]`, `start` and `end` select; one selection for each `match[]`, and one of all series without.
fn selections(form: &Form) -> Result<Vec<Selection>, Failure> {
    let start_ms = time::parameter("start", form.get("start"), Some(time::MIN_TIME_MS))?;
    let end_ms = time::parameter("end", form.get("end"), Some(time::MAX_TIME_MS))?;
    if end_ms < start_ms {
        return Err(Failure::parameter("end", "end timestamp must not be before start time"));
    }
    let mut selections = Vec::new();
    for text in form.all("match[]") {
        let selector = super::query::selector("match[]", text)?;
        selections.push(Selection { matchers: matchers(&selector.matchers), time_ms: start_ms..=end_ms });
    }
    if selections.is_empty() {
        selections.push(Selection { matchers: Vec::new(), time_ms: start_ms..=end_ms });
    }
    Ok(selections)
}

/// How many are wanted; `None` if all are.
fn limit(form: &Form) -> Result<Option<usize>, Failure> {
    match form.get("limit") {
        "" => Ok(None),
        text => match text.parse::<i64>() {
            Ok(limit) if limit >= 0 => Ok(Some(limit as usize).filter(|limit| *limit > 0)),
            Ok(_) => Err(Failure::parameter("limit", "limit must be non-negative")),
            Err(_) => Err(Failure::parameter("limit", format!("cannot parse {text:?} as a number"))),
        },
    }
}

/// The name that an escaped one stands for: `U__my_2e_name` is `my.name`, two underscores are one.
fn unescaped(name: &str) -> String {
    let Some(mut rest) = name.strip_prefix(ESCAPED) else { return name.to_owned() };
    let mut plain = String::new();
    while let Some((before, after)) = rest.split_once('_') {
        plain.push_str(before);
        if let Some(after) = after.strip_prefix('_') {
            plain.push('_');
            rest = after;
            continue;
        }
        let code = after.split_once('_').and_then(|(hex, after)| Some((u32::from_str_radix(hex, 16).ok()?, after)));
        match code.and_then(|(code, after)| Some((char::from_u32(code)?, after))) {
            Some((character, after)) => {
                plain.push(character);
                rest = after;
            }
            // Not escaped after all.
            None => return name.to_owned(),
        }
    }
    plain + rest
}

#[cfg(test)]
mod tests {
    use model::labels::{CLUSTER_LABEL, NAME_LABEL};

    use super::*;

    #[test]
    fn escaped_names_are_read() {
        let cases = [
            ("job", "job"),
            ("U__my_2e_name", "my.name"),
            ("U__a__b", "a_b"),
            ("U__a_zz_b", "U__a_zz_b"),
            (NAME_LABEL, NAME_LABEL),
            (CLUSTER_LABEL, CLUSTER_LABEL),
        ];
        for (name, expected) in cases {
            assert_eq!(unescaped(name), expected, "{name}");
        }
    }
}
