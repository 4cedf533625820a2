//! The kinds of content, but for the one that holds blocks itself.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::model::annotations::Annotations;
use crate::model::icon::Icon;
use crate::model::json::Json;
use crate::model::object::object_with_meta;
use crate::model::resource::{Resource, ResourceContents};

object_with_meta! {
    /// Text.
    pub struct TextContent["type" = "text"] {
        required {
            /// The text.
            "text" => text: plain String,
        }
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// An image.
    pub struct ImageContent["type" = "image"] {
        required {
            /// The image in base64.
            "data" => data: plain String,
            /// Its media type.
            "mimeType" => mime_type: plain String,
        }
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// Sound. Since 2025-03-26.
    pub struct AudioContent["type" = "audio"] {
        required {
            /// The sound in base64.
            "data" => data: plain String,
            /// Its media type.
            "mimeType" => mime_type: plain String,
        }
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// A resource that can be read from the server. Since 2025-06-18.
    ///
    /// It need not be in the list of resources.
    pub struct ResourceLink["type" = "resource_link"] {
        required {
            /// The URI to read it by.
            "uri" => uri: plain String,
            /// Its name.
            "name" => name: plain String,
        }
        /// The name for people.
        "title" => title (with_title): optional String,
        /// What it is about.
        "description" => description (with_description): optional String,
        /// Its media type.
        "mimeType" => mime_type (with_mime_type): optional String,
        /// Its size in bytes, before any encoding.
        "size" => size (with_size): integer_hint u64,
        /// Images to show beside it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// The contents of a resource, embedded.
    pub struct EmbeddedResource["type" = "resource"] {
        required {
            /// The contents.
            "resource" => resource: plain ResourceContents,
        }
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// A call that a model wants made, in a sampled message. Since 2025-11-25.
    pub struct ToolUseContent["type" = "tool_use"] {
        required {
            /// The name of this call.
            "id" => id: plain String,
            /// The name of the tool.
            "name" => name: plain String,
            /// The arguments, an object.
            "input" => input: plain Json,
        }
    }
}

impl From<Resource> for ResourceLink {
    fn from(resource: Resource) -> Self {
        Self {
            uri: resource.uri,
            name: resource.name,
            title: resource.title,
            description: resource.description,
            mime_type: resource.mime_type,
            size: resource.size,
            icons: resource.icons,
            annotations: resource.annotations,
            meta: resource.meta,
            extra: resource.extra,
        }
    }
}
