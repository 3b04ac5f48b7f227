//! Rules of the documents, each as what a phone sends and what it must be told, once in every version that has the command.
//!
//! Both are documents as XML text, a little shorter than in full:
//!
//! * `{name}` stands for something that was learned before: the ids of the default folders, and what an answer was asked for;
//! * in an answer, the text `?name` is learned under that name, and `*` is whatever there is, be it text or elements;
//! * a line that begins with `≤12.1`, `≥14.0` or the like is there in these versions alone;
//! * instead of a document, an answer can be `HTTP 400`, or `nothing` for an empty body.
//!
//! The namespace of the root need not be said; other code pages are prefixes.

mod commands;
mod documents;
mod estimates;
mod exchanges;
mod folders;
mod limits;
mod moves;
mod operations;
mod options;
mod pings;
mod properties;
mod short_requests;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use ox_standin::User;
use ox_standin::WebUser;
use oxtender::eas::command;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::PAGES;
use oxtender::wbxml::xml;

use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::SENT;
use crate::device::TASKS;
use crate::device::TRASH;
use crate::device::strict::text_of;
use crate::world::World;

/// What phones learn from their first FolderSync.
const FOLDERS: [(&str, i64); 6] = [
    ("inbox", INBOX),
    ("trash", TRASH),
    ("sent", SENT),
    ("calendar", CALENDAR),
    ("contacts", CONTACTS),
    ("tasks", TASKS),
];

/// A phone that sends what it is told to, its user at the web interface, and what was learned so far.
pub(super) struct Script<'a> {
    pub(super) world: &'a World,
    pub(super) version: ProtocolVersion,
    pub(super) device: Device,
    pub(super) web: WebUser,
    names: BTreeMap<String, String>,
}

