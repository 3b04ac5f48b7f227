//! Users who belong to another host: their phones are sent there, and everybody else is served.

use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::apache::Apache;
use crate::device::http::Door as _;
use crate::device::http::HttpDoor;
use crate::world::World;

const THERE: &str = "https://new.example/Microsoft-Server-ActiveSync";

#[test]
fn phones_are_sent_to_the_host_of_their_users() {
    // rules, where anton's phone is sent
    let cases = [
        ("", None),
        ("https://new.example", Some(THERE)),
        ("ANTON=https://new.example/", Some(THERE)),
        ("anton=https://new.example:444/eas", Some("https://new.example:444/eas")),
        ("berta=https://new.example,*@example.com=https://new.example", None),
        // He belongs here, though all the others do not.
        ("anton=https://phone.test, https://new.example", None),
    ];
    for (rules, expected) in cases {
        let world = World::plan().property("eas.redirect", rules).start().unwrap();
        let Some(apache) = Apache::start(world.ajp_address(), "") else {
            return;
        };
        for version in [V2_5, V14_1, V16_1] {
            let device = world.device(version);
            let key = Element::text(folderhierarchy::SYNC_KEY, "0");
            let folders = Element::parent(folderhierarchy::FOLDER_SYNC, [key]);
            for request in [device.link.options(), device.link.wbxml("FolderSync", &folders)] {
                for answer in [
                    device.link.exchange(&request),
                    world.http().exchange(&request).unwrap(),
                    HttpDoor(apache.address).exchange(&request).unwrap(),
                ] {
                    let status = if expected.is_some() { 451 } else { 200 };
                    assert_eq!(answer.status, status, "{rules}");
                    assert_eq!(answer.header("X-MS-Location"), expected, "{rules}");
                    assert!(expected.is_none() || answer.body.is_empty());
                }
            }
        }
        let logins = world.standin.calls().of("login", "login");
        assert_eq!(
            logins == 0,
            expected.is_some(),
            "OX is not asked for users of other hosts"
        );
    }
}

/// Without credentials nobody is told where anybody is.
#[test]
fn strangers_are_not_sent_anywhere() {
    let world = World::plan()
        .property("eas.redirect", "https://new.example")
        .start()
        .unwrap();
    let mut request = world.device(V14_1).link.options();
    request.headers.clear();
    let answer = world.http().exchange(&request).unwrap();
    assert_eq!((answer.status, answer.header("X-MS-Location")), (401, None));
}
