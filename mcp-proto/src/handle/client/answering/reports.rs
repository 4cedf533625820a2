//! How far an answer is, as the server that waits for it is told.

use serde::Deserialize;

use crate::handle::sync::{Mutex, lock};
use crate::jsonrpc::{Params, RawJson};
use crate::model::{Meta, ProgressParams, ProgressToken};

/// How far an answer is whose server has asked to be told (Progress: it gave a token).
#[derive(Debug)]
pub(super) struct Reports {
    token: ProgressToken,
    last: Mutex<Option<f64>>,
}

#[derive(Deserialize)]
struct Asked {
    #[serde(rename = "_meta", default)]
    meta: Option<Meta>,
}

impl Reports {
    /// Those for a request with these parameters; `None` where its server does not want any.
    pub(super) fn wanted_by(params: &RawJson) -> Option<Self> {
        let asked: Asked = params.decode().ok()?;
        let token = asked.meta?.progress_token().ok()??;
        let last = Mutex::new(None);
        Some(Self { token, last })
    }

    /// The parameters of `notifications/progress`; `None` where it is no progress (Progress: it MUST increase).
    pub(super) fn next(&self, progress: f64, total: Option<f64>, message: Option<&str>) -> Option<Params> {
        let mut last = lock(&self.last);
        // JSON has no form for what is not finite.
        if !progress.is_finite() || last.is_some_and(|last| progress <= last) {
            return None;
        }
        *last = Some(progress);
        drop(last);
        let mut params = ProgressParams::new(self.token.clone(), progress);
        params.total = total.filter(|total| total.is_finite());
        params.message = message.map(Into::into);
        Params::from_serialize(&params).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reports(params: &'static str) -> Option<Reports> {
        Reports::wanted_by(&RawJson::parse(params).unwrap())
    }

    #[test]
    fn a_server_is_told_where_it_gave_a_token() {
        assert!(reports(r#"{"messages":[]}"#).is_none());
        assert!(reports(r#"{"_meta":{"progressToken":{}}}"#).is_none());
        let reports = reports(r#"{"_meta":{"progressToken":"t"}}"#).unwrap();
        let params = reports.next(0.5, Some(2.0), Some("half")).unwrap();
        let expected = r#"{"progressToken":"t","progress":0.5,"total":2,"message":"half"}"#;
        assert_eq!(params.as_raw().map(RawJson::as_str), Some(expected));
    }

    #[test]
    fn what_does_not_increase_is_not_told() {
        let reports = reports(r#"{"_meta":{"progressToken":7}}"#).unwrap();
        assert!(reports.next(1.0, None, None).is_some());
        assert!(reports.next(1.0, None, None).is_none());
        assert!(reports.next(f64::NAN, None, None).is_none());
        assert!(reports.next(1.5, Some(f64::INFINITY), None).is_some());
    }
}