/// Plays a scene once for each version in the range, each time with a user of its own.
pub(super) fn play(versions: RangeInclusive<ProtocolVersion>, scene: impl Fn(&mut Script<'_>)) {
    let played = ProtocolVersion::ALL.into_iter().filter(|it| versions.contains(it));
    let users: Vec<(ProtocolVersion, String)> = played.map(|version| (version, login_of(version))).collect();
    let world = World::plan().standin(|builder| {
        let numbered = users.iter().zip(3..);
        numbered.fold(builder, |builder, ((_, login), id)| {
            builder.user(User::new(id, login, "secret"))
        })
    });
    let world = world.start().expect("SQLite is always there");
    for (version, login) in users {
        let mut device = world.device_of(&login, version);
        device.set_up();
        let names = FOLDERS
            .iter()
            .map(|(name, kind)| ((*name).to_owned(), device.folder(*kind)));
        let names = names.collect();
        scene(&mut Script {
            web: world.standin.web(&login),
            world: &world,
            version,
            device,
            names,
        });
    }
}

/// The user who plays a scene in that version.
pub(super) fn login_of(version: ProtocolVersion) -> String {
    format!("anton{}", version.code())
}

/// All versions.
pub(super) fn everywhere() -> RangeInclusive<ProtocolVersion> {
    ProtocolVersion::V2_5..=ProtocolVersion::V16_1
}

/// A version and all after it.
pub(super) fn since(first: ProtocolVersion) -> RangeInclusive<ProtocolVersion> {
    first..=ProtocolVersion::V16_1
}

impl Script<'_> {
    /// What was learned under a name.
    pub(super) fn name(&self, name: &str) -> String {
        let known = self.names.get(name);
        known.unwrap_or_else(|| panic!("{name} was never learned")).clone()
    }

    pub(super) fn learn(&mut self, name: &str, value: &str) {
        self.names.insert(name.to_owned(), value.to_owned());
    }

    /// Sends a document and requires an answer.
    #[track_caller]
    pub(super) fn ask(&mut self, request: &str, expected: &str) {
        let request = self.document(request);
        self.require(&request, expected);
    }

    /// The same for a document that was made otherwise.
    #[track_caller]
    pub(super) fn require(&mut self, request: &Element, expected: &str) {
        let command = xml_name(request);
        let answer = self.device.link.exchange(&self.device.link.wbxml(&command, request));
        let expected = self.lines(expected);
        let context = format!("{} in {}", text_of(request), self.version);
        if let Some(http) = expected.trim().strip_prefix("HTTP ") {
            assert_eq!(answer.status.to_string(), http.trim(), "{context}");
            return;
        }
        let told = self.device.link.read(&answer);
        if expected.trim() == "nothing" {
            assert!(
                told.is_none(),
                "{}: {context}",
                told.as_ref().map(text_of).unwrap_or_default()
            );
            return;
        }
        let told = told.unwrap_or_else(|| panic!("the answer is empty: {context}"));
        let expected = self.document(&expected);
        let mut learned = BTreeMap::new();
        if let Err(reason) = matches(&expected, &told, &mut learned) {
            panic!(
                "{reason}\nexpected {}\ntold {}\nafter {context}",
                text_of(&expected),
                text_of(&told)
            );
        }
        self.names.extend(learned);
    }

    /// A first Sync of a folder, and the one that brings what is there; the key is learned under the folder's name with
    /// ` key` behind it.
    pub(super) fn synced(&mut self, folder: &str) {
        let id = self.name(folder);
        self.device.sync(&id);
        self.adopt_key(folder);
    }

    /// Takes over the key of a folder that the phone has synced by itself.
    pub(super) fn adopt_key(&mut self, folder: &str) {
        let id = self.name(folder);
        let key = self.device.collection(&id).key.clone();
        self.learn(&format!("{folder} key"), &key);
    }

    /// The ServerId of what was made at OX in a folder.
    pub(super) fn server_id(&self, folder: &str, ox_id: impl std::fmt::Display) -> String {
        format!("{}:{ox_id}", self.name(folder))
    }

    pub(super) fn document(&self, text: &str) -> Element {
        let mut text = self.lines(text);
        for (name, value) in &self.names {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        let text = with_namespaces(text.trim());
        xml::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
    }

    /// The lines that are there in this version.
    fn lines(&self, text: &str) -> String {
        let kept = text.lines().filter_map(|line| {
            let (sign, rest) = match line.trim_start().chars().next() {
                Some(sign @ ('≤' | '≥')) => (sign, line.trim_start().trim_start_matches(sign)),
                _ => return Some(line),
            };
            let (bound, rest) = rest.split_once(' ').expect("a version and a line");
            let bound = ProtocolVersion::ALL.into_iter().find(|version| version.name() == bound);
            let bound = bound.unwrap_or_else(|| panic!("no version: {line}"));
            let is_there = if sign == '≤' {
                self.version <= bound
            } else {
                self.version >= bound
            };
            is_there.then_some(rest)
        });
        kept.collect::<Vec<_>>().join("\n")
    }
}

/// The command of a request, which is the name of its root.
fn xml_name(request: &Element) -> String {
    request.tag.name().into_owned()
}

/// Declares all code pages at the root, that of the command as the default.
fn with_namespaces(text: &str) -> String {
    let end = text.find(|c: char| c == '>' || c == '/' || c.is_whitespace());
    let end = end.unwrap_or_else(|| panic!("no document: {text}"));
    let (root, rest) = text.split_at(end);
    let name = root.trim_start_matches('<');
    let command = command::find(name).unwrap_or_else(|| panic!("no command: {name}"));
    let (tag, _) = command.root.expect("a command with documents");
    let default = PAGES.iter().find(|page| page.number == tag.page).expect("a page");
    let prefixes: String = PAGES
        .iter()
        .map(|page| format!(" xmlns:{0}=\"{0}\"", page.name))
        .collect();
    format!("{root} xmlns=\"{}\"{prefixes}{rest}", default.name)
}

/// Whether an answer is what was expected, and what is to be learned from it.
fn matches(expected: &Element, told: &Element, learned: &mut BTreeMap<String, String>) -> Result<(), String> {
    if expected.tag != told.tag {
        return Err(format!("{:?} stands where {:?} should", told.tag, expected.tag));
    }
    let text = expected.as_text().unwrap_or_default();
    if text == "*" {
        return Ok(());
    }
    if let Some(name) = text.strip_prefix('?') {
        let value = told.as_text().unwrap_or_default();
        learned.insert(name.to_owned(), value.to_owned());
        return if value.is_empty() {
            Err(format!("{:?} is empty", told.tag))
        } else {
            Ok(())
        };
    }
    if expected.children().len() != told.children().len() || expected.as_bytes() != told.as_bytes() {
        return Err(format!("{:?} differs", told.tag));
    }
    let mut pairs = expected.children().iter().zip(told.children());
    pairs.try_for_each(|(expected, told)| matches(expected, told, learned))
}
