//! The attachments of drafts: put in, taken out, and where the phone finds them.

use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;

use crate::device::Device;
use crate::drafts::body;
use crate::drafts::draft;
use crate::drafts::ready;
use crate::drafts::text_at_ox;
use crate::items::property;
use crate::world::World;

const PDF: &[u8] = b"%PDF-1.4\nnot much of a document\n";

fn attach(client_id: &str, name: &str, kind: &str, content: Option<&[u8]>) -> Element {
    let mut add = Element::parent(
        airsyncbase::ADD,
        [
            Element::text(airsyncbase::CLIENT_ID, client_id),
            Element::text(airsyncbase::DISPLAY_NAME, name),
            Element::text(airsyncbase::CONTENT_TYPE, kind),
            Element::number(airsyncbase::METHOD, 1),
        ],
    );
    add.extend(content.map(|content| Element::opaque(airsyncbase::CONTENT, content)));
    add
}

fn attachments(children: impl IntoIterator<Item = Element>) -> Element {
    Element::parent(airsyncbase::ATTACHMENTS, children)
}

/// ClientId and FileReference, as the server names them.
fn references(made: &Element) -> Vec<(String, String)> {
    let list = made.child(airsyncbase::ATTACHMENTS).expect("attachments");
    let pair = |it: &Element| {
        (
            property(it, airsyncbase::CLIENT_ID),
            property(it, airsyncbase::FILE_REFERENCE),
        )
    };
    list.children().iter().map(pair).collect()
}

/// Files are put in and taken out; what is not mentioned stays, byte for byte.
#[test]
fn files() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, drafts) = ready(&world, V16_1);
    let mut data = draft("carl@example.org", "files", "See below.");
    data.push(attachments([
        attach("a1", "report.pdf", "application/pdf", Some(PDF)),
        // Known to the server before, says the phone.
        attach("a2", "known.txt", "text/plain", None),
    ]));
    let client_id = device.add(&drafts, data);
    let synced = device.sync(&drafts);
    let id = synced.new_ids[&client_id].clone();
    let made = references(&synced.made[&client_id]);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made[0].0, "a1");
    let fetched = |device: &Device, reference: &str| {
        let file = device.fetch_attachment(reference, None, false);
        let kind = file.properties.map(|it| property(&it, airsyncbase::CONTENT_TYPE));
        (file.bytes.unwrap_or_default(), kind.unwrap_or_default())
    };
    assert_eq!(
        fetched(&device, &made[0].1),
        (PDF.to_vec(), "application/pdf".to_owned())
    );

    // A second one, in a change that says nothing of the first. The phone is told where both are now.
    let picture: Vec<u8> = (0..=255).collect();
    let more = attachments([attach("a3", "Bild \u{e4}.png", "image/png", Some(&picture))]);
    device.change(&drafts, &id, vec![more]);
    let synced = device.sync(&drafts);
    let made = references(&synced.made[&id]);
    assert_eq!(fetched(&device, &made[0].1).0, picture);
    device.sync(&drafts);
    let shown = |device: &Device| -> Vec<(String, String)> {
        let list = device.item(&drafts, &id).child(airsyncbase::ATTACHMENTS);
        let pair = |it: &Element| {
            (
                property(it, airsyncbase::DISPLAY_NAME),
                property(it, airsyncbase::FILE_REFERENCE),
            )
        };
        list.map(|list| list.children().iter().map(pair).collect())
            .unwrap_or_default()
    };
    let listed = shown(&device);
    let names: Vec<&str> = listed.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["report.pdf", "Bild \u{e4}.png"]);
    assert_eq!(
        fetched(&device, &listed[0].1),
        (PDF.to_vec(), "application/pdf".to_owned())
    );
    assert_eq!(
        fetched(&device, &listed[1].1),
        (picture.clone(), "image/png".to_owned())
    );
    assert!(text_at_ox(&anton).contains("See below."));
    assert!(device.sync(&drafts).is_quiet());

    // Another text, and the first file taken out.
    let delete = Element::parent(
        airsyncbase::DELETE,
        [Element::text(airsyncbase::FILE_REFERENCE, listed[0].1.clone())],
    );
    device.change(
        &drafts,
        &id,
        vec![body(2, "<p>One is left.</p>"), attachments([delete.clone()])],
    );
    device.sync(&drafts);
    device.sync(&drafts);
    let listed = shown(&device);
    assert_eq!(listed.len(), 1);
    assert_eq!(fetched(&device, &listed[0].1).0, picture);
    assert!(text_at_ox(&anton).contains("One is left.") && !text_at_ox(&anton).contains("report.pdf"));

    // A reference to what is not there any more could mean another file by now.
    device.change(&drafts, &id, vec![attachments([delete])]);
    assert_eq!(device.sync(&drafts).refused, [(id.clone(), 6)]);
    device.sync(&drafts);
    device.change(&drafts, &id, Vec::new());
    device.send_draft(&drafts);
    device.sync(&drafts);
    let raw = String::from_utf8(anton.sent()[0].raw.to_vec()).unwrap();
    assert!(raw.contains("image/png") && raw.contains("One is left."), "{raw}");
}
