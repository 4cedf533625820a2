//! The pages of a list that have been followed.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;

use crate::jsonrpc::DecodeError;
use crate::limits::Limits;
use crate::method::Method;
use crate::rpc::CallError;

/// The pages of a list that have been followed, so that following them ends (2025-11-25, Pagination: a cursor says
/// nothing but where the next page starts).
#[derive(Debug, Default)]
pub(crate) struct Cursors {
    pages: usize,
    bytes: usize,
    /// Every cursor that was followed: a server that names one of them again would go on for ever.
    seen: BTreeSet<String>,
}

impl Cursors {
    /// How many pages came.
    pub(crate) fn pages(&self) -> usize {
        self.pages
    }

    /// A page of so many bytes came.
    ///
    /// # Errors
    /// Where all pages together are more than [`Limits::total_bytes`]: each alone is bounded like any message.
    pub(crate) fn weigh(&mut self, method: Method, bytes: usize, limits: &Limits) -> Result<(), CallError> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes > limits.total_bytes {
            true => Err(invalid(method, "are more than the limits allow")),
            false => Ok(()),
        }
    }

    /// The page says where the next one starts, if there is any.
    ///
    /// # Errors
    /// Where the pages never end.
    pub(crate) fn follow(
        &mut self,
        method: Method,
        next: Option<String>,
        limits: &Limits,
    ) -> Result<Option<String>, CallError> {
        self.pages += 1;
        match next {
            // Cursors that come again are a circle; where they are always new, only their number ends it.
            Some(next) if self.pages >= limits.list_pages || !self.seen.insert(next.clone()) => {
                Err(invalid(method, "never end"))
            }
            next => Ok(next),
        }
    }
}

fn invalid(method: Method, why: &str) -> CallError {
    CallError::InvalidReply(DecodeError::new(&format!("the pages of {} {why}", method.as_str())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    const METHOD: Method = Method::ListPrompts;

    #[test]
    fn a_circle_of_cursors_and_pages_without_number_end() {
        let limits = Limits::default().with_list_pages(3);
        let mut cursors = Cursors::default();
        let mut follow = |next: &str| cursors.follow(METHOD, Some(next.into()), &limits);
        assert_eq!(follow("a"), Ok(Some("a".into())));
        let error = follow("a").unwrap_err().to_string();
        assert!(error.contains("the pages of prompts/list never end"), "{error}");
        assert!(follow("b").is_err(), "the third page names a fourth");
        assert_eq!(Cursors::default().follow(METHOD, None, &limits), Ok(None));
    }

    #[test]
    fn all_pages_together_have_a_bound() {
        let limits = Limits::default().with_total_bytes(10);
        let mut cursors = Cursors::default();
        assert_eq!(cursors.weigh(METHOD, 10, &limits), Ok(()));
        assert!(cursors.weigh(METHOD, 1, &limits).is_err());
    }
}
