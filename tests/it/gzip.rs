//! Bodies that are compressed, in both directions: who gets them, who may send them, and how large they may be.

use std::io::Read as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::apache;
use crate::apache::Apache;
use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Answer;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::link::MULTIPART;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::items::mail;
use crate::refusals::told;
use crate::world::World;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gunzip(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut inflated).unwrap();
    inflated
}

fn folder_sync(device: &Device) -> Request {
    let key = Element::text(folderhierarchy::SYNC_KEY, "0");
    device
        .link
        .wbxml("FolderSync", &Element::parent(folderhierarchy::FOLDER_SYNC, [key]))
}

fn accepting(mut request: Request, codings: &str) -> Request {
    request.headers.push(("Accept-Encoding", codings.to_owned()));
    request
}

/// The same with its body compressed, or at least said to be.
fn coded(mut request: Request, coding: &str) -> Request {
    request.body = request.body.map(|body| gzip(&body));
    request.headers.push(("Content-Encoding", coding.to_owned()));
    request
}

/// A world whose tree is worth compressing.
fn many_folders() -> World {
    let world = World::start();
    for number in 0..30 {
        world
            .anton()
            .create_folder("default0/INBOX", &format!("Folder number {number}"), "mail");
    }
    world
}

fn is_compressed(answer: &Answer) -> bool {
    answer.header("Content-Encoding").is_some()
}

#[test]
fn answers_for_those_who_ask() {
    let world = many_folders();
    let mut device = world.device(V14_1);
    device.provision();
    // Accept-Encoding, compressed
    let cases = [
        ("gzip", true),
        ("gzip, deflate, br", true),
        ("GZIP;q=0.5, identity", true),
        ("*", true),
        ("gzip;q=0", false),
        ("deflate, br", false),
        ("identity", false),
    ];
    let Some(apache) = Apache::with_line(&apache::shipped("ajp.conf", world.ajp_address())) else {
        return;
    };
    for door in [world.ajp(), world.http(), std::sync::Arc::new(HttpDoor(apache.address))] {
        device.link.door = door;
        let plain = device.link.exchange(&folder_sync(&device));
        assert!(!is_compressed(&plain) && plain.body.len() > 1024);
        for (codings, compressed) in cases {
            let answer = device.link.exchange(&accepting(folder_sync(&device), codings));
            assert_eq!(is_compressed(&answer), compressed, "{codings}");
            let length = answer.body.len().to_string();
            assert_eq!(answer.header("Content-Length"), Some(length.as_str()), "{codings}");
            assert_eq!(answer.header("Content-Type"), Some(WBXML));
            let body = match compressed {
                true => {
                    assert_eq!(answer.header("Content-Encoding"), Some("gzip"));
                    assert_eq!(answer.header("Vary"), Some("Accept-Encoding"));
                    assert!(answer.body.len() < plain.body.len());
                    gunzip(&answer.body)
                }
                false => answer.body,
            };
            let root = device.link.decode(&body);
            assert_eq!(root.child_text(folderhierarchy::STATUS), Some("1"), "{codings}");
        }
    }
}

