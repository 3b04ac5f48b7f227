//! Search: people in the address book, mails in all folders, and pages that hold still.

use ox_standin::Module;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::gal;
use oxtender::wbxml::codepage::itemoperations;
use oxtender::wbxml::codepage::search as tag;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::SENT;
use crate::device::commands::body_preference;
use crate::device::strict::text_of;
use crate::items::dashed;
use crate::items::mail;
use crate::items::now;
use crate::world::World;

/// What is in the Store of an answer.
struct Found {
    status: String,
    results: Vec<Element>,
    range: Option<String>,
    total: Option<String>,
}

fn search(device: &Device, name: &str, query: Element, options: Vec<Element>) -> Found {
    let mut store = Element::parent(tag::STORE, [Element::text(tag::NAME, name), query]);
    if !options.is_empty() {
        store.push(Element::parent(tag::OPTIONS, options));
    }
    let answer = device.link.document("Search", &Element::parent(tag::SEARCH, [store]));
    assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{}", text_of(&answer));
    let store = answer
        .child(tag::RESPONSE)
        .and_then(|response| response.child(tag::STORE));
    let store = store.unwrap_or_else(|| panic!("no Store:\n{}", text_of(&answer)));
    let text = |tag| store.child_text(tag).map(str::to_owned);
    Found {
        status: text(tag::STATUS).unwrap_or_default(),
        results: store.children_of(tag::RESULT).cloned().collect(),
        range: text(tag::RANGE),
        total: text(tag::TOTAL),
    }
}

impl Found {
    /// A property of each result, in their order.
    fn each(&self, property: oxtender::wbxml::Tag) -> Vec<String> {
        let properties = self.results.iter().filter_map(|result| result.child(tag::PROPERTIES));
        properties
            .map(|properties| properties.child_text(property).unwrap_or("-").to_owned())
            .collect()
    }

    fn subjects(&self) -> Vec<String> {
        self.each(email::SUBJECT)
    }
}

fn range(text: &str) -> Element {
    Element::text(tag::RANGE, text)
}

fn people(device: &Device, text: &str, options: Vec<Element>) -> Found {
    search(device, "GAL", Element::text(tag::QUERY, text), options)
}

fn mails(device: &Device, operators: Vec<Element>, options: Vec<Element>) -> Found {
    let and = Element::parent(tag::AND, operators);
    search(device, "Mailbox", Element::parent(tag::QUERY, [and]), options)
}

fn words(text: &str) -> Element {
    Element::text(tag::FREE_TEXT, text)
}

/// Names and addresses, from their beginning, in any letter case.
#[test]
fn people_in_every_version() {
    let world = World::start();
    for version in ProtocolVersion::ALL {
        let device = world.ready_device(version);
        for text in ["ant", "ANDERS", "anton@ex"] {
            let found = people(&device, text, vec![range("0-9")]);
            assert_eq!(
                found.each(gal::EMAIL_ADDRESS),
                ["anton@example.com"],
                "{version} {text}"
            );
            assert_eq!(found.each(gal::ALIAS), ["anton"]);
            assert!(found.results[0].child(airsync::CLASS).is_none());
            assert_eq!(
                (found.range.as_deref(), found.total.as_deref()),
                (Some("0-0"), Some("1"))
            );
        }
        let everybody = people(&device, "a", vec![]);
        let names = everybody.each(gal::DISPLAY_NAME);
        assert!(names.is_sorted_by_key(|name| name.to_lowercase()), "{names:?}");
        let nobody = people(&device, "nobody", vec![]);
        assert_eq!((nobody.status.as_str(), nobody.results.len()), ("1", 0));
        assert_eq!(nobody.total.as_deref(), Some("0"));
        assert_eq!(people(&device, "ant", vec![range("1-9")]).status, "12");
        assert_eq!(people(&device, "ant", vec![range("9-1")]).status, "2");
    }
}

