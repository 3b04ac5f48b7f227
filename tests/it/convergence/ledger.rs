//! Every intent of a history, and what must have become of it in the end.
//!
//! An intent lands once, or is refused aloud, or is overridden by one that is not older. An intent is not a moment: it begins
//! when somebody acts and ends when he is told, or when somebody else acts on what has come of it. One intent can be
//! overridden by another unless that one was over before it began; intents of one phone follow each other in the phone's
//! order, whatever the network does, and an addition comes before all that is done to what it made.

use std::collections::BTreeMap;

use super::kinds;
use super::kinds::AtOx;
use super::kinds::Fields;
use super::kinds::KINDS;
use super::ox::Ox;

/// Not over yet.
const OPEN: usize = usize::MAX;

/// Who acts; `None` is the web interface.
pub(super) type Who = Option<usize>;

#[derive(Debug)]
pub(super) struct Ledger {
    ox: Ox,
    /// Grows with every step.
    now: usize,
    /// By title.
    items: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    kind: usize,
    /// OX has a UID for it, and keeps it.
    has_uid: bool,
    addition: Deed,
    /// A request that added it broke off within.
    uncertain: bool,
    /// It may have been carried out, and the gateway does not know that any more.
    forgotten: bool,
    deletions: Vec<Deed>,
    /// It was moved: who deletes it where it was before changes nothing.
    is_moved: bool,
    /// OX has written it anew: whoever made it may get it once.
    is_rewritten: bool,
    writes: Vec<Write>,
}

/// One field of one item gets a value.
#[derive(Debug)]
struct Write {
    field: usize,
    value: String,
    deed: Deed,
    /// When somebody else acted who saw the value: it had landed.
    seen: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
struct Deed {
    by: Who,
    from: usize,
    until: usize,
    told: Told,
}

/// What the one who acted knows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    Nothing,
    Done,
    Refused,
    /// The phone's user went on before the phone was told. It may have landed in between.
    Overtaken,
}

impl Deed {
    /// Whether it was over when the other began.
    fn is_before(&self, other: &Self) -> bool {
        let in_order = self.by.is_some() && self.by == other.by && self.from < other.from;
        in_order || self.until < other.from
    }
}

impl Ledger {
    /// Of what happens at this OX.
    pub(super) const fn new(ox: Ox) -> Self {
        Self {
            ox,
            now: 0,
            items: BTreeMap::new(),
        }
    }

    pub(super) const fn tick(&mut self) {
        self.now += 1;
    }

    fn deed(&self, by: Who) -> Deed {
        let (until, told) = match by {
            None => (self.now, Told::Done),
            Some(_) => (OPEN, Told::Nothing),
        };
        Deed {
            by,
            from: self.now,
            until,
            told,
        }
    }

    pub(super) fn add(&mut self, kind: usize, title: &str, by: Who, fields: &Fields) {
        let addition = self.deed(by);
        let write = |(field, value): (usize, &String)| Write {
            field,
            value: value.clone(),
            deed: addition,
            seen: None,
        };
        let entry = Entry {
            kind,
            has_uid: self.ox.keeps_uids(kind),
            addition,
            uncertain: false,
            forgotten: false,
            deletions: Vec::new(),
            is_moved: false,
            is_rewritten: false,
            writes: fields.iter().enumerate().map(write).collect(),
        };
        self.items.insert(title.to_owned(), entry);
    }

    /// Returns the number of the write, for [`Ledger::tell_write`].
    pub(super) fn write(&mut self, title: &str, by: Who, field: usize, value: &str) -> usize {
        let deed = self.deed(by);
        let writes = &mut self.entry(title).writes;
        writes.push(Write {
            field,
            value: value.to_owned(),
            deed,
            seen: None,
        });
        writes.len() - 1
    }

    /// Somebody is going to act on an item, of which he sees these values.
    pub(super) fn see(&mut self, title: &str, by: Who, fields: &Fields) {
        let now = self.now;
        let entry = self.entry(title);
        let others = entry.writes.iter_mut().filter(|write| write.deed.by != by);
        for write in others.filter(|write| kinds::tells_writes_apart(entry.kind, write.field)) {
            if write.value == fields[write.field] {
                write.seen.get_or_insert(now);
            }
        }
    }

    pub(super) fn relocate(&mut self, title: &str) {
        self.entry(title).is_moved = true;
    }

    pub(super) fn rewrite(&mut self, title: &str) {
        self.entry(title).is_rewritten = true;
    }

    pub(super) fn delete(&mut self, title: &str, by: Who) {
        let deed = self.deed(by);
        self.entry(title).deletions.push(deed);
    }

    /// A request with the addition broke off within: what it left at OX is known again only if it is still there, and has
    /// its UID or is as it was.
    pub(super) fn make_uncertain(&mut self, title: &str) {
        self.entry(title).uncertain = true;
    }

    /// The gateway has lost its record of the addition.
    pub(super) fn forget(&mut self, title: &str) {
        self.entry(title).forgotten = true;
    }

    /// Whether an addition can have been repeated rightly, because the first one could not be recognized any more.
    pub(super) fn may_be_doubled(&self, title: &str) -> bool {
        self.items.get(title).is_some_and(Entry::may_be_doubled)
    }

