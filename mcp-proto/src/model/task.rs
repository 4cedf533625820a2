//! Tasks: requests that outlive their reply. In 2025-11-25 part of the protocol, since 2026-07-28 an extension.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use super::error::ErrorInfo;
use super::input::InputRequest;
use super::json::Json;
use super::map::Map;
use super::object::{Integer, object, object_with_meta, result_object};
use super::open_enum::open_enum;

object! {
    /// A task and its state.
    ///
    /// 2025-11-25 calls the lifetime `ttl` and the interval `pollInterval`, the extension `ttlMs` and
    /// `pollIntervalMs`: [`Task::lifetime`] and [`Task::interval_ms`] read either. The outcome and the open input
    /// requests are part of a task in the extension alone.
    pub struct Task {
        required {
            /// Its name.
            "taskId" => task_id: plain String,
            /// Its state.
            "status" => status: plain TaskStatus,
            /// When it was made, in ISO 8601.
            "createdAt" => created_at: plain String,
            /// When it last changed, in ISO 8601.
            "lastUpdatedAt" => last_updated_at: plain String,
        }
        /// What is going on, for a person.
        "statusMessage" => status_message (with_status_message): optional String,
        /// How long it is kept from its making on (2025-11-25).
        "ttl" => ttl (with_ttl): present Ttl,
        /// How long it is kept from its making on (extension).
        "ttlMs" => ttl_ms (with_ttl_ms): present Ttl,
        /// How long to wait between looks at it, in milliseconds (2025-11-25).
        "pollInterval" => poll_interval (with_poll_interval): integer_hint u64,
        /// How long to wait between looks at it, in milliseconds (extension).
        "pollIntervalMs" => poll_interval_ms (with_poll_interval_ms): integer_hint u64,
        /// What it needs while [`TaskStatus::InputRequired`] (extension).
        "inputRequests" => input_requests (with_input_requests): optional Map<InputRequest>,
        /// The result of the request, once [`TaskStatus::Completed`] (extension).
        "result" => result (with_result): optional Json,
        /// The error of the request, once [`TaskStatus::Failed`] (extension).
        "error" => error (with_error): optional ErrorInfo,
    }
}

impl Task {
    /// How long the task is kept from its making on, by either name.
    pub fn lifetime(&self) -> Option<Ttl> {
        self.ttl_ms.or(self.ttl)
    }

    /// How long to wait between looks at the task, in milliseconds, by either name.
    pub fn interval_ms(&self) -> Option<u64> {
        self.poll_interval_ms.or(self.poll_interval)
    }
}

open_enum! {
    /// The state of a task.
    pub enum TaskStatus {
        /// It is worked on.
        Working = "working",
        /// It needs input before it goes on.
        InputRequired = "input_required",
        /// It is done, and has a result.
        Completed = "completed",
        /// It failed.
        Failed = "failed",
        /// It was cancelled.
        Cancelled = "cancelled",
    }
}

impl TaskStatus {
    /// Whether the state is the last one.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// How long a task is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ttl {
    /// For ever; `null` on the wire.
    Unlimited,
    /// For so many milliseconds.
    Millis(u64),
}

impl fmt::Display for Ttl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unlimited => f.write_str("unlimited"),
            Self::Millis(millis) => write!(f, "{millis} ms"),
        }
    }
}

impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unlimited => serializer.serialize_unit(),
            Self::Millis(millis) => serializer.serialize_u64(*millis),
        }
    }
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let millis = Option::<Integer<u64>>::deserialize(deserializer)?;
        Ok(millis.map_or(Self::Unlimited, |millis| Self::Millis(millis.0)))
    }
}

object_with_meta! {
    /// The parameters of `tasks/get`.
    pub struct GetTaskParams {
        required {
            /// The name of the task.
            "taskId" => task_id: plain String,
        }
    }
}

object_with_meta! {
    /// The parameters of `tasks/update` (extension).
    pub struct UpdateTaskParams {
        required {
            /// The name of the task.
            "taskId" => task_id: plain String,
            /// Results for its input requests, under their keys.
            "inputResponses" => input_responses: plain Map<Json>,
        }
    }
}

object_with_meta! {
    /// The parameters of `tasks/cancel`.
    pub struct CancelTaskParams {
        required {
            /// The name of the task.
            "taskId" => task_id: plain String,
        }
    }
}

object_with_meta! {
    /// The parameters of `tasks/result` (2025-11-25).
    pub struct GetTaskPayloadParams {
        required {
            /// The name of the task.
            "taskId" => task_id: plain String,
        }
    }
}

result_object! {
    /// The result of `tasks/list` (2025-11-25).
    pub struct ListTasksResult {
        required {
            /// The tasks of this page.
            "tasks" => tasks: plain Vec<Task>,
        }
        /// Where the next page starts; absent on the last one.
        "nextCursor" => next_cursor (with_next_cursor): optional String,
    }
}
