//! Templates of URIs, and what a URI has in the place of their variables.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// A template of URIs (RFC 6570, levels 1 to 3), to match URIs against.
///
/// Matching takes time linear in the URI and never tries twice. A template is refused when it is read where a URI could
/// be understood in more than one way:
/// - two variables stand side by side, as in `{a}{b}` or `{a}{.b}`;
/// - `{+path}` or `{#part}`, whose values may hold anything, is followed by another expression, by more than one literal,
///   or has several variables;
/// - a modifier of level 4 (`{list*}`, `{id:3}`) or a name that is there twice.
///
/// `{id}`, `{+path}` and `{a,b}` match where all values are there and none is empty. The other operators are optional:
/// of `{/a,b}` values are given from the left, of `{?a,b}`, `{&a,b}` and `{;a,b}` by name in any order. Where a literal
/// follows a variable, the value ends before the first place where the literal stands, or before the last place at the
/// end of the template. Values come percent-decoded, and may then hold any character: whoever opens files by them has to
/// look for `..`.
///
/// ```
/// use mcp_proto::model::UriTemplate;
///
/// let template = UriTemplate::parse("weather://{country}/{city}{?units}")?;
/// let values = template.match_uri("weather://ch/Z%C3%BCrich?units=K").unwrap();
/// assert_eq!(values[1], ("city", "Zürich".into()));
/// assert_eq!(values[2], ("units", "K".into()));
/// assert!(template.match_uri("weather://ch/").is_none());
/// # Ok::<(), mcp_proto::model::UriTemplateError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UriTemplate {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(String),
    /// `{a,b}`
    Simple(Vec<String>),
    /// `{+a}`
    Reserved(String),
    /// `{.a}`, `{/a,b}`, `{#a}`: its sign before each value.
    Signed(u8, Vec<String>),
    /// `{;a,b}`, `{?a,b}`, `{&a,b}`: its sign before the first value, and what parts the others.
    Named(u8, u8, Vec<String>),
}

/// Why a text is no template, or one that cannot be matched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UriTemplateError {
    /// Longer than [`UriTemplate::MOST_BYTES`], or of more than [`UriTemplate::MOST_VARIABLES`].
    TooLarge,
    /// A brace has no partner, or what stands between them is no expression.
    Malformed,
    /// Something of level 4, or an operator that is reserved for later.
    Unsupported,
    /// A URI could be understood in more than one way.
    Ambiguous,
    /// A variable is there twice.
    Repeated(String),
}

impl fmt::Display for UriTemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => f.write_str("the template is too large"),
            Self::Malformed => f.write_str("the template is malformed"),
            Self::Unsupported => f.write_str("modifiers and reserved operators of templates are not supported"),
            Self::Ambiguous => f.write_str("a URI of the template could be understood in more than one way"),
            Self::Repeated(name) => write!(f, "the variable `{name}` is there twice"),
        }
    }
}

impl core::error::Error for UriTemplateError {}

impl UriTemplate {
    /// The longest template.
    pub const MOST_BYTES: usize = 4 << 10;

    /// The most variables of a template.
    pub const MOST_VARIABLES: usize = 64;

    /// The longest URI that is matched; a longer one fits no template.
    pub const MOST_URI_BYTES: usize = 16 << 10;

    /// Reads a template.
    ///
    /// # Errors
    /// [`UriTemplateError`] where it is none, or cannot be matched.
    pub fn parse(text: &str) -> Result<Self, UriTemplateError> {
        if text.len() > Self::MOST_BYTES {
            return Err(UriTemplateError::TooLarge);
        }
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, braced) = rest.split_at(at);
            if !literal.is_empty() {
                parts.push(Part::Literal(literal.to_owned()));
            }
            let inner = braced.strip_prefix('{').ok_or(UriTemplateError::Malformed)?;
            let (expression, after) = inner.split_once('}').ok_or(UriTemplateError::Malformed)?;
            parts.push(expression_part(expression)?);
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Literal(rest.to_owned()));
        }
        let template = Self { parts };
        template.check()?;
        Ok(template)
    }

    /// The names of the variables, in order.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().flat_map(Part::names)
    }

    /// The variables that `uri` has values for, in the order of the template; `None` where it is no URI of the template.
    pub fn match_uri(&self, uri: &str) -> Option<Vec<(&str, String)>> {
        if uri.len() > Self::MOST_URI_BYTES {
            return None;
        }
        let mut matching = Matching {
            rest: uri,
            values: Vec::new(),
        };
        for (at, part) in self.parts.iter().enumerate() {
            matching.part(part, self.parts.get(at + 1..).unwrap_or_default())?;
        }
        matching.rest.is_empty().then_some(matching.values)
    }

    fn check(&self) -> Result<(), UriTemplateError> {
        let mut names: Vec<&str> = self.variables().collect();
        if names.len() > Self::MOST_VARIABLES {
            return Err(UriTemplateError::TooLarge);
        }
        names.sort_unstable();
        for pair in names.windows(2) {
            if let [first, second] = pair
                && first == second
            {
                return Err(UriTemplateError::Repeated((*first).to_owned()));
            }
        }
        let ambiguous = (0..self.parts.len()).any(|at| {
            let part = self.parts.get(at);
            part.is_some_and(|part| part.is_ambiguous_before(self.parts.get(at + 1..).unwrap_or_default()))
        });
        if ambiguous {
            return Err(UriTemplateError::Ambiguous);
        }
        Ok(())
    }
}

