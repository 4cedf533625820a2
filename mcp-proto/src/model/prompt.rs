//! Prompts.

use alloc::string::String;
use alloc::vec::Vec;

use super::annotations::Role;
use super::content::ContentBlock;
use super::icon::Icon;
use super::json::Json;
use super::map::Map;
use super::object::{cacheable_object, object, object_with_meta, result_object};

object_with_meta! {
    /// A prompt, or a template of prompts, that a server offers.
    pub struct Prompt {
        required {
            /// The name to get it by.
            "name" => name: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it is good for.
        "description" => description (with_description): optional String,
        /// The arguments it takes.
        "arguments" => arguments (with_arguments): optional Vec<PromptArgument>,
        /// Images to show for it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
    }
}

object! {
    /// An argument of a prompt.
    pub struct PromptArgument {
        required {
            /// Its name.
            "name" => name: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it means.
        "description" => description (with_description): optional String,
        /// Whether it must be given.
        "required" => required (with_required): optional bool,
    }
}

object! {
    /// A message of a prompt.
    pub struct PromptMessage {
        required {
            /// Who says it.
            "role" => role: plain Role,
            /// What is said.
            "content" => content: plain ContentBlock,
        }
    }
}

cacheable_object! {
    /// The result of `prompts/list`.
    pub struct ListPromptsResult {
        required {
            /// The prompts of this page.
            "prompts" => prompts: plain Vec<Prompt>,
        }
        /// Where the next page starts; absent on the last one.
        "nextCursor" => next_cursor (with_next_cursor): optional String,
    }
}

object_with_meta! {
    /// The parameters of `prompts/get`.
    pub struct GetPromptParams {
        required {
            /// The name of the prompt.
            "name" => name: plain String,
        }
        /// The arguments.
        "arguments" => arguments (with_arguments): optional Map<String>,
        /// Results for the input requests of the round before, under their keys. Since 2026-07-28.
        "inputResponses" => input_responses (with_input_responses): optional Map<Json>,
        /// The state that came with the input requests, as it was. Since 2026-07-28.
        "requestState" => request_state (with_request_state): optional String,
    }
}

result_object! {
    /// The result of `prompts/get`.
    pub struct GetPromptResult {
        required {
            /// The messages.
            "messages" => messages: plain Vec<PromptMessage>,
        }
        /// What the prompt is good for.
        "description" => description (with_description): optional String,
    }
}

impl PromptMessage {
    /// Something that the user says: a text or any [`ContentBlock`].
    pub fn user(content: impl Into<ContentBlock>) -> Self {
        Self::new(Role::User, content.into())
    }

    /// Something that the language model says.
    pub fn assistant(content: impl Into<ContentBlock>) -> Self {
        Self::new(Role::Assistant, content.into())
    }
}
