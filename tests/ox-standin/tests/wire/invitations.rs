//! Invitations in mails: conversion, iTIP, and what the organizer hears.

use crate::client::House;
use crate::client::coded;
use crate::client::error;
use serde_json::Value;
use serde_json::json;

const INVITATION: &[u8] = b"From: eva@example.org\r\nTo: anton@example.com\r\nSubject: Invitation\r\n\
Content-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain\r\n\r\nCome\r\n--a\r\n\
Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:inv-1\r\n\
DTSTART:20240102T080000Z\r\nDTEND:20240102T090000Z\r\nSUMMARY:Show\r\nORGANIZER:mailto:eva@example.org\r\n\
ATTENDEE:mailto:anton@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--a--\r\n";

fn source() -> Value {
    json!({"com.openexchange.mail.conversion.fullname": "default0/INBOX", "com.openexchange.mail.conversion.mailid": "1",
        "com.openexchange.mail.conversion.sequenceid": "2"})
}

fn status(house: &House) -> Value {
    let id = house.anton.get("calendar?action=resolveuid&uid=inv-1")["data"]["id"].clone();
    let got = house
        .anton
        .get(&format!("calendar?action=get&id={id}&folder=31&timezone=UTC"))["data"]
        .clone();
    json!([
        got["title"],
        got["start_date"],
        got["organizer"],
        got["users"][0]["id"],
        got["users"][0]["confirmation"]
    ])
}

#[test]
fn an_invitation_is_converted_once() {
    let house = House::new();
    house.standin.web("anton").receive(INVITATION);
    let args: Vec<Value> = source()
        .as_object()
        .expect("an object")
        .iter()
        .map(|(key, value)| json!({key: value}))
        .collect();
    let convert = |status: &str| {
        let body = json!({
            "datasource": {"identifier": "com.openexchange.mail.ical", "args": args},
            "datahandler": {"identifier": "com.openexchange.ical", "args": [
                {"com.openexchange.groupware.calendar.folder": "31"}, {"com.openexchange.groupware.task.folder": "34"},
                {"com.openexchange.groupware.calendar.confirmstatus": status}]},
        });
        house.anton.put("conversion?action=convert", body)["data"].clone()
    };
    assert_eq!(convert("1"), json!([{"folder_id": 31, "id": 1}]));
    assert_eq!(
        status(&house),
        json!(["Show", 1_704_182_400_000_i64, "eva@example.org", 3, 1])
    );
    assert_eq!(convert("3"), json!([{"folder_id": 31, "id": 1}]));
    assert_eq!(status(&house)[4], 3);
    let unknown = house.anton.put(
        "conversion?action=convert",
        json!({"datasource": {}, "datahandler": {}}),
    );
    assert_eq!(error(&unknown), coded("CNV-0001", 8));
}

#[test]
fn an_answer_reaches_the_organizer() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.receive(INVITATION);
    let call = |action: &str| {
        let query = "dataSource=com.openexchange.mail.ical&descriptionFormat=html&timezone=UTC";
        house
            .anton
            .put(&format!("calendar/itip?action={action}&{query}"), source())["data"]
            .clone()
    };
    let analysis = call("analyze");
    assert_eq!(
        (&analysis[0]["uid"], &analysis[0]["changes"][0]["type"]),
        (&json!("inv-1"), &json!("create"))
    );
    assert_eq!(call("decline")[0]["title"], "Show");
    assert_eq!(status(&house)[4], 2);
    let sent = anton.sent();
    assert_eq!(sent[0].recipients, ["eva@example.org"]);
    assert!(String::from_utf8_lossy(&sent[0].raw).contains("PARTSTAT=DECLINED"));
    assert_eq!(call("analyze")[0]["changes"][0]["type"], "update");
}
