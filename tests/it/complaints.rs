//! What makes people leave an ActiveSync server: forty complaints about servers of this kind, and the tests that show what
//! this one does instead.
//!
//! Loops and devices that get stuck, and lost or doubled data. Each complaint names the tests that would fail, as
//! `file::function`; another test looks whether they are there. Those that stand nowhere else are in this file.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::thread;

use ox_standin::Module;
use ox_standin::Uids;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::contacts;
use serde_json::json;

use crate::administration::told;
use crate::device::CALENDAR;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::TASKS;
use crate::items::CLASSES;
use crate::items::HOUR;
use crate::items::contact;
use crate::items::mail;
use crate::items::now;
use crate::items::tomorrow;
use crate::world::World;

/// Each complaint, and its tests.
const ANSWERS: [(&str, &[&str]); 40] = [
    (
        "the same item comes again and again",
        &[
            "tests/it/counts::a_sync_without_changes_costs_one_call_and_no_write",
            "tests/it/convergence::histories_of_the_first_share",
            "tests/it/poison::a_phone_that_chokes_on_a_mail",
            "tests/it/poison::a_phone_that_chokes_on_an_item",
        ],
    ),
    (
        "one broken item blocks its folder",
        &[
            "tests/it/poison::a_mail_that_ox_cannot_open",
            "tests/it/refusals::one_bad_item_never_fails_a_collection",
            "tests/it/refusals::one_bad_change_never_fails_a_request",
        ],
    ),
    (
        "FolderSync is answered with Status 9 for ever",
        &[
            "tests/it/peculiarities::circles_end",
            "tests/it/poison::a_phone_that_does_not_start_anew",
        ],
    ),
    (
        "a policy that never settles",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    (
        "an account waits for a policy that never comes",
        &["tests/it/peculiarities::nobody_has_to_be_provisioned"],
    ),
    (
        "a device that was removed comes back half alive",
        &["tests/it/complaints::a_removed_device_begins_anew"],
    ),
    (
        "another filter means an endless Sync",
        &["tests/it/complaints::a_filter_back_and_forth"],
    ),
    (
        "a failing OPTIONS makes phones loop",
        &["tests/it/transport::what_options_says", "tests/it/outages::ox_is_down"],
    ),
    (
        "a folder stops syncing over night",
        &[
            "tests/it/complaints::a_phone_that_was_away_misses_nothing",
            "tests/it/ping::woken_by_the_users_other_device",
        ],
    ),
    (
        "a newer phone sends what is unknown, and is stuck",
        &["tests/it/malformed::what_is_unknown_is_ignored_and_counted"],
    ),
    (
        "a lost answer costs the whole mailbox",
        &[
            "tests/it/lost_answers::mail_loses_its_answers",
            "tests/it/generations::a_restored_phone_goes_on_within_the_generations",
        ],
    ),
    (
        "one bad key among several folders resets all of them",
        &["tests/it/complaints::one_bad_key_among_several"],
    ),
    (
        "a calendar loops over odd appointments",
        &[
            "tests/it/peculiarities::odd_appointments",
            "tests/it/calendar::whole_days",
        ],
    ),
    (
        "folders of contacts are shown in turns",
        &["tests/it/quirks::folders_by_device"],
    ),
    (
        "push stops because of a short heartbeat",
        &["tests/it/ping::intervals_have_bounds"],
    ),
    (
        "a desktop program has another DeviceId at each start",
        // Each id is a device of its own: one that took over the state of another by name alone could lose or double what the
        // other has not seen. But it is a device that works, and that leaves nothing behind.
        &[
            "tests/it/complaints::another_device_id_at_each_start",
            "tests/it/expiry::the_service_does_the_same_when_it_starts",
        ],
    ),
    (
        "an odd answer to FolderCreate crashes a program",
        &[
            "tests/it/rules/folders::folder_create",
            "tests/it/folders::folders_are_made",
        ],
    ),
    (
        "Autodiscover is refused for the schema of desktops",
        &["tests/it/autodiscover::requests"],
    ),
    (
        "a subscribed calendar changes endlessly",
        &["tests/it/complaints::what_is_written_anew_and_says_the_same"],
    ),
    (
        "hidden throttling answers 503",
        // Nothing is throttled, and a 503 says when to come again and, to the administrator, why.
        &[
            "tests/it/outages::ox_is_overloaded",
            "tests/it/outages::the_database_is_down",
        ],
    ),
    (
        "an address book is wiped",
        &[
            "tests/it/deletions::a_phone_that_empties_a_folder_is_held_back",
            "tests/it/contacts::omitted_properties",
        ],
    ),
    (
        "photos vanish",
        &["tests/it/contacts::pictures", "tests/it/contacts::omitted_properties"],
    ),
    (
        "additions are doubled after a timeout",
        &[
            "tests/it/absence::adds_changes_and_deletions",
            "tests/it/uncertain::an_addition_is_found_again",
        ],
    ),
    (
        "requests of one phone overlap, and items arrive twice",
        &["tests/it/complaints::the_same_request_twice_at_once"],
    ),
    (
        "a mail is sent twice",
        &["tests/it/absence::messages", "tests/it/crash::a_message_is_sent_once"],
    ),
    (
        "a mail is neither delivered nor kept",
        &[
            "tests/it/smart_mail::only_what_ox_accepted_was_sent",
            "tests/it/sending::messages_that_are_refused",
        ],
    ),
    (
        "the words of a reply are lost",
        &["tests/it/smart_mail::a_reply_quotes_and_marks"],
    ),
    (
        "attachments are lost or damaged on the way",
        &["tests/it/smart_mail::a_forward_carries_everything"],
    ),
    (
        "what was moved is doubled",
        &[
            "tests/it/absence::moves",
            "tests/it/rules/moves::there_and_back_and_there",
        ],
    ),
    (
        "an event disappears after its user edits it",
        &[
            "tests/it/meetings::who_writes_to_the_invited",
            "tests/it/calendar::meetings",
        ],
    ),
    (
        "deleted items return, or stay on the phone",
        &[
            "tests/it/complaints::a_phone_that_was_away_misses_nothing",
            "tests/it/mail::deleting_what_is_gone",
        ],
    ),
    (
        "exceptions of a series are lost",
        &[
            "tests/it/series::exceptions_from_ox",
            "tests/it/series::exceptions_from_the_phone",
        ],
    ),
    (
        "one event in two calendars is taken for one",
        &["tests/it/complaints::equal_items_of_two_folders"],
    ),
    (
        "a meeting is in the calendar twice",
        &["tests/it/meetings::accepted_twice_is_one_meeting"],
    ),
    (
        "everybody is invited again",
        &[
            "tests/it/meetings::who_writes_to_the_invited",
            "tests/it/meetings::silent_ios",
        ],
    ),
    (
        "the organizer is replaced",
        &[
            "tests/it/calendar::meetings",
            "tests/it/calendar::colleagues_are_attendees",
        ],
    ),
    (
        "the phone overwrites what is newer",
        &[
            "tests/it/rules/commands::conflicts",
            "tests/it/peculiarities::the_winner_of_a_conflict_comes_in_the_same_answer",
        ],
    ),
    (
        "an update costs every device a resync",
        &["src/usm/state/samples::every_sample_is_read"],
    ),
    (
        "a new user gets the state of an old one",
        &["tests/it/identity::another_user_with_the_same_number"],
    ),
    (
        "ids come back with another meaning",
        &[
            "tests/it/identity::ids_of_folders_do_not_come_back",
            "tests/it/identity::a_number_that_means_another_mail",
        ],
    ),
];

#[test]
fn every_complaint_has_its_answer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (number, (complaint, tests)) in (1..).zip(&ANSWERS) {
        assert!(!tests.is_empty(), "{number}, {complaint}");
        for test in *tests {
            let (file, function) = test.split_once("::").expect("file::function");
            let source = fs::read_to_string(root.join(format!("{file}.rs")));
            let source = source.unwrap_or_else(|error| panic!("{number}, {complaint}: {file}: {error}"));
            assert!(
                source.contains(&format!("fn {function}()")),
                "{number}, {complaint}: {test}"
            );
        }
    }
}

