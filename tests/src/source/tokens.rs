//! Identifiers and operators of code whose comments and literals are blanked.

/// One identifier, number or operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'a> {
    /// The byte position in the file.
    pub at: usize,
    /// The characters of the token.
    pub text: &'a str,
}

impl Token<'_> {
    /// Whether the token is an identifier or keyword.
    pub fn is_name(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
    }
}

/// The tokens of `code`. Operators that consist of several characters are one token where their parts would
/// mislead: `::`, `==`, `!=`, `<=`, `>=`, `=>`, `->`, `..`, `&&`, `||`.
pub fn tokens(code: &str) -> Vec<Token<'_>> {
    const JOINED: [&str; 10] = ["::", "==", "!=", "<=", ">=", "=>", "->", "..", "&&", "||"];
    let mut found = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(rest.len());
        let length = match word {
            0 if JOINED.iter().any(|joined| rest.starts_with(joined)) => 2,
            0 => first.len_utf8(),
            _ => word,
        };
        let (text, after) = rest.split_at(length);
        found.push(Token {
            at: code.len() - rest.len(),
            text,
        });
        rest = after.trim_start();
    }
    found
}

/// The first names of the use tree that starts here, after `crate::` or the like: one name, or one for each
/// entry of a group.
pub fn first_names<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    match tokens.first() {
        Some(open) if open.text == "{" => {
            let mut depth = 0usize;
            let mut starts = false;
            let mut names = Vec::new();
            for token in tokens {
                match token.text {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ if starts => names.push(*token),
                    _ => {}
                }
                starts = depth == 1 && ["{", ","].contains(&token.text);
                if depth == 0 {
                    break;
                }
            }
            names
        }
        Some(name) => vec![*name],
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_operators_are_split() {
        let code = "if a_1>=crate::B{c=>d}";
        let texts: Vec<&str> = tokens(code).iter().map(|token| token.text).collect();
        assert_eq!(texts, ["if", "a_1", ">=", "crate", "::", "B", "{", "c", "=>", "d", "}"]);
        for token in tokens(code) {
            assert_eq!(&code[token.at..token.at + token.text.len()], token.text);
        }
    }

    #[test]
    fn groups_have_a_first_name_for_each_entry() {
        let names = |code| -> Vec<&str> { first_names(&tokens(code)).iter().map(|token| token.text).collect() };
        assert_eq!(names("a::b;"), ["a"]);
        assert_eq!(names("{a::{b, c}, d as e, *, self};"), ["a", "d", "*", "self"]);
        assert_eq!(names("{\n    a,\n};"), ["a"]);
    }
}
