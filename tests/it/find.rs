//! Find: keywords, pages of one SearchId, people.

use ox_standin::Profile;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::find as tag;
use oxtender::wbxml::codepage::gal;
use oxtender::wbxml::codepage::itemoperations;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::strict::text_of;
use crate::items::mail;
use crate::items::now;
use crate::world::World;

const SEARCH_ID: &str = "69F5B0A8-8E4C-4A6B-8E4A-1D9F9F0A0B0C";

fn find(device: &Device, criterion: Element) -> Element {
    let root = Element::parent(
        tag::FIND,
        [
            Element::text(tag::SEARCH_ID, SEARCH_ID),
            Element::parent(tag::EXECUTE_SEARCH, [criterion]),
        ],
    );
    device.link.document("Find", &root)
}

fn mails(words: &str, range: Option<&str>, folder: Option<&str>) -> Element {
    let mut query = vec![Element::text(airsync::CLASS, "Email")];
    query.extend(folder.map(|id| Element::text(airsync::COLLECTION_ID, id)));
    query.push(Element::text(tag::FREE_TEXT, words));
    let mut criterion = Element::parent(tag::MAIL_BOX_SEARCH_CRITERION, [Element::parent(tag::QUERY, query)]);
    criterion.extend(range.map(|range| Element::parent(tag::OPTIONS, [Element::text(tag::RANGE, range)])));
    criterion
}

fn response(answer: &Element) -> &Element {
    assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{}", text_of(answer));
    answer
        .child(tag::RESPONSE)
        .unwrap_or_else(|| panic!("no Response:\n{}", text_of(answer)))
}

fn subjects(response: &Element) -> Vec<&str> {
    let results = response.children_of(tag::RESULT);
    results
        .map(|result| {
            let properties = result.child(tag::PROPERTIES).expect("Properties");
            properties.child_text(email::SUBJECT).unwrap_or_default()
        })
        .collect()
}

#[test]
fn mails_by_keywords() {
    // Older servers do not look into the content.
    let world = World::since(Profile::V6_20);
    let anton = world.anton();
    let age = |subject: &str, text: &str, seconds: i64| {
        anton.deliver_mail_at("default0/INBOX", &mail(subject, text), now() - seconds * 1000, 0)
    };
    age("lunch", "We eat plums.", 10);
    age("dinner", "We eat nothing.", 20);
    age("breakfast", "Plums again.", 3 * 86_400);
    let device = world.ready_device(V16_1);
    let inbox = device.folder(INBOX);
    // words, subjects
    let cases: [(&str, &[&str]); 9] = [
        ("plums", &["lunch", "breakfast"]),
        ("from:berta subject:dinner", &["dinner"]),
        ("subject:lunch OR subject:dinner", &["lunch", "dinner"]),
        ("eat NOT plums", &["dinner"]),
        ("\"eat plums\"", &["lunch"]),
        ("received<yesterday", &["breakfast"]),
        ("hasattachment:true", &[]),
        ("size>1mb", &[]),
        ("to:anton importance:normal size<1mb body:nothing", &["dinner"]),
    ];
    for (words, expected) in cases {
        for folder in [None, Some(inbox.as_str())] {
            let answer = find(&device, mails(words, None, folder));
            let response = response(&answer);
            assert_eq!(subjects(response), expected, "{words}");
            assert_eq!(response.child_text(itemoperations::STORE), Some("Mailbox"));
            assert_eq!(
                response.child_text(tag::TOTAL),
                Some(expected.len().to_string().as_str())
            );
        }
    }
    let answer = find(&device, mails("lunch", None, None));
    let result = response(&answer).child(tag::RESULT).expect("a Result");
    assert_eq!(result.child_text(airsync::CLASS), Some("Email"));
    assert_eq!(result.child_text(airsync::COLLECTION_ID), Some(inbox.as_str()));
    let server_id = result.child_text(airsync::SERVER_ID).expect("a ServerId");
    let fetched = device.fetch_item(&inbox, server_id, vec![], false);
    assert_eq!(fetched.status, 1);
    let properties = result.child(tag::PROPERTIES).expect("Properties");
    for (property, expected) in [
        (tag::PREVIEW, "We eat plums."),
        (tag::HAS_ATTACHMENTS, "0"),
        (email::READ, "0"),
        (email::IMPORTANCE, "1"),
        (email::DISPLAY_TO, "Anton Anders"),
    ] {
        assert_eq!(properties.child_text(property), Some(expected), "{}", text_of(&answer));
    }
}

#[test]
fn pages_and_refusals() {
    // Older servers do not look into the content.
    let world = World::since(Profile::V6_20);
    let anton = world.anton();
    for (age, subject) in ["a", "b", "c"].into_iter().enumerate() {
        let received = now() - i64::try_from(age).unwrap() * 1000 - 5000;
        anton.deliver_mail_at("default0/INBOX", &mail(subject, "plums"), received, 0);
    }
    let device = world.ready_device(V16_1);
    let status = |criterion: Element| {
        let answer = find(&device, criterion);
        let inner = answer
            .child(tag::RESPONSE)
            .and_then(|response| response.child_text(tag::STATUS));
        (
            answer.child_text(tag::STATUS).unwrap_or_default().to_owned(),
            inner.map(str::to_owned),
        )
    };
    let told = |command: &str, inner: Option<&str>| (command.to_owned(), inner.map(str::to_owned));
    // The first page comes first.
    assert_eq!(status(mails("plums", Some("1-2"), None)), told("1", Some("4")));
    assert_eq!(
        subjects(response(&find(&device, mails("plums", Some("0-0"), None)))),
        ["a"]
    );
    anton.receive(&mail("newest", "plums"));
    let answer = find(&device, mails("plums", Some("1-2"), None));
    assert_eq!(subjects(response(&answer)), ["b", "c"]);
    assert_eq!(response(&answer).child_text(tag::RANGE), Some("1-2"));
    for range in ["2-1", "1000-1001", "x"] {
        assert_eq!(
            status(mails("plums", Some(range), None)),
            told("1", Some("4")),
            "{range}"
        );
    }
    assert_eq!(status(mails("", None, None)), told("1", Some("2")));
    assert_eq!(status(mails("plums", None, Some("4711"))), told("3", None));
    assert_eq!(status(Element::empty(tag::OPTIONS)), told("2", None));
}

#[test]
fn people() {
    let world = World::start();
    let device = world.ready_device(V16_1);
    let picture = Element::parent(tag::OPTIONS, [Element::empty(tag::PICTURE)]);
    let criterion = Element::parent(tag::GAL_SEARCH_CRITERION, [Element::text(tag::QUERY, "bert"), picture]);
    let answer = find(&device, criterion);
    let response = response(&answer);
    assert_eq!(response.child_text(itemoperations::STORE), Some("GAL"));
    assert_eq!(response.child_text(tag::RANGE), Some("0-0"));
    let person = response
        .child(tag::RESULT)
        .and_then(|result| result.child(tag::PROPERTIES))
        .expect("a person");
    assert_eq!(person.child_text(gal::FIRST_NAME), Some("Berta"));
    let picture = person.child(gal::PICTURE).expect("a Picture");
    assert_eq!(picture.child_text(gal::STATUS), Some("173"));
}
