//! [MS-ASCMD] Ping: every Status, and parameters that are kept.

use oxtender::version::ProtocolVersion::V14_1;

use crate::items::mail;
use crate::rules::everywhere;
use crate::rules::play;

fn ping(interval: &str, folders: &str) -> String {
    let interval = match interval {
        "" => String::new(),
        interval => format!("<HeartbeatInterval>{interval}</HeartbeatInterval>"),
    };
    let folders = match folders {
        "" => String::new(),
        folders => format!("<Folders>{folders}</Folders>"),
    };
    format!("<Ping>{interval}{folders}</Ping>")
}

const INBOX: &str = "<Folder><Id>{inbox}</Id><Class>Email</Class></Folder>";

#[test]
fn statuses() {
    let nowhere = "<Folder><Id>4711</Id><Class>Email</Class></Folder>";
    let nameless = "<Folder><Class>Email</Class></Folder>";
    let many: String = (0..301)
        .map(|id| format!("<Folder><Id>{id}</Id><Class>Email</Class></Folder>"))
        .collect();
    // interval, folders, what follows Ping in the answer
    let cases = [
        ("", "", "<Status>3</Status>"),
        ("60", "", "<Status>3</Status>"),
        ("", INBOX, "<Status>3</Status>"),
        ("x", INBOX, "<Status>4</Status>"),
        ("60", &INBOX.repeat(2), "<Status>4</Status>"),
        ("60", nameless, "<Status>4</Status>"),
        ("0", INBOX, "<Status>5</Status><HeartbeatInterval>1</HeartbeatInterval>"),
        (
            "3541",
            INBOX,
            "<Status>5</Status><HeartbeatInterval>3540</HeartbeatInterval>",
        ),
        ("60", &many, "<Status>6</Status><MaxFolders>300</MaxFolders>"),
        ("60", nowhere, "<Status>7</Status>"),
    ];
    play(everywhere(), |script| {
        for (interval, folders, expected) in &cases {
            script.ask(&ping(interval, folders), &format!("<Ping>{expected}</Ping>"));
        }
    });
}

/// What a Ping leaves out is what the one before had.
#[test]
fn parameters_that_are_left_out() {
    play(everywhere(), |script| {
        script.synced("inbox");
        script.ask(&ping("1", INBOX), "<Ping><Status>1</Status></Ping>");
        script.web.receive(&mail("one", "The first."));
        let changed = "<Ping><Status>2</Status><Folders><Folder>{inbox}</Folder></Folders></Ping>";
        for (interval, folders) in [("", ""), ("60", ""), ("", INBOX), ("60", INBOX)] {
            script.ask(&ping(interval, folders), changed);
        }
    });
}

/// A folder that was never synced has no changes; one that is gone is a reason to look at the tree.
#[test]
fn folders_without_a_state() {
    play(V14_1..=V14_1, |script| {
        script.web.receive(&mail("one", "The first."));
        script.ask(&ping("1", INBOX), "<Ping><Status>1</Status></Ping>");
        let folder = script.web.create_folder("default0", "Soon gone", "mail");
        script.device.folder_sync();
        let id = script.device.folder_named("Soon gone");
        script.learn("gone", &id);
        script.web.delete_folder(&folder);
        script.ask(
            &ping("60", "<Folder><Id>{gone}</Id><Class>Email</Class></Folder>"),
            "<Ping><Status>7</Status></Ping>",
        );
    });
}
