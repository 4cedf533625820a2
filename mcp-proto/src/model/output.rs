//! What a tool returned, read: as data of a type, or as text.

use alloc::string::String;
use core::fmt;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::content::ContentBlock;
use super::json::JsonError;
use super::resource::ResourceContents;
use super::tool::CallToolResult;

impl CallToolResult {
    /// Decodes the data of the result (`structuredContent`).
    ///
    /// # Errors
    /// [`OutputError::Absent`] where the tool returned none, as before 2025-06-18; [`OutputError::Invalid`] where they
    /// are of another type.
    pub fn decode_structured<T: DeserializeOwned>(&self) -> Result<T, OutputError> {
        let data = self.structured_content.as_ref().ok_or(OutputError::Absent)?;
        data.decode().map_err(OutputError::Invalid)
    }

    /// The same for data that are wrapped as `{"result": …}`. Before 2026-07-28 data had to be an object, and servers
    /// wrap in this way what is none: a list, a number, an optional value.
    ///
    /// # Errors
    /// Those of [`decode_structured`](Self::decode_structured), and [`OutputError::NotWrapped`].
    pub fn decode_wrapped<T: DeserializeOwned>(&self) -> Result<T, OutputError> {
        #[derive(Deserialize)]
        struct Wrapped<'a> {
            #[serde(borrow)]
            result: &'a RawValue,
        }
        let data = self.structured_content.as_ref().ok_or(OutputError::Absent)?;
        let wrapped: Wrapped<'_> = data.decode_borrowed().map_err(|_| OutputError::NotWrapped)?;
        serde_json::from_str(wrapped.result.get()).map_err(|error| OutputError::Invalid(JsonError::new(error)))
    }

    /// All text of the result: its text blocks and embedded resources of text, one per line. Empty where there is none;
    /// what is no text is left out.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for part in self.content.iter().filter_map(text_of) {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(part);
        }
        text
    }
}

fn text_of(block: &ContentBlock) -> Option<&str> {
    match block {
        ContentBlock::Text(content) => Some(&content.text),
        ContentBlock::Resource(embedded) => match &embedded.resource {
            ResourceContents::Text(contents) => Some(&contents.text),
            _ => None,
        },
        _ => None,
    }
}

/// Why the data of a result are not of the type asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputError {
    /// There are none.
    Absent,
    /// They are not wrapped as `{"result": …}`.
    NotWrapped,
    /// They are of another type.
    Invalid(JsonError),
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("the result has no structured content"),
            Self::NotWrapped => f.write_str("the structured content has no member `result`"),
            Self::Invalid(error) => write!(f, "the structured content is of another type: {error}"),
        }
    }
}

impl core::error::Error for OutputError {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn result(text: &str) -> CallToolResult {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn data_are_decoded_and_their_absence_is_told() {
        let list = result(r#"{"content":[],"structuredContent":{"result":[1,2]}}"#);
        assert_eq!(list.decode_wrapped::<Vec<u8>>(), Ok([1, 2].into()));
        assert!(matches!(
            list.decode_structured::<Vec<u8>>(),
            Err(OutputError::Invalid(_))
        ));
        assert!(matches!(list.decode_wrapped::<u8>(), Err(OutputError::Invalid(_))));
        let bare = result(r#"{"content":[],"structuredContent":[1,2]}"#);
        assert_eq!(bare.decode_structured::<Vec<u8>>(), Ok([1, 2].into()));
        assert_eq!(bare.decode_wrapped::<Vec<u8>>(), Err(OutputError::NotWrapped));
        let null = result(r#"{"content":[],"structuredContent":null}"#);
        assert_eq!(null.decode_structured::<Option<u8>>(), Ok(None));
        let none = result(r#"{"content":[]}"#);
        assert_eq!(none.decode_structured::<u8>(), Err(OutputError::Absent));
        assert_eq!(none.decode_wrapped::<u8>(), Err(OutputError::Absent));
    }

    #[test]
    fn text_is_joined_and_everything_else_left_out() {
        let mixed = result(
            r#"{"content":[{"type":"text","text":"a"},{"type":"image","data":"","mimeType":"image/png"},
            {"type":"resource","resource":{"uri":"x:y","text":"b"}},{"type":"resource","resource":{"uri":"x:y","blob":""}},
            {"type":"resource_link","uri":"x:y","name":"n"},{"type":"new","text":"c"}]}"#,
        );
        assert_eq!(mixed.to_text(), "a\nb");
        assert_eq!(mixed.content.len(), 6);
        assert_eq!(result("{}").to_text(), "");
    }
}
