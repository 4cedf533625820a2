//! What a server has of one kind, and its pages.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::ops::Bound;
use std::sync::OnceLock;

use super::BuildError;
use super::cursor::Cursor;
use super::invocation::Run;
use super::offered::Offered;
use super::pending::Registered;
use crate::handle::sync::{Mutex, lock};
use crate::jsonrpc::{ErrorObject, RawJson};
use crate::model::HasCacheHints;
use crate::revision::Revision;
use crate::server::{CacheHints, ResultBody};

/// What a server has of one kind: in the order in which the names came first, found by name, changed while it runs.
///
/// Its lock is held for a look or a change, and never while a handler runs or a page is written.
pub(super) struct Catalog<T: Offered> {
    shelf: Mutex<Arc<Shelf<T>>>,
    layout: Layout,
}

/// How a list is shown.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    pub(super) page_size: NonZeroUsize,
    /// What is said to caches; `None` leaves it to what is said for all results.
    pub(super) hints: Option<CacheHints>,
}

/// The state of a catalog between two changes.
struct Shelf<T: Offered> {
    entries: BTreeMap<u64, Arc<Entry<T>>>,
    numbers: BTreeMap<Box<str>, u64>,
    next: u64,
    /// The pages, written when the first client asks: lists are asked for by all, and change with no request. One set for
    /// the revisions with structured values and one for those without.
    written: [OnceLock<Vec<Written>>; 2],
}

/// A page that is written.
struct Written {
    /// The number of the last entry before it.
    after: Option<u64>,
    body: ResultBody,
}

/// One thing of a catalog.
pub(super) struct Entry<T: Offered> {
    pub(super) item: T,
    pub(super) made: T::Made,
    pub(super) run: Arc<dyn Run>,
}

impl<T: Offered> Catalog<T> {
    pub(super) fn new(all: Vec<Registered<T>>, layout: Layout) -> Result<Self, BuildError> {
        let mut shelf = Shelf::default();
        for registered in all {
            shelf.put(Entry::new(registered)?);
        }
        Ok(Self {
            shelf: Mutex::new(Arc::new(shelf)),
            layout,
        })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.now().entries.is_empty()
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Entry<T>>> {
        let shelf = lock(&self.shelf);
        let number = shelf.numbers.get(name)?;
        shelf.entries.get(number).cloned()
    }

    /// The first entry, in order, that `pick` gives something for.
    pub(super) fn find_map<U>(&self, pick: impl FnMut(&Arc<Entry<T>>) -> Option<U>) -> Option<U> {
        self.now().entries.values().find_map(pick)
    }

    /// Adds something, or puts it in the place of what went by its name.
    pub(super) fn put(&self, registered: Registered<T>) -> Result<(), BuildError> {
        let entry = Entry::new(registered)?;
        // Copied only while somebody writes a page of it.
        let before = self.change(|shelf| shelf.put(entry));
        drop(before);
        Ok(())
    }

    /// Removes something; whether it was there.
    pub(super) fn remove(&self, name: &str) -> bool {
        // What was removed is dropped where no lock is held: it is a closure of the application.
        self.change(|shelf| shelf.remove(name)).is_some()
    }

    pub(super) fn names(&self) -> Vec<String> {
        let shelf = self.now();
        shelf.entries.values().map(|entry| entry.item.name().into()).collect()
    }

    /// The page that starts at `cursor`, as it is written.
    ///
    /// A cursor that is none of this list is −32602 (Pagination, Error Handling: SHOULD).
    pub(super) fn page(&self, cursor: Option<&str>, revision: Revision) -> Result<ResultBody, ErrorObject> {
        let shelf = self.now();
        let after = shelf.after(cursor)?;
        let written = shelf.written(&self.layout, revision);
        match written.iter().find(|page| page.after == after) {
            Some(page) => Ok(page.body.clone()),
            // The list has changed since the cursor was given.
            None => Ok(shelf.write(after, &self.layout, revision).0),
        }
    }

    /// The page that starts at `cursor`, to be joined with another's, and whether there is one after it; `None` where the
    /// cursor is another's.
    pub(super) fn joined(&self, cursor: Option<&str>, revision: Revision) -> Option<(T::Page, bool)> {
        let shelf = self.now();
        let after = shelf.after(cursor).ok()?;
        let (page, next) = shelf.take(after, &self.layout, revision);
        Some((page, next.is_some()))
    }

    fn now(&self) -> Arc<Shelf<T>> {
        lock(&self.shelf).clone()
    }

    fn change<U>(&self, act: impl FnOnce(&mut Shelf<T>) -> U) -> U {
        act(Arc::make_mut(&mut lock(&self.shelf)))
    }
}

impl<T: Offered> Entry<T> {
    fn new(registered: Registered<T>) -> Result<Arc<Self>, BuildError> {
        let Registered { item, run } = registered;
        let made = item.made()?;
        Ok(Arc::new(Self { item, made, run }))
    }
}

impl<T: Offered> Shelf<T> {
    /// Gives back what was in its place, where clients go on to see it: they see the order in which names came first.
    fn put(&mut self, entry: Arc<Entry<T>>) -> Option<Arc<Entry<T>>> {
        self.written = Default::default();
        let number = self.numbers.get(entry.item.name()).copied().unwrap_or(self.next);
        if number == self.next {
            self.next += 1;
            self.numbers.insert(entry.item.name().into(), number);
        }
        self.entries.insert(number, entry)
    }

