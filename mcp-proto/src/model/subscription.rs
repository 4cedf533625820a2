//! Subscriptions to notifications (2026-07-28).

use alloc::string::String;
use alloc::vec::Vec;

use super::object::{object, object_with_meta, result_object};

object! {
    /// Which notifications a client wants. Nothing is sent that is not asked for.
    pub struct SubscriptionFilter {
        /// `notifications/tools/list_changed`
        "toolsListChanged" => tools_list_changed (with_tools_list_changed): optional bool,
        /// `notifications/prompts/list_changed`
        "promptsListChanged" => prompts_list_changed (with_prompts_list_changed): optional bool,
        /// `notifications/resources/list_changed`
        "resourcesListChanged" => resources_list_changed (with_resources_list_changed): optional bool,
        /// `notifications/resources/updated` of these URIs.
        "resourceSubscriptions" => resource_subscriptions (with_resource_subscriptions): optional Vec<String>,
        /// `notifications/tasks` of these tasks (tasks extension).
        "taskIds" => task_ids (with_task_ids): optional Vec<String>,
    }
}

object_with_meta! {
    /// The parameters of `subscriptions/listen`. Since 2026-07-28.
    pub struct ListenParams {
        required {
            /// What to hear of.
            "notifications" => notifications: plain SubscriptionFilter,
        }
    }
}

result_object! {
    /// The result of `subscriptions/listen`: the server ended the subscription in good order. Since 2026-07-28.
    ///
    /// Its `_meta` names the subscription.
    pub struct ListenResult {}
}

object_with_meta! {
    /// The parameters of `notifications/subscriptions/acknowledged`. Since 2026-07-28.
    pub struct SubscriptionsAcknowledgedParams {
        required {
            /// What of the wanted notifications the server is going to send.
            "notifications" => notifications: plain SubscriptionFilter,
        }
    }
}