impl Part {
    fn names(&self) -> impl Iterator<Item = &str> {
        let (one, many): (Option<&String>, &[String]) = match self {
            Self::Literal(_) => (None, &[]),
            Self::Reserved(name) => (Some(name), &[]),
            Self::Simple(names) | Self::Signed(_, names) | Self::Named(_, _, names) => (None, names),
        };
        one.into_iter().chain(many).map(String::as_str)
    }

    /// Whether one cannot tell where this ends, before what follows it.
    fn is_ambiguous_before(&self, following: &[Self]) -> bool {
        match self {
            Self::Literal(_) => false,
            // A value that may hold anything ends with the URI, or before the literal that ends it.
            Self::Reserved(_) | Self::Signed(b'#', _) => !matches!(following, [] | [Self::Literal(_)]),
            Self::Simple(_) | Self::Signed(..) | Self::Named(..) => match following.first() {
                None | Some(Self::Literal(_)) => false,
                // What starts the next one stands in no value; a dot may, and so may what the others start with.
                Some(Self::Named(sign, separator, _)) => {
                    // `{?a}{;b}` and the like, where the sign also parts the values of the one before.
                    matches!(self, Self::Named(_, mine, _) if mine == sign || mine == separator)
                }
                Some(Self::Signed(sign, _)) => *sign == b'.' || matches!(self, Self::Signed(mine, _) if mine == sign),
                Some(Self::Simple(_) | Self::Reserved(_)) => true,
            },
        }
    }
}

/// What stands between braces.
fn expression_part(expression: &str) -> Result<Part, UriTemplateError> {
    let operator = expression.bytes().next().ok_or(UriTemplateError::Malformed)?;
    let is_operator = b"+#./;?&".contains(&operator);
    if b"=,!@|".contains(&operator) {
        return Err(UriTemplateError::Unsupported);
    }
    let list = expression.get(usize::from(is_operator)..).unwrap_or_default();
    let names: Vec<String> = list.split(',').map(variable).collect::<Result<_, _>>()?;
    Ok(match operator {
        b'+' => Part::Reserved(single(names)?),
        b'#' | b'.' => Part::Signed(operator, alloc::vec![single(names)?]),
        b'/' => Part::Signed(operator, names),
        b';' => Part::Named(b';', b';', names),
        b'?' | b'&' => Part::Named(operator, b'&', names),
        _ => Part::Simple(names),
    })
}

/// The one name of an expression whose values could not be told apart.
fn single(mut names: Vec<String>) -> Result<String, UriTemplateError> {
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(name),
        _ => Err(UriTemplateError::Ambiguous),
    }
}

fn variable(name: &str) -> Result<String, UriTemplateError> {
    if name.ends_with('*') || name.contains(':') {
        return Err(UriTemplateError::Unsupported);
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'%');
    match !name.is_empty() && name.bytes().all(is_name) {
        true => Ok(name.to_owned()),
        false => Err(UriTemplateError::Malformed),
    }
}

/// A URI on its way through a template.
struct Matching<'t, 'u> {
    rest: &'u str,
    values: Vec<(&'t str, String)>,
}

impl<'t, 'u> Matching<'t, 'u> {
    fn part(&mut self, part: &'t Part, following: &[Part]) -> Option<()> {
        match part {
            Part::Literal(literal) => self.rest = self.rest.strip_prefix(literal.as_str())?,
            Part::Simple(names) => {
                let text = self.take(following, |text| run(text, true))?;
                let mut pieces = text.split(',');
                for name in names {
                    let piece = pieces.next().filter(|piece| !piece.is_empty())?;
                    self.values.push((name, decode(piece)?));
                }
                if pieces.next().is_some() {
                    return None;
                }
            }
            Part::Reserved(name) => {
                let text = self.take(following, str::len)?;
                if text.is_empty() {
                    return None;
                }
                self.values.push((name, decode(text)?));
            }
            Part::Signed(sign, names) => self.signed(*sign, names, following)?,
            Part::Named(sign, separator, names) => self.named(*sign, *separator, names, following)?,
        }
        Some(())
    }

