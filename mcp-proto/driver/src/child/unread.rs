//! What a child has not read of its input.

/// How many bytes that were written to a pipe its reader has not read: also after the reader is gone. `None` where the
/// system does not tell.
#[cfg(unix)]
#[must_use]
pub fn unread(pipe: &impl std::os::fd::AsFd) -> Option<usize> {
    rustix::io::ioctl_fionread(pipe)
        .ok()
        .and_then(|bytes| usize::try_from(bytes).ok())
}

/// How many bytes that were written to a pipe its reader has not read, which this system does not tell.
#[cfg(not(unix))]
#[must_use]
pub fn unread<T>(_: &T) -> Option<usize> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn what_a_reader_leaves_in_a_pipe_is_seen_also_when_it_is_gone() {
        let (mut reader, mut writer) = std::io::pipe().unwrap();
        assert_eq!(unread(&writer), Some(0));
        writer.write_all(b"question").unwrap();
        assert_eq!(unread(&writer), Some(8));
        reader.read_exact(&mut [0; 3]).unwrap();
        drop(reader);
        assert_eq!(unread(&writer), Some(5));
    }
}
