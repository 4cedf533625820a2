//! Completion of arguments.

use mcp_proto::model::{CompleteParams, CompleteResult, Completion};

/// Two suggestions that begin with what is there.
pub(super) fn complete(params: &CompleteParams) -> CompleteResult {
    let value = &params.argument.value;
    CompleteResult::new(Completion::new(vec![format!("{value}ing"), format!("{value}ed")]))
}
