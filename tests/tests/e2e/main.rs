//! End to end: real sockets, real time, every runtime, every transport, both eras; and one runtime against the other.

mod across;
mod answering;
mod bad_input;
mod calls;
mod cancellation;
mod endings;
mod listening;
mod reentrancy;
mod sessions;
mod shutdown;
mod visits;
