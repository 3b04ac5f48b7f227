//! The checker checked: answers that are right, and each of them made wrong in every place and every way.
//!
//! In each sample every element is once dropped, doubled, put behind its neighbour, moved to the end of the root, given
//! nonsense for its text, or emptied. What a sample may lack, repeat or have in another order is listed beside it; all
//! else must be refused.

use std::collections::BTreeSet;

use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Content;
use oxtender::wbxml::Element;
use oxtender::wbxml::xml;

use super::GRAMMAR;
use super::faults;

/// An answer, and what may be done to it: names of elements that may be missing; that may come more often; whose children
/// have no order; whose text is free; that may be empty.
struct Sample {
    version: ProtocolVersion,
    text: &'static str,
    optional: &'static str,
    repeated: &'static str,
    unordered: &'static str,
    free: &'static str,
    emptied: &'static str,
}

const SAMPLES: [Sample; 17] = [
    Sample {
        version: V2_5,
        text: r#"<FolderSync xmlns="FolderHierarchy"><Status>1</Status><SyncKey>7</SyncKey><Changes><Count>3</Count>
            <Update><ServerId>1</ServerId><ParentId>0</ParentId><DisplayName>In</DisplayName><Type>2</Type></Update>
            <Delete><ServerId>2</ServerId></Delete>
            <Add><ServerId>3</ServerId><ParentId>1</ParentId><DisplayName>New</DisplayName><Type>12</Type></Add>
            </Changes></FolderSync>"#,
        optional: "",
        repeated: "",
        unordered: "",
        free: "SyncKey ServerId ParentId DisplayName",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<FolderCreate xmlns="FolderHierarchy"><Status>1</Status><SyncKey>8</SyncKey><ServerId>9</ServerId></FolderCreate>"#,
        optional: "",
        repeated: "",
        unordered: "",
        free: "SyncKey ServerId",
        emptied: "",
    },
    Sample {
        version: V12_1,
        text: r#"<Sync xmlns="AirSync" xmlns:Contacts="Contacts"><Collections><Collection><Class>Contacts</Class>
            <SyncKey>3</SyncKey><CollectionId>7</CollectionId><Status>1</Status><MoreAvailable/>
            <Responses><Add><ClientId>a</ClientId><ServerId>7:1</ServerId><Status>1</Status></Add>
            <Change><ServerId>7:2</ServerId><Status>8</Status></Change></Responses>
            <Commands><Add><ServerId>7:3</ServerId><ApplicationData><Contacts:FileAs>A</Contacts:FileAs>
            <Contacts:Children><Contacts:Child>B</Contacts:Child></Contacts:Children></ApplicationData></Add>
            <Delete><ServerId>7:4</ServerId></Delete></Commands></Collection></Collections></Sync>"#,
        optional: "Class MoreAvailable Responses Commands Add Change Delete Children",
        repeated: "Collection Add Change Delete Child",
        unordered: "ApplicationData Responses Commands",
        free: "Class SyncKey CollectionId ClientId ServerId FileAs Child",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<Sync xmlns="AirSync"><Status>14</Status><Limit>3540</Limit></Sync>"#,
        optional: "",
        repeated: "",
        unordered: "",
        free: "",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<Sync xmlns="AirSync" xmlns:E="Email" xmlns:B="AirSyncBase" xmlns:F="Email2"><Collections><Collection>
            <SyncKey>3</SyncKey><CollectionId>7</CollectionId><Status>1</Status><Commands><Add><ServerId>7:1</ServerId>
            <ApplicationData><E:From>a@b</E:From><E:DateReceived>2026-11-25T09:30:00.000Z</E:DateReceived>
            <E:Importance>1</E:Importance><E:Read>0</E:Read><B:Body><B:Type>1</B:Type>
            <B:EstimatedDataSize>5</B:EstimatedDataSize><B:Truncated>1</B:Truncated><B:Data>x</B:Data></B:Body>
            <E:MessageClass>IPM.Note</E:MessageClass><E:InternetCPID>65001</E:InternetCPID><E:Flag><E:Status>2</E:Status>
            </E:Flag><E:Categories/><F:ConversationId encoding="base64">YQ==</F:ConversationId><F:ConversationIndex encoding="base64">YQ==</F:ConversationIndex>
            </ApplicationData></Add></Commands></Collection></Collections></Sync>"#,
        optional: "Commands DateReceived EstimatedDataSize Truncated Data",
        repeated: "Collection Add",
        unordered: "ApplicationData",
        free: "SyncKey CollectionId ServerId From MessageClass Data",
        emptied: "Flag Data",
    },
    Sample {
        version: V14_1,
        text: r#"<Sync xmlns="AirSync" xmlns:C="Calendar"><Collections><Collection>
            <SyncKey>3</SyncKey><CollectionId>7</CollectionId><Status>1</Status><Commands><Change><ServerId>7:1</ServerId>
            <ApplicationData><C:Timezone>ZONE</C:Timezone><C:DtStamp>20261125T093000Z</C:DtStamp>
            <C:StartTime>20261125T093000Z</C:StartTime><C:EndTime>20261125T103000Z</C:EndTime><C:UID>u</C:UID>
            <C:Attendees><C:Attendee><C:Email>a@b</C:Email><C:Name>A</C:Name><C:AttendeeType>1</C:AttendeeType></C:Attendee></C:Attendees>
            <C:Recurrence><C:Type>1</C:Type><C:DayOfWeek>2</C:DayOfWeek><C:FirstDayOfWeek>1</C:FirstDayOfWeek></C:Recurrence>
            <C:Exceptions><C:Exception><C:ExceptionStartTime>20261125T093000Z</C:ExceptionStartTime><C:Deleted>1</C:Deleted>
            </C:Exception></C:Exceptions><C:DisallowNewTimeProposal>0</C:DisallowNewTimeProposal>
            </ApplicationData></Change></Commands></Collection></Collections></Sync>"#,
        optional: "Commands Attendees AttendeeType Recurrence Exceptions Deleted",
        repeated: "Collection Change Attendee Exception",
        unordered: "ApplicationData Attendee Recurrence Exception",
        free: "SyncKey CollectionId ServerId UID Email Name",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<Sync xmlns="AirSync" xmlns:T="Tasks"><Collections><Collection>
            <SyncKey>3</SyncKey><CollectionId>7</CollectionId><Status>1</Status><Commands><Add><ServerId>7:1</ServerId>
            <ApplicationData><T:Complete>1</T:Complete><T:DateCompleted>2026-11-25T09:30:00.000Z</T:DateCompleted>
            <T:UtcDueDate>2026-11-25T00:00:00.000Z</T:UtcDueDate><T:DueDate>2026-11-25T00:00:00.000Z</T:DueDate>
            </ApplicationData></Add></Commands></Collection></Collections></Sync>"#,
        optional: "Commands",
        repeated: "Collection Add",
        unordered: "ApplicationData",
        free: "SyncKey CollectionId ServerId",
        emptied: "",
    },
    Sample {
        version: V12_1,
        text: r#"<GetItemEstimate xmlns="GetItemEstimate"><Status>1</Status><Response><Status>1</Status><Collection>
            <Class>Email</Class><CollectionId>7</CollectionId><Estimate>3</Estimate></Collection></Response></GetItemEstimate>"#,
        optional: "GetItemEstimate/Status Class",
        repeated: "Response",
        unordered: "",
        free: "Class CollectionId",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<MoveItems xmlns="Move"><Response><SrcMsgId>7:1</SrcMsgId><Status>3</Status><DstMsgId>8:1</DstMsgId></Response></MoveItems>"#,
        optional: "",
        repeated: "Response",
        unordered: "",
        free: "SrcMsgId DstMsgId",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<Ping xmlns="Ping"><Status>2</Status><Folders><Folder>7</Folder></Folders></Ping>"#,
        optional: "",
        repeated: "Folder",
        unordered: "",
        free: "Folder",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<ItemOperations xmlns="ItemOperations" xmlns:B="AirSyncBase"><Status>1</Status><Response><Fetch>
            <Status>1</Status><B:FileReference>f</B:FileReference><Properties><Data>YWI=</Data><Range>0-1</Range><Total>9</Total>
            <B:ContentType>text/plain</B:ContentType></Properties></Fetch></Response></ItemOperations>"#,
        optional: "FileReference Range Total ContentType",
        repeated: "Fetch",
        unordered: "",
        free: "FileReference Range ContentType",
        emptied: "Data",
    },
    Sample {
        version: V14_1,
        text: r#"<Search xmlns="Search" xmlns:G="GAL"><Status>1</Status><Response><Store><Status>1</Status><Result><Properties>
            <G:DisplayName>A</G:DisplayName><G:Alias>a</G:Alias></Properties></Result><Range>0-0</Range><Total>1</Total>
            </Store></Response></Search>"#,
        optional: "Result Range Total",
        repeated: "Result",
        unordered: "Properties",
        free: "DisplayName Alias Range",
        emptied: "Result",
    },
    Sample {
        version: V16_1,
        text: r#"<Find xmlns="Find" xmlns:I="ItemOperations" xmlns:G="GAL"><Status>1</Status><Response><I:Store>GAL</I:Store>
            <Status>1</Status><Result><Properties><G:DisplayName>A</G:DisplayName><G:Alias>a</G:Alias></Properties></Result>
            <Range>0-0</Range><Total>1</Total></Response></Find>"#,
        optional: "Result Range Total",
        repeated: "Result",
        unordered: "Properties",
        free: "Store DisplayName Alias Range",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<Settings xmlns="Settings"><Status>1</Status><DeviceInformation><Status>1</Status></DeviceInformation>
            <UserInformation><Status>1</Status><Get><Accounts><Account><EmailAddresses><SMTPAddress>a@b</SMTPAddress>
            <PrimarySmtpAddress>a@b</PrimarySmtpAddress></EmailAddresses></Account></Accounts></Get></UserInformation></Settings>"#,
        optional: "DeviceInformation UserInformation PrimarySmtpAddress",
        repeated: "Account SMTPAddress",
        unordered: "Settings",
        free: "SMTPAddress PrimarySmtpAddress",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<ResolveRecipients xmlns="ResolveRecipients"><Status>1</Status><Response><To>a</To><Status>1</Status>
            <RecipientCount>1</RecipientCount><Recipient><Type>1</Type><DisplayName>A</DisplayName>
            <EmailAddress>a@b</EmailAddress><Availability><Status>1</Status><MergedFreeBusy>02</MergedFreeBusy></Availability>
            </Recipient></Response></ResolveRecipients>"#,
        optional: "Availability",
        repeated: "Response",
        unordered: "",
        free: "To DisplayName EmailAddress MergedFreeBusy",
        emptied: "To",
    },
    Sample {
        version: V14_1,
        text: r#"<Provision xmlns="Provision"><Status>1</Status><Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType>
            <Status>1</Status><PolicyKey>5</PolicyKey><Data><EASProvisionDoc><DevicePasswordEnabled>0</DevicePasswordEnabled>
            <AttachmentsEnabled>1</AttachmentsEnabled></EASProvisionDoc></Data></Policy></Policies></Provision>"#,
        optional: "Policies Data DevicePasswordEnabled AttachmentsEnabled",
        repeated: "",
        unordered: "",
        free: "PolicyType PolicyKey Data",
        emptied: "",
    },
    Sample {
        version: V14_1,
        text: r#"<MeetingResponse xmlns="MeetingResponse"><Result><RequestId>7:1</RequestId><Status>1</Status>
            <CalendarId>8:1</CalendarId></Result></MeetingResponse>"#,
        optional: "RequestId CalendarId",
        repeated: "Result",
        unordered: "",
        free: "RequestId CalendarId",
        emptied: "",
    },
];

