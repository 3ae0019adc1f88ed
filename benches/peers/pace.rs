//! Senders of samples, lines and spans: such that keep a pace whatever the server does, and such that send as fast as they are answered.
//!
//! An acknowledge time counts from the instant at which its request was due, not from when it could be sent: so a server
//! that holds up its senders does not hide how long that took.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::process::Process;
use crate::records::sent::took_all;
use crate::report::quantile;
use crate::{Fault, load, records};

/// Requests on their way at once, of all senders: twice what the server works on by default, so that it has to say when it is
/// too much, and half of the connections that it takes.
pub(crate) const AT_ONCE: usize = 512;
/// Requests that are made before they are due.
const READY: usize = 16;

/// What a request is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Samples,
    Lines,
    Spans,
}

/// A request that is not sent yet.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) signal: Signal,
    pub(crate) builder: RequestBuilder,
}

/// What is sent; it never runs out.
pub(crate) trait Source: std::fmt::Debug + Send + Sync {
    /// The next request, of this instant, to our server at a URL.
    fn next(&self, client: &Client, url: &str) -> Result<Request, snap::Error>;
}

/// A cluster: what it sends, where to, and as whom.
#[derive(Debug, Clone)]
pub(crate) struct Sender {
    client: Client,
    url: String,
    token: Option<String>,
    source: Arc<dyn Source>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Its rows are durable.
    Acknowledged,
    /// It was told when to come again: back-pressure.
    PutOff,
    /// Anything else.
    Failed(String),
}

/// A request, long after.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    signal: Signal,
    /// When it was due, from the begin of all.
    due: Duration,
    took: Duration,
    outcome: Outcome,
}

/// All requests of some time.
#[derive(Debug)]
pub(crate) struct Answers {
    all: Vec<Answer>,
    /// For how long requests were due.
    lasted: Duration,
}

impl Signal {
    pub(crate) const ALL: [Signal; 3] = [Signal::Samples, Signal::Lines, Signal::Spans];

    /// Rows of a request.
    pub(crate) fn of_request(self) -> usize {
        match self {
            Signal::Samples => load::OF_REQUEST,
            Signal::Lines | Signal::Spans => records::OF_REQUEST,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Signal::Samples => "samples",
            Signal::Lines => "lines",
            Signal::Spans => "spans",
        }
    }
}

impl Sender {
    pub(crate) fn new(process: &Process, token: Option<&str>, source: Arc<dyn Source>) -> Self {
        Sender { client: Client::new(), url: process.url.clone(), token: token.map(str::to_owned), source }
    }

    fn next(&self) -> Result<Request, snap::Error> {
        let Request { signal, builder } = self.source.next(&self.client, &self.url)?;
        let builder = match &self.token {
            Some(token) => builder.bearer_auth(token),
            None => builder,
        };
        Ok(Request { signal, builder })
    }
}

impl Request {
    /// Sends it, `due` after `begin`.
    async fn answered(self, begin: Instant, due: Duration) -> Answer {
        let signal = self.signal;
        let outcome = self.send().await;
        Answer { signal, due, took: begin.elapsed() - due, outcome }
    }

    async fn send(self) -> Outcome {
        let answer = match self.builder.send().await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Failed(format!("{error:?}")),
        };
        let status = answer.status();
        let is_busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        let says_when = answer.headers().contains_key("retry-after");
        // Read to its end, so that the connection is free for the next.
        let text = answer.text().await;
        match text {
            Ok(text) if took_all(status, &text) => Outcome::Acknowledged,
            Ok(_) if is_busy && says_when => Outcome::PutOff,
            Ok(text) => Outcome::Failed(format!("{status}: {text}")),
            Err(error) => Outcome::Failed(format!("{status}: {error:?}")),
        }
    }
}

/// Sends so many requests a second, each when it is due, in as many connections as that takes up to `at_once`.
pub(crate) async fn open_loop(
    sender: &Sender,
    at_once: usize,
    per_second: f64,
    duration: Duration,
) -> Result<Answers, Fault> {
    let (ready, mut due) = mpsc::channel(READY);
    let (begin, sender) = (Instant::now(), sender.clone());
    // A thread of its own: the runtime's timers are only good to a millisecond.
    let pacer = tokio::task::spawn_blocking(move || keep_pace(&sender, begin, per_second, duration, &ready));
    let (mut all, mut on_their_way) = (Vec::new(), JoinSet::new());
    while let Some((due, request)) = due.recv().await {
        if on_their_way.len() >= at_once {
            all.extend(on_their_way.join_next().await.transpose()?);
        }
        on_their_way.spawn(request.answered(begin, due));
        while let Some(done) = on_their_way.try_join_next() {
            all.push(done?);
        }
    }
    pacer.await??;
    let lasted = begin.elapsed();
    while let Some(done) = on_their_way.join_next().await {
        all.push(done?);
    }
    Ok(Answers { all, lasted })
}

