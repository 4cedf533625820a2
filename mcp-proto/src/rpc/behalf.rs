//! Somebody else, for whom a call is made.

use crate::jsonrpc::{DecodeError, PeekMeta, RawJson};
use crate::model::{ClientCapabilities, Implementation};

/// The client that a call is made for: who it is, and what it can do.
///
/// Both are kept as JSON text, so that what somebody has said of themselves is passed on as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnBehalfOf {
    info: RawJson,
    capabilities: RawJson,
}

impl OnBehalfOf {
    /// A client of this name and version that can do this.
    pub fn new(info: &Implementation, capabilities: &ClientCapabilities) -> Self {
        let json = |json: Result<RawJson, DecodeError>| json.unwrap_or_else(|_| RawJson::empty_object());
        Self {
            info: json(RawJson::from_serialize(info)),
            capabilities: json(RawJson::from_serialize(capabilities)),
        }
    }

    /// The client that has sent a request with this `_meta`, as it says itself; `None` where it does not say both.
    ///
    /// # Errors
    /// [`DecodeError`] where what it says is no JSON object.
    pub fn from_meta(meta: &PeekMeta<'_>) -> Result<Option<Self>, DecodeError> {
        let (Some(info), Some(capabilities)) = (meta.client_info, meta.client_capabilities) else {
            return Ok(None);
        };
        let [info, capabilities] = [info, capabilities].map(|text| match text.starts_with('{') {
            true => RawJson::parse(text.as_bytes().to_vec()),
            false => Err(DecodeError::new(&"not an object")),
        });
        Ok(Some(Self {
            info: info?,
            capabilities: capabilities?,
        }))
    }

    /// The same, of two objects.
    #[cfg(feature = "handle")]
    pub(crate) fn from_raw(info: RawJson, capabilities: RawJson) -> Self {
        Self { info, capabilities }
    }

    pub(crate) fn info(&self) -> &RawJson {
        &self.info
    }

    pub(crate) fn capabilities(&self) -> &RawJson {
        &self.capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonrpc::Peek;

    #[test]
    fn what_a_client_says_of_itself_is_kept_as_it_came() {
        let of = |meta: &str| {
            let params = RawJson::parse(alloc::format!(r#"{{"_meta":{{{meta}}}}}"#)).unwrap();
            OnBehalfOf::from_meta(&Peek::of(&params).unwrap().meta().unwrap())
        };
        let info = r#""io.modelcontextprotocol/clientInfo":{ "name": "x", "more": 1.0 }"#;
        let capabilities = r#""io.modelcontextprotocol/clientCapabilities":{}"#;
        let client = of(&[info, capabilities].join(",")).unwrap().unwrap();
        assert_eq!(client.info().as_bytes(), br#"{ "name": "x", "more": 1.0 }"#);
        assert_eq!(of(info), Ok(None));
        assert!(
            of(&[
                info.replace("{ ", "[")
                    .replace('}', "]")
                    .replace(':', ",")
                    .replacen(',', ":", 1)
                    .as_str(),
                capabilities
            ]
            .join(","))
            .is_err()
        );
    }
}
