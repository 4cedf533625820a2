//! Which file of a crate imports from which other.

use std::collections::{BTreeMap, BTreeSet};

use super::file::Source;
use super::tokens::{Token, tokens};

/// Words behind which a module declares a name of its own.
const ITEMS: [&str; 9] = [
    "struct", "enum", "union", "trait", "type", "fn", "const", "static", "macro",
];

/// The imports between the files of one crate: `use` lines and paths within code.
///
/// An import counts as one of the file that defines what is imported, however many modules hand it on. Naming a module
/// to hang a path on is no import of it; one without modules of its own is its file.
pub struct Imports<'a> {
    sources: &'a [Source],
    modules: BTreeMap<Path, Module>,
}

/// The path of a module below the crate root.
type Path = Vec<String>;

/// What is known of a module, in a file of its own or within one.
#[derive(Default)]
struct Module {
    file: usize,
    items: BTreeSet<String>,
    uses: Vec<Use>,
    /// Paths in code, with those of `use` lines within functions.
    paths: Vec<Path>,
}

/// One name that a `use` brings in.
#[derive(Clone, Debug, PartialEq)]
struct Use {
    path: Path,
    /// What it is called here; `*` for all that there is.
    name: String,
}

/// What a path names.
#[derive(Clone, PartialEq)]
enum Named {
    Module(Path),
    Item(usize),
}

impl<'a> Imports<'a> {
    /// Reads the files of a crate.
    pub fn of(sources: &'a [Source]) -> Self {
        let mut modules = BTreeMap::new();
        for (file, source) in sources.iter().enumerate() {
            Reader::new(source, file, &mut modules).read();
        }
        Self { sources, modules }
    }

    /// The files that each file imports from, by their place among the sources.
    pub fn edges(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut edges: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (at, module) in &self.modules {
            let used = module.uses.iter().map(|used| &used.path).chain(&module.paths);
            let files = used.flat_map(|path| self.files(at, path));
            edges
                .entry(module.file)
                .or_default()
                .extend(files.filter(|file| *file != module.file));
        }
        edges
    }

    /// The path of a file, as text.
    pub fn name(&self, file: usize) -> String {
        self.sources[file].path.display().to_string()
    }

    /// The file that `path`, written in the module `at`, imports from.
    fn files(&self, at: &Path, path: &Path) -> Vec<usize> {
        match self.resolve(at, path, &mut Vec::new()) {
            Some(Named::Item(file)) => vec![file],
            Some(Named::Module(module)) if path.last().is_some_and(|name| name == "*") || self.is_leaf(&module) => {
                vec![self.modules[&module].file]
            }
            _ => Vec::new(),
        }
    }

    fn is_leaf(&self, module: &Path) -> bool {
        let below = |other: &&Path| other.len() > module.len() && other.starts_with(module);
        !self.modules.keys().any(|other| below(&other))
    }

    /// What `path` names in the module `at`; `None` for what comes from elsewhere. `open` are the names that are being
    /// looked up, since imports may go round.
    fn resolve(&self, at: &Path, path: &[String], open: &mut Vec<(Path, String)>) -> Option<Named> {
        let mut module = at.clone();
        let mut rest = path;
        let mut is_rooted = false;
        while let Some((first, after)) = rest.split_first() {
            match first.as_str() {
                "crate" => module.clear(),
                "self" | "*" => {}
                "super" => drop(module.pop()),
                _ => break,
            }
            is_rooted = true;
            rest = after;
        }
        while let Some((name, after)) = rest.split_first() {
            if name == "self" || name == "*" {
                break;
            }
            let named = self.member(&module, name, open);
            match named {
                Some(Named::Module(next)) => module = next,
                Some(item) => return Some(item),
                // What a macro declares, say: it is somewhere in there.
                None if is_rooted => return self.modules.get(&module).map(|module| Named::Item(module.file)),
                None => return None,
            }
            is_rooted = true;
            rest = after;
        }
        self.modules.contains_key(&module).then_some(Named::Module(module))
    }

