//! Completion of arguments.

use alloc::string::String;
use alloc::vec::Vec;

use super::map::Map;
use super::object::{object, object_with_meta, result_object};
use super::tagged::tagged;

object_with_meta! {
    /// The parameters of `completion/complete`.
    pub struct CompleteParams {
        required {
            /// What the argument belongs to.
            "ref" => reference: plain CompletionReference,
            /// The argument to complete.
            "argument" => argument: plain CompletionArgument,
        }
        /// What is already known. Since 2025-06-18.
        "context" => context (with_context): optional CompletionContext,
    }
}

tagged! {
    /// What an argument belongs to.
    pub enum CompletionReference by "type" {
        /// A prompt.
        Prompt(PromptReference) = "ref/prompt",
        /// A resource template.
        Resource(ResourceTemplateReference) = "ref/resource",
    }
}

object! {
    /// A prompt, by its name.
    pub struct PromptReference["type" = "ref/prompt"] {
        required {
            /// The name of the prompt.
            "name" => name: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
    }
}

object! {
    /// A resource or a template of resources, by its URI. Called `ResourceReference` until 2025-03-26.
    pub struct ResourceTemplateReference["type" = "ref/resource"] {
        required {
            /// The URI, or the template of one.
            "uri" => uri: plain String,
        }
    }
}

object! {
    /// The argument to complete.
    pub struct CompletionArgument {
        required {
            /// Its name.
            "name" => name: plain String,
            /// Its value so far.
            "value" => value: plain String,
        }
    }
}

object! {
    /// What is already known when an argument is completed.
    pub struct CompletionContext {
        /// The arguments that are settled.
        "arguments" => arguments (with_arguments): optional Map<String>,
    }
}

result_object! {
    /// The result of `completion/complete`.
    pub struct CompleteResult {
        required {
            /// The suggestions.
            "completion" => completion: plain Completion,
        }
    }
}

object! {
    /// Suggestions for the value of an argument.
    pub struct Completion {
        required {
            /// The values, 100 at most (Completion, Data Types).
            "values" => values: plain Vec<String>,
        }
        /// How many there are in all.
        "total" => total (with_total): integer_hint u64,
        /// Whether there are more than these.
        "hasMore" => has_more (with_has_more): optional bool,
    }
}