/// A phone that has some contacts of the web.
fn synced(world: &World, contacts: usize) -> (Device, String) {
    for number in 0..contacts {
        let name = format!("Contact {number}");
        world
            .anton()
            .create_contact(json!({"last_name": name, "display_name": name}));
    }
    let mut device = world.ready_device(V14_1);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    (device, folder)
}

fn contacts_at_ox(world: &World) -> usize {
    let anton = world.anton();
    anton
        .objects(Module::Contacts, anton.default_folder(Module::Contacts))
        .len()
}

/// What it was waiting for ends, what it has is not taken for true, and nothing is doubled when it comes again.
#[test]
fn a_removed_device_begins_anew() {
    let world = World::start();
    let (mut device, folder) = synced(&world, 3);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let waiting = device.start_ping(2, &[&inbox]);
    told(&world, &format!("device remove {}", device.link.device_id));
    waiting.join().expect("an answer within the heartbeat");
    device.add(&folder, contact("New", "Ned"));
    let request = device.sync_request(&[&folder]);
    device.link.exchange(&request);
    assert_eq!(
        contacts_at_ox(&world),
        3,
        "nothing is written for a device that is not known"
    );
    device.collections.clear();
    device.hierarchy_key = "0".to_owned();
    let root = device.folder_sync_request();
    device.link.exchange(&device.link.wbxml("FolderSync", &root));
    device.folder_sync();
    let folder = device.folder(CONTACTS);
    assert_eq!(device.sync(&folder).added.len(), 3);
}

