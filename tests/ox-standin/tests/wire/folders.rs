//! Folders: the tree, changes, deletions.

use crate::client::Client;
use crate::client::House;
use crate::client::coded;
use crate::client::error;
use ox_standin::Profile;
use ox_standin::Standin;
use serde_json::json;

const MAIL_COLUMNS: &str = "columns=1,20,300,304,305,308,316,309,310,311";

#[test]
fn all_visible_by_section() {
    let house = House::new();
    let contacts = house.anton.get(
        "folders?action=allVisible&content_type=contacts&tree=0&timezone=UTC&columns=1,20,300,301,302,305,308,316",
    );
    assert_eq!(
        contacts["data"],
        json!({
            "private": [["33", "1", "Kontakte", "contacts", 1, 403_710_016, true, 3]],
            "public": [["6", "2", "Globales Adressbuch", "contacts", 2, 257, false, 0]],
        })
    );
    let berta = Client::login(&house.running, "berta");
    let titles = berta.get("folders?action=allVisible&content_type=tasks&columns=300");
    assert_eq!(
        titles["data"],
        json!({"private": [["Tasks"]]}),
        "titles follow the locale"
    );
}

#[test]
fn the_mail_tree() {
    let house = House::new();
    house.standin.web("anton").receive(b"Subject: x\r\n\r\nx");
    let top = house.anton.get(&format!(
        "folders?action=list&parent=default0&tree=0&all=1&{MAIL_COLUMNS}"
    ));
    assert_eq!(
        top["data"],
        json!([[
            "default0/INBOX",
            "default0",
            "Posteingang",
            true,
            403_710_016,
            true,
            7,
            1,
            1,
            1
        ]])
    );
    let below = house.anton.get(&format!(
        "folders?action=list&parent=default0%2FINBOX&tree=0&all=1&{MAIL_COLUMNS}"
    ));
    assert_eq!(
        below["data"][0],
        json!([
            "default0/INBOX/Drafts",
            "default0/INBOX",
            "Entwürfe",
            false,
            403_710_016,
            true,
            9,
            0,
            0,
            0
        ])
    );
    assert_eq!(below["data"].as_array().map(Vec::len), Some(4));
    let roots = house.anton.get("folders?action=list&parent=1&tree=0&columns=1,301,305");
    assert!(
        roots["data"]
            .as_array()
            .is_some_and(|rows| rows.contains(&json!(["default0", "mail", 1]))),
        "{roots}"
    );
}

#[test]
fn mail_folders_change_their_ids() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let new = house.anton.put(
        "folders?action=new&folder_id=default0%2FINBOX&tree=0",
        json!({"title": "Projekt", "module": "mail"}),
    );
    assert_eq!(new["data"], "default0/INBOX/Projekt");
    anton.create_folder("default0/INBOX/Projekt", "Unten", "mail");
    anton.deliver_mail("default0/INBOX/Projekt/Unten", b"Subject: x\r\n\r\nx");
    let renamed = house.anton.put(
        "folders?action=update&id=default0%2FINBOX%2FProjekt&tree=0&timestamp=1",
        json!({"title": "Projekt B"}),
    );
    assert_eq!(renamed["data"], "default0/INBOX/Projekt B");
    assert_eq!(anton.mails("default0/INBOX/Projekt B/Unten").len(), 1);
    let deleted = house.anton.put(
        "folders?action=delete&tree=0&timestamp=1",
        json!(["default0/INBOX/Projekt B"]),
    );
    assert_eq!(deleted["data"], json!([]));
    assert_eq!(anton.mails("default0/INBOX/Trash/Projekt B/Unten").len(), 1);
    house.anton.put(
        "folders?action=delete&tree=0",
        json!(["default0/INBOX/Trash/Projekt B"]),
    );
    let gone = house
        .anton
        .get("folders?action=get&id=default0%2FINBOX%2FTrash%2FProjekt%20B");
    assert_eq!(gone["code"], "MSG-0066");
}

#[test]
fn a_failed_deletion_looks_like_success() {
    let house = House::new();
    let answer = house.anton.put(
        "folders?action=delete&tree=0&timestamp=1700000002000",
        json!(["default0/INBOX/Sent"]),
    );
    assert_eq!(answer["data"], json!(["default0/INBOX/Sent"]));
    assert_eq!(error(&answer), coded("MSG-0099", 13));
    assert_eq!(error(&answer["warnings"]), coded("MSG-0099", 3));
    let strict = house.anton.put("folders?action=delete&failOnError=true", json!(["31"]));
    assert_eq!(error(&strict), coded("FLD-1026", 3));
}

#[test]
fn updates_tell_changes_and_deletions() {
    let house = House::new();
    let before = house.standin.clock().now();
    house.later(1000);
    let answer = house.anton.put(
        "folders?action=new&folder_id=1&tree=0",
        json!({"title": "Neu", "module": "tasks"}),
    );
    let id = answer["data"].as_str().expect("a text").to_owned();
    assert_eq!(answer["timestamp"], before + 1000);
    let updates = |since: i64| {
        house.anton.get(&format!(
            "folders?action=updates&tree=0&timestamp={since}&columns=1,20,300,301,6"
        ))
    };
    assert_eq!(
        updates(before),
        json!({"data": [[id, "1", "Neu", "tasks", before + 1000]], "timestamp": before + 1000})
    );
    house.later(1000);
    house
        .anton
        .put("folders?action=delete&timestamp=9999999999999", json!([id]));
    assert_eq!(
        updates(before + 1000),
        json!({"data": [id], "timestamp": before + 2000})
    );
    assert_eq!(updates(before + 2000), json!({"data": [], "timestamp": before + 2000}));
}

