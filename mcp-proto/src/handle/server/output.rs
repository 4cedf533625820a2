//! What a tool returns.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::ToolError;
use crate::jsonrpc::{RawJson, is_literal, write_string};
use crate::model::{
    AudioContent, CallToolResult, ContentBlock, EmbeddedResource, ImageContent, Resource, ResourceContents,
    ResourceLink,
};
use crate::revision::Revision;
use crate::server::ResultBody;
use crate::wire::splice::{self, put_around};

/// What a tool can return: text, content of every kind (a [`Resource`] as a link, [`ResourceContents`] embedded), data
/// (`Structured`, with the feature `schema`), or a whole [`CallToolResult`].
#[diagnostic::on_unimplemented(
    message = "a tool cannot return `{Self}`",
    label = "this is what the closure returns",
    note = "a tool returns text (`String`, `&'static str`), a content block or a `Vec<ContentBlock>`, data as \
            `Structured(..)`, a `CallToolResult`, or a `Result` of these and a `ToolError`",
    note = "the error of the `Result` has to be `ToolError`: `?` and `.map_err(ToolError::from)` make one of any error"
)]
pub trait ToolOutput: Send + 'static {
    /// The JSON schema of the data that is returned, a JSON text; `None` where there is no data.
    fn output_schema() -> Option<String> {
        None
    }

    /// The result of the call, for a client of `revision`.
    ///
    /// # Errors
    /// [`ToolError`] where it has no JSON form.
    fn into_result(self, revision: Revision) -> Result<CallToolResult, ToolError>;

    /// The result of the call as it is written. The default writes what [`into_result`](Self::into_result) gives.
    ///
    /// # Errors
    /// [`ToolError`] where it has no JSON form.
    fn into_body(self, revision: Revision) -> Result<ResultBody, ToolError>
    where
        Self: Sized,
    {
        let result = self.into_result(revision)?;
        let is_plain = result.meta.is_none() && result.result_type.is_none() && result.extra.is_empty();
        let json = RawJson::from_serialize(&result)?;
        match is_plain {
            true => Ok(ResultBody::plain(json)),
            false => Ok(ResultBody::from_raw(json)?),
        }
    }
}

/// Room for what is put around a large result: the envelope, the name of the server, the field of an event.
const AROUND: usize = 1 << 10;

/// The result whose only content is `text`. A large one that is owned stays in its memory, where nothing has to be
/// escaped.
fn text_body<T: AsRef<str> + Into<String>>(text: T) -> ResultBody {
    let length = text.as_ref().len();
    // A large text that needs no escapes stays where it is, and is put around.
    let json = if length >= splice::LARGE && is_literal(text.as_ref()) {
        let mut json = text.into().into_bytes();
        // At once for all that is put around it on its way out: else a large result would be moved each time.
        json.reserve_exact(AROUND);
        put_around(&mut json, 0, br#"{"content":[{"type":"text","text":""#, br#""}]}"#);
        json
    } else {
        let around = if length < splice::LARGE { 64 } else { AROUND };
        let mut json = Vec::with_capacity(around + length);
        json.extend_from_slice(br#"{"content":[{"type":"text","text":"#);
        write_string(&mut json, text.as_ref());
        json.extend_from_slice(b"}]}");
        json
    };
    ResultBody::plain(RawJson::from_valid(json.into()))
}

macro_rules! text_output {
    ($($text:ty),*) => {
        $(impl ToolOutput for $text {
            fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
                Ok(CallToolResult::text(self))
            }

            fn into_body(self, _: Revision) -> Result<ResultBody, ToolError> {
                Ok(text_body(self))
            }
        })*
    };
}

text_output!(String, &'static str);

impl ToolOutput for Cow<'static, str> {
    fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::text(self))
    }
}

/// No content.
impl ToolOutput for () {
    fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::default())
    }
}

macro_rules! block_output {
    ($($content:ty),*) => {
        $(impl ToolOutput for $content {
            fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
                Ok(CallToolResult::new(vec![self.into()]))
            }
        })*
    };
}

