//! Reading a result of which a part is wrong.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;
use core::slice;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::{DecodeError, Members, RawJson};

/// How much may be read again in search of what is wrong: so many bytes, and a few times the result itself.
const READ_AGAIN: usize = 4 << 20;

/// A part of a result that could not be read, and was left out.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SkippedEntry {
    /// The member that it was, or that it was an entry of.
    pub member: Box<str>,
    /// The name or the URI of the entry, where it has one.
    pub name: Option<Box<str>>,
    /// What is wrong with it, in the parser's words.
    pub reason: Box<str>,
}

/// Shows which member it was, and nothing of what it said: a reason may quote it.
impl fmt::Debug for SkippedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkippedEntry")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

impl RawJson {
    /// Decodes a result without the parts that cannot be read: an entry of a list (a resource, a prompt, a block of
    /// content) takes none of the others along, nor does a member that may as well be absent.
    ///
    /// What can be read as it is costs nothing more. Otherwise the result is read once for each entry, up to a bound.
    ///
    /// # Errors
    /// [`DecodeError`] where the value is not of the type asked for, and nothing that can be left out is to blame.
    pub fn decode_leniently<T: DeserializeOwned>(&self) -> Result<(T, Vec<SkippedEntry>), DecodeError> {
        match self.decode() {
            Ok(value) => Ok((value, Vec::new())),
            Err(error) => without_faults(self.as_str()).ok_or(error),
        }
    }
}

/// A member of the result and, where it is a list, its entries.
struct Part<'a> {
    key: &'a str,
    text: Cow<'a, str>,
    entries: Option<Vec<Cow<'a, str>>>,
}

/// The readings in search of what is wrong, which have a bound: a list that is all wrong costs no more than a few
/// readings of the longest result.
struct Trials<T> {
    left: usize,
    of: PhantomData<fn() -> T>,
}

#[cold]
fn without_faults<T: DeserializeOwned>(text: &str) -> Option<(T, Vec<SkippedEntry>)> {
    let members = Members::of(text)?;
    let mut parts: Vec<Part<'_>> = members.iter().map(|it| Part::of(&it.key, it.value)).collect();
    // Which of two counts is not for this to choose.
    let keys: BTreeSet<&str> = parts.iter().map(|part| part.key).collect();
    if keys.len() < parts.len() {
        return None;
    }
    let mut trials = Trials::<T> {
        left: READ_AGAIN.saturating_add(text.len().saturating_mul(4)),
        of: PhantomData,
    };
    let mut skipped = Vec::new();
    trials.mend_members(&mut parts, &mut skipped)?;
    for at in 0..parts.len() {
        trials.mend_entries(&mut parts, at, &mut skipped)?;
    }
    let entries = |at: usize| {
        parts
            .get(at)
            .and_then(|part| part.entries.as_deref())
            .unwrap_or_default()
    };
    let value = serde_json::from_str(&written(&parts, entries)).ok()?;
    Some((value, skipped))
}

impl<T: DeserializeOwned> Trials<T> {
    /// Whether the text can be read. `None` where enough was read.
    fn read(&mut self, text: &str) -> Option<Result<(), serde_json::Error>> {
        // Before it is read: what would go beyond the bound is not begun.
        self.left = self.left.checked_sub(text.len())?;
        Some(serde_json::from_str::<T>(text).map(drop))
    }

    /// Finds the member that is wrong, where it is not an entry that is.
    fn mend_members<'a>(&mut self, parts: &mut Vec<Part<'a>>, skipped: &mut Vec<SkippedEntry>) -> Option<()> {
        let Err(error) = self.read(&written(parts, |_| &[]))? else {
            return Some(());
        };
        for at in 0..parts.len() {
            let part = parts.get_mut(at)?;
            // Tried first: nothing is lost by it.
            let objects = with_objects(&part.text);
            let before = core::mem::replace(&mut part.text, Cow::Owned(objects));
            if !part.is_list() && self.read(&written(parts, |_| &[]))?.is_ok() {
                return Some(());
            }
            parts.get_mut(at)?.text = before;
        }
        for at in 0..parts.len() {
            let part = parts.remove(at);
            if self.read(&written(parts, |_| &[]))?.is_ok() {
                skipped.push(SkippedEntry::new(part.key, None, &error));
                return Some(());
            }
            parts.insert(at, part);
        }
        None
    }

    /// Leaves out the entries of a list that cannot be read.
    fn mend_entries<'a>(&mut self, parts: &mut [Part<'a>], at: usize, skipped: &mut Vec<SkippedEntry>) -> Option<()> {
        let part = parts.get_mut(at)?;
        let (key, Some(entries)) = (part.key, part.entries.take()) else {
            return Some(());
        };
        let mut kept = Vec::with_capacity(entries.len());
        for entry in entries {
            let mut reads = |entry: &Cow<'a, str>| {
                let alone = |other: usize| if other == at { slice::from_ref(entry) } else { &[] };
                self.read(&written(parts, alone))
            };
            match reads(&entry)? {
                Ok(()) => kept.push(entry),
                Err(error) => {
                    let objects = Cow::Owned(with_objects(&entry));
                    match reads(&objects)? {
                        Ok(()) => kept.push(objects),
                        Err(_) => skipped.push(SkippedEntry::new(key, Some(&entry), &error)),
                    }
                }
            }
        }
        parts.get_mut(at)?.entries = Some(kept);
        Some(())
    }
}

