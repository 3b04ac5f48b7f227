//! Which mail folder has become which, when some have vanished from OX and others have appeared.
//!
//! OX gives a mail folder another id when it is renamed or moved, and so it does to all folders below; nothing says which was
//! which. Three things tell it here: the mails of the one are in the other, under their own ids and of their own time of
//! arrival; a folder above or below has the same fate, since one renaming replaces the beginning of all their ids; and a
//! single empty folder takes the place of a single empty folder. What is doubtful stays apart: the device then gets a new
//! folder in the place of the old one. A folder that comes to lie in the trash was deleted there, and is not followed: a
//! device that deletes it as well would delete it for good.
//!
//! A mistake would lose nothing. What a device has of a folder is compared with what is there, mail by mail, with the time of
//! arrival; of another folder it is told deletions and additions, and what it did to a mail does not happen to another one.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashSet;

/// A folder that the device has, and that is not there any more.
#[derive(Clone, Copy, Debug)]
pub struct Gone<'a> {
    /// At OX.
    pub id: &'a str,
    /// How many mails of it were looked for in the folders that appeared; 0 if the device has none.
    pub sought: usize,
}

/// A folder that the device does not have.
#[derive(Clone, Debug)]
pub struct Appeared<'a> {
    /// At OX.
    pub id: &'a str,
    /// Nothing if it was not looked into, or could not be.
    pub contents: Option<Contents>,
}

/// What a look into a folder brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// How many mails of each folder that is gone are in it, in the order of those.
    pub found: Vec<usize>,
    pub is_empty: bool,
}

/// What is to be known of ids of folders.
#[derive(Clone, Copy, Debug)]
pub struct Naming<'a> {
    /// Stands between the names in an id.
    pub separator: char,
    /// The id of the trash.
    pub trash: Option<&'a str>,
    /// The folders that the user chose for his devices, if he can: of the others the device never heard, new or not.
    pub chosen: Option<&'a HashSet<String>>,
}

/// The ids before and now of the folders that were renamed or moved. No folder is in two pairs.
pub fn renames<'a>(gone: &[Gone<'a>], appeared: &[Appeared<'a>], naming: Naming<'_>) -> Vec<(&'a str, &'a str)> {
    let mut matching = Matching {
        gone,
        appeared,
        old_places: gone.iter().map(|gone| gone.id).zip(0..).collect(),
        new_places: appeared.iter().map(|appeared| appeared.id).zip(0..).collect(),
        naming,
        pairs: BTreeMap::new(),
    };
    matching.by_mails();
    matching.by_place();
    matching.by_being_alone();
    let ids = |(old, new): (&usize, &usize)| Some((gone.get(*old)?.id, appeared.get(*new)?.id));
    matching.pairs.iter().filter_map(ids).collect()
}

/// The rest of the id of a folder that lies below another one, or is it.
pub fn within<'a>(folder: &'a str, above: &str, separator: char) -> Option<&'a str> {
    let rest = folder.strip_prefix(above)?;
    (rest.is_empty() || rest.starts_with(separator)).then_some(rest)
}

struct Matching<'a, 'b> {
    gone: &'b [Gone<'a>],
    appeared: &'b [Appeared<'a>],
    /// Where the ids are among them.
    old_places: BTreeMap<&'a str, usize>,
    new_places: BTreeMap<&'a str, usize>,
    naming: Naming<'b>,
    /// The places of what is gone and of what it has become.
    pairs: BTreeMap<usize, usize>,
}

/// What mails say of two folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Evidence {
    /// Most mails of the one are in the other.
    Same,
    /// Few are.
    Some,
    None,
    /// None is, though there were some.
    Against,
}

impl Matching<'_, '_> {
    /// Those whose mails have one new home, which is that of no other folder.
    fn by_mails(&mut self) {
        let all = self.candidates();
        let same = all.filter(|(old, new)| self.evidence(*old, *new) == Evidence::Same);
        let same = same.collect();
        self.pairs.extend(unambiguous(&same));
    }

    /// Those below what is found, and those above, as far as ids go on alike.
    fn by_place(&mut self) {
        loop {
            let mut proposals = BTreeSet::new();
            for (old, new) in &self.pairs {
                let (Some(old), Some(new)) = (self.gone.get(*old), self.appeared.get(*new)) else {
                    continue;
                };
                proposals.extend(self.below(old.id, new.id));
                proposals.extend(self.above(old.id, new.id));
            }
            let found = unambiguous(&proposals);
            if found.is_empty() {
                return;
            }
            self.pairs.extend(found);
        }
    }

