//! Requests that fetch more than memory should hold: what fits comes, the rest is refused and comes when it is asked for again.

use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::commands::body_preference;
use crate::items::mail;
use crate::world::World;

/// Status of a Fetch that was one too many.
const TOO_LARGE: i64 = 11;
/// The same of Sync.
const SERVER_ERROR: i64 = 5;

/// What one request may fetch here, and one of four things, of which two are more than that.
const MOST: &str = "65536";
const EACH: usize = 40_000;

fn world() -> World {
    let plan = World::plan().property("eas.max_fetched_bytes", MOST);
    plan.start().expect("SQLite is always there")
}

/// Four files of different bytes in one mail.
fn mail_with_files() -> String {
    let file = |number: u8| {
        let name = char::from(b'a' + number);
        let line = format!("{}\r\n", char::from(b'0' + number).to_string().repeat(78));
        let text = line.repeat(EACH / line.len());
        format!(
            "--x\r\nContent-Type: application/octet-stream; name={name}.bin\r\n\
             Content-Disposition: attachment; filename={name}.bin\r\n\r\n{text}\r\n"
        )
    };
    let files: String = (0..4).map(file).collect();
    format!(
        "From: berta@example.com\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/plain\r\n\r\nFour files.\r\n{files}--x--\r\n"
    )
}

fn references(device: &Device, folder: &str) -> Vec<String> {
    let item = device.items(folder).values().next().expect("the mail");
    let listed = item.child(airsyncbase::ATTACHMENTS).expect("Attachments").children();
    let references = listed
        .iter()
        .filter_map(|file| file.child_text(airsyncbase::FILE_REFERENCE));
    references.map(str::to_owned).collect()
}

/// Attachments, beside the document and in it: the third and the fourth of one request are refused.
#[test]
fn attachments() {
    for (version, multipart) in [(V12_1, false), (V12_1, true), (V14_1, false), (V16_1, true)] {
        let world = world();
        world.anton().receive(mail_with_files().as_bytes());
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.sync(&inbox);
        let references = references(&device, &inbox);
        assert_eq!(references.len(), 4, "{version}");
        let mut wanted = references;
        let mut seen = String::new();
        // What is asked for, the statuses.
        let rounds: [&[i64]; 2] = [&[1, 1, TOO_LARGE, TOO_LARGE], &[1, 1]];
        for statuses in rounds {
            let fetched = device.fetch_attachments(&wanted, multipart);
            let told: Vec<i64> = fetched.iter().map(|fetched| fetched.status).collect();
            assert_eq!(told, statuses, "{version} {multipart}");
            let mut refused = Vec::new();
            for (reference, fetched) in wanted.into_iter().zip(fetched) {
                match fetched.bytes {
                    Some(bytes) => {
                        assert!(bytes.len() > EACH - 80, "{version}: {}", bytes.len());
                        assert!(bytes.iter().all(|byte| *byte == bytes[0] || byte.is_ascii_whitespace()));
                        seen.push(char::from(bytes[0]));
                    }
                    None => {
                        assert_eq!((fetched.status, fetched.properties), (TOO_LARGE, None), "{version}");
                        refused.push(reference);
                    }
                }
            }
            wanted = refused;
        }
        assert_eq!(seen, "0123", "{version} {multipart}");
    }
}

/// Whole mails of which the phone has the beginning: as in ItemOperations, in the answer to Sync. What Sync brings by itself has
/// a limit of its own, which is no refusal.
#[test]
fn mails() {
    for version in [V2_5, V12_1, V14_1] {
        let world = world();
        for subject in ["a", "b", "c", "d"] {
            let line = format!("{}\r\n", subject.repeat(70));
            world.anton().receive(&mail(subject, &line.repeat(EACH / line.len())));
        }
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.collection(&inbox).options = match version {
            V2_5 => vec![Element::number(airsync::TRUNCATION, 1)],
            _ => body_preference(version, 1, Some(100)),
        };
        let mut wanted = device.sync(&inbox).added;
        assert_eq!(wanted.len(), 4, "{version}");
        for left in [2, 0] {
            for id in &wanted {
                device.fetch(&inbox, id);
            }
            let synced = device.sync_once(&inbox);
            assert_eq!(synced.fetched.len(), 2, "{version}");
            for data in synced.fetched.values() {
                assert!(text(data).len() > EACH - 80, "{version}: {}", text(data).len());
            }
            let told: Vec<i64> = synced.refused.iter().map(|(_, status)| *status).collect();
            assert_eq!(told, vec![SERVER_ERROR; left], "{version}");
            wanted = synced.refused.into_iter().map(|(id, _)| id).collect();
        }
        assert!(device.sync(&inbox).is_quiet(), "{version}");
    }
}

fn text(data: &Element) -> &str {
    let body = data
        .child(airsyncbase::BODY)
        .and_then(|body| body.child_text(airsyncbase::DATA));
    body.or_else(|| data.child_text(email::BODY)).unwrap_or_default()
}