#[test]
fn right_answers_pass() {
    for sample in &SAMPLES {
        assert_eq!(
            wrong_in(sample, &sample.document()),
            Vec::<String>::new(),
            "{}",
            sample.text
        );
    }
}

#[test]
fn wrong_answers_are_refused() {
    for sample in &SAMPLES {
        let root = sample.document();
        let mut made = 0;
        for path in paths(&root) {
            for mutation in Mutation::ALL {
                let Some(mutant) = mutation.of(sample, &root, &path) else {
                    continue;
                };
                made += 1;
                assert!(
                    !wrong_in(sample, &mutant).is_empty(),
                    "{mutation:?} at {path:?} was not noticed:\n{}",
                    super::text_of(&mutant)
                );
            }
        }
        assert!(made > 5, "only {made} mutations of {}", sample.text);
    }
}

/// Every command with a document has a rule, and every rule can be read in every version.
#[test]
fn there_is_a_rule_for_every_command() {
    let roots: BTreeSet<String> = GRAMMAR.roots().map(|root| root.name().into_owned()).collect();
    let silent = ["SendMail", "SmartForward", "SmartReply"];
    for command in oxtender::eas::command::COMMANDS
        .iter()
        .filter(|command| command.root.is_some())
    {
        assert!(
            silent.contains(&command.name) || roots.contains(command.name),
            "{}",
            command.name
        );
    }
}

