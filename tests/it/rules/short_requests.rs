//! [MS-ASCMD] Sync requests that leave out what did not change, and requests that wait: Wait, HeartbeatInterval, Partial, Limit.

use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_0;
use serde_json::json;

use crate::rules::Script;
use crate::rules::play;
use crate::rules::since;

fn request(collections: &str, more: &str) -> String {
    format!("<Sync><Collections>{collections}</Collections>{more}</Sync>")
}

fn collection(folder: &str, class: &str) -> String {
    format!(
        "<Collection>
            ≤12.1 <Class>{class}</Class>
            <SyncKey>{{{folder} key}}</SyncKey><CollectionId>{{{folder}}}</CollectionId>
        </Collection>"
    )
}

/// The bounds of a wait, in the unit of the request.
#[test]
fn waits_have_bounds() {
    // what stands beside Collections, the answer
    let cases = [
        ("<Wait>0</Wait>", "<Sync><Status>14</Status><Limit>1</Limit></Sync>"),
        ("<Wait>60</Wait>", "<Sync><Status>14</Status><Limit>59</Limit></Sync>"),
        ("<Wait>x</Wait>", "<Sync><Status>4</Status></Sync>"),
    ];
    let of_seconds = [
        (
            "<HeartbeatInterval>0</HeartbeatInterval>",
            "<Sync><Status>14</Status><Limit>1</Limit></Sync>",
        ),
        (
            "<HeartbeatInterval>3541</HeartbeatInterval>",
            "<Sync><Status>14</Status><Limit>3540</Limit></Sync>",
        ),
        (
            "<Wait>5</Wait><HeartbeatInterval>300</HeartbeatInterval>",
            "<Sync><Status>4</Status></Sync>",
        ),
    ];
    play(since(V12_1), |script| {
        script.synced("contacts");
        let has_seconds = script.version >= V14_0;
        let of_seconds = of_seconds.into_iter().filter(|_| has_seconds);
        for (wait, expected) in cases.into_iter().chain(of_seconds) {
            script.ask(&request(&collection("contacts", "Contacts"), wait), expected);
        }
    });
}

/// A phone that waits and brings a change, or starts anew, is answered at once.
#[test]
fn who_brings_something_does_not_wait() {
    play(since(V12_1), |script| {
        script.synced("contacts");
        let with = |key: &str, more: &str| {
            format!(
                "<Collection>
                ≤12.1 <Class>Contacts</Class>
                <SyncKey>{key}</SyncKey><CollectionId>{{contacts}}</CollectionId>{more}</Collection>"
            )
        };
        let add = "<Commands><Add><ClientId>1</ClientId><ApplicationData><Contacts:LastName>New</Contacts:LastName>
            </ApplicationData></Add></Commands>";
        let wait = "<Wait>50</Wait>";
        let answer = "<Sync><Collections>*</Collections></Sync>";
        script.ask(&request(&with("{contacts key}", add), wait), answer);
        script.ask(&request(&with("0", ""), wait), answer);
        script.ask(&request(&with("4711", ""), wait), answer);
    });
}

/// A request without collections may wait for nothing, as phones do; otherwise it asks for nothing.
#[test]
fn no_collections() {
    play(since(V12_1), |script| {
        script.ask(&request("", ""), "<Sync><Status>4</Status></Sync>");
    });
}

/// Partial names what is different, and needs something to be different from.
#[test]
fn partial_requests() {
    play(since(V12_1), |script| {
        script.ask("<Sync><Partial/></Sync>", "<Sync><Status>4</Status></Sync>");
        script.ask(
            "<Sync><WindowSize>5</WindowSize><Partial/></Sync>",
            "<Sync><Status>13</Status></Sync>",
        );
        for folder in ["contacts", "tasks"] {
            script.synced(folder);
        }
        let both = collection("contacts", "Contacts") + &collection("tasks", "Tasks");
        let answers = news(script);
        script.ask(&request(&both, ""), &answers);
        // The phone comes with a key from that answer, so it has the other one, too, and gets nothing twice.
        script.ask(&request(&collection("contacts", "Contacts"), "<Partial/>"), "nothing");
        // Options and windows of what is not named are those of before.
        script.web.create_task(json!({"title": "Another"}));
        script.ask(
            "<Sync><WindowSize>5</WindowSize><Partial/></Sync>",
            "<Sync><Collections>
            ≤12.1 <Collection><Class>Contacts</Class><SyncKey>*</SyncKey><CollectionId>{contacts}</CollectionId><Status>1</Status></Collection>
            <Collection>
                ≤12.1 <Class>Tasks</Class>
                <SyncKey>*</SyncKey><CollectionId>{tasks}</CollectionId><Status>1</Status>
                <Commands><Add>*</Add></Commands></Collection>
            </Collections></Sync>",
        );
    });
}

/// Makes a contact and a task, and says what the answer that brings them looks like.
fn news(script: &Script<'_>) -> String {
    script
        .web
        .create_contact(json!({"last_name": "New", "display_name": "New"}));
    script.web.create_task(json!({"title": "New"}));
    let added = |folder: &str, class: &str| {
        format!(
            "<Collection>
                ≤12.1 <Class>{class}</Class>
                <SyncKey>?{folder} key</SyncKey><CollectionId>{{{folder}}}</CollectionId><Status>1</Status>
                <Commands><Add>*</Add></Commands>
            </Collection>"
        )
    };
    request(&(added("contacts", "Contacts") + &added("tasks", "Tasks")), "")
}
