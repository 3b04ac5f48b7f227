//! Out-of-office: set by a phone, kept by OX, shown to every phone.

use ox_standin::User;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::settings as tag;

use crate::device::Device;
use crate::device::strict::text_of;
use crate::world::World;

fn oof(device: &Device, content: Element) -> Element {
    let root = Element::parent(tag::SETTINGS, [Element::parent(tag::OOF, [content])]);
    let answer = device.link.document("Settings", &root);
    assert_eq!(answer.child_text(tag::STATUS), Some("1"), "{}", text_of(&answer));
    answer
        .child(tag::OOF)
        .unwrap_or_else(|| panic!("no Oof:\n{}", text_of(&answer)))
        .clone()
}

fn set(device: &Device, children: Vec<Element>) -> String {
    let answer = oof(device, Element::parent(tag::SET, children));
    answer.child_text(tag::STATUS).unwrap_or_default().to_owned()
}

fn get(device: &Device) -> Element {
    let answer = oof(device, Element::parent(tag::GET, [text(tag::BODY_TYPE, "Text")]));
    assert_eq!(answer.children()[0], Element::number(tag::STATUS, 1));
    answer.child(tag::GET).expect("a Get").clone()
}

fn text(tag: oxtender::wbxml::Tag, text: &str) -> Element {
    Element::text(tag, text)
}

fn message(reply: &str) -> Element {
    Element::parent(
        tag::OOF_MESSAGE,
        [
            Element::empty(tag::APPLIES_TO_INTERNAL),
            Element::flag(tag::ENABLED, true),
            text(tag::REPLY_MESSAGE, reply),
            text(tag::BODY_TYPE, "Text"),
        ],
    )
}

#[test]
fn set_and_shown_in_every_version() {
    for version in ProtocolVersion::ALL.into_iter().filter(|version| *version >= V12_0) {
        let world = World::start();
        let device = world.ready_device(version);
        assert_eq!(
            get(&device).children(),
            [Element::number(tag::OOF_STATE, 0)],
            "{version}"
        );
        // Nothing to say, nothing to write.
        assert_eq!(set(&device, vec![text(tag::OOF_STATE, "0")]), "1");
        assert!(world.anton().mail_rules().is_empty());
        for _ in 0..2 {
            assert_eq!(
                set(&device, vec![text(tag::OOF_STATE, "1"), message("Back on Monday")]),
                "1"
            );
        }
        let rules = world.anton().mail_rules();
        assert_eq!(rules.len(), 1, "{version} {rules:?}");
        assert_eq!(
            (&rules[0]["active"], &rules[0]["flags"][0]),
            (&true.into(), &"vacation".into())
        );
        assert_eq!(rules[0]["actioncmds"][0]["text"], "Back on Monday");
        assert_eq!(
            world.standin.calls().of("mailfilter", "update"),
            0,
            "a repeated Set changes nothing"
        );
        let shown = get(&device);
        assert_eq!(shown.child_text(tag::OOF_STATE), Some("1"));
        let replies: Vec<_> = shown
            .children_of(tag::OOF_MESSAGE)
            .filter_map(|message| message.child_text(tag::REPLY_MESSAGE))
            .collect();
        assert_eq!(replies, ["Back on Monday"; 3]);
        let times = |start, end| {
            vec![
                text(tag::OOF_STATE, "2"),
                text(tag::START_TIME, start),
                text(tag::END_TIME, end),
            ]
        };
        let (start, end) = ("2026-11-30T23:00:00.000Z", "2026-12-24T23:00:00.000Z");
        assert_eq!(set(&device, times(start, end)), "1");
        let shown = get(&device);
        assert_eq!(shown.child_text(tag::OOF_STATE), Some("2"), "{version}");
        assert_eq!(
            (shown.child_text(tag::START_TIME), shown.child_text(tag::END_TIME)),
            (Some(start), Some(end))
        );
        assert_eq!(set(&device, times(end, start)), "2");
        assert_eq!(set(&device, vec![text(tag::OOF_STATE, "0")]), "1");
        assert_eq!(get(&device).children(), [Element::number(tag::OOF_STATE, 0)]);
        let rules = world.anton().mail_rules();
        assert_eq!(
            rules[0]["actioncmds"][0]["text"], "Back on Monday",
            "the text stays for the next time"
        );
    }
}

/// Neither the package nor the permission is everywhere.
#[test]
fn where_there_are_no_rules() {
    let without_package = World::plan()
        .standin(|builder| builder.without_action("mailfilter", "*"))
        .start()
        .unwrap();
    let without_permission = World::plan()
        .standin(|builder| builder.user(User::new(3, "anton", "secret").without("mailfilter")))
        .start()
        .unwrap();
    for (world, expected) in [(without_package, "4"), (without_permission, "3")] {
        let device = world.ready_device(V14_1);
        assert_eq!(set(&device, vec![text(tag::OOF_STATE, "1"), message("Away")]), expected);
        let answer = oof(&device, Element::parent(tag::GET, [text(tag::BODY_TYPE, "HTML")]));
        assert_eq!(answer.children(), [text(tag::STATUS, expected)]);
    }
}

/// Passwords are not recovered, and rights management is not there.
#[test]
fn what_settings_refuse() {
    let world = World::start();
    let device = world.ready_device(V14_1);
    let password = Element::parent(tag::SET, [text(tag::PASSWORD, "1234")]);
    // property, Status
    let cases = [
        (Element::parent(tag::DEVICE_PASSWORD, [password]), "7"),
        (
            Element::parent(tag::RIGHTS_MANAGEMENT_INFORMATION, [Element::empty(tag::GET)]),
            "168",
        ),
    ];
    for (property, expected) in cases {
        let kind = property.tag;
        let answer = device
            .link
            .document("Settings", &Element::parent(tag::SETTINGS, [property]));
        let told = answer.child(kind).and_then(|property| property.child_text(tag::STATUS));
        assert_eq!(told, Some(expected), "{kind:?}");
    }
}
