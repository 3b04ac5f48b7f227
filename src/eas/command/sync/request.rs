//! A Sync request as types.
//!
//! Pure. The order of elements does not matter, what is not known is ignored. Implements [MS-ASCMD] Sync (request).

use std::time::Duration;

use crate::content::Class;
use crate::eas::command::LONGEST_ID;
use crate::eas::options::TEXT_MESSAGE;
use crate::usm::ids;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V2_5;
use crate::version::ProtocolVersion::V12_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync as tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email2;

/// [MS-ASCMD] WindowSize: when it is absent, and at most.
const DEFAULT_WINDOW: usize = 100;
pub(in crate::eas::command) const LARGEST_WINDOW: usize = 512;

/// More commands than this in one request are refused.
pub(in crate::eas::command) const MOST_COMMANDS: usize = 200;

/// Without GetChanges a device wants changes in these versions; before, it has to ask.
const WANTS_CHANGES: VersionRange = VersionRange::since(V12_0);

/// A class alone names the default folder of its items in these versions.
const NAMES_BY_CLASS: VersionRange = VersionRange::until(V2_5);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) collections: Vec<Collection>,
    /// How long the device waits for changes.
    pub(super) wait: Option<Wait>,
    /// The window over all collections.
    pub(super) window: usize,
}

/// Wait is in minutes, HeartbeatInterval in seconds; an error names the bound in the unit of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Minutes(u64),
    Seconds(u64),
}

