//! JSON-RPC 2.0 over raw JSON.
