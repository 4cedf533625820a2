//! Sampling: a server asks the language model of a client.

use alloc::string::String;
use alloc::vec::Vec;

use super::annotations::Role;
use super::content::ContentBlock;
use super::json::Json;
use super::object::{object, object_with_meta, result_object};
use super::open_enum::open_enum;
use super::task_metadata::TaskMetadata;
use super::tool::Tool;

mod content;

pub use content::SamplingContent;

object_with_meta! {
    /// The parameters of `sampling/createMessage`.
    pub struct CreateMessageParams {
        required {
            /// The conversation so far.
            "messages" => messages: plain Vec<SamplingMessage>,
            /// The most tokens to sample.
            "maxTokens" => max_tokens: integer u64,
        }
        /// What kind of model is wanted.
        "modelPreferences" => model_preferences (with_model_preferences): optional ModelPreferences,
        /// The system prompt that the server would like.
        "systemPrompt" => system_prompt (with_system_prompt): optional String,
        /// What context of servers to add.
        "includeContext" => include_context (with_include_context): optional IncludeContext,
        /// The temperature.
        "temperature" => temperature (with_temperature): optional_number f64,
        /// Texts that end sampling.
        "stopSequences" => stop_sequences (with_stop_sequences): optional Vec<String>,
        /// Parameters for the provider of the model.
        "metadata" => metadata (with_metadata): optional Json,
        /// Tools that the model may use. Since 2025-11-25.
        "tools" => tools (with_tools): optional Vec<Tool>,
        /// Whether the model has to use them. Since 2025-11-25.
        "toolChoice" => tool_choice (with_tool_choice): optional ToolChoice,
        /// Asks for a task. In 2025-11-25 alone.
        "task" => task (with_task): optional TaskMetadata,
    }
}

impl CreateMessageParams {
    /// A conversation of one message, which the user says.
    pub fn prompt(content: impl Into<SamplingContent>, max_tokens: u64) -> Self {
        Self::new(alloc::vec![SamplingMessage::user(content)], max_tokens)
    }
}

object_with_meta! {
    /// A message of a conversation.
    pub struct SamplingMessage {
        required {
            /// Who says it.
            "role" => role: plain Role,
            /// What is said.
            "content" => content: plain SamplingContent,
        }
    }
}

impl SamplingMessage {
    /// Something that the user says: a text or any content.
    pub fn user(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::User, content)
    }

    /// Something that the language model says.
    pub fn assistant(content: impl Into<SamplingContent>) -> Self {
        Self::new(Role::Assistant, content)
    }
}

result_object! {
    /// The result of `sampling/createMessage`.
    pub struct CreateMessageResult {
        required {
            /// Who says it.
            "role" => role: plain Role,
            /// What is said.
            "content" => content: plain SamplingContent,
            /// The name of the model.
            "model" => model: plain String,
        }
        /// Why sampling ended.
        "stopReason" => stop_reason (with_stop_reason): optional StopReason,
    }
}

impl CreateMessageResult {
    /// All text that the model says, one line for each block. Empty where there is none; what is no text is left out.
    pub fn to_text(&self) -> String {
        let texts: Vec<&str> = self.content.blocks().iter().filter_map(ContentBlock::as_text).collect();
        texts.join("\n")
    }
}

open_enum! {
    /// Why sampling ended.
    pub enum StopReason {
        /// The model was done.
        EndTurn = "endTurn",
        /// A text that ends sampling came.
        StopSequence = "stopSequence",
        /// The most tokens were sampled.
        MaxTokens = "maxTokens",
        /// The model wants tools used. Since 2025-11-25.
        ToolUse = "toolUse",
    }
}

open_enum! {
    /// What context of servers to add to a conversation.
    pub enum IncludeContext {
        /// None.
        None = "none",
        /// That of the server that asks. Deprecated since 2025-11-25.
        ThisServer = "thisServer",
        /// That of all servers. Deprecated since 2025-11-25.
        AllServers = "allServers",
    }
}

object! {
    /// What kind of model a server would like. Advice: the client chooses.
    pub struct ModelPreferences {
        /// Models to prefer, the best first.
        "hints" => hints (with_hints): optional Vec<ModelHint>,
        /// How much cost matters, from 0 to 1.
        "costPriority" => cost_priority (with_cost_priority): optional_number f64,
        /// How much speed matters, from 0 to 1.
        "speedPriority" => speed_priority (with_speed_priority): optional_number f64,
        /// How much ability matters, from 0 to 1.
        "intelligencePriority" => intelligence_priority (with_intelligence_priority): optional_number f64,
    }
}

object! {
    /// A model to prefer.
    pub struct ModelHint {
        /// A part of its name.
        "name" => name (with_name): optional String,
    }
}

object! {
    /// Whether a model has to use tools. Since 2025-11-25.
    pub struct ToolChoice {
        /// Default [`ToolChoiceMode::Auto`].
        "mode" => mode (with_mode): optional ToolChoiceMode,
    }
}

open_enum! {
    /// Whether a model has to use tools.
    pub enum ToolChoiceMode {
        /// As it likes.
        Auto = "auto",
        /// At least one.
        Required = "required",
        /// None.
        None = "none",
    }
}