    /// What `name` is in `module`.
    fn member(&self, module: &Path, name: &str, open: &mut Vec<(Path, String)>) -> Option<Named> {
        let child: Path = module.iter().cloned().chain([name.to_owned()]).collect();
        if self.modules.contains_key(&child) {
            return Some(Named::Module(child));
        }
        let known = self.modules.get(module)?;
        if known.items.contains(name) {
            return Some(Named::Item(known.file));
        }
        let looked_up = (module.clone(), name.to_owned());
        if open.contains(&looked_up) {
            return None;
        }
        open.push(looked_up);
        let mut named = known.uses.iter().filter(|used| used.name == name);
        let found = named
            .find_map(|used| self.resolve(module, &used.path, open))
            .or_else(|| {
                let mut all = known.uses.iter().filter(|used| used.name == "*");
                all.find_map(|used| match self.resolve(module, &used.path, open) {
                    Some(Named::Module(from)) => self.member(&from, name, open),
                    _ => None,
                })
            });
        open.pop();
        found
    }
}

/// Reads one file.
struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    file: usize,
    modules: &'a mut BTreeMap<Path, Module>,
    module: Path,
    /// What each open brace belongs to.
    braces: Vec<Brace>,
}

#[derive(Clone, Copy, PartialEq)]
enum Brace {
    Module,
    /// The argument of a macro that stands where items do: what it declares is taken for declared.
    Macro,
    Other,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source, file: usize, modules: &'a mut BTreeMap<Path, Module>) -> Self {
        let module = source.module();
        modules.entry(module.clone()).or_default().file = file;
        Self {
            tokens: tokens(source.shipped_code()),
            file,
            modules,
            module,
            braces: Vec::new(),
        }
    }

    fn read(mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            at = match self.tokens[at].text {
                "{" => self.open(at),
                "}" => self.close(at),
                "use" => self.read_use(at + 1),
                word if ITEMS.contains(&word) => self.declare(at),
                "macro_rules" => self.declare(at + 1),
                _ => self.read_path(at),
            };
        }
    }

    fn text(&self, at: usize) -> &'a str {
        self.tokens.get(at).map_or("", |token| token.text)
    }

    fn here(&mut self) -> &mut Module {
        self.modules.entry(self.module.clone()).or_default()
    }

    /// Whether items may be declared at this place.
    fn is_among_items(&self) -> bool {
        !self.braces.contains(&Brace::Other)
    }

    fn open(&mut self, at: usize) -> usize {
        let before = |back: usize| at.checked_sub(back).map_or("", |at| self.text(at));
        let brace = match self.is_among_items() {
            true if before(2) == "mod" => Brace::Module,
            true if before(1) == "!" => Brace::Macro,
            _ => Brace::Other,
        };
        if brace == Brace::Module {
            self.module.push(before(1).to_owned());
            self.here().file = self.file;
        }
        self.braces.push(brace);
        at + 1
    }

    fn close(&mut self, at: usize) -> usize {
        if self.braces.pop() == Some(Brace::Module) {
            self.module.pop();
        }
        at + 1
    }

    fn declare(&mut self, at: usize) -> usize {
        let name = self.tokens.get(at + 1).filter(|name| name.is_name());
        if self.is_among_items()
            && let Some(name) = name.map(|name| name.text.to_owned())
        {
            self.here().items.insert(name);
        }
        at + 1
    }

    fn read_use(&mut self, start: usize) -> usize {
        let end = (start..self.tokens.len())
            .find(|at| self.tokens[*at].text == ";")
            .unwrap_or(self.tokens.len());
        let mut uses = Vec::new();
        // A path that begins with `::` leads out of the crate.
        if self.text(start) != "::" {
            use_tree(&self.tokens[start..end], &Vec::new(), &mut uses);
        }
        let is_among_items = self.is_among_items();
        let here = self.here();
        if is_among_items {
            here.uses.extend(uses);
        } else {
            here.paths.extend(uses.into_iter().map(|used| used.path));
        }
        end
    }

    /// Reads a path of two names or more that starts at `at`.
    fn read_path(&mut self, at: usize) -> usize {
        let is_start = self.tokens[at].is_name() && at.checked_sub(1).is_none_or(|before| self.text(before) != "::");
        let mut path = vec![self.tokens[at].text.to_owned()];
        let mut end = at + 1;
        while is_start && self.text(end) == "::" && self.tokens.get(end + 1).is_some_and(Token::is_name) {
            path.push(self.text(end + 1).to_owned());
            end += 2;
        }
        if path.len() > 1 {
            self.here().paths.push(path);
        }
        end
    }
}

