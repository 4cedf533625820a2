//! What a crate shows to others.

use std::collections::BTreeSet;

use super::file::Source;
use super::tokens::{Token, tokens};

/// The names that a crate hands on with `pub use`, and its public modules.
pub struct Exports {
    handed_on: BTreeSet<String>,
    modules: BTreeSet<Vec<String>>,
}

impl Exports {
    /// Reads the files of a crate.
    pub fn of(sources: &[Source]) -> Self {
        let mut exports = Self {
            handed_on: BTreeSet::new(),
            modules: BTreeSet::new(),
        };
        for source in sources {
            exports.read(source);
        }
        exports
    }

    fn read(&mut self, source: &Source) {
        let tokens = tokens(source.shipped_code());
        for at in 0..tokens.len() {
            let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
            match (text(at), text(at + 1)) {
                ("pub", "use") => {
                    let statement = tokens[at + 2..].iter().take_while(|token| token.text != ";");
                    let names = statement.filter(|token| token.is_name());
                    self.handed_on.extend(names.map(|name| name.text.to_owned()));
                }
                ("pub", "mod") => {
                    let module = source.module().into_iter().chain([text(at + 2).to_owned()]);
                    self.modules.insert(module.collect());
                }
                _ => {}
            }
        }
    }

    /// Whether others can name what `source` declares as public by this name: it is handed on, or lies in a public module.
    pub fn shows(&self, source: &Source, name: &str) -> bool {
        let module = source.module();
        let is_public = (1..=module.len()).all(|depth| self.modules.contains(&module[..depth]));
        is_public || self.handed_on.contains(name)
    }
}

/// The public types and traits that a file declares, each by its name: its keyword, then the rest.
pub fn public_types<'t, 's>(tokens: &'t [Token<'s>]) -> impl Iterator<Item = usize> + use<'t, 's> {
    const KINDS: [&str; 4] = ["struct", "enum", "trait", "type"];
    let is_type = |at: &usize| {
        let kind = tokens.get(at + 1).is_some_and(|token| KINDS.contains(&token.text));
        tokens[*at].text == "pub" && kind && tokens.get(at + 2).is_some_and(Token::is_name)
    };
    (0..tokens.len()).filter(is_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_or_in_a_public_module_is_shown() {
        let files = [
            ("lib.rs", "pub mod a; mod b; pub use b::{C, D as E};"),
            ("a/mod.rs", "pub struct A; mod c;"),
            ("a/c.rs", "pub struct X;"),
            ("b.rs", "pub struct C; pub struct F;"),
        ];
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(*path, *text)).collect();
        let exports = Exports::of(&sources);
        assert!(exports.shows(&sources[1], "A") && exports.shows(&sources[3], "C"));
        assert!(!exports.shows(&sources[2], "X") && !exports.shows(&sources[3], "F"));
    }

    #[test]
    fn types_that_are_public_are_found() {
        let code = "pub struct A; struct B; pub(crate) enum C {} pub fn d() {} pub trait E {} pub enum $name {}";
        let tokens = tokens(code);
        let names: Vec<&str> = public_types(&tokens).map(|at| tokens[at + 2].text).collect();
        assert_eq!(names, ["A", "E"]);
    }
}
