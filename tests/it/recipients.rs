//! ResolveRecipients and ValidateCert.

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::resolverecipients as tag;
use oxtender::wbxml::codepage::validatecert;
use serde_json::json;

use crate::calendar::busy;
use crate::calendar::kept;
use crate::device::Device;
use crate::device::strict::text_of;
use crate::items::HOUR;
use crate::items::dashed;
use crate::items::tomorrow;
use crate::world::World;

fn resolve(device: &Device, names: &[&str], options: Vec<Element>) -> Element {
    let mut root = Element::parent(
        tag::RESOLVE_RECIPIENTS,
        names.iter().map(|name| Element::text(tag::TO, *name)),
    );
    root.push(Element::parent(tag::OPTIONS, options));
    device.link.document("ResolveRecipients", &root)
}

/// Of each response: Status, RecipientCount, and the recipients as `type address`.
fn told(answer: &Element) -> Vec<(String, String, Vec<String>)> {
    assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{}", text_of(answer));
    let recipient = |recipient: &Element| {
        let text = |tag| recipient.child_text(tag).unwrap_or_default();
        format!("{} {}", text(tag::TYPE), text(tag::EMAIL_ADDRESS))
    };
    let response = |response: &Element| {
        let text = |tag| response.child_text(tag).unwrap_or_default().to_owned();
        let recipients = response.children_of(tag::RECIPIENT).map(recipient);
        (text(tag::STATUS), text(tag::RECIPIENT_COUNT), recipients.collect())
    };
    answer.children_of(tag::RESPONSE).map(response).collect()
}

#[test]
fn names_in_every_version() {
    let world = World::start();
    let anton = world.anton();
    let contact = |first: &str, last: &str, address: &str| {
        anton.create_contact(json!({"first_name": first, "last_name": last,
            "display_name": format!("{first} {last}"), "email1": address}));
    };
    contact("Otto", "Patient", "otto@example.org");
    contact("Otto", "Ottermann", "ottermann@example.org");
    contact("Otto", "Without", "");
    let otto = ["2 ottermann@example.org", "2 otto@example.org"];
    // name, Status, RecipientCount, recipients
    let cases: [(&str, &str, &str, &[&str]); 6] = [
        ("berta", "1", "1", &["1 berta@example.com"]),
        ("anton@example.com", "1", "1", &["1 anton@example.com"]),
        ("otto", "2", "2", &otto),
        ("otto@example.org", "1", "1", &["2 otto@example.org"]),
        ("Otto Patient", "1", "1", &["2 otto@example.org"]),
        ("nobody", "4", "", &[]),
    ];
    for version in ProtocolVersion::ALL {
        let device = world.ready_device(version);
        let names = cases.map(|(name, ..)| name);
        let answers = told(&resolve(
            &device,
            &names,
            vec![Element::number(tag::CERTIFICATE_RETRIEVAL, 1)],
        ));
        for ((name, status, count, recipients), answer) in cases.iter().zip(&answers) {
            let expected = (
                (*status).to_owned(),
                (*count).to_owned(),
                recipients.iter().map(|r| (*r).to_owned()).collect(),
            );
            assert_eq!(*answer, expected, "{version} {name}");
        }
        let few = resolve(
            &device,
            &["otto"],
            vec![Element::number(tag::MAX_AMBIGUOUS_RECIPIENTS, 1)],
        );
        assert_eq!(told(&few), [("3".to_owned(), "2".to_owned(), vec![otto[0].to_owned()])]);
    }
}

