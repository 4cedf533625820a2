//! The handles under a checker of schedules: no order of threads in which anybody waits for ever, or is woken under one of
//! our locks.
//!
//! The checker is `shuttle`, which tries schedules at random and by priorities: a model of these machines has thousands of
//! steps, and `loom`, which tries all schedules, would come to an end of none. `SCHEDULES` says how many are tried.

mod calls;
mod pool;
mod server;
mod world;
