//! The Model Context Protocol on tokio.
