//! ItemOperations in several parts, byte for byte: where each part lies, what goes there, and what does not.

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::itemoperations as tag;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::commands::body_preference;
use crate::device::http::Request;
use crate::device::link::MULTIPART;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::world::World;

const TEXT: &str = "The text of the mail.";

/// Eight bytes that are no text.
const PICTURE: [u8; 8] = [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A];

/// A Fetch of an item, its body as text.
pub(crate) fn item(collection: &str, server_id: &str, version: ProtocolVersion) -> Element {
    fetch(vec![
        Element::text(airsync::COLLECTION_ID, collection),
        Element::text(airsync::SERVER_ID, server_id),
        Element::parent(tag::OPTIONS, body_preference(version, 1, None)),
    ])
}

/// ItemOperations that may be answered in several parts.
pub(crate) fn request(device: &Device, operations: Vec<Element>) -> Request {
    let root = Element::parent(tag::ITEM_OPERATIONS, operations);
    let parameters = Parameters {
        accept_multipart: true,
        ..Parameters::default()
    };
    let body = oxtender::wbxml::encode(&root, device.version());
    device.link.request("ItemOperations", parameters, WBXML, Some(body))
}

fn attachment(reference: &str) -> Element {
    fetch(vec![Element::text(airsyncbase::FILE_REFERENCE, reference)])
}

fn fetch(wanted: Vec<Element>) -> Element {
    let store = Element::text(tag::STORE, "Mailbox");
    Element::parent(tag::FETCH, std::iter::once(store).chain(wanted))
}

/// The number at a place, in 32 bits, little-endian.
fn number(body: &[u8], at: usize) -> usize {
    let bytes: [u8; 4] = body[at..at + 4].try_into().unwrap();
    u32::from_le_bytes(bytes).try_into().unwrap()
}

fn has(element: &Element, wanted: oxtender::wbxml::Tag) -> bool {
    element.tag == wanted || element.children().iter().any(|child| has(child, wanted))
}

#[test]
fn the_layout() {
    let source = format!(
        "From: berta@example.com\r\nSubject: files\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n\
         --x\r\nContent-Type: text/plain\r\n\r\n{TEXT}\r\n\
         --x\r\nContent-Type: image/png; name=a.png\r\nContent-Disposition: attachment; filename=a.png\r\n\
         Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--x--\r\n"
    );
    for version in [V12_1, V16_1] {
        let world = World::start();
        world.anton().receive(source.as_bytes());
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.sync(&inbox);
        let id = device.items(&inbox).keys().next().unwrap().clone();
        let listed = device.item(&inbox, &id).child(airsyncbase::ATTACHMENTS).unwrap();
        let reference = listed.children()[0].child_text(airsyncbase::FILE_REFERENCE).unwrap();
        let operations = vec![
            item(&inbox, &format!("{inbox}:4711"), version),
            item(&inbox, &id, version),
            attachment("nonsense"),
            attachment(reference),
        ];
        let answer = device.link.exchange(&request(&device, operations));
        assert_eq!((answer.status, answer.header("Content-Type")), (200, Some(MULTIPART)));
        let body = &answer.body;

        // The document, a text and a picture; what failed has no part.
        assert_eq!(number(body, 0), 3, "{version}");
        let mut expected = 4 + 3 * 8;
        let parts: Vec<&[u8]> = (0..3)
            .map(|index| {
                let (offset, length) = (number(body, 4 + 8 * index), number(body, 8 + 8 * index));
                assert_eq!(offset, expected, "parts follow one another: {version}");
                expected += length;
                &body[offset..offset + length]
            })
            .collect();
        assert_eq!(body.len(), expected, "nothing follows the last part");
        assert_eq!(String::from_utf8_lossy(parts[1]).trim_end(), TEXT);
        assert_eq!(parts[2], PICTURE, "as it is, not in base64");

        let root = device.link.decode(parts[0]);
        let fetched = root.child(tag::RESPONSE).unwrap().children();
        let statuses: Vec<_> = fetched
            .iter()
            .filter_map(|fetch| fetch.child_text(tag::STATUS))
            .collect();
        assert_eq!(statuses, ["6", "1", "15", "1"]);
        let properties = |index: usize| fetched[index].child(tag::PROPERTIES);
        assert_eq!((properties(0), properties(2)), (None, None));
        let mail_body = properties(1).unwrap().child(airsyncbase::BODY).unwrap();
        assert_eq!(mail_body.child_text(tag::PART), Some("1"));
        assert_eq!(properties(3).unwrap().child_text(tag::PART), Some("2"));
        assert!(
            !has(&root, airsyncbase::DATA) && !has(&root, tag::DATA),
            "no Data in an answer of several parts"
        );

        // Where nothing could be fetched, the document is the only part.
        let failed = vec![attachment("nonsense")];
        let answer = device.link.exchange(&request(&device, failed));
        assert_eq!((number(&answer.body, 0), number(&answer.body, 4)), (1, 12));
        assert_eq!(number(&answer.body, 8), answer.body.len() - 12);

        // Who did not ask for parts gets none.
        let inline = device.fetch_attachment(reference, None, false);
        let properties = inline.properties.unwrap();
        assert_eq!(properties.child_text(tag::DATA), Some("iVBORw0KGgo="));
        assert!(!has(&properties, tag::PART));
    }
}
