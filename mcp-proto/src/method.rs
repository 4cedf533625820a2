//! The one table of methods.
