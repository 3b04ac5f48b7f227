//! What is refused, and how it is told; and that trouble passes without a trace.

use ox_standin::Fault;
use ox_standin::Profile;
use ox_standin::User;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::find;
use oxtender::wbxml::codepage::folderhierarchy;
use oxtender::wbxml::codepage::meetingresponse;
use oxtender::wbxml::codepage::ping;
use oxtender::wbxml::codepage::settings;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::http::Request;
use crate::device::link::PATH;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::items::contact;
use crate::items::mail;
use crate::outages::synced;
use crate::world::World;

fn status(root: &Element) -> Option<&str> {
    root.children()
        .iter()
        .find(|child| child.tag.name() == "Status")?
        .as_text()
}

/// What an answer says: its HTTP status, and the Status in its document.
pub(crate) fn told(device: &Device, answer: &Answer) -> (u16, Option<String>) {
    let is_document = answer.status == 200 && !answer.body.is_empty();
    let root = is_document.then(|| device.link.decode(&answer.body));
    (answer.status, root.as_ref().and_then(status).map(str::to_owned))
}

#[test]
fn other_paths_are_not_ours() {
    let world = World::start();
    let device = world.device(V14_1);
    // path, HTTP status
    let cases = [
        ("/", 404),
        ("/Microsoft-Server-ActiveSync2", 404),
        ("/ajax/login", 404),
        ("/microsoft-server-activesync", 200),
        ("/Microsoft-Server-ActiveSync/", 200),
        ("/Microsoft-Server-ActiveSync/default.eas", 200),
        ("/MICROSOFT-SERVER-ACTIVESYNC/Default.eas", 200),
        ("/Microsoft-Server-ActiveSync/other", 404),
    ];
    for (path, expected) in cases {
        let request = Request {
            target: path.to_owned(),
            ..device.link.options()
        };
        for door in [world.ajp(), world.http()] {
            assert_eq!(door.exchange(&request).unwrap().status, expected, "{path}");
        }
    }
}

#[test]
fn methods_that_are_none_of_ours() {
    let world = World::start();
    let device = world.device(V14_1);
    for method in ["PUT", "DELETE", "PROPFIND"] {
        let request = Request {
            method,
            ..device.link.options()
        };
        let answer = device.link.exchange(&request);
        assert_eq!(
            (answer.status, answer.header("Allow")),
            (501, Some("OPTIONS,POST")),
            "{method}"
        );
    }
}

/// No credentials, broken ones and wrong ones; OX hears of the wrong ones once.
#[test]
fn credentials() {
    let world = World::start();
    let mut device = world.device(V14_1);
    let without = |authorization: Option<&str>, mut request: Request| {
        request.headers.retain(|(name, _)| *name != "Authorization");
        request
            .headers
            .extend(authorization.map(|value| ("Authorization", value.to_owned())));
        request
    };
    let key = Element::parent(
        folderhierarchy::FOLDER_SYNC,
        [Element::text(folderhierarchy::SYNC_KEY, "0")],
    );
    let requests = [device.link.options(), device.link.wbxml("FolderSync", &key)];
    for request in &requests {
        for authorization in [
            None,
            Some("Basic"),
            Some("Basic !!!"),
            Some("Basic YW50b24="),
            Some("Bearer abc"),
        ] {
            let answer = device.link.exchange(&without(authorization, request.clone()));
            let challenge = answer.header("WWW-Authenticate").unwrap_or_default();
            assert_eq!(answer.status, 401, "{authorization:?}");
            assert!(challenge.starts_with("Basic realm="), "{challenge:?}");
        }
    }
    assert_eq!(world.standin.calls().of("login", "login"), 0);
    device.link.password = "wrong".to_owned();
    for request in [
        device.link.options(),
        device.link.wbxml("FolderSync", &key),
        device.link.options(),
    ] {
        let answer = device.link.exchange(&request);
        assert_eq!(answer.status, 401);
        assert!(answer.header("WWW-Authenticate").is_some());
    }
    assert_eq!(
        world.standin.calls().of("login", "login"),
        1,
        "OX is asked once a minute for a wrong password"
    );
    device.link.password = "secret".to_owned();
    device.set_up();
}

