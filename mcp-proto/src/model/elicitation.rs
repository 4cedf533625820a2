//! Elicitation: a server asks the user of a client. Since 2025-06-18.

use alloc::string::String;
use alloc::vec::Vec;

use serde::de::DeserializeOwned;

use super::json::{Json, JsonError};
use super::map::Map;
use super::object::{object, object_with_meta, result_object};
use super::open_enum::open_enum;
use super::primitive::PrimitiveSchema;
use super::tagged::tagged;
use super::task_metadata::TaskMetadata;

tagged! {
    /// The parameters of `elicitation/create`. Form mode is the default; URL mode is there since 2025-11-25.
    pub enum ElicitParams by "mode" {
        /// By a form.
        Form(ElicitFormParams) = "form",
        /// By a visit of a URL.
        Url(ElicitUrlParams) = "url",
    }
}

open_enum! {
    /// How a user is asked.
    pub enum ElicitMode {
        /// By a form.
        Form = "form",
        /// By a visit of a URL.
        Url = "url",
    }
}

impl ElicitParams {
    /// Asks by a form.
    pub fn form(message: impl Into<String>, schema: ElicitSchema) -> Self {
        Self::Form(ElicitFormParams::new(message, schema))
    }

    /// Asks to visit a URL.
    pub fn url(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self::Url(ElicitUrlParams::new(message, url))
    }

    /// How the user is asked; `None` for a mode that is not known here.
    pub fn mode(&self) -> Option<ElicitMode> {
        match self {
            Self::Form(_) => Some(ElicitMode::Form),
            Self::Url(_) => Some(ElicitMode::Url),
            Self::Other(_) => None,
        }
    }
}

object_with_meta! {
    /// Asks a user by a form.
    pub struct ElicitFormParams {
        required {
            /// What to tell the user.
            "message" => message: plain String,
            /// The fields of the form.
            "requestedSchema" => requested_schema: plain ElicitSchema,
        }
        /// [`ElicitMode::Form`], or absent. Since 2025-11-25.
        "mode" => mode (with_mode): optional ElicitMode,
        /// Asks for a task. In 2025-11-25 alone.
        "task" => task (with_task): optional TaskMetadata,
    }
}

object! {
    /// The fields of a form: a JSON schema of an object without nesting.
    pub struct ElicitSchema["type" = "object"] {
        required {
            /// The fields, in the order to show them.
            "properties" => properties: or_default Map<PrimitiveSchema>,
        }
        /// The fields that must be filled in.
        "required" => required (with_required): optional Vec<String>,
        /// The dialect of the schema. Since 2025-11-25.
        "$schema" => schema (with_schema): optional String,
    }
}

impl ElicitSchema {
    /// Adds a field that may be left empty.
    #[must_use]
    pub fn optional(mut self, name: impl Into<String>, schema: impl Into<PrimitiveSchema>) -> Self {
        self.properties.insert(name.into(), schema.into());
        self
    }

    /// Adds a field that must be filled in.
    #[must_use]
    pub fn required(mut self, name: impl Into<String>, schema: impl Into<PrimitiveSchema>) -> Self {
        let name = name.into();
        self.required.get_or_insert_default().push(name.clone());
        self.optional(name, schema)
    }
}

impl Default for ElicitSchema {
    fn default() -> Self {
        Self::new(Map::new())
    }
}

object_with_meta! {
    /// Asks a user to visit a URL. Since 2025-11-25.
    pub struct ElicitUrlParams["mode" = "url"] {
        required {
            /// Why.
            "message" => message: plain String,
            /// Where to go.
            "url" => url: plain String,
        }
        /// The name of this elicitation. In 2025-11-25 alone, where it is required.
        "elicitationId" => elicitation_id (with_elicitation_id): optional String,
        /// Asks for a task. In 2025-11-25 alone.
        "task" => task (with_task): optional TaskMetadata,
    }
}

result_object! {
    /// The result of `elicitation/create`.
    pub struct ElicitResult {
        required {
            /// What the user did.
            "action" => action: plain ElicitAction,
        }
        /// What the user filled in: an object of strings, numbers, booleans and, since 2025-11-25, lists of strings.
        "content" => content (with_content): optional Json,
    }
}

impl ElicitResult {
    /// The user accepted, and filled in `content`.
    pub fn accept(content: impl Into<Json>) -> Self {
        Self {
            content: Some(content.into()),
            ..Self::new(ElicitAction::Accept)
        }
    }

    /// What the user filled in, read into `T`; `None` where nothing was accepted.
    ///
    /// # Errors
    /// Where it does not fit `T`.
    pub fn accepted<T: DeserializeOwned>(&self) -> Result<Option<T>, JsonError> {
        match (&self.action, &self.content) {
            (ElicitAction::Accept, Some(content)) => content.decode().map(Some),
            _ => Ok(None),
        }
    }

    /// The user declined.
    pub fn decline() -> Self {
        Self::new(ElicitAction::Decline)
    }

    /// The user went away without a choice.
    pub fn cancel() -> Self {
        Self::new(ElicitAction::Cancel)
    }
}

open_enum! {
    /// What a user did when asked.
    pub enum ElicitAction {
        /// Agreed: sent the form, or went to the URL.
        Accept = "accept",
        /// Said no.
        Decline = "decline",
        /// Went away without a choice.
        Cancel = "cancel",
    }
}

object_with_meta! {
    /// The parameters of `notifications/elicitation/complete`. In 2025-11-25 alone.
    pub struct ElicitationCompleteParams {
        required {
            /// The elicitation that is over.
            "elicitationId" => elicitation_id: plain String,
        }
    }
}
