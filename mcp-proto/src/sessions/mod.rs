//! Sessions by key: created once however many want them, shared, re-created when lost, and given up when nobody
//! wants them any more.

mod actions;
mod config;
mod counters;
mod deadlines;
mod event;
mod id;
mod key;
mod life;
mod machine;
mod priors;
mod slots;
mod transport;
mod waiters;

pub use config::{AttemptTimeouts, SessionsConfig, Unwanted};
pub use counters::SessionsCounters;
pub use event::{PoolAction, PoolEvent};
pub use id::{AttemptId, Lease, PooledSession, WaiterId};
pub use key::SessionKey;
pub use life::{Deed, Life, LifeInput};
pub use machine::{AcquireOptions, SessionPool};
pub use transport::{
    Authorization, ChildTransport, HttpTransport, InProcessTransport, Secret, StreamAddress, StreamTransport, TlsFiles,
    Transport, TransportError, TransportTimeouts,
};
