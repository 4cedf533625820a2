//! URIs from their templates.

use alloc::borrow::{Cow, ToOwned};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde::Serialize;
use serde_json::{Map, Value};

use super::{ResourceTemplate, UriTemplate};

/// Why a template gives no URI with some variables.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpandError {
    /// It is no template (RFC 6570).
    Malformed,
    /// The template is longer than [`UriTemplate::MOST_BYTES`] or of more than [`UriTemplate::MOST_VARIABLES`], or the URI
    /// would be longer than [`UriTemplate::MOST_URI_BYTES`].
    TooLarge,
    /// The variables are no object.
    NoObject,
    /// This variable is a list of lists or objects, an object of such, or either where a text is to be cut (`{name:3}`).
    Unfit(String),
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("the template is malformed"),
            Self::TooLarge => f.write_str("the template or its URI is too large"),
            Self::NoObject => f.write_str("the variables of a template are an object"),
            Self::Unfit(name) => write!(f, "the variable `{name}` does not fit its place in the template"),
        }
    }
}

impl core::error::Error for ExpandError {}

impl ResourceTemplate {
    /// The URI of this family for some variables, to be read (RFC 6570, levels 1 to 4).
    ///
    /// The variables are an object: texts, numbers and bools, lists of them, objects of them (with their members in the order
    /// that a JSON value gives them). What is absent, null or an empty list is left out.
    ///
    /// ```
    /// use mcp_proto::model::ResourceTemplate;
    /// use serde_json::json;
    ///
    /// let template = ResourceTemplate::new("weather://{country}/{city}{?units,days*}", "weather");
    /// let uri = template.expand(&json!({"country": "ch", "city": "Zürich", "days": [1, 2]}))?;
    /// assert_eq!(uri, "weather://ch/Z%C3%BCrich?days=1&days=2");
    /// # Ok::<(), mcp_proto::model::ExpandError>(())
    /// ```
    ///
    /// # Errors
    /// [`ExpandError`].
    pub fn expand(&self, variables: &(impl Serialize + ?Sized)) -> Result<String, ExpandError> {
        let Ok(Value::Object(variables)) = serde_json::to_value(variables) else {
            return Err(ExpandError::NoObject);
        };
        if self.uri_template.len() > UriTemplate::MOST_BYTES {
            return Err(ExpandError::TooLarge);
        }
        let mut uri = Uri::default();
        let mut places = UriTemplate::MOST_VARIABLES;
        let mut rest = self.uri_template.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (literal, braced) = rest.split_at(at);
            uri.push(literal, true)?;
            let inner = braced.strip_prefix('{').ok_or(ExpandError::Malformed)?;
            let (expression, after) = inner.split_once('}').ok_or(ExpandError::Malformed)?;
            uri.expand(expression, &variables, &mut places)?;
            rest = after;
        }
        uri.push(rest, true)?;
        Ok(uri.0)
    }
}

/// How an operator writes its variables (RFC 6570, Appendix A).
#[derive(Clone, Copy)]
struct Operator {
    first: &'static str,
    separator: &'static str,
    /// Whether the name stands before the value.
    named: bool,
    /// What follows the name where the value is empty.
    if_empty: &'static str,
    /// Whether reserved characters stay as they are.
    reserved: bool,
}

impl Operator {
    /// The operator of an expression, and its list of variables.
    fn of(expression: &str) -> (Self, &str) {
        let plain = |first, separator| (first, separator, false, "", false);
        let (first, separator, named, if_empty, reserved) = match expression.as_bytes().first() {
            Some(b'+') => ("", ",", false, "", true),
            Some(b'#') => ("#", ",", false, "", true),
            Some(b'.') => plain(".", "."),
            Some(b'/') => plain("/", "/"),
            Some(b';') => (";", ";", true, "", false),
            Some(b'?') => ("?", "&", true, "=", false),
            Some(b'&') => ("&", "&", true, "=", false),
            _ => plain("", ","),
        };
        let is_plain = first.is_empty() && !reserved;
        let operator = Self {
            first,
            separator,
            named,
            if_empty,
            reserved,
        };
        let list = expression.get(usize::from(!is_plain)..);
        (operator, list.unwrap_or_default())
    }
}

/// A variable in an expression.
struct Place<'a> {
    name: &'a str,
    explode: bool,
    /// How many characters of a text are taken.
    most: Option<usize>,
}

