//! Whose a share of something is.

use core::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::session_id::Principal;

/// From where a request comes, as its driver knows: shares of what all clients use together go by it where a request has
/// no [`Principal`].
///
/// A driver of its own puts one into the extensions of a request, or says it by
/// [`Admission::from`](super::Admission::from). Without it, all who are anonymous are one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Remote {
    /// The address of the client.
    pub address: Option<IpAddr>,
    /// The connection, as the driver numbers them; a number is never used twice.
    pub connection: Option<u64>,
}

impl Remote {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        address: None,
        connection: None,
    };

    /// A connection from this address.
    pub fn new(address: Option<SocketAddr>, connection: Option<u64>) -> Self {
        Self {
            address: address.map(|address| address.ip()),
            connection,
        }
    }
}

/// Who holds a share of something: a principal, with all that it has; the anonymous by address and connection.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Holder {
    party: Party,
    connection: Option<u64>,
}

/// Who is looked at first: of the one that holds most, the connection that holds most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    /// Nobody knows who.
    Unknown,
    /// Whoever is at this address.
    Address(IpAddr),
    /// Whoever that is, wherever it comes from.
    Principal(Principal),
}

impl Holder {
    /// The holder of what is done for `principal`, or else from `remote`.
    pub fn new(principal: Option<&Principal>, remote: Remote) -> Self {
        match (principal, remote.address) {
            // One principal is one holder: its connections are not weighed against each other.
            (Some(principal), _) => Self {
                party: Party::Principal(principal.clone()),
                connection: None,
            },
            (None, Some(address)) => Self {
                party: Party::Address(network(address)),
                connection: remote.connection,
            },
            (None, None) => Self {
                party: Party::Unknown,
                connection: remote.connection,
            },
        }
    }

    pub(super) fn party(&self) -> &Party {
        &self.party
    }

    /// Its principal, if it has one.
    pub fn principal(&self) -> Option<&Principal> {
        match &self.party {
            Party::Principal(principal) => Some(principal),
            Party::Address(_) | Party::Unknown => None,
        }
    }
}

/// The address, of IPv6 the network: whoever has one address there has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(address: &str, connection: u64) -> Remote {
        Remote::new(Some(SocketAddr::new(address.parse().unwrap(), 1)), Some(connection))
    }

    #[test]
    fn the_anonymous_are_told_apart_by_network_and_connection() {
        let holder = |remote| Holder::new(None, remote);
        assert_ne!(holder(at("10.0.0.1", 1)), holder(at("10.0.0.2", 1)));
        assert_ne!(holder(at("10.0.0.1", 1)), holder(at("10.0.0.1", 2)));
        assert_eq!(holder(at("2001:db8::1", 1)), holder(at("2001:db8::2", 1)));
        assert_ne!(holder(at("2001:db8::1", 1)), holder(at("2001:db8:0:1::1", 1)));
        assert_eq!(holder(at("::ffff:10.0.0.1", 1)), holder(at("10.0.0.1", 1)));
    }

    #[test]
    fn a_principal_is_one_wherever_it_comes_from() {
        let alice = Principal::new("alice");
        let of = |remote| Holder::new(Some(&alice), remote);
        assert_eq!(of(at("10.0.0.1", 1)), of(at("10.0.0.2", 2)));
        assert_eq!(of(Remote::UNKNOWN).principal(), Some(&alice));
    }
}
