//! Every notification as a type: its method and its parameters.

use super::typed::TypedNotification;
use super::{
    CancelledParams, ElicitationCompleteParams, LoggingMessageParams, NotificationParams, ProgressParams,
    ResourceUpdatedParams, SubscriptionsAcknowledgedParams, TaskStatusParams,
};
use crate::method::Method;

macro_rules! notifications {
    ($($name:ident = $method:ident($params:ident);)*) => {
        $(
            #[doc = concat!("[`Method::", stringify!($method), "`]")]
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub struct $name;

            impl TypedNotification for $name {
                const METHOD: Method = Method::$method;
                type Params = $params;
            }
        )*

        /// Each notification's method with the name of its type, as the compiler sees it.
        #[cfg(test)]
        pub(crate) fn types() -> alloc::vec::Vec<(Method, &'static str)> {
            use core::any::type_name;
            alloc::vec![$((Method::$method, type_name::<$params>()),)*]
        }
    };
}

notifications! {
    Initialized = InitializedNotification(NotificationParams);
    Cancelled = CancelledNotification(CancelledParams);
    Progress = ProgressNotification(ProgressParams);
    RootsListChanged = RootsListChangedNotification(NotificationParams);
    ToolListChanged = ToolListChangedNotification(NotificationParams);
    PromptListChanged = PromptListChangedNotification(NotificationParams);
    ResourceListChanged = ResourceListChangedNotification(NotificationParams);
    ResourceUpdated = ResourceUpdatedNotification(ResourceUpdatedParams);
    SubscriptionsAcknowledged = SubscriptionsAcknowledgedNotification(SubscriptionsAcknowledgedParams);
    LoggingMessage = LoggingMessageNotification(LoggingMessageParams);
    ElicitationComplete = ElicitationCompleteNotification(ElicitationCompleteParams);
    TaskStatus = TaskStatusNotification(TaskStatusParams);
    Tasks = TasksNotification(TaskStatusParams);
}
