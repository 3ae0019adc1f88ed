//! Several questions for samples of one request, answered one behind the other.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use futures::StreamExt;

use crate::engine::{Engine, Rows};
use crate::error::Error;
use crate::promql::RawQuestion;

/// The answers to the questions of one request. Each takes a place to run of its own when it is its turn; dropping them
/// cancels the one that runs.
pub(super) struct Readings {
    engine: Engine,
    waiting: VecDeque<RawQuestion>,
    /// The number of the question that is answered, from 0 on.
    number: usize,
    running: Option<Rows>,
}

impl Readings {
    /// The answers to these questions, none of which has begun.
    pub(super) fn new(engine: &Engine, questions: Vec<RawQuestion>) -> Self {
        Readings { engine: engine.clone(), waiting: questions.into(), number: 0, running: None }
    }

    /// The next rows, with the number of the question that they answer; `None` once all are answered. No answer is empty,
    /// but some questions may have none.
    ///
    /// # Errors
    /// Those of [`Engine::raw`] and of its rows.
    pub(super) async fn next(&mut self) -> Result<Option<(usize, RecordBatch)>, Error> {
        loop {
            let mut rows = match self.running.take() {
                Some(rows) => rows,
                None => match self.waiting.pop_front() {
                    Some(question) if question.is_empty() => {
                        self.number += 1;
                        continue;
                    }
                    Some(question) => self.engine.raw(question).await?,
                    None => return Ok(None),
                },
            };
            if let Some(batch) = rows.next().await {
                self.running = Some(rows);
                return Ok(Some((self.number, batch?)));
            }
            self.number += 1;
        }
    }
}
