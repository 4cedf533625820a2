//! The one table of methods: names, directions, revisions, parameters and results.
//!
//! Dispatch, capability checks, header mirroring and tests derive from this file. A method that is not in the
//! table is no fault of the peer: it is kept as [`MethodName::Other`].

use alloc::boxed::Box;
use core::fmt;

use crate::Revision;
use crate::revision::Span;

/// Turns the table below into [`Method`].
///
/// Each line reads: variant, name on the wire, kind, the revisions in which a client may send it, the
/// revisions in which a server may, the type of its parameters and that of its result in [`crate::model`].
macro_rules! methods {
    ($($variant:ident $name:literal $kind:ident client $client:ident server $server:ident ($params:ident) -> $result:ident;)*) => {
        /// A method of the protocol or of its tasks extension.
        ///
        /// Not every method exists in every revision: see [`Method::exists_in`] and [`Method::is_sent_by`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Method {
            $(
                #[doc = concat!("`", $name, "`, with `", stringify!($params), "` and `", stringify!($result), "`.")]
                $variant,
            )*
        }

        impl Method {
            /// Every method, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The method named `name` on the wire, or `None` where the table has none.
            pub fn parse(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name on the wire.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Whether a message with this method is answered.
            pub const fn kind(self) -> Kind {
                match self {
                    $(Self::$variant => Kind::$kind,)*
                }
            }

            /// The name of the type of the parameters in [`crate::model`].
            pub const fn params_type(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($params),)*
                }
            }

            /// The name of the type of the result in [`crate::model`]; `None` for a notification.
            pub const fn result_type(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => methods!(@result $result),)*
                }
            }

            const fn sent_by_client(self) -> Option<Span> {
                match self {
                    $(Self::$variant => methods!(@span $client),)*
                }
            }

            const fn sent_by_server(self) -> Option<Span> {
                match self {
                    $(Self::$variant => methods!(@span $server),)*
                }
            }
        }
    };
    (@span never) => { None };
    (@span always) => { Some(Span::new(Revision::V2024_11_05, Revision::V2026_07_28)) };
    (@span legacy) => { Some(Span::new(Revision::V2024_11_05, Revision::V2025_11_25)) };
    (@span modern) => { Some(Span::new(Revision::V2026_07_28, Revision::V2026_07_28)) };
    (@span legacy_since_2025_06_18) => { Some(Span::new(Revision::V2025_06_18, Revision::V2025_11_25)) };
    (@span only_2025_11_25) => { Some(Span::new(Revision::V2025_11_25, Revision::V2025_11_25)) };
    (@span since_2025_11_25) => { Some(Span::new(Revision::V2025_11_25, Revision::V2026_07_28)) };
    (@result Nothing) => { None };
    (@result $result:ident) => { Some(stringify!($result)) };
}

