//! [MS-ASCMD] Sync: Options, which are kept until others come, and ConversationMode.

use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use serde_json::json;

use crate::items::DAY;
use crate::items::mail;
use crate::items::now;
use crate::rules::everywhere;
use crate::rules::exchanges::quiet;
use crate::rules::exchanges::sync;
use crate::rules::exchanges::sync_with;
use crate::rules::exchanges::told;
use crate::rules::play;
use crate::rules::since;

/// Values that an option does not have, by the class of the folder.
#[test]
fn options_that_are_refused() {
    // folder, class, the children of Options, Status
    let cases = [
        ("inbox", "Email", "<FilterType>5</FilterType>", 1),
        ("inbox", "Email", "<FilterType>6</FilterType>", 4),
        ("inbox", "Email", "<FilterType>8</FilterType>", 4),
        ("inbox", "Email", "<FilterType>9</FilterType>", 4),
        ("inbox", "Email", "<FilterType>x</FilterType>", 4),
        ("calendar", "Calendar", "<FilterType>0</FilterType>", 1),
        ("calendar", "Calendar", "<FilterType>3</FilterType>", 4),
        ("calendar", "Calendar", "<FilterType>4</FilterType>", 1),
        ("calendar", "Calendar", "<FilterType>7</FilterType>", 1),
        ("calendar", "Calendar", "<FilterType>8</FilterType>", 4),
        ("tasks", "Tasks", "<FilterType>8</FilterType>", 1),
        ("tasks", "Tasks", "<FilterType>1</FilterType>", 4),
        ("contacts", "Contacts", "<FilterType>7</FilterType>", 1),
        ("contacts", "Contacts", "<Conflict>0</Conflict>", 1),
        ("contacts", "Contacts", "<Conflict>1</Conflict>", 1),
        ("contacts", "Contacts", "<Conflict>2</Conflict>", 4),
        (
            "inbox",
            "Email",
            "<MIMESupport>2</MIMESupport><MIMETruncation>8</MIMETruncation>",
            1,
        ),
    ];
    play(everywhere(), |script| {
        for (folder, class, options, status) in cases {
            let key = if status == 1 { "*" } else { "0" };
            let options = format!("<Options>{options}</Options>");
            script.ask(
                &sync_with(folder, class, "0", &options),
                &told(folder, class, key, status, ""),
            );
        }
    });
}

#[test]
fn bodies_that_are_refused() {
    // the children of Options, Status
    let cases = [
        (
            "<AirSyncBase:Type>1</AirSyncBase:Type><AirSyncBase:AllOrNone>1</AirSyncBase:AllOrNone>",
            1,
        ),
        (
            "<AirSyncBase:Type>1</AirSyncBase:Type><AirSyncBase:AllOrNone>2</AirSyncBase:AllOrNone>",
            4,
        ),
        ("<AirSyncBase:Type>5</AirSyncBase:Type>", 4),
        ("<AirSyncBase:TruncationSize>5</AirSyncBase:TruncationSize>", 4),
        (
            "<AirSyncBase:Type>1</AirSyncBase:Type></AirSyncBase:BodyPreference><AirSyncBase:BodyPreference>
             <AirSyncBase:Type>1</AirSyncBase:Type>",
            4,
        ),
    ];
    play(since(V12_0), |script| {
        for (preference, status) in cases {
            let key = if status == 1 { "*" } else { "0" };
            let options =
                format!("<Options><AirSyncBase:BodyPreference>{preference}</AirSyncBase:BodyPreference></Options>");
            script.ask(
                &sync_with("inbox", "Email", "0", &options),
                &told("inbox", "Email", key, status, ""),
            );
        }
    });
}

/// "Two Options blocks only for Email and SMS."
#[test]
fn two_blocks_of_options() {
    let block = |class: &str| match class {
        "" => "<Options><FilterType>0</FilterType></Options>".to_owned(),
        class => format!("<Options><FilterType>0</FilterType><Class>{class}</Class></Options>"),
    };
    // folder, classes of the blocks, Status
    let cases = [
        ("inbox", ["", "SMS"], 1),
        ("inbox", ["Email", "SMS"], 1),
        ("inbox", ["SMS", "Email"], 1),
        ("inbox", ["Email", "Email"], 4),
        ("inbox", ["", "Email"], 4),
        ("inbox", ["Email", "Contacts"], 4),
        ("contacts", ["", "SMS"], 4),
    ];
    play(since(V14_0), |script| {
        for (folder, [first, second], status) in cases {
            let key = if status == 1 { "*" } else { "0" };
            let options = block(first) + &block(second);
            script.ask(
                &sync_with(folder, "", "0", &options),
                &told(folder, "", key, status, ""),
            );
        }
    });
}