/// Empty bodies, short ones, several parts, and attachments stay as they are.
#[test]
fn answers_that_are_not_compressed() {
    let world = World::start();
    let text = "A line of the attachment.\r\n".repeat(200);
    let source = format!(
        "From: berta@example.com\r\nSubject: file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/plain\r\n\r\n{text}\r\n\
         --x\r\nContent-Type: text/xml; name=a.xml\r\nContent-Disposition: attachment; filename=a.xml\r\n\r\n{text}\r\n--x--\r\n"
    );
    world.anton().receive(source.as_bytes());
    let mut device = world.ready_device(V12_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let id = device.items(&inbox).keys().next().unwrap().clone();
    let attachments = oxtender::wbxml::codepage::airsyncbase::ATTACHMENTS;
    let attachment = device.item(&inbox, &id).child(attachments).unwrap().children()[0].clone();
    let reference = attachment
        .child_text(oxtender::wbxml::codepage::airsyncbase::FILE_REFERENCE)
        .unwrap();
    let mut attachment = device.link.request("GetAttachment", Parameters::default(), "", None);
    attachment.target.push_str(&format!("&AttachmentName={reference}"));
    let quiet = device.sync_request(&[&inbox]);
    let options = device.link.options();
    let parts = crate::multipart::request(&device, vec![crate::multipart::item(&inbox, &id, V12_1)]);
    // request, Content-Type, smallest body
    for (request, content_type, smallest) in [
        (attachment, Some("text/xml"), 5000),
        (quiet, None, 0),
        (options, None, 0),
        (parts, Some(MULTIPART), 5000),
    ] {
        let answer = device.link.exchange(&accepting(request, "gzip"));
        assert_eq!(answer.status, 200);
        assert!(!is_compressed(&answer), "{content_type:?}");
        let found = answer.header("Content-Type").and_then(|kind| kind.split(';').next());
        assert_eq!(found, content_type);
        assert!(answer.body.len() >= smallest && (smallest > 0 || answer.body.is_empty()));
    }
}

#[test]
fn requests() {
    let world = World::start();
    let Some(apache) = Apache::start(world.ajp_address(), "") else {
        return;
    };
    let message = mail("zipped", &"Text of the message. ".repeat(500));
    for door in [world.ajp(), world.http(), std::sync::Arc::new(HttpDoor(apache.address))] {
        let before = world.anton().sent().len();
        for version in [V2_5, V14_1] {
            let mut device = world.device(version);
            device.link.door = door.clone();
            device.provision();
            let answer = device.link.exchange(&coded(folder_sync(&device), "gzip"));
            assert_eq!(told(&device, &answer), (200, Some("1".to_owned())));
            let send = device.send_mail_request(&device.link.device_id, &message);
            let answer = device.link.exchange(&coded(send, "x-gzip"));
            assert_eq!((answer.status, answer.body.len()), (200, 0), "{version}");
        }
        assert_eq!(world.anton().sent().len(), before + 2);
    }
    let raw = world.anton().sent().pop().unwrap().raw;
    assert_eq!(
        String::from_utf8_lossy(&raw).matches("Text of the message.").count(),
        500
    );
}

/// What is not gzip, what is something else, and what is far more than it seems.
#[test]
fn requests_that_are_refused() {
    let world = World::plan().property("eas.max_body_bytes", "65536").start().unwrap();
    for door in [world.ajp(), world.http()] {
        let mut device = world.device(V14_1);
        device.link.door = door;
        device.provision();
        let with = |body: Vec<u8>, coding: &str| {
            let mut request = folder_sync(&device);
            request.body = Some(body);
            request.headers.push(("Content-Encoding", coding.to_owned()));
            device.link.exchange(&request)
        };
        let document = folder_sync(&device).body.unwrap();
        let zipped = gzip(&document);
        let bomb = gzip(&vec![0; 20_000_000]);
        assert!(bomb.len() < 65_536, "it must be small enough to be read");
        let invalid = || (200, Some("101".to_owned()));
        // body, Content-Encoding, what is told
        for (body, coding, expected) in [
            (bomb, "gzip", (413, None)),
            (document.clone(), "br", (415, None)),
            (zipped.clone(), "gzip, gzip", (415, None)),
            (document.clone(), "gzip", invalid()),
            (zipped.split_at(zipped.len() / 2).0.to_vec(), "gzip", invalid()),
            (document, "identity", (200, Some("1".to_owned()))),
            (Vec::new(), "gzip", invalid()),
        ] {
            let answer = with(body, coding);
            assert_eq!(told(&device, &answer), expected, "{coding}");
            if answer.status == 415 {
                assert_eq!(answer.header("Accept-Encoding"), Some("gzip"));
            }
        }
        let answer = device.link.exchange(&folder_sync(&device));
        assert_eq!(answer.status, 200, "the gateway is as well as before");
    }
}
