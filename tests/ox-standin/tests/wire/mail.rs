//! Mail: lists, reading, changes, sending, searches.

use crate::client::Client;
use crate::client::House;
use crate::client::NOW;
use crate::client::coded;
use crate::client::error;
use ox_standin::Profile;
use ox_standin::Standin;
use ox_standin::flag;
use serde_json::Value;
use serde_json::json;

const INBOX: &str = "default0/INBOX";

/// A mail with a text, an HTML form, a picture inside it and a file.
const RICH: &[u8] = b"From: =?UTF-8?Q?J=C3=BCrgen?= <juergen@example.org>\r\nTo: anton@example.com\r\n\
Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\nDate: Tue, 14 Nov 2023 22:00:00 +0000\r\nMessage-ID: <rich@example.org>\r\n\
MIME-Version: 1.0\r\nX-Priority: 1\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\
Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe & <mehr>\r\n--b\r\n\
Content-Type: multipart/related; boundary=c\r\n\r\n--c\r\nContent-Type: text/html; charset=utf-8\r\n\r\n\
<p>Hi <b>you</b><img src=\"cid:pic@x\"></p>\r\n--c\r\nContent-Type: image/png; name=\"p.png\"\r\nContent-ID: <pic@x>\r\n\
Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n--c--\r\n--b--\r\n--a\r\n\
Content-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment; filename=\"a.pdf\"\r\n\
Content-Transfer-Encoding: base64\r\n\r\nJVBERi0=\r\n--a--\r\n";

fn simple(subject: &str) -> Vec<u8> {
    format!("From: a@example.org\r\nTo: anton@example.com\r\nSubject: {subject}\r\n\r\nHello\r\n").into_bytes()
}

#[test]
fn all_lists_deleted_mails_too_newest_first() {
    let house = House::new();
    let anton = house.standin.web("anton");
    for (minutes, flags) in [(1, flag::SEEN | flag::DELETED), (3, 0), (2, flag::SEEN | flag::FLAGGED)] {
        anton.deliver_mail_at(INBOX, &simple("x"), NOW + minutes * 60_000, flags);
    }
    anton.set_color(INBOX, "3", 3);
    let all = house
        .anton
        .get("mail?action=all&folder=default0%2FINBOX&columns=600,610,611,102&sort=610&order=desc&timezone=UTC");
    let rows = json!([
        ["2", NOW + 180_000, 0, 0],
        ["3", NOW + 120_000, 40, 3],
        ["1", NOW + 60_000, 34, 0]
    ]);
    assert_eq!(all, json!({"data": rows}));
    let shifted = house
        .anton
        .get("mail?action=all&folder=default0%2FINBOX&columns=610&limit=1");
    assert_eq!(shifted["data"], json!([[NOW + 180_000 + 3_600_000]]));
    let page = house.anton.get(
        "mail?action=all&folder=default0%2FINBOX&columns=600&sort=610&order=asc&left_hand_limit=1&right_hand_limit=3",
    );
    assert_eq!(page["data"], json!([["3"], ["2"]]));
    assert_eq!(
        house
            .anton
            .get("mail?action=all&folder=default0%2FINBOX&columns=600&sort=610")["code"],
        "SVL-0002"
    );
    assert_eq!(
        house
            .anton
            .get("mail?action=updates&folder=default0%2FINBOX&timestamp=0&columns=600"),
        json!({"data": []})
    );
    assert_eq!(
        error(&house.anton.get("mail?action=all&folder=default0%2FNo&columns=600")),
        coded("MSG-0066", 1)
    );
    assert_eq!(
        error(&house.anton.get("mail?action=all&folder=default0&columns=600")),
        coded("MSG-0050", 8)
    );
}

#[test]
fn columns_of_a_list() {
    let house = House::new();
    house.standin.web("anton").receive(RICH);
    let columns = "columns=600,601,602,603,604,607,608,609,614,656,Message-ID&timezone=UTC";
    let list = house.anton.put(
        &format!("mail?action=list&{columns}"),
        json!([{"folder": INBOX, "id": "1"}, {"folder": INBOX, "id": 77}]),
    );
    let row = json!([
        "1",
        INBOX,
        true,
        [["Jürgen", "juergen@example.org"]],
        [[null, "anton@example.com"]],
        "Grüße",
        RICH.len(),
        1_699_999_200_000_i64,
        1,
        "multipart/mixed",
        "<rich@example.org>"
    ]);
    assert_eq!(list["data"], json!([row, null]));
}

