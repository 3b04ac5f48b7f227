//! [MS-ASCMD] FolderSync, FolderCreate, FolderUpdate, FolderDelete: the table of statuses.

use crate::rules::Script;
use crate::rules::everywhere;
use crate::rules::play;

/// The key of the tree as the phone has it.
fn learn_key(script: &mut Script<'_>) {
    let key = script.device.hierarchy_key.clone();
    script.learn("key", &key);
}

#[test]
fn folder_sync() {
    play(everywhere(), |script| {
        learn_key(script);
        let sync = |key: &str| format!("<FolderSync>{key}</FolderSync>");
        let told = |status: i64| format!("<FolderSync><Status>{status}</Status></FolderSync>");
        script.ask(
            &sync("<SyncKey>{key}</SyncKey>"),
            "<FolderSync><Status>1</Status><SyncKey>{key}</SyncKey><Changes><Count>0</Count></Changes></FolderSync>",
        );
        for (key, status) in [
            ("<SyncKey>4711</SyncKey>", 9),
            ("<SyncKey>x</SyncKey>", 9),
            ("<SyncKey/>", 10),
            ("", 10),
        ] {
            script.ask(&sync(key), &told(status));
        }
    });
}

#[test]
fn folder_create() {
    let long = "x".repeat(257);
    // key, parent, name, type, Status
    let cases = [
        ("4711", "0", "New", "12", 9),
        ("x", "0", "New", "12", 9),
        ("{key}", "4711", "New", "12", 5),
        ("{key}", "RI", "New", "12", 3),
        ("{key}", "0", "New", "2", 10),
        ("{key}", "0", "New", "7", 10),
        ("{key}", "0", "New", "11", 10),
        ("{key}", "0", "New", "19", 10),
        ("{key}", "0", "New", "x", 10),
        ("{key}", "0", "", "12", 10),
        ("{key}", "0", &long, "12", 10),
        ("", "0", "New", "12", 10),
        ("{key}", "0", "Taken", "12", 2),
        // A phone has one root for all classes.
        ("{key}", "0", "Taken", "14", 2),
    ];
    play(everywhere(), |script| {
        script.web.create_folder("default0", "Taken", "mail");
        script.device.folder_sync();
        learn_key(script);
        for (key, parent, name, kind, status) in cases {
            script.ask(
                &format!(
                    "<FolderCreate><SyncKey>{key}</SyncKey><ParentId>{parent}</ParentId>
                    <DisplayName>{name}</DisplayName><Type>{kind}</Type></FolderCreate>"
                ),
                &format!("<FolderCreate><Status>{status}</Status></FolderCreate>"),
            );
        }
        for (name, kind) in [
            ("Generic", "1"),
            ("Mail", "12"),
            ("Calendar 2", "13"),
            ("People", "14"),
            ("To do", "15"),
        ] {
            let version = script.version;
            script.ask(
                &format!(
                    "<FolderCreate><SyncKey>{{key}}</SyncKey><ParentId>0</ParentId>
                    <DisplayName>{name} of {version}</DisplayName><Type>{kind}</Type></FolderCreate>"
                ),
                "<FolderCreate><Status>1</Status><SyncKey>?key</SyncKey><ServerId>?made</ServerId></FolderCreate>",
            );
        }
    });
}

#[test]
fn folder_update() {
    let long = "x".repeat(257);
    // the elements before the name, the name, Status
    let cases = [
        (
            "<SyncKey>4711</SyncKey><ServerId>{own}</ServerId><ParentId>0</ParentId>",
            "New",
            9,
        ),
        ("<ServerId>{own}</ServerId><ParentId>0</ParentId>", "New", 10),
        (
            "<SyncKey>{key}</SyncKey><ServerId>{own}</ServerId><ParentId>0</ParentId><Status>1</Status>",
            "New",
            10,
        ),
        ("<SyncKey>{key}</SyncKey><ServerId>{own}</ServerId>", "New", 10),
        (
            "<SyncKey>{key}</SyncKey><ServerId>{own}</ServerId><ParentId>0</ParentId>",
            &long,
            10,
        ),
        (
            "<SyncKey>{key}</SyncKey><ServerId>4711</ServerId><ParentId>0</ParentId>",
            "New",
            4,
        ),
        (
            "<SyncKey>{key}</SyncKey><ServerId>{own}</ServerId><ParentId>4711</ParentId>",
            "New",
            5,
        ),
        (
            "<SyncKey>{key}</SyncKey><ServerId>{own}</ServerId><ParentId>0</ParentId>",
            "Taken",
            2,
        ),
        (
            "<SyncKey>{key}</SyncKey><ServerId>{inbox}</ServerId><ParentId>0</ParentId>",
            "New",
            2,
        ),
        (
            "<SyncKey>{key}</SyncKey><ServerId>RI</ServerId><ParentId>0</ParentId>",
            "New",
            3,
        ),
    ];
    play(everywhere(), |script| {
        for name in ["Own", "Taken"] {
            script.web.create_folder("default0", name, "mail");
        }
        script.device.folder_sync();
        let own = script.device.folder_named("Own");
        script.learn("own", &own);
        learn_key(script);
        for (before, name, status) in cases {
            script.ask(
                &format!("<FolderUpdate>{before}<DisplayName>{name}</DisplayName></FolderUpdate>"),
                &format!("<FolderUpdate><Status>{status}</Status></FolderUpdate>"),
            );
        }
    });
}

#[test]
fn folder_delete() {
    // key, folder, Status
    let cases = [
        ("4711", "{own}", 9),
        ("", "{own}", 10),
        ("{key}", "", 10),
        ("{key}", "4711", 4),
        ("{key}", "{inbox}", 3),
        ("{key}", "{calendar}", 3),
        ("{key}", "RI", 3),
    ];
    play(everywhere(), |script| {
        script.web.create_folder("default0", "Own", "mail");
        script.device.folder_sync();
        let own = script.device.folder_named("Own");
        script.learn("own", &own);
        learn_key(script);
        for (key, folder, status) in cases {
            script.ask(
                &format!("<FolderDelete><SyncKey>{key}</SyncKey><ServerId>{folder}</ServerId></FolderDelete>"),
                &format!("<FolderDelete><Status>{status}</Status></FolderDelete>"),
            );
        }
        script.ask(
            "<FolderDelete><SyncKey>{key}</SyncKey><ServerId>{own}</ServerId></FolderDelete>",
            "<FolderDelete><Status>1</Status><SyncKey>?key</SyncKey></FolderDelete>",
        );
        // The phone knows what it did itself; that OX has it in the trash is new.
        script.ask(
            "<FolderSync><SyncKey>{key}</SyncKey></FolderSync>",
            "<FolderSync><Status>1</Status><SyncKey>*</SyncKey><Changes><Count>1</Count>
            <Add><ServerId>*</ServerId><ParentId>{trash}</ParentId><DisplayName>Own</DisplayName><Type>12</Type></Add>
            </Changes></FolderSync>",
        );
    });
}

/// Folders of the same name in different modules hang under one root: the phone is told different names, and can rename
/// the second one without touching the first.
#[test]
fn siblings_have_different_names() {
    play(everywhere(), |script| {
        let both = format!("Both of {}", script.version);
        script.web.create_folder("1", &both, "contacts");
        script.web.create_folder("default0", &both, "mail");
        script.device.folder_sync();
        let names: Vec<&str> = script
            .device
            .folders
            .values()
            .map(|folder| folder.name.as_str())
            .collect();
        for name in [&both, &format!("{both} (2)")] {
            assert_eq!(names.iter().filter(|it| *it == name).count(), 1, "{names:?}");
        }
    });
}
