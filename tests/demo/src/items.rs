//! An item of the phone as one line for people, and the folders as a tree.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::contacts;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::tasks;

use crate::device::Folder;

/// The zone of the users at the stand-in.
const ZONE: &str = "Europe/Berlin";

/// Lines of each class.
const SHOWN: usize = 3;

/// [MS-ASCMD] Type (FolderSync).
const KINDS: [(i64, &str); 12] = [
    (2, "inbox"),
    (3, "drafts"),
    (4, "deleted items"),
    (5, "sent items"),
    (6, "outbox"),
    (7, "tasks"),
    (8, "calendar"),
    (9, "contacts"),
    (12, "mail"),
    (13, "calendar"),
    (14, "contacts"),
    (15, "tasks"),
];

/// The newest mails.
pub(crate) fn mails(items: &BTreeMap<String, Element>) -> Vec<String> {
    let mut mails: Vec<(Timestamp, String)> = items
        .values()
        .filter_map(|mail| Some((instant(mail, email::DATE_RECEIVED)?, mail_line(mail))))
        .collect();
    mails.sort();
    let newest = mails.into_iter().rev().take(SHOWN);
    newest
        .map(|(received, line)| format!("{}  {line}", shown(received)))
        .collect()
}

/// The next appointments.
pub(crate) fn appointments(items: &BTreeMap<String, Element>, now: Timestamp) -> Vec<String> {
    let mut next: Vec<(Timestamp, String)> = items
        .values()
        .filter_map(|item| Some((instant(item, calendar::START_TIME)?, item)))
        .filter(|(start, _)| *start >= now)
        .map(|(start, item)| {
            let series = item.child(calendar::RECURRENCE).map_or("", |_| ", repeated");
            (start, format!("{}{series}", text(item, calendar::SUBJECT)))
        })
        .collect();
    next.sort();
    let next = next.into_iter().take(SHOWN);
    next.map(|(start, line)| format!("{}  {line}", shown(start))).collect()
}

/// Some contacts, in the order of a phone book.
pub(crate) fn people(items: &BTreeMap<String, Element>) -> Vec<String> {
    let mut names: Vec<String> = items
        .values()
        .filter(|contact| !text(contact, contacts::FILE_AS).is_empty())
        .map(|contact| {
            let company = text(contact, contacts::COMPANY_NAME);
            let separator = if company.is_empty() { "" } else { ", " };
            format!("{}{separator}{company}", text(contact, contacts::FILE_AS))
        })
        .collect();
    names.sort();
    names.dedup();
    names.truncate(SHOWN);
    names
}

/// Some tasks.
pub(crate) fn to_do(items: &BTreeMap<String, Element>) -> Vec<String> {
    let subjects = items.values().filter(|task| !text(task, tasks::SUBJECT).is_empty());
    subjects
        .take(SHOWN)
        .map(|task| match instant(task, tasks::UTC_DUE_DATE) {
            Some(due) => format!("{}, due {}", text(task, tasks::SUBJECT), due.strftime("%-d %b")),
            None => text(task, tasks::SUBJECT).to_owned(),
        })
        .collect()
}

pub(crate) fn mail_line(mail: &Element) -> String {
    format!("{}: {}", name(text(mail, email::FROM)), text(mail, email::SUBJECT))
}

/// The folders as a tree, each with what it is for.
pub(crate) fn tree(folders: &BTreeMap<String, Folder>) -> Vec<String> {
    let mut lines = Vec::new();
    branch(folders, "0", "", &mut lines);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    lines
        .into_iter()
        .map(|(name, kind)| format!("{name:<width$}   {kind}"))
        .collect()
}

fn branch(folders: &BTreeMap<String, Folder>, parent: &str, indent: &str, lines: &mut Vec<(String, &str)>) {
    let mut children: Vec<(&String, &Folder)> = folders.iter().filter(|(_, folder)| folder.parent == parent).collect();
    children.sort_by_key(|(_, folder)| (folder.kind, &folder.name));
    let last = children.len().saturating_sub(1);
    for (place, (id, folder)) in children.into_iter().enumerate() {
        let (knot, below) = if place == last {
            ("└─ ", "   ")
        } else {
            ("├─ ", "│  ")
        };
        let kind = KINDS.iter().find(|(kind, _)| *kind == folder.kind);
        lines.push((
            format!("{indent}{knot}{}", folder.name),
            kind.map_or("other", |(_, name)| name),
        ));
        branch(folders, id, &format!("{indent}{below}"), lines);
    }
}

/// `Eva Meier` of `"Eva Meier" <eva@example.org>`, or the address.
fn name(address: &str) -> &str {
    let name = address.split('<').next().unwrap_or_default().trim().trim_matches('"');
    if name.is_empty() { address } else { name }
}

pub(crate) fn text(item: &Element, tag: Tag) -> &str {
    item.child_text(tag).unwrap_or_default()
}

/// Both forms: `20261125T093000Z` and `2026-11-25T09:30:00.000Z`.
fn instant(item: &Element, tag: Tag) -> Option<Timestamp> {
    item.child_text(tag)?.parse().ok()
}

/// `Wed 25 Nov 09:30` where the user lives.
fn shown(instant: Timestamp) -> String {
    let zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    zone.to_datetime(instant).strftime("%a %e %b %H:%M").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree() {
        let folder = |parent: &str, name: &str, kind| Folder {
            parent: parent.to_owned(),
            name: name.to_owned(),
            kind,
        };
        let folders = BTreeMap::from([
            ("a".to_owned(), folder("0", "Inbox", 2)),
            ("b".to_owned(), folder("a", "Bridges", 12)),
            ("c".to_owned(), folder("0", "Tasks", 7)),
        ]);
        let expected = ["├─ Inbox        inbox", "│  └─ Bridges   mail", "└─ Tasks        tasks"];
        assert_eq!(tree(&folders), expected);
    }

    #[test]
    fn both_forms_of_times_are_read() {
        for form in ["20261125T093000Z", "2026-11-25T09:30:00.000Z"] {
            let item = Element::parent(email::DATE_RECEIVED, [Element::text(email::DATE_RECEIVED, form)]);
            let instant = instant(&item, email::DATE_RECEIVED).expect("a time");
            assert_eq!(shown(instant), "Wed 25 Nov 10:30", "{form}");
        }
    }

    #[test]
    fn senders() {
        assert_eq!(name("\"Eva Meier\" <eva@example.org>"), "Eva Meier");
        assert_eq!(name("eva@example.org"), "eva@example.org");
        assert_eq!(name("<eva@example.org>"), "<eva@example.org>");
    }
}
