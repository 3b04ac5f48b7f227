use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use super::*;
use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::User;
use crate::content::property::laws;
use crate::quirk::Quirks;
use crate::version::ProtocolVersion;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsync;

/// What has no sensible column in OX, and why.
const UNMAPPED: &[(Tag, &str)] = &[
    (
        contacts::PICTURE,
        "fetched apart from the columns, and written as two of them",
    ),
    (contacts::ALIAS, "of the recipient cache only"),
    (contacts::WEIGHTED_RANK, "of the recipient cache only"),
    (contacts2::CUSTOMER_ID, "OX has no such column"),
    (
        contacts2::GOVERNMENT_ID,
        "OX has no such column, and its tax_id is another number",
    ),
    (contacts2::IM_ADDRESS3, "OX has two instant messengers"),
    (contacts2::ACCOUNT_NAME, "OX has no such column"),
    (contacts2::MMS, "OX has no such column"),
];

fn context<'a>(user: &'a User, bodies: &'a BodyOptions, version: ProtocolVersion) -> Context<'a> {
    Context {
        quirks: Quirks::NONE,
        version,
        user,
        bodies,
        now: 0,
    }
}

/// With a context of version 14.1 without preferences.
fn with_context<T>(run: impl FnOnce(&Context<'_>) -> T) -> T {
    let (user, bodies) = (laws::user(), BodyOptions::default());
    run(&context(&user, &bodies, ProtocolVersion::V14_1))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(map) => Object::from_map(map),
        _ => panic!("no object"),
    }
}

fn application_data(children: impl IntoIterator<Item = Element>) -> Element {
    Element::parent(airsync::APPLICATION_DATA, children)
}

fn texts(children: &[(Tag, &str)]) -> Element {
    application_data(children.iter().map(|(tag, text)| Element::text(*tag, *text)))
}

fn added(application_data: &Element) -> Value {
    let fields = with_context(|context| to_ox(application_data, None, &Ghosted::Nothing, context));
    Value::Object(fields.unwrap().into_map())
}

fn changed(application_data: &Element, current: Value, ghosted: &Ghosted) -> Value {
    let current = object(current);
    let fields = with_context(|context| to_ox(application_data, Some(&current), ghosted, context));
    Value::Object(fields.unwrap().into_map())
}

fn shown(value: Value) -> Vec<Element> {
    with_context(|context| to_eas(&object(value), None, context)).unwrap()
}

#[test]
fn the_table_keeps_the_laws() {
    laws::check(ROWS, &[contacts::FILE_AS.page, contacts2::MMS.page], UNMAPPED);
    with_context(|context| laws::round_trip(ROWS, context));
    let columns = columns();
    assert!(columns.contains(&columns::DISPLAY_NAME.name()));
    assert!(columns.iter().all(|column| column.id != 0));
}