#[test]
fn pictures_within_limits() {
    let world = World::start();
    let anton = world.anton();
    let contact = anton
        .objects(Module::Contacts, 6)
        .into_iter()
        .find(|contact| contact["email1"] == "anton@example.com")
        .expect("Anton is in the address book");
    let id = u32::try_from(contact["id"].as_u64().unwrap()).unwrap();
    anton.set_picture(id, "image/jpeg", b"\xFF\xD8\xFFpicture");
    let limit = |tag, number| Element::number(tag, number);
    // limits, text, Status of the picture
    let cases = [
        (vec![], "ant", "1"),
        (vec![], "berta", "173"),
        (vec![limit(tag::MAX_SIZE, 5)], "ant", "174"),
        (vec![limit(tag::MAX_SIZE, 100)], "ant", "1"),
        (vec![limit(tag::MAX_PICTURES, 0)], "ant", "175"),
    ];
    for version in [V14_1, V16_1] {
        let device = world.ready_device(version);
        for (limits, text, expected) in cases.clone() {
            let found = people(&device, text, vec![Element::parent(tag::PICTURE, limits)]);
            let picture = found.results[0]
                .child(tag::PROPERTIES)
                .and_then(|properties| properties.child(gal::PICTURE))
                .expect("a Picture");
            assert_eq!(picture.child_text(gal::STATUS), Some(expected), "{version} {text}");
            let data = picture.child(gal::DATA).map(Element::as_bytes);
            assert_eq!(data, (expected == "1").then_some(&b"\xFF\xD8\xFFpicture"[..]));
        }
        let without = people(&device, "ant", vec![]);
        assert!(
            without.results[0]
                .child(tag::PROPERTIES)
                .unwrap()
                .child(gal::PICTURE)
                .is_none()
        );
    }
}

/// An address book that OX hides is an empty one.
#[test]
fn a_hidden_address_book() {
    let world = World::plan()
        .standin(ox_standin::Builder::without_global_address_book)
        .start()
        .unwrap();
    let device = world.ready_device(V14_1);
    let found = people(&device, "ant", vec![]);
    assert_eq!((found.status.as_str(), found.total.as_deref()), ("1", Some("0")));
}

/// Mail in all folders, narrowed by folder and time, fetched by LongId; once per version that has it.
#[test]
fn mails_in_every_version() {
    // Older servers do not look into the content.
    let world = World::since(Profile::V6_20);
    let anton = world.anton();
    let hour = 3_600_000;
    let deliver = |folder: &str, subject: &str, text: &str, age: i64| {
        anton.deliver_mail_at(folder, &mail(subject, text), now() - age * hour, 0)
    };
    deliver("default0/INBOX", "old", "about bananas", 48);
    deliver("default0/INBOX", "new", "about bananas", 1);
    deliver("default0/INBOX", "other", "about cherries", 1);
    deliver("default0/INBOX/Sent", "sent", "no more bananas", 2);
    for version in ProtocolVersion::ALL.into_iter().filter(|version| *version >= V12_0) {
        let device = world.ready_device(version);
        let (inbox, sent) = (device.folder(INBOX), device.folder(SENT));
        let within = |id: &str| Element::text(airsync::COLLECTION_ID, id);
        let later = |tag, age: i64| {
            let value = Element::text(tag::VALUE, dashed(now() - age * hour));
            Element::parent(tag, [Element::empty(email::DATE_RECEIVED), value])
        };
        let email = || Element::text(airsync::CLASS, "Email");
        // operators, subjects
        let cases: Vec<(Vec<Element>, &[&str])> = vec![
            (vec![email(), words("bananas")], &["new", "sent", "old"]),
            (vec![email(), within("0"), words("bananas")], &["new", "sent", "old"]),
            (vec![email(), within(&inbox), words("bananas")], &["new", "old"]),
            (
                vec![within(&inbox), within(&sent), words("bananas")],
                &["new", "sent", "old"],
            ),
            (vec![words("bananas"), later(tag::GREATER_THAN, 24)], &["new", "sent"]),
            (vec![words("bananas"), later(tag::LESS_THAN, 24)], &["old"]),
            (vec![words("subject:other")], &["other"]),
            (
                vec![Element::parent(tag::OR, [words("cherries"), words("subject:sent")])],
                &["other", "sent"],
            ),
            (vec![words("dates")], &[]),
            (vec![Element::text(airsync::CLASS, "SMS"), words("bananas")], &[]),
        ];
        for (operators, expected) in cases {
            let shown = format!("{version} {operators:?}");
            let found = mails(&device, operators, body_preference(version, 1, Some(100)));
            assert_eq!(found.status, "1", "{shown}");
            if !expected.is_empty() {
                assert_eq!(found.subjects(), expected, "{shown}");
            }
            assert_eq!(
                found.total.as_deref(),
                Some(expected.len().to_string().as_str()),
                "{shown}"
            );
            if expected.is_empty() {
                assert_eq!(found.results, [Element::empty(tag::RESULT)], "{shown}");
                continue;
            }
            fetch_all(&device, &found, &[&inbox, &sent]);
        }
    }
    assert!(
        anton.mails("default0/INBOX").iter().all(|mail| mail.flags & 32 == 0),
        "a search reads nothing"
    );
}

