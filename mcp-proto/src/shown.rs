//! What of a type may be shown: the macros behind its `Debug`.

use core::fmt;

/// Shows nothing of bytes but how many there are: texts of peers hold arguments, results and tokens.
pub(crate) struct Size(pub(crate) usize);

impl fmt::Debug for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0)
    }
}

/// What a JSON text is, and how long, and not what it says.
pub(crate) fn write_kind(f: &mut fmt::Formatter<'_>, name: &str, json: &str) -> fmt::Result {
    let kind = match json.as_bytes().first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    };
    write!(f, "{name}({kind}, {} bytes)", json.len())
}

/// `Debug` for a struct that shows these fields, and of these texts how long they are.
macro_rules! shown {
    ($name:ident $(<$life:lifetime>)? $(<$param:ident>)? { $($field:ident),* } $(bytes { $($text:ident),* })?) => {
        impl<$($param)?> ::core::fmt::Debug for $name $(<$life>)? $(<$param>)? {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), &self.$field))*
                    $($(.field(stringify!($text), &$crate::shown::Size(self.$text.len())))*)?
                    .finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use shown;
