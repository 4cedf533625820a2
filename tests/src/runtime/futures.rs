//! What is handed to a runtime.

use std::future::Future;
use std::pin::Pin;

/// A future that any thread may poll.
pub type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The same with an outcome.
pub type Sending<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A future that is polled where it was made.
pub type Local<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// Why something could not be set up.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
