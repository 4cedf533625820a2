//! What has a next, for the combinators of `futures` (feature `stream`).

use alloc::boxed::Box;
use core::pin::Pin;
use core::task::{Context, Poll};

use futures_core::Stream;

use super::{ToolCallEvent, ToolCallEvents, ToolboxChanges, ToolboxIncidents};
use crate::client::Incident;
use crate::handle::streams::streams;

streams! {
    ToolboxChanges => Box<str>;
    ToolboxIncidents => (Box<str>, Incident);
    ToolCallEvents => ToolCallEvent;
}