/// The names that a use tree brings in.
fn use_tree(tokens: &[Token<'_>], prefix: &Path, uses: &mut Vec<Use>) {
    let mut path = prefix.clone();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        match token.text {
            "::" => {}
            "{" => {
                branches(&tokens[at + 1..]).for_each(|branch| use_tree(branch, &path, uses));
                return;
            }
            "as" => {
                let name = tokens.get(at + 1).map_or("_", |name| name.text);
                uses.push(Use {
                    path,
                    name: name.to_owned(),
                });
                return;
            }
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    let is_self = path.last().is_some_and(|last| last == "self") && path.len() > 1;
    if is_self {
        path.pop();
    }
    if let Some(name) = path.last().cloned() {
        uses.push(Use { path, name });
    }
}

/// The entries of a group whose brace is open, without it.
fn branches<'t, 's>(tokens: &'t [Token<'s>]) -> impl Iterator<Item = &'t [Token<'s>]> {
    let mut depth = 0usize;
    let mut ends = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.text {
            "{" => depth += 1,
            "}" if depth == 0 => {
                ends.push(at);
                break;
            }
            "}" => depth -= 1,
            "," if depth == 0 => ends.push(at),
            _ => {}
        }
    }
    let starts: Vec<usize> = [0].into_iter().chain(ends.iter().map(|end| end + 1)).collect();
    starts.into_iter().zip(ends).map(|(start, end)| &tokens[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The imports of `of` among these files.
    fn imports(of: &str, files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<Source> = files.iter().map(|(path, text)| Source::new(*path, *text)).collect();
        let imports = Imports::of(&sources);
        let file = files.iter().position(|(path, _)| *path == of).expect("the file");
        imports.edges()[&file].iter().map(|file| imports.name(*file)).collect()
    }

    const FILES: [(&str, &str); 4] = [
        ("lib.rs", "mod a; pub use a::Gift;"),
        (
            "a/mod.rs",
            "mod x; mod y; pub use x::{Gift, More as Other}; pub(crate) const OWN: u8 = 0;",
        ),
        (
            "a/x.rs",
            "pub struct Gift; pub enum More {} make! { pub struct Made { a: u8 } } macro_rules! m { () => {} }",
        ),
        ("a/y.rs", ""),
    ];

    fn of_y(text: &'static str) -> Vec<String> {
        let mut files = FILES;
        files[3].1 = text;
        imports("a/y.rs", &files)
    }

    #[test]
    fn what_is_handed_on_counts_as_its_file() {
        for text in [
            "use super::x::Gift;",
            "use super::Gift;",
            "use crate::a::Other;",
            "use crate::Gift as G;",
            "use crate::{a::{Other}};",
            "use super::x;",
            "use super::x::{self};",
            "use super::x::*;",
            "fn f(gift: super::Gift) {}",
            "fn f() { use super::Gift; }",
            "fn f() { crate::a::x::made_by_a_macro() }",
            "use super::x::Made;",
            "macro_rules! m { () => { $crate::a::Gift } }",
            "mod inner { use super::super::Gift; }",
        ] {
            assert_eq!(of_y(text), ["a/x.rs"], "{text}");
        }
    }

    #[test]
    fn what_a_module_defines_itself_counts_as_the_module() {
        assert_eq!(of_y("use super::OWN;"), ["a/mod.rs"]);
        assert_eq!(of_y("use crate::a::{Gift, OWN};"), ["a/mod.rs", "a/x.rs"]);
    }

    #[test]
    fn modules_as_prefixes_tests_and_other_crates_count_for_nothing() {
        for text in [
            "mod z;",
            "use crate::a;",
            "use ::core::fmt; use alloc::vec::Vec;",
            "struct Gift; fn f() { Gift::new() }",
            "#[cfg(test)] mod tests { use super::super::Gift; }",
            "// crate::a::Gift\n",
            "fn f(x: x::Gift) {}",
        ] {
            assert_eq!(of_y(text), Vec::<String>::new(), "{text}");
        }
        assert_eq!(of_y("use crate::a; fn f() { a::Gift::new() }"), ["a/x.rs"]);
    }

    #[test]
    fn re_exports_are_imports() {
        assert_eq!(imports("a/mod.rs", &FILES), ["a/x.rs"]);
        assert_eq!(imports("lib.rs", &FILES), ["a/x.rs"]);
    }
}