/// A Status alone: where it is a common one, and known to the version, it may answer any command.
#[test]
fn common_statuses() {
    let answer = |status: &str| {
        xml::parse(&format!(
            "<MoveItems xmlns=\"Move\"><Status>{status}</Status></MoveItems>"
        ))
        .unwrap()
    };
    // Status, version, whether it is taken
    let cases = [
        ("103", V14_1, true),
        ("103", V12_1, false),
        ("165", V14_1, true),
        ("165", ProtocolVersion::V14_0, false),
        ("179", V16_1, true),
        ("179", V14_1, false),
        ("157", V16_1, false),
        ("1", V16_1, false),
    ];
    for (status, version, taken) in cases {
        assert_eq!(
            faults(&answer(status), version, false).is_empty(),
            taken,
            "{status} {version}"
        );
    }
}

fn wrong_in(sample: &Sample, document: &Element) -> Vec<String> {
    faults(document, sample.version, false)
}

impl Sample {
    fn document(&self) -> Element {
        let zone = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [0_u8; 172]);
        xml::parse(&self.text.replace("ZONE", &zone)).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }
}

/// A way to make an answer wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mutation {
    Dropped,
    Doubled,
    Swapped,
    Misplaced,
    Garbled,
    Emptied,
}

impl Mutation {
    const ALL: [Self; 6] = [
        Self::Dropped,
        Self::Doubled,
        Self::Swapped,
        Self::Misplaced,
        Self::Garbled,
        Self::Emptied,
    ];

