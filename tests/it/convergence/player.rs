//! Plays a script: phones, the web user, and the ledger of what they wanted.
//!
//! Whatever must never be, at any moment, is asserted here or in the phones themselves; a failure is a panic.

use std::collections::BTreeMap;
use std::sync::Arc;

use ox_standin::WebUser;

use super::kinds;
use super::kinds::ARCHIVE;
use super::kinds::AtOx;
use super::kinds::Fields;
use super::kinds::KINDS;
use super::kinds::MAIL;
use super::kinds::is_mail;
use super::ledger::Ledger;
use super::ledger::Told;
use super::phone::Pending;
use super::phone::Phone;
use super::phone::What;
use super::phone::pick;
use super::script::Act;
use super::script::Script;
use super::script::Step;
use super::script::Trouble;
use super::site::Site;
use crate::device::collection::Local;
use crate::device::collection::Synced;
use crate::device::http::Answer;

/// Rounds in which everything must have come to rest.
const MOST_ROUNDS: usize = 60;

/// A phone that does not get so many answers of a folder in a row gets the next one whatever the script says. After six the
/// gateway takes it for a device that chokes on an item, and sends a stub; a request that comes twice counts as two.
const MOST_UNHEARD: usize = 4;

/// Milliseconds between two steps, at OX.
const PACE: i64 = 1000;

pub(super) struct Player {
    site: Arc<Site>,
    web: WebUser,
    phones: Vec<Phone>,
    /// Kinds that are synced.
    kinds: Vec<usize>,
    ledger: Ledger,
    /// Numbers titles and values.
    counter: usize,
    /// A phone that hung up, and the gateway where its request goes on.
    hung: Option<(usize, usize)>,
}

/// Plays a script to its end and checks everything.
pub(super) fn play(script: &Script) {
    let mut player = Player::new(script);
    for step in &script.steps {
        player.step(step);
    }
    player.come_to_rest();
    player.check();
}

/// A failure is shown with what was asked of OX.
impl Drop for Player {
    fn drop(&mut self) {
        if std::thread::panicking() && std::env::var_os("CALLS").is_some() {
            eprintln!("--- calls at OX\n{}", self.site.standin.calls().text());
        }
    }
}

impl Player {
    fn new(script: &Script) -> Self {
        let site = Site::new(&script.ox);
        let web = site.standin.web("anton");
        kinds::create_archive(&web);
        let phones = script.phones.iter().enumerate();
        let phones = phones.map(|(number, phone)| Phone::set_up(&site, number, *phone, &script.kinds));
        let phones = phones.collect();
        site.back_up();
        Self {
            site,
            web,
            phones,
            kinds: script.kinds.clone(),
            ledger: Ledger::new(script.ox),
            counter: 0,
            hung: None,
        }
    }

    fn step(&mut self, step: &Step) {
        self.pass_time();
        match step {
            Step::Web { kind, act } => self.web(*kind, *act),
            Step::Touch { phone, kind, act } => self.touch(*phone, *kind, *act),
            Step::Sync {
                phone,
                kinds,
                window,
                wants_changes,
                gateway,
                trouble,
            } => {
                let gateway = self.gateway_of(*phone, *gateway, trouble);
                self.sync(*phone, kinds, *window, *wants_changes, gateway, trouble);
            }
            Step::Move {
                phone,
                from,
                which,
                gateway,
                trouble,
            } => {
                let gateway = self.gateway_of(*phone, *gateway, trouble);
                self.move_on_phone(*phone, *from, *which, gateway, trouble);
            }
            Step::Filter { phone, recent_only } => self.phones[*phone].filter(*recent_only),
            Step::Expire => self.site.standin.expire_sessions(),
            Step::Restart => {
                self.break_off_hung();
                self.hung = None;
                self.site.restart();
            }
            Step::BackUp => self.site.back_up(),
            Step::Restore => {
                self.break_off_hung();
                self.hung = None;
                self.site.restore();
                for phone in &mut self.phones {
                    phone.may_be_unknown(&mut self.ledger);
                }
            }
        }
    }

    /// The gateway that a phone's next request goes to. A request that goes on without its phone comes to its end first:
    /// another process would not know that it is still running.
    fn gateway_of(&mut self, phone: usize, wanted: usize, trouble: &Trouble) -> usize {
        let at_both = matches!(trouble, Trouble::Twice { .. });
        match self.hung {
            Some((hung, at)) if hung == phone && !at_both => {
                if trouble.breaks_off() {
                    self.break_off_hung();
                }
                at
            }
            Some((hung, at)) => {
                self.everything(hung, at);
                wanted
            }
            None => wanted,
        }
    }