/// Options hold until others come, and these replace them as a whole. What leaves the window is not deleted.
#[test]
fn options_are_kept() {
    play(everywhere(), |script| {
        let old = now() - 40 * DAY;
        let id = script
            .web
            .deliver_mail_at("default0/INBOX", &mail("old", "Old."), old, 0);
        let id = script.server_id("inbox", id);
        script.learn("old", &id);
        let change = "<GetChanges>1</GetChanges>";
        let filter = "<Options><FilterType>1</FilterType></Options>";
        script.ask(
            &sync_with("inbox", "Email", "0", filter),
            &told("inbox", "Email", "?inbox key", 1, ""),
        );
        script.ask(&sync("inbox", "Email", change), &quiet("inbox", "Email"));
        // A block without a filter: none.
        let add = "<Commands><Add><ServerId>{old}</ServerId><ApplicationData>*</ApplicationData></Add></Commands>";
        script.ask(
            &sync(
                "inbox",
                "Email",
                &format!("{change}<Options><Conflict>1</Conflict></Options>"),
            ),
            &told("inbox", "Email", "?inbox key", 1, add),
        );
        script.ask(&sync("inbox", "Email", change), &quiet("inbox", "Email"));
        let soft = "<Commands><SoftDelete><ServerId>{old}</ServerId></SoftDelete></Commands>";
        script.ask(
            &sync("inbox", "Email", &format!("{change}{filter}")),
            &told("inbox", "Email", "?inbox key", 1, soft),
        );
        script.ask(
            &sync("inbox", "Email", &format!("{change}<Options/>")),
            &told("inbox", "Email", "?inbox key", 1, add),
        );
        let id = script.name("old");
        script.web.delete_mail("default0/INBOX", id.split(':').nth(1).unwrap());
        let delete = "<Commands><Delete><ServerId>{old}</ServerId></Delete></Commands>";
        script.ask(
            &sync("inbox", "Email", change),
            &told("inbox", "Email", "?inbox key", 1, delete),
        );
    });
}

/// An appointment that has ended goes with the same word as a mail that is too old.
#[test]
fn appointments_leave_the_window() {
    play(everywhere(), |script| {
        let start = now() / DAY * DAY - 40 * DAY;
        let id = script.web.create_appointment(
            json!({"title": "Past", "start_date": start, "end_date": start + 3_600_000, "shown_as": 1}),
        );
        let id = script.server_id("calendar", id);
        script.learn("past", &id);
        script.synced("calendar");
        script.ask(
            &sync(
                "calendar",
                "Calendar",
                "<GetChanges>1</GetChanges><Options><FilterType>4</FilterType></Options>",
            ),
            &told(
                "calendar",
                "Calendar",
                "*",
                1,
                "<Commands><SoftDelete><ServerId>{past}</ServerId></SoftDelete></Commands>",
            ),
        );
    });
}