#[test]
fn a_contact_both_ways() {
    let ox = json!({
        "display_name": "Doe, John", "first_name": "John", "last_name": "Doe", "second_name": "Q.", "title": "Dr.",
        "company": "ACME", "position": "Engineer", "room_number": "4.12",
        "email1": "john@example.com", "telephone_pager": "1", "telephone_radio": "2", "cellular_telephone1": "3",
        "telephone_business2": "4", "telephone_company": "5", "telephone_assistant": "6",
        "street_other": "Main Street 1\nBackyard", "state_business": "Ohio", "country_home": "Germany",
        "birthday": 332_380_800_000_i64, "categories": "Friends, Golf", "number_of_children": "Anna, Ben",
        "note": "two\nlines",
    });
    let children = [
        Element::text(contacts::FILE_AS, "Doe, John"),
        Element::text(contacts::FIRST_NAME, "John"),
        Element::text(contacts::MIDDLE_NAME, "Q."),
        Element::text(contacts::LAST_NAME, "Doe"),
        Element::text(contacts::TITLE, "Dr."),
        Element::text(contacts::COMPANY_NAME, "ACME"),
        Element::text(contacts::JOB_TITLE, "Engineer"),
        Element::text(contacts::OFFICE_LOCATION, "4.12"),
        Element::text(contacts::ASSISTANT_PHONE_NUMBER, "6"),
        Element::text(contacts::EMAIL1_ADDRESS, "john@example.com"),
        Element::text(contacts::MOBILE_PHONE_NUMBER, "3"),
        Element::text(contacts::BUSINESS2_PHONE_NUMBER, "4"),
        Element::text(contacts2::COMPANY_MAIN_PHONE, "5"),
        Element::text(contacts::PAGER_NUMBER, "1"),
        Element::text(contacts::RADIO_PHONE_NUMBER, "2"),
        Element::text(contacts::HOME_ADDRESS_COUNTRY, "Germany"),
        Element::text(contacts::BUSINESS_ADDRESS_STATE, "Ohio"),
        Element::text(contacts::OTHER_ADDRESS_STREET, "Main Street 1\nBackyard"),
        Element::text(contacts::BIRTHDAY, "1980-07-14T00:00:00.000Z"),
        Element::parent(
            contacts::CHILDREN,
            [
                Element::text(contacts::CHILD, "Anna"),
                Element::text(contacts::CHILD, "Ben"),
            ],
        ),
        Element::parent(
            contacts::CATEGORIES,
            [
                Element::text(contacts::CATEGORY, "Friends"),
                Element::text(contacts::CATEGORY, "Golf"),
            ],
        ),
        Element::parent(
            airsyncbase::BODY,
            [
                Element::text(airsyncbase::TYPE, "1"),
                Element::text(airsyncbase::ESTIMATED_DATA_SIZE, "10"),
                Element::text(airsyncbase::DATA, "two\r\nlines"),
            ],
        ),
        Element::text(contacts::BODY, "two\r\nlines"),
        Element::text(contacts::BODY_SIZE, "10"),
        Element::text(contacts::BODY_TRUNCATED, "0"),
    ];
    assert_eq!(shown(ox.clone()), children);
    assert_eq!(object(added(&application_data(children.clone()))), object(ox.clone()));
    assert_eq!(changed(&application_data(children), ox, &Ghosted::Nothing), json!({}));
}

#[test]
fn what_is_sent_is_cleaned() {
    let sent = texts(&[
        (contacts::LAST_NAME, " Doe\u{7}\r\n"),
        (contacts::EMAIL1_ADDRESS, "\"Doe, John\" <john@example.com>"),
        (contacts::EMAIL2_ADDRESS, "not an address"),
        (contacts::BIRTHDAY, "1980-07-13T22:00:00.000Z"),
        (contacts::ANNIVERSARY, "yesterday"),
        (contacts::FIRST_NAME, ""),
    ]);
    let expected = json!({
        "last_name": "Doe", "email1": "john@example.com", "email2": "not an address",
        "birthday": 332_380_800_000_i64, "display_name": "Doe",
    });
    assert_eq!(added(&sent), expected);
    let long = "x".repeat(1 << 20);
    let fields = added(&texts(&[(contacts::LAST_NAME, &long)]));
    assert!(fields["last_name"].as_str().unwrap().len() <= 4096);
}

#[test]
fn a_change_writes_what_differs_and_surplus_fields_survive() {
    let current = json!({
        "display_name": "Johnny", "first_name": "John", "last_name": "Doe", "cellular_telephone1": "1",
        "cellular_telephone2": "2", "userfield01": "x", "categories": "b,a", "birthday": "332380800000",
    });
    let sent = application_data([
        Element::text(contacts::FIRST_NAME, "John"),
        Element::text(contacts::LAST_NAME, "Roe"),
        Element::text(contacts::BIRTHDAY, "1980-07-14T12:00:00.000Z"),
        Element::parent(
            contacts::CATEGORIES,
            [
                Element::text(contacts::CATEGORY, "a"),
                Element::text(contacts::CATEGORY, "b"),
            ],
        ),
    ]);
    // The mobile number was omitted and is not ghosted; the display name was the user's own.
    assert_eq!(
        changed(&sent, current, &Ghosted::Nothing),
        json!({"last_name": "Roe", "cellular_telephone1": null})
    );
}

