//! [MS-ASCMD] Sync: keys, changes, windows, options, conflicts, commands.

use ox_standin::Fault;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_0;
use serde_json::json;

use crate::items::mail;
use crate::rules::Script;
use crate::rules::everywhere;
use crate::rules::play;
use crate::rules::since;

/// A Sync of one collection: what stands between its id and its end.
fn sync(folder: &str, class: &str, more: &str) -> String {
    sync_with(folder, class, &format!("{{{folder} key}}"), more)
}

fn sync_with(folder: &str, class: &str, key: &str, more: &str) -> String {
    format!(
        "<Sync><Collections><Collection>
            ≤12.1 <Class>{class}</Class>
            <SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId>{more}
        </Collection></Collections></Sync>"
    )
}

/// The answer for one collection: its key, its Status, and what follows.
fn told(folder: &str, class: &str, key: &str, status: i64, more: &str) -> String {
    format!(
        "<Sync><Collections><Collection>
            ≤12.1 <Class>{class}</Class>
            <SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId><Status>{status}</Status>{more}
        </Collection></Collections></Sync>"
    )
}

/// An answer that brings nothing: empty where the version has that.
fn quiet(folder: &str, class: &str) -> String {
    format!(
        "≤12.0 {}
        ≥12.1 nothing",
        told(folder, class, &format!("{{{folder} key}}"), 1, "")
            .replace('\n', " ")
            .replace("≤12.1 ", "")
    )
}

fn contact(script: &Script<'_>, name: &str) -> u32 {
    script
        .web
        .create_contact(json!({"last_name": name, "display_name": name}))
}

/// The first key brings nothing but itself, and it must not be asked to.
#[test]
fn first_keys() {
    // what the request has beside its key; Status
    let cases = [
        ("", 1),
        ("<GetChanges>0</GetChanges>", 1),
        ("<GetChanges>1</GetChanges>", 4),
        ("<GetChanges/>", 4),
        // Some phones send commands with the first key, and do not survive an answer to them.
        (
            "<Commands><Fetch><ServerId>{contacts}:1</ServerId></Fetch></Commands>",
            1,
        ),
        ("<Supported/>", 1),
    ];
    play(everywhere(), |script| {
        contact(script, "Somebody");
        for (more, status) in cases {
            let key = if status == 1 { "*" } else { "0" };
            let expected = told("contacts", "Contacts", key, status, "");
            script.ask(&sync_with("contacts", "Contacts", "0", more), &expected);
        }
    });
}

#[test]
fn keys_that_are_none() {
    play(everywhere(), |script| {
        script.synced("contacts");
        for key in ["12345", "x", "-1", "99999999999999999999999"] {
            let expected = told("contacts", "Contacts", key, 3, "");
            script.ask(&sync_with("contacts", "Contacts", key, ""), &expected);
        }
    });
}

/// Without GetChanges, phones of 2.5 get none and others do; what is not wanted stays for the next time.
#[test]
fn changes_that_are_not_wanted() {
    play(everywhere(), |script| {
        script.synced("contacts");
        let id = contact(script, "New");
        let id = script.server_id("contacts", id);
        script.learn("new", &id);
        let command = "<Commands><Add><ServerId>{new}</ServerId><ApplicationData>*</ApplicationData></Add></Commands>";
        let news = told("contacts", "Contacts", "*", 1, command);
        let nothing = quiet("contacts", "Contacts");
        script.ask(&sync("contacts", "Contacts", "<GetChanges>0</GetChanges>"), &nothing);
        if script.version == V2_5 {
            script.ask(&sync("contacts", "Contacts", ""), &nothing);
            script.ask(&sync("contacts", "Contacts", "<GetChanges/>"), &news);
        } else {
            script.ask(&sync("contacts", "Contacts", ""), &news);
        }
    });
}

/// A phone that only fetches gets nothing else in the same answer.
#[test]
fn fetching_alone() {
    play(everywhere(), |script| {
        let id = script.web.receive(&mail("one", "The first."));
        script.synced("inbox");
        script.web.receive(&mail("two", "The second."));
        let id = script.server_id("inbox", id);
        script.learn("one", &id);
        let fetch = "<Commands><Fetch><ServerId>{one}</ServerId></Fetch>
            <Fetch><ServerId>{inbox}:4711</ServerId></Fetch></Commands>";
        let fetched = "<Responses><Fetch><ServerId>{one}</ServerId><Status>1</Status>
            <ApplicationData>*</ApplicationData></Fetch>
            <Fetch><ServerId>{inbox}:4711</ServerId><Status>8</Status></Fetch></Responses>";
        script.ask(
            &sync("inbox", "Email", fetch),
            &told("inbox", "Email", "{inbox key}", 1, fetched),
        );
    });
}

