//! Resources.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::annotations::Annotations;
use super::icon::Icon;
use super::json::Json;
use super::map::Map;
use super::object::{cacheable_object, object_with_meta};

mod contents;

pub use contents::{BlobResourceContents, ResourceContents, TextResourceContents};

object_with_meta! {
    /// A resource that a server offers to read.
    pub struct Resource {
        required {
            /// The URI to read it by.
            "uri" => uri: plain String,
            /// Its name.
            "name" => name: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it is about.
        "description" => description (with_description): optional String,
        /// Its media type.
        "mimeType" => mime_type (with_mime_type): optional String,
        /// Its size in bytes, before any encoding.
        "size" => size (with_size): integer_hint u64,
        /// Images to show for it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

object_with_meta! {
    /// A family of resources that a server offers to read.
    pub struct ResourceTemplate {
        required {
            /// The template of their URIs (RFC 6570).
            "uriTemplate" => uri_template: plain String,
            /// Its name.
            "name" => name: plain String,
        }
        /// The name for people. Since 2025-06-18.
        "title" => title (with_title): optional String,
        /// What it is about.
        "description" => description (with_description): optional String,
        /// The media type, where all of them have the same.
        "mimeType" => mime_type (with_mime_type): optional String,
        /// Images to show for it. Since 2025-11-25.
        "icons" => icons (with_icons): hint Vec<Icon>,
        /// For whom it is, and how much it matters.
        "annotations" => annotations (with_annotations): hint Box<Annotations>,
    }
}

cacheable_object! {
    /// The result of `resources/list`.
    pub struct ListResourcesResult {
        required {
            /// The resources of this page.
            "resources" => resources: plain Vec<Resource>,
        }
        /// Where the next page starts; absent on the last one.
        "nextCursor" => next_cursor (with_next_cursor): optional String,
    }
}

cacheable_object! {
    /// The result of `resources/templates/list`.
    pub struct ListResourceTemplatesResult {
        required {
            /// The templates of this page.
            "resourceTemplates" => resource_templates: plain Vec<ResourceTemplate>,
        }
        /// Where the next page starts; absent on the last one.
        "nextCursor" => next_cursor (with_next_cursor): optional String,
    }
}

object_with_meta! {
    /// The parameters of `resources/read`.
    pub struct ReadResourceParams {
        required {
            /// What to read.
            "uri" => uri: plain String,
        }
        /// Results for the input requests of the round before, under their keys. Since 2026-07-28.
        "inputResponses" => input_responses (with_input_responses): optional Map<Json>,
        /// The state that came with the input requests, as it was. Since 2026-07-28.
        "requestState" => request_state (with_request_state): optional String,
    }
}

cacheable_object! {
    /// The result of `resources/read`.
    pub struct ReadResourceResult {
        required {
            /// What was read; more than one for a resource with parts, such as a directory.
            "contents" => contents: plain Vec<ResourceContents>,
        }
    }
}

object_with_meta! {
    /// The parameters of `resources/subscribe`. Until 2025-11-25.
    pub struct SubscribeParams {
        required {
            /// The resource to watch.
            "uri" => uri: plain String,
        }
    }
}

object_with_meta! {
    /// The parameters of `resources/unsubscribe`. Until 2025-11-25.
    pub struct UnsubscribeParams {
        required {
            /// The resource not to watch any more.
            "uri" => uri: plain String,
        }
    }
}

object_with_meta! {
    /// The parameters of `notifications/resources/updated`.
    pub struct ResourceUpdatedParams {
        required {
            /// What changed; may lie below the resource that is watched.
            "uri" => uri: plain String,
        }
    }
}
