//! What other messages say of tasks (2025-11-25).

use alloc::string::String;

use super::object::object;

object! {
    /// Asks that a request become a task (2025-11-25).
    pub struct TaskMetadata {
        /// How long to keep the task, in milliseconds.
        "ttl" => ttl (with_ttl): integer_hint u64,
    }
}

object! {
    /// Names the task that a message belongs to (2025-11-25).
    pub struct RelatedTaskMetadata {
        required {
            /// The name of the task.
            "taskId" => task_id: plain String,
        }
    }
}
