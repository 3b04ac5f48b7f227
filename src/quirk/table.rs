//! The quirks, a row each: whom it applies to, what is bent, and why.
//!
//! Ids are those under which the peculiarities of devices are collected; a letter stands for the family: A Android, I iOS, O
//! Outlook, W Windows Mobile and Phone, B BlackBerry, N Nokia, P others. A row is taken away when nobody uses such devices
//! any more; nothing else has to be changed then.

use crate::quirk::Bend;
use crate::quirk::Identity;
use crate::quirk::identity::Condition;
use crate::quirk::identity::device_id;
use crate::quirk::identity::device_type;
use crate::quirk::identity::model;
use crate::quirk::identity::os;
use crate::quirk::identity::upto;
use crate::quirk::identity::user_agent;
use crate::version::ProtocolVersion::V14_1;
use crate::version::VersionRange;

/// One row.
#[derive(Debug)]
pub struct Row {
    pub id: &'static str,
    /// The devices in words.
    pub devices: &'static str,
    pub cases: &'static [Case],
    /// What the devices do, and what they get therefore.
    pub why: &'static str,
}

/// Devices, and what is bent for them.
#[derive(Debug)]
pub struct Case {
    /// All of them must hold.
    pub conditions: &'static [Condition],
    pub bends: &'static [Bend],
}

