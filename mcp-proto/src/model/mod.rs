//! The types of the schemas: one type per concept, serving all revisions.
//!
//! A type has the fields of every revision; what a revision does not have is optional and absent. Readers are
//! tolerant and writers strict: an unknown field or name is kept and written again, `None` and an empty `_meta` are
//! never written. JSON that the protocol does not interpret is kept as text, see [`Json`].
//!
//! ```
//! use mcp_proto::model::{CallToolResult, ContentBlock};
//!
//! let text = r#"{"content":[{"type":"text","text":"sunny","x-mood":"good"}]}"#;
//! let result: CallToolResult = serde_json::from_str(text)?;
//! assert!(matches!(&result.content[..], [ContentBlock::Text(block)] if block.text == "sunny"));
//! assert_eq!(serde_json::to_string(&result)?, text);
//! # Ok::<(), serde_json::Error>(())
//! ```

mod annotations;
mod cache;
mod cancelled;
mod capabilities;
mod completion;
mod content;
mod discover;
mod elicitation;
mod empty;
mod error;
mod extra;
mod icon;
mod implementation;
mod initialize;
mod input;
mod json;
mod logging;
mod map;
mod meta;
pub mod notification;
mod object;
mod open_enum;
mod pagination;
mod primitive;
mod progress;
mod prompt;
pub mod request;
mod resource;
mod result;
mod role;
mod root;
mod sampling;
mod subscription;
mod tagged;
mod task;
mod token;
mod tool;

pub use annotations::Annotations;
pub use cache::CacheScope;
pub use cancelled::CancelledParams;
pub use capabilities::{
    ClientCapabilities, ClientTaskRequests, ClientTasksCapability, ElicitationCapability, ElicitationTasks,
    PromptsCapability, ResourcesCapability, RootsCapability, SamplingCapability, SamplingTasks, ServerCapabilities,
    ServerTaskRequests, ServerTasksCapability, TASKS_EXTENSION, ToolTasks, ToolsCapability,
};
pub use completion::{
    CompleteParams, CompleteResult, Completion, CompletionArgument, CompletionContext, CompletionReference,
    PromptReference, ResourceTemplateReference,
};
pub use content::{
    AudioContent, ContentBlock, EmbeddedResource, ImageContent, ResourceLink, TextContent, ToolResultContent,
    ToolUseContent,
};
pub use discover::DiscoverResult;
pub use elicitation::{
    ElicitAction, ElicitFormParams, ElicitMode, ElicitParams, ElicitResult, ElicitSchema, ElicitUrlParams,
    ElicitationCompleteParams,
};
pub use empty::{EmptyResult, NotificationParams, RequestParams};
pub use error::{ErrorInfo, MissingRequiredClientCapability, UnsupportedProtocolVersion, UrlElicitationRequired};
pub use extra::Extra;
pub use icon::{Icon, Theme};
pub use implementation::Implementation;
pub use initialize::{InitializeParams, InitializeResult};
pub use input::{InputRequest, InputRequiredResult};
pub use json::{Json, JsonError};
pub use logging::{LoggingLevel, LoggingMessageParams, SetLevelParams};
pub use map::Map;
pub use meta::{Meta, meta_key};
pub use notification::Notification;
pub use pagination::PaginatedParams;
pub use primitive::{
    BooleanSchema, EnumItems, EnumOption, MultiSelectSchema, NumberSchema, PrimitiveSchema, SingleSelectSchema,
    StringFormat, StringSchema,
};
pub use progress::ProgressParams;
pub use prompt::{GetPromptParams, GetPromptResult, ListPromptsResult, Prompt, PromptArgument, PromptMessage};
pub use request::Request;
pub use resource::{
    BlobResourceContents, ListResourceTemplatesResult, ListResourcesResult, ReadResourceParams, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate, ResourceUpdatedParams, SubscribeParams, TextResourceContents,
    UnsubscribeParams,
};
pub use result::{HasCacheHints, HasMeta, HasResultType, ResultType};
pub use role::Role;
pub use root::{ListRootsResult, Root};
pub use sampling::{
    CreateMessageParams, CreateMessageResult, IncludeContext, ModelHint, ModelPreferences, SamplingContent,
    SamplingMessage, StopReason, ToolChoice, ToolChoiceMode,
};
pub use subscription::{ListenParams, ListenResult, SubscriptionFilter, SubscriptionsAcknowledgedParams};
pub use task::{
    CancelTaskParams, CancelTaskResult, CreateTaskResult, GetTaskParams, GetTaskPayloadParams, GetTaskPayloadResult,
    GetTaskResult, ListTasksResult, RelatedTaskMetadata, Task, TaskMetadata, TaskStatus, TaskStatusParams, Ttl,
    UpdateTaskParams,
};
pub use token::{ProgressToken, RequestId};
pub use tool::{
    CallToolParams, CallToolResult, ListToolsResult, OutputError, TaskSupport, Tool, ToolAnnotations, ToolExecution,
};

#[cfg(test)]
mod tests;
