//! Attacks, each on every runtime, bounded: what they reach, and whether anybody else notices.
//!
//! | attack | on | file |
//! |---|---|---|
//! | pings without end, and none of the answers taken | a client | `answers` |
//! | informational responses without end | a client | `informational` |

mod answers;
mod hostile;
mod informational;