#[test]
fn reading_marks_as_seen_unless_told_not_to() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.receive(RICH);
    let seen = || anton.mails(INBOX)[0].flags & flag::SEEN != 0;
    let get = "mail?action=get&folder=default0%2FINBOX&id=1";
    house.anton.get(&format!("{get}&unseen=true"));
    let raw = house.anton.fetch(&format!("{get}&src=1&save=1&unseen=true"));
    assert_eq!(
        (raw.header("content-type"), &raw.body[..]),
        (Some("application/octet-stream"), RICH)
    );
    assert!(!seen());
    house.anton.get(get);
    assert!(seen());
}

#[test]
fn the_source_as_text_damages_eight_bit_mails() {
    let house = House::new();
    let raw = b"Subject: x\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\nGr\xfc\xdfe\r\n";
    house.standin.web("anton").receive(raw);
    let source = house.anton.get("mail?action=get&folder=default0%2FINBOX&id=1&src=1");
    assert!(
        source["data"]
            .as_str()
            .is_some_and(|text| text.contains("Gr\u{fffd}\u{fffd}e")),
        "{source}"
    );
    let exact = house
        .anton
        .fetch("mail?action=get&folder=default0%2FINBOX&id=1&src=1&save=1");
    assert_eq!(exact.body, raw);
}

