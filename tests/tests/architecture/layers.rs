//! A module of `mcp-proto` names only layers at or below its own.

use std::collections::BTreeMap;

use mcp_tests::source::{Source, Token, first_names, shipped_sources, tokens, workspace};

/// The layers, lowest first.
const LAYERS: [&[&str]; 11] = [
    &["settings", "shown", "time", "limits", "revision", "error"],
    &["method", "model"],
    &["jsonrpc", "wire"],
    &["rpc"],
    &["legacy", "modern", "http", "auth"],
    &["client", "server"],
    &["proxy", "sessions"],
    &["handle"],
    &["toolbox"],
    &["testing"],
    &["guide"],
];

#[test]
fn modules_name_only_layers_at_or_below_their_own() {
    let sources = shipped_sources(&workspace().join("mcp-proto/src"));
    assert!(
        sources.iter().any(|source| source.module() == ["revision"]),
        "the scan misses the crate"
    );
    super::demand_none(
        "the layers of mcp-proto run from time up to the toolbox:",
        &findings(&sources),
    );
}

/// The height of a top-level module, or `None` where the table does not know it.
fn height(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn findings(sources: &[Source]) -> Vec<String> {
    let exports = sources
        .iter()
        .find(|source| source.module().is_empty())
        .map(root_exports)
        .unwrap_or_default();
    sources
        .iter()
        .filter(|source| !source.module().is_empty())
        .flat_map(|source| check(source, &exports))
        .collect()
}

/// The findings in one file below the crate root.
fn check(source: &Source, exports: &BTreeMap<String, String>) -> Vec<String> {
    let module = source.module();
    let Some(own) = height(&module[0]) else {
        return vec![source.finding(0, format!("`{}` is in no layer: name it in the table", module[0]))];
    };
    let mut found = Vec::new();
    for reference in root_references(source) {
        let name = reference.text;
        let target = exports.get(name).map_or(name, String::as_str);
        match height(target) {
            Some(height) if height <= own => {}
            Some(_) => {
                found.push(source.finding(reference.at, format!("`{}` names `{name}`, a layer above", module[0])))
            }
            None => found.push(source.finding(reference.at, format!("`crate::{name}` is in no layer"))),
        }
    }
    found
}

/// The first name after each path to the crate root: `crate::name`, `super::name` at the top, and groups.
fn root_references(source: &Source) -> Vec<Token<'_>> {
    let tokens = tokens(source.shipped_code());
    let mut inline = InlineModules::new(source.module().len());
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        inline.step(&tokens, at);
        let ups = supers(&tokens[at..]);
        let is_root = tokens[at].text == "crate" || (ups > 0 && ups >= inline.depth());
        let after = at + ups.saturating_mul(2).saturating_sub(1).max(1);
        if is_root && tokens.get(after).is_some_and(|token| token.text == "::") {
            found.extend(first_names(&tokens[after + 1..]));
        }
        at = if ups > 0 { after } else { at + 1 };
    }
    found
}

/// How many `super` a path has that starts here.
fn supers(tokens: &[Token<'_>]) -> usize {
    let is_super = |index: usize| tokens.get(index).is_some_and(|token| token.text == "super");
    let joined = |index: usize| tokens.get(index).is_some_and(|token| token.text == "::");
    if !is_super(0) {
        return 0;
    }
    1 + (1..)
        .take_while(|count| joined(2 * count - 1) && is_super(2 * count))
        .count()
}

/// How deep below the crate root the present position lies, inline modules included.
struct InlineModules {
    file: usize,
    braces: usize,
    open: Vec<usize>,
}

impl InlineModules {
    fn new(file: usize) -> Self {
        Self {
            file,
            braces: 0,
            open: Vec::new(),
        }
    }

    fn step(&mut self, tokens: &[Token<'_>], at: usize) {
        match tokens[at].text {
            "{" => {
                if at >= 2 && tokens[at - 2].text == "mod" {
                    self.open.push(self.braces);
                }
                self.braces += 1;
            }
            "}" => {
                self.braces = self.braces.saturating_sub(1);
                if self.open.last() == Some(&self.braces) {
                    self.open.pop();
                }
            }
            _ => {}
        }
    }

    fn depth(&self) -> usize {
        self.file + self.open.len()
    }
}

/// The names that `lib.rs` re-exports, each with the module it comes from.
fn root_exports(lib: &Source) -> BTreeMap<String, String> {
    let tokens = tokens(lib.shipped_code());
    let mut exports = BTreeMap::new();
    for (start, token) in tokens.iter().enumerate() {
        if token.text != "use" {
            continue;
        }
        let statement: Vec<_> = tokens[start + 1..]
            .iter()
            .take_while(|token| token.text != ";")
            .collect();
        let Some(module) = statement
            .iter()
            .find(|token| !["crate", "self", "::"].contains(&token.text))
        else {
            continue;
        };
        for (index, name) in statement.iter().enumerate() {
            let ends = statement
                .get(index + 1)
                .is_none_or(|next| [",", "}"].contains(&next.text));
            if ends && name.is_name() {
                exports.insert(name.text.to_owned(), module.text.to_owned());
            }
        }
    }
    exports
}

mod tests {
    use super::*;

    const LIB: &str = "mod time; pub mod handle; pub use time::{Time, UnixTime as Wall}; pub use handle::pump::Pump;";

    fn run(path: &str, text: &str) -> Vec<String> {
        findings(&[Source::new("lib.rs", LIB), Source::new(path, text)])
    }

    #[test]
    fn the_layer_itself_and_those_below_are_allowed() {
        for text in [
            "use crate::time::Time;",
            "use crate::{Time, Wall, jsonrpc::Id, rpc::{self, Call}};",
            "fn f(x: crate::rpc::Call) {}",
            "use super::wire::sse;",
            "// crate::handle::Pump\n",
            "fn f() { g(\"crate::handle\") }",
            "#[cfg(test)] mod tests { use crate::handle::Pump; }",
        ] {
            assert_eq!(run("rpc.rs", text), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_layer_above_is_found_in_every_spelling() {
        for text in [
            "use crate::handle::Pump;",
            "use crate::Pump;",
            "use crate::{time::Time, handle::{Pump, Call}};",
            "use crate::{\n    handle,\n};",
            "fn f(x: crate::handle::Call) {}",
            "use super::client::Client;",
            "mod inner { use super::super::client::Client; }",
            "use super::{time, sessions};",
        ] {
            assert_eq!(run("rpc.rs", text).len(), 1, "{text}");
        }
        assert_eq!(run("rpc/calls.rs", "use super::super::client::Client;").len(), 1);
    }

    #[test]
    fn super_below_the_root_stays_inside_the_module() {
        assert_eq!(run("rpc/calls.rs", "use super::client::Client;"), Vec::<String>::new());
        assert_eq!(run("rpc.rs", "mod inner { use super::client; }"), Vec::<String>::new());
        assert_eq!(run("rpc.rs", "mod inner { fn f() {} }\nuse super::client;").len(), 1);
    }

    #[test]
    fn unknown_modules_and_globs_are_found() {
        assert_eq!(run("extras.rs", "").len(), 1);
        assert_eq!(run("rpc.rs", "use crate::extras::X;").len(), 1);
        assert_eq!(run("rpc.rs", "use crate::*;").len(), 1);
    }
}
