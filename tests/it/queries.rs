//! The forms of a request's URI and of its headers: plain and base64, as the documents say and as devices write them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::device::INBOX;
use crate::device::http::Request;
use crate::device::link::MULTIPART;
use crate::device::link::PATH;
use crate::device::link::WBXML;
use crate::items::mail;
use crate::multipart;
use crate::refusals::told;
use crate::world::World;
use crate::world::wait_for;

/// Version, command, locale, DeviceId, policy key, DeviceType and parameters, as bytes.
struct Encoded<'a> {
    version: u8,
    command: u8,
    locale: [u8; 2],
    device: &'a [u8],
    key: &'a [u8],
    kind: &'a [u8],
    parameters: &'a [(u8, &'a [u8])],
}

const PLAIN: Encoded<'_> = Encoded {
    version: 141,
    command: 9,
    locale: [9, 4],
    device: b"abc",
    key: b"",
    kind: b"Phone",
    parameters: &[],
};

impl Encoded<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = vec![self.version, self.command];
        bytes.extend(self.locale);
        for field in [self.device, self.key, self.kind] {
            bytes.push(u8::try_from(field.len()).unwrap());
            bytes.extend(field);
        }
        for (tag, value) in self.parameters {
            bytes.extend([*tag, u8::try_from(value.len()).unwrap()]);
            bytes.extend(*value);
        }
        bytes
    }

    fn text(&self) -> String {
        STANDARD.encode(self.bytes())
    }
}

fn folder_sync() -> Vec<u8> {
    let key = Element::text(folderhierarchy::SYNC_KEY, "0");
    oxtender::wbxml::encode(&Element::parent(folderhierarchy::FOLDER_SYNC, [key]), V14_1)
}

