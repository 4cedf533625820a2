//! The macro that enumerations of strings are declared with.

/// Declares an open enumeration: the names that this crate knows, and `Other` for any other string.
macro_rules! open_enum {
    (
        $(#[$attr:meta])*
        $vis:vis enum $name:ident { $($(#[$vattr:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$attr])*
        ///
        /// Open: a name that is not known here is kept as `Other`. `From<&str>` finds the variant of a name.
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        $vis enum $name {
            $($(#[$vattr])* $variant,)+
            /// Any other name, as it came.
            Other(::alloc::boxed::Box<str>),
        }

        impl $name {
            /// The name on the wire.
            $vis fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Other(text) => text,
                }
            }
        }

        const _: () = {
            use ::core::fmt;
            use ::serde::de::{self, Deserialize, Deserializer, Visitor};
            use ::serde::ser::{Serialize, Serializer};

            impl From<&str> for $name {
                fn from(text: &str) -> Self {
                    match text {
                        $($text => Self::$variant,)+
                        _ => Self::Other(text.into()),
                    }
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str(self.as_str())
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    serializer.serialize_str(self.as_str())
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    struct NameVisitor;

                    impl Visitor<'_> for NameVisitor {
                        type Value = $name;

                        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                            f.write_str(concat!("a string (", stringify!($name), ")"))
                        }

                        fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                            Ok(text.into())
                        }
                    }

                    deserializer.deserialize_str(NameVisitor)
                }
            }
        };
    };
}

pub(crate) use open_enum;
