//! How long each phase of a connection may take, as a part of its transport.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Timeouts;
use crate::sessions::AttemptTimeouts;
use crate::settings::settings;

settings! {
    /// How long each phase of a connection may take. All of them run inside the time of each caller, and never add to
    /// it.
    ///
    /// Stored in milliseconds; what is not said has its default.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    #[serde(default, rename_all = "camelCase", deny_unknown_fields)]
    #[non_exhaustive]
    pub struct TransportTimeouts {
        /// For a connection: a socket, or a process that starts. Default 10 seconds.
        #[serde(with = "millis")]
        pub connect (with_connect): Duration,
        /// For the question which era the server speaks. Default as [`Timeouts::probe`].
        #[serde(with = "millis")]
        pub probe (with_probe): Duration,
        /// For the handshake. Default as [`Timeouts::initialize`].
        #[serde(with = "millis")]
        pub initialize (with_initialize): Duration,
        /// For a request, from its birth or its last progress. Default as [`Timeouts::request`].
        #[serde(with = "millis")]
        pub request (with_request): Duration,
        /// For a request in all. Default as [`Timeouts::request_max`].
        #[serde(with = "millis")]
        pub request_max (with_request_max): Duration,
        /// For the input that a server needs before it answers a call, each time. Default as [`Timeouts::input`].
        #[serde(with = "millis")]
        pub input (with_input): Duration,
        /// For a graceful close. Default as [`Timeouts::close`].
        #[serde(with = "millis")]
        pub close (with_close): Duration,
    }
}

impl Default for TransportTimeouts {
    fn default() -> Self {
        let Timeouts {
            probe,
            initialize,
            request,
            request_max,
            input,
            close,
        } = Timeouts::default();
        Self {
            connect: AttemptTimeouts::default().connect,
            probe,
            initialize,
            request,
            request_max,
            input,
            close,
        }
    }
}

impl TransportTimeouts {
    /// What of this a client keeps to.
    pub fn to_timeouts(&self) -> Timeouts {
        Timeouts {
            probe: self.probe,
            initialize: self.initialize,
            request: self.request,
            request_max: self.request_max,
            input: self.input,
            close: self.close,
        }
    }

    /// What of this a pool keeps to.
    pub fn to_attempt(&self) -> AttemptTimeouts {
        // Over HTTP, each of the two may need a connection first.
        let phases = [self.connect, self.probe, self.connect, self.initialize];
        AttemptTimeouts {
            connect: self.connect,
            handshake: phases.into_iter().fold(Duration::ZERO, Duration::saturating_add),
        }
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Durations as milliseconds, as they are stored.
mod millis {
    use core::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}
