//! [MS-ASCMD] ItemOperations: Fetch, EmptyFolderContents and Move, each with its statuses.

use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::email2;
use serde_json::json;

use crate::items::mail;
use crate::rules::Script;
use crate::rules::play;
use crate::rules::since;

fn one(operation: &str) -> String {
    format!("<ItemOperations>{operation}</ItemOperations>")
}

fn answered(operation: &str) -> String {
    format!("<ItemOperations><Status>1</Status><Response>{operation}</Response></ItemOperations>")
}

/// A Fetch that is refused: what named the item is told again.
#[test]
fn fetches_that_are_refused() {
    // what stands behind Store, what is echoed of it, the store, Status
    let named = "<AirSync:CollectionId>{inbox}</AirSync:CollectionId><AirSync:ServerId>{inbox}:4711</AirSync:ServerId>";
    let elsewhere = "<AirSync:CollectionId>4711</AirSync:CollectionId><AirSync:ServerId>4711:1</AirSync:ServerId>";
    let empty = "<AirSyncBase:FileReference/>";
    let unknown = "<AirSyncBase:FileReference>4711:1:2</AirSyncBase:FileReference>";
    let long = "<Search:LongId>nothing</Search:LongId>";
    let cases = [
        (named, "Mailbox", 6),
        (named, "mailbox", 6),
        (named, "Attic", 9),
        (named, "", 2),
        (elsewhere, "Mailbox", 6),
        ("", "Mailbox", 2),
        (empty, "Mailbox", 15),
        (unknown, "Mailbox", 15),
        (&(unknown.to_owned() + unknown), "Mailbox", 2),
        (long, "Mailbox", 6),
        (&(named.to_owned() + long), "Mailbox", 2),
    ];
    play(since(V12_0), |script| {
        for (names, store, status) in cases {
            let echoed = match names.matches("FileReference").count() {
                // An empty name is none.
                1 => "",
                0 | 2 => names,
                _ => unknown,
            };
            script.ask(
                &one(&format!("<Fetch><Store>{store}</Store>{names}</Fetch>")),
                &answered(&format!("<Fetch><Status>{status}</Status>{echoed}</Fetch>")),
            );
        }
        script.ask(
            "<ItemOperations/>",
            "<ItemOperations><Status>2</Status></ItemOperations>",
        );
        script.ask(
            "<ItemOperations><Schema/></ItemOperations>",
            "<ItemOperations><Status>2</Status></ItemOperations>",
        );
    });
}

/// Schema says which properties are wanted; UserName and Password say nothing; protection is not taken off.
#[test]
fn fetches() {
    play(since(V12_0), |script| {
        let id = script
            .web
            .create_contact(json!({"last_name": "Last", "first_name": "First", "display_name": "Both"}));
        let id = script.server_id("contacts", id);
        script.learn("it", &id);
        let named = "<AirSync:CollectionId>{contacts}</AirSync:CollectionId><AirSync:ServerId>{it}</AirSync:ServerId>";
        let fetch = |options: &str| one(&format!("<Fetch><Store>Mailbox</Store>{named}{options}</Fetch>"));
        let whole = answered(&format!(
            "<Fetch><Status>1</Status>{named}<AirSync:Class>Contacts</AirSync:Class><Properties>*</Properties></Fetch>"
        ));
        script.ask(&fetch(""), &whole);
        script.ask(
            &fetch("<Options><UserName>x</UserName><Password>y</Password></Options>"),
            &whole,
        );
        script.ask(
            &fetch("<Options><Schema><Contacts:LastName/><Contacts:Spouse/></Schema></Options>"),
            &answered(&format!(
                "<Fetch><Status>1</Status>{named}<AirSync:Class>Contacts</AirSync:Class>
                <Properties><Contacts:LastName>Last</Contacts:LastName></Properties></Fetch>"
            )),
        );
        if script.version >= V14_1 {
            let unprotect = "<RightsManagement:RemoveRightsManagementProtection/>";
            script.ask(
                &one(&format!("<Fetch>{unprotect}<Store>Mailbox</Store>{named}</Fetch>")),
                &answered(&format!("<Fetch><Status>168</Status>{named}</Fetch>")),
            );
        }
    });
}

/// A mail with an attachment of the ten digits.
fn with_attachment() -> Vec<u8> {
    let text = "From: Berta <berta@example.com>\r\nTo: anton@example.com\r\nSubject: digits\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nText.\r\n--b\r\n\
        Content-Type: application/x-digits; name=digits.bin\r\nContent-Disposition: attachment; filename=digits.bin\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nMDEyMzQ1Njc4OQ==\r\n--b--\r\n";
    text.as_bytes().to_vec()
}

