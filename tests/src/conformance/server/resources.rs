//! Resources.

use mcp_proto::handle::server::{Context, resource_not_found};
use mcp_proto::jsonrpc::ErrorObject;
use mcp_proto::model::{
    ListResourceTemplatesResult, ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use super::content::PNG;

const RESOURCES: [(&str, &str, &str); 3] = [
    ("test://static-text", "Static text", "text/plain"),
    ("test://static-binary", "Static binary", "image/png"),
    ("test://watched-resource", "Watched resource", "text/plain"),
];

pub(super) fn list() -> ListResourcesResult {
    let resources = RESOURCES.iter().map(|(uri, name, mime_type)| {
        Resource::new(*uri, *name)
            .with_description(format!("{name} for testing"))
            .with_mime_type(String::from(*mime_type))
    });
    ListResourcesResult::new(resources.collect::<Vec<_>>())
}

pub(super) fn templates() -> ListResourceTemplatesResult {
    let template = ResourceTemplate::new("test://template/{id}/data", "Template")
        .with_description(String::from("A resource for each id"))
        .with_mime_type(String::from("application/json"));
    ListResourceTemplatesResult::new(vec![template])
}

pub(super) fn read(uri: &str, context: &Context) -> Result<ReadResourceResult, ErrorObject> {
    let contents = match uri {
        "test://static-text" => text(uri, "text/plain", "This is the content of the static text resource."),
        "test://watched-resource" => text(uri, "text/plain", "This resource is watched."),
        "test://static-binary" => ResourceContents::blob(uri, PNG).with_mime_type("image/png"),
        _ => templated(uri).ok_or_else(|| resource_not_found(uri, context))?,
    };
    Ok(ReadResourceResult::new(vec![contents]))
}

/// A resource of the template.
fn templated(uri: &str) -> Option<ResourceContents> {
    let id = uri.strip_prefix("test://template/")?.strip_suffix("/data")?;
    let json = format!(r#"{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}"#);
    Some(text(uri, "application/json", &json))
}

fn text(uri: &str, mime_type: &str, text: &str) -> ResourceContents {
    ResourceContents::text(uri, text).with_mime_type(mime_type)
}
