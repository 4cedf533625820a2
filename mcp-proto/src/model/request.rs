//! Every request as a type: its method, its parameters and its result.

use super::typed::TypedRequest;
use super::{
    CallToolParams, CallToolResult, CancelTaskParams, CancelTaskResult, CompleteParams, CompleteResult,
    CreateMessageParams, CreateMessageResult, DiscoverResult, ElicitParams, ElicitResult, EmptyResult, GetPromptParams,
    GetPromptResult, GetTaskParams, GetTaskPayloadParams, GetTaskPayloadResult, GetTaskResult, InitializeParams,
    InitializeResult, ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListRootsResult,
    ListTasksResult, ListToolsResult, ListenParams, ListenResult, PaginatedParams, ReadResourceParams,
    ReadResourceResult, RequestParams, SetLevelParams, SubscribeParams, UnsubscribeParams, UpdateTaskParams,
};
use crate::method::Method;

macro_rules! requests {
    ($($name:ident($params:ident) -> $result:ident;)*) => {
        $(
            #[doc = concat!("[`Method::", stringify!($name), "`]")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;

            impl TypedRequest for $name {
                const METHOD: Method = Method::$name;
                type Params = $params;
                type Result = $result;
            }
        )*

        /// Each request's method with the names of its two types, as the compiler sees them.
        #[cfg(test)]
        pub(crate) fn types() -> alloc::vec::Vec<(Method, &'static str, &'static str)> {
            use core::any::type_name;
            alloc::vec![$((Method::$name, type_name::<$params>(), type_name::<$result>()),)*]
        }
    };
}

requests! {
    Initialize(InitializeParams) -> InitializeResult;
    Ping(RequestParams) -> EmptyResult;
    Discover(RequestParams) -> DiscoverResult;
    ListTools(PaginatedParams) -> ListToolsResult;
    CallTool(CallToolParams) -> CallToolResult;
    ListPrompts(PaginatedParams) -> ListPromptsResult;
    GetPrompt(GetPromptParams) -> GetPromptResult;
    ListResources(PaginatedParams) -> ListResourcesResult;
    ListResourceTemplates(PaginatedParams) -> ListResourceTemplatesResult;
    ReadResource(ReadResourceParams) -> ReadResourceResult;
    Subscribe(SubscribeParams) -> EmptyResult;
    Unsubscribe(UnsubscribeParams) -> EmptyResult;
    ListenSubscriptions(ListenParams) -> ListenResult;
    Complete(CompleteParams) -> CompleteResult;
    SetLevel(SetLevelParams) -> EmptyResult;
    CreateMessage(CreateMessageParams) -> CreateMessageResult;
    ListRoots(RequestParams) -> ListRootsResult;
    Elicit(ElicitParams) -> ElicitResult;
    GetTask(GetTaskParams) -> GetTaskResult;
    UpdateTask(UpdateTaskParams) -> EmptyResult;
    CancelTask(CancelTaskParams) -> CancelTaskResult;
    GetTaskPayload(GetTaskPayloadParams) -> GetTaskPayloadResult;
    ListTasks(PaginatedParams) -> ListTasksResult;
}
