//! Our proxy between a client and a server of others: what the client is given is what it is given without it.

use std::ffi::OsString;

use mcp_driver::child::Command;
use serde_json::Value;

use crate::home::{package, script};
use crate::peer::Peer;
use crate::program::said;

const PROXY: &str = env!("CARGO_BIN_EXE_proxy");
const RUNTIMES: [&str; 2] = ["tokio", "smol"];

fn everything() -> Command {
    package("server-everything/dist/index.js").arg("stdio")
}

/// A command as the arguments of another.
fn words(command: &Command) -> Vec<OsString> {
    let program = [command.program().to_owned()];
    program.into_iter().chain(command.arguments().iter().cloned()).collect()
}

/// What a client of this era is given, by what it starts.
fn transcript(era: &str, server: &[OsString]) -> Vec<Value> {
    let arguments: Vec<OsString> = [OsString::from(era)]
        .into_iter()
        .chain(server.iter().cloned())
        .collect();
    match said(&script("transcript.mjs"), &arguments) {
        Value::Array(entries) => entries,
        other => panic!("{other}"),
    }
}

fn proxied(runtime: &str, target: &[OsString]) -> Vec<OsString> {
    let own = [PROXY, "--runtime", runtime].map(OsString::from);
    own.into_iter().chain(target.iter().cloned()).collect()
}

/// Entry by entry, so that the first that differs is seen.
fn assert_same(ours: &[Value], theirs: &[Value]) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn a_legacy_client_sees_no_difference_over_stdio() {
    let direct = transcript("legacy", &words(&everything()));
    assert!(direct.len() > 20);
    for runtime in RUNTIMES {
        println!("{runtime}");
        assert_same(&transcript("legacy", &proxied(runtime, &words(&everything()))), &direct);
    }
}

#[test]
fn a_legacy_client_sees_no_difference_over_http() {
    let direct = transcript("legacy", &words(&everything()));
    let peer = Peer::start(&package("server-everything/dist/index.js").arg("streamableHttp"));
    for runtime in RUNTIMES {
        println!("{runtime}");
        assert_same(
            &transcript("legacy", &proxied(runtime, &[peer.url("/mcp").into()])),
            &direct,
        );
    }
}

/// What a revision has and another has not: a proxy between the eras adds what the newer one demands, and the client of the
/// SDK takes out what its revision does not know.
fn of_any_era(mut entry: Value) -> Value {
    const OF_ONE: [&str; 4] = ["_meta", "cacheScope", "ttlMs", "execution"];
    match &mut entry {
        Value::Object(members) => {
            members.retain(|name, _| !OF_ONE.contains(&name.as_str()));
            members.values_mut().for_each(|value| *value = of_any_era(value.take()));
        }
        Value::Array(entries) => entries.iter_mut().for_each(|value| *value = of_any_era(value.take())),
        _ => {}
    }
    entry
}

#[test]
fn a_modern_client_uses_a_legacy_server() {
    let direct: Vec<_> = transcript("legacy", &words(&everything()));
    let direct: Vec<_> = direct.into_iter().map(of_any_era).collect();
    for runtime in RUNTIMES {
        println!("{runtime}");
        let bridged = transcript("modern", &proxied(runtime, &words(&everything())));
        let bridged: Vec<_> = bridged.into_iter().map(of_any_era).collect();
        // What is asked of a client has no way through this bridge; it comes last in the walk.
        assert_same(&bridged, direct.get(..20).expect("as many"));
    }
}
