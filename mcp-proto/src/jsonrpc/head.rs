//! The first bytes of a message that is too long to be read.

use super::Id;

/// What the first bytes of a message tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Head {
    /// Its id, where it comes early enough.
    pub(crate) id: Option<Id>,
    /// Whether a method comes early enough: then it is no response.
    pub(crate) has_method: bool,
}

impl Head {
    /// Reads the members of a cut object up to the first that is no string, number or literal.
    pub(crate) fn of(text: &[u8]) -> Self {
        let text = match core::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => text
                // The cut may go through a character.
                .get(..error.valid_up_to())
                .and_then(|valid| core::str::from_utf8(valid).ok())
                .unwrap_or_default(),
        };
        let mut head = Self::default();
        let Some(mut rest) = text.trim_ascii_start().strip_prefix('{') else {
            return head;
        };
        while let Some((key, after)) = scalar(rest) {
            let Some(after) = after.trim_ascii_start().strip_prefix(':') else {
                break;
            };
            let value = scalar(after);
            match (key, value) {
                ("\"id\"", Some((value, _))) => head.id = Id::from_json(value),
                // Also where its value is cut: that it is there says that this is no response.
                ("\"method\"", _) => head.has_method = true,
                _ => {}
            }
            let Some(next) = value.and_then(|(_, after)| after.trim_ascii_start().strip_prefix(',')) else {
                break;
            };
            rest = next;
        }
        head
    }
}

/// The string, number or literal that `text` starts with, and what follows. `None` where it is cut.
fn scalar(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_ascii_start();
    let end = if text.starts_with('"') {
        let mut escaped = false;
        let closing = text.bytes().enumerate().skip(1).find(|(_, byte)| {
            let closes = *byte == b'"' && !escaped;
            escaped = *byte == b'\\' && !escaped;
            closes
        });
        closing?.0 + 1
    } else {
        // What ends with the text may go on behind the cut: `12` may be `123`.
        text.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c))
            .filter(|end| *end > 0)?
    };
    text.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_early_id_is_found() {
        let head = |text: &str| Head::of(text.as_bytes());
        assert_eq!(
            head(r#"{"jsonrpc":"2.0","id":7,"result":{"x":"#),
            Head {
                id: Some(7.into()),
                has_method: false
            }
        );
        assert_eq!(
            head(r#" {"method" : "a\"b", "id" : "x\\" , "params"#).id,
            Some(Id::from("x\\"))
        );
        assert!(head(r#"{"method":"a","params":{"#).has_method);
        assert_eq!(head(r#"{"result":{"id":7},"id":8}"#), Head::default());
        assert_eq!(head(r#"{"id":12"#), Head::default(), "a cut number is no id");
        for text in ["", "{", "{\"", "[1]", "{\"id\"", "{\"id\":", "{\"id\":\"a", "{:,"] {
            assert_eq!(head(text), Head::default(), "{text}");
        }
        assert_eq!(Head::of(b"{\"id\":1,\"x\":\"\xff").id, Some(1.into()));
    }
}
