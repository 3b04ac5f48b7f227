//! Contacts, field by field: what stands at OX is on the phone, and the other way round.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::Tag;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::contacts as tag;
use oxtender::wbxml::codepage::contacts2;
use serde_json::Value;
use serde_json::json;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::items::assert_properties;
use crate::items::body;
use crate::items::contact;
use crate::items::property;
use crate::world::World;

const VERSIONS: [ProtocolVersion; 4] = [V2_5, V12_1, V14_1, V16_1];

/// [MS-ASCNTC] property and field of OX ("Detailed contact data") that hold the same text.
const TEXTS: [(Tag, &str); 48] = [
    (tag::FIRST_NAME, "first_name"),
    (tag::MIDDLE_NAME, "second_name"),
    (tag::LAST_NAME, "last_name"),
    (tag::SUFFIX, "suffix"),
    (tag::TITLE, "title"),
    (tag::YOMI_FIRST_NAME, "yomiFirstName"),
    (tag::YOMI_LAST_NAME, "yomiLastName"),
    (tag::YOMI_COMPANY_NAME, "yomiCompany"),
    (contacts2::NICK_NAME, "nickname"),
    (tag::COMPANY_NAME, "company"),
    (tag::DEPARTMENT, "department"),
    (tag::JOB_TITLE, "position"),
    (tag::OFFICE_LOCATION, "room_number"),
    (contacts2::MANAGER_NAME, "manager_name"),
    (tag::ASSISTANT_NAME, "assistant_name"),
    (tag::ASSISTANT_PHONE_NUMBER, "telephone_assistant"),
    (tag::EMAIL1_ADDRESS, "email1"),
    (tag::EMAIL2_ADDRESS, "email2"),
    (tag::EMAIL3_ADDRESS, "email3"),
    (contacts2::IM_ADDRESS, "instant_messenger1"),
    (contacts2::IM_ADDRESS2, "instant_messenger2"),
    (tag::WEB_PAGE, "url"),
    (tag::MOBILE_PHONE_NUMBER, "cellular_telephone1"),
    (tag::HOME_PHONE_NUMBER, "telephone_home1"),
    (tag::HOME2_PHONE_NUMBER, "telephone_home2"),
    (tag::HOME_FAX_NUMBER, "fax_home"),
    (tag::BUSINESS_PHONE_NUMBER, "telephone_business1"),
    (tag::BUSINESS2_PHONE_NUMBER, "telephone_business2"),
    (tag::BUSINESS_FAX_NUMBER, "fax_business"),
    (contacts2::COMPANY_MAIN_PHONE, "telephone_company"),
    (tag::CAR_PHONE_NUMBER, "telephone_car"),
    (tag::PAGER_NUMBER, "telephone_pager"),
    (tag::RADIO_PHONE_NUMBER, "telephone_radio"),
    (tag::HOME_ADDRESS_STREET, "street_home"),
    (tag::HOME_ADDRESS_CITY, "city_home"),
    (tag::HOME_ADDRESS_POSTAL_CODE, "postal_code_home"),
    (tag::HOME_ADDRESS_STATE, "state_home"),
    (tag::HOME_ADDRESS_COUNTRY, "country_home"),
    (tag::BUSINESS_ADDRESS_STREET, "street_business"),
    (tag::BUSINESS_ADDRESS_CITY, "city_business"),
    (tag::BUSINESS_ADDRESS_POSTAL_CODE, "postal_code_business"),
    (tag::BUSINESS_ADDRESS_STATE, "state_business"),
    (tag::BUSINESS_ADDRESS_COUNTRY, "country_business"),
    (tag::OTHER_ADDRESS_STREET, "street_other"),
    (tag::OTHER_ADDRESS_CITY, "city_other"),
    (tag::OTHER_ADDRESS_POSTAL_CODE, "postal_code_other"),
    (tag::OTHER_ADDRESS_STATE, "state_other"),
    (tag::OTHER_ADDRESS_COUNTRY, "country_other"),
];

/// Fields that phones do not have; a change on the phone leaves them alone.
const INVISIBLE: [&str; 6] = [
    "telephone_other",
    "userfield01",
    "info",
    "profession",
    "marital_status",
    "employee_type",
];

