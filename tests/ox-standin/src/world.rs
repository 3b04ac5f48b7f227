//! Everything the server holds, behind one lock.
//!
//! Plain state with the few rules that all modules share: ids, stamps, tombstones, who is who. What a call may do with it
//! is decided by the modules.

use crate::calls::Calls;
use crate::clock::Clock;
use crate::fault::Pending;
use crate::fields::Wire;
use crate::folders::store::Folders;
use crate::infostore::File;
use crate::mail::store::Mailbox;
use crate::mail::store::Sent;
use crate::pim::Module;
use crate::pim::Object;
use crate::pim::Tombstone;
use crate::profile::Profile;
use crate::session::Sessions;
use crate::uids::Uids;
use crate::users::Group;
use crate::users::Resource;
use crate::users::User;
use crate::whims::Whims;
use crate::zone::Zone;
use serde_json::Map;
use serde_json::Value;
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The context id of the only context.
pub(crate) const CONTEXT: u32 = 1;

/// Switches of one server.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) profile: Profile,
    /// Path prefix with both slashes.
    pub(crate) prefix: String,
    /// Ids of objects are JSON texts.
    pub(crate) ids_as_text: bool,
    /// Cookies carry `Secure`, although the connection is plain.
    pub(crate) secure_cookies: bool,
    /// Requests without the right `JSESSIONID` land on a node that does not know the session.
    pub(crate) strict_route: bool,
    /// Requests in five minutes before an agent that is not exempt is refused.
    pub(crate) max_rate: usize,
    /// Failed logins in five minutes before more are refused.
    pub(crate) max_login_failures: usize,
    pub(crate) max_sessions_per_user: usize,
    /// Actions taken away: `module`, `action` (`*` for the module).
    pub(crate) removed: BTreeSet<(String, String)>,
    /// A raw mail is turned into bytes by ASCII: everything else becomes `?`.
    pub(crate) seven_bit: bool,
    /// Moves of mails answer without the new id.
    pub(crate) hides_moved_ids: bool,
    /// Renamed and moved mail folders give their mails new UIDs, as some mail servers do.
    pub(crate) renumbers_renamed: bool,
    /// Folder tree 20 exists, in which users choose the folders for their devices.
    pub(crate) selection_tree: bool,
    /// Folder 6 is visible.
    pub(crate) global_address_book: bool,
    /// Largest body of a request in bytes.
    pub(crate) max_body: usize,
    /// Mails of at most so many bytes in all fit into a mailbox; 0 for no limit.
    pub(crate) mail_quota: usize,
    /// Shortest search pattern.
    pub(crate) minimum_search_characters: usize,
    /// What becomes of the UIDs that clients give contacts and tasks.
    pub(crate) uids: Uids,
    /// Answers are written differently from time to time.
    pub(crate) whims: Option<Whims>,
}

/// The whole server.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) options: Options,
    pub(crate) clock: Arc<Clock>,
    pub(crate) zone: Zone,
    pub(crate) users: Vec<User>,
    pub(crate) groups: Vec<Group>,
    pub(crate) resources: Vec<Resource>,
    pub(crate) folders: Folders,
    pub(crate) objects: BTreeMap<(Module, u32), Object>,
    pub(crate) tombstones: Vec<Tombstone>,
    pub(crate) mailboxes: BTreeMap<u32, Mailbox>,
    pub(crate) outbox: Vec<Sent>,
    pub(crate) files: BTreeMap<u32, File>,
    /// Vacation rules by user.
    pub(crate) filters: BTreeMap<u32, Vec<Map<String, Value>>>,
    /// Settings written through the config module, by user and path.
    pub(crate) settings: BTreeMap<(u32, String), Value>,
    /// Folders in tree 20 by user, without those that are always in it.
    pub(crate) selections: BTreeMap<u32, BTreeSet<String>>,
    pub(crate) sessions: Sessions,
    pub(crate) calls: Calls,
    pub(crate) faults: Pending,
    /// Objects that `all` lists and nothing else finds.
    pub(crate) ghosts: BTreeSet<(Module, u32)>,
    /// Requests of agents that are not exempt from the rate limiter: when, by address.
    pub(crate) rates: BTreeMap<String, Vec<i64>>,
    next_ids: BTreeMap<&'static str, u32>,
}

impl World {
    pub(crate) fn new(options: Options, clock: Arc<Clock>, zone: Zone) -> Self {
        Self {
            options,
            clock,
            zone,
            users: Vec::new(),
            groups: Vec::new(),
            resources: Vec::new(),
            folders: Folders::default(),
            objects: BTreeMap::new(),
            tombstones: Vec::new(),
            mailboxes: BTreeMap::new(),
            outbox: Vec::new(),
            files: BTreeMap::new(),
            filters: BTreeMap::new(),
            settings: BTreeMap::new(),
            selections: BTreeMap::new(),
            sessions: Sessions::default(),
            calls: Calls::default(),
            faults: Pending::default(),
            ghosts: BTreeSet::new(),
            rates: BTreeMap::new(),
            next_ids: BTreeMap::new(),
        }
    }

    /// Adds a user with default folders, mailbox and an entry in the global address book.
    pub(crate) fn add_user(&mut self, user: User) {
        let stamp = self.clock.stamp();
        self.folders.add_defaults(&user, self.users.len(), stamp);
        self.mailboxes.insert(user.id, Mailbox::new(stamp));
        let contact = crate::contacts::of_user(&user);
        self.users.push(user);
        let id = self.next_id(Module::Contacts.name());
        let mut object = Object::new(id, crate::folders::store::GLOBAL_ADDRESS_BOOK, stamp, 2);
        object.fields = contact;
        if let Some(user) = self.users.last_mut() {
            user.contact_id = id;
        }
        self.objects.insert((Module::Contacts, id), object);
    }

    pub(crate) fn profile(&self) -> Profile {
        self.options.profile
    }

    /// A fresh id, counted per kind from 1.
    pub(crate) fn next_id(&mut self, kind: &'static str) -> u32 {
        let next = self.next_ids.entry(kind).or_insert(0);
        *next += 1;
        *next
    }

    /// The stamp of a change made now.
    pub(crate) fn stamp(&self) -> i64 {
        self.clock.stamp()
    }

    pub(crate) fn user(&self, id: u32) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn user_by_login(&self, login: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.login == login || user.addresses.iter().any(|own| own == login))
    }

    /// The user to whom the address belongs.
    pub(crate) fn user_by_address(&self, address: &str) -> Option<&User> {
        self.users
            .iter()
            .find(|user| user.addresses.iter().any(|own| own.eq_ignore_ascii_case(address)))
    }

    /// The zone in which this user lives.
    pub(crate) fn zone_of(&self, user: u32) -> Zone {
        let own = self
            .user(user)
            .and_then(|user| user.zone.as_deref())
            .and_then(Zone::named);
        own.unwrap_or_else(|| self.zone.clone())
    }

    /// How values are written for a caller who counts in `zone`.
    pub(crate) fn wire(&self, zone: &Zone) -> Wire {
        Wire {
            zone: zone.clone(),
            profile: self.profile(),
            ids_as_text: self.options.ids_as_text || self.profile().ids_are_text(),
        }
    }
}