#[test]
fn missing_mails_are_pages_when_bytes_were_asked_for() {
    let house = House::new();
    let get = "mail?action=get&folder=default0%2FINBOX&id=9";
    assert_eq!(error(&house.anton.get(get)), coded("MSG-0032", 1));
    let page = house.anton.fetch(&format!("{get}&src=1&save=1"));
    assert_eq!(page.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(page.callback("get")["code"], "MSG-0032");
    let mut other = Client::new(&house.running);
    other.agent = "Browser".to_owned();
    let session = other.try_login("name=anton&password=secret").json()["session"].clone();
    other.session = session.as_str().expect("a session").to_owned();
    let page = other.fetch(&format!("{get}&src=1&save=1"));
    assert!(
        page.text().contains("\"error\"") && !page.text().contains("callback_"),
        "{}",
        page.text()
    );
}

#[test]
fn parts_of_a_mail_by_view() {
    let house = House::new();
    house.standin.web("anton").receive(RICH);
    let get = |view: &str| {
        house.anton.get(&format!(
            "mail?action=get&folder=default0%2FINBOX&id=1&unseen=true&view={view}"
        ))["data"]
            .clone()
    };
    let raw = get("raw");
    assert_eq!(
        (&raw["subject"], &raw["priority"], &raw["unread"]),
        (&json!("Grüße"), &json!(1), &json!(true))
    );
    let parts: Vec<Value> = raw["attachments"]
        .as_array()
        .expect("parts")
        .iter()
        .map(|part| {
            json!([
                part["id"],
                part["content_type"],
                part["disp"],
                part["filename"],
                part["cid"],
                part["size"]
            ])
        })
        .collect();
    assert_eq!(
        Value::from(parts),
        json!([
            ["1.1", "text/plain", "alternative", null, null, 14],
            ["1.2.1", "text/html", "alternative", null, null, 41],
            ["1.2.2", "image/png", "inline", "p.png", "<pic@x>", 8],
            ["2", "application/pdf", "attachment", "a.pdf", null, 5],
        ])
    );
    let content = |mail: &Value, part: usize| mail["attachments"][part]["content"].as_str().unwrap_or("").to_owned();
    assert_eq!(content(&raw, 0), "Grüße & <mehr>");
    assert_eq!(content(&get("html"), 0), "Grüße &amp; &lt;mehr&gt;");
    assert!(
        content(&get("html"), 1).contains("src=\"/ajax/image/mail/picture?folder=default0%2FINBOX&id=1"),
        "{}",
        get("html")
    );
    assert_eq!(content(&get("text"), 1), "Hi you");
    let picture = content(&get("html"), 1);
    let url = &picture[picture.find("/ajax/image").expect("a link")..picture.rfind("\">").expect("its end")];
    let reply = house.anton.send("GET", url, "", b"").expect("an answer");
    assert_eq!(
        (reply.header("content-type"), &reply.body[..]),
        (Some("image/png"), &b"\x89PNG\r\n\x1a\n"[..])
    );
}

#[test]
fn attachments_by_part_id_and_content_id() {
    let house = House::new();
    house.standin.web("anton").receive(RICH);
    let attachment = |rest: &str| {
        house
            .anton
            .fetch(&format!("mail?action=attachment&folder=default0%2FINBOX&id=1&{rest}"))
    };
    let pdf = attachment("attachment=2");
    assert_eq!(
        (pdf.header("content-type"), &pdf.body[..]),
        (Some("application/pdf"), &b"%PDF-"[..])
    );
    assert_eq!(
        attachment("attachment=2&save=1").header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(attachment("cid=%3Cpic%40x%3E").body, b"\x89PNG\r\n\x1a\n");
    assert_eq!(
        attachment("attachment=1.1").body,
        b"Gr\xfc\xdfe & <mehr>",
        "the part's own charset"
    );
    assert_eq!(attachment("attachment=9").callback("attachment")["code"], "MSG-0049");
}

#[test]
fn nested_messages_have_parts_of_their_own() {
    let house = House::new();
    let raw = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\ntext\r\n--a\r\n\
Content-Type: message/rfc822\r\n\r\nFrom: i@x\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n\
deep\r\n--b\r\nContent-Type: application/x-y\r\nContent-Disposition: attachment; filename=f\r\n\r\nDATA\r\n--b--\r\n--a--\r\n";
    house.standin.web("anton").receive(raw);
    let mail = house.anton.get("mail?action=get&folder=default0%2FINBOX&id=1&view=raw")["data"].clone();
    let inner = &mail["nested_msgs"][0];
    assert_eq!(
        (&inner["id"], &inner["subject"], &inner["from"]),
        (&json!("2"), &json!("inner"), &json!([[null, "i@x"]]))
    );
    assert_eq!(inner["attachments"][0]["content"], "deep");
    let file = house
        .anton
        .fetch("mail?action=attachment&folder=default0%2FINBOX&id=1&attachment=2.2");
    assert_eq!(file.text(), "DATA");
    let whole = house
        .anton
        .fetch("mail?action=attachment&folder=default0%2FINBOX&id=1&attachment=2");
    assert!(
        whole.text().starts_with("From: i@x\r\nSubject: inner"),
        "{}",
        whole.text()
    );
}

#[test]
fn the_structure_of_a_mail() {
    let house = House::new();
    house.standin.web("anton").receive(RICH);
    let mail = house
        .anton
        .get("mail?action=get_structure&folder=default0%2FINBOX&id=1&unseen=true")["data"]
        .clone();
    assert_eq!((&mail["id"], &mail["flags"]), (&json!("1"), &json!(flag::RECENT)));
    assert_eq!(
        mail["received_date"],
        json!({"utc": NOW, "date": "Tue, 14 Nov 2023 22:13:20 +0000"})
    );
    let headers = &mail["headers"];
    assert_eq!(
        headers["from"],
        json!([{"personal": "Jürgen", "address": "juergen@example.org"}])
    );
    assert_eq!(
        headers["content-type"],
        json!({"type": "multipart/mixed", "params": {"boundary": "a"}})
    );
    let text = &mail["body"][0]["body"][0];
    assert_eq!(text["body"], json!({"id": "1.1", "data": "Grüße & <mehr>"}));
    assert_eq!(text["headers"]["content-type"]["params"]["charset"], "UTF-8");
    let pdf = &mail["body"][1];
    assert_eq!(pdf["body"], json!({"id": "2", "data": "JVBERi0="}));
    assert_eq!(pdf["headers"]["content-transfer-encoding"], "base64");
    house.standin.web("anton").receive(b"Subject: s\r\n\r\nplain\r\n");
    let single = house
        .anton
        .get("mail?action=get_structure&folder=default0%2FINBOX&id=2&unseen=true");
    assert_eq!(single["data"]["body"], json!({"id": "1", "data": "plain\r\n"}));
    let short = house
        .anton
        .get("mail?action=get_structure&folder=default0%2FINBOX&id=1&max_size=6&unseen=true");
    assert_eq!(
        short["data"]["body"][0]["body"][0]["body"],
        json!({"id": "1.1", "data": null, "exact_size": 14})
    );
}

#[test]
fn several_mails_in_one_get() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.receive(&simple("one"));
    anton.receive(&simple("two"));
    let both = house.anton.put(
        "mail?action=get&unseen=true&view=raw",
        json!([{"folder": INBOX, "id": "2"}, {"folder": INBOX, "id": "1"}]),
    );
    let subjects: Vec<&Value> = both["data"]
        .as_array()
        .expect("mails")
        .iter()
        .map(|mail| &mail["subject"])
        .collect();
    assert_eq!(subjects, ["two", "one"]);
    let entry = json!([{"module": "mail", "action": "get", "folder": INBOX, "id": "1", "unseen": "true", "view": "raw"},
        {"module": "mail", "action": "get_structure", "folder": INBOX, "id": "2", "unseen": "true"}]);
    let answers = house.anton.put("multiple?continue=true", entry);
    assert_eq!(answers[0]["data"]["subject"], "one");
    assert_eq!(answers[1]["data"]["headers"]["subject"], "two");
    let by_id = house
        .anton
        .get("mail?action=get&folder=default0%2FINBOX&message_id=%3Cnone%3E");
    assert_eq!(by_id["code"], "MSG-0032");
}

#[test]
fn flags_colours_and_moves() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.create_folder(INBOX, "Projekt B", "mail");
    anton.receive(&simple("x"));
    let update = |body: Value| house.anton.put("mail?action=update&folder=default0%2FINBOX&id=1", body);
    assert_eq!(
        update(json!({"flags": 32, "value": true})),
        json!({"data": {"folder_id": INBOX, "id": "1"}})
    );
    update(json!({"set_flags": 8 | 2 | 16, "clear_flags": 32, "color_label": 5}));
    let mail = &anton.mails(INBOX)[0];
    assert_eq!(
        (mail.flags, mail.color),
        (flag::FLAGGED | flag::RECENT, 5),
        "\\Deleted is not for clients"
    );
    let moved = update(json!({"folder_id": "default0/INBOX/Projekt B"}));
    assert_eq!(
        moved,
        json!({"data": {"folder_id": "default0/INBOX/Projekt B", "id": "1"}})
    );
    assert_eq!(
        error(&update(json!({"flags": 32, "value": true}))),
        coded("MSG-0032", 1)
    );
    let delete = |folder: &str, id: &str, rest: &str| {
        house.anton.put(
            &format!("mail?action=delete{rest}"),
            json!([{"folder": folder, "id": id}]),
        )
    };
    assert_eq!(delete("default0/INBOX/Projekt B", "1", ""), json!({"data": []}));
    assert_eq!(anton.mails("default0/INBOX/Trash").len(), 1);
    assert_eq!(
        delete("default0/INBOX/Projekt B", "1", ""),
        json!({"data": []}),
        "gone already"
    );
    delete("default0/INBOX/Trash", "1", "");
    assert!(anton.mails("default0/INBOX/Trash").is_empty());
    let id = anton.receive(&simple("y"));
    assert_eq!(id, "2", "ids are never used again");
    delete(INBOX, &id, "&harddelete=1");
    assert!(anton.mails("default0/INBOX/Trash").is_empty());
    let silent = House::with(Standin::builder().hides_moved_ids());
    silent.standin.web("anton").receive(&simple("x"));
    let moved = silent.anton.put(
        "mail?action=update&folder=default0%2FINBOX&id=1",
        json!({"folder_id": "default0/INBOX/Sent"}),
    );
    assert_eq!(moved["data"], json!({"folder_id": "default0/INBOX/Sent", "id": null}));
}

