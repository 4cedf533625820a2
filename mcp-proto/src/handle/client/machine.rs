//! The machine behind a handle, whatever it speaks over.

#[cfg(feature = "http")]
use crate::client::HttpClient;
use crate::client::{Client, ClientEvent, StreamClient};
use crate::time::Time;

/// A client machine with its transport.
#[derive(Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "there is one for each connection, behind an Arc"
)]
pub(super) enum Machine {
    Stream(StreamClient),
    #[cfg(feature = "http")]
    Http(HttpClient),
}

impl Machine {
    pub(super) fn as_client(&self) -> &Client {
        match self {
            Self::Stream(machine) => machine.as_client(),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.as_client(),
        }
    }

    pub(super) fn client(&mut self) -> &mut Client {
        match self {
            Self::Stream(machine) => machine.client(),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.client(),
        }
    }

    pub(super) fn is_listening(&self) -> bool {
        match self {
            Self::Stream(machine) => machine.as_client().closed().is_none(),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.is_listening(),
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<ClientEvent> {
        match self {
            Self::Stream(machine) => machine.poll_event(),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.poll_event(),
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Time> {
        match self {
            Self::Stream(machine) => machine.poll_timeout(),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.poll_timeout(),
        }
    }

    pub(super) fn handle_timeout(&mut self, now: Time) {
        match self {
            Self::Stream(machine) => machine.handle_timeout(now),
            #[cfg(feature = "http")]
            Self::Http(machine) => machine.handle_timeout(now),
        }
    }
}
