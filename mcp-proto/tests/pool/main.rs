//! The handles of a pool, in one thread, on a virtual clock, without a runtime: the scenarios of the acceptance list
//! that need no network, each under its number.

mod calls;
mod executor;
#[cfg(feature = "http")]
mod farewell;
#[cfg(feature = "schema")]
mod features;
mod learning;
mod life;
mod listening;
mod losses;
mod world;

use mcp_proto::Revision;
use mcp_proto::client::Mode;

/// Both eras, and the question which it is.
const MODES: [Mode; 3] = [Mode::Auto, Mode::Modern, Mode::Legacy(Revision::LATEST_LEGACY)];
