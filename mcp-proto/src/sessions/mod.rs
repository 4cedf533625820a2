//! Sessions by key: created once however many want them, shared, re-created when lost, and given up when nobody
//! wants them any more.

mod actions;
mod config;
mod counters;
mod deadlines;
mod deeds;
mod event;
mod id;
mod key;
mod life;
mod machine;
mod news;
mod priors;
mod remains;
mod slots;
mod transport;
mod waiters;

pub use config::{AcquireOptions, AttemptTimeouts, SessionsConfig, Unwanted};
pub use counters::SessionsCounters;
pub use event::{PoolAction, PoolEvent};
pub use id::{AttemptId, Lease, PooledSession, WaiterId};
pub use key::SessionKey;
pub use life::{Deed, Life, LifeInput};
pub use machine::SessionPool;
pub use transport::{
    Authorization, ChildTransport, HttpTransport, InProcessTransport, Secret, StreamAddress, StreamTransport, TlsFiles,
    Transport, TransportError, TransportTimeouts,
};
