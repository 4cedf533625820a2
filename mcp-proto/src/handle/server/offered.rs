//! The kinds of things that a server has lists of.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::BuildError;
use super::pending::Named;
use crate::method::Method;
use crate::model::{
    HasCacheHints, Json, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, Prompt,
    Resource, ResourceTemplate, Tool, UriTemplate,
};
use crate::revision::Revision;
use crate::wire::header::ParamHeaders;

/// Something that stands in a list and goes by a name.
pub(crate) trait Offered: Named + Clone + Serialize + Send + Sync + 'static {
    /// Asks for the list.
    const LIST: Method;

    /// What tells that the list has changed.
    const CHANGED: Method;

    /// The result that holds the list.
    type Page: Serialize + DeserializeOwned + HasCacheHints + Send;

    /// What is made of it once.
    type Made: Send + Sync + 'static;

    fn made(&self) -> Result<Self::Made, BuildError>;

    /// As a client of `revision` may see it.
    fn seen_by(&self, revision: Revision) -> Self;

    fn page(items: Vec<Self>, next: Option<String>) -> Self::Page;

    fn items(page: &mut Self::Page) -> &mut Vec<Self>;
}

impl Named for Tool {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Offered for Tool {
    const LIST: Method = Method::ListTools;
    const CHANGED: Method = Method::ToolListChangedNotification;

    type Page = ListToolsResult;
    /// The parameters that callers mirror into headers.
    type Made = Option<Arc<ParamHeaders>>;

    fn made(&self) -> Result<Self::Made, BuildError> {
        // A schema with wrong annotations mirrors nothing: clients over HTTP leave such a tool out.
        let params = ParamHeaders::from_schema(self.input_schema.as_str()).ok();
        Ok(params.filter(|params| !params.is_empty()).map(Arc::new))
    }

    /// Before 2026-07-28 an output schema is one of an object.
    fn seen_by(&self, revision: Revision) -> Self {
        let is_object = |schema: &Json| {
            let schema: Option<serde_json::Value> = schema.decode().ok();
            schema.is_some_and(|schema| schema.get("type").and_then(|kind| kind.as_str()) == Some("object"))
        };
        let mut tool = self.clone();
        if !revision.has_structured_values() {
            tool.output_schema = tool.output_schema.filter(is_object);
        }
        tool
    }

    fn page(items: Vec<Self>, next: Option<String>) -> ListToolsResult {
        let mut page = ListToolsResult::new(items);
        page.next_cursor = next;
        page
    }

    fn items(page: &mut ListToolsResult) -> &mut Vec<Self> {
        &mut page.tools
    }
}

#[expect(clippy::misnamed_getters, reason = "a resource is told apart by its URI")]
impl Named for Resource {
    fn name(&self) -> &str {
        &self.uri
    }
}

impl Offered for Resource {
    const LIST: Method = Method::ListResources;
    const CHANGED: Method = Method::ResourceListChangedNotification;

    type Page = ListResourcesResult;
    type Made = ();

    fn made(&self) -> Result<(), BuildError> {
        Ok(())
    }

    fn seen_by(&self, _: Revision) -> Self {
        self.clone()
    }

    fn page(items: Vec<Self>, next: Option<String>) -> ListResourcesResult {
        let mut page = ListResourcesResult::new(items);
        page.next_cursor = next;
        page
    }

    fn items(page: &mut ListResourcesResult) -> &mut Vec<Self> {
        &mut page.resources
    }
}

#[expect(clippy::misnamed_getters, reason = "a resource is told apart by its URI")]
impl Named for ResourceTemplate {
    fn name(&self) -> &str {
        &self.uri_template
    }
}

impl Offered for ResourceTemplate {
    const LIST: Method = Method::ListResourceTemplates;
    const CHANGED: Method = Method::ResourceListChangedNotification;

    type Page = ListResourceTemplatesResult;
    /// What URIs are matched against.
    type Made = UriTemplate;

    fn made(&self) -> Result<UriTemplate, BuildError> {
        UriTemplate::parse(&self.uri_template).map_err(|error| BuildError::InvalidTemplate {
            template: self.uri_template.clone(),
            error,
        })
    }

    fn seen_by(&self, _: Revision) -> Self {
        self.clone()
    }

    fn page(items: Vec<Self>, next: Option<String>) -> ListResourceTemplatesResult {
        let mut page = ListResourceTemplatesResult::new(items);
        page.next_cursor = next;
        page
    }

    fn items(page: &mut ListResourceTemplatesResult) -> &mut Vec<Self> {
        &mut page.resource_templates
    }
}

impl Named for Prompt {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Offered for Prompt {
    const LIST: Method = Method::ListPrompts;
    const CHANGED: Method = Method::PromptListChangedNotification;

    type Page = ListPromptsResult;
    type Made = ();

    fn made(&self) -> Result<(), BuildError> {
        Ok(())
    }

    fn seen_by(&self, _: Revision) -> Self {
        self.clone()
    }

    fn page(items: Vec<Self>, next: Option<String>) -> ListPromptsResult {
        let mut page = ListPromptsResult::new(items);
        page.next_cursor = next;
        page
    }

    fn items(page: &mut ListPromptsResult) -> &mut Vec<Self> {
        &mut page.prompts
    }
}