/// Everything comes at each start, at the same price; the sessions that Open-Xchange gives a user are not used up by programs
/// that do not come back, and a phone beside them goes on.
#[test]
fn another_device_id_at_each_start() {
    const SESSIONS: usize = 4;
    let plan = World::plan().standin(|builder| builder.max_sessions_per_user(SESSIONS));
    let world = plan.start().expect("SQLite is always there");
    let (mut phone, folder) = synced(&world, 3);
    let mut prices = BTreeSet::new();
    for start in 0..10 {
        let before = world.standin.calls().requests;
        let mut program = world.ready_device(V14_1);
        let contacts = program.folder(CONTACTS);
        assert_eq!(program.sync(&contacts).added.len(), 3, "start {start}");
        assert!(program.sync(&contacts).is_quiet());
        if start > SESSIONS {
            prices.insert(world.standin.calls().requests - before);
        }
        assert!(world.standin.sessions() <= SESSIONS);
        assert!(phone.sync(&folder).is_quiet(), "start {start}");
    }
    assert_eq!(prices.len(), 1, "{prices:?}");
    assert_eq!(contacts_at_ox(&world), 3);
}

/// Three days, a month, three days: a few requests each, no item twice, and nothing goes at OX.
#[test]
fn a_filter_back_and_forth() {
    const DAY: i64 = 86_400_000;
    let world = World::start();
    let anton = world.anton();
    for days in [0, 1, 2, 5, 9, 20] {
        anton.deliver_mail_at(
            "default0/INBOX",
            &mail(&format!("{days} days"), "Text."),
            now() - days * DAY,
            0,
        );
    }
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    let mut filter = |number: i64| {
        device.collection(&inbox).options = vec![Element::number(airsync::FILTER_TYPE, number)];
        let synced = device.sync(&inbox);
        assert!(synced.rounds <= 4, "{} requests", synced.rounds);
        let once: BTreeSet<&String> = synced.added.iter().collect();
        assert_eq!(once.len(), synced.added.len(), "an item came twice");
        assert!(synced.deleted.is_empty() && device.sync(&inbox).is_quiet());
        (synced.added.len(), synced.soft_deleted.len())
    };
    // FilterType; what came, and what went from the phone.
    for (number, expected) in [(2, (3, 0)), (5, (3, 0)), (2, (0, 3)), (5, (3, 0))] {
        assert_eq!(filter(number), expected, "FilterType {number}");
    }
    assert_eq!(anton.mails("default0/INBOX").len(), 6);
}

/// Folders are compared as they are: what came and went while nobody looked shows at once, however long ago it was.
#[test]
fn a_phone_that_was_away_misses_nothing() {
    let world = World::start();
    let (mut device, folder) = synced(&world, 5);
    let anton = world.anton();
    let at_ox = anton.default_folder(Module::Contacts);
    let ids: Vec<u32> = anton
        .objects(Module::Contacts, at_ox)
        .iter()
        .filter_map(|object| u32::try_from(object["id"].as_u64()?).ok())
        .collect();
    for id in &ids[..3] {
        anton.delete(Module::Contacts, at_ox, *id);
    }
    anton.update(Module::Contacts, at_ox, ids[4], json!({"last_name": "Changed"}));
    anton.create_contact(json!({"last_name": "New", "display_name": "New"}));
    let synced = device.sync(&folder);
    assert_eq!(
        (synced.deleted.len(), synced.changed.len(), synced.added.len()),
        (3, 1, 1)
    );
    assert!(device.sync(&folder).is_quiet());
}

