//! Which items of a folder a phone has: its own filter, and the limits of the server, while days go by.
//!
//! What leaves the view leaves the phone by SoftDelete, and stays at OX.

use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;

use crate::absence::Inside;
use crate::device::Device;
use crate::device::INBOX;
use crate::items::DAY;
use crate::items::mail;
use crate::items::now;
use crate::world::World;

const AT_INBOX: &str = "default0/INBOX";

/// [MS-ASCMD] FilterType: everything, and three days.
const EVERYTHING: i64 = 0;
const THREE_DAYS: i64 = 2;

fn filter(device: &mut Device, inbox: &str, filter: i64) {
    device.collection(inbox).options = vec![Element::number(airsync::FILTER_TYPE, filter)];
}

/// The window of three days moves over midnight, once a day, and nothing else moves it.
#[test]
fn days_go_by() {
    let inside = Inside::start();
    let anton = inside.standin.web("anton");
    // At noon of each day, so that it does not matter at what time of the day this runs.
    let noon = now() - now().rem_euclid(DAY) + DAY / 2;
    for days in 1..=5 {
        anton.deliver_mail_at(AT_INBOX, &mail(&format!("{days} days"), "Text."), noon - days * DAY, 0);
    }
    let mut device = inside.phone();
    let inbox = device.folder(INBOX);
    filter(&mut device, &inbox, THREE_DAYS);
    assert_eq!(device.sync(&inbox).added.len(), 3);
    for left in (0..3).rev() {
        inside.wait(DAY);
        let synced = device.sync(&inbox);
        assert_eq!((synced.soft_deleted.len(), synced.deleted.len()), (1, 0), "{synced:?}");
        assert_eq!(device.items(&inbox).len(), left);
        assert!(device.sync(&inbox).is_quiet());
    }
    assert_eq!(anton.mails(AT_INBOX).len(), 5);
    filter(&mut device, &inbox, EVERYTHING);
    assert_eq!(device.sync(&inbox).added.len(), 5);
}

/// A folder that is larger than allowed shows its newest items; a new one takes the place of the oldest.
#[test]
fn the_newest_of_a_large_folder() {
    let world = World::plan()
        .property("max_objects_per_folder", "10")
        .start()
        .expect("SQLite");
    let anton = world.anton();
    let deliver = |minutes: i64| {
        let received = now() - DAY + minutes * 60_000;
        anton.deliver_mail_at(AT_INBOX, &mail(&format!("mail {minutes}"), "Text."), received, 0);
    };
    (0..14).for_each(deliver);
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    let first = device.sync(&inbox);
    assert_eq!(first.added.len(), 10);
    let oldest = first.added.last().cloned().expect("the newest come first");
    deliver(14);
    let synced = device.sync(&inbox);
    assert_eq!((synced.added.len(), &synced.soft_deleted[..]), (1, &[oldest][..]));
    assert!(synced.deleted.is_empty() && device.sync(&inbox).is_quiet());
    assert_eq!(anton.mails(AT_INBOX).len(), 15);
}

/// The server's limit of time holds whatever the phone asks for, and a narrower filter stays narrower.
#[test]
fn no_more_than_the_server_allows() {
    let world = World::plan()
        .property("eas.mail.time_limit", "7")
        .start()
        .expect("SQLite");
    let anton = world.anton();
    for days in [0, 2, 5, 20, 90] {
        anton.deliver_mail_at(AT_INBOX, &mail(&format!("{days} days"), "Text."), now() - days * DAY, 0);
    }
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    for (wanted, expected) in [(EVERYTHING, 3), (THREE_DAYS, 2), (EVERYTHING, 3)] {
        filter(&mut device, &inbox, wanted);
        device.sync(&inbox);
        assert_eq!(device.items(&inbox).len(), expected, "FilterType {wanted}");
    }
}
