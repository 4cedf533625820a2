//! Sessions by key, for applications: created when they are needed, shared, and created again when they are lost.

mod bulletin;
mod call;
mod changes;
mod connect;
mod driver;
mod facade;
mod features;
mod followers;
mod incidents;
mod loan;
mod notifications;
mod session;
mod shared;

pub use bulletin::SessionIncident;
pub use call::SessionCall;
pub use changes::SessionChanges;
pub use connect::{Connect, Connected, Connecting, Driver};
pub use driver::SessionsDriver;
pub use facade::Sessions;
pub use incidents::SessionIncidents;
pub use loan::Loan;
pub use notifications::SessionNotifications;
pub use session::Session;