/// The folder with the bad key begins anew; the others are served in the same answer.
#[test]
fn one_bad_key_among_several() {
    let world = World::start();
    let (mut device, folder) = synced(&world, 2);
    let tasks = device.folder(TASKS);
    device.sync(&tasks);
    world.anton().create_task(json!({"title": "Buy milk"}));
    device.collection(&folder).key = "4711".to_owned();
    let answers = device.sync_together(&[&folder, &tasks]);
    assert_eq!(answers[&folder].status, 3);
    assert_eq!((answers[&tasks].status, answers[&tasks].added.len()), (1, 1));
}

/// A phone that did not wait for its answer: one of the two is carried out, and the answers agree.
#[test]
fn the_same_request_twice_at_once() {
    let world = World::start();
    let (mut device, folder) = synced(&world, 1);
    device.add(&folder, contact("Only", "Once"));
    let request = device.sync_request(&[&folder]);
    let other = (device.link.clone(), request.clone());
    let second = thread::spawn(move || other.0.exchange(&other.1).status);
    device.take_sync(&[&folder], &request);
    let second = second.join().expect("an answer");
    assert!([200, 503].contains(&second), "{second}");
    device.sync(&folder);
    assert_eq!((contacts_at_ox(&world), device.items(&folder).len()), (2, 2));
    assert!(device.sync(&folder).is_quiet());
}

/// An item belongs to its folder: one that looks the same elsewhere is another.
#[test]
fn equal_items_of_two_folders() {
    let kept = World::plan().standin(|ox| ox.uids(Uids::Kept));
    let world = kept.start().expect("a world");
    let anton = world.anton();
    let second = anton.create_folder(
        &anton.default_folder(Module::Contacts).to_string(),
        "Second",
        "contacts",
    );
    let in_second: u32 = second.parse().expect("a number");
    let same = json!({"last_name": "Twin", "display_name": "Twin", "uid": "twin@example.com"});
    anton.create_contact(same.clone());
    let mut there = same;
    there["folder_id"] = json!(in_second);
    anton.create_contact(there);
    let mut device = world.ready_device(V14_1);
    let folders = [device.folder(CONTACTS), device.folder_named("Second")];
    let ids = folders.each_ref().map(|folder| device.sync(folder).added.remove(0));
    assert_ne!(ids[0], ids[1]);
    device.change(
        &folders[1],
        &ids[1],
        vec![Element::text(contacts::LAST_NAME, "Changed")],
    );
    device.sync(&folders[1]);
    let names = |folder| anton.objects(Module::Contacts, folder)[0]["last_name"].clone();
    assert_eq!(names(in_second), json!("Changed"));
    assert_eq!(names(anton.default_folder(Module::Contacts)), json!("Twin"));
    assert!(device.sync(&folders[0]).is_quiet());
}

/// A subscription writes its calendar anew each time it is read. OX says that all of it has changed, and the phone need not
/// hear of that; of what has changed it must. So with the other classes.
#[test]
fn what_is_written_anew_and_says_the_same() {
    for version in [V2_5, V14_1, V16_1] {
        for class in &CLASSES {
            let world = World::start();
            let anton = world.anton();
            let place = anton.default_folder(class.module);
            let mut object = json!({class.field: "Same", "note": "before"});
            if class.kind == CALENDAR {
                object["start_date"] = json!(tomorrow());
                object["end_date"] = json!(tomorrow() + HOUR);
            }
            if class.kind == CONTACTS {
                object["display_name"] = json!("Same");
            }
            let number = anton.create(class.module, object);
            let mut device = world.ready_device(version);
            let folder = device.folder(class.kind);
            device.sync(&folder);
            for label in 1..4 {
                anton.update(class.module, place, number, json!({"color_label": label}));
                let before = device.estimate(&folder);
                let synced = device.sync(&folder);
                assert!(synced.is_quiet(), "{version} {:?}: {synced:?}", class.module);
                let after = device.estimate(&folder);
                assert_eq!((before, after), (1, 0), "{version} {:?}", class.module);
            }
            anton.update(class.module, place, number, json!({"note": "after"}));
            let synced = device.sync(&folder);
            assert_eq!(synced.changed.len(), 1, "{version} {:?}", class.module);
        }
    }
}
