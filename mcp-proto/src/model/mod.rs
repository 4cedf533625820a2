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
mod capabilities;
mod common;
mod completion;
mod content;
mod elicitation;
mod error;
mod expansion;
mod extra;
mod form;
mod handshake;
mod icon;
mod implementation;
mod input;
mod json;
mod logging;
mod map;
mod meta;
pub mod meta_key;
pub mod notification;
mod object;
mod open_enum;
mod output;
mod primitive;
mod progress;
mod prompt;
pub mod request;
mod reserved;
mod resource;
mod result;
mod root;
mod sampling;
mod subscription;
mod tagged;
mod task;
mod task_metadata;
mod task_result;
mod token;
mod tool;
mod typed;
mod uri_template;

pub use annotations::{Annotations, Role};
pub use capabilities::{
    ClientCapabilities, ClientTaskRequests, ClientTasksCapability, ElicitationCapability, ElicitationTasks,
    PromptsCapability, ResourcesCapability, RootsCapability, SamplingCapability, SamplingTasks, ServerCapabilities,
    ServerTaskRequests, ServerTasksCapability, TASKS_EXTENSION, ToolTasks, ToolsCapability,
};
pub use common::{EmptyResult, NotificationParams, PaginatedParams, RequestParams};
pub use completion::{
    CompleteParams, CompleteResult, Completion, CompletionArgument, CompletionContext, CompletionReference,
    PromptReference, ResourceTemplateReference,
};
pub use content::{
    AudioContent, ContentBlock, EmbeddedResource, ImageContent, ResourceLink, TextContent, ToolResultContent,
    ToolUseContent,
};
pub use elicitation::{
    ElicitAction, ElicitFormParams, ElicitMode, ElicitParams, ElicitResult, ElicitSchema, ElicitUrlParams,
    ElicitationCompleteParams,
};
pub use error::{ErrorInfo, MissingRequiredClientCapability, UnsupportedProtocolVersion, UrlElicitationRequired};
pub use expansion::ExpandError;
pub use extra::Extra;
pub use form::FormError;
pub use handshake::{DiscoverResult, InitializeParams, InitializeResult};
pub use icon::{Icon, Theme};
pub use implementation::Implementation;
pub use input::{InputRequest, InputRequiredResult};
pub use json::{Json, JsonError};
pub use logging::{LoggingLevel, LoggingMessageParams, SetLevelParams};
pub use map::Map;
pub use meta::Meta;
pub use output::OutputError;
pub use primitive::{
    BooleanSchema, EnumItems, EnumOption, MultiSelectSchema, NumberSchema, PrimitiveSchema, SingleSelectSchema,
    StringFormat, StringSchema,
};
pub use progress::{CancelledParams, ProgressParams};
pub use prompt::{GetPromptParams, GetPromptResult, ListPromptsResult, Prompt, PromptArgument, PromptMessage};
pub use resource::{
    BlobResourceContents, ListResourceTemplatesResult, ListResourcesResult, ReadResourceParams, ReadResourceResult,
    Resource, ResourceContents, ResourceTemplate, ResourceUpdatedParams, SubscribeParams, TextResourceContents,
    UnsubscribeParams,
};
pub use result::{CacheScope, HasCacheHints, HasMeta, HasResultType, ResultType};
pub use root::{ListRootsResult, Root};
pub use sampling::{
    CreateMessageParams, CreateMessageResult, IncludeContext, ModelHint, ModelPreferences, SamplingContent,
    SamplingMessage, StopReason, ToolChoice, ToolChoiceMode,
};
pub use subscription::{ListenParams, ListenResult, SubscriptionFilter, SubscriptionsAcknowledgedParams};
pub use task::{
    CancelTaskParams, GetTaskParams, GetTaskPayloadParams, ListTasksResult, Task, TaskStatus, Ttl, UpdateTaskParams,
};
pub use task_metadata::{RelatedTaskMetadata, TaskMetadata};
pub use task_result::{CancelTaskResult, CreateTaskResult, GetTaskPayloadResult, GetTaskResult, TaskStatusParams};
pub use token::{ProgressToken, RequestId};
pub use tool::{CallToolParams, CallToolResult, ListToolsResult, TaskSupport, Tool, ToolAnnotations, ToolExecution};
pub use typed::{TypedNotification, TypedRequest};
pub use uri_template::{UriTemplate, UriTemplateError};

#[cfg(test)]
mod tests;