    fn signed(&mut self, sign: u8, names: &'t [String], following: &[Part]) -> Option<()> {
        let sign = char::from(sign);
        for name in names {
            // What follows comes before what is optional, where both could start here.
            let Some(rest) = self.rest.strip_prefix(sign) else {
                break;
            };
            if self.is_literal_next(following) {
                break;
            }
            self.rest = rest;
            let text = match sign {
                '#' => self.take(following, str::len)?,
                _ => self.take(following, |text| run(text, false))?,
            };
            self.values.push((name, decode(text)?));
        }
        Some(())
    }

    fn named(&mut self, sign: u8, separator: u8, names: &'t [String], following: &[Part]) -> Option<()> {
        let mut sign = char::from(sign);
        let first = self.values.len();
        while let Some(rest) = self.rest.strip_prefix(sign) {
            if self.is_literal_next(following) {
                break;
            }
            self.rest = rest;
            sign = char::from(separator);
            let end = self.rest.find(|c: char| !is_plain(c)).unwrap_or(self.rest.len());
            let (key, rest) = self.rest.split_at(end);
            let name = names.iter().find(|name| *name == key)?;
            if self.values.iter().skip(first).any(|(known, _)| known == name) {
                return None;
            }
            self.rest = rest;
            let value = match self.rest.strip_prefix('=') {
                Some(rest) => {
                    self.rest = rest;
                    decode(self.take(following, |text| run(text, false))?)?
                }
                None => String::new(),
            };
            self.values.push((name, value));
        }
        // In the order of the template, however the URI has them.
        let named = self.values.get_mut(first..)?;
        named.sort_by_key(|(known, _)| names.iter().position(|name| name == known));
        Some(())
    }

    /// Takes a value: at most as far as `longest` says, and up to the literal that follows.
    fn take(&mut self, following: &[Part], longest: impl FnOnce(&str) -> usize) -> Option<&'u str> {
        let longest = longest(self.rest);
        let end = match following {
            [Part::Literal(last)] => match self.rest.strip_suffix(last.as_str()) {
                Some(value) if value.len() <= longest => value.len(),
                // The value of an optional variable may have been left out together with more than itself.
                _ => return None,
            },
            [Part::Literal(next), ..] => self.rest.find(next.as_str()).filter(|end| *end <= longest)?,
            _ => longest,
        };
        let (value, rest) = self.rest.split_at(end);
        self.rest = rest;
        Some(value)
    }

    fn is_literal_next(&self, following: &[Part]) -> bool {
        match following {
            [Part::Literal(last)] => self.rest == last,
            _ => false,
        }
    }
}

/// How far a value goes that holds nothing reserved.
fn run(text: &str, commas: bool) -> usize {
    text.find(|c: char| !(is_plain(c) || commas && c == ','))
        .unwrap_or(text.len())
}

/// What stands in values as it is, or as a part of an escape. Beyond ASCII nothing has a meaning of its own.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '%') || !c.is_ascii()
}

