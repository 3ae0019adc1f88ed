//! The way of a request into a receiver, whatever its protocol: a place, room for its body, the body.
//!
//! Owns: the order of these, and which limit holds for whom. Does not own: the room ([`Budget`]), the reading (`body`), who
//! sends and how much is left for him ([`Caller`]).

use std::time::Duration;

use axum::body::Body;
use axum::http::HeaderMap;
use bytes::Bytes;
use model::Error;

use super::body::{self, MaxBody};
use super::budget::{Budget, Share};
use super::identity::{Caller, Reason, Unit};
use crate::config::ReceiverConfig;

/// How much a receiver takes, of one request and at once.
#[derive(Debug)]
pub(super) struct Intake {
    limits: decode::Limits,
    body_timeout: Duration,
    memory_bytes: usize,
    budget: Budget,
}

impl Intake {
    /// As the settings in a section of the configuration say.
    pub(super) fn new(section: &'static str, config: &ReceiverConfig) -> Self {
        let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
        let limits = decode::Limits {
            max_body_bytes: bytes(config.body_size_limit),
            max_decoded_bytes: bytes(config.decoded_size_limit),
            ..decode::Limits::default()
        };
        Intake {
            limits,
            body_timeout: config.body_timeout,
            memory_bytes: bytes(config.memory_limit),
            budget: Budget::new(section, config.max_concurrent_requests, config.memory_limit),
        }
    }

    /// What a caller's request must keep to.
    pub(super) fn limits(&self, caller: &Caller) -> decode::Limits {
        caller.limits(&self.limits)
    }

    /// The bytes that all requests together may hold.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes
    }

    /// Lets a caller's request in, which brings rows of one unit, and reads its body, of which `frame_bytes` are no part of the
    /// message.
    ///
    /// # Errors
    /// `Busy` if there is no room or he has sent too much in this second, `TooLarge`, `Timeout`, `Invalid` if he breaks
    /// off.
    pub(super) async fn read(
        &self,
        caller: &Caller,
        unit: Unit,
        headers: &HeaderMap,
        body: Body,
        frame_bytes: usize,
    ) -> Result<(Bytes, Share), Error> {
        let (mut share, body) = body::enter(&self.budget, caller.cluster(), body).await?;
        let own_bytes = self.limits(caller).max_body_bytes;
        let setting = match own_bytes < self.limits.max_body_bytes {
            true => "body_size_limit of push.limits or of the cluster's limits".to_owned(),
            false => format!("{}.body_size_limit", share.section()),
        };
        let max = MaxBody { bytes: own_bytes.saturating_add(frame_bytes), setting };
        let wire = body::read(body, headers, &max, self.body_timeout, &mut share).await;
        let wire = wire.map_err(|error| caller.too_large(Reason::RequestSize, error))?;
        caller.may_send(unit)?;
        caller.take_bytes(wire.len())?;
        Ok((wire, share))
    }
}
