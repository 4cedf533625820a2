//! Which tools of a server are taken, and what they are called.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};

use super::overrides::ToolOverrides;
use super::signature::Signature;

/// Which tools of a server are taken, and what they are called: plain data, to be kept in a configuration. Names in
/// here are those of the server.
///
/// The default takes all tools under their own names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ToolSelection {
    /// Takes these alone. One that the server does not have is a problem of the listing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub only: Option<BTreeSet<String>>,
    /// Leaves these out.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<String>,
    /// Comes before every name, except those that are given in `overrides`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// What is said of tools in place of the server.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, ToolOverrides>,
    /// What the arguments of tools are expected to be. A tool that is otherwise is a problem of the listing, and not
    /// among its tools.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub signatures: BTreeMap<String, Signature>,
}

impl ToolSelection {
    /// Whether the tool that the server calls `own` is taken.
    pub fn takes(&self, own: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(own)) && !self.except.contains(own)
    }

    /// What the tool that the server calls `own` is called here.
    pub fn shown(&self, own: &str) -> String {
        match (self.given(own), &self.prefix) {
            (Some(name), _) => name.to_string(),
            (None, Some(prefix)) => format!("{prefix}{own}"),
            (None, None) => own.to_string(),
        }
    }

    /// What the server calls the tools that may be called `shown` here: more than one where a name that is given to one
    /// is given to another, or is the regular name of another, as well.
    pub fn own<'a>(&'a self, shown: &'a str) -> impl Iterator<Item = &'a str> {
        let given = self
            .overrides
            .iter()
            .filter(move |(_, overrides)| overrides.name.as_deref() == Some(shown))
            .map(|(own, _)| own.as_str());
        let regular = match &self.prefix {
            Some(prefix) => shown.strip_prefix(prefix.as_str()),
            None => Some(shown),
        };
        // A tool that was given a name is not called by its regular one.
        let regular = regular.filter(|own| self.given(own).is_none());
        given.chain(regular).filter(|own| self.takes(own))
    }

    /// The name that is given to a tool.
    fn given(&self, own: &str) -> Option<&str> {
        self.overrides.get(own)?.name.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn selection() -> ToolSelection {
        ToolSelection {
            except: ["secret".into()].into(),
            prefix: Some("x_".into()),
            overrides: [
                ("read".into(), ToolOverrides::name("open")),
                ("stat".into(), ToolOverrides::description("d")),
                ("odd".into(), ToolOverrides::name("x_list")),
            ]
            .into(),
            ..ToolSelection::default()
        }
    }

    fn own<'a>(selection: &'a ToolSelection, shown: &'a str) -> Vec<&'a str> {
        selection.own(shown).collect()
    }

    #[test]
    fn names_go_both_ways() {
        let selection = selection();
        for (name, shown) in [("read", "open"), ("stat", "x_stat"), ("other", "x_other"), ("", "x_")] {
            assert_eq!(selection.shown(name), shown);
            assert_eq!(own(&selection, shown), [name]);
        }
        assert_eq!(own(&selection, "x_read"), [""; 0], "it has another name");
        assert_eq!(own(&selection, "stat"), [""; 0], "without its prefix");
        assert_eq!(own(&selection, "x_secret"), [""; 0]);
        assert_eq!(own(&selection, "x_list"), ["odd", "list"]);
        assert_eq!(own(&ToolSelection::default(), "any"), ["any"]);
    }

    #[test]
    fn only_and_except_are_about_the_servers_names() {
        let only = ToolSelection {
            only: Some(["a".into(), "b".into()].into()),
            except: ["b".into()].into(),
            ..ToolSelection::default()
        };
        assert!(only.takes("a") && !only.takes("b") && !only.takes("c"));
    }

    #[test]
    fn it_is_kept_as_json() {
        let text = serde_json::to_string(&selection()).unwrap();
        assert_eq!(serde_json::from_str::<ToolSelection>(&text).unwrap(), selection());
        assert_eq!(serde_json::to_string(&ToolSelection::default()).unwrap(), "{}");
        assert!(
            serde_json::from_str::<ToolSelection>(r#"{"onyl":["a"]}"#).is_err(),
            "a slip would take all"
        );
    }
}
