//! [MS-ASCMD] Sync: what a phone did, and what becomes of it.

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V14_0;
use serde_json::json;

use crate::items::mail;
use crate::rules::everywhere;
use crate::rules::exchanges::contact;
use crate::rules::exchanges::quiet;
use crate::rules::exchanges::sync;
use crate::rules::exchanges::told;
use crate::rules::login_of;
use crate::rules::play;
use crate::rules::since;

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
            let folder = script.web.default_folder(Module::Contacts);
            script.web.update(
                Module::Contacts,
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
            let object = script.web.object(Module::Contacts, id).unwrap();
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
        assert_eq!(script.web.object(Module::Contacts, id), None);
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

/// What is not added where the user may only read, and a mail, which no phone adds.
#[test]
fn additions_that_are_refused() {
    play(everywhere(), |script| {
        let other = if script.version == V2_5 { V14_0 } else { V2_5 };
        let owner = script.world.standin.web(&login_of(other));
        let title = format!("Shared with {}", script.version);
        let may = |user: u32, bits: u32| json!({"entity": user, "group": false, "bits": bits});
        owner.create_folder_with(
            "1",
            json!({"title": title, "module": "contacts",
                "permissions": [may(owner.id(), 403_710_016), may(script.web.id(), 257)]}),
        );
        script.device.folder_sync();
        let folder = script.device.folder_named(&title);
        script.learn("shared", &folder);
        let cases = [
            ("shared", "Contacts", "<Contacts:LastName>New</Contacts:LastName>"),
            ("inbox", "Email", "<Email:Read>1</Email:Read>"),
        ];
        for (folder, class, data) in cases {
            script.synced(folder);
            script.ask(
                &sync(
                    folder,
                    class,
                    &format!("<Commands><Add><ClientId>1</ClientId><ApplicationData>{data}</ApplicationData></Add></Commands>"),
                ),
                &told(
                    folder,
                    class,
                    "*",
                    1,
                    "<Responses><Add><ClientId>1</ClientId><Status>6</Status></Add></Responses>",
                ),
            );
        }
    });
}
