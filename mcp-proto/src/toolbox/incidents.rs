//! What was lost on the way to the servers of a box.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::future::poll_fn;
use core::task::{Context, Poll};

use super::servers::Servers;
use super::source::IncidentStream;
use crate::client::Incident;

/// What an operator should know of the servers of a box, and of which: see
/// [`Client::incidents`](crate::handle::Client::incidents).
///
/// What a server brings about waits where it is kept for its client or its pool, the last 64 of each.
///
/// # On drop
/// Stops reading.
#[must_use = "nothing is heard by who does not poll"]
pub struct ToolboxIncidents {
    heard: Vec<Heard>,
    /// Whose turn it is, so that one whose server goes wrong all the time does not hide the others.
    turn: usize,
}

struct Heard {
    server: Box<str>,
    incidents: Box<dyn IncidentStream>,
    is_closed: bool,
}

impl ToolboxIncidents {
    pub(super) fn new(servers: &Servers) -> Self {
        let heard = servers.all.iter().filter_map(|server| {
            Some(Heard {
                server: server.label.clone(),
                incidents: server.source.incidents()?,
                is_closed: false,
            })
        });
        Self {
            heard: heard.collect(),
            turn: 0,
        }
    }

    /// The next incident, with the label of the server; `None` when there will be no more of any.
    ///
    /// # Cancel safety
    /// An incident is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<(Box<str>, Incident)> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Self::next) for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(Box<str>, Incident)>> {
        let all = self.heard.len();
        for step in 0..all {
            let at = (self.turn + step) % all;
            let Some(heard) = self.heard.get_mut(at).filter(|heard| !heard.is_closed) else {
                continue;
            };
            match heard.incidents.poll_next(cx) {
                Poll::Ready(Some(incident)) => {
                    self.turn = at + 1;
                    return Poll::Ready(Some((heard.server.clone(), incident)));
                }
                Poll::Ready(None) => heard.is_closed = true,
                Poll::Pending => {}
            }
        }
        match self.heard.iter().all(|heard| heard.is_closed) {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    }

    /// How many were forgotten before they were read here.
    pub fn missed(&self) -> u64 {
        self.heard.iter().map(|heard| heard.incidents.missed()).sum()
    }
}

impl fmt::Debug for ToolboxIncidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.heard.iter().map(|heard| &heard.server);
        f.debug_list().entries(servers).finish()
    }
}