/// 8 April 1976, as OX has dates: 00:00 UTC.
const BIRTHDAY: i64 = 197_769_600_000;
/// 1 February 2001.
const ANNIVERSARY: i64 = 980_985_600_000;

/// A text that belongs to one field and one side.
fn sample(side: &str, field: &str) -> String {
    match field {
        "email1" | "email2" | "email3" => format!("{side}-{field}@example.com").to_lowercase(),
        _ => format!("{side} {field} äß漢"),
    }
}

fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    (device, folder)
}

fn full_at_web(side: &str) -> Value {
    let mut object = json!({
        "display_name": "Display", "birthday": BIRTHDAY, "anniversary": ANNIVERSARY, "note": "First line\nSecond line",
        "categories": "red,green", "number_of_children": "Ann, Bob", "spouse_name": "Chris",
    });
    for (_, field) in TEXTS {
        object[field] = sample(side, field).into();
    }
    for field in INVISIBLE {
        object[field] = sample("invisible", field).into();
    }
    object
}

fn full_on_phone(version: ProtocolVersion, side: &str) -> Vec<Element> {
    let texts = TEXTS
        .iter()
        .map(|(tag, field)| Element::text(*tag, sample(side, field)));
    let mut data: Vec<Element> = texts.collect();
    let list = |tag, child, names: [&str; 2]| Element::parent(tag, names.map(|name| Element::text(child, name)));
    data.extend([
        Element::text(tag::FILE_AS, "Filed as this"),
        Element::text(tag::BIRTHDAY, "1976-04-08T00:00:00.000Z"),
        Element::text(tag::ANNIVERSARY, "2001-02-01T00:00:00.000Z"),
        Element::text(tag::SPOUSE, "Chris"),
        list(tag::CATEGORIES, tag::CATEGORY, ["red", "green"]),
        list(tag::CHILDREN, tag::CHILD, ["Ann", "Bob"]),
        body(version, tag::BODY, "First line\r\nSecond line"),
    ]);
    data
}

#[test]
fn from_ox_to_the_phone() {
    for version in VERSIONS {
        let world = World::start();
        let (mut device, folder) = synced(&world, version);
        world.anton().create_contact(full_at_web("web"));
        let id = device.sync(&folder).added.remove(0);
        let data = device.item(&folder, &id);
        for (tag, field) in TEXTS {
            assert_eq!(property(data, tag), sample("web", field), "{version} {tag:?}");
        }
        assert!(!property(data, tag::FILE_AS).is_empty());
        assert_properties(
            data,
            &[
                (tag::SPOUSE, "Chris"),
                (tag::CATEGORIES, "{Category=red Category=green}"),
                (tag::CHILDREN, "{Child=Ann Child=Bob}"),
            ],
        );
        assert!(property(data, tag::BIRTHDAY).starts_with("1976-04-08T"), "{version}");
        assert!(property(data, tag::ANNIVERSARY).starts_with("2001-02-01T"), "{version}");
        let note = match version {
            V2_5 => property(data, tag::BODY),
            _ => property(data.child(airsyncbase::BODY).expect("a body"), airsyncbase::DATA),
        };
        assert_eq!(note.replace("\r\n", "\n"), "First line\nSecond line", "{version}");
    }
}

#[test]
fn from_the_phone_to_ox() {
    for version in VERSIONS {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        device.add(&folder, full_on_phone(version, "phone"));
        let synced = device.sync(&folder);
        assert!(synced.refused.is_empty() && synced.is_quiet(), "{version}: {synced:?}");
        let objects = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        assert_eq!(objects.len(), 1);
        compare(&objects[0], "phone", version);

        // Every field again, by a change.
        let id = synced.new_ids.into_values().next().unwrap();
        device.change(&folder, &id, full_on_phone(version, "changed"));
        let synced = device.sync(&folder);
        assert!(synced.refused.is_empty(), "{version}: {synced:?}");
        let objects = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        compare(&objects[0], "changed", version);
        assert!(device.sync(&folder).is_quiet());
    }
}