    /// A request that goes on without its phone is met by the trouble of another one.
    fn break_off_hung(&mut self) {
        if let Some((phone, _)) = self.hung {
            let kinds = self.kinds.clone();
            self.break_off(phone, &kinds);
        }
    }

    /// A request with what a phone has to tell does not come to its end.
    fn break_off(&mut self, phone: usize, kinds: &[usize]) {
        self.phones[phone].disturb(kinds);
        let pending = kinds.iter().filter_map(|kind| self.phones[phone].pending.get(kind));
        for pending in pending.flatten().filter(|pending| matches!(pending.what, What::Add)) {
            self.ledger.make_uncertain(&pending.title);
        }
    }

    /// OX tells versions of an object by the millisecond.
    fn pass_time(&mut self) {
        self.ledger.tick();
        self.site.standin.clock().advance(PACE);
    }

    fn next(&mut self) -> usize {
        self.counter += 1;
        self.counter
    }

    fn new_fields(&mut self, kind: usize) -> Fields {
        let number = self.next();
        match kind {
            kind if is_mail(kind) => ["0".to_owned(), "0".to_owned()],
            _ => [0, 1].map(|field| kinds::value(kind, field, number)),
        }
    }

    fn web(&mut self, kind: usize, act: Act) {
        let items = kinds::at_ox(kind, &self.web);
        match act {
            Act::Add => {
                let fields = self.new_fields(kind);
                let age = if is_mail(kind) && self.counter.is_multiple_of(3) {
                    "old"
                } else {
                    "web"
                };
                let title = format!("{age}-{}", self.counter);
                kinds::create(kind, &self.web, &title, &fields);
                self.ledger.add(kind, &title, None, &fields);
            }
            Act::Change { which, field } => {
                let Some(item) = pick(&items, which) else { return };
                let number = self.next();
                let value = kinds::value(kind, field, number);
                self.ledger.see(&item.title, None, &item.fields);
                kinds::update(kind, &self.web, &item.id, field, &value);
                self.ledger.write(&item.title, None, field, &value);
            }
            Act::Move { which } => {
                let Some(item) = pick(&items, which).filter(|_| is_mail(kind)) else {
                    return;
                };
                kinds::relocate(kind, &self.web, &item.id);
                self.ledger.relocate(&item.title);
            }
            Act::Rewrite { which } => {
                let Some(item) = pick(&items, which).filter(|_| !is_mail(kind)) else {
                    return;
                };
                let number = self.next();
                kinds::rewrite(kind, &self.web, &item.id, number);
                self.ledger.rewrite(&item.title);
            }
            Act::Delete { which } => {
                let Some(item) = pick(&items, which) else { return };
                kinds::delete(kind, &self.web, &item.id);
                self.ledger.delete(&item.title, None);
            }
        }
    }

    fn touch(&mut self, phone: usize, kind: usize, act: Act) {
        match act {
            // Mail comes from elsewhere.
            Act::Add if is_mail(kind) => {}
            Act::Add => {
                let fields = self.new_fields(kind);
                let title = format!("phone{phone}-{}", self.counter);
                let one = &mut self.phones[phone];
                let data = kinds::to_phone(kind, one.device.version(), &title, &fields, &[]);
                one.device.add(&one.folders[&kind], data);
                self.ledger.add(kind, &title, Some(phone), &fields);
                one.push(kind, title, What::Add, false);
            }
            Act::Change { which, field } => {
                let number = self.next();
                self.change_on_phone(phone, kind, which, field, &kinds::value(kind, field, number));
            }
            Act::Delete { which } => self.delete_on_phone(phone, kind, which),
            // That is a request of its own.
            Act::Move { .. } => {}
            // Phones have no such thing.
            Act::Rewrite { .. } => {}
        }
    }

