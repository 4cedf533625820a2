//! What exchanges leave behind.

use super::errand::Errand;
use crate::handle::server::aging::Aging;
use crate::handle::server::depot::Depot;
use crate::http::server::Visit;

/// What exchanges leave behind.
pub(super) type Queue = Depot<Arrival, Orphans>;

/// Handlers whose legacy clients have hung up, and what keeps their sessions alive.
pub(super) type Orphans = Aging<(Visit, Errand)>;

/// Something an exchange leaves behind.
pub(super) enum Arrival {
    /// Handlers whose client has hung up, and what keeps their session alive.
    Orphan(Visit, Errand),
    /// A session is to be left, by an exchange that was dropped and does not know what time it is.
    Leave(Visit),
}
