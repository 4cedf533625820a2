//! Tools.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::content::ContentBlock;
use super::icon::Icon;
use super::json::{Json, JsonError};
use super::map::Map;
use super::object::{cacheable_object, object, object_with_meta, result_object};
use super::open_enum::open_enum;
use super::task_metadata::TaskMetadata;

object_with_meta! {
    /// A tool that a server offers to call.
    pub struct Tool {
        required {
            /// The name to call it by.
            "name" => name: plain String,
            /// The JSON schema of its arguments, an object.
            "inputSchema" => input_schema: plain Json,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it does, for a language model.
        "description" => description (with_description): optional String,
        /// The JSON schema of its structured output. Since 2025-06-18.
        "outputSchema" => output_schema (with_output_schema): optional Json,
        /// How it behaves. Since 2025-03-26.
        "annotations" => annotations (with_annotations): hint Box<ToolAnnotations>,
        /// How it is run. In 2025-11-25 alone.
        "execution" => execution (with_execution): hint ToolExecution,
        /// Images to show for it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
    }
}

object! {
    /// How a tool behaves. Hints of the server, not to be relied on.
    pub struct ToolAnnotations {
        /// The name for people.
        "title" => title (with_title): hint String,
        /// Whether it changes nothing. Default false.
        "readOnlyHint" => read_only_hint (with_read_only_hint): hint bool,
        /// Whether what it changes may be lost, where it changes anything. Default true.
        "destructiveHint" => destructive_hint (with_destructive_hint): hint bool,
        /// Whether calling it again with the same arguments changes nothing more. Default false.
        "idempotentHint" => idempotent_hint (with_idempotent_hint): hint bool,
        /// Whether it deals with an open world, such as the web. Default true.
        "openWorldHint" => open_world_hint (with_open_world_hint): hint bool,
    }
}

object! {
    /// How a tool is run (2025-11-25).
    pub struct ToolExecution {
        /// Whether calls may become tasks. Default [`TaskSupport::Forbidden`].
        "taskSupport" => task_support (with_task_support): optional TaskSupport,
    }
}

open_enum! {
    /// Whether calls of a tool may become tasks (2025-11-25).
    pub enum TaskSupport {
        /// They must not.
        Forbidden = "forbidden",
        /// They may.
        Optional = "optional",
        /// They must.
        Required = "required",
    }
}

cacheable_object! {
    /// The result of `tools/list`.
    pub struct ListToolsResult {
        required {
            /// The tools of this page.
            "tools" => tools: plain Vec<Tool>,
        }
        /// Where the next page starts; absent on the last one.
        "nextCursor" => next_cursor (with_next_cursor): optional String,
    }
}

object_with_meta! {
    /// The parameters of `tools/call`.
    pub struct CallToolParams {
        required {
            /// The name of the tool.
            "name" => name: plain String,
        }
        /// The arguments, an object.
        "arguments" => arguments (with_arguments): optional Json,
        /// Results for the input requests of the round before, under their keys. Since 2026-07-28.
        "inputResponses" => input_responses (with_input_responses): optional Map<Json>,
        /// The state that came with the input requests, as it was. Since 2026-07-28.
        "requestState" => request_state (with_request_state): optional String,
        /// Asks for a task. In 2025-11-25 alone.
        "task" => task (with_task): optional TaskMetadata,
    }
}

result_object! {
    /// The result of `tools/call`.
    ///
    /// Check `resultType` before decoding one (see [`ResultType::of_result`](super::ResultType::of_result)): a
    /// missing `content` counts as an empty one, as some servers leave it out beside `structuredContent`.
    pub struct CallToolResult {
        required {
            /// What the tool returned.
            "content" => content: or_default Vec<ContentBlock>,
        }
        /// What the tool returned as data: an object, and any value since 2026-07-28. Since 2025-06-18.
        "structuredContent" => structured_content (with_structured_content): present Json,
        /// Whether the call failed. Default false.
        "isError" => is_error (with_is_error): optional bool,
    }
}

impl CallToolResult {
    /// A result of one text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(vec![ContentBlock::text(text)])
    }

    /// A failure that the language model is told of in one text.
    pub fn error(text: impl Into<String>) -> Self {
        Self {
            is_error: Some(true),
            ..Self::text(text)
        }
    }

    /// A result of data, with the same data as text for clients that know no data
    /// (2025-06-18, Tools, Structured Content).
    ///
    /// # Errors
    /// [`JsonError`] where `value` has no JSON form.
    pub fn structured<T: serde::Serialize + ?Sized>(value: &T) -> Result<Self, JsonError> {
        let json = Json::from_serialize(value)?;
        Ok(Self {
            structured_content: Some(json.clone()),
            ..Self::text(json.into_string())
        })
    }

    /// Whether the call failed.
    pub fn is_failure(&self) -> bool {
        self.is_error == Some(true)
    }
}

impl Default for CallToolResult {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}
