//! The macros that every object of the model is declared with, and what they call.
//!
//! A declaration names each field as it stands on the wire. Reading takes one pass without buffering, rejects a
//! field that is there twice and keeps unknown fields in `extra`; writing omits what is `None`.

use alloc::boxed::Box;
use core::fmt;
use core::marker::PhantomData;

use serde::de::{self, Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::extra::Extra;
use super::json::Json;

/// An object on the wire.
pub(crate) trait Object: Sized {
    /// What a reader expects to find.
    const EXPECTING: &'static str;

    /// Reads all entries of `map`.
    fn read<'de, A: MapAccess<'de>>(map: A) -> Result<Self, A::Error>;

    /// Writes all entries into `map`.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;
}

/// Reads an [`Object`].
pub(crate) struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Object> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::read(map)
    }
}

pub(crate) fn deserialize<'de, T: Object, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_map(ObjectVisitor(PhantomData))
}

pub(crate) fn serialize<T: Object, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_map(None)?;
    value.write(&mut map)?;
    map.end()
}

/// Reads a value whose fault must not fail the whole: one that does not fit is kept among the unknown fields.
pub(crate) fn read_hint<'de, T, A>(map: &mut A, name: &'static str, extra: &mut Extra) -> Result<Option<T>, A::Error>
where
    T: DeserializeOwned,
    A: MapAccess<'de>,
{
    let raw: Json = map.next_value()?;
    match raw.decode::<Option<T>>() {
        Ok(value) => Ok(value),
        Err(_) => {
            extra.push(Box::from(name), raw);
            Ok(None)
        }
    }
}

/// A value that is read differently where it is a field: without what may not be nested in there.
pub(crate) trait Flat: Sized {
    fn deserialize_flat<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Reads a [`Flat`] value.
pub(crate) struct FlatSeed<T>(PhantomData<T>);

impl<T> FlatSeed<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Flat> DeserializeSeed<'de> for FlatSeed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        T::deserialize_flat(deserializer)
    }
}

/// A whole number that may be written as a float (`1.0`, `1e3`).
pub(crate) struct Integer<T>(pub(crate) T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Integer<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IntegerVisitor(PhantomData))
    }
}

struct IntegerVisitor<T>(PhantomData<T>);

impl<T: TryFrom<i128>> IntegerVisitor<T> {
    fn fit<E: de::Error>(value: i128) -> Result<Integer<T>, E> {
        T::try_from(value)
            .map(Integer)
            .map_err(|_| E::custom("integer out of range"))
    }
}