impl<'a> Place<'a> {
    fn of(spec: &'a str) -> Option<Self> {
        let (name, explode, most) = match (spec.strip_suffix('*'), spec.split_once(':')) {
            (Some(name), _) => (name, true, None),
            (None, Some((name, digits))) => {
                // Section 2.4.1: below 10,000, without zeros before it.
                let is_length = (1..=4).contains(&digits.len())
                    && !digits.starts_with('0')
                    && digits.bytes().all(|byte| byte.is_ascii_digit());
                (name, false, Some(digits.parse().ok().filter(|_| is_length)?))
            }
            (None, None) => (spec, false, None),
        };
        let is_name =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"_%".contains(&b));
        name.split('.').all(is_name).then_some(Self { name, explode, most })
    }
}

/// What a variable holds.
enum Held<'a> {
    Text(Cow<'a, str>),
    List(Vec<Cow<'a, str>>),
    Members(Vec<(&'a str, Cow<'a, str>)>),
}

impl<'a> Held<'a> {
    /// `None` where it holds nothing, an error where it cannot stand in a URI.
    fn of(value: Option<&'a Value>) -> Result<Option<Self>, ()> {
        let held = match value {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::Array(items)) => {
                let items = items.iter().filter(|item| !item.is_null());
                Self::List(items.map(text).collect::<Result<_, _>>()?)
            }
            Some(Value::Object(members)) => {
                let members = members.iter().filter(|(_, value)| !value.is_null());
                let members = members.map(|(name, value)| Ok((name.as_str(), text(value)?)));
                Self::Members(members.collect::<Result<_, ()>>()?)
            }
            Some(value) => Self::Text(text(value)?),
        };
        let is_empty = match &held {
            Self::Text(_) => false,
            Self::List(items) => items.is_empty(),
            Self::Members(members) => members.is_empty(),
        };
        Ok((!is_empty).then_some(held))
    }
}

/// A text without its quotes; another value as JSON.
fn text(value: &Value) -> Result<Cow<'_, str>, ()> {
    match value {
        Value::String(text) => Ok(text.into()),
        Value::Array(_) | Value::Object(_) => Err(()),
        value => Ok(value.to_string().into()),
    }
}

/// A URI that grows no longer than any that is matched.
#[derive(Default)]
struct Uri(String);

impl Uri {
    fn expand(
        &mut self,
        expression: &str,
        variables: &Map<String, Value>,
        places: &mut usize,
    ) -> Result<(), ExpandError> {
        let (operator, list) = Operator::of(expression);
        let mut before = operator.first;
        for spec in list.split(',') {
            let place = Place::of(spec).ok_or(ExpandError::Malformed)?;
            *places = places.checked_sub(1).ok_or(ExpandError::TooLarge)?;
            let unfit = || ExpandError::Unfit(place.name.to_owned());
            let Some(held) = Held::of(variables.get(place.name)).map_err(|()| unfit())? else {
                continue;
            };
            if place.most.is_some() && !matches!(held, Held::Text(_)) {
                return Err(unfit());
            }
            self.raw(before)?;
            before = operator.separator;
            self.held(operator, &place, &held)?;
        }
        Ok(())
    }

    /// Section 3.2.1.
    fn held(&mut self, operator: Operator, place: &Place<'_>, held: &Held<'_>) -> Result<(), ExpandError> {
        let reserved = operator.reserved;
        match held {
            Held::Text(text) => {
                let end = place.most.and_then(|most| text.char_indices().nth(most));
                let text = end.and_then(|(end, _)| text.get(..end)).unwrap_or(text);
                self.name(operator, place.name, text.is_empty())?;
                self.push(text, reserved)
            }
            Held::List(items) => {
                let separator = self.begin(operator, place)?;
                for (at, item) in items.iter().enumerate() {
                    self.raw(if at == 0 { "" } else { separator })?;
                    if place.explode {
                        self.name(operator, place.name, item.is_empty())?;
                    }
                    self.push(item, reserved)?;
                }
                Ok(())
            }
            Held::Members(members) => {
                let separator = self.begin(operator, place)?;
                for (at, (name, value)) in members.iter().enumerate() {
                    self.raw(if at == 0 { "" } else { separator })?;
                    self.push(name, reserved)?;
                    let empty = operator.named && place.explode && value.is_empty();
                    self.raw(match (place.explode, empty) {
                        (true, true) => operator.if_empty,
                        (true, false) => "=",
                        (false, _) => ",",
                    })?;
                    self.push(value, reserved)?;
                }
                Ok(())
            }
        }
    }

