//! Which eras a client speaks, in a stored configuration.

use alloc::format;
use alloc::string::String;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::client::Mode;
use crate::revision::Revision;

#[allow(clippy::ref_option, reason = "serde gives it so")]
pub(super) fn serialize<S: Serializer>(mode: &Option<Mode>, serializer: S) -> Result<S::Ok, S::Error> {
    match mode {
        None => serializer.serialize_none(),
        Some(Mode::Auto) => serializer.serialize_str("auto"),
        Some(Mode::Modern) => serializer.serialize_str("modern"),
        Some(Mode::Legacy(revision)) => serializer.serialize_str(revision.as_str()),
    }
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Mode>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else {
        return Ok(None);
    };
    let mode = match (name.as_str(), Revision::parse(&name)) {
        ("auto", _) => Mode::Auto,
        ("modern", _) => Mode::Modern,
        ("legacy", _) => Mode::Legacy(Revision::LATEST_LEGACY),
        (_, Some(revision)) if revision.has_initialize() => Mode::Legacy(revision),
        (_, Some(_)) => Mode::Modern,
        (_, None) => {
            let why =
                format!("unknown mode {name:?}: it is \"auto\", \"modern\", \"legacy\" or the name of a revision");
            return Err(D::Error::custom(why));
        }
    };
    Ok(Some(mode))
}
