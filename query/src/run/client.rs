//! Who asks, as far as that decides about turns.

use std::net::IpAddr;
use std::sync::Arc;

/// Whoever has turns of its own when places are scarce.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum Client {
    /// Whoever shows this token, named by what the token is known by.
    Token(Arc<str>),
    /// Whoever comes from this address, where there are no tokens.
    Address(IpAddr),
    /// This process, and whoever is not known by either.
    #[default]
    Unnamed,
}

impl Client {
    /// Whoever comes from an address; one of IPv4 is the same however it is written.
    pub fn at(address: IpAddr) -> Self {
        Client::Address(address.to_canonical())
    }
}