#[test]
fn a_whole_folder_is_updated_without_an_id() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.receive(&simple("x"));
    anton.receive(&simple("y"));
    house.anton.put(
        "mail?action=update&folder=default0%2FINBOX",
        json!({"flags": 32, "value": true}),
    );
    assert!(anton.mails(INBOX).iter().all(|mail| mail.flags & flag::SEEN != 0));
}

#[test]
fn sending_keeps_a_copy_and_reaches_users() {
    let house = House::new();
    let raw = b"From: anton@example.com\r\nTo: berta@example.com\r\nBcc: c@example.org\r\nSubject: Hi\r\n\r\nR3LDvMOfZQ==\r\n";
    let new = house.anton.put_bytes("mail?action=new", raw).json();
    assert_eq!(new, json!({"data": {"folder_id": "default0/INBOX/Sent", "id": "1"}}));
    let anton = house.standin.web("anton");
    let copy = &anton.mails("default0/INBOX/Sent")[0];
    assert_eq!((copy.flags, &copy.raw[..]), (flag::SEEN, &raw[..]));
    let sent = anton.sent();
    assert_eq!(sent[0].recipients, ["berta@example.com", "c@example.org"]);
    assert!(!String::from_utf8_lossy(&sent[0].raw).contains("Bcc"));
    assert_eq!(house.standin.web("berta").mails(INBOX).len(), 1);
    let without = house.anton.put_bytes("mail?action=new&copy2Sent=false", raw).json();
    assert_eq!(without["data"], Value::Null);
    assert_eq!(anton.mails("default0/INBOX/Sent").len(), 1);
}