methods! {
    // Lifecycle.
    // Since 2026-07-28 nothing is agreed on: each request says what the handshake did, and `server/discover` asks.
    Initialize "initialize" Request client legacy server never (InitializeParams) -> InitializeResult;
    Ping "ping" Request client legacy server legacy (RequestParams) -> EmptyResult;
    Discover "server/discover" Request client modern server never (RequestParams) -> DiscoverResult;
    // Server features.
    ListTools "tools/list" Request client always server never (PaginatedParams) -> ListToolsResult;
    CallTool "tools/call" Request client always server never (CallToolParams) -> CallToolResult;
    ListPrompts "prompts/list" Request client always server never (PaginatedParams) -> ListPromptsResult;
    GetPrompt "prompts/get" Request client always server never (GetPromptParams) -> GetPromptResult;
    ListResources "resources/list" Request client always server never (PaginatedParams) -> ListResourcesResult;
    ListResourceTemplates "resources/templates/list" Request client always server never
        (PaginatedParams) -> ListResourceTemplatesResult;
    ReadResource "resources/read" Request client always server never (ReadResourceParams) -> ReadResourceResult;
    // Since 2026-07-28 `subscriptions/listen` names the resources.
    Subscribe "resources/subscribe" Request client legacy server never (SubscribeParams) -> EmptyResult;
    Unsubscribe "resources/unsubscribe" Request client legacy server never (UnsubscribeParams) -> EmptyResult;
    ListenSubscriptions "subscriptions/listen" Request client modern server never (ListenParams) -> ListenResult;
    Complete "completion/complete" Request client always server never (CompleteParams) -> CompleteResult;
    // Since 2026-07-28 each request says its level (`logLevel` in `_meta`).
    SetLevel "logging/setLevel" Request client legacy server never (SetLevelParams) -> EmptyResult;
    // Client features. In 2026-07-28 they are no messages any more but input requests inside a result.
    CreateMessage "sampling/createMessage" Request client never server legacy
        (CreateMessageParams) -> CreateMessageResult;
    ListRoots "roots/list" Request client never server legacy (RequestParams) -> ListRootsResult;
    Elicit "elicitation/create" Request client never server legacy_since_2025_06_18 (ElicitParams) -> ElicitResult;
    // Tasks: in 2025-11-25 part of the protocol, in both directions; in 2026-07-28 an extension, client to server.
    GetTask "tasks/get" Request client since_2025_11_25 server only_2025_11_25 (GetTaskParams) -> GetTaskResult;
    UpdateTask "tasks/update" Request client modern server never (UpdateTaskParams) -> EmptyResult;
    CancelTask "tasks/cancel" Request client since_2025_11_25 server only_2025_11_25
        (CancelTaskParams) -> CancelTaskResult;
    GetTaskPayload "tasks/result" Request client only_2025_11_25 server only_2025_11_25
        (GetTaskPayloadParams) -> GetTaskPayloadResult;
    ListTasks "tasks/list" Request client only_2025_11_25 server only_2025_11_25 (PaginatedParams) -> ListTasksResult;
    // Notifications.
    InitializedNotification "notifications/initialized" Notification client legacy server never
        (NotificationParams) -> Nothing;
    // Both ways also since 2026-07-28: a server ends a subscription with it (Cancellation: MUST).
    CancelledNotification "notifications/cancelled" Notification client always server always
        (CancelledParams) -> Nothing;
    // A client reports the progress of requests that servers make, of which there are none since 2026-07-28.
    ProgressNotification "notifications/progress" Notification client legacy server always
        (ProgressParams) -> Nothing;
    RootsListChangedNotification "notifications/roots/list_changed" Notification client legacy server never
        (NotificationParams) -> Nothing;
    ToolListChangedNotification "notifications/tools/list_changed" Notification client never server always
        (NotificationParams) -> Nothing;
    PromptListChangedNotification "notifications/prompts/list_changed" Notification client never server always
        (NotificationParams) -> Nothing;
    ResourceListChangedNotification "notifications/resources/list_changed" Notification client never server always
        (NotificationParams) -> Nothing;
    ResourceUpdatedNotification "notifications/resources/updated" Notification client never server always
        (ResourceUpdatedParams) -> Nothing;
    SubscriptionsAcknowledgedNotification "notifications/subscriptions/acknowledged" Notification client never server modern
        (SubscriptionsAcknowledgedParams) -> Nothing;
    LoggingMessageNotification "notifications/message" Notification client never server always
        (LoggingMessageParams) -> Nothing;
    ElicitationCompleteNotification "notifications/elicitation/complete" Notification client never server only_2025_11_25
        (ElicitationCompleteParams) -> Nothing;
    TaskStatusNotification "notifications/tasks/status" Notification client only_2025_11_25 server only_2025_11_25
        (TaskStatusParams) -> Nothing;
    TasksNotification "notifications/tasks" Notification client never server modern (TaskStatusParams) -> Nothing;
}

impl Method {
    /// Whether a `side` may send this method as a message in `revision`.
    ///
    /// A method of an extension counts as sent in the revisions whose peers may agree on the extension.
    pub fn is_sent_by(self, side: Side, revision: Revision) -> bool {
        let span = match side {
            Side::Client => self.sent_by_client(),
            Side::Server => self.sent_by_server(),
        };
        span.is_some_and(|span| span.contains(revision))
    }

