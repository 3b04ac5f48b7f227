//! [MS-ASCMD] Sync: keys, changes that are wanted or not, windows, folders.

use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use serde_json::json;

use crate::items::mail;
use crate::rules::Script;
use crate::rules::everywhere;
use crate::rules::play;
use crate::rules::since;

/// A Sync of one collection: what stands between its id and its end.
pub(super) fn sync(folder: &str, class: &str, more: &str) -> String {
    sync_with(folder, class, &format!("{{{folder} key}}"), more)
}

pub(super) fn sync_with(folder: &str, class: &str, key: &str, more: &str) -> String {
    format!(
        "<Sync><Collections><Collection>
            ≤12.1 <Class>{class}</Class>
            <SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId>{more}
        </Collection></Collections></Sync>"
    )
}

/// The answer for one collection: its key, its Status, and what follows.
pub(super) fn told(folder: &str, class: &str, key: &str, status: i64, more: &str) -> String {
    format!(
        "<Sync><Collections><Collection>
            ≤12.1 <Class>{class}</Class>
            <SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId><Status>{status}</Status>{more}
        </Collection></Collections></Sync>"
    )
}

/// An answer that brings nothing: empty where the version has that.
pub(super) fn quiet(folder: &str, class: &str) -> String {
    format!(
        "≤12.0 {}
        ≥12.1 nothing",
        told(folder, class, &format!("{{{folder} key}}"), 1, "")
            .replace('\n', " ")
            .replace("≤12.1 ", "")
    )
}

pub(super) fn contact(script: &Script<'_>, name: &str) -> u32 {
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

/// The windows of a collection and of the request. What does not fit is announced, before everything else.
#[test]
fn windows() {
    play(since(V12_1), |script| {
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

/// An answer ends when it has grown large, and says that there is more.
#[test]
fn large_answers() {
    play(V12_1..=V12_1, |script| {
        script.synced("inbox");
        script.synced("tasks");
        let text = "x".repeat(900 * 1024);
        for number in 0..4 {
            script.web.receive(&mail(&format!("mail {number}"), &text));
        }
        script.web.create_task(json!({"title": "Small"}));
        let add = "<Add><ServerId>*</ServerId><ApplicationData>*</ApplicationData></Add>";
        let both = "<Sync><Collections>
            <Collection><SyncKey>{inbox key}</SyncKey><CollectionId>{inbox}</CollectionId></Collection>
            <Collection><SyncKey>{tasks key}</SyncKey><CollectionId>{tasks}</CollectionId></Collection>
            </Collections></Sync>";
        let answer = |class: &str, folder: &str, key: &str, more: &str, adds: usize| {
            let commands = match adds {
                0 => String::new(),
                adds => format!("<Commands>{}</Commands>", add.repeat(adds)),
            };
            format!(
                "<Collection><Class>{class}</Class><SyncKey>{key}</SyncKey><CollectionId>{{{folder}}}</CollectionId>
                <Status>1</Status>{more}{commands}</Collection>"
            )
        };
        let more = "<MoreAvailable/>";
        script.ask(
            both,
            &format!(
                "<Sync><Collections>{}{}</Collections></Sync>",
                answer("Email", "inbox", "?inbox key", more, 3),
                answer("Tasks", "tasks", "{tasks key}", more, 0)
            ),
        );
        script.ask(
            both,
            &format!(
                "<Sync><Collections>{}{}</Collections></Sync>",
                answer("Email", "inbox", "?inbox key", "", 1),
                answer("Tasks", "tasks", "?tasks key", "", 1)
            ),
        );
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
