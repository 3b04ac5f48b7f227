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
use crate::version::ProtocolVersion;
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
    /// One of these lists must hold, with all its conditions.
    pub any_of: &'static [&'static [Condition]],
    pub versions: VersionRange,
    pub bends: &'static [Bend],
}

impl Row {
    /// What this row bends for a device.
    pub fn bends(&self, identity: &Identity<'_>) -> impl Iterator<Item = &'static Bend> {
        let holds = |case: &&Case| case.holds(identity);
        self.cases.iter().filter(holds).flat_map(|case| case.bends)
    }
}

impl Case {
    fn holds(&self, identity: &Identity<'_>) -> bool {
        let all_hold = |conditions: &&[Condition]| conditions.iter().all(|condition| condition.holds(identity));
        self.versions.contains(identity.version) && self.any_of.iter().any(all_hold)
    }

    const fn until(mut self, version: ProtocolVersion) -> Self {
        self.versions = VersionRange::until(version);
        self
    }
}

const fn case(any_of: &'static [&'static [Condition]], bends: &'static [Bend]) -> Case {
    Case {
        any_of,
        versions: VersionRange::ALL,
        bends,
    }
}

const BLACKBERRY: &[&[Condition]] = &[&[device_type("BlackBerry")], &[user_agent("RIM-")]];

const NOKIA: &[&[Condition]] = &[
    &[user_agent("Nokia")],
    &[user_agent("MailforExchange")],
    &[device_type("Nokia")],
    &[device_type("Symbian")],
];

const OUTLOOK: &[&[Condition]] = &[
    &[device_type("WindowsOutlook")],
    &[device_type("MicrosoftOutlook")],
    &[user_agent("Outlook/")],
    &[user_agent("MicrosoftOutlook")],
];

const ONE_FOLDER_EACH: &[Bend] = &[Bend::OneCalendar, Bend::OneContacts, Bend::OneTasks];