/// Queries that lack something, or name what nobody knows.
#[test]
fn parameters_that_are_missing() {
    let world = World::start();
    let device = world.device(V14_1);
    let good = "Cmd=Ping&User=anton&DeviceId=abc&DeviceType=Phone";
    // query, version, HTTP status
    let cases = [
        ("", Some("14.1"), 400),
        ("Cmd=Ping&User=anton&DeviceType=Phone", Some("14.1"), 400),
        ("Cmd=Ping&User=anton&DeviceId=&DeviceType=Phone", Some("14.1"), 400),
        ("Cmd=Ping&User=anton&DeviceId=a/b&DeviceType=Phone", Some("14.1"), 400),
        ("Cmd=Ping&User=anton&DeviceId=abc", Some("14.1"), 400),
        ("User=anton&DeviceId=abc&DeviceType=Phone", Some("14.1"), 400),
        (good, Some("14.2"), 400),
        (good, Some("x"), 400),
        (good, Some("1.0"), 505),
        ("jAAJ", None, 400),
        ("%%%", None, 400),
        (
            "Cmd=Nothing&User=anton&DeviceId=abc&DeviceType=Phone",
            Some("14.1"),
            501,
        ),
        ("Cmd=Nothing&User=anton&DeviceId=abc&DeviceType=Phone", Some("2.5"), 501),
        (good, Some("14.1"), 200),
    ];
    for (query, version, expected) in cases {
        let mut headers = vec![("Authorization", device.link.authorization())];
        headers.extend(version.map(|version| ("MS-ASProtocolVersion", version.to_owned())));
        let request = Request {
            method: "POST",
            target: format!("{PATH}?{query}"),
            headers,
            body: None,
        };
        assert_eq!(device.link.exchange(&request).status, expected, "{query} {version:?}");
    }
}

/// Bodies that are not what they should be: an HTTP status up to 12.1, a Status in the document from 14.0 on.
#[test]
fn bodies() {
    let world = World::start();
    let folder_sync = || {
        Element::parent(
            folderhierarchy::FOLDER_SYNC,
            [Element::text(folderhierarchy::SYNC_KEY, "0")],
        )
    };
    let deep = || {
        let mut bytes = vec![3, 1, 0x6A, 0];
        bytes.extend([0x45; 10_000]);
        bytes
    };
    let encoded = |root: &Element| oxtender::wbxml::encode(root, V2_5);
    // command, body, HTTP status until 12.1, Status from 14.0 on
    let cases = [
        ("FolderSync", b"".to_vec(), 400, "101"),
        ("FolderSync", b"hello".to_vec(), 400, "102"),
        ("FolderSync", vec![3, 1, 0x6A, 0, 0x45], 400, "102"),
        ("FolderSync", deep(), 400, "102"),
        ("Sync", encoded(&folder_sync()), 400, "103"),
        ("FolderSync", encoded(&Element::empty(ping::PING)), 400, "103"),
        (
            "GetItemEstimate",
            encoded(&Element::empty(
                oxtender::wbxml::codepage::getitemestimate::GET_ITEM_ESTIMATE,
            )),
            400,
            "103",
        ),
        (
            "MoveItems",
            encoded(&Element::empty(oxtender::wbxml::codepage::moveitems::MOVE_ITEMS)),
            400,
            "103",
        ),
    ];
    for (command, body, http, expected) in cases {
        for version in [V2_5, V12_1, V14_1, V16_1] {
            let device = world.device(version);
            let request = device
                .link
                .request(command, Parameters::default(), WBXML, Some(body.clone()));
            let expected = match version {
                V2_5 | V12_1 => (http, None),
                _ => (200, Some(expected.to_owned())),
            };
            assert_eq!(
                told(&device, &device.link.exchange(&request)),
                expected,
                "{command} {version} {body:02X?}"
            );
        }
    }
}

/// A Sync that breaks the rules says so with its own Status 4, in every version.
#[test]
fn sync_that_breaks_the_rules() {
    let world = World::start();
    for version in [V2_5, V14_1] {
        let device = world.ready_device(version);
        let collection = |children: Vec<Element>| {
            let collection = Element::parent(airsync::COLLECTION, children);
            Element::parent(airsync::SYNC, [Element::parent(airsync::COLLECTIONS, [collection])])
        };
        let key = || Element::text(airsync::SYNC_KEY, "0");
        let documents = [
            Element::empty(airsync::SYNC),
            collection(vec![key()]),
            collection(vec![Element::text(airsync::COLLECTION_ID, "1")]),
        ];
        for document in documents {
            let answer = device.link.document("Sync", &document);
            assert_eq!(answer.child_text(airsync::STATUS), Some("4"), "{version} {document:?}");
        }
        let unknown = collection(vec![key(), Element::text(airsync::COLLECTION_ID, "4711")]);
        let answer = device.link.document("Sync", &unknown);
        let answer = answer
            .child(airsync::COLLECTIONS)
            .and_then(|all| all.child(airsync::COLLECTION))
            .unwrap();
        assert_eq!(answer.child_text(airsync::STATUS), Some("12"), "{version}");
    }
}

/// Commands that we do not offer, and commands of other versions.
#[test]
fn commands() {
    let world = World::start();
    let settings = || Element::parent(settings::SETTINGS, [Element::empty(settings::USER_INFORMATION)]);
    // Without anything to answer.
    let response = || Element::empty(meetingresponse::MEETING_RESPONSE);
    let find = || Element::empty(find::FIND);
    let no_body = || Element::empty(airsync::SYNC);
    // command, version, body, what is told
    let cases = [
        ("Settings", V2_5, settings(), (400, None)),
        ("MeetingResponse", V14_1, response(), (200, Some("103"))),
        ("MeetingResponse", V12_1, response(), (400, None)),
        ("GetAttachment", V14_1, no_body(), (400, None)),
        ("CreateCollection", V2_5, no_body(), (501, None)),
    ];
    for (command, version, root, (http, status)) in cases {
        let mut device = world.device(version);
        device.provision();
        let expected = (http, status.map(str::to_owned));
        assert_eq!(
            told(&device, &device.link.exchange(&device.link.wbxml(command, &root))),
            expected,
            "{command} {version}"
        );
    }
    // Find came with 16.1, and its code page too: the answer cannot be a document of 14.1.
    let device = world.device(V14_1);
    let body = oxtender::wbxml::encode(&find(), V16_1);
    let answer = device
        .link
        .exchange(&device.link.request("Find", Parameters::default(), WBXML, Some(body)));
    assert_eq!(
        (answer.status, answer.body.len()),
        (400, 0),
        "Find in 14.1: {:02X?}",
        answer.body
    );
}