impl Row {
    /// What this row bends for a device.
    pub fn bends(&self, identity: &Identity<'_>) -> impl Iterator<Item = &'static Bend> {
        let holds = |case: &&Case| case.conditions.iter().all(|condition| condition.holds(identity));
        self.cases.iter().filter(holds).flat_map(|case| case.bends)
    }
}

const ONE_FOLDER_EACH: &[Bend] = &[Bend::OneCalendar, Bend::OneContacts, Bend::OneTasks];

const fn case(conditions: &'static [Condition], bends: &'static [Bend]) -> Case {
    Case { conditions, bends }
}

pub static ROWS: &[Row] = &[
    Row {
        id: "A-1",
        devices: "Android, while an account is set up",
        cases: &[case(&[device_id("validate").whole()], &[Bend::OnlyTries])],
        why: "Tries the credentials by a FolderSync under the DeviceId \"validate\", which would be one device of all users' \
              phones. The credentials are tried at Open-Xchange, the answer is an empty tree, and nothing is kept.",
    },
    Row {
        id: "A-8",
        devices: "Android's own client (AOSP)",
        cases: &[case(&[user_agent("Android/")], &[Bend::EstimatesAnyKey])],
        why: "Does nothing when GetItemEstimate says that the key is unknown, and never syncs the folder again. It is told of \
              one change; the Sync that follows has the right Status.",
    },
    Row {
        id: "A-12",
        devices: "Android's own client (AOSP), 4 to 10",
        cases: &[case(
            &[user_agent("Android/").releases((4, 0), upto(10))],
            &[Bend::BirthdaysAt8],
        )],
        why: "Takes a birthday for the day in its own zone; at 08:00 UTC, as it writes them itself, that is the right one \
              nearly everywhere.",
    },
    Row {
        id: "A-19",
        devices: "Samsung's own client up to Android 5, HTC One mini 2",
        cases: &[
            case(
                &[user_agent("SAMSUNG-").releases((101, 400), (101, 599))],
                ONE_FOLDER_EACH,
            ),
            case(
                &[user_agent("SAMSUNG-").releases((101, 40_000), (101, 59_999))],
                ONE_FOLDER_EACH,
            ),
            case(
                &[device_type("SAMSUNG"), os("Android").releases((0, 0), upto(5))],
                ONE_FOLDER_EACH,
            ),
            case(&[model("HTC One mini 2")], ONE_FOLDER_EACH),
        ],
        why: "Shows one folder of each kind, or several in turn: the default folders are offered, shared and further ones \
              are not.",
    },
    Row {
        id: "A-20",
        devices: "Android's own client (AOSP) before 6",
        cases: &[
            case(&[user_agent("Android/").releases((0, 0), (4, 3))], ONE_FOLDER_EACH),
            case(
                &[user_agent("Android/").releases((4, 4), upto(5))],
                &[Bend::OneContacts, Bend::OneTasks],
            ),
        ],
        why: "As A-19; from 4.4 on it shows several calendars.",
    },
    Row {
        id: "A-22",
        devices: "Samsung",
        cases: &[case(&[device_type("SAMSUNG")], &[Bend::Waits85Seconds])],
        why: "Gives up after 90 seconds, other devices after 30. An answer is ended in time, with what is ready and \
              MoreAvailable: after 28 seconds, for these after 85.",
    },
    Row {
        id: "B-5",
        devices: "BlackBerry 10",
        cases: &[
            case(&[device_type("BlackBerry")], &[Bend::BirthdaysAt11]),
            case(&[user_agent("RIM-")], &[Bend::BirthdaysAt11]),
        ],
        why: "Shows a birthday on the right day only at 11:00 UTC.",
    },
    Row {
        id: "B-7",
        devices: "BlackBerry 10",
        cases: &[
            case(&[device_type("BlackBerry")], &[Bend::TreeChangedAtTheTop]),
            case(&[user_agent("RIM-")], &[Bend::TreeChangedAtTheTop]),
        ],
        why: "Understands Status 12 (look at the folders) only for the whole Sync; iOS only in its collection, where the \
              others get it.",
    },
    Row {
        id: "I-15",
        devices: "iOS 12.4 to 13.7, up to protocol version 14.1",
        cases: &[case(
            &[user_agent("Apple-")
                .releases((1607, 0), upto(1707))
                .versions(VersionRange::until(V14_1))],
            &[Bend::ServerMailsReplies],
        )],
        why: "Answers a meeting request without mailing the answer, as other releases do themselves. The server mails it.",
    },
    Row {
        id: "N-1",
        devices: "Nokia and Symbian (Mail for Exchange)",
        cases: &[
            case(&[user_agent("Nokia")], &[Bend::PeopleHaveBothNames]),
            case(&[user_agent("MailforExchange")], &[Bend::PeopleHaveBothNames]),
            case(&[device_type("Nokia")], &[Bend::PeopleHaveBothNames]),
            case(&[device_type("Symbian")], &[Bend::PeopleHaveBothNames]),
        ],
        why: "Fails on a person of the address book without FirstName or LastName: both are sent, if only empty.",
    },
    Row {
        id: "N-3",
        devices: "Nokia and Symbian (Mail for Exchange), up to protocol version 14.1",
        cases: &[
            case(&[user_agent("Nokia").versions(UNTIL_14_1)], &[Bend::EmptyElementsClear]),
            case(
                &[user_agent("MailforExchange").versions(UNTIL_14_1)],
                &[Bend::EmptyElementsClear],
            ),
            case(
                &[device_type("Nokia").versions(UNTIL_14_1)],
                &[Bend::EmptyElementsClear],
            ),
            case(
                &[device_type("Symbian").versions(UNTIL_14_1)],
                &[Bend::EmptyElementsClear],
            ),
        ],
        why: "Keeps what a changed contact does not mention: what it lacks is sent as empty elements.",
    },
    Row {
        id: "O-14",
        devices: "Outlook on a desktop",
        cases: &[
            case(&[device_type("WindowsOutlook")], &[Bend::OneContacts]),
            case(&[device_type("MicrosoftOutlook")], &[Bend::OneContacts]),
            case(&[user_agent("Outlook/")], &[Bend::OneContacts]),
            case(&[user_agent("MicrosoftOutlook")], &[Bend::OneContacts]),
        ],
        why: "Uses one folder of contacts and trips over others: the default folder is offered.",
    },
    Row {
        id: "W-12",
        devices: "Windows Phone, Pocket PC",
        cases: &[
            case(
                &[user_agent("MSFT-WP/").releases((0, 0), (8, 9))],
                &[Bend::OneCalendar, Bend::OneContacts],
            ),
            case(
                &[user_agent("MSFT-WP/").releases((8, 10), upto(8))],
                &[Bend::OneContacts],
            ),
            case(&[user_agent("MSFT-PPC/")], ONE_FOLDER_EACH),
        ],
        why: "Windows Phone up to 8.0 shows several folders of tasks only, 8.1 all but contacts, Pocket PC none: of the other \
              kinds the default folders are offered.",
    },
    Row {
        id: "W-20",
        devices: "Windows Phone, and the mail program of Windows 8 and 10",
        cases: &[
            case(&[device_type("WP")], &[Bend::Waits240Seconds]),
            case(&[user_agent("MSFT-WP/")], &[Bend::Waits240Seconds]),
            case(&[device_type("WindowsMail")], &[Bend::Waits240Seconds]),
        ],
        why: "Waits for an answer for minutes: fewer, larger answers at the first sync (see A-22).",
    },
];

const UNTIL_14_1: VersionRange = VersionRange::until(V14_1);
