//! A large mailbox: five thousand mails through windows of a hundred, and what that costs at OX.

use oxtender::version::ProtocolVersion;
use oxtender::wbxml::codepage::email;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::commands::body_preference;
use crate::items::DAY;
use crate::items::mail;
use crate::items::now;
use crate::world::World;

const MAILS: usize = 5000;
const WINDOW: usize = 100;
/// A thousand mails may cost so many HTTP requests at OX.
const MOST_CALLS: u64 = 25;

#[test]
fn five_thousand_mails() {
    let world = World::start();
    let anton = world.anton();
    let received = |number: usize| now() - DAY + i64::try_from(number).unwrap() * 1000;
    for number in 0..MAILS {
        let mail = mail(&format!("mail {number}"), "A text of no great length.");
        anton.deliver_mail_at("default0/INBOX", &mail, received(number), 0);
    }
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let inbox = device.folder(INBOX);
    device.collection(&inbox).window = WINDOW;
    device.collection(&inbox).options = body_preference(ProtocolVersion::V14_1, 1, Some(512));
    device.sync_once(&inbox);
    let mut calls = Vec::new();
    while calls.len() < MAILS / WINDOW {
        let before = world.standin.calls().requests;
        let synced = device.sync_once(&inbox);
        calls.push(world.standin.calls().requests - before);
        let first = calls.len() * WINDOW - WINDOW;
        // The oldest was deleted meanwhile.
        let is_last = calls.len() == MAILS / WINDOW;
        assert_eq!(
            synced.added.len(),
            WINDOW - usize::from(is_last),
            "window {}",
            calls.len()
        );
        assert_eq!(
            newest_first(&device, &inbox, &synced.added),
            MAILS - 1 - first,
            "the newest mails come first"
        );
        assert_eq!(synced.more_available, !is_last);
        // News in the middle do not start it all over.
        if calls.len() == 20 {
            anton.delete_mail("default0/INBOX", &anton.mails("default0/INBOX")[0].id);
        }
    }
    for thousand in calls.chunks(1000 / WINDOW) {
        let cost: u64 = thousand.iter().sum();
        assert!(cost <= MOST_CALLS, "a thousand mails cost {cost} calls: {calls:?}");
    }
    device.sync(&inbox);
    assert_eq!(device.items(&inbox).len(), MAILS - 1);
    assert_eq!(anton.mails("default0/INBOX").len(), MAILS - 1);
    assert!(device.sync(&inbox).is_quiet());
}

/// The number in the subject of the first mail, of a window that is in order.
fn newest_first(device: &Device, inbox: &str, ids: &[String]) -> usize {
    let number = |id: &String| -> usize {
        let subject = device.item(inbox, id).child_text(email::SUBJECT).unwrap_or_default();
        subject
            .trim_start_matches("mail ")
            .parse()
            .unwrap_or_else(|_| panic!("{subject:?}"))
    };
    let numbers: Vec<usize> = ids.iter().map(number).collect();
    assert!(numbers.is_sorted_by(|a, b| a > b), "{numbers:?}");
    numbers[0]
}
