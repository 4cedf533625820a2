//! Results and parameters that are a task and something more, in one object.

use serde::de::{Deserialize, Deserializer, Error, MapAccess};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::extra::Extra;
use super::json::{Json, JsonError};
use super::meta::Meta;
use super::object::{self, Object};
use super::result::{HasMeta, HasResultType, ResultType};
use super::task::Task;

/// The fields of a flat object, taken apart.
struct Parts {
    result_type: Option<ResultType>,
    meta: Option<Meta>,
    rest: Extra,
}

impl Parts {
    fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut rest = Extra::default();
        rest.read(&mut map)?;
        let meta: Option<Meta> = take(&mut rest, "_meta")?;
        Ok(Self {
            result_type: take(&mut rest, "resultType")?,
            meta: meta.filter(|meta| !meta.is_empty()),
            rest,
        })
    }

    /// The task that the rest is.
    fn task<E: Error>(&self) -> Result<Task, E> {
        let json = self.rest.to_object().map_err(E::custom)?;
        json.decode().map_err(E::custom)
    }
}

/// Takes out a field; null counts as absent.
fn take<T: serde::de::DeserializeOwned, E: Error>(fields: &mut Extra, name: &'static str) -> Result<Option<T>, E> {
    let Some(json) = fields.remove(name) else {
        return Ok(None);
    };
    if fields.get(name).is_some() {
        return Err(E::duplicate_field(name));
    }
    json.decode::<Option<T>>().map_err(E::custom)
}

fn write_common<M: SerializeMap>(
    map: &mut M,
    result_type: Option<&ResultType>,
    task: Option<&Task>,
    meta: Option<&Meta>,
) -> Result<(), M::Error> {
    if let Some(result_type) = result_type {
        map.serialize_entry("resultType", result_type)?;
    }
    if let Some(task) = task {
        task.write(map)?;
    }
    match meta {
        Some(meta) if !meta.is_empty() => map.serialize_entry("_meta", meta),
        _ => Ok(()),
    }
}

macro_rules! serde_by_object {
    ($($name:ident,)*) => {
        $(
            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    object::deserialize(deserializer)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    object::serialize(self, serializer)
                }
            }

            impl HasMeta for $name {
                fn meta(&self) -> Option<&Meta> {
                    self.meta.as_ref()
                }

                fn meta_mut(&mut self) -> &mut Option<Meta> {
                    &mut self.meta
                }
            }
        )*
    };
}

macro_rules! has_result_type {
    ($($name:ident,)*) => {
        $(
            impl HasResultType for $name {
                fn result_type(&self) -> Option<&ResultType> {
                    self.result_type.as_ref()
                }

                fn result_type_mut(&mut self) -> &mut Option<ResultType> {
                    &mut self.result_type
                }
            }
        )*
    };
}

serde_by_object! { GetTaskResult, CancelTaskResult, CreateTaskResult, GetTaskPayloadResult, TaskStatusParams, }
has_result_type! { GetTaskResult, CancelTaskResult, CreateTaskResult, GetTaskPayloadResult, }

/// The result of `tasks/get`: a task. Unknown fields are those of the task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GetTaskResult {
    /// The task.
    pub task: Task,
    /// What kind of result this is. In the extension, `complete` whatever the state of the task.
    pub result_type: Option<ResultType>,
    /// Metadata of the protocol and of others.
    pub meta: Option<Meta>,
}

impl From<Task> for GetTaskResult {
    fn from(task: Task) -> Self {
        Self {
            task,
            result_type: None,
            meta: None,
        }
    }
}

impl Object for GetTaskResult {
    const EXPECTING: &'static str = "an object (GetTaskResult)";

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let parts = Parts::read(map)?;
        Ok(Self {
            task: parts.task()?,
            result_type: parts.result_type,
            meta: parts.meta,
        })
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        write_common(map, self.result_type.as_ref(), Some(&self.task), self.meta.as_ref())
    }
}

/// The result of `tasks/cancel`: the task in 2025-11-25, nothing in the extension.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct CancelTaskResult {
    /// The task (2025-11-25). Unknown fields beside it are its own.
    pub task: Option<Task>,
    /// What kind of result this is.
    pub result_type: Option<ResultType>,
    /// Metadata of the protocol and of others.
    pub meta: Option<Meta>,
    /// Fields that this crate does not know, where there is no task.
    pub extra: Extra,
}

