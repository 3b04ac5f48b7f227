//! A large mailbox: five thousand mails through windows of a hundred, what that costs at OX and in memory, and that it goes
//! on wherever it was cut off.
//!
//! `LARGE=100000 cargo test --test it large -- --nocapture` measures another size.

use oxtender::version::ProtocolVersion;
use oxtender::wbxml::codepage::email;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::Loss;
use crate::device::commands::body_preference;
use crate::items::DAY;
use crate::items::mail;
use crate::items::now;
use crate::world::World;

const MAILS: usize = 5000;
const WINDOW: usize = 100;
/// A thousand mails may cost so many HTTP requests at OX.
const MOST_CALLS: u64 = 25;

/// Of a folder's memory, what does not grow with it, and what does. Measured: 8 MB of ten thousand mails, 17 of thirty thousand,
/// 60 of a hundred thousand.
const MOST_MEMORY: u64 = 12 << 20;
const MOST_MEMORY_OF_A_MAIL: u64 = 560;

#[test]
fn five_thousand_mails() {
    let world = World::start();
    let anton = world.anton();
    deliver(&world, MAILS);
    let (mut device, inbox) = phone(&world, WINDOW);
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

/// Every answer is lost once, and now and then the gateway dies: each window comes again, and no mail comes twice.
#[test]
fn wherever_it_was_cut_off_it_goes_on() {
    let mut world = World::start();
    deliver(&world, 600);
    let (mut device, inbox) = phone(&world, 50);
    let mut added = Vec::new();
    for round in 0..40 {
        device.sync_and_lose(&inbox, Loss::Forgotten);
        if round % 4 == 0 {
            world.restart();
        }
        let synced = device.sync_once(&inbox);
        assert_eq!(synced.status, 1, "round {round}");
        let is_first = round == 0;
        added.extend(synced.added);
        if !is_first && !synced.more_available {
            break;
        }
    }
    let count = added.len();
    added.sort();
    added.dedup();
    assert_eq!((added.len(), count), (600, 600));
    assert!(device.sync(&inbox).is_quiet());
}

/// What a folder costs in memory beyond a small one, at every moment of its first Sync and after it.
#[test]
fn memory_stays_bounded() {
    let mails = std::env::var("LARGE").map_or(10_000, |mails| mails.parse().expect("a number of mails"));
    let world = World::plan()
        .property("max_objects_per_folder", "1000000")
        .start()
        .expect("SQLite");
    deliver(&world, 100);
    let (mut device, inbox) = phone(&world, 512);
    device.sync(&inbox);
    let before = world.peak_memory();
    deliver(&world, mails);
    let first = device.sync_once(&inbox);
    let in_first = world.peak_memory() - before;
    let synced = device.sync(&inbox);
    assert_eq!(first.added.len() + synced.added.len(), mails);
    assert!(device.sync(&inbox).is_quiet());
    let in_all = world.peak_memory() - before;
    println!("{mails} mails: {in_first} bytes more in the first window, {in_all} in all");
    let most = MOST_MEMORY + mails as u64 * MOST_MEMORY_OF_A_MAIL;
    assert!(in_all <= most, "{in_all} bytes, more than {most}");
}

fn deliver(world: &World, count: usize) {
    let anton = world.anton();
    for number in 0..count {
        let received = now() - DAY + i64::try_from(number).unwrap() * 1000;
        let mail = mail(&format!("mail {number}"), "A text of no great length.");
        anton.deliver_mail_at("default0/INBOX", &mail, received, 0);
    }
}

fn phone(world: &World, window: usize) -> (Device, String) {
    let mut device = world.ready_device(ProtocolVersion::V14_1);
    let inbox = device.folder(INBOX);
    let collection = device.collection(&inbox);
    collection.window = window;
    collection.options = body_preference(ProtocolVersion::V14_1, 1, Some(512));
    (device, inbox)
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