/// Each result says where it is, has a body, and can be fetched by nothing but its LongId.
fn fetch_all(device: &Device, found: &Found, folders: &[&str]) {
    for (result, subject) in found.results.iter().zip(found.subjects()) {
        let text = |tag| result.child_text(tag).unwrap_or_default().to_owned();
        assert_eq!(text(airsync::CLASS), "Email");
        assert!(folders.contains(&text(airsync::COLLECTION_ID).as_str()));
        let body = result
            .child(tag::PROPERTIES)
            .and_then(|properties| properties.child(airsyncbase::BODY));
        assert!(body.is_some_and(|body| body.child(airsyncbase::DATA).is_some()));
        let fetch = Element::parent(
            itemoperations::FETCH,
            [
                Element::text(itemoperations::STORE, "Mailbox"),
                Element::text(tag::LONG_ID, text(tag::LONG_ID)),
            ],
        );
        let root = Element::parent(itemoperations::ITEM_OPERATIONS, [fetch]);
        let answer = device.link.document("ItemOperations", &root);
        let fetched = answer
            .child(itemoperations::RESPONSE)
            .and_then(|response| response.child(itemoperations::FETCH))
            .expect("a Fetch");
        assert_eq!(
            fetched.child_text(itemoperations::STATUS),
            Some("1"),
            "{}",
            text_of(&answer)
        );
        assert_eq!(fetched.child_text(tag::LONG_ID), Some(text(tag::LONG_ID).as_str()));
        let properties = fetched.child(itemoperations::PROPERTIES).expect("Properties");
        assert_eq!(properties.child_text(email::SUBJECT), Some(subject.as_str()));
    }
}

/// Mail that comes between two pages moves nothing, unless the device wants everything anew; what is gone drops out.
#[test]
fn pages_hold_still() {
    // Older servers do not look into the content.
    let world = World::since(Profile::V6_20);
    let anton = world.anton();
    let deliver = |subject: &str, age: i64| {
        anton.deliver_mail_at("default0/INBOX", &mail(subject, "plums"), now() - age * 1000, 0)
    };
    for (age, subject) in ["a", "b", "c", "d"].into_iter().enumerate() {
        deliver(subject, 100 + i64::try_from(age).unwrap());
    }
    let device = world.ready_device(V14_1);
    let page = |text: &str, more: Vec<Element>| {
        let options = [vec![range(text)], more].concat();
        mails(&device, vec![words("plums")], options)
    };
    let first = page("0-1", vec![]);
    assert_eq!(first.subjects(), ["a", "b"]);
    assert_eq!(
        (first.range.as_deref(), first.total.as_deref()),
        (Some("0-1"), Some("4"))
    );
    let gone = deliver("newest", 0);
    let second = page("2-9", vec![]);
    assert_eq!(second.subjects(), ["c", "d"]);
    assert_eq!(second.range.as_deref(), Some("2-3"));
    assert_eq!(page("4-9", vec![]).status, "12");
    let anew = page("2-9", vec![Element::empty(tag::REBUILD_RESULTS)]);
    assert_eq!(anew.subjects(), ["b", "c", "d"]);
    assert_eq!(page("0-0", vec![]).subjects(), ["newest"]);
    anton.delete_mail("default0/INBOX", &gone);
    assert_eq!(page("1-1", vec![]).subjects(), ["a"]);
}

