//! Hints for caches (2026-07-28, Caching).

use super::open_enum::open_enum;

open_enum! {
    /// Who may keep a result.
    pub enum CacheScope {
        /// Anyone, for anyone: the result holds nothing that belongs to a user.
        Public = "public",
        /// Only for the authorization context that it was made for.
        Private = "private",
    }
}