/// A phone of 2.5 may name a default folder by its class alone.
#[test]
fn a_folder_by_its_class() {
    play(V2_5..=V2_5, |script| {
        for (class, folder) in [("Email", "inbox"), ("Contacts", "contacts"), ("Calendar", "calendar")] {
            script.ask(
                &format!(
                    "<Sync><Collections><Collection><Class>{class}</Class><SyncKey>0</SyncKey>
                    </Collection></Collections></Sync>"
                ),
                &told(folder, class, "*", 1, ""),
            );
        }
    });
}

/// The order of elements is not what the documents say: it makes no difference.
#[test]
fn any_order() {
    play(everywhere(), |script| {
        script.synced("contacts");
        script.ask(
            "<Sync><WindowSize>9</WindowSize><Collections><Collection>
                <WindowSize>5</WindowSize><CollectionId>{contacts}</CollectionId><GetChanges>1</GetChanges>
                <SyncKey>{contacts key}</SyncKey>
                ≤12.1 <Class>Contacts</Class>
            </Collection></Collections></Sync>",
            &quiet("contacts", "Contacts"),
        );
    });
}

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
    play(since(oxtender::version::ProtocolVersion::V12_0), |script| {
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
        let day = 24 * 3_600_000;
        let old = crate::items::now() - 40 * day;
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
        let day = 24 * 3_600_000;
        let start = crate::items::now() / day * day - 40 * day;
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
        let day = 24 * 3_600_000;
        let old = crate::items::now() - 40 * day;
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

/// The windows of a collection and of the request. What does not fit is announced, before everything else.
#[test]
fn windows() {
    play(since(oxtender::version::ProtocolVersion::V12_1), |script| {
        for folder in ["contacts", "tasks"] {
            script.synced(folder);
        }
        for number in 0..3 {
            contact(script, &format!("Contact {number}"));
            script.web.create_task(json!({"title": format!("Task {number}")}));
        }
        let both = |contacts: &str, tasks: &str, global: &str| {
            format!(
                "<Sync><Collections>
                <Collection>
                    ≤12.1 <Class>Contacts</Class>
                    <SyncKey>{{contacts key}}</SyncKey><CollectionId>{{contacts}}</CollectionId>
                    <WindowSize>{contacts}</WindowSize></Collection>
                <Collection>
                    ≤12.1 <Class>Tasks</Class>
                    <SyncKey>{{tasks key}}</SyncKey><CollectionId>{{tasks}}</CollectionId>
                    <WindowSize>{tasks}</WindowSize></Collection>
                </Collections><WindowSize>{global}</WindowSize></Sync>"
            )
        };
        let add = "<Add><ServerId>*</ServerId><ApplicationData>*</ApplicationData></Add>";
        let answer = |folder: &str, class: &str, key: &str, more: &str, adds: usize| {
            let commands = match adds {
                0 => String::new(),
                adds => format!("<Commands>{}</Commands>", add.repeat(adds)),
            };
            format!(
                "<Collection>
                    ≤12.1 <Class>{class}</Class>
                    <SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId><Status>1</Status>{more}{commands}
                </Collection>"
            )
        };
        let more = "<MoreAvailable/>";
        // The request's window holds two, the first collection's one: one is left for the second.
        script.ask(
            &both("1", "5", "2"),
            &format!(
                "<Sync><Collections>{}{}</Collections></Sync>",
                answer("contacts", "Contacts", "?contacts key", more, 1),
                answer("tasks", "Tasks", "?tasks key", more, 1)
            ),
        );
        // The first one fills it: the second is told that there is more, and keeps its key.
        script.ask(
            &both("5", "5", "2"),
            &format!(
                "<Sync><Collections>{}{}</Collections></Sync>",
                answer("contacts", "Contacts", "?contacts key", "", 2),
                answer("tasks", "Tasks", "{tasks key}", more, 0)
            ),
        );
        // 0 is as many as may be.
        script.ask(
            &both("5", "0", "0"),
            &format!(
                "<Sync><Collections>
                ≤12.1 {}
                {}</Collections></Sync>",
                answer("contacts", "Contacts", "{contacts key}", "", 0)
                    .replace('\n', " ")
                    .replace("≤12.1 ", ""),
                answer("tasks", "Tasks", "?tasks key", "", 2)
            ),
        );
    });
}

/// Both sides changed a contact: Conflict says who wins, and the server does if it is absent.
#[test]
fn conflicts() {
    // Conflict, whether the phone wins
    let cases = [
        ("", false),
        ("<Conflict>1</Conflict>", false),
        ("<Conflict>0</Conflict>", true),
    ];
    play(everywhere(), |script| {
        for (conflict, device_wins) in cases {
            let id = contact(script, "Before");
            script.synced("contacts");
            let server_id = script.server_id("contacts", id);
            script.learn("it", &server_id);
            let folder = script.web.default_folder(ox_standin::Module::Contacts);
            script.web.update(
                ox_standin::Module::Contacts,
                folder,
                id,
                json!({"last_name": "Web", "company": "Web Inc."}),
            );
            let change = format!(
                "<GetChanges>1</GetChanges><Options>{conflict}</Options>
                <Commands><Change><ServerId>{{it}}</ServerId><ApplicationData>
                <Contacts:LastName>Phone</Contacts:LastName></ApplicationData></Change></Commands>"
            );
            let commands = "<Commands><Change><ServerId>{it}</ServerId><ApplicationData>*</ApplicationData>
                </Change></Commands>";
            let refused = "<Responses><Change><ServerId>{it}</ServerId><Status>7</Status></Change></Responses>";
            let more = match device_wins {
                true => commands.to_owned(),
                false => format!("{refused}{commands}"),
            };
            script.ask(
                &sync("contacts", "Contacts", &change),
                &told("contacts", "Contacts", "?contacts key", 1, &more),
            );
            let object = script.web.object(ox_standin::Module::Contacts, id).unwrap();
            let expected = if device_wins { "Phone" } else { "Web" };
            assert_eq!(object["last_name"], expected, "{conflict} {}", script.version);
            // The phone's own copy in this test stays as it was: it starts anew.
            let folder = script.name("contacts");
            script.device.collections.remove(&folder);
        }
    });
}

/// Single commands that fail, each with its Status; the others go on. What one request says twice is done once.
#[test]
fn commands_that_fail() {
    let add = |client: &str, name: &str| {
        format!(
            "<Add><ClientId>{client}</ClientId><ApplicationData><Contacts:LastName>{name}</Contacts:LastName>
            </ApplicationData></Add>"
        )
    };
    play(everywhere(), |script| {
        script.synced("contacts");
        let commands = [
            "<GetChanges>0</GetChanges><Commands>".to_owned(),
            add("good", "Good"),
            add("twice", "Twice"),
            add("twice", "Twice"),
            "<Add><ClientId>bad</ClientId><ApplicationData><Contacts:Birthday>never</Contacts:Birthday>
            <Contacts:LastName>Bad</Contacts:LastName></ApplicationData></Add>"
                .to_owned(),
            "<Change><ServerId>{contacts}:4711</ServerId><ApplicationData>
            <Contacts:LastName>Nobody</Contacts:LastName></ApplicationData></Change>"
                .to_owned(),
            "<Change><ServerId>{tasks}:1</ServerId><ApplicationData/></Change>".to_owned(),
            "<Change><ServerId/><ApplicationData/></Change>".to_owned(),
            "<Delete><ServerId>{contacts}:4711</ServerId></Delete></Commands>".to_owned(),
        ];
        let added = |client: &str, id: &str| {
            format!("<Add><ClientId>{client}</ClientId><ServerId>{id}</ServerId><Status>1</Status></Add>")
        };
        let responses = [
            "<Responses>".to_owned(),
            added("good", "?good"),
            added("twice", "?twice"),
            added("twice", "?same"),
            added("bad", "?bad"),
            "<Change><ServerId>{contacts}:4711</ServerId><Status>8</Status></Change>".to_owned(),
            "<Change><ServerId>{tasks}:1</ServerId><Status>8</Status></Change></Responses>".to_owned(),
        ];
        script.ask(
            &sync("contacts", "Contacts", &commands.concat()),
            &told("contacts", "Contacts", "?contacts key", 1, &responses.concat()),
        );
        assert_eq!(script.name("twice"), script.name("same"));
        // OX is full: the item, not the request.
        script
            .world
            .standin
            .faults()
            .nth(1, "contacts", "new", Fault::error("CON-0106", 2));
        script.ask(
            &sync(
                "contacts",
                "Contacts",
                &format!("<Commands>{}</Commands>", add("more", "More")),
            ),
            &told(
                "contacts",
                "Contacts",
                "?contacts key",
                1,
                "<Responses><Add><ClientId>more</ClientId><Status>*</Status></Add></Responses>",
            ),
        );
    });
}

/// The same item changed and deleted in one request: it is gone, and nobody complains.
#[test]
fn one_item_in_two_commands() {
    play(everywhere(), |script| {
        let id = contact(script, "Twice");
        script.synced("contacts");
        let server_id = script.server_id("contacts", id);
        script.learn("it", &server_id);
        script.ask(
            &sync(
                "contacts",
                "Contacts",
                "<Commands><Change><ServerId>{it}</ServerId><ApplicationData>
                <Contacts:LastName>Phone</Contacts:LastName></ApplicationData></Change>
                <Delete><ServerId>{it}</ServerId></Delete><Delete><ServerId>{it}</ServerId></Delete></Commands>",
            ),
            &told("contacts", "Contacts", "*", 1, ""),
        );
        assert_eq!(script.web.object(ox_standin::Module::Contacts, id), None);
    });
}

/// Some phones upload text messages unasked: they are told that it worked, and nothing is kept.
#[test]
fn text_messages() {
    play(since(V14_0), |script| {
        script.synced("inbox");
        script.ask(
            &sync(
                "inbox",
                "",
                "<Options><Class>Email</Class></Options><Options><Class>SMS</Class></Options>
                <Commands><Add><Class>SMS</Class><ClientId>s1</ClientId><ApplicationData>
                <Email:To>\"B\" [MOBILE:+123]</Email:To></ApplicationData></Add></Commands>",
            ),
            &told(
                "inbox",
                "",
                "?inbox key",
                1,
                "<Responses><Add><Class>SMS</Class><ClientId>s1</ClientId><ServerId>?sms</ServerId>
                <Status>1</Status></Add></Responses>",
            ),
        );
        script.ask(
            &sync(
                "inbox",
                "",
                "<Commands><Change><ServerId>{sms}</ServerId><ApplicationData><Email:Read>1</Email:Read>
                </ApplicationData></Change><Delete><ServerId>{sms}</ServerId></Delete></Commands>",
            ),
            &quiet("inbox", ""),
        );
        assert!(script.web.mails("default0/INBOX").is_empty());
    });
}

/// DeletesAsMoves: to the trash, unless the phone says 0.
#[test]
fn deletions() {
    // DeletesAsMoves, mails in the trash afterwards
    let cases = [
        ("", 1),
        ("<DeletesAsMoves/>", 2),
        ("<DeletesAsMoves>1</DeletesAsMoves>", 3),
        ("<DeletesAsMoves>0</DeletesAsMoves>", 3),
    ];
    play(everywhere(), |script| {
        for (flag, expected) in cases {
            let id = script.web.receive(&mail("gone", "Text."));
            script.synced("inbox");
            let server_id = script.server_id("inbox", id);
            script.learn("it", &server_id);
            script.ask(
                &sync(
                    "inbox",
                    "Email",
                    &format!("{flag}<Commands><Delete><ServerId>{{it}}</ServerId></Delete></Commands>"),
                ),
                &told("inbox", "Email", "*", 1, ""),
            );
            assert!(script.web.mails("default0/INBOX").is_empty());
            let trash = script.web.mails("default0/INBOX/Trash").len();
            assert_eq!(trash, expected, "{flag} in {}", script.version);
            let folder = script.name("inbox");
            script.device.collections.remove(&folder);
        }
    });
}

/// A folder that nobody knows is a reason to look at the tree.
#[test]
fn unknown_folders() {
    play(everywhere(), |script| {
        for id in ["4711", "x", "RI"] {
            script.learn("nowhere", id);
            script.ask(
                &sync_with("nowhere", "Email", "0", ""),
                &told("nowhere", "Email", "0", 12, ""),
            );
        }
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
    play(since(oxtender::version::ProtocolVersion::V14_1), |script| {
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
