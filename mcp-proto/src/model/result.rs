//! What all results have in common.

use serde::Deserialize;

use super::json::JsonError;
use super::meta::Meta;
use super::open_enum::open_enum;

open_enum! {
    /// What kind of result a result is, and so how to read it (2026-07-28, Overview, ResultType).
    pub enum ResultType {
        /// The result of the method. What a result without a `resultType` is.
        Complete = "complete",
        /// An `InputRequiredResult`: the server needs input first.
        InputRequired = "input_required",
        /// A `CreateTaskResult` of the tasks extension: the request became a task.
        Task = "task",
    }
}

impl ResultType {
    /// The type of the result whose JSON is `text`, without reading the rest of it; `None` where it tells none.
    ///
    /// A result of another type than expected must not be decoded as the expected one: most of its fields being
    /// optional, that could succeed.
    ///
    /// # Errors
    /// [`JsonError`] where `text` is no object, or `resultType` no string.
    pub fn of_result(text: &str) -> Result<Option<Self>, JsonError> {
        #[derive(Deserialize)]
        struct Peek {
            #[serde(rename = "resultType")]
            result_type: Option<ResultType>,
        }

        if !text.trim_start().starts_with('{') {
            return Err(JsonError::custom("a result must be an object"));
        }
        serde_json::from_str::<Peek>(text)
            .map(|peek| peek.result_type)
            .map_err(JsonError::new)
    }
}

/// Parameters or a result with `_meta`.
pub trait HasMeta {
    /// The metadata.
    fn meta(&self) -> Option<&Meta>;

    /// The metadata, to be changed.
    fn meta_mut(&mut self) -> &mut Option<Meta>;
}

/// A result with a `resultType`.
pub trait HasResultType: HasMeta {
    /// What kind of result this is; `None` is not written.
    fn result_type(&self) -> Option<&ResultType>;

    /// What kind of result this is, to be changed.
    fn result_type_mut(&mut self) -> &mut Option<ResultType>;
}

/// A result with hints for caches.
pub trait HasCacheHints: HasResultType {
    /// How long the result may be taken for fresh, in milliseconds.
    fn ttl_ms_mut(&mut self) -> &mut Option<u64>;

    /// Who may keep the result.
    fn cache_scope_mut(&mut self) -> &mut Option<CacheScope>;
}

open_enum! {
    /// Who may keep a result (2026-07-28, Caching).
    pub enum CacheScope {
        /// Anyone, for anyone: the result holds nothing that belongs to a user.
        Public = "public",
        /// Only for the authorization context that it was made for.
        Private = "private",
    }
}
