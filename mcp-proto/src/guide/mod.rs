//! Guides: texts with running examples, and no code of their own.

pub mod co_hosting;