pub static ROWS: &[Row] = &[
    Row {
        id: "A-1",
        devices: "Android, while an account is set up",
        cases: &[case(&[&[device_id("validate").whole()]], &[Bend::OnlyTries])],
        why: "Tries the credentials by a FolderSync under the DeviceId \"validate\", which would be one device of all users' \
              phones. The credentials are tried at Open-Xchange, the answer is an empty tree, and nothing is kept.",
    },
    Row {
        id: "A-8",
        devices: "Android's own client (AOSP)",
        cases: &[case(&[&[user_agent("Android/")]], &[Bend::EstimatesAnyKey])],
        why: "Does nothing when GetItemEstimate says that the key is unknown, and never syncs the folder again. It is told of \
              one change; the Sync that follows has the right Status.",
    },
    Row {
        id: "A-12",
        devices: "Android's own client (AOSP), 4 to 10",
        cases: &[case(
            &[&[user_agent("Android/").releases((4, 0), upto(10))]],
            &[Bend::BirthdaysAt8],
        )],
        why: "Takes a birthday for the day in its own zone; at 08:00 UTC, as it writes them itself, that is the right one \
              nearly everywhere.",
    },
    Row {
        id: "A-19",
        devices: "Samsung's own client up to Android 5, HTC One mini 2",
        cases: &[case(
            &[
                &[user_agent("SAMSUNG-").releases((101, 400), (101, 599))],
                &[user_agent("SAMSUNG-").releases((101, 40_000), (101, 59_999))],
                &[device_type("SAMSUNG"), os("Android").releases((0, 0), upto(5))],
                &[model("HTC One mini 2")],
            ],
            ONE_FOLDER_EACH,
        )],
        why: "Shows one folder of each kind, or several in turn: the default folders are offered, shared and further ones \
              are not.",
    },
    Row {
        id: "A-20",
        devices: "Android's own client (AOSP) before 6",
        cases: &[
            case(&[&[user_agent("Android/").releases((0, 0), (4, 3))]], ONE_FOLDER_EACH),
            case(
                &[&[user_agent("Android/").releases((4, 4), upto(5))]],
                &[Bend::OneContacts, Bend::OneTasks],
            ),
        ],
        why: "As A-19; from 4.4 on it shows several calendars.",
    },
    Row {
        id: "A-22",
        devices: "Samsung",
        cases: &[case(&[&[device_type("SAMSUNG")]], &[Bend::Waits85Seconds])],
        why: "Gives up after 90 seconds, other devices after 30. An answer is ended in time, with what is ready and \
              MoreAvailable: after 28 seconds, for these after 85.",
    },
    Row {
        id: "B-5",
        devices: "BlackBerry 10",
        cases: &[case(BLACKBERRY, &[Bend::BirthdaysAt11])],
        why: "Shows a birthday on the right day only at 11:00 UTC.",
    },
    Row {
        id: "B-7",
        devices: "BlackBerry 10",
        cases: &[case(BLACKBERRY, &[Bend::TreeChangedAtTheTop])],
        why: "Understands Status 12 (look at the folders) only for the whole Sync; iOS only in its collection, where the \
              others get it.",
    },
    Row {
        id: "I-15",
        devices: "iOS 12.4 to 13.7",
        cases: &[case(
            &[&[user_agent("Apple-").releases((1607, 0), upto(1707))]],
            &[Bend::ServerMailsReplies],
        )
        .until(V14_1)],
        why: "Answers a meeting request without mailing the answer, as other releases do themselves: for these alone the server \
              has to mail it.",
    },
    Row {
        id: "N-1",
        devices: "Nokia and Symbian (Mail for Exchange)",
        cases: &[case(NOKIA, &[Bend::PeopleHaveBothNames])],
        why: "Fails on a person of the address book without FirstName or LastName: both are sent, if only empty.",
    },
    Row {
        id: "N-3",
        devices: "Nokia and Symbian (Mail for Exchange)",
        cases: &[case(NOKIA, &[Bend::EmptyElementsClear]).until(V14_1)],
        why: "Keeps what a changed contact does not mention: what it lacks is sent as empty elements.",
    },
    Row {
        id: "O-3",
        devices: "Outlook on a desktop",
        cases: &[case(OUTLOOK, &[Bend::MovesMailsItself])],
        why: "Takes the answer to MoveItems for the move itself, and shows a mail twice that is then added to its new folder: \
              neither this addition nor the deletion from the old folder is sent.",
    },
    Row {
        id: "O-14",
        devices: "Outlook on a desktop",
        cases: &[case(OUTLOOK, &[Bend::OneContacts])],
        why: "Uses one folder of contacts and trips over others: the default folder is offered.",
    },
    Row {
        id: "W-12",
        devices: "Windows Phone, Pocket PC",
        cases: &[
            case(
                &[&[user_agent("MSFT-WP/").releases((0, 0), (8, 9))]],
                &[Bend::OneCalendar, Bend::OneContacts],
            ),
            case(
                &[&[user_agent("MSFT-WP/").releases((8, 10), upto(8))]],
                &[Bend::OneContacts],
            ),
            case(&[&[user_agent("MSFT-PPC/")]], ONE_FOLDER_EACH),
        ],
        why: "Windows Phone up to 8.0 shows several folders of tasks only, 8.1 all but contacts, Pocket PC none: of the other \
              kinds the default folders are offered.",
    },
    Row {
        id: "W-20",
        devices: "Windows Phone, and the mail program of Windows 8 and 10",
        cases: &[case(
            &[
                &[device_type("WP")],
                &[user_agent("MSFT-WP/")],
                &[device_type("WindowsMail")],
            ],
            &[Bend::Waits240Seconds],
        )],
        why: "Waits for an answer for minutes: fewer, larger answers at the first sync (see A-22).",
    },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::quirk::Quirks;
    use crate::version::ProtocolVersion::V16_0;

    /// A DeviceType with a User-Agent, as devices send them.
    const fn sent(device_type: &'static str, user_agent: &'static str) -> Identity<'static> {
        Identity {
            device_id: "0123456789ABCDEF",
            device_type,
            user_agent,
            os: "",
            model: "",
            version: V14_1,
        }
    }

    const AOSP_4_3: Identity<'_> = sent("Android", "Android/4.3-EAS-1.3");
    const AOSP_4_4: Identity<'_> = sent("Android", "Android/4.4.2-EAS-1.3");
    const AOSP_6: Identity<'_> = sent("Android", "Android/6.0.1-EAS-1.3");
    const AOSP_11: Identity<'_> = sent("Android", "Android/11-EAS-2.0");
    const GMAIL: Identity<'_> = sent("Android", "Android-Mail/2021.09.19.398306513.Release");
    const GALAXY_S3: Identity<'_> = sent("SAMSUNGGTI9300", "SAMSUNG-GT-I9300/101.403");
    const GALAXY_S5: Identity<'_> = sent("SAMSUNGSMG900F", "SAMSUNG-SM-G900F/101.50000");
    const GALAXY_S6: Identity<'_> = sent("SAMSUNGSMG920F", "SAMSUNG-SM-G920F/101.60001");
    const GALAXY_S9: Identity<'_> = sent("SAMSUNGSMG960F", "Android-SAMSUNG-SM-G960F/101.10");
    const NINE: Identity<'_> = Identity {
        device_id: "6E696E6530313233",
        ..sent("Android", "Nine-Android/4.8.0")
    };
    const HTC: Identity<'_> = Identity {
        model: "HTC One mini 2",
        ..sent("htcm8", "HTC-EAS/1.0")
    };
    const BLACKBERRY_10: Identity<'_> = sent("BlackBerry", "RIM-Q10-SQN100-3/10.2.1.3289");
    const IOS_7: Identity<'_> = sent("iPhone", "Apple-iPhone6C2/1104.201");
    const IOS_12: Identity<'_> = sent("iPhone", "Apple-iPhone6C2/1607.92");
    const IOS_13: Identity<'_> = sent("iPad", "Apple-iPad6C11/1707.80");
    const IOS_14: Identity<'_> = sent("iPhone", "Apple-iPhone10C4/1801.373");
    const IOS_13_NEW: Identity<'_> = Identity {
        version: V16_0,
        ..IOS_13
    };
    const NOKIA_E71: Identity<'_> = sent("Symbian", "NokiaE71/2.09(158)MailforExchange");
    const OUTLOOK_15: Identity<'_> = sent("WindowsOutlook15", "Outlook/15.0 (15.0.4420.1017; MSI; x86)");
    const OUTLOOK_16: Identity<'_> = sent("WindowsOutlook15", "Outlook/16.0 (16.0.12527.20194; C2R; x64)");
    const OUTLOOK_APP: Identity<'_> = sent("Outlook", "Outlook-iOS-Android/1.0");
    const PHONE_8: Identity<'_> = sent("WP8", "MSFT-WP/8.0.10211");
    const PHONE_8_1: Identity<'_> = sent("WP8", "MSFT-WP/8.10.12359");
    const POCKET_PC: Identity<'_> = sent("PocketPC", "MSFT-PPC/5.2.5082");
    const WINDOWS_MAIL: Identity<'_> = sent("WindowsMail", "MSFT-WIN-4/6.3.9600");
    const TOUCHDOWN: Identity<'_> = sent("TouchDown", "TouchDown(MSRPC)/8.1.00052");
    const TBSYNC: Identity<'_> = sent("Thunderbird", "Thunderbird ActiveSync");
    const ANALYSER: Identity<'_> = sent("TestActiveSyncConnectivity", "TestActiveSyncConnectivity");
    const VALIDATE: Identity<'_> = Identity {
        device_id: "validate",
        ..AOSP_4_4
    };

    /// Row, devices it is for, devices it is not for.
    const CASES: &[(&str, &[Identity<'_>], &[Identity<'_>])] = &[
        ("A-1", &[VALIDATE], &[AOSP_4_4, NINE]),
        ("A-8", &[AOSP_4_3, AOSP_11], &[GMAIL, OUTLOOK_APP, GALAXY_S9]),
        ("A-12", &[AOSP_4_3, AOSP_6], &[AOSP_11, GMAIL, GALAXY_S5, NINE]),
        ("A-19", &[GALAXY_S3, GALAXY_S5, HTC], &[GALAXY_S6, GALAXY_S9, AOSP_4_3]),
        ("A-20", &[AOSP_4_3, AOSP_4_4], &[AOSP_6, GMAIL, TOUCHDOWN]),
        ("A-22", &[GALAXY_S3, GALAXY_S9], &[AOSP_6, GMAIL]),
        ("B-5", &[BLACKBERRY_10], &[AOSP_6]),
        ("B-7", &[BLACKBERRY_10], &[IOS_7]),
        ("I-15", &[IOS_12, IOS_13], &[IOS_7, IOS_14, IOS_13_NEW]),
        ("N-1", &[NOKIA_E71], &[PHONE_8]),
        (
            "N-3",
            &[NOKIA_E71],
            &[
                PHONE_8,
                Identity {
                    version: V16_0,
                    ..NOKIA_E71
                },
            ],
        ),
        (
            "O-3",
            &[OUTLOOK_15, OUTLOOK_16],
            &[OUTLOOK_APP, WINDOWS_MAIL, PHONE_8_1],
        ),
        ("O-14", &[OUTLOOK_15, OUTLOOK_16], &[OUTLOOK_APP, WINDOWS_MAIL]),
        ("W-12", &[PHONE_8, PHONE_8_1, POCKET_PC], &[OUTLOOK_15, WINDOWS_MAIL]),
        ("W-20", &[PHONE_8, WINDOWS_MAIL], &[POCKET_PC, OUTLOOK_15, GALAXY_S3]),
    ];

    #[test]
    fn rows_know_their_devices() {
        let ids: Vec<&str> = ROWS.iter().map(|row| row.id).collect();
        let tested: Vec<&str> = CASES.iter().map(|(id, ..)| *id).collect();
        assert_eq!(ids, tested);
        for (row, (id, own, others)) in ROWS.iter().zip(CASES) {
            for identity in *own {
                assert!(row.bends(identity).next().is_some(), "{id} is not for {identity:?}");
            }
            for identity in *others {
                assert_eq!(row.bends(identity).count(), 0, "{id} is for {identity:?}");
            }
        }
    }

    /// Nothing but its row bends anything for these: without the row they are as all others.
    #[test]
    fn without_a_row_nothing_is_bent() {
        for (row, (id, own, _)) in ROWS.iter().zip(CASES) {
            for identity in *own {
                let others = ROWS.iter().filter(|other| other.id != row.id);
                let without = Quirks::by(others, identity);
                let lost = row.bends(identity).filter(|bend| !without.has(**bend)).count();
                assert!(lost > 0, "{id} changes nothing for {identity:?}");
                assert_ne!(Quirks::of(identity), without);
            }
        }
    }

    #[test]
    fn every_bend_has_a_row() {
        let bends: BTreeSet<Bend> = ROWS
            .iter()
            .flat_map(|row| row.cases)
            .flat_map(|case| case.bends)
            .copied()
            .collect();
        assert_eq!(bends, Bend::ALL.into());
    }

    #[test]
    fn ordinary_devices_are_not_bent() {
        for identity in [
            GMAIL,
            NINE,
            IOS_7,
            IOS_14,
            OUTLOOK_APP,
            TOUCHDOWN,
            TBSYNC,
            ANALYSER,
            GALAXY_S9,
        ] {
            let quirks = Quirks::of(&identity);
            let expected = match identity.device_type.starts_with("SAMSUNG") {
                true => Quirks::NONE.with(Bend::Waits85Seconds),
                false => Quirks::NONE,
            };
            assert_eq!(quirks, expected, "{identity:?}");
        }
    }

    /// How many folders of each kind a device gets.
    #[test]
    fn folders_by_release() {
        // identity, calendars, contacts, tasks: whether it gets one only
        let cases = [
            (AOSP_4_3, [true, true, true]),
            (AOSP_4_4, [false, true, true]),
            (AOSP_6, [false, false, false]),
            (PHONE_8, [true, true, false]),
            (PHONE_8_1, [false, true, false]),
            (POCKET_PC, [true, true, true]),
            (OUTLOOK_15, [false, true, false]),
            (GALAXY_S5, [true, true, true]),
        ];
        for (identity, expected) in cases {
            let quirks = Quirks::of(&identity);
            let bends = [Bend::OneCalendar, Bend::OneContacts, Bend::OneTasks];
            assert_eq!(bends.map(|bend| quirks.has(bend)), expected, "{identity:?}");
        }
    }
}
