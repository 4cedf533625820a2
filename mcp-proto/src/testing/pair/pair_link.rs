//! What is between two machines.

use crate::Time;
use crate::client::{self, Client};
use crate::jsonrpc::Params;
use crate::method::Method;
use crate::rpc::SendError;

use super::application::Desk;
use super::record::Record;

/// Two machines and what is between them.
pub trait PairLink {
    /// What a request is answered with on the side of the server.
    type Token;

    /// The client.
    fn as_client(&self) -> &Client;

    /// The client, for its verbs.
    fn client(&mut self) -> &mut Client;

    /// What the client tells its application.
    fn poll_event(&mut self) -> Option<client::ClientEvent>;

    /// Drives the server alone, once: the client is suspended.
    fn turn_server(&mut self, now: Time) -> bool;

    /// Drives both sides once; whether anything happened.
    fn turn(&mut self, now: Time) -> bool;

    /// The server tells its clients of something.
    ///
    /// # Errors
    /// Those of the server.
    fn notify(&mut self, method: Method, params: Params) -> Result<(), SendError>;

    /// When the next thing happens.
    fn next_time(&self) -> Option<Time>;

    /// The application behind the server.
    fn desk(&self) -> &Desk<Self::Token>;

    /// What was said so far, in the order in which it was written.
    fn transcript(&self) -> &str;

    /// Whether neither side has anything open.
    fn is_finished(&self) -> bool;

    /// Checks that what both sides keep follows what is in progress, of which `record` knows the calls of the client.
    /// `is_quiet` where nothing will happen any more.
    ///
    /// # Panics
    /// Where it does not.
    fn audit(&self, record: &Record, is_quiet: bool);

    /// The client is killed: it says and hears nothing any more, and the server sees its connections end.
    fn kill_client(&mut self, now: Time);

    /// The server is killed, with everything that it knows. Over HTTP another one takes its place.
    fn kill_server(&mut self, now: Time);
}
