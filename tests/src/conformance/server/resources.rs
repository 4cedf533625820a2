//! Resources.

use mcp_proto::handle::server::ServerBuilder;
use mcp_proto::model::{Resource, ResourceContents, ResourceTemplate};
use schemars::JsonSchema;
use serde::Deserialize;

use super::content::PNG;

#[derive(Deserialize, JsonSchema)]
struct Numbered {
    id: String,
}

pub(super) fn resources(builder: ServerBuilder) -> ServerBuilder {
    let template = ResourceTemplate::new("test://template/{id}/data", "Template")
        .with_description(String::from("A resource for each id"))
        .with_mime_type(String::from("application/json"));
    builder
        .typed_resource(
            resource("test://static-text", "Static text", "text/plain"),
            || "This is the content of the static text resource.",
        )
        .typed_resource(resource("test://static-binary", "Static binary", "image/png"), || {
            // It is in base64 already.
            ResourceContents::blob("test://static-binary", PNG).with_mime_type("image/png")
        })
        .typed_resource(
            resource("test://watched-resource", "Watched resource", "text/plain"),
            || "This resource is watched.",
        )
        .typed_resource_template(template, |Numbered { id }: Numbered| {
            format!(r#"{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}"#)
        })
}

fn resource(uri: &str, name: &str, mime_type: &str) -> Resource {
    Resource::new(uri, name)
        .with_description(format!("{name} for testing"))
        .with_mime_type(String::from(mime_type))
}