#[test]
fn certificates_and_limits() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    let answer = resolve(
        &device,
        &["berta"],
        vec![
            Element::number(tag::CERTIFICATE_RETRIEVAL, 2),
            Element::empty(tag::PICTURE),
        ],
    );
    let recipient = answer
        .child(tag::RESPONSE)
        .and_then(|response| response.child(tag::RECIPIENT))
        .expect("Berta");
    let status = |tag_of_part| {
        recipient
            .child(tag_of_part)
            .and_then(|part| part.child_text(tag::STATUS))
    };
    assert_eq!(
        (status(tag::CERTIFICATES), status(tag::PICTURE)),
        (Some("7"), Some("173"))
    );
    let refused = |answer: Element| answer.children() == [Element::number(tag::STATUS, 5)];
    assert!(refused(resolve(&device, &[], vec![])));
    assert!(refused(resolve(&device, &["x"; 101], vec![])));
    assert!(refused(resolve(
        &device,
        &["berta"],
        vec![Element::empty(tag::AVAILABILITY)]
    )));
    let list = Element::parent(
        validatecert::CERTIFICATES,
        [Element::text(validatecert::CERTIFICATE, "MIIB")],
    );
    let answer = device
        .link
        .document("ValidateCert", &Element::parent(validatecert::VALIDATE_CERT, [list]));
    assert_eq!(answer.child_text(validatecert::STATUS), Some("1"));
    let certificate = answer.child(validatecert::CERTIFICATE).expect("a Certificate");
    assert_eq!(certificate.child_text(validatecert::STATUS), Some("17"));
}

/// A digit for each half hour from the start that the device asks for.
#[test]
fn availability() {
    let world = World::plan()
        .standin(|builder| builder.zone("Europe/Berlin"))
        .start()
        .unwrap();
    let (anton, berta) = (world.anton(), world.standin.web("berta"));
    let ten = tomorrow() + 10 * HOUR;
    let appointment = |start: i64, end: i64, shown_as: i64| json!({"title": "Secret", "start_date": start, "end_date": end, "shown_as": shown_as, "ignore_conflicts": true});
    berta.create_appointment(appointment(ten, ten + HOUR, 1));
    berta.create_appointment(appointment(ten + HOUR / 2, ten + 3 * HOUR / 2, 3));
    berta.create_appointment(appointment(ten + 2 * HOUR, ten + 3 * HOUR, 4));
    anton.create_contact(json!({"display_name": "Otto", "last_name": "Otto", "email1": "otto@example.org"}));
    let span = |start: i64, end: i64| {
        let times = [
            Element::text(tag::START_TIME, dashed(start)),
            Element::text(tag::END_TIME, dashed(end)),
        ];
        vec![Element::parent(tag::AVAILABILITY, times)]
    };
    for version in ProtocolVersion::ALL.into_iter().filter(|version| *version >= V14_0) {
        let device = world.ready_device(version);
        let digits = |name: &str, start: i64, end: i64| {
            let answer = resolve(&device, &[name], span(start, end));
            let availability = answer
                .child(tag::RESPONSE)
                .and_then(|response| response.child(tag::RECIPIENT))
                .and_then(|recipient| recipient.child(tag::AVAILABILITY).cloned());
            let availability = availability.unwrap_or_else(|| panic!("none:\n{}", text_of(&answer)));
            assert_eq!(availability.child_text(tag::STATUS), Some("1"));
            availability
                .child_text(tag::MERGED_FREE_BUSY)
                .unwrap_or_default()
                .to_owned()
        };
        // A digit is a BusyStatus; absent from the office, as far as OX keeps that.
        let absent = busy(kept(&world, 3));
        let whole = format!("002{absent}{absent}000");
        assert_eq!(digits("berta", ten - HOUR, ten + 3 * HOUR), whole, "{version}");
        assert_eq!(
            digits("berta", ten + HOUR / 6, ten + HOUR),
            absent.repeat(2),
            "{version}"
        );
        assert_eq!(
            digits("berta", ten + 2 * HOUR, ten + 2 * HOUR + HOUR / 2),
            "0",
            "{version}"
        );
        assert_eq!(digits("otto", ten, ten + HOUR), "44", "{version}");
        let refused = resolve(&device, &["berta"], span(ten, ten + 60_000));
        assert_eq!(refused.child_text(tag::STATUS), Some("5"));
    }
}