fn compare(object: &Value, side: &str, version: ProtocolVersion) {
    for (tag, field) in TEXTS {
        assert_eq!(object[field], sample(side, field), "{version} {tag:?}");
    }
    let fixed = [
        ("birthday", json!(BIRTHDAY)),
        ("anniversary", json!(ANNIVERSARY)),
        ("spouse_name", json!("Chris")),
    ];
    for (field, expected) in fixed {
        assert_eq!(object[field], expected, "{version} {field}");
    }
    let words = |field: &str| -> Vec<String> {
        let text = object[field].as_str().unwrap_or_default();
        text.split(',').map(|word| word.trim().to_owned()).collect()
    };
    assert_eq!(words("categories"), ["red", "green"]);
    assert_eq!(words("number_of_children"), ["Ann", "Bob"]);
    let note = object["note"].as_str().unwrap_or_default().replace("\r\n", "\n");
    assert_eq!(note, "First line\nSecond line");
    assert!(object["display_name"].as_str().is_some_and(|name| !name.is_empty()));
}

/// What the phone cannot show survives everything it does.
#[test]
fn invisible_fields_survive() {
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        let object = anton.create_contact(full_at_web("web"));
        let id = device.sync(&folder).added.remove(0);
        device.change(&folder, &id, full_on_phone(version, "changed"));
        device.sync(&folder);
        let object = anton.object(Module::Contacts, object).unwrap();
        for field in INVISIBLE {
            assert_eq!(object[field], sample("invisible", field), "{version} {field}");
        }
        assert_eq!(
            object["telephone_pager"],
            sample("changed", "telephone_pager"),
            "{version}"
        );
    }
}

/// A Change that omits properties deletes them, unless Supported ghosts them. Only appointments are ghosted from 16.0 on.
#[test]
fn omitted_properties() {
    let supported = || Element::parent(airsync::SUPPORTED, [Element::empty(tag::JOB_TITLE)]);
    // version, Supported, what is left of a property that is listed, and of one that is not
    let cases = [
        (V2_5, None, false, false),
        (V14_1, None, false, false),
        (V14_1, Some(supported()), false, true),
        (V14_1, Some(Element::empty(airsync::SUPPORTED)), true, true),
        (V16_1, None, false, false),
        (V16_1, Some(supported()), false, true),
    ];
    for (version, supported, listed_stays, other_stays) in cases {
        let world = World::start();
        let anton = world.anton();
        let mut device = world.ready_device(version);
        let folder = device.folder(CONTACTS);
        let label = format!("{version} {supported:?}");
        device.collection(&folder).supported = supported;
        let object = anton.create_contact(full_at_web("web"));
        let id = device.sync(&folder).added.remove(0);
        device.change(&folder, &id, contact("Otto", "Renamed"));
        device.sync(&folder);
        let object = anton.object(Module::Contacts, object).unwrap();
        let stays = |field: &str| object[field].as_str().is_some_and(|text| !text.is_empty());
        assert_eq!(object["last_name"], "Renamed", "{label}");
        assert_eq!(stays("position"), listed_stays, "{label} position");
        assert_eq!(stays("department"), other_stays, "{label} department");
        assert!(stays("note"), "{label}: a body that is left out is never deleted");
    }
}

/// Empty elements delete, in every version.
#[test]
fn emptied_properties() {
    for version in [V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        let object = anton.create_contact(full_at_web("web"));
        let id = device.sync(&folder).added.remove(0);
        let mut data = full_on_phone(version, "changed");
        data.retain(|element| element.tag != tag::JOB_TITLE);
        data.push(Element::empty(tag::JOB_TITLE));
        device.change(&folder, &id, data);
        assert!(device.sync(&folder).refused.is_empty());
        let object = anton.object(Module::Contacts, object).unwrap();
        assert!(
            object["position"].as_str().unwrap_or_default().is_empty(),
            "{version}: {}",
            object["position"]
        );
        assert_eq!(object["department"], sample("changed", "department"), "{version}");
    }
}

/// The smallest PNG: one transparent pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

