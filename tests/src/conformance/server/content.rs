//! Tools that return each kind of content.

use mcp_proto::handle::server::{ServerBuilder, ToolError};
use mcp_proto::model::{ContentBlock, EmbeddedResource, ResourceContents};

/// A PNG of one pixel, in base64.
pub(super) const PNG: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5ErkJggg==";

/// A WAV of silence, in base64.
pub(super) const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

pub(super) fn tools(builder: ServerBuilder) -> ServerBuilder {
    builder
        .tool("test_simple_text", "Returns a text", || async {
            Ok("This is a simple text response for testing.")
        })
        .tool("test_image_content", "Returns an image", || async {
            Ok(ContentBlock::image(PNG, "image/png"))
        })
        .tool("test_audio_content", "Returns a sound", || async {
            Ok(ContentBlock::audio(WAV, "audio/wav"))
        })
        .tool("test_embedded_resource", "Returns a resource", || async {
            let text = "This is an embedded resource content.";
            Ok(resource("test://embedded-resource", "text/plain", text))
        })
        .tool(
            "test_multiple_content_types",
            "Returns a text, an image and a resource",
            || async {
                Ok(vec![
                    ContentBlock::text("Multiple content types test:"),
                    ContentBlock::image(PNG, "image/png"),
                    resource(
                        "test://mixed-content-resource",
                        "application/json",
                        r#"{"test":"data","value":123}"#,
                    ),
                ])
            },
        )
        .tool("test_error_handling", "Fails", || async {
            Err::<(), _>(ToolError::text("This tool intentionally returns an error for testing"))
        })
}

/// A resource with a text, as content.
pub(super) fn resource(uri: &str, mime_type: &str, text: &str) -> ContentBlock {
    EmbeddedResource::new(ResourceContents::text(uri, text).with_mime_type(mime_type)).into()
}
