//! [MS-ASCMD] MoveItems: every Status, repetitions, and series.

use ox_standin::Module;
use serde_json::json;

use crate::items::HOUR;
use crate::items::mail;
use crate::items::tomorrow;
use crate::rules::everywhere;
use crate::rules::play;

fn moved(id: &str, from: &str, to: &str) -> String {
    format!(
        "<MoveItems><Move><SrcMsgId>{id}</SrcMsgId><SrcFldId>{from}</SrcFldId><DstFldId>{to}</DstFldId></Move></MoveItems>"
    )
}

fn told(id: &str, status: i64, new: &str) -> String {
    let new = match new {
        "" => String::new(),
        new => format!("<DstMsgId>{new}</DstMsgId>"),
    };
    format!("<MoveItems><Response><SrcMsgId>{id}</SrcMsgId><Status>{status}</Status>{new}</Response></MoveItems>")
}

#[test]
fn statuses() {
    // item, from, to, Status, new id
    let cases = [
        ("{mail}", "4711", "{trash}", 1, ""),
        ("{inbox}:4711", "{inbox}", "{trash}", 1, ""),
        ("{contacts}:1", "{inbox}", "{trash}", 1, ""),
        ("x", "{inbox}", "{trash}", 1, ""),
        ("{mail}", "{inbox}", "4711", 2, ""),
        ("{mail}", "{inbox}", "RI", 2, ""),
        ("{mail}", "{inbox}", "{contacts}", 2, ""),
        ("{mail}", "{inbox}", "{inbox}", 4, ""),
        ("{mail}", "{inbox}", "{trash}</DstFldId><DstFldId>{sent}", 5, ""),
        ("{mail}", "{inbox}", "{trash}", 3, "?new"),
        // The answer was lost: the same once more.
        ("{mail}", "{inbox}", "{trash}", 3, "{new}"),
    ];
    play(everywhere(), |script| {
        let id = script.web.receive(&mail("one", "The first."));
        let id = script.server_id("inbox", id);
        script.learn("mail", &id);
        for (id, from, to, status, new) in cases {
            script.ask(&moved(id, from, to), &told(id, status, new));
        }
        assert_eq!(script.web.mails("default0/INBOX/Trash").len(), 1);
    });
}

/// An appointment keeps its id: moved back by somebody, it can be moved again.
#[test]
fn there_and_back_and_there() {
    play(everywhere(), |script| {
        let home = script.web.default_folder(Module::Calendar);
        let other = script.web.create_folder(&home.to_string(), "Other", "calendar");
        script.device.folder_sync();
        let folder = script.device.folder_named("Other");
        script.learn("other", &folder);
        let start = tomorrow() + 9 * HOUR;
        let appointment = json!({"title": "Once", "start_date": start, "end_date": start + HOUR, "shown_as": 1});
        let id = script.web.create_appointment(appointment);
        let at_home = script.server_id("calendar", id);
        let away = script.server_id("other", id);
        for _ in 0..2 {
            script.ask(&moved(&at_home, "{calendar}", "{other}"), &told(&at_home, 3, &away));
            assert_eq!(script.web.objects(Module::Calendar, other.parse().unwrap()).len(), 1);
            script.ask(&moved(&away, "{other}", "{calendar}"), &told(&away, 3, &at_home));
            assert_eq!(script.web.objects(Module::Calendar, home).len(), 1);
        }
    });
}

/// OX does not move series: a plain one is copied and deleted, one with changed occurrences stays.
#[test]
fn series() {
    play(everywhere(), |script| {
        let home = script.web.default_folder(Module::Calendar);
        let other = script.web.create_folder(&home.to_string(), "Other", "calendar");
        let other: u32 = other.parse().unwrap();
        script.device.folder_sync();
        let folder = script.device.folder_named("Other");
        script.learn("other", &folder);
        let start = tomorrow() + 9 * HOUR;
        let daily = |title: &str| {
            json!({"title": title, "start_date": start, "end_date": start + HOUR, "shown_as": 1,
                "recurrence_type": 1, "interval": 1, "occurrences": 5})
        };
        let plain = script.web.create_appointment(daily("Plain"));
        let changed = script.web.create_appointment(daily("Changed"));
        script
            .web
            .delete_occurrence(home, changed, tomorrow() + crate::items::DAY);
        let id = script.server_id("calendar", plain);
        for new in ["?new", "{new}"] {
            script.ask(&moved(&id, "{calendar}", "{other}"), &told(&id, 3, new));
        }
        let titles = |folder| -> Vec<String> {
            let all = script.web.objects(Module::Calendar, folder);
            all.iter()
                .map(|it| it["title"].as_str().unwrap_or_default().to_owned())
                .collect()
        };
        assert_eq!(
            (titles(home), titles(other)),
            (vec!["Changed".to_owned()], vec!["Plain".to_owned()])
        );
        let id = script.server_id("calendar", changed);
        script.ask(&moved(&id, "{calendar}", "{other}"), &told(&id, 5, ""));
    });
}
