//! The runtimes that every end-to-end scenario runs on, behind one face.
//!
//! A scenario is written once, against [`Runtime`], and [`Flavour::run`] runs it to its end on one of them. What is
//! served is bound with the standard library, so that an address is known before anything is polled.

mod address;
mod face;
mod flavour;
mod futures;
mod in_memory;
mod listening;
mod scenario;
mod site;
mod smol;
mod task;
mod tokio;
mod watchdog;

pub use address::Address;
pub use face::Runtime;
pub use flavour::Flavour;
pub use futures::{Driver, Failure, Local, Sending};
pub use in_memory::{AnyPump, Stream};
pub use listening::{listen, listen_unix, raise_file_limit};
pub use scenario::PATIENCE;
pub use site::{Answer, AnswerBody, Failed, Site, text};
pub use task::Task;
