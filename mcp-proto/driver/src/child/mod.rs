//! Child processes, as a driver sees them: what to start, the lanes of its connection, and how it is brought to an end.
//!
//! An adapter starts what a [`Command`] says, and implements [`Child`] for what it has started, or else [`Process`]; it polls
//! [`ChildLanes`] until they are ready. [`Ladder`] is the shutdown alone.

mod command;
mod exit;
mod group;
mod ladder;
mod lanes;
mod pipes;
mod running;
mod spawn_error;
mod stderr;
mod unread;

pub use command::{Command, Environment};
pub use exit::Exit;
pub use group::Group;
pub use ladder::{Action, Ladder, Signal};
pub use lanes::{ChildLanes, Process, client_over_child};
pub use pipes::Pipes;
pub use running::{Child, PipesOf, Running};
pub use spawn_error::SpawnError;
pub use stderr::Stderr;
pub use unread::unread;

#[cfg(test)]
mod tests;
