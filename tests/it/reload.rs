//! SIGHUP: the configuration is read again while phones are served, and no phone notices but by what changed.

use oxtender::version::ProtocolVersion::V14_1;

use crate::device::Device;
use crate::device::INBOX;
use crate::items::mail;
use crate::world::World;
use crate::world::wait_for;

/// What the gateway logs last, about a configuration that it took and about one that it did not take.
const TAKEN: &str = "the configuration was read again";
const REFUSED: &str = "the one before stays in force";

/// A phone that has synced its inbox.
fn phone(world: &World) -> (Device, String) {
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    (device, inbox)
}

/// The longest wait that the gateway admits, as a phone learns it that asks for more.
fn longest_wait(device: &mut Device, inbox: &str) -> Option<u64> {
    let pinged = device.ping(3600, &[inbox]);
    assert_eq!(pinged.status, 5);
    pinged.heartbeat
}

#[test]
fn new_values_count_for_new_requests_and_a_wait_goes_on() {
    let world = World::start();
    let (mut other, same) = phone(&world);
    let (mut waiting, inbox) = phone(&world);
    let looks = || world.standin.calls().of("mail", "all");
    let before = looks();
    let ping = waiting.start_ping(50, &[&inbox]);
    wait_for("a look at OX", || (looks() > before).then_some(()));
    assert_eq!(longest_wait(&mut other, &same), Some(3540));

    let changed = [("eas.ping.max_heartbeat", "40"), ("eas.ajp.secret", "sesame")];
    let told = world.reconfigure(&changed, "after a restart only");
    assert!(
        told.contains("in force for new requests: com.openexchange.usm.eas.ping.max_heartbeat\n")
            && told.ends_with("after a restart only: com.openexchange.usm.eas.ajp.secret"),
        "{told}"
    );
    assert!(!told.contains("sesame"), "{told}");
    assert_eq!(longest_wait(&mut other, &same), Some(40));
    assert!(!ping.is_finished(), "the wait was ended");

    // A mistake changes nothing, not even by the lines that are right.
    let wrong = [("eas.ping.max_heartbeat", "30"), ("eas.ping.poll_interval", "often")];
    let told = world.reconfigure(&wrong, REFUSED);
    assert!(
        told.contains("eas.properties, line 2: ") && told.contains("poll_interval=often"),
        "{told}"
    );
    assert_eq!(longest_wait(&mut other, &same), Some(40));

    // Back to the beginning: nothing waits for a restart any more.
    let told = world.reconfigure(&[], TAKEN);
    assert!(
        told.ends_with("in force for new requests: com.openexchange.usm.eas.ping.max_heartbeat"),
        "{told}"
    );
    assert!(world.reconfigure(&[], TAKEN).ends_with("nothing else is in force"));
    assert_eq!(longest_wait(&mut other, &same), Some(3540));

    assert!(!ping.is_finished(), "the wait was ended");
    world.anton().receive(&mail("new", "Text."));
    assert_eq!(ping.join().unwrap().status, 2, "it is woken as if nothing had been");
}

/// Whoever is logged in already has to pass the new conditions, too.
#[test]
fn the_access_check_holds_for_phones_that_are_known() {
    let world = World::start();
    let (device, _) = phone(&world);
    let request = device.link.wbxml("FolderSync", &device.folder_sync_request());
    let status = || device.link.exchange(&request).status;
    assert_eq!(status(), 200);
    world.reconfigure(&[("access_check_module", "unheard_of")], TAKEN);
    assert_eq!((status(), status()), (403, 403));
    world.reconfigure(&[], TAKEN);
    assert_eq!(status(), 200);
}

/// Paths are looked up for each request.
#[test]
fn another_path_is_served_at_once() {
    let world = World::start();
    let (device, _) = phone(&world);
    let options = device.link.options();
    let mut moved = options.clone();
    moved.target = options.target.replace("/Microsoft-Server-ActiveSync", "/eas");
    let statuses = || [&options, &moved].map(|request| world.http().exchange(request).unwrap().status);
    assert_eq!(statuses(), [200, 404]);
    world.reconfigure(&[("eas.alias", "/eas")], TAKEN);
    assert_eq!(statuses(), [404, 200]);
}
