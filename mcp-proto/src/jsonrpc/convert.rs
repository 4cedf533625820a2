//! From the ids and raw values of the model to those of messages, and back.

use bytes::Bytes;

use super::{Id, RawJson};
use crate::model::{Json, ProgressToken, RequestId};

impl From<&RequestId> for Id {
    fn from(id: &RequestId) -> Self {
        match id {
            RequestId::Integer(value) => Self::from(*value),
            RequestId::String(text) => Self::from(&**text),
        }
    }
}

impl From<&ProgressToken> for Id {
    fn from(token: &ProgressToken) -> Self {
        match token {
            ProgressToken::Integer(value) => Self::from(*value),
            ProgressToken::String(text) => Self::from(&**text),
        }
    }
}

impl Id {
    /// The same id as parameters name it; `None` for an integer beyond 64 bits.
    pub fn to_request_id(&self) -> Option<RequestId> {
        let integer = self.as_integer().map(RequestId::Integer);
        integer.or_else(|| self.as_str().map(RequestId::from))
    }

    /// The same value as a token; `None` for an integer beyond 64 bits.
    pub fn to_progress_token(&self) -> Option<ProgressToken> {
        let integer = self.as_integer().map(ProgressToken::Integer);
        integer.or_else(|| self.as_str().map(ProgressToken::from))
    }
}

/// Takes over the text without copying it.
impl From<Json> for RawJson {
    fn from(json: Json) -> Self {
        Self::from_valid(Bytes::from(json.into_string()))
    }
}

/// Copies the text.
impl From<&RawJson> for Json {
    fn from(raw: &RawJson) -> Self {
        // Raw JSON is valid, so this always parses.
        Self::parse(raw.as_str()).unwrap_or_else(|_| Self::null())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_tokens_go_there_and_back() {
        for id in [Id::from(7), Id::from("7")] {
            assert_eq!(Id::from(&id.to_request_id().unwrap()), id);
            assert_eq!(Id::from(&id.to_progress_token().unwrap()), id);
        }
        assert_eq!(
            Id::from_json("7.0").unwrap().to_request_id(),
            Some(RequestId::Integer(7))
        );
        assert_eq!(Id::from_json("99999999999999999999").unwrap().to_request_id(), None);
    }

    #[test]
    fn raw_values_keep_their_text() {
        let text = r#"{"b":1.0, "a":[]}"#;
        let raw = RawJson::parse(text).unwrap();
        let json = Json::from(&raw);
        assert_eq!(json.as_str(), text);
        assert_eq!(RawJson::from(json), raw);
    }
}