#[test]
fn changes_of_groupware_folders_are_checked() {
    let house = House::new();
    let id = house.standin.web("anton").create_folder("1", "Mine", "calendar");
    let update = |body| {
        house
            .anton
            .put(&format!("folders?action=update&id={id}&timestamp=9999999999999"), body)
    };
    assert_eq!(update(json!({"title": "Yours"}))["data"], id.as_str());
    let stale = house.anton.put(
        &format!("folders?action=update&id={id}&timestamp=1"),
        json!({"title": "x"}),
    );
    assert_eq!(error(&stale), coded("FLD-1022", 9));
    assert_eq!(error(&update(json!({"folder_id": id}))), coded("FLD-1013", 3));
    assert_eq!(update(json!({"folder_id": "31"}))["data"], id.as_str());
    let twin = house.anton.put(
        "folders?action=new&folder_id=31",
        json!({"title": "yours", "module": "calendar"}),
    );
    assert_eq!(error(&twin), coded("FLD-1014", 1));
    let wrong = house.anton.put(
        "folders?action=new&folder_id=31",
        json!({"title": "T", "module": "tasks"}),
    );
    assert_eq!(error(&wrong), coded("FLD-1029", 3));
    assert_eq!(
        error(&house.anton.get("folders?action=get&id=41")),
        coded("FLD-0003", 3)
    );
    assert_eq!(
        error(&house.anton.get("folders?action=get&id=999")),
        coded("FLD-0008", 8)
    );
}

#[test]
fn shared_folders_hang_below_their_owner() {
    let house = House::new();
    let rights =
        json!([{"entity": 3, "group": false, "bits": 403_710_016}, {"entity": 4, "group": false, "bits": 257}]);
    house
        .standin
        .web("anton")
        .update_folder("31", json!({"permissions": rights}));
    let berta = Client::login(&house.running, "berta");
    let owners = berta.get("folders?action=list&parent=3&columns=1,20,304");
    assert_eq!(owners["data"], json!([["u:3", "3", true]]));
    let shared = berta.get("folders?action=list&parent=u:3&columns=1,20,300,302,305,308,316");
    assert_eq!(
        shared["data"],
        json!([["31", "u:3", "Anders, Anton: Kalender", 3, 257, false, 0]])
    );
    let visible = berta.get("folders?action=allVisible&content_type=calendar&columns=1,20");
    assert_eq!(visible["data"]["shared"], json!([["31", "3"]]));
    let refused = berta.put(
        "calendar?action=new",
        json!({"folder_id": 31, "title": "x", "start_date": 0, "end_date": 1}),
    );
    assert_eq!(error(&refused), coded("APP-0063", 3));
    house.later(10);
    let since = house.standin.clock().now() - 1;
    house
        .standin
        .web("anton")
        .update_folder("31", json!({"permissions": [rights[0]]}));
    let updates = berta.get(&format!("folders?action=updates&timestamp={since}&columns=1"));
    assert_eq!(updates["data"], json!(["31"]), "out of sight is deleted");
}

#[test]
fn old_servers_know_no_standard_folder_type() {
    let house = House::with(Standin::builder().profile(Profile::V6_20));
    let row = house
        .anton
        .get("folders?action=list&parent=default0&columns=1,316,317,302");
    assert_eq!(row["data"], json!([["default0/INBOX", null, null, 1]]));
}

#[test]
fn folders_are_emptied() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.create_task(json!({"title": "x"}));
    anton.receive(b"Subject: x\r\n\r\nx");
    let answer = house
        .anton
        .put("folders?action=clear", json!(["34", "default0/INBOX", "77"]));
    assert_eq!(answer["data"], json!(["77"]));
    assert_eq!(anton.objects(ox_standin::Module::Tasks, 34).len(), 0);
    assert_eq!(anton.mails("default0/INBOX/Trash").len(), 1);
}

/// Mails keep their ids in a folder that is renamed, unless the mail server gives others.
#[test]
fn mails_of_renamed_folders() {
    // Whether it gives others, the ids before and after.
    for (others, after) in [(false, ["1", "2"]), (true, ["3", "4"])] {
        let builder = Standin::builder();
        let house = House::with(if others { builder.renumbers_renamed() } else { builder });
        let anton = house.standin.web("anton");
        let folder = anton.create_folder("default0/INBOX", "A", "mail");
        for _ in 0..2 {
            anton.deliver_mail(&folder, b"Subject: x\r\n\r\nx");
        }
        let folder = anton.rename_folder(&folder, "B");
        let ids: Vec<String> = anton.mails(&folder).into_iter().map(|mail| mail.id).collect();
        assert_eq!(ids, after);
    }
}

/// Tree 20: the default folders, and what its user chose.
#[test]
fn the_tree_of_chosen_folders() {
    let house = House::new();
    let anton = house.standin.web("anton");
    let folder = anton.create_folder("1", "Birthdays", "calendar");
    let listed = || {
        let rows = house
            .anton
            .get("folders?action=list&parent=1&tree=20&columns=1,20,304,314");
        rows["data"].as_array().expect("rows").clone()
    };
    let defaults = listed();
    assert_eq!(defaults.len(), 8, "{defaults:?}");
    assert!(defaults.contains(&json!(["default0/INBOX", "1", false, true])));
    let choice = json!([{"id": folder, "subscribe": true, "tree": "20"}]);
    house.anton.put("folders?action=subscribe&tree=0", choice);
    assert_eq!(listed().len(), 9);
    anton.choose_folder(&folder, false);
    assert_eq!(listed(), defaults);
    let closed = House::with(Standin::builder().without_selection_tree());
    let answer = closed.anton.get("folders?action=list&parent=1&tree=20&columns=1");
    assert_eq!(answer["code"], "FLD-1004");
}
