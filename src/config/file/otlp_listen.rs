//! Where OTLP listens, besides the port where everything is.

use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// An address that is listened on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Door(Option<SocketAddr>);

impl Door {
    /// One that is open at an address.
    pub fn at(address: SocketAddr) -> Self {
        Door(Some(address))
    }

    /// Where it is, if it is open.
    pub fn address(self) -> Option<SocketAddr> {
        self.0
    }
}

impl FromStr for Door {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "" | "off" => Ok(Door(None)),
            _ => text
                .parse()
                .map(|address| Door(Some(address)))
                .map_err(|_| format!("{text:?} is neither an address and a port like 127.0.0.1:4317, nor off")),
        }
    }
}

impl<'de> Deserialize<'de> for Door {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The ports of OTLP, where its senders look for it. Only its pushes are there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OtlpListen {
    /// OTLP over gRPC. Default `127.0.0.1:4317`; `off` closes it.
    pub grpc: Door,
    /// OTLP over HTTP. Default `127.0.0.1:4318`; `off` closes it.
    pub http: Door,
}

impl Default for OtlpListen {
    fn default() -> Self {
        let local = |port| Door::at(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        OtlpListen { grpc: local(4317), http: local(4318) }
    }
}

impl OtlpListen {
    /// Neither.
    pub fn off() -> Self {
        OtlpListen { grpc: Door(None), http: Door(None) }
    }

    /// The addresses that are listened on.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        [self.grpc, self.http].into_iter().filter_map(Door::address)
    }
}
