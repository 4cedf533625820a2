//! The macro that settings are declared with.

/// Declares a struct of settings: each field is set by the method that stands in parentheses behind its name, so that
/// one can be added without breaking who makes such a struct.
macro_rules! settings {
    (
        $(#[$attr:meta])*
        pub struct $name:ident {
            $($(#[$fattr:meta])* pub $field:ident ($with:ident): $ty:ty,)*
        }
    ) => {
        $(#[$attr])*
        pub struct $name {
            $($(#[$fattr])* pub $field: $ty,)*
        }

        impl $name {
            $(
                #[doc = concat!("The same with [`", stringify!($field), "`](#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $with(mut self, $field: $ty) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

pub(crate) use settings;