#[test]
fn omission_follows_supported() {
    let current = json!({"display_name": "Doe", "last_name": "Doe", "company": "ACME", "note": "kept"});
    let omitted = texts(&[(contacts::LAST_NAME, "Doe")]);
    let emptied = texts(&[
        (contacts::LAST_NAME, "Doe"),
        (contacts::COMPANY_NAME, ""),
        (contacts::BIRTHDAY, ""),
    ]);
    let (kept, cleared) = (json!({}), json!({"company": null}));
    // ghosted, sent, expected
    let cases = [
        (Ghosted::Nothing, &omitted, &cleared),
        (Ghosted::AllBut(vec![contacts::COMPANY_NAME]), &omitted, &cleared),
        (Ghosted::AllBut(vec![contacts::DEPARTMENT]), &omitted, &kept),
        (Ghosted::AllBut(Vec::new()), &omitted, &kept),
        (Ghosted::Everything, &omitted, &kept),
        (Ghosted::Nothing, &emptied, &cleared),
        (Ghosted::AllBut(Vec::new()), &emptied, &cleared),
        (Ghosted::Everything, &emptied, &cleared),
    ];
    for (ghosted, sent, expected) in cases {
        assert_eq!(&changed(sent, current.clone(), &ghosted), expected, "{ghosted:?}");
    }
}

#[test]
fn names_follow_what_they_are_made_of() {
    // current, sent, fields to write
    let cases = [
        // Each in its own style.
        (
            json!({"display_name": "Doe, John", "first_name": "John", "last_name": "Doe"}),
            vec![
                (contacts::FIRST_NAME, "John"),
                (contacts::LAST_NAME, "Roe"),
                (contacts::FILE_AS, "Roe, John"),
            ],
            json!({"last_name": "Roe", "display_name": "Roe, John"}),
        ),
        (
            json!({"display_name": "John Doe", "first_name": "John", "last_name": "Doe"}),
            vec![(contacts::FIRST_NAME, "John"), (contacts::LAST_NAME, "Roe")],
            json!({"last_name": "Roe", "display_name": "John Roe"}),
        ),
        (
            json!({"display_name": "ACME", "company": "ACME"}),
            vec![(contacts::COMPANY_NAME, "ACME Ltd")],
            json!({"company": "ACME Ltd", "display_name": "ACME Ltd"}),
        ),
        // A FileAs that says something else is stored, and removed once it says the same.
        (
            json!({"display_name": "Doe", "last_name": "Doe"}),
            vec![(contacts::LAST_NAME, "Doe"), (contacts::FILE_AS, "The Boss")],
            json!({"file_as": "The Boss"}),
        ),
        (
            json!({"display_name": "Doe", "last_name": "Doe", "file_as": "The Boss"}),
            vec![(contacts::LAST_NAME, "Doe"), (contacts::FILE_AS, "Doe")],
            json!({"file_as": null}),
        ),
        (
            json!({"display_name": "Doe", "last_name": "Doe", "file_as": "The Boss"}),
            vec![(contacts::LAST_NAME, "Doe")],
            json!({"file_as": null}),
        ),
        // A missing display name is no reason to write, but comes along with a write.
        (
            json!({"last_name": "Doe"}),
            vec![(contacts::LAST_NAME, "Doe")],
            json!({}),
        ),
        (
            json!({"last_name": "Doe"}),
            vec![(contacts::LAST_NAME, "Doe"), (contacts::COMPANY_NAME, "ACME")],
            json!({"company": "ACME", "display_name": "Doe"}),
        ),
        (
            json!({"display_name": "Doe", "last_name": "Doe"}),
            vec![(contacts::LAST_NAME, "")],
            json!({"last_name": null, "display_name": "?"}),
        ),
    ];
    for (current, sent, expected) in cases {
        assert_eq!(changed(&texts(&sent), current, &Ghosted::Nothing), expected, "{sent:?}");
    }
}

