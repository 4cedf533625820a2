//! Attacks, bounded in time and number, each on every runtime: what they reach, whether anybody else notices, and how much
//! the process grows; and who asks a server when the attack has just ended.
//!
//! | attack | on | what it is after | file |
//! |---|---|---|---|
//! | pings without end, and none of the answers taken | a client | descriptors | `answers` |
//! | informational responses without end, over HTTP/1 and HTTP/2 | a client | deadlines, and memory | `informational` |
//! | large bodies that never end | a server | room to read those of others | `bodies` |
//! | ten thousand sessions in a moment, of nobody | a server | the table of sessions | `sessions` |
//! | as many subscriptions as there may be over one connection | a server | the table of subscriptions | `subscriptions` |
//! | calls that report progress without end | a server | the loop, and memory | `flood` |
//! | the same over HTTP and on a byte stream, read and not | a server | memory | `growth` |
//! | streams that are never read, each with little to say and each with much | a server | memory | `streams` |
//! | listeners that never read, while all are told something large | a server | memory | `listeners` |
//! | large answers that are never read, over HTTP | a server | memory | `unread` |
//! | the same on byte streams | a server | memory | `outboxes` |

use peak_alloc::PeakAlloc;

/// What is asked for, and not what the allocator keeps of it.
#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

mod answers;
mod bodies;
mod flood;
mod growth;
mod honest;
mod hostile;
mod informational;
mod listeners;
mod outboxes;
mod sessions;
mod streams;
mod subscriptions;
mod unread;
mod victim;