/// The same text with an empty object for each member that is an empty array. Languages in which the two are one thing
/// write the one for the other.
fn with_objects(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut in_string, mut escaped, mut is_value) = (false, false, false);
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        let inside = in_string;
        match char {
            _ if escaped => escaped = false,
            '\\' if in_string => escaped = true,
            '"' => in_string = !in_string,
            '[' if is_value && !in_string => {
                if let Some(after) = rest.as_str().trim_start().strip_prefix(']') {
                    out.push_str("{}");
                    rest = after.chars();
                    is_value = false;
                    continue;
                }
            }
            _ => {}
        }
        is_value = !inside && (char == ':' || (is_value && char.is_ascii_whitespace()));
        out.push(char);
    }
    out
}

impl<'a> Part<'a> {
    fn of(key: &'a str, text: &'a str) -> Self {
        let entries: Option<Vec<&RawValue>> = text.starts_with('[').then(|| serde_json::from_str(text).ok()).flatten();
        Self {
            key,
            text: Cow::Borrowed(text),
            entries: entries.map(|entries| entries.into_iter().map(|entry| entry.get().into()).collect()),
        }
    }

    fn is_list(&self) -> bool {
        self.text.starts_with('[')
    }
}

/// The result with these entries in its lists.
fn written<'e, 'a: 'e>(parts: &[Part<'a>], entries: impl Fn(usize) -> &'e [Cow<'a, str>]) -> String {
    let mut out = String::from("{");
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&serde_json::to_string(part.key).unwrap_or_default());
        out.push(':');
        match part.is_list() {
            true => {
                out.push('[');
                out.push_str(&entries(at).join(","));
                out.push(']');
            }
            false => out.push_str(&part.text),
        }
    }
    out.push('}');
    out
}

impl SkippedEntry {
    fn new(member: &str, entry: Option<&str>, error: &serde_json::Error) -> Self {
        Self {
            member: member.into(),
            name: entry.and_then(name_of),
            reason: reason(error),
        }
    }
}

/// What the parser says, without the place: it is that of another text.
fn reason(error: &serde_json::Error) -> Box<str> {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text.get(..end).unwrap_or_default().into(),
        None => text.into(),
    }
}

