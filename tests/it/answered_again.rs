//! Answers to meetings that come again: because their confirmation was lost, OX failed, or somebody thought better of it.

use ox_standin::Fault;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_0;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::meetingresponse as tag;

use crate::device::CALENDAR;
use crate::device::INBOX;
use crate::items::property;
use crate::meetings::ACCEPT;
use crate::meetings::INBOX_AT_OX;
use crate::meetings::TENTATIVE;
use crate::meetings::TRASH_AT_OX;
use crate::meetings::appointments;
use crate::meetings::confirmation;
use crate::meetings::invited;
use crate::meetings::request;
use crate::meetings::respond_once;
use crate::meetings::send;
use crate::meetings::sent;
use crate::world::World;

/// The answer is lost once and twice, forgotten or with a crash: the repetition gets the same, and nothing is done twice.
#[test]
fn lost_answers() {
    for version in [V2_5, V14_1, V16_1] {
        for (times, crashes) in [(1, false), (2, false), (1, true), (2, true)] {
            let mut world = World::start();
            let (device, id) = invited(&world, version);
            let wanted = request(ACCEPT, &device.folder(INBOX), &id, send(version));
            let first = respond_once(&device, wanted.clone());
            assert_eq!(first.0, 1);
            for _ in 0..times {
                if crashes {
                    world.restart();
                }
                assert_eq!(respond_once(&device, wanted.clone()), first, "{version}");
            }
            assert_eq!(appointments(&world).len(), 1, "{version}");
            assert_eq!(sent(&world).len(), usize::from(version >= V16_0), "{version}");
            assert_eq!(world.anton().mails(TRASH_AT_OX).len(), 1, "{version}");
        }
    }
}

/// A changed mind is no repetition: each answer counts and is mailed, its repetition is not.
#[test]
fn a_changed_mind() {
    let world = World::start();
    let (mut device, id) = invited(&world, V16_1);
    let (inbox, folder) = (device.folder(INBOX), device.folder(CALENDAR));
    let (_, calendar_id) = respond_once(&device, request(ACCEPT, &inbox, &id, send(V16_1)));
    let calendar_id = calendar_id.unwrap();
    device.sync(&folder);
    for (mails, response, expected) in [(2, TENTATIVE, 3), (3, ACCEPT, 1), (4, TENTATIVE, 3)] {
        for _ in 0..2 {
            assert_eq!(
                respond_once(&device, request(response, &folder, &calendar_id, send(V16_1))).0,
                1
            );
            assert_eq!(confirmation(&appointments(&world)[0]), expected);
            assert_eq!(sent(&world).len(), mails);
        }
    }
}

/// OX fails in the middle: nothing is lost, and the repetition finishes it.
#[test]
fn ox_fails_in_the_middle() {
    // call that fails, Status of the first answer
    for (module, action) in [("calendar", "confirm"), ("mail", "new"), ("conversion", "convert")] {
        let world = World::start();
        let (device, id) = invited(&world, V16_1);
        let wanted = request(ACCEPT, &device.folder(INBOX), &id, send(V16_1));
        world.standin.faults().always(module, action, Fault::Status(503));
        let root = Element::parent(tag::MEETING_RESPONSE, [wanted.clone()]);
        let answer = device.link.document("MeetingResponse", &root);
        assert_eq!(property(&answer, tag::STATUS), "111", "{module} {action}");
        assert_eq!(
            world.anton().mails(INBOX_AT_OX).len(),
            1,
            "the invitation is still there"
        );
        world.standin.faults().clear();
        assert_eq!(respond_once(&device, wanted).0, 1, "{module} {action}");
        assert_eq!(
            (appointments(&world).len(), sent(&world).len()),
            (1, 1),
            "{module} {action}"
        );
    }
}