    /// Whether anyone may send this method as a message in `revision`.
    pub fn exists_in(self, revision: Revision) -> bool {
        self.is_sent_by(Side::Client, revision) || self.is_sent_by(Side::Server, revision)
    }

    /// Whether this is a request that a server makes of a client: a message of its own in the legacy era, an
    /// input request inside an `input_required` result since 2026-07-28 (Multi Round-Trip Requests).
    pub const fn is_input_request(self) -> bool {
        matches!(self, Self::CreateMessage | Self::ListRoots | Self::Elicit)
    }

    /// Whether the method can be answered with an `input_required` result
    /// (2026-07-28, Multi Round-Trip Requests).
    pub const fn may_require_input(self) -> bool {
        matches!(self, Self::CallTool | Self::GetPrompt | Self::ReadResource)
    }

    /// Whether the method belongs to the tasks extension in 2026-07-28, rather than to the protocol.
    pub const fn is_task_extension(self) -> bool {
        matches!(
            self,
            Self::GetTask | Self::UpdateTask | Self::CancelTask | Self::TasksNotification
        )
    }

    /// Which parameter the `Mcp-Name` header mirrors (2026-07-28, Streamable HTTP, Standard Request Headers; tasks
    /// extension, Streamable HTTP); `None` where the header is not sent.
    pub const fn name_source(self) -> Option<NameSource> {
        match self {
            Self::CallTool | Self::GetPrompt => Some(NameSource::Name),
            Self::ReadResource => Some(NameSource::Uri),
            Self::GetTask | Self::UpdateTask | Self::CancelTask => Some(NameSource::TaskId),
            _ => None,
        }
    }

    /// Whether a message with this method does no harm when it arrives twice: it only asks or looks, says how something is,
    /// or settles once what it names. One that does something, such as `tools/call`, is not among them, nor is what begins
    /// a session. Over HTTP such a message is sent once more where a kept connection was gone before anything of its
    /// response came (RFC 9110, 9.2.2).
    pub const fn is_repeatable(self) -> bool {
        match self.kind() {
            Kind::Notification => true,
            Kind::Request => matches!(
                self,
                Self::Ping
                    | Self::Discover
                    | Self::ListTools
                    | Self::ListPrompts
                    | Self::GetPrompt
                    | Self::ListResources
                    | Self::ListResourceTemplates
                    | Self::ReadResource
                    | Self::Subscribe
                    | Self::Unsubscribe
                    | Self::ListenSubscriptions
                    | Self::Complete
                    | Self::SetLevel
                    | Self::ListRoots
                    | Self::GetTask
                    | Self::GetTaskPayload
                    | Self::ListTasks
            ),
        }
    }

    /// Whether a result carries `ttlMs` and `cacheScope` in 2026-07-28 (Caching).
    pub const fn is_cacheable(self) -> bool {
        matches!(
            self,
            Self::Discover
                | Self::ListTools
                | Self::ListPrompts
                | Self::ListResources
                | Self::ListResourceTemplates
                | Self::ReadResource
        )
    }

    /// What a server must have declared before a client sends it this request, or before it sends this
    /// notification itself; `None` where nothing is needed.
    ///
    /// 2024-11-05 knows no `completions` capability: there `completion/complete` needs none.
    pub const fn required_server_capability(self) -> Option<ServerCapability> {
        use ServerCapability as C;
        Some(match self {
            Self::ListTools | Self::CallTool => C::Tools,
            Self::ListPrompts | Self::GetPrompt => C::Prompts,
            Self::ListResources | Self::ListResourceTemplates | Self::ReadResource => C::Resources,
            Self::Subscribe | Self::Unsubscribe | Self::ResourceUpdatedNotification => C::ResourcesSubscribe,
            Self::Complete => C::Completions,
            Self::SetLevel | Self::LoggingMessageNotification => C::Logging,
            Self::ToolListChangedNotification => C::ToolsListChanged,
            Self::PromptListChangedNotification => C::PromptsListChanged,
            Self::ResourceListChangedNotification => C::ResourcesListChanged,
            Self::GetTask | Self::UpdateTask | Self::GetTaskPayload | Self::TasksNotification => C::Tasks,
            Self::CancelTask => C::TasksCancel,
            Self::ListTasks => C::TasksList,
            _ => return None,
        })
    }

