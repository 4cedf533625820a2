//! Content blocks: what tools return, prompts are made of and models exchange.

mod block;
mod kinds;

pub use block::{ContentBlock, ToolResultContent};
pub use kinds::{AudioContent, EmbeddedResource, ImageContent, ResourceLink, TextContent, ToolUseContent};