/// All mails of a conversation, wherever they lie.
#[test]
fn conversations() {
    let world = World::start();
    let anton = world.anton();
    anton.receive(&mail("root", "Text."));
    let reply = "References: <root@example.com>\r\n".to_owned() + &String::from_utf8(mail("reply", "Text.")).unwrap();
    anton.deliver_mail("default0/INBOX/Trash", reply.as_bytes());
    anton.receive(&mail("other", "Text."));
    for version in [V14_0, V16_1] {
        let mut device = world.ready_device(version);
        let inbox = device.folder(INBOX);
        device.sync(&inbox);
        let root = device
            .items(&inbox)
            .values()
            .find(|data| data.child_text(email::SUBJECT) == Some("root"))
            .expect("the root");
        let id = root
            .child(email2::CONVERSATION_ID)
            .expect("a ConversationId")
            .as_bytes();
        let found = mails(&device, vec![Element::opaque(tag::CONVERSATION_ID, id)], vec![]);
        let mut subjects = found.subjects();
        subjects.sort();
        assert_eq!(subjects, ["reply", "root"], "{version}");
        let nothing = mails(&device, vec![Element::opaque(tag::CONVERSATION_ID, b"x")], vec![]);
        assert_eq!(nothing.total.as_deref(), Some("0"));
    }
}

/// A server below 6.20 knows no filters: what its lists show of mails is searched all the same.
#[test]
fn on_an_old_server() {
    let plan = World::plan().standin(|builder| builder.profile(Profile::V6_16));
    let world = plan.start().expect("SQLite is always there");
    let anton = world.anton();
    let device = world.ready_device(V14_1);
    anton.receive(&mail("lunch", "Tomorrow?"));
    anton.receive(&mail("dinner", "After lunch."));
    let everything = vec![range("0-99")];
    // words, subjects
    let cases: [(&str, &[&str]); 4] = [
        ("lunch", &["lunch"]),
        ("from:berta", &["dinner", "lunch"]),
        ("from:berta NOT subject:dinner", &["lunch"]),
        ("nothing", &[]),
    ];
    for (text, expected) in cases {
        let mut subjects = mails(&device, vec![words(text)], everything.clone()).subjects();
        subjects.sort();
        assert_eq!(subjects, expected, "{text}");
    }
    assert!(world.log().contains("searched by columns"), "{}", world.log());
}

/// What is refused, and with which Status of the store.
#[test]
fn refusals() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    let query = |children: Vec<Element>| Element::parent(tag::QUERY, children);
    let and = || Element::parent(tag::AND, [words("x")]);
    let class = || Element::text(airsync::CLASS, "Email");
    // store, query, Status
    let cases = [
        ("DocumentLibrary", query(vec![Element::empty(tag::EQUAL_TO)]), "2"),
        ("Nowhere", query(vec![and()]), "2"),
        ("Mailbox", query(vec![]), "2"),
        ("Mailbox", query(vec![and(), and()]), "8"),
        ("Mailbox", query(vec![class(), words("x")]), "8"),
        ("Mailbox", query(vec![words("x")]), "1"),
        ("mailbox", query(vec![and()]), "1"),
        (
            "Mailbox",
            query(vec![Element::parent(tag::AND, [Element::empty(tag::GREATER_THAN)])]),
            "2",
        ),
        (
            "Mailbox",
            query(vec![Element::parent(
                tag::AND,
                [Element::text(airsync::COLLECTION_ID, "4711"), words("x")],
            )]),
            "11",
        ),
    ];
    for (store, query, expected) in cases {
        let found = search(&device, store, query.clone(), vec![]);
        assert_eq!(found.status, expected, "{store} {}", text_of(&query));
    }
    // A device that never looked at its folders, and one whose version has no mailbox search.
    let mut fresh = world.device(V14_1);
    fresh.provision();
    assert_eq!(search(&fresh, "Mailbox", query(vec![and()]), vec![]).status, "11");
    let old = world.ready_device(V2_5);
    assert_eq!(
        search(&old, "Mailbox", Element::text(tag::QUERY, "x"), vec![]).status,
        "2"
    );
}