    fn change_on_phone(&mut self, phone: usize, kind: usize, which: usize, field: usize, value: &str) {
        let one = &mut self.phones[phone];
        let version = one.device.version();
        let Some((server_id, title, mut fields)) = one.pick(kind, which) else {
            return;
        };
        // He sees his own changes at once, and does nothing where nothing is to do.
        let shown = &one.changed(kind, &server_id).unwrap_or(&fields)[field];
        if !kinds::is_visible(kind, field, version) || shown == value {
            return;
        }
        let before = fields.clone();
        self.ledger.see(&title, Some(phone), &before);
        let (mut writes, mut overtaken, mut disturbed) = (BTreeMap::new(), Vec::new(), false);
        if let Some(Pending {
            disturbed: was_disturbed,
            what:
                What::Change {
                    fields: newer,
                    writes: before,
                    overtaken: long_before,
                },
            ..
        }) = one.withdraw(kind, &server_id)
        {
            (fields, writes, overtaken, disturbed) = (newer, before, long_before, was_disturbed);
        }
        value.clone_into(&mut fields[field]);
        // A phone sends the whole item, but of mail; what its user has not changed overrides nobody.
        let write = self.ledger.write(&title, Some(phone), field, &fields[field]);
        let earlier = match fields[field] == before[field] && !is_mail(kind) {
            // He changed it back.
            true => writes.remove(&field).into_iter().chain([write]).collect(),
            false => Vec::from_iter(writes.insert(field, write)),
        };
        for write in earlier {
            self.ledger.tell_write(&title, write, Told::Overtaken, true);
            overtaken.push(write);
        }
        let changed: Vec<usize> = writes.keys().copied().collect();
        let mut data = kinds::to_phone(kind, version, &title, &fields, &changed);
        data.retain(|element| element.tag != oxtender::wbxml::codepage::calendar::UID);
        one.device.change(&one.folders[&kind], &server_id, data);
        let what = What::Change {
            fields,
            writes,
            overtaken,
        };
        one.push(kind, title, what, disturbed);
    }

    fn delete_on_phone(&mut self, phone: usize, kind: usize, which: usize) {
        let one = &mut self.phones[phone];
        let Some((server_id, title, _)) = one.pick(kind, which) else {
            return;
        };
        let mut overtaken = Vec::new();
        if let Some(Pending {
            what:
                What::Change {
                    writes,
                    overtaken: before,
                    ..
                },
            ..
        }) = one.withdraw(kind, &server_id)
        {
            overtaken.extend(writes.into_values().chain(before));
        }
        for write in &overtaken {
            self.ledger.tell_write(&title, *write, Told::Overtaken, true);
        }
        self.ledger.delete(&title, Some(phone));
        one.device.delete(&one.folders[&kind], &server_id);
        one.push(kind, title, What::Delete { overtaken }, false);
    }

    /// The item stays where it is on the phone until a Sync says otherwise.
    fn move_on_phone(&mut self, phone: usize, from: usize, which: usize, gateway: usize, trouble: &Trouble) {
        let one = &self.phones[phone];
        let Some((server_id, title, _)) = one.pick(from, which) else {
            return;
        };
        let target = &one.folders[&(MAIL + ARCHIVE - from)];
        let request = one.device.move_request(&[(&server_id, &one.folders[&from], target)]);
        self.ledger.relocate(&title);
        self.pass_time();
        if self.site.send(gateway, &request, trouble).is_some() {
            return;
        }
        self.pass_time();
        let again = self.site.send(gateway, &request, &Trouble::None);
        assert_eq!(again.map(|answer| answer.status), Some(200));
        self.hung = self.hung.filter(|(hung, _)| *hung != phone);
    }