/// Makes requests and hands over each when it is due.
#[expect(clippy::disallowed_methods, reason = "the time is what is waited for")]
fn keep_pace(
    sender: &Sender,
    begin: Instant,
    per_second: f64,
    duration: Duration,
    ready: &mpsc::Sender<(Duration, Request)>,
) -> Result<(), snap::Error> {
    for number in 0..(per_second * duration.as_secs_f64()) as u64 {
        let due = Duration::from_secs_f64(number as f64 / per_second);
        let request = sender.next()?;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        // Nobody listens any more if the other side has failed, which tells so itself.
        if ready.blocking_send((due, request)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Sends over so many connections, each the next request once the last one is answered.
pub(crate) async fn closed_loop(sender: &Sender, connections: usize, duration: Duration) -> Result<Answers, Fault> {
    let (begin, mut senders) = (Instant::now(), JoinSet::new());
    for _ in 0..connections {
        let sender = sender.clone();
        senders.spawn(async move {
            let mut answers = Vec::new();
            while begin.elapsed() < duration {
                let due = begin.elapsed();
                answers.push(sender.next()?.answered(begin, due).await);
            }
            Ok::<_, snap::Error>(answers)
        });
    }
    let mut all = Vec::new();
    while let Some(done) = senders.join_next().await {
        all.extend(done??);
    }
    Ok(Answers { all, lasted: begin.elapsed() })
}

impl Answers {
    /// Those of several senders that began at one time.
    pub(crate) fn of_all(senders: Vec<Answers>) -> Self {
        let lasted = senders.iter().map(Answers::lasted).max().unwrap_or_default();
        Answers { all: senders.into_iter().flat_map(|answers| answers.all).collect(), lasted }
    }

    /// What was sent at all, in the order of [`Signal::ALL`].
    pub(crate) fn signals(&self) -> Vec<Signal> {
        let is_there = |signal: &Signal| self.all.iter().any(|answer| answer.signal == *signal);
        Signal::ALL.into_iter().filter(is_there).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn put_off(&self) -> usize {
        self.all.iter().filter(|answer| answer.outcome == Outcome::PutOff).count()
    }

    /// Rows that were sent.
    pub(crate) fn sent(&self, signal: Signal) -> usize {
        self.rows(signal, |_| true)
    }

    /// Rows that are durable.
    pub(crate) fn acknowledged(&self, signal: Signal) -> usize {
        self.rows(signal, |outcome| *outcome == Outcome::Acknowledged)
    }

    /// Rows of which nobody knows what became of them.
    pub(crate) fn unknown(&self, signal: Signal) -> usize {
        self.rows(signal, |outcome| matches!(outcome, Outcome::Failed(_)))
    }

    fn rows(&self, signal: Signal, counts: impl Fn(&Outcome) -> bool) -> usize {
        let counts = |answer: &&Answer| answer.signal == signal && counts(&answer.outcome);
        self.all.iter().filter(counts).count() * signal.of_request()
    }

    /// What was told of the first request of which nobody knows what became of it.
    pub(crate) fn failure(&self) -> Option<&str> {
        self.all.iter().find_map(|answer| match &answer.outcome {
            Outcome::Failed(text) => Some(text.as_str()),
            _ => None,
        })
    }

    pub(crate) fn lasted(&self) -> Duration {
        self.lasted
    }

    /// Requests that were sent in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.all.len() as f64 / self.lasted.as_secs_f64()
    }

    /// The time below which this share of the acknowledged requests was answered, in milliseconds.
    pub(crate) fn acknowledge_ms(&self, share: f64) -> f64 {
        self.acknowledge_ms_within(share, Duration::ZERO..Duration::MAX)
    }

    /// As [`Answers::acknowledge_ms`], of the requests that were due within a time.
    pub(crate) fn acknowledge_ms_within(&self, share: f64, due: Range<Duration>) -> f64 {
        let counts = |answer: &&Answer| due.contains(&answer.due) && answer.outcome == Outcome::Acknowledged;
        let times: Vec<f64> = self.all.iter().filter(counts).map(|answer| answer.took.as_secs_f64() * 1e3).collect();
        quantile(&times, share)
    }
}