    fn below(&self, old: &str, new: &str) -> Vec<(usize, usize)> {
        let alike = self.gone.iter().filter_map(|gone| {
            let rest = within(gone.id, old, self.naming.separator)?;
            self.candidate(gone.id, &format!("{new}{rest}"))
        });
        alike
            .filter(|(old, new)| self.evidence(*old, *new) != Evidence::Against)
            .collect()
    }

    /// A folder above may be another one, out of which or into which this one was moved: then it holds other mails.
    fn above(&self, mut old: &str, mut new: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        while let (Some((above, name)), Some((new_above, new_name))) = (self.split(old), self.split(new)) {
            if name != new_name {
                break;
            }
            (old, new) = (above, new_above);
            let alike = self
                .candidate(old, new)
                .filter(|(old, new)| match self.evidence(*old, *new) {
                    Evidence::Same | Evidence::Some => true,
                    Evidence::None => self.are_empty(*old, *new),
                    Evidence::Against => false,
                });
            found.extend(alike);
        }
        found
    }

    /// The last one, if it is empty, as the last new one is, and has kept its name or the folder above.
    fn by_being_alone(&mut self) {
        let left: Vec<usize> = (0..self.gone.len())
            .filter(|old| !self.pairs.contains_key(old))
            .collect();
        let [old] = left.as_slice() else {
            return;
        };
        let candidates: Vec<(usize, usize)> = self.candidates().collect();
        let [(_, new)] = candidates.as_slice() else {
            return;
        };
        let ids = self.gone.get(*old).zip(self.appeared.get(*new));
        let splits = ids.and_then(|(old, new)| self.split(old.id).zip(self.split(new.id)));
        let is_alike = splits.is_some_and(|(old, new)| old.0 == new.0 || old.1 == new.1);
        let is_new = ids.is_some_and(|(_, new)| self.naming.chosen.is_none_or(|chosen| chosen.contains(new.id)));
        if is_alike && is_new && self.are_empty(*old, *new) {
            self.pairs.insert(*old, *new);
        }
    }

    /// All pairs of what is not yet in one.
    fn candidates(&self) -> impl Iterator<Item = (usize, usize)> {
        let pairs = (0..self.gone.len()).flat_map(|old| (0..self.appeared.len()).map(move |new| (old, new)));
        pairs.filter(|(old, new)| self.may_pair(*old, *new))
    }

    fn candidate(&self, old: &str, new: &str) -> Option<(usize, usize)> {
        let pair = (*self.old_places.get(old)?, *self.new_places.get(new)?);
        self.may_pair(pair.0, pair.1).then_some(pair)
    }

    fn may_pair(&self, old: usize, new: usize) -> bool {
        let is_taken = self.pairs.contains_key(&old) || self.pairs.values().any(|taken| *taken == new);
        let ids = self.gone.get(old).zip(self.appeared.get(new));
        !is_taken && ids.is_some_and(|(old, new)| !self.is_in_trash(new.id) || self.is_in_trash(old.id))
    }

    fn evidence(&self, old: usize, new: usize) -> Evidence {
        let sought = self.gone.get(old).map_or(0, |gone| gone.sought);
        let contents = self.appeared.get(new).and_then(|new| new.contents.as_ref());
        let found = contents.and_then(|contents| contents.found.get(old).copied());
        match (sought, found) {
            (0, _) | (_, None) => Evidence::None,
            (_, Some(0)) => Evidence::Against,
            (sought, Some(found)) if found * 2 >= sought => Evidence::Same,
            (_, Some(_)) => Evidence::Some,
        }
    }

    fn are_empty(&self, old: usize, new: usize) -> bool {
        let contents = self.appeared.get(new).and_then(|new| new.contents.as_ref());
        let had_none = self.gone.get(old).is_some_and(|gone| gone.sought == 0);
        had_none && contents.is_some_and(|contents| contents.is_empty)
    }

    fn is_in_trash(&self, folder: &str) -> bool {
        let Naming { separator, trash, .. } = self.naming;
        trash.is_some_and(|trash| within(folder, trash, separator).is_some())
    }

    /// The id of the folder above, and the folder's own part.
    fn split<'c>(&self, folder: &'c str) -> Option<(&'c str, &'c str)> {
        folder.rsplit_once(self.naming.separator)
    }
}