fn request(query: &str, mut headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Request {
    headers.push(("Authorization", format!("Basic {}", STANDARD.encode("anton:secret"))));
    headers.push(("Content-Type", WBXML.to_owned()));
    Request {
        method: "POST",
        target: format!("{PATH}?{query}"),
        headers,
        body: Some(body),
    }
}

#[test]
fn queries() {
    let world = World::start();
    let device = world.device(V14_1);
    let guid = [0xAB, 0xCD, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 0xFF, 0xFE];
    // Bytes that base64 writes as + and /.
    let plus = Encoded {
        kind: &[b'P', b'P', 0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF],
        ..PLAIN
    };
    let escaped = plus.text().replace('+', "%2B").replace('/', "%2f").replace('=', "%3D");
    assert!(
        plus.text().contains('+') && plus.text().contains('/'),
        "{}",
        plus.text()
    );
    let unpadded = |encoded: &Encoded<'_>| encoded.text().trim_end_matches('=').to_owned();
    let all = Encoded {
        key: &[1, 2, 3, 4],
        parameters: &[
            (1, b"7"),
            (3, b"7:1"),
            (6, b"x"),
            (7, &[3]),
            (8, b"berta"),
            (2, b"old"),
            (5, b"old"),
            (200, b"new"),
        ],
        ..PLAIN
    };
    // query, HTTP status, DeviceId in the log
    let cases = [
        (
            "Cmd=FolderSync&User=anton&DeviceId=abc&DeviceType=SP".to_owned(),
            200,
            "abc",
        ),
        // Whoever is named here, the credentials count.
        (
            "Cmd=FolderSync&User=berta&DeviceId=abc&DeviceType=SP".to_owned(),
            200,
            "abc",
        ),
        ("Cmd=FolderSync&DeviceId=abc&DeviceType=SP".to_owned(), 200, "abc"),
        (
            "User=EXAMPLE%5Canton&Cmd=FolderSync&DeviceId=abc&DeviceType=SP".to_owned(),
            200,
            "abc",
        ),
        (
            "DeviceType=SP&deviceid=abc&cmd=foldersync&X=Y&&Z".to_owned(),
            200,
            "abc",
        ),
        (
            format!("Cmd=FolderSync&DeviceId={}&DeviceType=SP", "a".repeat(64)),
            200,
            &"a".repeat(64),
        ),
        (
            format!("Cmd=FolderSync&DeviceId={}&DeviceType=SP", "a".repeat(65)),
            400,
            "",
        ),
        (
            "Cmd=FolderSync&DeviceId=A_b-1&DeviceType=SP%20x".to_owned(),
            200,
            "A_b-1",
        ),
        (PLAIN.text(), 200, "abc"),
        (unpadded(&PLAIN), 200, "abc"),
        (plus.text(), 200, "abc"),
        (escaped, 200, "abc"),
        (
            Encoded { device: &guid, ..PLAIN }.text(),
            200,
            "ABCD000102030405060708090A0BFFFE",
        ),
        (
            Encoded {
                locale: [0xFF, 0xFF],
                ..PLAIN
            }
            .text(),
            200,
            "abc",
        ),
        (Encoded { version: 25, ..PLAIN }.text(), 200, "abc"),
        (all.text(), 200, "abc"),
        (Encoded { version: 142, ..PLAIN }.text(), 400, ""),
        (Encoded { version: 10, ..PLAIN }.text(), 400, ""),
        (Encoded { command: 99, ..PLAIN }.text(), 400, ""),
        (
            Encoded {
                key: &[1, 2, 3],
                ..PLAIN
            }
            .text(),
            400,
            "",
        ),
        (Encoded { device: b"", ..PLAIN }.text(), 400, ""),
        (Encoded { kind: b"", ..PLAIN }.text(), 400, ""),
        (STANDARD.encode(&all.bytes()[..all.bytes().len() - 1]), 400, ""),
    ];
    let mut served: BTreeMap<&str, usize> = BTreeMap::new();
    for door in [world.ajp(), world.http()] {
        for (query, status, name) in &cases {
            let is_plain = query.to_lowercase().contains("cmd=");
            let version = is_plain.then(|| ("MS-ASProtocolVersion", "14.1".to_owned()));
            let answer = door
                .exchange(&request(query, version.into_iter().collect(), folder_sync()))
                .unwrap();
            assert_eq!(answer.status, *status, "{query}");
            if *status == 200 {
                *served.entry(name).or_default() += 1;
                assert_eq!(
                    device.link.decode(&answer.body).child_text(folderhierarchy::STATUS),
                    Some("1"),
                    "{query}"
                );
            }
        }
    }
    for (name, count) in served {
        let line = format!("anton {name} FolderSync ");
        wait_for(&line, || (world.log().matches(&line).count() == count).then_some(()));
    }
}

/// Headers that stand twice, also where Apache made one of them; headers that nobody knows; no version at all.
#[test]
fn headers() {
    let world = World::start();
    let device = world.device(V14_1);
    let query = "Cmd=FolderSync&User=anton&DeviceId=abc&DeviceType=SP";
    let line = |name: &'static str, value: &str| (name, value.to_owned());
    const VERSION: &str = "MS-ASProtocolVersion";
    let cases = [
        vec![],
        vec![line(VERSION, "14.1"), line(VERSION, "14.1")],
        vec![line(VERSION, "14.1"), line(VERSION, "99")],
        vec![line(VERSION, "14.1, 14.1")],
        vec![
            line(VERSION, " 14.1 "),
            line("X-MS-PolicyKey", "0, 0"),
            line("MS-ASAcceptMultiPart", "F"),
        ],
        vec![
            line(VERSION, "14.1"),
            line("X-MS-PolicyKey", "nonsense"),
            line("X-Vendor", ""),
        ],
        vec![
            line(VERSION, "14.1"),
            line("Accept-Language", "de-DE"),
            line("Transfer-Unknown", "x"),
        ],
    ];
    for headers in cases {
        for door in [world.ajp(), world.http()] {
            let answer = door.exchange(&request(query, headers.clone(), folder_sync())).unwrap();
            assert_eq!(told(&device, &answer), (200, Some("1".to_owned())), "{headers:?}");
        }
    }
    // What the base64 form says counts, whatever the headers say.
    let headers = vec![line(VERSION, "99"), line("X-MS-PolicyKey", "7")];
    let answer = world
        .http()
        .exchange(&request(&PLAIN.text(), headers, folder_sync()))
        .unwrap();
    assert_eq!(told(&device, &answer), (200, Some("1".to_owned())));
}

/// Several parts by header and by query, and in which letter case.
#[test]
fn who_gets_several_parts() {
    let world = World::start();
    world.anton().receive(&mail("parts", "Text."));
    let mut device = world.ready_device(V12_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let id = device.items(&inbox).keys().next().unwrap().clone();
    let body = multipart::request(&device, vec![multipart::item(&inbox, &id, V12_1)])
        .body
        .unwrap();
    let name = device.link.device_id.clone();
    let plain = format!("Cmd=ItemOperations&User=anton&DeviceId={name}&DeviceType=Phone");
    let encoded = |flags: &[u8]| {
        let parameters: &[(u8, &[u8])] = &[(7, flags)];
        let (device, kind) = (name.as_bytes(), &b"Phone"[..]);
        Encoded {
            version: 121,
            command: 19,
            device,
            kind,
            parameters,
            ..PLAIN
        }
        .text()
    };
    // query, MS-ASAcceptMultiPart, several parts
    let cases = [
        (plain.clone(), None, false),
        (plain.clone(), Some("T"), true),
        (plain.clone(), Some("t"), true),
        (plain.clone(), Some("F"), false),
        (plain, Some(""), false),
        (encoded(&[2]), None, true),
        (encoded(&[3]), None, true),
        (encoded(&[1]), None, false),
        (encoded(&[]), None, false),
        (encoded(&[0]), Some("T"), true),
    ];
    for (query, header, several) in cases {
        let mut headers = vec![("MS-ASProtocolVersion", "12.1".to_owned())];
        headers.extend(header.map(|value| ("MS-ASAcceptMultiPart", value.to_owned())));
        let answer = device.link.exchange(&request(&query, headers, body.clone()));
        assert_eq!(answer.status, 200, "{query}");
        let expected = if several { MULTIPART } else { WBXML };
        assert_eq!(answer.header("Content-Type"), Some(expected), "{query} {header:?}");
    }
}

/// Login and password in UTF-8 and in Latin-1, with and without padding; other schemes are none of ours.
#[test]
fn authorizations() {
    let world = World::plan()
        .standin(|builder| builder.user(ox_standin::User::new(3, "anton", "p\u{e4}ss")))
        .start()
        .unwrap();
    let utf8 = STANDARD.encode("anton:p\u{e4}ss");
    let latin1 = STANDARD.encode(b"anton:p\xE4ss");
    // Authorization, HTTP status
    let cases = [
        (vec![format!("Basic {utf8}")], 200),
        (vec![format!("Basic {latin1}")], 200),
        (vec![format!("basic   {}", utf8.trim_end_matches('='))], 200),
        (vec![format!("Basic {utf8}"), "Basic eDp5".to_owned()], 200),
        (vec![format!("Basic {utf8}, Basic {utf8}")], 200),
        (vec![format!("Negotiate {utf8}")], 401),
        (vec!["NTLM TlRMTVNTUAAB".to_owned()], 401),
        (vec![format!("Basic{utf8}")], 401),
        (vec![], 401),
    ];
    let options = world.device(V14_1).link.options();
    for (lines, status) in cases {
        for door in [world.ajp(), world.http()] {
            let mut request = options.clone();
            request.headers = lines.iter().map(|line| ("Authorization", line.clone())).collect();
            let answer = door.exchange(&request).unwrap();
            assert_eq!(answer.status, status, "{lines:?}");
            let challenge = answer
                .header("WWW-Authenticate")
                .map(|challenge| challenge.split(' ').next());
            assert_eq!(
                challenge,
                (status == 401).then_some(Some("Basic")),
                "only Basic is offered"
            );
        }
    }
}