/// The text without its escapes; `None` where one is broken or they are no UTF-8.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next()?.as_bytes());
    for piece in pieces {
        let digits = piece.get(..2)?;
        // `from_str_radix` takes a sign as well.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(piece.as_bytes().get(2..)?);
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values, as `a=1 b=2`.
    fn values(template: &str, uri: &str) -> Option<String> {
        let template = UriTemplate::parse(template).unwrap_or_else(|error| panic!("{template}: {error}"));
        let values = template.match_uri(uri)?;
        let shown: Vec<String> = values
            .iter()
            .map(|(name, value)| alloc::format!("{name}={value}"))
            .collect();
        Some(shown.join(" "))
    }

    #[test]
    fn levels_one_to_three() {
        for (template, uri, expected) in [
            ("a://b", "a://b", ""),
            ("user://{id}", "user://42", "id=42"),
            ("user://{id}/profile", "user://4%202/profile", "id=4 2"),
            ("test://template/{id}/data", "test://template/123/data", "id=123"),
            ("a://{x}-{y}", "a://1-2-3", "x=1 y=2-3"),
            ("a://{name}.txt", "a://b.txt.txt", "name=b.txt"),
            ("a://{x,y}", "a://1,2", "x=1 y=2"),
            ("file:///{+path}", "file:///a/b?c#d", "path=a/b?c#d"),
            ("file:///{+path}/raw", "file:///a/raw/raw", "path=a/raw"),
            ("a://b{#part}", "a://b#c/d", "part=c/d"),
            ("a://b{#part}", "a://b", ""),
            ("a://b{.ext}", "a://b.tar.gz", "ext=tar.gz"),
            ("a:/{/x,y}", "a://1/2", "x=1 y=2"),
            ("a:/{/x,y}", "a://1", "x=1"),
            ("a://b{;x,y}", "a://b;y=2;x", "x= y=2"),
            ("a://b{?x,y}", "a://b?y=2&x=1", "x=1 y=2"),
            ("a://b{?x,y}", "a://b", ""),
            ("a://b?z=1{&x}", "a://b?z=1&x=2", "x=2"),
            ("a://{x}{?y}{#z}", "a://1?y=2#3", "x=1 y=2 z=3"),
            ("a://{x}{/y}", "a://1", "x=1"),
            ("a://{x}", "a://Zürich", "x=Zürich"),
        ] {
            assert_eq!(values(template, uri).as_deref(), Some(expected), "{template} {uri}");
        }
    }

    #[test]
    fn what_is_no_uri_of_the_template() {
        for (template, uri) in [
            ("a://b", "a://bc"),
            ("user://{id}", "user://"),
            ("user://{id}", "user://1/2"),
            ("user://{id}/profile", "user:///profile"),
            ("a://{x,y}", "a://1"),
            ("a://{x,y}", "a://1,2,3"),
            ("file:///{+path}", "file:///"),
            ("a://b{?x}", "a://b?y=1"),
            ("a://b{?x}", "a://b?x=1&x=2"),
            ("a:/{/x}", "a://1/2"),
            ("a://{x}", "a://%zz"),
            ("a://{x}", "a://%+1"),
            ("a://{x}", "a://%ff"),
            ("a://{x}", "a://%e"),
        ] {
            assert_eq!(values(template, uri), None, "{template} {uri}");
        }
        let long = alloc::format!("a://{}", "x".repeat(UriTemplate::MOST_URI_BYTES));
        assert_eq!(values("a://{x}", &long), None);
    }

    #[test]
    fn templates_that_cannot_be_matched_are_refused() {
        use UriTemplateError::{Ambiguous, Malformed, TooLarge, Unsupported};
        for (template, expected) in [
            ("{a}{b}", Ambiguous),
            ("{a}{.b}", Ambiguous),
            ("{+a}/{b}", Ambiguous),
            ("{+a,b}", Ambiguous),
            ("{+a}{?b}", Ambiguous),
            ("{/a}{/b}", Ambiguous),
            ("{?a}{&b}", Ambiguous),
            ("{.a,b}", Ambiguous),
            ("{a*}", Unsupported),
            ("{a:3}", Unsupported),
            ("{|a}", Unsupported),
            ("{a}{", Malformed),
            ("}", Malformed),
            ("{}", Malformed),
            ("{a,}", Malformed),
            ("{a b}", Malformed),
            ("{{a}}", Malformed),
        ] {
            assert_eq!(UriTemplate::parse(template), Err(expected), "{template}");
        }
        assert_eq!(
            UriTemplate::parse("{a}/{a}"),
            Err(UriTemplateError::Repeated("a".into()))
        );
        assert_eq!(
            UriTemplate::parse(&"x".repeat(UriTemplate::MOST_BYTES + 1)),
            Err(TooLarge)
        );
        let many: String = (0..=UriTemplate::MOST_VARIABLES)
            .map(|n| alloc::format!("{{v{n}}}/"))
            .collect();
        assert_eq!(UriTemplate::parse(&many), Err(TooLarge));
    }

    /// What makes matchers that try again take for ever.
    #[test]
    fn a_template_bomb_is_matched_in_one_go() {
        let template: String = (0..UriTemplate::MOST_VARIABLES)
            .map(|n| alloc::format!("{{v{n}}}-"))
            .collect();
        let template = UriTemplate::parse(&alloc::format!("{template}!")).unwrap();
        assert_eq!(template.match_uri(&"a-".repeat(8_000)), None);
        assert_eq!(template.match_uri(&"-".repeat(16_000)), None);
    }
}