impl Wait {
    pub(super) const fn duration(self) -> Duration {
        match self {
            Self::Minutes(minutes) => Duration::from_secs(minutes.saturating_mul(60)),
            Self::Seconds(seconds) => Duration::from_secs(seconds),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collection {
    /// What the device says it holds; it can be wrong.
    pub(super) class: Option<Class>,
    pub(super) sync_key: String,
    /// Empty where the class alone names the folder.
    pub(super) id: String,
    pub(super) supported: Option<Element>,
    /// `None`: what the device asked for last.
    pub(super) options: Option<Vec<Element>>,
    pub(super) wants_changes: bool,
    pub(super) window: usize,
    /// Deletions go to the trash.
    pub(super) deletes_as_moves: bool,
    /// A filter takes in whole conversations. `None`: not said.
    pub(super) conversations: Option<bool>,
    pub(super) commands: Vec<Command>,
}

/// A change the device made, or an item it wants whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Add {
        client_id: String,
        data: Element,
        /// The draft goes out at once.
        send: bool,
    },
    Change {
        server_id: String,
        instance: Option<String>,
        data: Element,
        /// The draft goes out.
        send: bool,
    },
    Delete {
        server_id: String,
        instance: Option<String>,
    },
    Fetch {
        server_id: String,
    },
    /// The addition of a text message: some phones upload theirs unasked, and have to hear that it worked.
    TextMessage {
        client_id: String,
    },
}

/// The whole request cannot be understood: Status 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Invalid;

pub(super) fn parse(root: &Element, version: ProtocolVersion) -> Result<Request, Invalid> {
    let collections = root.child(tag::COLLECTIONS).ok_or(Invalid)?;
    let collections: Vec<Collection> = collections
        .children_of(tag::COLLECTION)
        .map(|element| collection(element, version))
        .collect::<Result<_, _>>()?;
    let commands: usize = collections.iter().map(|collection| collection.commands.len()).sum();
    if commands > MOST_COMMANDS {
        return Err(Invalid);
    }
    let minutes = number(root, tag::WAIT)?.map(Wait::Minutes);
    let seconds = number(root, tag::HEARTBEAT_INTERVAL)?.map(Wait::Seconds);
    if minutes.is_some() && seconds.is_some() {
        return Err(Invalid);
    }
    // Android waits for nothing when all its folders are switched off, and does not take an error for that.
    if collections.is_empty() && minutes.or(seconds).is_none() {
        return Err(Invalid);
    }
    let window = number(root, tag::WINDOW_SIZE)?;
    Ok(Request {
        collections,
        wait: minutes.or(seconds),
        window: window.map_or(LARGEST_WINDOW, limit),
    })
}

fn collection(element: &Element, version: ProtocolVersion) -> Result<Collection, Invalid> {
    let required = |tag| element.child_text(tag).map(str::trim).filter(|text| is_id(text));
    let sync_key = required(tag::SYNC_KEY).ok_or(Invalid)?.to_owned();
    let options: Vec<Element> = element.children_of(tag::OPTIONS).cloned().collect();
    let commands = element.child(tag::COMMANDS).map_or(&[][..], Element::children);
    let commands = commands
        .iter()
        .filter_map(|element| command(element).transpose())
        .collect::<Result<Vec<_>, _>>()?;
    // A device that only fetches cannot take changes in the same answer.
    let only_fetches = !commands.is_empty() && commands.iter().all(|it| matches!(it, Command::Fetch { .. }));
    let wants_changes = match flag(element, tag::GET_CHANGES) {
        Some(wanted) => wanted,
        None => sync_key != "0" && WANTS_CHANGES.contains(version),
    };
    let class = required(tag::CLASS).and_then(Class::from_name);
    let id = match required(tag::COLLECTION_ID) {
        Some(id) => id.to_owned(),
        None if class.is_some() && NAMES_BY_CLASS.contains(version) => String::new(),
        None => return Err(Invalid),
    };
    Ok(Collection {
        class,
        sync_key,
        id,
        supported: element.child(tag::SUPPORTED).cloned(),
        options: (!options.is_empty()).then_some(options),
        wants_changes: wants_changes && !only_fetches,
        window: number(element, tag::WINDOW_SIZE)?.map_or(DEFAULT_WINDOW, limit),
        deletes_as_moves: flag(element, tag::DELETES_AS_MOVES).unwrap_or(true),
        conversations: flag(element, tag::CONVERSATION_MODE),
        commands,
    })
}

/// `None` for a command without the id that names its item, for what is done to a text message that was never kept, and
/// for what is no command: ignored.
fn command(element: &Element) -> Result<Option<Command>, Invalid> {
    let id = |tag| {
        element
            .child_text(tag)
            .map(str::trim)
            .filter(|id| !id.is_empty())
            .map(str::to_owned)
    };
    if [tag::CLIENT_ID, tag::SERVER_ID]
        .iter()
        .any(|tag| id(*tag).is_some_and(|id| !is_id(&id)))
    {
        return Err(Invalid);
    }
    let data = || {
        element
            .child(tag::APPLICATION_DATA)
            .cloned()
            .unwrap_or(Element::empty(tag::APPLICATION_DATA))
    };
    let instance = id(airsyncbase::INSTANCE_ID);
    let is_text_message = id(tag::SERVER_ID).is_some_and(|id| ids::is_text_message(&id));
    let send = flag(element, email2::SEND).unwrap_or(false);
    Ok(match element.tag {
        tag::ADD if id(tag::CLASS).as_deref() == Some(TEXT_MESSAGE) => Some(Command::TextMessage {
            client_id: id(tag::CLIENT_ID).ok_or(Invalid)?,
        }),
        tag::ADD => Some(Command::Add {
            client_id: id(tag::CLIENT_ID).ok_or(Invalid)?,
            data: data(),
            send,
        }),
        tag::CHANGE | tag::DELETE if is_text_message => None,
        tag::CHANGE => id(tag::SERVER_ID).map(|server_id| Command::Change {
            server_id,
            instance,
            data: data(),
            send,
        }),
        tag::DELETE => id(tag::SERVER_ID).map(|server_id| Command::Delete { server_id, instance }),
        tag::FETCH => id(tag::SERVER_ID).map(|server_id| Command::Fetch { server_id }),
        _ => None,
    })
}

/// Whether a text can be an id or a key.
fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
}

/// 0 and too much both mean "as much as may be".
fn limit(window: u64) -> usize {
    match usize::try_from(window) {
        Ok(window @ 1..=LARGEST_WINDOW) => window,
        _ => LARGEST_WINDOW,
    }
}

fn number(parent: &Element, tag: Tag) -> Result<Option<u64>, Invalid> {
    match parent.child_text(tag).map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| Invalid),
    }
}

