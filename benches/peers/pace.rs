//! Senders of remote write: such that keep a pace whatever the server does, and such that send as fast as they are answered.
//!
//! An acknowledge time counts from the instant at which its request was due, not from when it could be sent: so a server
//! that holds up its senders does not hide how long that took.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::{Client, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::load::{Load, OF_REQUEST};
use crate::process::Process;
use crate::report::quantile;
use crate::{Fault, remote_write};

/// Requests on their way at once: twice what the server works on by default, so that it has to say when it is too much.
const AT_ONCE: usize = 512;
/// Bodies that are made before they are due.
const READY: usize = 16;

/// Where requests go, and who sends them.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    client: Client,
    url: String,
    token: Option<String>,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// Its samples are durable.
    Acknowledged,
    /// It was told when to come again: back-pressure.
    PutOff,
    /// Anything else.
    Failed(String),
}

/// A request, long after.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
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

impl Target {
    pub(crate) fn new(process: &Process, token: Option<&str>) -> Self {
        Target { client: Client::new(), url: process.url.clone(), token: token.map(str::to_owned) }
    }

    async fn send(&self, body: Vec<u8>) -> Outcome {
        let mut request = remote_write::request(&self.client, &self.url, body);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let answer = match request.send().await {
            Ok(answer) => answer,
            Err(error) => return Outcome::Failed(format!("{error:?}")),
        };
        let status = answer.status();
        let is_busy = [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status);
        let says_when = answer.headers().contains_key("retry-after");
        // Read to its end, so that the connection is free for the next.
        let text = answer.text().await;
        match text {
            Ok(_) if status.is_success() => Outcome::Acknowledged,
            Ok(_) if is_busy && says_when => Outcome::PutOff,
            Ok(text) => Outcome::Failed(format!("{status}: {text}")),
            Err(error) => Outcome::Failed(format!("{status}: {error:?}")),
        }
    }
}

/// Sends so many requests a second, each when it is due, in as many connections as that takes.
pub(crate) async fn open_loop(
    target: &Target,
    load: &Arc<Load>,
    per_second: f64,
    duration: Duration,
) -> Result<Answers, Fault> {
    let (ready, mut due) = mpsc::channel(READY);
    let (begin, load) = (Instant::now(), load.clone());
    // A thread of its own: the runtime's timers are only good to a millisecond.
    let pacer = tokio::task::spawn_blocking(move || keep_pace(&load, begin, per_second, duration, &ready));
    let (mut all, mut on_their_way) = (Vec::new(), JoinSet::new());
    while let Some((due, body)) = due.recv().await {
        if on_their_way.len() >= AT_ONCE {
            all.extend(on_their_way.join_next().await.transpose()?);
        }
        let target = target.clone();
        on_their_way.spawn(async move {
            let outcome = target.send(body).await;
            Answer { due, took: begin.elapsed() - due, outcome }
        });
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

/// Makes bodies and hands over each when it is due.
#[expect(clippy::disallowed_methods, reason = "the time is what is waited for")]
fn keep_pace(
    load: &Load,
    begin: Instant,
    per_second: f64,
    duration: Duration,
    ready: &mpsc::Sender<(Duration, Vec<u8>)>,
) -> Result<(), snap::Error> {
    for number in 0..(per_second * duration.as_secs_f64()) as u64 {
        let due = Duration::from_secs_f64(number as f64 / per_second);
        let body = load.next()?;
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
        // Nobody listens any more if the other side has failed, which tells so itself.
        if ready.blocking_send((due, body)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Sends over so many connections, each the next request once the last one is answered.
pub(crate) async fn closed_loop(
    target: &Target,
    load: &Arc<Load>,
    connections: usize,
    duration: Duration,
) -> Result<Answers, Fault> {
    let (begin, mut senders) = (Instant::now(), JoinSet::new());
    for _ in 0..connections {
        let (target, load) = (target.clone(), load.clone());
        senders.spawn(async move {
            let mut answers = Vec::new();
            while begin.elapsed() < duration {
                let due = begin.elapsed();
                let outcome = target.send(load.next()?).await;
                answers.push(Answer { due, took: begin.elapsed() - due, outcome });
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
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.all.iter().filter(|answer| answer.outcome == Outcome::Acknowledged).count()
    }

    pub(crate) fn put_off(&self) -> usize {
        self.all.iter().filter(|answer| answer.outcome == Outcome::PutOff).count()
    }

    /// The requests of which nobody knows what became of their samples, each with what was told.
    pub(crate) fn failures<'a>(&'a self) -> impl Iterator<Item = &'a str> {
        let told = |answer: &'a Answer| match &answer.outcome {
            Outcome::Failed(text) => Some(text.as_str()),
            _ => None,
        };
        self.all.iter().filter_map(told)
    }

    pub(crate) fn lasted(&self) -> Duration {
        self.lasted
    }

    /// Requests that were sent in a second.
    pub(crate) fn per_second(&self) -> f64 {
        self.all.len() as f64 / self.lasted.as_secs_f64()
    }

    /// Samples that were acknowledged in a second.
    pub(crate) fn samples_per_second(&self) -> f64 {
        (self.acknowledged() * OF_REQUEST) as f64 / self.lasted.as_secs_f64()
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