/// ConversationMode is for mail, from 14.0 on: old mails stay as long as their conversation goes on.
#[test]
fn whole_conversations() {
    let of_thread = |subject: &str, id: &str, references: &str| {
        let text = String::from_utf8(mail(subject, "Text.")).unwrap();
        let text = text.replace(&format!("<{subject}@example.com>"), &format!("<{id}@example.com>"));
        format!("{references}{text}").into_bytes()
    };
    play(since(V14_0), |script| {
        let old = now() - 40 * DAY;
        let inbox = "default0/INBOX";
        let root = script
            .web
            .deliver_mail_at(inbox, &of_thread("Plan", "root", ""), old, 0);
        script
            .web
            .deliver_mail_at(inbox, &of_thread("Other", "other", ""), old, 0);
        let answer = of_thread("Re: Plan", "answer", "References: <root@example.com>\r\n");
        let answer = script.web.receive(&answer);
        for (name, id) in [("root", root), ("answer", answer)] {
            let id = script.server_id("inbox", id);
            script.learn(name, &id);
        }
        let mode = "<ConversationMode>1</ConversationMode>";
        let filter = "<Options><FilterType>1</FilterType></Options>";
        script.ask(&sync_with("contacts", "", "0", mode), &told("contacts", "", "0", 4, ""));
        script.ask(
            &sync_with("inbox", "", "0", &format!("{mode}{filter}")),
            &told("inbox", "", "?inbox key", 1, ""),
        );
        script.ask(
            &sync("inbox", "", ""),
            &told(
                "inbox",
                "",
                "?inbox key",
                1,
                "<Commands><Add><ServerId>{answer}</ServerId><ApplicationData>*</ApplicationData></Add>
                <Add><ServerId>{root}</ServerId><ApplicationData>*</ApplicationData></Add></Commands>",
            ),
        );
        // The mode is kept with the filter: nothing comes and goes.
        script.ask(&sync("inbox", "", ""), &quiet("inbox", ""));
        script.ask(
            &sync("inbox", "", "<ConversationMode>0</ConversationMode>"),
            &told(
                "inbox",
                "",
                "*",
                1,
                "<Commands><SoftDelete><ServerId>{root}</ServerId></SoftDelete></Commands>",
            ),
        );
    });
}

/// BodyPart instead of the body, or beside it; of HTML only.
#[test]
fn body_parts() {
    let part = |kind: i64, more: &str| {
        format!(
            "<AirSyncBase:BodyPartPreference><AirSyncBase:Type>{kind}</AirSyncBase:Type>{more}
            </AirSyncBase:BodyPartPreference>"
        )
    };
    let whole = "<AirSyncBase:BodyPreference><AirSyncBase:Type>1</AirSyncBase:Type></AirSyncBase:BodyPreference>";
    let cut = "<AirSyncBase:TruncationSize>0</AirSyncBase:TruncationSize><AirSyncBase:Preview>3</AirSyncBase:Preview>";
    play(since(V14_1), |script| {
        let id = script.web.receive(&mail("one", "The first."));
        let id = script.server_id("inbox", id);
        script.learn("one", &id);
        let named = "<AirSync:CollectionId>{inbox}</AirSync:CollectionId><AirSync:ServerId>{one}</AirSync:ServerId>";
        let fetch = |options: &str| {
            format!(
                "<ItemOperations><Fetch><Store>Mailbox</Store>{named}<Options><Schema><AirSyncBase:Body/>
                <AirSyncBase:BodyPart/></Schema>{options}</Options></Fetch></ItemOperations>"
            )
        };
        let told = |properties: &str| {
            format!(
                "<ItemOperations><Status>1</Status><Response><Fetch><Status>1</Status>{named}
                <AirSync:Class>Email</AirSync:Class><Properties>{properties}</Properties></Fetch></Response>
                </ItemOperations>"
            )
        };
        let body = "<AirSyncBase:Body>*</AirSyncBase:Body>";
        let start = "<AirSyncBase:Status>1</AirSyncBase:Status><AirSyncBase:Type>2</AirSyncBase:Type>
            <AirSyncBase:EstimatedDataSize>*</AirSyncBase:EstimatedDataSize>";
        let in_full =
            format!("<AirSyncBase:BodyPart>{start}<AirSyncBase:Data>*</AirSyncBase:Data></AirSyncBase:BodyPart>");
        let in_short = format!(
            "<AirSyncBase:BodyPart>{start}<AirSyncBase:Truncated>1</AirSyncBase:Truncated>
            <AirSyncBase:Preview>The</AirSyncBase:Preview></AirSyncBase:BodyPart>"
        );
        script.ask(&fetch(""), &told(body));
        script.ask(&fetch(&part(2, "")), &told(&in_full));
        script.ask(&fetch(&part(2, cut)), &told(&in_short));
        script.ask(
            &fetch(&format!("{whole}{}", part(2, ""))),
            &told(&format!("{body}{in_full}")),
        );
        script.ask(
            &fetch(&part(1, "")),
            &format!(
                "<ItemOperations><Status>1</Status><Response><Fetch><Status>164</Status>{named}</Fetch></Response>
                </ItemOperations>"
            ),
        );
        script.ask(
            &sync_with("inbox", "", "0", &format!("<Options>{}</Options>", part(4, ""))),
            "<Sync><Status>164</Status></Sync>",
        );
    });
}
