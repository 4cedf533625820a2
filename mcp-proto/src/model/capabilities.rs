//! What the two sides declare to support.

use super::json::Json;
use super::map::Map;
use super::object::object;
use crate::method::{ClientCapability, ServerCapability};

/// The name of the tasks extension (2026-07-28).
pub const TASKS_EXTENSION: &str = "io.modelcontextprotocol/tasks";

object! {
    /// What a client supports.
    pub struct ClientCapabilities {
        /// Lists roots.
        "roots" => roots (with_roots): optional RootsCapability,
        /// Samples from a language model.
        "sampling" => sampling (with_sampling): optional SamplingCapability,
        /// Asks its user. Since 2025-06-18.
        "elicitation" => elicitation (with_elicitation): optional ElicitationCapability,
        /// Takes requests as tasks. In 2025-11-25 alone.
        "tasks" => tasks (with_tasks): optional ClientTasksCapability,
        /// Extensions of the protocol and their settings. Since 2026-07-28.
        "extensions" => extensions (with_extensions): optional Map<Json>,
        /// Capabilities outside of the specification.
        "experimental" => experimental (with_experimental): optional Map<Json>,
    }
}

impl ClientCapabilities {
    /// Whether `capability` is declared.
    ///
    /// Elicitation without any mode means form mode (2025-11-25, Elicitation, Capabilities). The tasks extension
    /// counts as every capability of tasks.
    pub fn has(&self, capability: ClientCapability) -> bool {
        let tasks = self.tasks.as_ref();
        match capability {
            ClientCapability::Elicitation => self.elicitation.is_some(),
            ClientCapability::ElicitationUrl => self.elicitation.as_ref().is_some_and(|it| it.url.is_some()),
            ClientCapability::Roots => self.roots.is_some(),
            ClientCapability::RootsListChanged => self
                .roots
                .as_ref()
                .is_some_and(|roots| roots.list_changed == Some(true)),
            ClientCapability::Sampling => self.sampling.is_some(),
            ClientCapability::Tasks => tasks.is_some() || self.has_extension(TASKS_EXTENSION),
            ClientCapability::TasksCancel => {
                tasks.is_some_and(|tasks| tasks.cancel.is_some()) || self.has_extension(TASKS_EXTENSION)
            }
            ClientCapability::TasksList => tasks.is_some_and(|tasks| tasks.list.is_some()),
        }
    }

    /// Whether the extension called `name` is declared.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions
            .as_ref()
            .is_some_and(|extensions| extensions.contains_key(name))
    }
}

object! {
    /// What a server supports.
    pub struct ServerCapabilities {
        /// Offers tools.
        "tools" => tools (with_tools): optional ToolsCapability,
        /// Offers prompts.
        "prompts" => prompts (with_prompts): optional PromptsCapability,
        /// Offers resources.
        "resources" => resources (with_resources): optional ResourcesCapability,
        /// Completes arguments. Since 2025-03-26.
        "completions" => completions (with_completions): optional Json,
        /// Sends log messages.
        "logging" => logging (with_logging): optional Json,
        /// Takes requests as tasks. In 2025-11-25 alone.
        "tasks" => tasks (with_tasks): optional ServerTasksCapability,
        /// Extensions of the protocol and their settings. Since 2026-07-28.
        "extensions" => extensions (with_extensions): optional Map<Json>,
        /// Capabilities outside of the specification.
        "experimental" => experimental (with_experimental): optional Map<Json>,
    }
}

impl ServerCapabilities {
    /// Whether `capability` is declared. The tasks extension counts as every capability of tasks but the list.
    pub fn has(&self, capability: ServerCapability) -> bool {
        let (tools, prompts, resources) = (self.tools.as_ref(), self.prompts.as_ref(), self.resources.as_ref());
        let tasks = self.tasks.as_ref();
        match capability {
            ServerCapability::Completions => self.completions.is_some(),
            ServerCapability::Logging => self.logging.is_some(),
            ServerCapability::Prompts => prompts.is_some(),
            ServerCapability::PromptsListChanged => prompts.is_some_and(|it| it.list_changed == Some(true)),
            ServerCapability::Resources => resources.is_some(),
            ServerCapability::ResourcesListChanged => resources.is_some_and(|it| it.list_changed == Some(true)),
            ServerCapability::ResourcesSubscribe => resources.is_some_and(|it| it.subscribe == Some(true)),
            ServerCapability::Tasks => tasks.is_some() || self.has_extension(TASKS_EXTENSION),
            ServerCapability::TasksCancel => {
                tasks.is_some_and(|tasks| tasks.cancel.is_some()) || self.has_extension(TASKS_EXTENSION)
            }
            ServerCapability::TasksList => tasks.is_some_and(|tasks| tasks.list.is_some()),
            ServerCapability::Tools => tools.is_some(),
            ServerCapability::ToolsListChanged => tools.is_some_and(|it| it.list_changed == Some(true)),
        }
    }