#[test]
fn raw_mails_are_reduced_to_ascii() {
    let house = House::new();
    let raw = "From: anton@example.com\r\nTo: b@example.org\r\nSubject: Grüße\r\n\r\nü\r\n".as_bytes();
    house
        .anton
        .put_bytes("mail?action=new&folder=default0%2FINBOX%2FDrafts&flags=4", raw);
    let anton = house.standin.web("anton");
    assert!(anton.sent().is_empty(), "with a folder nothing is sent");
    let draft = &anton.mails("default0/INBOX/Drafts")[0];
    assert_eq!(draft.flags, flag::DRAFT);
    assert_eq!(
        draft.raw,
        "From: anton@example.com\r\nTo: b@example.org\r\nSubject: Gr??e\r\n\r\n?\r\n".as_bytes()
    );
}

#[test]
fn senders_are_checked() {
    let house = House::new();
    let foreign = b"From: x@example.org\r\nTo: b@example.org\r\n\r\nx\r\n";
    assert_eq!(
        error(&house.anton.put_bytes("mail?action=new", foreign).json()),
        coded("MSG-0056", 1)
    );
    house.anton.put_bytes("mail?action=new&force=true", foreign);
    house
        .anton
        .put_bytes("mail?action=new", b"To: b@example.org\r\n\r\nx\r\n");
    let sent = house.standin.web("anton").sent();
    assert_eq!(
        (sent[0].from.as_str(), sent[1].from.as_str()),
        ("x@example.org", "anton@example.com")
    );
    let nobody = house
        .anton
        .put_bytes("mail?action=new", b"From: anton@example.com\r\n\r\nx\r\n")
        .json();
    assert_eq!(nobody["code"], "MSG-0035");
}

#[test]
fn quota_lets_mails_out_but_not_in() {
    let house = House::with(Standin::builder().mail_quota(100));
    let raw = b"From: anton@example.com\r\nTo: b@example.org\r\nSubject: a mail that fills the whole mailbox\r\n\r\nand more text\r\n";
    let sent = house.anton.put_bytes("mail?action=new", raw).json();
    assert_eq!(error(&sent), coded("MSG-0043", 13));
    assert_eq!(house.standin.web("anton").sent().len(), 1);
    let draft = house
        .anton
        .put_bytes("mail?action=new&folder=default0%2FINBOX%2FDrafts&flags=4", raw)
        .json();
    assert_eq!(error(&draft), coded("MSG-0116", 11));
    house.standin.web("anton").receive(raw);
    let delete = house
        .anton
        .put("mail?action=delete", json!([{"folder": INBOX, "id": "1"}]));
    assert_eq!(error(&delete), coded("MSG-0039", 11));
}