/// The name of an entry that cannot be read, where that much can.
fn name_of(entry: &str) -> Option<Box<str>> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        name: Option<&'a RawValue>,
        #[serde(borrow)]
        uri: Option<&'a RawValue>,
    }
    let named: Named<'_> = serde_json::from_str(entry).ok()?;
    let text = |raw: Option<&RawValue>| serde_json::from_str::<Box<str>>(raw?.get()).ok();
    text(named.name).or_else(|| text(named.uri))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        CallToolResult, GetPromptResult, InitializeResult, ListPromptsResult, ListResourceTemplatesResult,
        ListResourcesResult, ReadResourceResult,
    };
    use alloc::format;

    fn read<T: DeserializeOwned>(text: &str) -> (T, Vec<(String, Option<String>)>) {
        let raw = RawJson::parse(String::from(text)).unwrap();
        let (value, skipped) = raw.decode_leniently().unwrap();
        let seen = |it: SkippedEntry| {
            assert!(!it.reason.is_empty());
            (it.member.into(), it.name.map(Into::into))
        };
        (value, skipped.into_iter().map(seen).collect())
    }

    fn skipped(member: &str, name: Option<&str>) -> Vec<(String, Option<String>)> {
        Vec::from([(member.into(), name.map(Into::into))])
    }

    #[test]
    fn one_bad_entry_spoils_none_of_the_others() {
        let (list, left) = read::<ListResourcesResult>(
            r#"{"resources":[{"uri":"a:1","name":"a"},{"uri":"a:2"},{"uri":"a:3","name":"c"}],"nextCursor":"n"}"#,
        );
        assert_eq!((list.resources.len(), list.next_cursor.as_deref()), (2, Some("n")));
        assert_eq!(left, skipped("resources", Some("a:2")));

        let (list, left) =
            read::<ListResourceTemplatesResult>(r#"{"resourceTemplates":[5,{"uriTemplate":"a:{x}","name":"t"}]}"#);
        assert_eq!(list.resource_templates.len(), 1);
        assert_eq!(left, skipped("resourceTemplates", None));

        let (list, left) =
            read::<ListPromptsResult>(r#"{"prompts":[{"name":"p"},{"name":"q","arguments":{"x":1}},{"title":"r"}]}"#);
        assert_eq!((list.prompts.len(), left.len()), (1, 2));
        assert_eq!(left[0], ("prompts".into(), Some("q".into())));

        let (result, left) = read::<CallToolResult>(
            r#"{"content":[{"type":"text"},{"type":"text","text":"t"},"x",{"type":"image","data":1}],"isError":false}"#,
        );
        assert_eq!((result.content.len(), left.len()), (1, 3));

        let (result, left) = read::<GetPromptResult>(
            r#"{"messages":[{"role":"user","content":{"type":"text","text":"t"}},{"role":"user","content":7}]}"#,
        );
        assert_eq!((result.messages.len(), left), (1, skipped("messages", None)));

        let (result, left) = read::<ReadResourceResult>(r#"{"contents":[{"uri":"a:b"},{"uri":"a:b","text":"t"}]}"#);
        assert_eq!((result.contents.len(), left), (1, skipped("contents", Some("a:b"))));
    }

    #[test]
    fn a_member_of_a_wrong_type_that_may_be_absent_is_as_if_it_were() {
        for (member, text) in [
            ("_meta", r#""_meta":"x""#),
            ("nextCursor", r#""nextCursor":5"#),
            ("resultType", r#""resultType":{}"#),
            ("_meta", r#""_meta":[1]"#),
        ] {
            let text = format!(r#"{{"resources":[{{"uri":"a:1","name":"a"}}],{text}}}"#);
            let (list, left) = read::<ListResourcesResult>(&text);
            assert_eq!((list.resources.len(), left), (1, skipped(member, None)), "{text}");
        }
    }

    /// Languages in which an empty array is an empty object write it for both.
    #[test]
    fn an_empty_array_is_an_empty_object() {
        let (list, left) = read::<ListResourcesResult>(
            r#"{"resources":[{"uri":"a:1","name":"a","_meta":[],"annotations":[ ],"title":":[]"}],"_meta":[]}"#,
        );
        assert_eq!((list.resources.len(), left), (1, skipped("_meta", None)));
        assert!(list.resources[0].annotations.is_some());
        let (result, left) = read::<InitializeResult>(
            r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":[],"experimental":[]},"serverInfo":{"name":"s","version":"1"}}"#,
        );
        assert!(result.capabilities.tools.is_some() && left.is_empty());
    }

    #[test]
    fn what_must_be_there_must_be_right() {
        for text in [
            r#"{"resources":{}}"#,
            r#"{"resources":null}"#,
            "{}",
            "[]",
            r#"{"resources":[],"resources":[]}"#,
        ] {
            let raw = RawJson::parse(String::from(text)).unwrap();
            assert!(raw.decode_leniently::<ListResourcesResult>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_search_has_a_bound() {
        let large = "x".repeat(1 << 20);
        let bad = "1,".repeat(100_000);
        let text = format!(r#"{{"structuredContent":"{large}","content":[{bad}1]}}"#);
        let raw = RawJson::parse(text).unwrap();
        assert!(raw.decode_leniently::<CallToolResult>().is_err());
    }

    #[test]
    fn an_empty_array_is_an_empty_object_where_it_is_the_value_of_a_member() {
        for (text, expected) in [
            (r#"{"a":[]}"#, r#"{"a":{}}"#),
            ("{\"a\" : \n[ ] ,\"b\":[]}", "{\"a\" : \n{} ,\"b\":{}}"),
            (r#"{"a":{"b":[]}}"#, r#"{"a":{"b":{}}}"#),
        ] {
            assert_eq!(with_objects(text), expected, "{text}");
        }
        for text in [
            r#"{"a":[[]]}"#,
            r#"{"a":[1, []]}"#,
            r#"{"a":[1]}"#,
            r#"[ [] ]"#,
            r#"[[],[]]"#,
            r#"{"a":":[]"}"#,
            r#"{"a":"\":[]"}"#,
            r#"{"a":"\\\":[]"}"#,
            r#"{":[]":1}"#,
        ] {
            assert_eq!(with_objects(text), text);
        }
    }

    #[test]
    fn a_small_result_is_looked_through_however_many_of_its_entries_are_bad() {
        let bad: Vec<String> = (0..100).map(|number| format!(r#"{{"uri":"a:{number}"}}"#)).collect();
        let text = format!(
            r#"{{"resources":[{}],"nextCursor":"{}"}}"#,
            bad.join(","),
            "n".repeat(1_000)
        );
        let (list, left) = read::<ListResourcesResult>(&text);
        assert_eq!((list.resources.len(), left.len()), (0, 100));
    }
}