    /// Whether the extension called `name` is declared.
    pub fn has_extension(&self, name: &str) -> bool {
        self.extensions
            .as_ref()
            .is_some_and(|extensions| extensions.contains_key(name))
    }
}

object! {
    /// How a client lists roots.
    pub struct RootsCapability {
        /// Whether it tells when the roots change. Until 2025-11-25.
        "listChanged" => list_changed (with_list_changed): optional bool,
    }
}

object! {
    /// How a client samples.
    pub struct SamplingCapability {
        /// Takes `includeContext` other than `none`. Since 2025-11-25.
        "context" => context (with_context): optional Json,
        /// Takes `tools` and `toolChoice`. Since 2025-11-25.
        "tools" => tools (with_tools): optional Json,
    }
}

object! {
    /// How a client asks its user. Without any mode, by forms.
    pub struct ElicitationCapability {
        /// Shows forms. Since 2025-11-25.
        "form" => form (with_form): optional Json,
        /// Opens URLs. Since 2025-11-25.
        "url" => url (with_url): optional Json,
    }
}

impl ElicitationCapability {
    /// Whether forms are supported: named, or no mode is (2025-11-25, Elicitation, Capabilities).
    pub fn has_form(&self) -> bool {
        self.form.is_some() || self.url.is_none()
    }
}

object! {
    /// How a server offers tools.
    pub struct ToolsCapability {
        /// Whether it tells when the list changes.
        "listChanged" => list_changed (with_list_changed): optional bool,
    }
}

object! {
    /// How a server offers prompts.
    pub struct PromptsCapability {
        /// Whether it tells when the list changes.
        "listChanged" => list_changed (with_list_changed): optional bool,
    }
}

object! {
    /// How a server offers resources.
    pub struct ResourcesCapability {
        /// Whether it tells when a subscribed resource changes.
        "subscribe" => subscribe (with_subscribe): optional bool,
        /// Whether it tells when the list changes.
        "listChanged" => list_changed (with_list_changed): optional bool,
    }
}

object! {
    /// How a client takes requests as tasks (2025-11-25).
    pub struct ClientTasksCapability {
        /// Answers `tasks/list`.
        "list" => list (with_list): optional Json,
        /// Answers `tasks/cancel`.
        "cancel" => cancel (with_cancel): optional Json,
        /// Which requests may become tasks.
        "requests" => requests (with_requests): optional ClientTaskRequests,
    }
}

object! {
    /// Which requests of a server may become tasks (2025-11-25).
    pub struct ClientTaskRequests {
        /// Those of sampling.
        "sampling" => sampling (with_sampling): optional SamplingTasks,
        /// Those of elicitation.
        "elicitation" => elicitation (with_elicitation): optional ElicitationTasks,
    }
}

object! {
    /// Which requests of sampling may become tasks (2025-11-25).
    pub struct SamplingTasks {
        /// `sampling/createMessage`
        "createMessage" => create_message (with_create_message): optional Json,
    }
}

object! {
    /// Which requests of elicitation may become tasks (2025-11-25).
    pub struct ElicitationTasks {
        /// `elicitation/create`
        "create" => create (with_create): optional Json,
    }
}

object! {
    /// How a server takes requests as tasks (2025-11-25).
    pub struct ServerTasksCapability {
        /// Answers `tasks/list`.
        "list" => list (with_list): optional Json,
        /// Answers `tasks/cancel`.
        "cancel" => cancel (with_cancel): optional Json,
        /// Which requests may become tasks.
        "requests" => requests (with_requests): optional ServerTaskRequests,
    }
}

object! {
    /// Which requests of a client may become tasks (2025-11-25).
    pub struct ServerTaskRequests {
        /// Those of tools.
        "tools" => tools (with_tools): optional ToolTasks,
    }
}

object! {
    /// Which requests of tools may become tasks (2025-11-25).
    pub struct ToolTasks {
        /// `tools/call`
        "call" => call (with_call): optional Json,
    }
}
