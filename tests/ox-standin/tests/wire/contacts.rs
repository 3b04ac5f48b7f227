//! Contacts: the transcript, pictures, searches, the global address book.

use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Module;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::Value;
use serde_json::json;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nnot really";

fn eva() -> Value {
    json!({"folder_id": 33, "display_name": "Meier, Eva", "first_name": "Eva", "last_name": "Meier",
        "email1": "eva@example.org", "birthday": 318_211_200_000_i64})
}

#[test]
fn the_transcript() {
    let house = House::new();
    let new = house.anton.put("contacts?action=new&timezone=UTC", eva());
    let id = new["data"]["id"].clone();
    assert_eq!(new["timestamp"], NOW);
    house.later(1000);
    let call = format!("contacts?action=update&id={id}&folder=33&timestamp={NOW}");
    let parts: &[(&str, Option<&str>, &str, &[u8])] = &[
        ("json", None, "text/plain", br#"{"note":"mit Bild"}"#),
        ("file", Some("p.png"), "image/png", PNG),
    ];
    let reply = house.anton.upload(&call, parts);
    assert_eq!(reply.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(reply.callback("update"), json!({"data": {}, "timestamp": NOW + 1000}));
    let got = house
        .anton
        .get(&format!("contacts?action=get&id={id}&folder=33&timezone=UTC"))["data"]
        .clone();
    assert_eq!(
        (&got["note"], &got["birthday"]),
        (&json!("mit Bild"), &json!(318_211_200_000_i64))
    );
    assert_eq!(
        (&got["number_of_images"], &got["image1_content_type"]),
        (&json!(1), &json!("image/png"))
    );
    let url = got["image1_url"].as_str().expect("a URL");
    let image = house.anton.send("GET", url, "", b"").expect("an answer");
    assert_eq!(
        (image.header("content-type"), &image.body[..]),
        (Some("image/png"), PNG)
    );
}

#[test]
fn updates_forget_their_timestamp_when_nothing_changed() {
    let house = House::new();
    let id = house.standin.web("anton").create_contact(eva());
    let updates = |since: i64, rest: &str| {
        house.anton.get(&format!(
            "contacts?action=updates&folder=33&timestamp={since}&columns=1,20,6{rest}"
        ))
    };
    assert_eq!(updates(NOW, "&ignore=false"), json!({"data": [], "timestamp": 0}));
    assert_eq!(
        updates(NOW - 1, "&ignore=false"),
        json!({"data": [[id, 33, NOW]], "timestamp": NOW})
    );
    house.later(5);
    house.standin.web("anton").delete(Module::Contacts, 33, id);
    assert_eq!(updates(NOW, "&ignore=false"), json!({"data": [id], "timestamp": 0}));
    assert_eq!(updates(NOW, "")["data"], json!([id]));
    assert_eq!(updates(NOW, "&ignore=deleted")["data"], json!([]));

    let old = House::with(Standin::builder().profile(Profile::V6_20));
    let id = old.standin.web("anton").create_contact(eva());
    old.later(5);
    old.standin.web("anton").delete(Module::Contacts, 33, id);
    let call = format!("contacts?action=updates&folder=33&timestamp={NOW}&columns=1");
    assert_eq!(
        old.anton.get(&call),
        json!({"data": [], "timestamp": NOW}),
        "a missing ignore hides deletions"
    );
}

#[test]
fn pictures_as_base64() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_contact(eva());
    let update = |body: Value| {
        house.anton.put(
            &format!("contacts?action=update&id={id}&folder=33&timestamp={NOW}"),
            body,
        )
    };
    assert_eq!(
        update(json!({"image1": "iVBORw0KGgo=", "image1_content_type": "image/png"}))["data"],
        json!({})
    );
    assert_eq!(anton.picture(id).as_deref(), Some(&b"\x89PNG\r\n\x1a\n"[..]));
    assert_eq!(error(&update(json!({"image1": "AAAA"}))), coded("CON-0158", 1));
    update(json!({"image1": ""}));
    assert_eq!(anton.picture(id), None);
}

#[test]
fn writes_are_checked() {
    let house = House::new();
    let id = house.standin.web("anton").create_contact(eva());
    let update = |body: Value| {
        house.anton.put(
            &format!("contacts?action=update&id={id}&folder=33&timestamp={NOW}"),
            body,
        )
    };
    assert_eq!(error(&update(json!({"last_name": "Meier"}))), coded("CON-0122", 1));
    assert_eq!(
        error(&update(json!({"email1": "Eva <eva@example.org>"}))),
        coded("CON-0100", 1)
    );
    assert_eq!(error(&update(json!({"note": "\u{1f600}"}))), coded("CON-0168", 1));
    let long = update(json!({"suffix": "x".repeat(65)}));
    assert_eq!(error(&long), coded("CON-0154", 12));
    assert_eq!(
        (&long["problematic"], &long["truncated"]),
        (&json!([{"id": 504, "length": 65, "max_size": 64}]), &json!([504]))
    );
    house.later(1);
    assert_eq!(update(json!({"nickname": "E", "birthday": null}))["timestamp"], NOW + 1);
    assert_eq!(error(&update(json!({"nickname": "F"}))), coded("CON-0119", 9));
    assert!(
        house
            .standin
            .web("anton")
            .object(Module::Contacts, id)
            .expect("the contact")
            .get("birthday")
            .is_none()
    );
    assert_eq!(
        error(&house.anton.get("contacts?action=get&id=999&folder=33")),
        coded("CON-0125", 8)
    );
    let denied = house
        .anton
        .put("contacts?action=new", json!({"folder_id": 6, "display_name": "x"}));
    assert_eq!(error(&denied), coded("CON-0112", 3));
}

#[test]
fn deletions_answer_an_object_or_an_array() {
    for (profile, data) in [(Profile::V6_20, json!([])), (Profile::V7_8, json!({}))] {
        let house = House::with(Standin::builder().profile(profile));
        let id = house.standin.web("anton").create_contact(eva());
        let answer = house.anton.put(
            &format!("contacts?action=delete&timestamp={NOW}"),
            json!({"id": id, "folder": 33}),
        );
        assert_eq!(answer, json!({"data": data, "timestamp": NOW}));
    }
}

#[test]
fn old_conflicts_have_codes_of_their_own() {
    let house = House::with(Standin::builder().profile(Profile::V6_20));
    let id = house.standin.web("anton").create_contact(eva());
    let update = house.anton.put(
        &format!("contacts?action=update&id={id}&folder=33&timestamp=1"),
        json!({"note": "x"}),
    );
    assert_eq!(error(&update), coded("CON-0019", 9));
    let delete = house
        .anton
        .put("contacts?action=delete&timestamp=1", json!({"id": id, "folder": 33}));
    assert_eq!(error(&delete), coded("CON-0040", 9));
}

#[test]
fn the_global_address_book_is_searched() {
    let house = House::new();
    let search = |folder: u32| {
        let body = json!({"folder": folder, "orSearch": true, "display_name": "be*", "last_name": "be*", "first_name": "be*", "email1": "be*"});
        house.anton.put("contacts?action=search&columns=1,20,500,555,524", body)
    };
    let found = search(6);
    assert_eq!(found["data"], json!([[2, 6, "Berg, Berta", "berta@example.com", 4]]));
    house.standin.web("anton").create_contact(eva());
    let any = |body: Value| {
        house
            .anton
            .put("contacts?action=search&columns=500&sort=500&order=asc", body)["data"]
            .clone()
    };
    assert_eq!(any(json!({"pattern": "*mei*", "folder": 33})), json!([["Meier, Eva"]]));
    assert_eq!(
        any(json!({"last_name": "*e*"})),
        json!([["Anders, Anton"], ["Berg, Berta"], ["Meier, Eva"]])
    );
    let filter = json!({"filter": ["and", ["=", {"field": "last_name"}, "M*"], [">", {"field": "birthday"}, "0"]]});
    assert_eq!(
        house.anton.put("contacts?action=advancedSearch&columns=500", filter)["data"],
        json!([["Meier, Eva"]])
    );
    assert_eq!(
        house.anton.get("contacts?action=autocomplete&query=eva&columns=555")["data"],
        json!([["eva@example.org"]])
    );
    let closed = House::with(Standin::builder().without_global_address_book());
    let body = json!({"folder": 6, "pattern": "a"});
    assert_eq!(
        error(&closed.anton.put("contacts?action=search&columns=1", body)),
        coded("CON-0104", 3)
    );
}

#[test]
fn lists_and_moves() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let target: u32 = anton.create_folder("1", "Zwei", "contacts").parse().expect("a number");
    let one = anton.create_contact(eva());
    let two = anton.create_contact(json!({"display_name": "Team", "mark_as_distributionlist": true,
        "distribution_list": [{"display_name": "A", "mail": "a@example.org", "mail_field": 0}]}));
    let body =
        json!([{"id": two, "folder": 33}, {"id": 999, "folder": 33}, {"id": one.to_string(), "folder_id": "33"}]);
    let list = house.anton.put("contacts?action=list&columns=1,602,594", body);
    assert_eq!(list["data"], json!([[two, true, 1], [one, null, null]]));
    house.later(1);
    house.anton.put(
        &format!("contacts?action=update&id={one}&folder=33&timestamp={NOW}"),
        json!({"folder_id": target}),
    );
    let updates = house.anton.get(&format!(
        "contacts?action=updates&folder=33&timestamp={NOW}&columns=1&ignore=false"
    ));
    assert_eq!(updates["data"], json!([one]));
    let all = house
        .anton
        .get(&format!("contacts?action=all&folder={target}&columns=1,20"));
    assert_eq!(all["data"], json!([[one, target]]));
    let aliased = house
        .anton
        .get(&format!("contacts?action=all&folder={target}&columns=all"));
    assert_eq!(aliased["data"][0][1], one);
}
