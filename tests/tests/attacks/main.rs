//! Attacks on a server, bounded in time and number, each on every runtime: what an honest client sees meanwhile, and how
//! much the process grows.
//!
//! | attack | what it is after | file |
//! |---|---|---|
//! | large bodies that never end | room to read those of others | `bodies` |
//! | ten thousand sessions in a moment, of nobody | the table of sessions | `sessions` |
//! | as many subscriptions as there may be over one connection | the table of subscriptions | `subscriptions` |
//! | calls that report progress without end | the loop, and memory | `flood` |
//! | streams that are never read | memory | `streams` |
//! | large answers that are never read | memory | `answers` |

mod answers;
mod bodies;
mod flood;
mod honest;
mod sessions;
mod streams;
mod subscriptions;
mod victim;
