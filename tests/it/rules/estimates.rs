//! [MS-ASCMD] GetItemEstimate: both shapes of the request, and what is wrong with one collection or with all.

use oxtender::version::ProtocolVersion::V14_0;
use serde_json::json;

use crate::rules::Script;
use crate::rules::everywhere;
use crate::rules::play;
use crate::rules::since;

fn estimate(folder: &str, class: &str, key: &str, filter: &str) -> String {
    format!(
        "<GetItemEstimate><Collections><Collection>
        ≤12.1 <Class>{class}</Class><CollectionId>{{{folder}}}</CollectionId>
        ≤12.1 <AirSync:FilterType>{filter}</AirSync:FilterType><AirSync:SyncKey>{key}</AirSync:SyncKey>
        ≥14.0 <AirSync:SyncKey>{key}</AirSync:SyncKey><CollectionId>{{{folder}}}</CollectionId>
        ≥14.0 <AirSync:Options><AirSync:FilterType>{filter}</AirSync:FilterType></AirSync:Options>
        </Collection></Collections></GetItemEstimate>"
    )
}

fn counted(folder: &str, class: &str, count: usize) -> String {
    format!(
        "<GetItemEstimate><Status>1</Status><Response><Status>1</Status><Collection>
        ≤12.1 <Class>{class}</Class>
        <CollectionId>{{{folder}}}</CollectionId><Estimate>{count}</Estimate>
        </Collection></Response></GetItemEstimate>"
    )
}

fn refused(status: i64) -> String {
    format!("<GetItemEstimate><Status>1</Status><Response><Status>{status}</Status></Response></GetItemEstimate>")
}

fn contact(script: &Script<'_>, name: &str) {
    script
        .web
        .create_contact(json!({"last_name": name, "display_name": name}));
}

#[test]
fn counts() {
    play(everywhere(), |script| {
        script.synced("contacts");
        let key = script.name("contacts key");
        for count in 0..3 {
            script.ask(
                &estimate("contacts", "Contacts", &key, "0"),
                &counted("contacts", "Contacts", count),
            );
            contact(script, "One more");
        }
    });
}

/// Keys and collections that are not what they should be: a Status for this collection.
#[test]
fn collections_that_cannot_be_counted() {
    play(everywhere(), |script| {
        script.learn("nowhere", "4711");
        // folder, key, Status
        let before = [("nowhere", "5", 2), ("contacts", "0", 3), ("contacts", "5", 3)];
        for (folder, key, status) in before {
            script.ask(&estimate(folder, "Contacts", key, "0"), &refused(status));
        }
        script.synced("contacts");
        for key in ["5", "x"] {
            script.ask(&estimate("contacts", "Contacts", key, "0"), &refused(4));
        }
    });
}

/// What is wrong with a filter is wrong with the request.
#[test]
fn filters_that_are_refused() {
    // folder, class, FilterType, Status from 14.0 on, HTTP status before
    let cases = [
        ("inbox", "Email", "6", 110, 500),
        ("contacts", "Contacts", "9", 103, 400),
        ("inbox", "Email", "x", 103, 400),
    ];
    play(everywhere(), |script| {
        for (folder, class, filter, status, http) in cases {
            script.synced(folder);
            let key = script.name(&format!("{folder} key"));
            script.ask(
                &estimate(folder, class, &key, filter),
                &format!(
                    "≤12.1 HTTP {http}
                    ≥14.0 <GetItemEstimate><Status>{status}</Status></GetItemEstimate>"
                ),
            );
        }
    });
}

#[test]
fn options_of_other_folders() {
    let with = |folder: &str, more: &str| {
        format!(
            "<GetItemEstimate><Collections><Collection><AirSync:SyncKey>{{{folder} key}}</AirSync:SyncKey>
            <CollectionId>{{{folder}}}</CollectionId>{more}</Collection></Collections></GetItemEstimate>"
        )
    };
    play(since(V14_0), |script| {
        script.synced("contacts");
        script.synced("inbox");
        let mode = "<AirSync:ConversationMode>1</AirSync:ConversationMode>";
        script.ask(&with("inbox", mode), &counted("inbox", "", 0));
        script.ask(
            &with("contacts", mode),
            "<GetItemEstimate><Status>103</Status></GetItemEstimate>",
        );
        let items = "<AirSync:Options><AirSync:MaxItems>5</AirSync:MaxItems></AirSync:Options>";
        script.ask(&with("contacts", items), &refused(2));
    });
}

/// The estimate is of the filter that is asked for, and changes nothing.
#[test]
fn an_estimate_has_a_filter_of_its_own() {
    play(everywhere(), |script| {
        let old = crate::items::now() - 40 * crate::items::DAY;
        script
            .web
            .deliver_mail_at("default0/INBOX", &crate::items::mail("old", "Old."), old, 0);
        script.synced("inbox");
        let key = script.name("inbox key");
        for (filter, count) in [("1", 1), ("0", 0), ("1", 1)] {
            script.ask(
                &estimate("inbox", "Email", &key, filter),
                &counted("inbox", "Email", count),
            );
        }
    });
}