/// Ranges of an attachment, both ends included, counted from 0.
#[test]
fn ranges() {
    // Range, what is told of it, Total with it, base64 of the bytes; None: Status 8
    let cases = [
        ("0-3", Some(("0-3", "MDEyMw=="))),
        ("4-100", Some(("4-9", "NDU2Nzg5"))),
        ("9-9", Some(("9-9", "OQ=="))),
        ("10-12", None),
        ("3-1", None),
        ("x", None),
    ];
    play(since(V12_0), |script| {
        script.web.receive(&with_attachment());
        script.synced("inbox");
        let inbox = script.name("inbox");
        let attachments = oxtender::wbxml::codepage::airsyncbase::ATTACHMENTS;
        let reference = script.device.items(&inbox).values().find_map(|item| {
            let attachment = item.child(attachments)?.children().first()?;
            attachment.child_text(oxtender::wbxml::codepage::airsyncbase::FILE_REFERENCE)
        });
        let reference = reference.expect("an attachment").to_owned();
        script.learn("file", &reference);
        let named = "<AirSyncBase:FileReference>{file}</AirSyncBase:FileReference>";
        let fetch = |options: &str| one(&format!("<Fetch><Store>Mailbox</Store>{named}{options}</Fetch>"));
        let kind = "<AirSyncBase:ContentType>*</AirSyncBase:ContentType>";
        let told = |properties: &str| {
            answered(&format!(
                "<Fetch><Status>1</Status>{named}<Properties>{properties}</Properties></Fetch>"
            ))
        };
        script.ask(&fetch(""), &told(&format!("<Data>MDEyMzQ1Njc4OQ==</Data>{kind}")));
        for (range, expected) in cases {
            let expected = match expected {
                Some((range, data)) => told(&format!(
                    "<Data>{data}</Data><Range>{range}</Range><Total>10</Total>{kind}"
                )),
                None => answered(&format!("<Fetch><Status>8</Status>{named}</Fetch>")),
            };
            script.ask(&fetch(&format!("<Options><Range>{range}</Range></Options>")), &expected);
        }
    });
}

#[test]
fn folders_that_are_not_emptied() {
    let empty = |folder: &str| {
        format!("<EmptyFolderContents><AirSync:CollectionId>{folder}</AirSync:CollectionId></EmptyFolderContents>")
    };
    let told = |status: i64, folder: &str| {
        format!(
            "<EmptyFolderContents><Status>{status}</Status><AirSync:CollectionId>{folder}</AirSync:CollectionId>
            </EmptyFolderContents>"
        )
    };
    play(since(V12_0), |script| {
        script.web.receive(&mail("one", "The first."));
        // Each operation has its own Status, and the others go on.
        script.ask(
            &one(&(empty("4711") + &empty("{contacts}") + "<EmptyFolderContents/>" + &empty("{inbox}"))),
            &answered(
                &(told(6, "4711")
                    + &told(16, "{contacts}")
                    + "<EmptyFolderContents><Status>2</Status></EmptyFolderContents>"
                    + &told(1, "{inbox}")),
            ),
        );
        assert!(script.web.mails("default0/INBOX").is_empty());
    });
}

/// All mails of a conversation go, from all folders but that of what was sent.
#[test]
fn conversations_are_moved() {
    play(since(V14_0), |script| {
        let answer = |subject: &str| {
            let text = String::from_utf8(mail(subject, "Text.")).unwrap();
            format!("References: <root@example.com>\r\n{text}").into_bytes()
        };
        script.web.receive(&mail("root", "Text."));
        script.web.receive(&answer("one"));
        script.web.receive(&mail("other", "Text."));
        script.web.deliver_mail("default0/INBOX/Sent", &answer("two"));
        script.synced("inbox");
        let conversation = conversation_of(script, "root");
        let operation = |script: &Script<'_>, target: &str, options: &str| {
            let mut request = script.document(&one(&format!("<Move><DstFldId>{target}</DstFldId>{options}</Move>")));
            let id = oxtender::wbxml::codepage::itemoperations::CONVERSATION_ID;
            let first = request.children()[0].children().to_vec();
            let children = std::iter::once(Element::opaque(id, conversation.clone())).chain(first);
            request = Element::parent(request.tag, [Element::parent(request.children()[0].tag, children)]);
            request
        };
        let told = |status: i64| {
            answered(&format!(
                "<Move><ConversationId>*</ConversationId><Status>{status}</Status></Move>"
            ))
        };
        let always = "<Options><MoveAlways/></Options>";
        // target, options, Status
        let refused = [
            ("{trash}", "", 155),
            ("{trash}", "<Options/>", 155),
            ("{contacts}", always, 156),
            ("4711", always, 6),
            ("RI", always, 105),
        ];
        for (target, options, status) in refused {
            let request = operation(script, target, options);
            script.require(&request, &told(status));
        }
        assert_eq!(script.web.mails("default0/INBOX").len(), 3);
        // The answer may be lost.
        for _ in 0..2 {
            let request = operation(script, "{trash}", always);
            script.require(&request, &told(1));
        }
        let count = |folder: &str| script.web.mails(folder).len();
        assert_eq!(
            (
                count("default0/INBOX"),
                count("default0/INBOX/Trash"),
                count("default0/INBOX/Sent")
            ),
            (1, 2, 1)
        );
        let unknown = Element::opaque(
            oxtender::wbxml::codepage::itemoperations::CONVERSATION_ID,
            vec![0xEE; 16],
        );
        let mut request = operation(script, "{trash}", always);
        let rest = request.children()[0].children()[1..].to_vec();
        let children = std::iter::once(unknown).chain(rest);
        request = Element::parent(request.tag, [Element::parent(request.children()[0].tag, children)]);
        script.require(&request, &told(6));
    });
}

fn conversation_of(script: &Script<'_>, subject: &str) -> Vec<u8> {
    let inbox = script.name("inbox");
    let item = script
        .device
        .items(&inbox)
        .values()
        .find(|item| item.child_text(oxtender::wbxml::codepage::email::SUBJECT) == Some(subject));
    let id = item.and_then(|item| item.child(email2::CONVERSATION_ID));
    id.expect("a conversation").as_bytes().to_vec()
}
