//! What is known of the end of a server that this side had started.

use alloc::boxed::Box;
use alloc::sync::Arc;

use crate::rpc::{CloseReason, Excerpt, Farewell};

/// How the server ended, from when the driver says so.
///
/// The driver may know before the stream ends or afterwards; it is told once in either case, and never before what the
/// server had written was read: that may be the answer, or the reason.
#[derive(Debug, Default)]
pub(super) struct Obituary {
    /// How it exited and what it said last, while that is not told.
    news: Option<(Box<str>, Option<Excerpt>)>,
    told: Option<Arc<Farewell>>,
    has_failed: bool,
}

impl Obituary {
    /// The server has ended.
    pub(super) fn set(&mut self, status: &str, is_success: bool, last_output: Option<&str>) {
        self.has_failed = !is_success;
        let said = last_output.map(|text| Excerpt::of(text.as_bytes()));
        self.news = Some((status.into(), said));
    }

    /// Whether it is known to have ended as one that did not want to.
    pub(super) fn is_unexpected(&self) -> bool {
        self.has_failed
    }

    /// What there is to tell, once. Where it said nothing for people, `junk` is what came last and was no message.
    pub(super) fn tell(&mut self, was_early: bool, junk: Option<&Excerpt>) -> Option<Arc<Farewell>> {
        let (status, said) = self.news.take()?;
        let last_output = said.or_else(|| junk.cloned());
        let farewell = Arc::new(Farewell {
            status,
            was_early,
            last_output,
        });
        self.told = Some(farewell.clone());
        Some(farewell)
    }

    /// Why the connection closes whose stream has ended, where the stream itself had `failed` or not.
    pub(super) fn reason(&self, failed: Option<Arc<str>>) -> CloseReason {
        match (&self.told, failed) {
            // That its pipe broke follows from that.
            (Some(farewell), _) => CloseReason::Exited(farewell.clone()),
            (None, Some(why)) => CloseReason::Failed(why),
            (None, None) => CloseReason::Peer,
        }
    }
}
