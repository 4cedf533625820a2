//! One file, and what of it ships.

use std::path::PathBuf;

use super::lexer::{self, Class, classify};

/// One source file: its text, and views of it in which parts are blanked.
///
/// A view has the length and the line breaks of the file, so that positions mean the same in all of them.
pub struct Source {
    /// The path relative to the directory that was read.
    pub path: PathBuf,
    text: String,
    shipped: String,
    shipped_code: String,
    pub(super) test_modules: Vec<String>,
}

impl Source {
    /// Reads `text` as the file `path`.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let text = text.into();
        let classes = classify(&text);
        let code = blank(&text, |at| classes[at] != Class::Code);
        let items = lexer::test_items(&code);
        let in_test = |at: usize| items.iter().any(|item| item.span.contains(&at));
        let shipped = blank(&text, |at| classes[at] == Class::Comment || in_test(at));
        let shipped_code = blank(&code, in_test);
        let test_modules = items.into_iter().filter_map(|item| item.module).collect();
        Self {
            path: path.into(),
            text,
            shipped,
            shipped_code,
            test_modules,
        }
    }

    /// The file as it is.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The code that ships, with its strings: no comments, no `#[cfg(test)]` items.
    pub fn shipped(&self) -> &str {
        &self.shipped
    }

    /// The code that ships, without comments, strings and `#[cfg(test)]` items.
    pub fn shipped_code(&self) -> &str {
        &self.shipped_code
    }

    /// The module path of the file below the crate root: empty for `lib.rs`.
    pub fn module(&self) -> Vec<String> {
        let mut parts: Vec<String> = self
            .path
            .with_extension("")
            .iter()
            .map(|part| part.to_string_lossy().into_owned())
            .collect();
        if parts
            .last()
            .is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str()))
        {
            parts.pop();
        }
        parts
    }

    /// Formats a finding as `path:line: what`, for the byte position `at`.
    pub fn finding(&self, at: usize, what: impl AsRef<str>) -> String {
        let line = self.text.as_bytes()[..at].iter().filter(|&&byte| byte == b'\n').count() + 1;
        format!("{}:{line}: {}", self.path.display(), what.as_ref())
    }
}

/// `text` with every byte for which `hide` holds replaced by a blank; line breaks stay.
fn blank(text: &str, hide: impl Fn(usize) -> bool) -> String {
    let bytes = text
        .bytes()
        .enumerate()
        .map(|(at, byte)| if byte != b'\n' && hide(at) { b' ' } else { byte })
        .collect();
    String::from_utf8(bytes).expect("characters are hidden whole")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shipped(text: &str) -> String {
        let words: Vec<String> = Source::new("x.rs", text)
            .shipped()
            .split_whitespace()
            .map(String::from)
            .collect();
        words.join(" ")
    }

    fn code(text: &str) -> String {
        let words: Vec<String> = Source::new("x.rs", text)
            .shipped_code()
            .split_whitespace()
            .map(String::from)
            .collect();
        words.join(" ")
    }

    #[test]
    fn comments_are_hidden_and_strings_on_demand() {
        assert_eq!(
            shipped("//! top\nlet a = \"b // c\"; // d\n/* e /* f */ g */ h /// i"),
            "let a = \"b // c\"; h"
        );
        assert_eq!(code("let a = \"b // c\"; // d"), "let a = ;");
    }

    #[test]
    fn raw_strings_and_escapes_end_where_they_end() {
        assert_eq!(
            code(r##"a(r#"x " // y"#); b("\"//"); c(b"z\\"); d(br"q")"##),
            "a( ); b( ); c( ); d( )"
        );
        assert_eq!(code("let r#type = bar\"s\";"), "let r#type = bar ;");
    }

    #[test]
    fn lifetimes_are_code_and_characters_are_literals() {
        assert_eq!(
            code("fn f<'a>(x: &'a str) { g('\"'); h('\\''); i(b'/'); j('é') }"),
            "fn f<'a>(x: &'a str) { g( ); h( ); i( ); j( ) }"
        );
    }

    #[test]
    fn multibyte_text_keeps_its_length() {
        let source = Source::new("x.rs", "a // → é\nb(\"→\")");
        assert_eq!(source.shipped_code().len(), source.text().len());
        assert_eq!(source.finding(source.text().len(), "end"), "x.rs:2: end");
    }

    #[test]
    fn test_items_are_hidden() {
        assert_eq!(
            code("a();\n#[cfg(test)]\nmod tests { fn x() { y(\"}\") } }\nb();"),
            "a(); b();"
        );
        assert_eq!(
            code("#[cfg(test)] #[allow(x)] fn f<A, B>() -> [u8; 2] { g() } h();"),
            "h();"
        );
        assert_eq!(code("#[cfg(all(test, unix))] use a::{b, c}; d();"), "; d();");
        assert_eq!(
            code("struct S { a: u8, #[cfg(test)] b: u8, c: u8 }"),
            "struct S { a: u8, c: u8 }"
        );
        assert_eq!(code("#![cfg(test)]\nfn f() {}"), "");
    }

    #[test]
    fn items_that_ship_are_kept() {
        for text in [
            "#[cfg(not(test))] fn f() {}",
            "#[cfg(any(test, unix))] fn f() {}",
            "#[cfg_attr(test, x)] fn f() {}",
            "#[test_case] fn f() {}",
        ] {
            assert_eq!(code(text), text);
        }
        assert_eq!(
            code("#[cfg(feature = \"test\")] fn f() {}"),
            "#[cfg(feature = )] fn f() {}"
        );
    }

    #[test]
    fn module_paths_follow_the_files() {
        for (path, module) in [("lib.rs", ""), ("a.rs", "a"), ("a/mod.rs", "a"), ("a/b.rs", "a::b")] {
            assert_eq!(Source::new(path, "").module().join("::"), module);
        }
    }

    #[test]
    fn files_of_test_modules_are_known() {
        let source = Source::new(
            "a.rs",
            "#[cfg(test)]\nmod tests;\n#[cfg(test)]\npub(crate) mod more;\nmod b;",
        );
        assert_eq!(source.test_modules, ["tests", "more"]);
    }
}
