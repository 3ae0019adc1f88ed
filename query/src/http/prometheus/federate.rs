//! `/federate`: the newest sample of each series, as a page that another Prometheus scrapes.

mod page;

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use model::ErrorKind;
use model::batch::{Kind, is_stale};
use model::labels::NAME_LABEL;

use self::page::{Format, Page};
use super::form::Form;
use super::plain::{off_the_runtime, respond};
use super::readings::Readings;
use super::{metadata, query};
use crate::engine::Engine;
use crate::error::{Error, from_datafusion};
use crate::promql::labels::LabelSet;
use crate::promql::{Asked, RangeRow, RawQuestion, rows};

/// `/federate`: the series that one of the selectors of `match[]` selects.
pub(super) async fn federate(State(engine): State<Engine>, request: Request) -> Response {
    respond(answer(&engine, request).await)
}

async fn answer(engine: &Engine, request: Request) -> Result<Response, Error> {
    let accept: Vec<&str> = request.headers().get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok()).collect();
    let format = Format::accepted(&accept);
    let (asked, now_ms) = (Asked::now(engine.config()), engine.now_ms());
    let form = Form::read(request).await.map_err(|failure| failure.into_invalid())?;
    let lookback_ms = i64::try_from(engine.config().lookback.as_millis()).unwrap_or(i64::MAX);
    let time_ms = now_ms.saturating_sub(lookback_ms).saturating_add(1)..=now_ms;
    let mut questions = Vec::new();
    for text in form.all("match[]") {
        let selector = query::selector("match[]", text).map_err(|failure| failure.into_invalid())?;
        questions.push(RawQuestion::new(&selector.matchers, &time_ms, &asked));
    }
    let newest = newest(Readings::new(engine, questions), engine.config().query_memory_bytes).await?;
    let kinds = if newest.is_empty() { BTreeMap::new() } else { kinds(engine).await? };
    let page = off_the_runtime(move || Ok(page(newest, &kinds, format))).await?;
    Ok(([(CONTENT_TYPE, format.content_type())], page).into_response())
}

/// A series with its newest sample.
struct Newest {
    labels: LabelSet,
    time_ms: i64,
    value: f64,
}

/// Those series whose newest sample is a number, each once, by name and labels. A series that has ended has none, and one
/// without a name is on no page.
///
/// # Errors
/// Those of the answers, and `TooLarge` if the series take more than `max_bytes`.
async fn newest(mut readings: Readings, max_bytes: u64) -> Result<Vec<Newest>, Error> {
    let (mut all, mut bytes) = (Vec::new(), 0u64);
    while let Some((_, batch)) = readings.next().await? {
        for row in rows(&batch).map_err(from_datafusion)? {
            let RangeRow { labels, times_ms, values, histograms } = row;
            let number = times_ms.values().last().copied().zip(values.values().last().copied());
            let histogram_ms = histograms.last().map(|(time_ms, _)| *time_ms);
            let Some((time_ms, value)) = number.filter(|(time_ms, _)| Some(*time_ms) > histogram_ms) else { continue };
            if is_stale(value) || labels.get(NAME_LABEL).is_empty() {
                continue;
            }
            bytes += (size_of::<Newest>() + labels.as_bytes().len()) as u64;
            if bytes > max_bytes {
                let what = format!(
                    "the series take more than {max_bytes} bytes of memory; select fewer with match[], or raise \
                     query.query_memory_bytes"
                );
                return Err(Error::new(ErrorKind::TooLarge, what));
            }
            all.push(Newest { labels, time_ms, value });
        }
    }
    off_the_runtime(move || {
        let name = |one: &Newest| one.labels.get(NAME_LABEL).to_owned();
        all.sort_by_cached_key(name);
        // Within a name, of which there are few: labels are compared pair by pair, which takes no memory.
        all.chunk_by_mut(|a, b| a.labels.get(NAME_LABEL) == b.labels.get(NAME_LABEL))
            .for_each(|of_name| of_name.sort_by(|a, b| a.labels.iter().cmp(b.labels.iter())));
        all.dedup_by(|a, b| a.labels == b.labels);
        Ok(all)
    })
    .await
}

/// Of each metric of which all senders say the same what it is.
async fn kinds(engine: &Engine) -> Result<BTreeMap<String, Kind>, Error> {
    let mut kinds = BTreeMap::new();
    for (name, said) in metadata::said(engine, None).await? {
        let words: BTreeSet<&str> = said.iter().map(|(kind, ..)| kind.as_str()).collect();
        let kind = Kind::ALL.into_iter().find(|kind| words.contains(kind.as_str()));
        if let (Some(kind), 1) = (kind, words.len()) {
            kinds.insert(name, kind);
        }
    }
    Ok(kinds)
}

fn page(newest: Vec<Newest>, kinds: &BTreeMap<String, Kind>, format: Format) -> String {
    let mut page = Page::new(format);
    for of_name in newest.chunk_by(|a, b| a.labels.get(NAME_LABEL) == b.labels.get(NAME_LABEL)) {
        page.family(of_name[0].labels.get(NAME_LABEL), kinds);
        of_name.iter().for_each(|one| page.sample(&one.labels, one.value, one.time_ms));
    }
    page.finish()
}

#[cfg(test)]
mod tests;
