//! Who speaks in a conversation.

use super::open_enum::open_enum;

open_enum! {
    /// Who says something, or for whom it is meant.
    pub enum Role {
        /// The person.
        User = "user",
        /// The language model.
        Assistant = "assistant",
    }
}