#[test]
fn every_contact_has_a_name() {
    // sent, display_name
    let cases = [
        (
            vec![(contacts::FILE_AS, "The Boss"), (contacts::LAST_NAME, "Doe")],
            "The Boss",
        ),
        (
            vec![(contacts::FIRST_NAME, "John"), (contacts::LAST_NAME, "Doe")],
            "Doe, John",
        ),
        (vec![(contacts::FIRST_NAME, "John")], "John"),
        (
            vec![(contacts2::NICK_NAME, "JD"), (contacts::COMPANY_NAME, "ACME")],
            "JD",
        ),
        (vec![(contacts::COMPANY_NAME, "ACME")], "ACME"),
        (vec![(contacts::EMAIL1_ADDRESS, "a@example.com")], "a@example.com"),
        (vec![(contacts::MOBILE_PHONE_NUMBER, "+49 123")], "+49 123"),
        (vec![], "?"),
    ];
    for (sent, expected) in cases {
        assert_eq!(added(&texts(&sent))["display_name"], expected, "{sent:?}");
    }
    // FileAs is sent even where OX has none.
    for (ox, expected) in [
        (json!({"file_as": "Boss", "last_name": "Doe"}), "Boss"),
        (
            json!({"last_name": "Doe", "first_name": "John", "display_name": "x"}),
            "Doe, John",
        ),
        (json!({"display_name": "x", "company": "ACME"}), "x"),
        (json!({"company": "ACME"}), "ACME"),
    ] {
        assert_eq!(shown(ox)[0], Element::text(contacts::FILE_AS, expected));
    }
}

#[test]
fn children_may_be_a_number_in_ox() {
    let counted = json!({"display_name": "x", "number_of_children": "2"});
    assert!(
        !shown(counted.clone())
            .iter()
            .any(|element| element.tag == contacts::CHILDREN)
    );
    assert_eq!(changed(&texts(&[]), counted.clone(), &Ghosted::Nothing), json!({}));
    let named = application_data([Element::parent(
        contacts::CHILDREN,
        [
            Element::text(contacts::CHILD, "Anna"),
            Element::text(contacts::CHILD, ""),
        ],
    )]);
    assert_eq!(
        changed(&named, counted, &Ghosted::Nothing),
        json!({"number_of_children": "Anna"})
    );
    let named = json!({"display_name": "x", "number_of_children": "Anna"});
    let emptied = texts(&[(contacts::CHILDREN, "")]);
    assert_eq!(
        changed(&emptied, named, &Ghosted::Everything),
        json!({"number_of_children": null})
    );
}

#[test]
fn notes_are_kept_unless_they_are_emptied_or_rewritten() {
    let body = |kind: &str, data: &str| {
        let children = [
            Element::text(airsyncbase::TYPE, kind),
            Element::text(airsyncbase::DATA, data),
        ];
        Element::parent(airsyncbase::BODY, children)
    };
    let legacy = |text: &str| Element::text(contacts::BODY, text);
    let rtf = Element::text(contacts::COMPRESSED_RTF, "e1xydGYxfQ==");
    // sent, fields to write
    let cases = [
        (vec![], json!({})),
        (vec![body("1", "old\r\nnotes")], json!({})),
        (vec![body("1", "new\r\nnotes")], json!({"note": "new\nnotes"})),
        (vec![body("2", "<p>new<br>notes</p>")], json!({"note": "new\nnotes"})),
        (vec![body("3", "e1xydGYxfQ==")], json!({})),
        (vec![body("1", "")], json!({"note": null})),
        (vec![legacy("")], json!({"note": null})),
        (vec![legacy("new")], json!({"note": "new"})),
        (vec![rtf.clone()], json!({})),
        (vec![legacy(""), rtf.clone()], json!({})),
        (vec![body("1", ""), legacy("new")], json!({"note": "new"})),
    ];
    let current = json!({"display_name": "x", "note": "old\nnotes"});
    for (sent, expected) in cases {
        let sent = application_data(sent);
        assert_eq!(changed(&sent, current.clone(), &Ghosted::Nothing), expected, "{sent:?}");
    }
}

#[test]
fn notes_shown_cut_are_not_cut_in_ox() {
    let user = laws::user();
    let bodies = BodyOptions {
        preferences: vec![BodyPreference {
            kind: BodyType::Plain,
            truncation_size: Some(4),
            all_or_none: false,
            preview: None,
        }],
        ..BodyOptions::default()
    };
    let context = context(&user, &bodies, ProtocolVersion::V14_1);
    let current = object(json!({"display_name": "x", "note": "long notes"}));
    let children = to_eas(&current, None, &context).unwrap();
    let fields = to_ox(&application_data(children), Some(&current), &Ghosted::Nothing, &context);
    assert!(fields.unwrap().is_empty());
}

