//! Every method of the table, in every revision and from either side, is exercised end to end: what goes over the wire is
//! recorded between a client and a server, and held against the table.

mod relay;
mod script;
mod walk;
