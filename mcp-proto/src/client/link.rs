//! What carries the messages of a client, and where one came from.

use super::era::Channel;
use crate::rpc::CallId;

/// What carries the messages. The rules of cancellation and of the era question depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// One byte stream for everything.
    Stream,
    /// One HTTP exchange for each message.
    Http,
}

/// Where a message came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The byte stream.
    Stream,
    /// The response of an HTTP exchange.
    Http {
        /// Its status.
        status: u16,
        /// The call that it should answer, and has not yet: an error without an id can mean no other.
        call: Option<CallId>,
    },
}

impl Origin {
    pub(super) fn channel(self) -> Channel {
        match self {
            Self::Stream => Channel::Stream,
            Self::Http { status, .. } => Channel::Http(status),
        }
    }

    /// The call that the message came with, where what carries it tells.
    pub(super) fn call(self) -> Option<CallId> {
        match self {
            Self::Stream => None,
            Self::Http { call, .. } => call,
        }
    }
}