#[test]
fn pictures_go_in_and_out_and_are_never_removed() {
    let photo = b"\xFF\xD8\xFF\xE0".as_slice();
    let current = object(json!({"display_name": "x", "last_name": "x"}));
    with_context(|context| {
        let children = to_eas(&current, Some(photo), context).unwrap();
        assert_eq!(children.last(), Some(&Element::text(contacts::PICTURE, "/9j/4A==")));
        let fields = to_ox(&application_data(children), None, &Ghosted::Nothing, context).unwrap();
        assert_eq!(fields.text(columns::IMAGE1), Some("/9j/4A=="));
        assert_eq!(fields.text(columns::IMAGE1_CONTENT_TYPE), Some("image/jpeg"));
    });
    let kept = texts(&[(contacts::LAST_NAME, "x"), (contacts::PICTURE, "")]);
    assert_eq!(
        changed(&kept, Value::Object(current.into_map()), &Ghosted::Nothing),
        json!({})
    );
}

#[test]
fn distribution_lists_are_refused() {
    let list = object(json!({"display_name": "All", "mark_as_distributionlist": true}));
    with_context(|context| {
        assert!(to_eas(&list, None, context).is_err());
        assert!(to_ox(&texts(&[]), Some(&list), &Ghosted::Everything, context).is_err());
    });
}

/// An object with some columns filled, and with what OX should never send.
fn any_object() -> impl Strategy<Value = Object> {
    let value = prop_oneof![
        4 => "[a-z ,<>@\\r\\n\u{7}\u{e4}]{0,12}".prop_map(Value::from),
        2 => (-4_000_000_000_000_i64..4_000_000_000_000).prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => Just(json!([{"a": 1}])),
    ];
    let keys: Vec<&'static str> = property::columns(ROWS).iter().map(|column| column.key).collect();
    prop::collection::vec((prop::sample::select(keys), value), 0..30).prop_map(|fields| {
        let fields = fields.into_iter().map(|(key, value)| (key.to_owned(), value));
        Object::from_map(fields.collect())
    })
}

/// Any elements of the class, nested where they should not be.
fn any_application_data() -> impl Strategy<Value = Element> {
    let tags = (5..=0x3E_u8, prop::sample::select(vec![1_u8, 12, 17]));
    let tag = tags.prop_map(|(token, page)| Tag { page, token });
    let leaf = (tag.clone(), "\\PC{0,20}").prop_map(|(tag, text)| Element::text(tag, text));
    let element = leaf.prop_recursive(2, 12, 4, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..4)).prop_map(|(tag, children)| Element::parent(tag, children))
    });
    prop::collection::vec(element, 0..20).prop_map(application_data)
}

proptest! {
    #[test]
    fn what_is_shown_and_comes_back_is_no_change(object in any_object(), version in 0..7_usize) {
        let (user, bodies) = (laws::user(), BodyOptions::default());
        let context = context(&user, &bodies, ProtocolVersion::ALL[version]);
        let children = to_eas(&object, None, &context).unwrap();
        for ghosted in [Ghosted::Nothing, Ghosted::Everything] {
            let fields = to_ox(&application_data(children.clone()), Some(&object), &ghosted, &context).unwrap();
            prop_assert_eq!(fields, Object::new());
        }
    }

    #[test]
    fn any_input_is_read_or_refused(sent in any_application_data(), current in prop::option::of(any_object())) {
        let (user, bodies) = (laws::user(), BodyOptions::default());
        let context = context(&user, &bodies, ProtocolVersion::V2_5);
        if let Ok(fields) = to_ox(&sent, current.as_ref(), &Ghosted::Nothing, &context) {
            let _ = to_eas(&fields, None, &context);
            if current.is_none() {
                prop_assert!(fields.text(columns::DISPLAY_NAME).is_some());
            }
        }
    }
}
