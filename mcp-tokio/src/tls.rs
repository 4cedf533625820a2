//! TLS by rustls, with the cryptography of ring.
//!
//! A configuration is made once, and shared by all that is accepted with it.

pub use mcp_driver::http::tls::{
    client_config, client_config_with, server_config, server_config_for, standard, with_config,
};