#[test]
fn imports_keep_every_byte() {
    let raw: &[u8] = b"From: x@example.org\r\n\r\n\xff\xfe\r\n";
    let house = House::new();
    let call = "mail?action=import&folder=default0%2FINBOX&flags=32&force=true";
    let part: &[(&str, Option<&str>, &str, &[u8])] = &[("file", Some("m.eml"), "message/rfc822", raw)];
    let answer = house.anton.upload(call, part).callback("import");
    assert_eq!(answer["data"], json!([{"folder_id": INBOX, "id": "1"}]));
    assert_eq!(house.standin.web("anton").mails(INBOX)[0].raw, raw);
    let newer = House::with(Standin::builder().profile(Profile::V7_10));
    assert_eq!(
        newer.anton.upload(call, part).json()["data"],
        json!([{"folder_id": INBOX, "id": "1"}])
    );
    let checked = newer
        .anton
        .upload("mail?action=import&folder=default0%2FINBOX", part)
        .json();
    assert_eq!(checked["data"][0]["Error"]["code"], "MSG-0056");
}

#[test]
fn searches() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.deliver_mail_at(INBOX, &simple("Hi there"), NOW, 0);
    anton.deliver_mail_at(INBOX, RICH, NOW + 1000, flag::SEEN);
    let search = |body: Value| {
        house.anton.put(
            "mail?action=search&folder=default0%2FINBOX&columns=600&sort=600&order=asc",
            body,
        )["data"]
            .clone()
    };
    // Body, ids.
    let cases = [
        (json!([{"col": 607, "pattern": "hi"}]), json!([["1"]])),
        (
            json!([{"col": 607, "pattern": "nothing"}, {"col": 603, "pattern": "jürgen"}]),
            json!([["2"]]),
        ),
        (json!([]), json!([["1"], ["2"]])),
        (json!({"filter": ["=", {"field": "subject"}, "Grüße"]}), json!([["2"]])),
        (
            json!({"filter": ["and", ["=", {"field": "from"}, "example.org"], ["not", ["=", {"field": "flags"}, 32]]]}),
            json!([["1"]]),
        ),
        (
            json!({"filter": [">", {"field": "received_date"}, NOW.to_string()]}),
            json!([["2"]]),
        ),
        (
            json!({"filter": ["or", ["=", {"field": "content"}, "hello"], ["=", {"header": "Message-ID"}, "rich"]]}),
            json!([["1"], ["2"]]),
        ),
    ];
    for (body, ids) in cases {
        assert_eq!(search(body.clone()), ids, "{body}");
    }
}

#[test]
fn the_state_of_a_folder() {
    let house = House::new();
    let anton = house.standin.web("anton");
    anton.receive(&simple("x"));
    anton.deliver_mail_at(INBOX, &simple("y"), NOW, flag::SEEN);
    let state = house.anton.get("mail?action=examine&folder=default0%2FINBOX")["data"].clone();
    assert_eq!(
        state,
        json!({"validity": "1700000001", "total": "2", "unread": "1", "next": "3"})
    );
    assert_eq!(
        house.anton.get("mail?action=count&folder=default0%2FINBOX&unseen=true")["data"],
        1
    );
    let old = House::with(Standin::builder().profile(Profile::V6_20));
    assert_eq!(
        old.anton.get("mail?action=examine&folder=default0%2FINBOX")["code"],
        "SVL-0001"
    );
}

#[test]
fn thousands_of_mails_are_listed_at_once() {
    let house = House::new();
    let anton = house.standin.web("anton");
    for number in 0..5000 {
        anton.deliver_mail_at(INBOX, &simple("x"), NOW + number, 0);
    }
    let begin = std::time::Instant::now();
    let all = house
        .anton
        .get("mail?action=all&folder=default0%2FINBOX&columns=600,610,611,102");
    assert_eq!(all["data"].as_array().map(Vec::len), Some(5000));
    assert!(begin.elapsed().as_secs() < 2, "{:?}", begin.elapsed());
}
