//! What the requests in progress of one client keep.

use super::RequestToken;
use crate::jsonrpc::ErrorObject;

/// How many bytes the requests keep that the application has not answered, and the open subscriptions.
///
/// Each token says what is counted for it, from [`hold`](Self::hold) until it is [released](Self::release): also where
/// its request is cancelled, for the application has its parameters still.
#[derive(Debug, Default)]
pub(super) struct Load {
    bytes: usize,
}

impl Load {
    /// Counts a request, unless it is too much together with what is kept `beside`.
    pub(super) fn hold(
        &mut self,
        token: &mut RequestToken,
        bytes: usize,
        beside: usize,
        most: usize,
    ) -> Result<(), ErrorObject> {
        if self.bytes.saturating_add(beside).saturating_add(bytes) > most {
            return Err(ErrorObject::internal("too many bytes in progress"));
        }
        self.bytes += bytes;
        token.held = bytes;
        Ok(())
    }

    /// A token is given back.
    pub(super) fn release(&mut self, token: &RequestToken) {
        self.bytes = self.bytes.saturating_sub(token.held);
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::method::Method;
    use crate::revision::Revision;

    #[test]
    fn what_is_held_is_bounded_and_released() {
        let token = || RequestToken::new(1.into(), &Method::CallTool.into(), Revision::V2025_11_25);
        let (mut first, mut second) = (token(), token());
        let mut load = Load::default();
        assert!(load.hold(&mut first, 6, 3, 9).is_ok());
        assert!(load.hold(&mut second, 1, 3, 9).is_err());
        load.release(&second);
        assert_eq!(load.bytes(), 6, "what was refused counts for nothing");
        assert!(load.hold(&mut second, 3, 0, 9).is_ok());
        load.release(&first);
        load.release(&second);
        assert_eq!(load.bytes(), 0);
    }
}
