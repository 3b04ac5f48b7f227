//! The UIDs of contacts, tasks and appointments, by generation and in every way that the documents leave open.

use crate::client::House;
use crate::client::coded;
use crate::client::error;
use ox_standin::Profile;
use ox_standin::Standin;
use ox_standin::Uids;
use serde_json::Value;
use serde_json::json;

/// What `new` answers to a body with a UID, and the UID in a list afterwards.
fn written(house: &House, module: &str, folder: u32) -> (Value, Value) {
    let title = if module == "tasks" { "title" } else { "last_name" };
    let new = house.anton.put(
        &format!("{module}?action=new"),
        json!({"folder_id": folder, title: "x", "uid": "c0ffee"}),
    );
    let listed = house
        .anton
        .get(&format!("{module}?action=all&folder={folder}&columns=1,223"));
    (new, listed)
}

#[test]
fn what_becomes_of_a_uid() {
    // how the server deals with UIDs, what it has in the end
    let cases = [
        (Uids::Kept, json!("c0ffee")),
        (Uids::Ignored, json!(null)),
        (Uids::Replaced, json!("own")),
    ];
    for (uids, expected) in cases {
        let house = House::with(Standin::builder().uids(uids));
        for (module, folder) in [("contacts", 33), ("tasks", 34)] {
            let (new, listed) = written(&house, module, folder);
            let id = &new["data"]["id"];
            let own = format!("{}-{id}@standin", module.trim_end_matches('s'));
            let expected = if expected == "own" {
                json!(own)
            } else {
                expected.clone()
            };
            assert_eq!(listed["data"], json!([[id, expected]]), "{uids:?} {module}");
        }
    }
    let house = House::with(Standin::builder().uids(Uids::Refused));
    for (module, folder) in [("contacts", 33), ("tasks", 34)] {
        let (new, listed) = written(&house, module, folder);
        assert_eq!(error(&new), coded("SVL-0010", 1));
        assert_eq!(error(&listed), coded("SVL-0004", 1));
    }
}

/// Tasks have UIDs since a newer generation, and keep the one they have.
#[test]
fn tasks_of_old_servers_have_none() {
    for (profile, uid) in [(Profile::V6_20, json!(null)), (Profile::V7_8, json!("c0ffee"))] {
        let house = House::with(Standin::builder().profile(profile));
        let (new, listed) = written(&house, "tasks", 34);
        assert_eq!(listed["data"][0][1], uid);
        let id = &new["data"]["id"];
        let far = i64::MAX;
        let changed = house.anton.put(
            &format!("tasks?action=update&id={id}&folder=34&timestamp={far}"),
            json!({"uid": "other", "title": "y"}),
        );
        assert_eq!(changed["code"] == "TSK-0053", profile == Profile::V7_8, "{changed}");
    }
}
