//! Clients and servers that talk in one thread, on virtual time, over a network that does what it can.

mod calls;
mod cuts;
mod deadlines;
mod http;
mod http_server;
mod listening;
mod listening_random;
mod random;
mod worlds;