    /// What a client must have declared before a server sends it this request, or before it sends this
    /// notification itself; `None` where nothing is needed.
    pub const fn required_client_capability(self) -> Option<ClientCapability> {
        use ClientCapability as C;
        Some(match self {
            Self::CreateMessage => C::Sampling,
            Self::Elicit => C::Elicitation,
            Self::ElicitationCompleteNotification => C::ElicitationUrl,
            Self::ListRoots => C::Roots,
            Self::RootsListChangedNotification => C::RootsListChanged,
            Self::GetTask | Self::GetTaskPayload | Self::TasksNotification => C::Tasks,
            Self::CancelTask => C::TasksCancel,
            Self::ListTasks => C::TasksList,
            _ => return None,
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a method is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Answered with a result or an error.
    Request,
    /// Never answered.
    Notification,
}

/// The two roles of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// The side that connects, on behalf of a host application.
    Client,
    /// The side that offers tools, prompts and resources.
    Server,
}

impl Side {
    /// The side at the other end.
    pub const fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "client",
            Self::Server => "server",
        })
    }
}

/// The parameter that the `Mcp-Name` header mirrors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NameSource {
    /// `params.name`
    Name,
    /// `params.uri`
    Uri,
    /// `params.taskId`
    TaskId,
}

impl NameSource {
    /// The name of the parameter.
    pub const fn param(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Uri => "uri",
            Self::TaskId => "taskId",
        }
    }
}

/// Declares an enumeration of capabilities with their paths.
macro_rules! capabilities {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $path:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = concat!("`", $path, "`")] $variant,)*
        }

        impl $name {
            /// The path inside the capabilities object, its members joined by dots.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $path,)*
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

capabilities! {
    /// A capability of a server that a method depends on.
    ///
    /// In 2026-07-28 those of tasks are the extension `io.modelcontextprotocol/tasks`.
    ServerCapability {
        Completions "completions",
        Logging "logging",
        Prompts "prompts",
        PromptsListChanged "prompts.listChanged",
        Resources "resources",
        ResourcesListChanged "resources.listChanged",
        ResourcesSubscribe "resources.subscribe",
        Tasks "tasks",
        TasksCancel "tasks.cancel",
        TasksList "tasks.list",
        Tools "tools",
        ToolsListChanged "tools.listChanged",
    }
}

capabilities! {
    /// A capability of a client that a method depends on.
    ///
    /// In 2026-07-28 those of tasks are the extension `io.modelcontextprotocol/tasks`.
    ClientCapability {
        Elicitation "elicitation",
        ElicitationUrl "elicitation.url",
        Roots "roots",
        RootsListChanged "roots.listChanged",
        Sampling "sampling",
        Tasks "tasks",
        TasksCancel "tasks.cancel",
        TasksList "tasks.list",
    }
}

/// A method name as it came: known or not.
///
/// A known name is always [`MethodName::Known`] when it comes through `From`, so that two equal names compare equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MethodName {
    /// A method of the table.
    Known(Method),
    /// Any other name, as it came.
    Other(Box<str>),
}

impl MethodName {
    /// The name on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(method) => method.as_str(),
            Self::Other(name) => name,
        }
    }

    /// The method, where the table has it.
    pub const fn known(&self) -> Option<Method> {
        match self {
            Self::Known(method) => Some(*method),
            Self::Other(_) => None,
        }
    }
}

impl From<Method> for MethodName {
    fn from(method: Method) -> Self {
        Self::Known(method)
    }
}

impl From<&str> for MethodName {
    fn from(name: &str) -> Self {
        Method::parse(name).map_or_else(|| Self::Other(name.into()), Self::Known)
    }
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
