//! The types of the schemas.