/// Those of which neither side is in another pair.
fn unambiguous(pairs: &BTreeSet<(usize, usize)>) -> Vec<(usize, usize)> {
    let alone = |(old, new): &&(usize, usize)| {
        let rivals = pairs.iter().filter(|(other, of)| other == old || of == new);
        rivals.count() == 1
    };
    pairs.iter().filter(alone).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a folder that is gone: its id, and the mails that are looked for.
    type Old<'a> = (&'a str, &'a [u8]);
    /// Of one that appeared: its id, and the mails that are in it; a question mark before the id: it was not looked into.
    type New<'a> = (&'a str, &'a [u8]);

    fn paired<'a>(old: &[Old<'a>], new: &[New<'a>], chosen: Option<&HashSet<String>>) -> Vec<(&'a str, &'a str)> {
        let gone: Vec<Gone<'a>> = old
            .iter()
            .map(|(id, mails)| Gone {
                id,
                sought: mails.len(),
            })
            .collect();
        let appeared: Vec<Appeared<'a>> = new
            .iter()
            .map(|(id, mails)| {
                let found = |(_, sought): &Old<'_>| sought.iter().filter(|mail| mails.contains(mail)).count();
                let contents = Contents {
                    found: old.iter().map(found).collect(),
                    is_empty: mails.is_empty(),
                };
                let hidden = id.strip_prefix('?');
                Appeared {
                    id: hidden.unwrap_or(id),
                    contents: hidden.is_none().then_some(contents),
                }
            })
            .collect();
        let naming = Naming {
            separator: '/',
            trash: Some("d/Trash"),
            chosen,
        };
        let mut pairs = renames(&gone, &appeared, naming);
        pairs.sort_unstable();
        pairs
    }

    #[test]
    fn which_has_become_which() {
        // What it is, what is gone, what appeared, the pairs.
        type Case<'a> = (&'a str, &'a [Old<'a>], &'a [New<'a>], &'a [(&'a str, &'a str)]);
        let cases: &[Case<'_>] = &[
            ("nothing", &[], &[], &[]),
            ("renamed", &[("d/A", &[1, 2])], &[("d/B", &[1, 2])], &[("d/A", "d/B")]),
            ("moved", &[("d/A", &[1, 2])], &[("d/X/A", &[1, 2])], &[("d/A", "d/X/A")]),
            (
                "and a new mail",
                &[("d/A", &[1])],
                &[("d/B", &[1, 9])],
                &[("d/A", "d/B")],
            ),
            (
                "half of it deleted",
                &[("d/A", &[1, 2])],
                &[("d/B", &[2])],
                &[("d/A", "d/B")],
            ),
            ("most of it deleted", &[("d/A", &[1, 2, 3])], &[("d/B", &[3])], &[]),
            ("other mails", &[("d/A", &[1])], &[("d/B", &[2])], &[]),
            ("emptied meanwhile", &[("d/A", &[1])], &[("d/B", &[])], &[]),
            ("not looked into", &[("d/A", &[1])], &[("?d/B", &[1])], &[]),
            ("two copies", &[("d/A", &[1])], &[("d/B", &[1]), ("d/C", &[1])], &[]),
            ("two in one", &[("d/A", &[1]), ("d/B", &[2])], &[("d/C", &[1, 2])], &[]),
            (
                "two at once",
                &[("d/A", &[1]), ("d/B", &[2])],
                &[("d/C", &[2]), ("d/D", &[1])],
                &[("d/A", "d/D"), ("d/B", "d/C")],
            ),
            (
                "with those below",
                &[("d/A", &[1]), ("d/A/x", &[]), ("d/A/x/y", &[2])],
                &[("d/B", &[1]), ("d/B/x", &[7]), ("?d/B/x/y", &[2])],
                &[("d/A", "d/B"), ("d/A/x", "d/B/x"), ("d/A/x/y", "d/B/x/y")],
            ),
            (
                "what lies beside is not below",
                &[("d/A", &[1]), ("d/A2", &[])],
                &[("d/B", &[1]), ("d/B2", &[7])],
                &[("d/A", "d/B")],
            ),
            (
                "two below have changed their names",
                &[("d/A", &[1]), ("d/A/x", &[2]), ("d/A/y", &[3])],
                &[("d/B", &[1]), ("d/B/x", &[3]), ("d/B/y", &[2])],
                &[("d/A", "d/B"), ("d/A/x", "d/B/y"), ("d/A/y", "d/B/x")],
            ),
            (
                "another one below",
                &[("d/A", &[1]), ("d/A/x", &[2])],
                &[("d/B", &[1]), ("d/B/x", &[3])],
                &[("d/A", "d/B")],
            ),
            (
                "an empty one above, and what else is below that",
                &[("d/A", &[]), ("d/A/x", &[1]), ("d/A/y", &[])],
                &[("d/B", &[]), ("d/B/x", &[1]), ("d/B/y", &[5])],
                &[("d/A", "d/B"), ("d/A/x", "d/B/x"), ("d/A/y", "d/B/y")],
            ),
            (
                "moved into a new one, and the old one above deleted",
                &[("d/A", &[]), ("d/A/x", &[1])],
                &[("d/B", &[7]), ("d/B/x", &[1])],
                &[("d/A/x", "d/B/x")],
            ),
            ("empty, renamed", &[("d/A", &[])], &[("d/B", &[])], &[("d/A", "d/B")]),
            ("empty, moved", &[("d/A", &[])], &[("d/X/A", &[])], &[("d/A", "d/X/A")]),
            ("empty, both", &[("d/A", &[])], &[("d/X/B", &[])], &[]),
            ("empty, and then not", &[("d/A", &[])], &[("d/B", &[1])], &[]),
            ("empty, not looked into", &[("d/A", &[])], &[("?d/B", &[])], &[]),
            (
                "two that are empty",
                &[("d/A", &[]), ("d/B", &[])],
                &[("d/C", &[])],
                &[],
            ),
            (
                "for one that is empty",
                &[("d/A", &[])],
                &[("d/B", &[]), ("d/C", &[])],
                &[],
            ),
            (
                "one is left",
                &[("d/A", &[]), ("d/B", &[1])],
                &[("d/C", &[]), ("d/D", &[1])],
                &[("d/A", "d/C"), ("d/B", "d/D")],
            ),
            ("deleted", &[("d/A", &[1])], &[("d/Trash/A", &[1])], &[]),
            ("deleted, empty", &[("d/A", &[])], &[("d/Trash/A", &[])], &[]),
            (
                "deleted with those below",
                &[("d/A", &[1]), ("d/A/x", &[])],
                &[("d/Trash/A", &[1]), ("d/Trash/A/x", &[])],
                &[],
            ),
            (
                "copied, and then deleted",
                &[("d/A", &[1])],
                &[("d/B", &[1]), ("d/Trash/A", &[1])],
                &[("d/A", "d/B")],
            ),
            (
                "deleted, and an empty one renamed",
                &[("d/A", &[]), ("d/X", &[1])],
                &[("d/B", &[]), ("d/Trash/X", &[1])],
                &[],
            ),
            (
                "fetched out of the trash",
                &[("d/Trash/A", &[1])],
                &[("d/A", &[1])],
                &[("d/Trash/A", "d/A")],
            ),
            (
                "renamed in the trash",
                &[("d/Trash/A", &[1])],
                &[("d/Trash/B", &[1])],
                &[("d/Trash/A", "d/Trash/B")],
            ),
        ];
        for (what, gone, appeared, expected) in cases {
            assert_eq!(paired(gone, appeared, None), *expected, "{what}");
        }
    }

    /// A folder that nobody chose may have been there all along: that nothing else has appeared says nothing of it.
    #[test]
    fn what_is_not_chosen_is_not_new() {
        let chosen: HashSet<String> = ["d/B".to_owned()].into();
        // What is gone, what appeared, the pairs.
        type Case<'a> = (&'a [Old<'a>], &'a [New<'a>], &'a [(&'a str, &'a str)]);
        let cases: &[Case<'_>] = &[
            (&[("d/A", &[])], &[("d/B", &[])], &[("d/A", "d/B")]),
            (&[("d/A", &[])], &[("d/C", &[])], &[]),
            (&[("d/A", &[1])], &[("d/C", &[1])], &[("d/A", "d/C")]),
        ];
        for (gone, appeared, expected) in cases {
            assert_eq!(paired(gone, appeared, Some(&chosen)), *expected);
        }
    }

    #[test]
    fn what_lies_within() {
        // Folder, above, the rest.
        let cases = [
            ("d/A", "d/A", Some("")),
            ("d/A/x", "d/A", Some("/x")),
            ("d/A2", "d/A", None),
            ("d/B", "d/A", None),
            ("d", "d/A", None),
        ];
        for (folder, above, rest) in cases {
            assert_eq!(within(folder, above, '/'), rest, "{folder} {above}");
        }
    }
}