impl<T: TryFrom<i128>> Visitor<'_> for IntegerVisitor<T> {
    type Value = Integer<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an integer")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Integer<T>, E> {
        Self::fit(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Integer<T>, E> {
        Self::fit(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Integer<T>, E> {
        match integral(value) {
            Some(value) => Self::fit(value.into()),
            None => Err(E::invalid_type(de::Unexpected::Float(value), &self)),
        }
    }
}

/// The integer that `value` is, where it is one that a double represents exactly.
pub(crate) fn integral(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    let truncated = value as i64;
    (value.abs() <= EXACT && truncated as f64 == value).then_some(truncated)
}

/// A number, written without a fraction where it has none.
pub(crate) struct Number(pub(crate) f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match integral(self.0) {
            Some(value) => serializer.serialize_i64(value),
            None => serializer.serialize_f64(self.0),
        }
    }
}

/// A field that always has the same value, such as the `type` of a content block.
pub(crate) fn check_constant<'de, A: MapAccess<'de>>(map: &mut A, value: &'static str) -> Result<(), A::Error> {
    struct Constant(&'static str);

    impl<'de> DeserializeSeed<'de> for Constant {
        type Value = ();

        fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
            deserializer.deserialize_str(self)
        }
    }

    impl Visitor<'_> for Constant {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the string {:?}", self.0)
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
            if text == self.0 {
                Ok(())
            } else {
                Err(E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
    }

    map.next_value_seed(Constant(value))
}

/// Declares an object.
///
/// `required` fields come first and make up the arguments of `new`; an object without any has `Default` instead. Each
/// other field is set by the method that is named in parentheses behind it, if one is. A new revision may add fields, so that
/// no other crate can make an object by naming all of them. The word before a type says how the field is read and
/// written:
///
/// - `plain`: must be there. `number`, `integer`: the same for an `f64`, and for an integer that may be written as a
///   float. `or_default`: must be written, but a reader takes its absence (or null) for the default.
/// - `optional`: may be absent or null. `optional_number`: the same for an `f64`. `present`: may be absent; null is a
///   value.
/// - `hint`, `integer_hint`, `number_hint`: may be absent or null, and a value of the wrong type goes to `extra` instead.
/// - `meta`: `_meta`, absent when empty. `flat`: must be there, and is read as [`Flat`].
macro_rules! object {
    (
        $(#[$attr:meta])*
        $vis:vis struct $name:ident $([$tag:literal = $value:literal])? {
            required {
                $($(#[$rattr:meta])* $rwire:literal => $rfield:ident: $rmode:ident $rty:ty,)+
            }
            $($(#[$oattr:meta])* $owire:literal => $ofield:ident $(($owith:ident))?: $omode:ident $oty:ty,)*
        }
    ) => {
        $crate::model::object::object! {
            @declare
            $(#[$attr])*
            #[derive(Clone, Debug, PartialEq)]
            $vis $name [$($tag = $value)?]
            $($(#[$rattr])* $rwire $rfield $rmode [$rty])+
            $($(#[$oattr])* $owire $ofield $omode [$oty])*
        }

        impl $name {
            /// A value with the required fields; all others are absent.
            $vis fn new($($rfield: impl Into<$rty>),+) -> Self {
                Self {
                    $($rfield: $rfield.into(),)+
                    $($ofield: None,)*
                    extra: $crate::model::Extra::default(),
                }
            }

            $($($crate::model::object::object!(@with $vis $ofield $owith $omode $oty);)?)*
        }
    };
    (
        $(#[$attr:meta])*
        $vis:vis struct $name:ident $([$tag:literal = $value:literal])? {
            $($(#[$oattr:meta])* $owire:literal => $ofield:ident $(($owith:ident))?: $omode:ident $oty:ty,)*
        }
    ) => {
        $crate::model::object::object! {
            @declare
            $(#[$attr])*
            #[derive(Clone, Debug, Default, PartialEq)]
            $vis $name [$($tag = $value)?]
            $($(#[$oattr])* $owire $ofield $omode [$oty])*
        }

        impl $name {
            $($($crate::model::object::object!(@with $vis $ofield $owith $omode $oty);)?)*
        }
    };
    (
        @declare
        $(#[$attr:meta])*
        $vis:vis $name:ident [$($tag:literal = $value:literal)?]
        $($(#[$fattr:meta])* $wire:literal $field:ident $mode:ident [$ty:ty])*
    ) => {
        $(#[$attr])*
        #[non_exhaustive]
        $vis struct $name {
            $($(#[$fattr])* $vis $field: $crate::model::object::object!(@type $mode $ty),)*
            /// Fields that this crate does not know, in their order.
            $vis extra: $crate::model::Extra,
        }

        const _: () = {
            use ::alloc::boxed::Box;
            use ::core::fmt;
            use ::serde::de::{self, DeserializeSeed, Deserialize, Deserializer, MapAccess, Visitor};
            use ::serde::ser::{Serialize, SerializeMap, Serializer};
            use $crate::model::object::{self, Object};

            #[allow(non_camel_case_types)]
            enum Key {
                $($field,)*
                $(#[doc = $tag] __tag,)?
                __other(Box<str>),
            }

            struct KeySeed;

            impl<'de> DeserializeSeed<'de> for KeySeed {
                type Value = Key;

                fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Key, D::Error> {
                    deserializer.deserialize_identifier(self)
                }
            }

            impl Visitor<'_> for KeySeed {
                type Value = Key;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a field name")
                }

                fn visit_str<E: de::Error>(self, name: &str) -> Result<Key, E> {
                    Ok(match name {
                        $($wire => Key::$field,)*
                        $($tag => Key::__tag,)?
                        _ => Key::__other(name.into()),
                    })
                }
            }

            impl Object for $name {
                const EXPECTING: &'static str = concat!("an object (", stringify!($name), ")");

                fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
                    $(let mut $field = None;)*
                    let mut extra = $crate::model::Extra::default();
                    while let Some(key) = map.next_key_seed(KeySeed)? {
                        match key {
                            $(Key::$field => {
                                if $field.is_some() {
                                    return Err(de::Error::duplicate_field($wire));
                                }
                                $field = Some($crate::model::object::object!(@read $mode $ty, map, $wire, extra));
                            })*
                            $(Key::__tag => object::check_constant::<A>(&mut map, $value)?,)?
                            Key::__other(name) => extra.push(name, map.next_value()?),
                        }
                    }
                    Ok(Self {
                        $($field: $crate::model::object::object!(@finish $mode $field, $wire),)*
                        extra,
                    })
                }

                fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                    $(map.serialize_entry($tag, $value)?;)?
                    $($crate::model::object::object!(@write $mode self.$field, $wire, map);)*
                    self.extra.write_unless(map, |name| match name {
                        $($wire => $crate::model::object::object!(@shadows $mode self.$field),)*
                        $($tag => true,)?
                        _ => false,
                    })
                }
            }

            impl<'de> Deserialize<'de> for $name {
                fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                    object::deserialize(deserializer)
                }
            }

            impl Serialize for $name {
                fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                    object::serialize(self, serializer)
                }
            }
        };
    };

    (@with $vis:vis $field:ident $with:ident $mode:ident $ty:ty) => {
        #[doc = concat!("The same with [`", stringify!($field), "`](#structfield.", stringify!($field), ").")]
        #[must_use]
        $vis fn $with(mut self, $field: $crate::model::object::object!(@argument $mode $ty)) -> Self {
            self.$field = Some($field.into());
            self
        }
    };

    // A literal number has no type that `Into` could start from.
    (@argument integer_hint $ty:ty) => { $ty };
    (@argument $mode:ident $ty:ty) => { impl Into<$ty> };

    (@type plain $ty:ty) => { $ty };
    (@type number $ty:ty) => { $ty };
    (@type integer $ty:ty) => { $ty };
    (@type or_default $ty:ty) => { $ty };
    (@type flat $ty:ty) => { $ty };
    (@type $mode:ident $ty:ty) => { Option<$ty> };

    (@read or_default $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<Option<$ty>>()?.unwrap_or_default()
    };
    (@read flat $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value_seed(object::FlatSeed::<$ty>::new())?
    };
    (@read integer $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<object::Integer<$ty>>()?.0
    };
    (@read present $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        Some($map.next_value::<$ty>()?)
    };
    (@read optional $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<Option<$ty>>()?
    };
    (@read optional_number $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<Option<$ty>>()?
    };
    (@read hint $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        object::read_hint::<$ty, A>(&mut $map, $wire, &mut $extra)?
    };
    (@read number_hint $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        object::read_hint::<$ty, A>(&mut $map, $wire, &mut $extra)?
    };
    (@read integer_hint $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        object::read_hint::<object::Integer<$ty>, A>(&mut $map, $wire, &mut $extra)?.map(|integer| integer.0)
    };
    (@read meta $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<Option<$ty>>()?.filter(|meta| !meta.is_empty())
    };
    (@read $mode:ident $ty:ty, $map:ident, $wire:literal, $extra:ident) => {
        $map.next_value::<$ty>()?
    };

    (@finish plain $field:ident, $wire:literal) => { $field.ok_or_else(|| de::Error::missing_field($wire))? };
    (@finish number $field:ident, $wire:literal) => { $field.ok_or_else(|| de::Error::missing_field($wire))? };
    (@finish integer $field:ident, $wire:literal) => { $field.ok_or_else(|| de::Error::missing_field($wire))? };
    (@finish $mode:ident $field:ident, $wire:literal) => { $field.unwrap_or_default() };

    // A hint that did not fit stands in `extra` until the field is set.
    (@shadows hint $self:ident.$field:ident) => { $self.$field.is_some() };
    (@shadows integer_hint $self:ident.$field:ident) => { $self.$field.is_some() };
    (@shadows number_hint $self:ident.$field:ident) => { $self.$field.is_some() };
    (@shadows $mode:ident $self:ident.$field:ident) => { true };

    (@write plain $self:ident.$field:ident, $wire:literal, $map:ident) => {
        $map.serialize_entry($wire, &$self.$field)?
    };
    (@write integer $self:ident.$field:ident, $wire:literal, $map:ident) => {
        $map.serialize_entry($wire, &$self.$field)?
    };
    (@write or_default $self:ident.$field:ident, $wire:literal, $map:ident) => {
        $map.serialize_entry($wire, &$self.$field)?
    };
    (@write flat $self:ident.$field:ident, $wire:literal, $map:ident) => {
        $map.serialize_entry($wire, &$self.$field)?
    };
    (@write number $self:ident.$field:ident, $wire:literal, $map:ident) => {
        $map.serialize_entry($wire, &object::Number($self.$field))?
    };
    (@write optional_number $self:ident.$field:ident, $wire:literal, $map:ident) => {
        if let Some(value) = $self.$field {
            $map.serialize_entry($wire, &object::Number(value))?;
        }
    };
    (@write number_hint $self:ident.$field:ident, $wire:literal, $map:ident) => {
        if let Some(value) = $self.$field {
            $map.serialize_entry($wire, &object::Number(value))?;
        }
    };
    (@write meta $self:ident.$field:ident, $wire:literal, $map:ident) => {
        if let Some(meta) = $self.$field.as_ref().filter(|meta| !meta.is_empty()) {
            $map.serialize_entry($wire, meta)?;
        }
    };
    (@write $mode:ident $self:ident.$field:ident, $wire:literal, $map:ident) => {
        if let Some(value) = &$self.$field {
            $map.serialize_entry($wire, value)?;
        }
    };
}

/// Declares an object that ends in `_meta`: the parameters of a request or notification, among others.
macro_rules! object_with_meta {
    (
        $(#[$attr:meta])*
        pub struct $name:ident $([$tag:literal = $value:literal])? { $($body:tt)* }
    ) => {
        $crate::model::object::object! {
            $(#[$attr])*
            pub struct $name $([$tag = $value])? {
                $($body)*
                /// Metadata of the protocol and of others.
                "_meta" => meta (with_meta): meta $crate::model::Meta,
            }
        }

        impl $crate::model::HasMeta for $name {
            fn meta(&self) -> Option<&$crate::model::Meta> {
                self.meta.as_ref()
            }

            fn meta_mut(&mut self) -> &mut Option<$crate::model::Meta> {
                &mut self.meta
            }
        }
    };
}

/// Declares the result of a request.
macro_rules! result_object {
    (
        $(#[$attr:meta])*
        pub struct $name:ident { $($body:tt)* }
    ) => {
        $crate::model::object::object_with_meta! {
            $(#[$attr])*
            pub struct $name {
                $($body)*
                /// What kind of result this is. Since 2026-07-28, and set by the server machine; absent before.
                "resultType" => result_type (with_result_type): optional $crate::model::ResultType,
            }
        }

        impl $crate::model::HasResultType for $name {
            fn result_type(&self) -> Option<&$crate::model::ResultType> {
                self.result_type.as_ref()
            }

            fn result_type_mut(&mut self) -> &mut Option<$crate::model::ResultType> {
                &mut self.result_type
            }
        }
    };
}

/// Declares a result with hints for caches.
macro_rules! cacheable_object {
    (
        $(#[$attr:meta])*
        pub struct $name:ident { $($body:tt)* }
    ) => {
        $crate::model::object::result_object! {
            $(#[$attr])*
            pub struct $name {
                $($body)*
                /// How long the result may be taken for fresh, in milliseconds. Since 2026-07-28.
                "ttlMs" => ttl_ms (with_ttl_ms): integer_hint u64,
                /// Who may keep the result. Since 2026-07-28.
                "cacheScope" => cache_scope (with_cache_scope): hint $crate::model::CacheScope,
            }
        }

        impl $crate::model::HasCacheHints for $name {
            fn ttl_ms_mut(&mut self) -> &mut Option<u64> {
                &mut self.ttl_ms
            }

            fn cache_scope_mut(&mut self) -> &mut Option<$crate::model::CacheScope> {
                &mut self.cache_scope
            }
        }
    };
}

pub(crate) use {cacheable_object, object, object_with_meta, result_object};
