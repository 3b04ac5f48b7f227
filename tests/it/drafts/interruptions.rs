//! Drafts when answers are lost, or all goes dark between two steps: none twice, and none sent twice.

use ox_standin::Fault;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::email as tag;

use crate::device::Device;
use crate::device::Loss;
use crate::drafts::AT_DRAFTS;
use crate::drafts::body;
use crate::drafts::draft;
use crate::drafts::ready;
use crate::drafts::text_at_ox;
use crate::items::property;
use crate::world::Store;
use crate::world::World;
use crate::world::wait_for;

/// Answers that the phone never gets, once and twice: no draft twice, none sent twice, and the phone keeps one id.
#[test]
fn lost_answers() {
    for loss in [Loss::Forgotten, Loss::HungUp] {
        for times in [1, 2] {
            let world = World::start();
            let anton = world.anton();
            let (mut device, drafts) = ready(&world, V16_1);
            let lose = |device: &mut Device| {
                for _ in 0..times {
                    device.sync_and_lose(&drafts, loss);
                }
            };
            let label = format!("{loss:?} {times}");
            let client_id = device.add(&drafts, draft("carl@example.org", "one", "Text."));
            lose(&mut device);
            let synced = device.sync(&drafts);
            assert!(synced.is_quiet(), "{label}: {synced:?}");
            assert!(synced.made.contains_key(&client_id));
            let id = synced.new_ids[&client_id].clone();
            assert!(text_at_ox(&anton).contains("Subject: one"));

            device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "two")]);
            lose(&mut device);
            let synced = device.sync(&drafts);
            assert!(synced.is_quiet() && synced.refused.is_empty(), "{label}: {synced:?}");
            assert!(text_at_ox(&anton).contains("Subject: two"), "{label}");

            // The phone's user goes on writing before the phone repeats.
            device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "three")]);
            lose(&mut device);
            device.collection(&drafts).pending.clear();
            device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "four")]);
            let synced = device.sync(&drafts);
            assert!(synced.is_quiet() && synced.refused.is_empty(), "{label}: {synced:?}");
            assert!(text_at_ox(&anton).contains("Subject: four"), "{label}");

            device.change(&drafts, &id, vec![body(1, "At last.")]);
            device.send_draft(&drafts);
            lose(&mut device);
            let synced = device.sync(&drafts);
            assert_eq!(synced.deleted, [id.as_str()], "{label}");
            device.add(&drafts, draft("carl@example.org", "at once", "Text."));
            device.send_draft(&drafts);
            lose(&mut device);
            device.sync(&drafts);
            assert_eq!(anton.sent().len(), 2, "{label}");
            assert!(
                anton.mails(AT_DRAFTS).is_empty() && device.items(&drafts).is_empty(),
                "{label}"
            );
            assert!(device.sync(&drafts).is_quiet());
        }
    }
}

/// OX does what it is asked, and its answer is lost, at each step of storing and sending; the gateway lives, or is killed.
#[test]
fn interrupted_at_every_step() {
    for kill in [false, true] {
        for (action, sends) in [("new", false), ("delete", false), ("new", true), ("delete", true)] {
            interrupted(&mut World::start(), action, sends, kill);
        }
    }
}

#[test]
fn interrupted_on_mariadb() {
    if let Some(mut world) = World::with(Store::MariaDb) {
        interrupted(&mut world, "delete", true, true);
    }
}

fn interrupted(world: &mut World, action: &str, sends: bool, kill: bool) {
    let label = format!("{action}, sends: {sends}, kill: {kill}");
    let anton = world.anton();
    let (mut device, drafts) = ready(world, V16_1);
    let client_id = device.add(&drafts, draft("carl@example.org", "one", "Text."));
    let id = device.sync(&drafts).new_ids[&client_id].clone();
    device.change(&drafts, &id, vec![Element::text(tag::SUBJECT, "two")]);
    if sends {
        device.send_draft(&drafts);
    }
    world.standin.faults().nth(1, "mail", action, Fault::LoseAnswer);
    match kill {
        false => assert_ne!(
            device.try_sync(&drafts).status,
            1,
            "{label}: the phone is told to come again"
        ),
        true => {
            device.sync_and_lose(&drafts, Loss::HungUp);
            wait_for("the call that is lost", || {
                world.standin.faults().are_spent().then_some(())
            });
            world.kill();
            world.restart();
        }
    }
    let synced = device.sync(&drafts);
    assert!(
        synced.refused.is_empty() && synced.added.is_empty(),
        "{label}: {synced:?}"
    );
    match sends {
        true => {
            assert_eq!(synced.deleted, [id.as_str()], "{label}");
            assert_eq!(anton.sent().len(), 1, "{label}");
            assert!(anton.mails(AT_DRAFTS).is_empty(), "{label}");
        }
        false => {
            assert!(synced.is_quiet(), "{label}: {synced:?}");
            assert!(text_at_ox(&anton).contains("Subject: two"), "{label}");
            assert!(anton.sent().is_empty());
            let fetched = device.fetch_item(&drafts, &id, Vec::new(), false).properties.unwrap();
            assert_eq!(property(&fetched, tag::SUBJECT), "two", "{label}");
        }
    }
    assert!(device.sync(&drafts).is_quiet(), "{label}");
}

/// An addition whose answer OX never gave is found again, stored or sent.
#[test]
fn additions_are_found_again() {
    for sends in [false, true] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, drafts) = ready(&world, V16_1);
        device.add(&drafts, draft("carl@example.org", "one", "Text."));
        if sends {
            device.send_draft(&drafts);
        }
        world.standin.faults().nth(1, "mail", "new", Fault::LoseAnswer);
        assert_ne!(device.try_sync(&drafts).status, 1);
        device.sync(&drafts);
        let (stored, out) = (anton.mails(AT_DRAFTS).len(), anton.sent().len());
        assert_eq!((stored, out), (usize::from(!sends), usize::from(sends)));
        assert_eq!(device.items(&drafts).len(), stored);
        assert!(device.sync(&drafts).is_quiet());
    }
}