/// Mails that are none, and objects that OX itself cannot read: all the others arrive.
#[test]
fn one_bad_item_never_fails_a_collection() {
    let world = World::start();
    let anton = world.anton();
    let bad: [&[u8]; 4] = [
        b"\x00\xFF\xFE",
        b"Subject: =?x-unknown?Q?=FF=FE?=\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n--x\r\n--x",
        b"Content-Type: text/plain; charset=none-such\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!!",
        b"",
    ];
    for (number, bad) in bad.iter().enumerate() {
        anton.receive(bad);
        anton.receive(&mail(&format!("good {number}"), "Text."));
    }
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    // One more that neither JSON nor source can be had of.
    let unreadable = anton.receive(&mail("unreadable", "Text."));
    let unreadable = format!("{inbox}:{unreadable}");
    for _ in 0..2 {
        world
            .standin
            .faults()
            .nth(1, "mail", "get", Fault::error("MSG-0032", 8));
        device.sync(&inbox);
        let subject = |data: &Element| {
            data.child_text(oxtender::wbxml::codepage::email::SUBJECT)
                .map(str::to_owned)
        };
        let subjects: Vec<String> = device.items(&inbox).values().filter_map(subject).collect();
        for number in 0..bad.len() {
            assert!(subjects.contains(&format!("good {number}")), "{subjects:?}");
        }
        world.standin.faults().clear();
    }
    assert!(
        device.items(&inbox).len() >= 2 * bad.len(),
        "{unreadable}: {:?}",
        device.items(&inbox).keys()
    );
}

/// A contact that the phone must not send, among good ones.
#[test]
fn one_bad_change_never_fails_a_request() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    device.add(&folder, contact("Otto", "First"));
    let mut bad = contact("Otto", "Bad");
    bad.push(Element::text(oxtender::wbxml::codepage::contacts::BIRTHDAY, "never"));
    device.add(&folder, bad);
    device.add(&folder, contact("Otto", "Last"));
    device.change(&folder, &format!("{folder}:4711"), contact("Otto", "Nobody"));
    let synced = device.sync(&folder);
    assert_eq!(synced.new_ids.len() + synced.refused.len(), 4, "{synced:?}");
    assert!(synced.refused.contains(&(format!("{folder}:4711"), 8)), "{synced:?}");
    let anton = world.anton();
    let names: Vec<String> = anton
        .objects(
            ox_standin::Module::Contacts,
            anton.default_folder(ox_standin::Module::Contacts),
        )
        .iter()
        .map(|contact| contact["last_name"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert!(
        names.contains(&"First".to_owned()) && names.contains(&"Last".to_owned()),
        "{names:?}"
    );
}

/// Users who may not. Servers without the module `capabilities` have one permission for everything mobile.
#[test]
fn permission() {
    for (is_new, carl) in [(true, 403), (false, 200)] {
        let anton = || User::new(3, "anton", "secret");
        let plan = World::plan().standin(|builder| {
            let builder = match is_new {
                true => builder.at_least(Profile::V7_8),
                false => builder.profile(Profile::V6_20),
            };
            builder
                .user(anton())
                .user(User::new(4, "berta", "secret").without("mobility"))
                .user(User::new(5, "carl", "secret").without("active_sync"))
        });
        let world = plan.property("eas.access_check", "true").start().unwrap();
        for (login, expected) in [("anton", 200), ("berta", 403), ("carl", carl)] {
            for version in [V2_5, V14_1] {
                may_come_in(&world, login, version, expected);
            }
        }
    }
}

/// A phone comes again for ever; the log tells of it once.
fn may_come_in(world: &World, login: &str, version: ProtocolVersion, expected: u16) {
    let key = Element::parent(
        folderhierarchy::FOLDER_SYNC,
        [Element::text(folderhierarchy::SYNC_KEY, "0")],
    );
    let device = world.device_of(login, version);
    for _ in 0..3 {
        let answer = device.link.exchange(&device.link.wbxml("FolderSync", &key));
        assert_eq!(answer.status, expected, "{login} {version}");
    }
    let (log, id) = (world.log(), &device.link.device_id);
    let is_told = |line: &&str| line.contains(" WARN ") && line.contains(&format!("{login} {id} "));
    let told = log.lines().filter(is_told).count();
    assert_eq!(told, usize::from(expected == 403), "{login}: {log}");
}