    fn remove(&mut self, name: &str) -> Option<Arc<Entry<T>>> {
        let number = self.numbers.remove(name)?;
        self.written = Default::default();
        self.entries.remove(&number)
    }

    /// The number that a page starts after. A name counts more than a number: another process may count differently.
    fn after(&self, cursor: Option<&str>) -> Result<Option<u64>, ErrorObject> {
        let Some(cursor) = cursor else { return Ok(None) };
        let cursor = Cursor::decode(T::LIST.as_str(), cursor);
        let number = cursor.and_then(|cursor| match self.numbers.get(cursor.name.as_str()) {
            Some(number) => Some(*number),
            None => Some(cursor.number).filter(|number| *number < self.next),
        });
        number
            .map(Some)
            .ok_or_else(|| ErrorObject::invalid_params("unknown cursor"))
    }

    fn written(&self, layout: &Layout, revision: Revision) -> &[Written] {
        let [with, without] = &self.written;
        let written = if revision.has_structured_values() {
            with
        } else {
            without
        };
        written.get_or_init(|| {
            let mut pages = Vec::new();
            let mut after = None;
            loop {
                let (body, next) = self.write(after, layout, revision);
                pages.push(Written { after, body });
                match next {
                    Some(number) => after = Some(number),
                    None => return pages,
                }
            }
        })
    }

    /// A page as it goes out, and where the next one starts.
    fn write(&self, after: Option<u64>, layout: &Layout, revision: Revision) -> (ResultBody, Option<u64>) {
        let (page, next) = self.take(after, layout, revision);
        let json = RawJson::from_serialize(&page).unwrap_or(RawJson::empty_object());
        let body = match layout.hints {
            None => ResultBody::plain(json),
            Some(_) => ResultBody::from_raw(json).unwrap_or(ResultBody::EMPTY),
        };
        (body, next)
    }

    fn take(&self, after: Option<u64>, layout: &Layout, revision: Revision) -> (T::Page, Option<u64>) {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut entries = self.entries.range((start, Bound::Unbounded)).peekable();
        let page: Vec<_> = entries.by_ref().take(layout.page_size.get()).collect();
        let is_last = entries.peek().is_none();
        let last = page.last().filter(|_| !is_last);
        let cursor = last.map(|(number, entry)| Cursor {
            number: **number,
            name: entry.item.name().into(),
        });
        let next = cursor.as_ref().map(|cursor| cursor.encode(T::LIST.as_str()));
        let items = page.iter().map(|(_, entry)| entry.item.seen_by(revision)).collect();
        let mut page = T::page(items, next);
        if let Some(hints) = &layout.hints {
            *page.ttl_ms_mut() = Some(hints.ttl_ms);
            *page.cache_scope_mut() = Some(hints.scope.clone());
        }
        (page, cursor.map(|cursor| cursor.number))
    }
}

impl<T: Offered> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            numbers: BTreeMap::new(),
            next: 0,
            written: Default::default(),
        }
    }
}

/// What is written is written anew: a copy is made in order to be changed.
impl<T: Offered> Clone for Shelf<T> {
    fn clone(&self) -> Self {
        Self {
            entries: self.entries.clone(),
            numbers: self.numbers.clone(),
            next: self.next,
            written: Default::default(),
        }
    }
}
