//! The end of a server that this side had started.

use alloc::boxed::Box;
use core::fmt;

use super::excerpt::Excerpt;

/// How a server ended that this side had started: in its words, `the server exited with status 1 before it answered; its
/// last output was …`.
///
/// `Debug` shows nothing of that output, `Display` its beginning, in quotes: whoever writes such a text into a log writes
/// there what the server has said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Farewell {
    /// How it exited, such as `exited with status 1`.
    pub status: Box<str>,
    /// Whether that was before the server had shown what it speaks.
    pub was_early: bool,
    /// What it wrote last that was no message: on its standard error, where that is captured, or on its standard output.
    pub last_output: Option<Excerpt>,
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the server {}", self.status)?;
        if self.was_early {
            f.write_str(" before it answered")?;
        }
        match &self.last_output {
            // Of what may hold what a call was made with there is no text.
            Some(output) if !output.as_str().is_empty() => write!(f, "; its last output was {:?}", output.as_str()),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    #[test]
    fn a_farewell_says_how_when_and_what_was_said_last() {
        let mut farewell = Farewell {
            status: "exited with status 1".into(),
            was_early: true,
            last_output: Some(Excerpt::of(b"no such file")),
        };
        let said = "the server exited with status 1 before it answered; its last output was \"no such file\"";
        assert_eq!(format!("{farewell}"), said);
        (farewell.was_early, farewell.last_output) = (false, None);
        assert_eq!(format!("{farewell}"), "the server exited with status 1");
    }

    #[test]
    fn a_farewell_is_short_and_shows_nothing_to_who_debugs() {
        let long = [b'x'; 100_000];
        let mut farewell = Farewell {
            status: "exited with status 1".into(),
            was_early: false,
            last_output: Some(Excerpt::of(&long)),
        };
        assert!(format!("{farewell}").len() < 700);
        assert!(!format!("{farewell:?}").contains("xx"));
        farewell.last_output = Some(Excerpt::withheld(100));
        assert_eq!(format!("{farewell}"), "the server exited with status 1");
    }
}