    /// The document with the element at that path made wrong; `None` where this makes nothing wrong.
    fn of(self, sample: &Sample, root: &Element, path: &[usize]) -> Option<Element> {
        let names = |list: &str, element: &Element, parent: &Element| {
            let (name, full) = (
                element.tag.name(),
                format!("{}/{}", parent.tag.name(), element.tag.name()),
            );
            list.split(' ').any(|listed| listed == name || listed == full)
        };
        let mut mutant = root.clone();
        let (place, above) = path.split_last()?;
        let parent = at(&mut mutant, above);
        let before = parent.clone();
        let Content::Children(children) = &mut parent.content else {
            return None;
        };
        let element = children[*place].clone();
        match self {
            Self::Dropped if !names(sample.optional, &element, &before) => drop(children.remove(*place)),
            Self::Doubled if !names(sample.repeated, &element, &before) => children.insert(*place, element),
            Self::Swapped if !names(sample.unordered, &before, &before) => {
                children.get(place + 1).filter(|next| next.tag != element.tag)?;
                children.swap(*place, place + 1);
            }
            // Not the last of the root, which is there already.
            Self::Misplaced if !above.is_empty() => {
                children.remove(*place);
                mutant.push(element);
            }
            Self::Garbled if element.children().is_empty() && !names(sample.free, &element, &before) => {
                children[*place] = Element::text(element.tag, "x!");
            }
            Self::Emptied if !names(sample.emptied, &element, &before) && element.as_text() != Some("") => {
                children[*place] = Element::empty(element.tag);
            }
            _ => return None,
        }
        Some(mutant)
    }
}

/// The paths of all elements below the root.
fn paths(root: &Element) -> Vec<Vec<usize>> {
    let below = root.children().iter().enumerate().flat_map(|(index, child)| {
        let deeper = paths(child).into_iter().map(move |path| [vec![index], path].concat());
        std::iter::once(vec![index]).chain(deeper)
    });
    below.collect()
}

fn at<'a>(root: &'a mut Element, path: &[usize]) -> &'a mut Element {
    path.iter().fold(root, |element, index| match &mut element.content {
        Content::Children(children) => &mut children[*index],
        _ => panic!("the path leads nowhere"),
    })
}