impl Object for CancelTaskResult {
    const EXPECTING: &'static str = "an object (CancelTaskResult)";

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let parts = Parts::read(map)?;
        let has_task = parts.rest.get("taskId").is_some();
        Ok(Self {
            task: if has_task { Some(parts.task()?) } else { None },
            result_type: parts.result_type,
            meta: parts.meta,
            extra: if has_task { Extra::default() } else { parts.rest },
        })
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        write_common(map, self.result_type.as_ref(), self.task.as_ref(), self.meta.as_ref())?;
        self.extra.write(map)
    }
}

/// The result of a request that became a task.
///
/// In 2025-11-25 the task is a field of the result; in the extension it is the result, with the type
/// [`ResultType::Task`], which decides how this is written.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CreateTaskResult {
    /// The task.
    pub task: Task,
    /// [`ResultType::Task`] in the extension.
    pub result_type: Option<ResultType>,
    /// Metadata of the protocol and of others.
    pub meta: Option<Meta>,
    /// Fields beside the task that this crate does not know (2025-11-25).
    pub extra: Extra,
}

impl CreateTaskResult {
    /// As 2025-11-25 writes it.
    pub fn nested(task: Task) -> Self {
        Self {
            task,
            result_type: None,
            meta: None,
            extra: Extra::default(),
        }
    }

    /// As the extension writes it.
    pub fn flat(task: Task) -> Self {
        Self {
            result_type: Some(ResultType::Task),
            ..Self::nested(task)
        }
    }
}

impl Object for CreateTaskResult {
    const EXPECTING: &'static str = "an object (CreateTaskResult)";

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let mut parts = Parts::read(map)?;
        let (task, extra) = if parts.result_type == Some(ResultType::Task) {
            (parts.task()?, Extra::default())
        } else {
            let task = take(&mut parts.rest, "task")?;
            (task.ok_or_else(|| Error::missing_field("task"))?, parts.rest)
        };
        Ok(Self {
            task,
            result_type: parts.result_type,
            meta: parts.meta,
            extra,
        })
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        let is_flat = self.result_type == Some(ResultType::Task);
        let task = is_flat.then_some(&self.task);
        if !is_flat {
            map.serialize_entry("task", &self.task)?;
        }
        write_common(map, self.result_type.as_ref(), task, self.meta.as_ref())?;
        self.extra.write(map)
    }
}

/// The result of `tasks/result` (2025-11-25): that of the request that became a task, whatever its type.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct GetTaskPayloadResult {
    /// What kind of result this is.
    pub result_type: Option<ResultType>,
    /// Metadata of the protocol and of others; names the task (`io.modelcontextprotocol/related-task`).
    pub meta: Option<Meta>,
    /// The fields of the result.
    pub fields: Extra,
}

impl GetTaskPayloadResult {
    /// Decodes the fields as the result of the request that became a task, without `_meta`.
    ///
    /// # Errors
    /// [`JsonError`] where they are not of the type asked for.
    pub fn decode<T: serde::de::DeserializeOwned>(&self) -> Result<T, JsonError> {
        self.fields.to_object().map_err(JsonError::new)?.decode()
    }

    /// The result of a task, from the result of its request.
    ///
    /// # Errors
    /// [`JsonError`] where it has no JSON form or is no object.
    pub fn from_result<T: Serialize + ?Sized>(result: &T) -> Result<Self, JsonError> {
        Json::from_serialize(result)?.decode()
    }
}

impl Object for GetTaskPayloadResult {
    const EXPECTING: &'static str = "an object (GetTaskPayloadResult)";

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let parts = Parts::read(map)?;
        Ok(Self {
            result_type: parts.result_type,
            meta: parts.meta,
            fields: parts.rest,
        })
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        self.fields.write(map)?;
        write_common(map, self.result_type.as_ref(), None, self.meta.as_ref())
    }
}

/// The parameters of `notifications/tasks/status` (2025-11-25) and `notifications/tasks` (extension): a task.
///
/// Unknown fields are those of the task.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TaskStatusParams {
    /// The task.
    pub task: Task,
    /// Metadata of the protocol and of others.
    pub meta: Option<Meta>,
}

impl From<Task> for TaskStatusParams {
    fn from(task: Task) -> Self {
        Self { task, meta: None }
    }
}

impl Object for TaskStatusParams {
    const EXPECTING: &'static str = "an object (TaskStatusParams)";

    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error> {
        let mut rest = Extra::default();
        let mut map = map;
        rest.read(&mut map)?;
        let meta: Option<Meta> = take(&mut rest, "_meta")?;
        let json = rest.to_object().map_err(Error::custom)?;
        Ok(Self {
            task: json.decode().map_err(Error::custom)?,
            meta: meta.filter(|meta| !meta.is_empty()),
        })
    }

    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
        write_common(map, None, Some(&self.task), self.meta.as_ref())
    }
}
