//! People: who is invited, who answers, who is told, and who sees what.

use crate::calendar::FAR;
use crate::calendar::HOUR;
use crate::calendar::TUESDAY;
use crate::calendar::dentist;
use crate::calendar::team;
use crate::calendar::update;
use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Group;
use ox_standin::Module;
use ox_standin::Standin;
use serde_json::json;

#[test]
fn an_object_has_people_and_no_empty_lists() {
    let house = House::new();
    let mut body = team();
    body["participants"] = json!([{"id": 3, "type": 1}, {"type": 5, "mail": "bert@example.org", "display_name": "Bert"},
        {"type": 5, "mail": "BERTA@example.com"}]);
    let new = house.anton.put("calendar?action=new&timezone=UTC", body);
    let id = new["data"]["id"].as_u64().expect("an id");
    let got = house
        .anton
        .get(&format!("calendar?action=get&id={id}&folder=31&timezone=UTC"))["data"]
        .clone();
    assert_eq!(
        got["participants"],
        json!([{"id": 3, "type": 1}, {"type": 5, "mail": "bert@example.org", "display_name": "Bert"}, {"id": 4, "type": 1}])
    );
    assert_eq!(
        got["users"],
        json!([{"id": 3, "display_name": "Anders, Anton", "confirmation": 1}, {"id": 4, "display_name": "Berg, Berta", "confirmation": 0}])
    );
    assert_eq!(got["confirmations"][0]["status"], 0);
    assert_eq!(
        (&got["organizer"], &got["organizerId"], &got["alarm"]),
        (&json!("anton@example.com"), &json!(3), &json!(15))
    );
    assert_eq!(
        (&got["recurrence_id"], &got["timezone"], &got["sequence"]),
        (&json!(id), &json!("Europe/Berlin"), &json!(0))
    );
    assert!(
        got.get("change_exceptions").is_none() && got.get("recurrence_position").is_none(),
        "{got}"
    );
    // Berta sees the same object in her own calendar, without Anton's alarm.
    let berta = Client::login(&house.running, "berta");
    let hers = berta.get(&format!("calendar?action=get&id={id}&folder=41&timezone=UTC"))["data"].clone();
    assert_eq!((&hers["folder_id"], hers.get("alarm")), (&json!(41), None));
}

#[test]
fn confirming_changes_the_own_status_only() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(json!({"title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "participants": [{"id": 4, "type": 1}]}));
    let berta = Client::login(&house.running, "berta");
    house.later(7);
    let answer = berta.put(
        &format!("calendar?action=confirm&id={id}&folder=41&timestamp={NOW}"),
        json!({"confirmation": 3, "confirmmessage": "vielleicht"}),
    );
    assert_eq!(answer, json!({"data": {}, "timestamp": NOW + 7}));
    let status = |index: usize| anton.object(Module::Calendar, id).expect("it")["users"][index]["confirmation"].clone();
    assert_eq!((status(0), status(1)), (json!(1), json!(3)));
    // A new time asks her again, a new title does not.
    update(&house.anton, id, NOW + 7, json!({"title": "y"}));
    assert_eq!(status(1), json!(3));
    let later = json!({"start_date": TUESDAY + HOUR, "end_date": TUESDAY + 2 * HOUR, "full_time": false, "ignore_conflicts": true});
    update(&house.anton, id, NOW + 7, later);
    assert_eq!((status(0), status(1)), (json!(1), json!(0)));
}

/// `notification`: the server writes to everybody but the caller, and only then.
#[test]
fn people_are_told_on_request() {
    let house = House::new();
    let people = json!([{"id": 4, "type": 1}, {"type": 5, "mail": "carl@example.org"}]);
    let appointment = json!({"folder_id": 31, "title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "full_time": false, "ignore_conflicts": true, "participants": people});
    let mut told = appointment.clone();
    told["notification"] = json!(true);
    for (body, expected) in [(appointment, 0), (told, 1)] {
        house.anton.put("calendar?action=new&timezone=UTC", body);
        assert_eq!(house.standin.web("anton").sent().len(), expected);
    }
    let sent = house.standin.web("anton").sent();
    assert_eq!(sent[0].recipients, ["berta@example.com", "carl@example.org"]);
}

#[test]
fn people_see_and_lose_appointments() {
    let house = House::with(Standin::builder().group(Group {
        id: 9,
        name: "Both".to_owned(),
        members: vec![3, 4],
    }));
    let anton = house.standin.web("anton");
    let id = anton.create_appointment(json!({"title": "x", "start_date": TUESDAY, "end_date": TUESDAY + HOUR,
        "participants": [{"id": 9, "type": 2}]}));
    let berta = Client::login(&house.running, "berta");
    let hers = |since: i64| {
        berta.get(&format!(
            "calendar?action=updates&folder=41&timestamp={since}&recurrence_master=true&columns=1"
        ))["data"]
            .clone()
    };
    assert_eq!(hers(0), json!([[id]]), "members of a group see it");
    assert_eq!(
        anton.object(Module::Calendar, id).expect("it")["participants"],
        json!([{"id": 9, "type": 2}])
    );
    house.later(5);
    update(&house.anton, id, NOW, json!({"participants": [{"id": 3, "type": 1}]}));
    assert_eq!(hers(NOW), json!([id]));
    house.later(5);
    update(
        &house.anton,
        id,
        NOW + 5,
        json!({"participants": [{"id": 3, "type": 1}, {"id": 4, "type": 1}]}),
    );
    house.later(5);
    berta.put(
        &format!("calendar?action=delete&timestamp={}", NOW + 10),
        json!({"id": id, "folder": 41}),
    );
    assert_eq!(hers(NOW + 10), json!([id]), "she only leaves");
    let left = anton.object(Module::Calendar, id).expect("still there");
    assert_eq!(left["participants"], json!([{"id": 3, "type": 1}]));
    let removed = update(
        &house.anton,
        id,
        NOW + 99,
        json!({"participants": [{"id": 4, "type": 1}]}),
    );
    assert_eq!(error(&removed), coded("APP-0076", 1));
}

#[test]
fn private_appointments_of_others_are_hidden_or_anonymous() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.update_folder("31", json!({"permissions": [{"entity": 3, "group": false, "bits": 403_710_016}, {"entity": 4, "group": false, "bits": 257}]}));
    let mut body = dentist();
    body["private_flag"] = json!(true);
    body["location"] = json!("Praxis");
    let id = anton.create_appointment(body);
    let berta = Client::login(&house.running, "berta");
    let call = format!("calendar?action=all&folder=31&{FAR}&columns=1,200,400");
    assert_eq!(berta.get(&call)["data"], json!([]));
    assert_eq!(
        berta.get(&format!("{call}&showPrivate=true"))["data"],
        json!([[id, "Private", null]])
    );
    let got = berta.get(&format!("calendar?action=get&id={id}&folder=31"))["data"].clone();
    assert!(got["title"] == "Private" && got.get("participants").is_none(), "{got}");
    let busy = berta.get("calendar?action=freebusy&id=3&type=1&start=0&end=2208988800000&timezone=UTC")["data"].clone();
    assert_eq!(
        busy,
        json!([{"start_date": TUESDAY, "end_date": TUESDAY + HOUR, "full_time": false, "shown_as": 1}])
    );
}