    /// The phone that added it is told.
    pub(super) fn tell_addition(&mut self, title: &str, told: Told) {
        let until = self.now;
        let entry = self.entry(title);
        let from = entry.addition.from;
        let own = entry.writes.iter_mut().filter(|write| write.deed.from == from);
        for deed in own.map(|write| &mut write.deed).chain([&mut entry.addition]) {
            (deed.until, deed.told) = (until, told);
        }
    }

    /// `disturbed`: it may have been carried out more than once, so that it was not over when somebody saw it.
    pub(super) fn tell_write(&mut self, title: &str, number: usize, told: Told, disturbed: bool) {
        let now = self.now;
        let write = &mut self.entry(title).writes[number];
        let seen = write.seen.filter(|_| !disturbed);
        write.deed.until = seen.map_or(now, |seen| seen - 1);
        write.deed.told = told;
    }

    pub(super) fn tell_deletion(&mut self, title: &str, by: Who, told: Told) {
        let until = self.now;
        for deed in &mut self.entry(title).deletions {
            if deed.by == by && deed.told == Told::Nothing {
                (deed.until, deed.told) = (until, told);
            }
        }
    }

    /// Whether anybody else ever changed the item.
    pub(super) fn is_touched_by_others(&self, title: &str, by: Who) -> bool {
        let entry = self.items.get(title);
        entry.is_none_or(|entry| {
            let mut changes = entry
                .writes
                .iter()
                .filter(|write| write.deed.from != entry.addition.from);
            entry.is_rewritten || changes.any(|write| write.deed.by != by)
        })
    }

    /// Holds what is at OX against the intents, when all is quiet. Says everything that is wrong.
    pub(super) fn verdict(&self, at_ox: &[(usize, AtOx)]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (_, item) in at_ox.iter().filter(|(_, item)| !self.items.contains_key(&item.title)) {
            wrong.push(format!("nobody made {:?}: {item:?}", item.title));
        }
        for (title, entry) in &self.items {
            let found: Vec<&AtOx> = at_ox
                .iter()
                .filter(|(_, item)| item.title == *title)
                .map(|(_, item)| item)
                .collect();
            if let Some(what) = entry.verdict(&found) {
                let name = KINDS[entry.kind].name;
                wrong.push(format!("{title} of {name}: {what}; at OX {found:?}; {entry:#?}"));
            }
        }
        wrong
    }

    fn entry(&mut self, title: &str) -> &mut Entry {
        self.items
            .get_mut(title)
            .unwrap_or_else(|| panic!("{title} is nobody's"))
    }
}

impl Entry {
    fn verdict(&self, found: &[&AtOx]) -> Option<String> {
        let deeds = self.writes.iter().map(|write| &write.deed).chain(&self.deletions);
        if deeds.chain([&self.addition]).any(|deed| deed.told == Told::Nothing) {
            return Some("somebody was never told".to_owned());
        }
        let may_be_gone = self.deletions.iter().any(|deed| deed.told != Told::Refused);
        if self.may_be_doubled() && (may_be_gone || !found.is_empty()) {
            return None;
        }
        let must_be_gone = self.deletions.iter().any(|deed| deed.told == Told::Done);
        match (self.addition.told, found) {
            (Told::Refused, []) => None,
            (Told::Refused, _) => Some("it was refused and is there".to_owned()),
            (_, []) if may_be_gone => None,
            (_, []) => Some("lost".to_owned()),
            (_, [_]) if must_be_gone && !self.is_moved => Some("it was deleted and is there".to_owned()),
            (_, [item]) => (0..item.fields.len()).find_map(|field| self.verdict_of(field, &item.fields[field])),
            _ => Some("doubled".to_owned()),
        }
    }

    /// Somebody deleted it before the phone could ask for it again, and with it the UID by which it is recognized; or changed
    /// it where it has none.
    fn may_be_doubled(&self) -> bool {
        let writes = self.writes.iter().filter(|_| !self.has_uid);
        let writes = writes.map(|write| &write.deed);
        let others = writes.chain(&self.deletions).filter(|deed| deed.by != self.addition.by);
        let until = self.addition.until;
        self.forgotten || self.uncertain && { others }.any(|deed| deed.from <= until)
    }

    /// The value must be somebody's whom nobody overrode.
    fn verdict_of(&self, field: usize, value: &str) -> Option<String> {
        let writes = || self.writes.iter().filter(|write| write.field == field);
        let valid = |write: &&Write| write.deed.told != Told::Refused && write.value == value;
        // Who changes an item has it from there.
        let is_added = |write: &Write| write.deed.from == self.addition.from;
        let is_before = |write: &Write, other: &Write| match is_added(write) {
            true => !is_added(other),
            false => write.deed.is_before(&other.deed),
        };
        let overridden = |write: &Write| {
            writes().any(|other| other.deed.told == Told::Done && other.value != value && is_before(write, other))
        };
        if writes().filter(valid).any(|write| !overridden(write)) {
            return None;
        }
        Some(format!("field {field} must not be {value:?}"))
    }
}