    /// One request. Answers whether anything at all happened.
    fn sync(
        &mut self,
        phone: usize,
        kinds: &[usize],
        window: usize,
        wants_changes: bool,
        gateway: usize,
        trouble: &Trouble,
    ) -> bool {
        self.pass_time();
        let one = &mut self.phones[phone];
        let has_patience = kinds.iter().all(|kind| one.unheard[*kind] < MOST_UNHEARD);
        let trouble = if has_patience { trouble } else { &Trouble::None };
        let answers = if matches!(trouble, Trouble::Twice { .. }) { 2 } else { 1 };
        kinds.iter().for_each(|kind| one.unheard[*kind] += answers);
        let ids: Vec<String> = kinds.iter().map(|kind| one.folders[kind].clone()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        for id in &ids {
            let collection = one.device.collection(id);
            collection.window = window;
            collection.wants_changes = wants_changes;
        }
        let request = one.device.sync_request(&ids);
        match trouble {
            trouble if trouble.breaks_off() => self.break_off(phone, kinds),
            Trouble::Twice { .. } => self.phones[phone].disturb(kinds),
            _ => {}
        }
        let Some(answer) = self.site.send(gateway, &request, trouble) else {
            self.hung = match trouble {
                Trouble::HungUp { .. } => Some((phone, gateway)),
                Trouble::AnswerLost => self.hung.filter(|(hung, _)| *hung != phone),
                _ => None,
            };
            return true;
        };
        self.hung = self.hung.filter(|(hung, _)| *hung != phone);
        self.take(phone, kinds, &ids, &answer, *trouble != Trouble::None)
    }

    fn take(&mut self, phone: usize, kinds: &[usize], ids: &[&str], answer: &Answer, troubled: bool) -> bool {
        let one = &mut self.phones[phone];
        if answer.status != 200 {
            assert!(troubled, "HTTP status {} out of the blue", answer.status);
            return true;
        }
        let before: Vec<_> = ids.iter().map(|id| one.device.collection(id).clone()).collect();
        let mut synced = one.device.take_sync_answer(ids, answer);
        let mut busy = false;
        for ((kind, id), before) in kinds.iter().zip(ids).zip(before) {
            let synced = synced.remove(*id).expect("every collection has an answer");
            if synced.status != 1 && self.phones[phone].starts_over(*kind, synced.status, &mut self.ledger) {
                busy = true;
                continue;
            }
            if synced.status != 1 {
                let passes = troubled && ![3, 4, 8, 12].contains(&synced.status);
                assert!(passes, "Status {} of {}", synced.status, KINDS[*kind].name);
                busy = true;
                continue;
            }
            let has_new_key = self.phones[phone].device.collection(id).key != before.key;
            // An answer without items, to a phone that only told its own changes, does not get it past one.
            if before.wants_changes || has_new_key {
                self.phones[phone].unheard[*kind] = 0;
            }
            self.phones[phone].is_known(*kind);
            busy |= !before.pending.is_empty() || synced.commands() > 0 || synced.more_available;
            busy |= has_new_key;
            if before.key == "0" {
                continue;
            }
            for id in &synced.soft_deleted {
                let title = kinds::on_phone(*kind, &before.items[id]).0;
                assert!(kinds::is_old(&title), "{title} has not left the window");
            }
            let own = self.tell(phone, *kind, &before.pending, &synced);
            self.phones[phone].look_for_echoes(*kind, &before.items, own, &synced, &self.ledger);
        }
        busy
    }

    /// What became of what the phone sent. Answers its own changes by title.
    fn tell(&mut self, phone: usize, kind: usize, sent: &[Local], synced: &Synced) -> BTreeMap<String, Fields> {
        let pending = self.phones[phone].pending.remove(&kind).unwrap_or_default();
        assert_eq!(pending.len(), sent.len());
        let mut own = BTreeMap::new();
        for (local, pending) in sent.iter().zip(pending) {
            let Pending { title, what, disturbed } = pending;
            let told = match synced.refused.iter().any(|(id, _)| id == local.id()) {
                true => Told::Refused,
                false => Told::Done,
            };
            match what {
                What::Add => self.ledger.tell_addition(&title, told),
                What::Change {
                    fields,
                    writes,
                    overtaken,
                } => {
                    // Of several fields one may be refused and the others written, also one that was changed back after an
                    // attempt; and what an attempt has written that broke off stays, though the next one is refused.
                    let is_of_several = writes.len() > 1 || !overtaken.is_empty();
                    let told_of_each = match told {
                        Told::Refused if is_of_several || disturbed => Told::Overtaken,
                        told => told,
                    };
                    for write in writes.into_values() {
                        self.ledger.tell_write(&title, write, told_of_each, disturbed);
                    }
                    for write in overtaken {
                        self.ledger.tell_write(&title, write, Told::Overtaken, disturbed);
                    }
                    if told == Told::Done {
                        own.insert(title, fields);
                    }
                }
                What::Delete { overtaken } => {
                    for write in overtaken {
                        self.ledger.tell_write(&title, write, Told::Overtaken, disturbed);
                    }
                    self.ledger.tell_deletion(&title, Some(phone), told);
                }
            }
        }
        own
    }

    /// Everybody syncs until nothing moves any more.
    fn come_to_rest(&mut self) {
        if let Some((phone, gateway)) = self.hung {
            self.everything(phone, gateway);
        }
        for _ in 0..MOST_ROUNDS {
            let mut busy = false;
            for phone in 0..self.phones.len() {
                busy |= self.everything(phone, 0);
            }
            if !busy {
                return;
            }
        }
        panic!("it never comes to rest");
    }

    fn everything(&mut self, phone: usize, gateway: usize) -> bool {
        let kinds = self.kinds.clone();
        self.sync(phone, &kinds, 5, true, gateway, &Trouble::None)
    }

    /// When all is quiet: every phone has what OX has, and OX has what was wanted.
    fn check(&mut self) {
        for phone in 0..self.phones.len() {
            assert!(!self.everything(phone, 0), "one more exchange changes something");
        }
        let mut everything: Vec<(usize, AtOx)> = Vec::new();
        for kind in self.kinds.clone() {
            let at_ox = kinds::at_ox(kind, &self.web);
            for phone in &self.phones {
                phone.check(kind, &at_ox);
            }
            everything.extend(at_ox.into_iter().map(|item| (kind, item)));
        }
        let wrong = self.ledger.verdict(&everything);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}