block_output!(
    ContentBlock,
    ImageContent,
    AudioContent,
    ResourceLink,
    EmbeddedResource,
    Resource,
    ResourceContents
);

impl ToolOutput for Vec<ContentBlock> {
    fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
        Ok(CallToolResult::new(self))
    }
}

impl ToolOutput for CallToolResult {
    fn into_result(self, _: Revision) -> Result<CallToolResult, ToolError> {
        Ok(self)
    }
}

/// Data as the output of a tool: `structuredContent` with an output schema from the type, and the same as text for
/// clients that know no data.
///
/// Before 2026-07-28 structured content is an object; any other value is sent as text alone there.
#[cfg(feature = "schema")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Structured<T>(pub T);

#[cfg(feature = "schema")]
impl<T: serde::Serialize + schemars::JsonSchema + Send + 'static> ToolOutput for Structured<T> {
    fn output_schema() -> Option<String> {
        Some(super::schema::of_output::<T>())
    }

    fn into_result(self, revision: Revision) -> Result<CallToolResult, ToolError> {
        let mut result = CallToolResult::structured(&self.0)?;
        let is_object = result
            .structured_content
            .as_ref()
            .is_some_and(crate::model::Json::is_object);
        // The text of it is in the content already, for clients that know nothing else.
        if !revision.has_structured_content() || !(is_object || revision.has_structured_values()) {
            result.structured_content = None;
        }
        Ok(result)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(output: impl ToolOutput, revision: Revision) -> String {
        output.into_body(revision).unwrap().as_raw().as_str().into()
    }

    #[test]
    fn text_and_content() {
        let revision = Revision::V2025_11_25;
        assert_eq!(body("a\"b", revision), r#"{"content":[{"type":"text","text":"a\"b"}]}"#);
        assert_eq!(
            body(String::from("c"), revision),
            r#"{"content":[{"type":"text","text":"c"}]}"#
        );
        assert_eq!(body((), revision), r#"{"content":[]}"#);
        let block = ContentBlock::text("d");
        assert_eq!(
            body(block.clone(), revision),
            r#"{"content":[{"type":"text","text":"d"}]}"#
        );
        assert_eq!(body(vec![block.clone(), block], revision).matches("\"d\"").count(), 2);
    }

    #[test]
    fn a_large_text_is_written_as_a_small_one() {
        let revision = Revision::V2025_11_25;
        for text in ["x".repeat(splice::LARGE), "\"x\n".repeat(splice::LARGE)] {
            let expected = serde_json::to_string(&CallToolResult::text(text.as_str())).unwrap();
            assert_eq!(body(text, revision), expected);
        }
    }

    #[test]
    fn a_large_text_with_nothing_to_escape_is_not_copied() {
        let mut text = String::with_capacity(splice::LARGE + 2 * AROUND);
        text.push_str(&"x".repeat(splice::LARGE));
        let place = text.as_ptr();
        let body = text.into_body(Revision::V2025_11_25).unwrap();
        assert_eq!(body.as_raw().as_bytes().as_ptr(), place);
    }

    #[cfg(feature = "schema")]
    #[test]
    fn data_is_structured_where_the_revision_has_it() {
        #[derive(serde::Serialize, schemars::JsonSchema)]
        struct Point {
            x: i32,
        }
        let text = r#"{"content":[{"type":"text","text":"{\"x\":1}"}]}"#;
        let data = r#"{"content":[{"type":"text","text":"{\"x\":1}"}],"structuredContent":{"x":1}}"#;
        for revision in Revision::ALL {
            let expected = if revision.has_structured_content() { data } else { text };
            assert_eq!(body(Structured(Point { x: 1 }), revision), expected, "{revision}");
        }
        let list = |revision| body(Structured(vec![1, 2]), revision);
        assert_eq!(
            list(Revision::V2025_11_25),
            r#"{"content":[{"type":"text","text":"[1,2]"}]}"#
        );
        assert!(list(Revision::V2026_07_28).ends_with(r#""structuredContent":[1,2]}"#));
    }
}