    /// What stands before all of a list or an object, and what parts its values.
    fn begin(&mut self, operator: Operator, place: &Place<'_>) -> Result<&'static str, ExpandError> {
        if place.explode {
            return Ok(operator.separator);
        }
        self.name(operator, place.name, false)?;
        Ok(",")
    }

    fn name(&mut self, operator: Operator, name: &str, is_empty: bool) -> Result<(), ExpandError> {
        if !operator.named {
            return Ok(());
        }
        self.push(name, true)?;
        self.raw(if is_empty { operator.if_empty } else { "=" })
    }

    /// A text, encoded; where reserved characters stay, what is encoded already does too (section 3.2.3).
    fn push(&mut self, text: &str, reserved: bool) -> Result<(), ExpandError> {
        let bytes = text.as_bytes();
        for (at, byte) in bytes.iter().enumerate() {
            let stays = match byte {
                b'-' | b'.' | b'_' | b'~' => true,
                b'%' => reserved && is_encoded(bytes.get(at + 1..at + 3)),
                byte if reserved && b":/?#[]@!$&'()*+,;=".contains(byte) => true,
                byte => byte.is_ascii_alphanumeric(),
            };
            match stays {
                true => self.raw(char::from(*byte).encode_utf8(&mut [0; 4]))?,
                false => self.raw(&alloc::format!("%{byte:02X}"))?,
            }
        }
        Ok(())
    }

    fn raw(&mut self, text: &str) -> Result<(), ExpandError> {
        if self.0.len() + text.len() > UriTemplate::MOST_URI_BYTES {
            return Err(ExpandError::TooLarge);
        }
        self.0.push_str(text);
        Ok(())
    }
}

fn is_encoded(digits: Option<&[u8]>) -> bool {
    digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use serde_json::json;

    fn expand(template: &str, variables: &Value) -> Result<String, ExpandError> {
        ResourceTemplate::new(template, "x").expand(variables)
    }

    /// The variables of RFC 6570, section 3.2, but for `keys`, whose order is another one here.
    fn rfc() -> Value {
        json!({
            "count": ["one", "two", "three"], "dom": ["example", "com"], "dub": "me/too", "hello": "Hello World!",
            "half": "50%", "var": "value", "who": "fred", "base": "http://example.com/home/", "path": "/foo/bar",
            "list": ["red", "green", "blue"], "keys": {"comma": ",", "dot": ".", "semi": ";"}, "v": "6", "x": 1024,
            "y": 768, "empty": "", "empty_keys": {}, "undef": null,
            "nothing": ["", "", null], "empty_list": [null], "encoded": "%41%"
        })
    }

    #[test]
    fn the_examples_of_the_rfc_hold() {
        for (template, expected) in [
            ("{count}", "one,two,three"),
            ("{count*}", "one,two,three"),
            ("{/count}", "/one,two,three"),
            ("{/count*}", "/one/two/three"),
            ("{;count}", ";count=one,two,three"),
            ("{;count*}", ";count=one;count=two;count=three"),
            ("{?count}", "?count=one,two,three"),
            ("{?count*}", "?count=one&count=two&count=three"),
            ("{&count*}", "&count=one&count=two&count=three"),
            ("{var}", "value"),
            ("{hello}", "Hello%20World%21"),
            ("{half}", "50%25"),
            ("O{empty}X", "OX"),
            ("O{undef}X", "OX"),
            ("{x,y}", "1024,768"),
            ("{x,hello,y}", "1024,Hello%20World%21,768"),
            ("?{x,empty}", "?1024,"),
            ("?{x,undef}", "?1024"),
            ("?{undef,y}", "?768"),
            ("{var:3}", "val"),
            ("{var:30}", "value"),
            ("{list}", "red,green,blue"),
            ("{list*}", "red,green,blue"),
            ("{keys}", "comma,%2C,dot,.,semi,%3B"),
            ("{keys*}", "comma=%2C,dot=.,semi=%3B"),
            ("{+var}", "value"),
            ("{+hello}", "Hello%20World!"),
            ("{+half}", "50%25"),
            ("{base}index", "http%3A%2F%2Fexample.com%2Fhome%2Findex"),
            ("{+base}index", "http://example.com/home/index"),
            ("O{+empty}X", "OX"),
            ("O{+undef}X", "OX"),
            ("{+path}/here", "/foo/bar/here"),
            ("here?ref={+path}", "here?ref=/foo/bar"),
            ("up{+path}{var}/here", "up/foo/barvalue/here"),
            ("{+x,hello,y}", "1024,Hello%20World!,768"),
            ("{+path,x}/here", "/foo/bar,1024/here"),
            ("{+path:6}/here", "/foo/b/here"),
            ("{+keys*}", "comma=,,dot=.,semi=;"),
            ("{#var}", "#value"),
            ("{#hello}", "#Hello%20World!"),
            ("foo{#empty}", "foo#"),
            ("foo{#undef}", "foo"),
            ("{#path:6}here", "#/foo/bhere"),
            ("{#list*}", "#red,green,blue"),
            ("{.who,who}", ".fred.fred"),
            ("{.half,who}", ".50%25.fred"),
            ("www{.dom*}", "www.example.com"),
            ("X{.empty}", "X."),
            ("X{.undef}", "X"),
            ("X{.var:3}", "X.val"),
            ("X{.list*}", "X.red.green.blue"),
            ("X{.empty_keys}", "X"),
            ("{/half,who}", "/50%25/fred"),
            ("{/who,dub}", "/fred/me%2Ftoo"),
            ("{/var,empty}", "/value/"),
            ("{/var,undef}", "/value"),
            ("{/var,x}/here", "/value/1024/here"),
            ("{/var:1,var}", "/v/value"),
            ("{/list*,path:4}", "/red/green/blue/%2Ffoo"),
            ("{;who}", ";who=fred"),
            ("{;empty}", ";empty"),
            ("{;v,empty,who}", ";v=6;empty;who=fred"),
            ("{;x,y,undef}", ";x=1024;y=768"),
            ("{;hello:5}", ";hello=Hello"),
            ("{;keys*}", ";comma=%2C;dot=.;semi=%3B"),
            ("{?who}", "?who=fred"),
            ("{?x,y,empty}", "?x=1024&y=768&empty="),
            ("{?x,y,undef}", "?x=1024&y=768"),
            ("{?var:3}", "?var=val"),
            ("{?keys*}", "?comma=%2C&dot=.&semi=%3B"),
            ("?fixed=yes{&x}", "?fixed=yes&x=1024"),
            ("{&x,y,empty}", "&x=1024&y=768&empty="),
            ("{;keys}", ";keys=comma,%2C,dot,.,semi,%3B"),
            ("{/keys*}", "/comma=%2C/dot=./semi=%3B"),
            ("{?nothing*}{?empty_list}", "?nothing=&nothing="),
            ("ü {+encoded}{encoded}", "%C3%BC%20%41%25%2541%25"),
            ("{&list*}", "&list=red&list=green&list=blue"),
        ] {
            assert_eq!(expand(template, &rfc()).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn what_is_matched_is_what_was_expanded() {
        let text = "weather://{country}/{city}{?units}";
        let uri = expand(text, &json!({"country": "c/h", "city": "Zürich", "units": "?&"})).unwrap();
        let template = UriTemplate::parse(text).unwrap();
        let values: Vec<_> = template.match_uri(&uri).unwrap();
        let values: Vec<_> = values.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["c/h", "Zürich", "?&"]);
    }

    #[test]
    fn what_makes_no_uri_is_told() {
        for template in [
            "{",
            "}",
            "{}",
            "{a",
            "{a b}",
            "{=a}",
            "{a:0}",
            "{a:01}",
            "{a:99999}",
            "{a:}",
            "{a:x}",
            "{a:3*}",
            "{a,,b}",
            "{a.}",
            "a}b",
            "{{a}}",
        ] {
            let expanded = expand(template, &rfc());
            assert_eq!(expanded, Err(ExpandError::Malformed), "{template}");
        }
        for value in [json!([[1]]), json!([{}]), json!({"x": []})] {
            let expanded = expand("{a}", &json!({"a": value, "b": [[1]]}));
            assert_eq!(expanded, Err(ExpandError::Unfit("a".into())));
        }
        assert_eq!(expand("{list:3}", &rfc()), Err(ExpandError::Unfit("list".into())));
        for none in [json!(1), json!(null), json!(["a"])] {
            assert_eq!(expand("{a}", &none), Err(ExpandError::NoObject));
        }
    }

    #[test]
    fn no_template_and_no_value_makes_a_bomb() {
        let long = "x".repeat(UriTemplate::MOST_URI_BYTES);
        assert!(expand("{a}", &json!({"a": long})).is_ok());
        assert_eq!(expand("/{a}", &json!({"a": long})), Err(ExpandError::TooLarge));
        assert_eq!(
            expand("{a}", &json!({"a": "ü".repeat(6_000)})),
            Err(ExpandError::TooLarge)
        );
        let bomb = "{a*}".repeat(60);
        assert_eq!(
            expand(&bomb, &json!({"a": vec!["x"; 1_000]})),
            Err(ExpandError::TooLarge)
        );
        assert_eq!(expand(&"{a}".repeat(65), &json!({})), Err(ExpandError::TooLarge));
        let text = "x".repeat(UriTemplate::MOST_BYTES + 1);
        assert_eq!(expand(&text, &json!({})), Err(ExpandError::TooLarge));
    }
}
