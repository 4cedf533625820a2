//! What is counted on a connection of HTTP/2.

use core::sync::atomic::AtomicUsize;

/// The streams of one connection, and what their client does not take.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) begun: AtomicUsize,
    pub(super) over: AtomicUsize,
    /// Bodies that are not asked for more, as their client has room for nothing.
    pub(super) held: AtomicUsize,
    /// How often any body was asked for more.
    pub(super) asked: AtomicUsize,
}