/// An empty boolean is true.
fn flag(parent: &Element, tag: Tag) -> Option<bool> {
    parent.child_text(tag).map(|text| text.trim() != "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ProtocolVersion::V2_5;
    use crate::version::ProtocolVersion::V14_1;

    fn sync(children: Vec<Element>) -> Element {
        let collection = Element::parent(tag::COLLECTION, children);
        Element::parent(tag::SYNC, [Element::parent(tag::COLLECTIONS, [collection])])
    }

    fn minimal() -> Vec<Element> {
        vec![
            Element::text(tag::COLLECTION_ID, "7"),
            Element::text(tag::SYNC_KEY, "12"),
        ]
    }

    #[test]
    fn defaults() {
        let request = parse(&sync(minimal()), V14_1).unwrap();
        let collection = &request.collections[0];
        assert_eq!(
            (collection.window, collection.wants_changes, collection.deletes_as_moves),
            (100, true, true)
        );
        assert_eq!((request.window, request.wait), (512, None));
        assert!(!parse(&sync(minimal()), V2_5).unwrap().collections[0].wants_changes);
    }

    #[test]
    fn windows_and_changes() {
        // WindowSize, GetChanges (None: absent), expected window, expected wish
        let cases = [
            ("0", None, 512, true),
            ("512", None, 512, true),
            ("1", Some("0"), 1, false),
            ("512", Some(""), 512, true),
            ("513", Some("1"), 512, true),
        ];
        for (window, changes, expected_window, wants_changes) in cases {
            let mut children = minimal();
            children.push(Element::text(tag::WINDOW_SIZE, window));
            children.extend(changes.map(|flag| Element::text(tag::GET_CHANGES, flag)));
            let collection = parse(&sync(children), V14_1).unwrap().collections.remove(0);
            assert_eq!(
                (collection.window, collection.wants_changes),
                (expected_window, wants_changes),
                "{window}"
            );
        }
    }

    /// GetChanges, the version, and whether the device wants changes with a key and with the first one.
    #[test]
    fn changes_are_wanted_by_version() {
        let cases = [
            (None, V2_5, false, false),
            (None, V12_0, true, false),
            (None, V14_1, true, false),
            (Some("0"), V14_1, false, false),
            (Some("1"), V2_5, true, true),
            (Some(""), V14_1, true, true),
        ];
        for (asked, version, later, first) in cases {
            let wants = |key: &str| {
                let mut children = vec![
                    Element::text(tag::COLLECTION_ID, "7"),
                    Element::text(tag::SYNC_KEY, key),
                ];
                children.extend(asked.map(|flag| Element::text(tag::GET_CHANGES, flag)));
                parse(&sync(children), version).unwrap().collections[0].wants_changes
            };
            assert_eq!((wants("12"), wants("0")), (later, first), "{asked:?} {version}");
        }
    }

    #[test]
    fn folders_named_by_class() {
        let named = |version, class: &str| {
            let children = vec![Element::text(tag::CLASS, class), Element::text(tag::SYNC_KEY, "12")];
            parse(&sync(children), version).map(|mut request| request.collections.remove(0).class)
        };
        assert_eq!(named(V2_5, "Contacts"), Ok(Some(Class::Contacts)));
        assert_eq!(named(V2_5, "Nothing"), Err(Invalid));
        assert_eq!(named(V12_0, "Contacts"), Err(Invalid));
    }

    #[test]
    fn text_messages() {
        let command = |tag, children: Vec<Element>| {
            let mut all = minimal();
            all.push(Element::parent(tag::COMMANDS, [Element::parent(tag, children)]));
            parse(&sync(all), V14_1).unwrap().collections.remove(0).commands
        };
        let class = Element::text(tag::CLASS, "SMS");
        let added = command(tag::ADD, vec![class, Element::text(tag::CLIENT_ID, "c")]);
        assert_eq!(added, [Command::TextMessage { client_id: "c".into() }]);
        let id = || vec![Element::text(tag::SERVER_ID, ids::text_message_id(7, "c"))];
        assert!(command(tag::CHANGE, id()).is_empty() && command(tag::DELETE, id()).is_empty());
    }

    #[test]
    fn commands_without_ids() {
        let command = |tag, child| {
            let mut children = minimal();
            children.push(Element::parent(tag::COMMANDS, [Element::parent(tag, [child])]));
            parse(&sync(children), V14_1)
        };
        let data = || Element::empty(tag::APPLICATION_DATA);
        assert_eq!(command(tag::ADD, data()), Err(Invalid));
        assert!(command(tag::CHANGE, data()).unwrap().collections[0].commands.is_empty());
        let fetch = command(tag::FETCH, Element::text(tag::SERVER_ID, "7:1")).unwrap();
        assert_eq!(
            fetch.collections[0].commands,
            [Command::Fetch {
                server_id: "7:1".into()
            }]
        );
        assert!(!fetch.collections[0].wants_changes);
    }

    #[test]
    fn what_is_refused_as_a_whole() {
        assert_eq!(parse(&Element::empty(tag::SYNC), V14_1), Err(Invalid));
        assert_eq!(
            parse(&sync(vec![Element::text(tag::SYNC_KEY, "0")]), V14_1),
            Err(Invalid)
        );
        let mut both = sync(minimal());
        both.push(Element::text(tag::WAIT, "1"));
        both.push(Element::text(tag::HEARTBEAT_INTERVAL, "60"));
        assert_eq!(parse(&both, V14_1), Err(Invalid));
    }
}