#[test]
fn pictures() {
    for version in [V2_5, V14_1, V16_1] {
        let world = World::start();
        let anton = world.anton();
        let (mut device, folder) = synced(&world, version);
        let png = STANDARD.decode(PNG).unwrap();
        let object = anton.create_contact(json!({"last_name": "Pictured", "display_name": "Pictured"}));
        anton.set_picture(object, "image/png", &png);
        let id = device.sync(&folder).added.remove(0);
        assert_eq!(property(device.item(&folder, &id), tag::PICTURE), PNG, "{version}");

        let mut data = contact("Otto", "Photographer");
        data.push(Element::text(tag::PICTURE, PNG));
        device.add(&folder, data);
        assert!(device.sync(&folder).refused.is_empty());
        let objects = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        let added = objects
            .iter()
            .find(|object| object["last_name"] == "Photographer")
            .unwrap();
        let added = u32::try_from(added["id"].as_u64().unwrap()).unwrap();
        assert_eq!(anton.picture(added).as_deref(), Some(&png[..]), "{version}");

        // A change that says nothing of it leaves it alone.
        device.change(&folder, &id, contact("Otto", "Renamed"));
        device.sync(&folder);
        assert_eq!(anton.picture(object).as_deref(), Some(&png[..]), "{version}");
    }
}

/// A picture that is too large for phones comes smaller, and never takes the place of the original.
#[test]
fn large_pictures() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, folder) = synced(&world, V14_1);
    let image = image::RgbImage::from_fn(800, 600, |x, y| {
        image::Rgb(
            [x.wrapping_mul(y), x.wrapping_mul(7919), y.wrapping_mul(104_729)].map(|value| value.to_le_bytes()[0]),
        )
    });
    let mut large = Vec::new();
    image
        .write_to(&mut std::io::Cursor::new(&mut large), image::ImageFormat::Png)
        .unwrap();
    assert!(large.len() > 48 * 1024);
    let object = anton.create_contact(json!({"last_name": "Large", "display_name": "Large"}));
    anton.set_picture(object, "image/png", &large);
    let id = device.sync(&folder).added.remove(0);
    let picture = property(device.item(&folder, &id), tag::PICTURE);
    assert!((1000..=48 * 1024).contains(&picture.len()), "{}", picture.len());
    assert!(STANDARD.decode(&picture).unwrap().starts_with(b"\xFF\xD8\xFF"));
    let mut data = contact("Otto", "Renamed");
    data.push(Element::text(tag::PICTURE, picture));
    device.change(&folder, &id, data);
    assert!(device.sync(&folder).refused.is_empty());
    assert_eq!(anton.picture(object).as_deref(), Some(&large[..]));
    // An empty one says nothing: iOS sends it with every edit.
    let mut data = contact("Otto", "Again");
    data.push(Element::empty(tag::PICTURE));
    device.change(&folder, &id, data);
    device.sync(&folder);
    assert_eq!(anton.picture(object).as_deref(), Some(&large[..]));
}

/// Phones write a birthday with any time of the day; the day counts.
#[test]
fn birthdays() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, folder) = synced(&world, V14_1);
    for (number, time) in ["00:00", "08:00", "11:59", "12:00"].iter().enumerate() {
        let mut data = contact("Otto", &format!("Born {number}"));
        data.push(Element::text(tag::BIRTHDAY, format!("1976-04-08T{time}:00.000Z")));
        device.add(&folder, data);
    }
    // Local midnight in a zone east of Greenwich.
    let mut data = contact("Otto", "Born 4");
    data.push(Element::text(tag::BIRTHDAY, "1976-04-07T22:00:00.000Z"));
    device.add(&folder, data);
    assert!(device.sync(&folder).refused.is_empty());
    for object in anton.objects(Module::Contacts, anton.default_folder(Module::Contacts)) {
        assert_eq!(object["birthday"], BIRTHDAY, "{}", object["last_name"]);
    }
}

/// A distribution list has no form on a phone; the contacts beside it arrive.
#[test]
fn distribution_lists_stay_away() {
    let world = World::start();
    let anton = world.anton();
    let (mut device, folder) = synced(&world, V14_1);
    let members = json!([{"display_name": "Eva", "mail": "eva@example.com", "mail_field": 0}]);
    anton.create_contact(
        json!({"display_name": "List", "mark_as_distributionlist": true, "distribution_list": members}),
    );
    anton.create_contact(json!({"last_name": "Person", "display_name": "Person"}));
    assert_eq!(device.sync(&folder).added.len(), 1);
    assert!(device.sync(&folder).is_quiet());
}
