//! What an application says of a tool in place of its server.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::model::{Json, Tool};

/// What an application says of a tool in place of its server. What is `None` stays as the server has it; calls are
/// made by the server's own name all the same.
///
/// Its JSON form is kept with `serde_json`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct ToolOverrides {
    /// The name that it is shown and called by, as it is: no prefix is put before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The schema of its arguments. The server checks them against its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input_schema: Option<Json>,
    /// The schema of its structured output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Json>,
}

impl ToolOverrides {
    /// Another name.
    pub fn name(name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// Another description.
    pub fn description(description: impl Into<String>) -> Self {
        Self {
            description: Some(description.into()),
            ..Self::default()
        }
    }

    /// The tool as it is shown.
    #[must_use]
    pub fn apply(&self, tool: &Tool) -> Tool {
        let mut tool = tool.clone();
        set(&mut tool.name, &self.name);
        set(&mut tool.input_schema, &self.input_schema);
        tool.title = self.title.clone().or(tool.title);
        tool.description = self.description.clone().or(tool.description);
        tool.output_schema = self.output_schema.clone().or(tool.output_schema);
        tool
    }
}

fn set<T: Clone>(value: &mut T, other: &Option<T>) {
    if let Some(other) = other {
        value.clone_from(other);
    }
}
