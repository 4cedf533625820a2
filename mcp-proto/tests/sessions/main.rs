//! The pool of sessions in virtual time: the scenarios of the acceptance list that need nothing else, each under its
//! number, and every state with every input.

mod bounds;
mod cancellation;
mod failures;
mod learning;
mod losses;
mod random;
mod single_flight;
mod table;
mod world;
