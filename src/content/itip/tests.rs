//! Known answers for invitations of four makes, both ways, and what hostile ones may not do.

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::content::date;
use crate::content::email::Envelope;
use crate::content::email::Mail;
use crate::content::email::outgoing;
use crate::content::recurrence::End;
use crate::content::recurrence::Pattern;

const GOOGLE: &str = include_str!("../../../tests/fixtures/invitations/google.ics");
const OUTLOOK: &str = include_str!("../../../tests/fixtures/invitations/outlook.ics");
const IOS: &str = include_str!("../../../tests/fixtures/invitations/ios.ics");
const OX: &str = include_str!("../../../tests/fixtures/invitations/ox.ics");

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

fn user() -> User {
    User {
        id: 3,
        name: "Anton Anders".to_owned(),
        address: "anton@example.com".to_owned(),
        addresses: vec!["anton@example.com".to_owned()],
        zone: berlin(),
    }
}

fn read(text: &str) -> Invitation {
    Invitation::read(text, &berlin()).expect("an invitation")
}

fn at(text: &str) -> i64 {
    date::parse(text).expect("a time")
}

fn period(all_day: bool, start: &str, end: &str) -> Period {
    Period {
        all_day,
        start: at(start),
        end: at(end),
    }
}

fn person(name: &str, address: &str) -> Person {
    Person {
        name: name.to_owned(),
        address: address.to_owned(),
    }
}

#[test]
fn google() {
    let Invitation { method, meeting } = read(GOOGLE);
    assert_eq!(method, Method::Request);
    assert_eq!(meeting.uid, "7kukuqrfedlm2f9t7a3s@google.com");
    assert_eq!(
        meeting.period,
        period(false, "2027-01-05T09:00:00Z", "2027-01-05T10:00:00Z")
    );
    assert_eq!(meeting.organizer, Some(person("Gerda Grün", "gerda@example.org")));
    assert_eq!(
        (meeting.summary.as_str(), meeting.location.as_str()),
        ("Plans", "Café Grün, Berlin")
    );
    assert!(
        meeting
            .description
            .starts_with("Bring the plans, please.\n\nJoin: https://")
    );
    let own = meeting.own(&user()).expect("the user is invited");
    assert_eq!((own.answer, own.rsvp), (Answer::None, Some(true)));
    assert_eq!(own.person.name, "", "an address is no name");
    assert_eq!(
        (meeting.busy, meeting.sequence, meeting.allows_counter),
        (Busy::Busy, 0, true)
    );
    assert_eq!(
        (meeting.recurrence, meeting.occurrence, meeting.reminder),
        (None, None, None)
    );
}

#[test]
fn outlook() {
    let Invitation { meeting, .. } = read(OUTLOOK);
    assert_eq!(
        meeting.uid,
        "040000008200E00074C5B7101A82E00800000000B0D9B1E5D2F9C70100000000000000001000000021D5C1E3F8A3C54BB0F2A6D4D1E0F9A7"
    );
    assert_eq!(
        meeting.period,
        period(false, "2027-01-12T09:00:00Z", "2027-01-12T10:30:00Z")
    );
    assert_eq!(meeting.zone.iana_name(), Some("Europe/Berlin"));
    let recurrence = meeting.recurrence.expect("a series");
    assert_eq!(recurrence.pattern, Pattern::MonthlyNth { week: 2, days: 4 });
    assert_eq!((recurrence.interval, recurrence.end), (1, End::Until(at("2027-12-14"))));
    assert_eq!(meeting.organizer, Some(person("Olaf, Office", "olaf@example.org")));
    assert_eq!(meeting.attendees.len(), 1, "somebody without an address is nobody");
    assert_eq!(
        (meeting.busy, meeting.visibility),
        (Busy::OutOfOffice, Visibility::Private)
    );
    assert_eq!(
        (meeting.reminder, meeting.allows_counter, meeting.sequence),
        (Some(900), false, 2)
    );
}

#[test]
fn ios() {
    let Invitation { meeting, .. } = read(IOS);
    assert_eq!(meeting.period, period(true, "2027-02-04", "2027-02-06"));
    assert_eq!(meeting.busy, Busy::Free);
    assert_eq!(meeting.own(&user()).and_then(|own| own.rsvp), Some(false));
}

/// One occurrence, moved by an hour on the day after the change of clocks.
#[test]
fn ox() {
    let Invitation { meeting, .. } = read(OX);
    assert_eq!(
        meeting.period,
        period(false, "2027-03-29T08:00:00Z", "2027-03-29T09:00:00Z")
    );
    assert_eq!(meeting.occurrence, Some(at("2027-03-29T07:00:00Z")));
    assert_eq!(meeting.own(&user()).map(|own| own.answer), Some(Answer::Tentative));
}

/// What is no invitation, and what hardly is one.
#[test]
fn the_least_of_invitations() {
    let event =
        |lines: &str| format!("BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\n{lines}\nEND:VEVENT\nEND:VCALENDAR\n");
    let cases = [
        (String::new(), false),
        ("no calendar".to_owned(), false),
        ("BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n".to_owned(), false),
        (event("UID:1"), false),
        (event("DTSTART:20270105T090000Z"), false),
        (event("UID:1\nDTSTART:tomorrow"), false),
        (event("UID:1\nDTSTART:20270105T090000Z"), true),
        (event("UID:1\nDTSTART;TZID=Nowhere:20270105T090000"), true),
        (
            event("UID:1\nDTSTART:20270105T090000Z").replace("REQUEST", "PUBLISH"),
            false,
        ),
        (
            event("UID:1\nDTSTART:20270105T090000Z").replace("REQUEST", "counter"),
            true,
        ),
        (format!("\u{feff}{}", event("UID:1\nDTSTART:20270105")), true),
    ];
    for (text, expected) in cases {
        assert_eq!(Invitation::read(&text, &berlin()).is_some(), expected, "{text}");
    }
    let shapes = [
        // lines, start, end
        (
            "DTSTART:20270105T090000",
            "2027-01-05T08:00:00Z",
            "2027-01-05T08:00:00Z",
        ),
        (
            "DTSTART:20270105T090000\nDURATION:PT1H30M",
            "2027-01-05T08:00:00Z",
            "2027-01-05T09:30:00Z",
        ),
        ("DTSTART;VALUE=DATE:20270105", "2027-01-05", "2027-01-06"),
        (
            "DTSTART;TZID=America/New_York:20270105T090000",
            "2027-01-05T14:00:00Z",
            "2027-01-05T14:00:00Z",
        ),
        (
            "DTSTART;TZID=Nowhere:20270105T090000",
            "2027-01-05T08:00:00Z",
            "2027-01-05T08:00:00Z",
        ),
        (
            "DTSTART:20270105T090000Z\nDTEND:20260105T090000Z",
            "2027-01-05T09:00:00Z",
            "2027-01-05T09:00:00Z",
        ),
    ];
    for (lines, start, end) in shapes {
        let meeting = read(&event(&format!("UID:1\n{lines}"))).meeting;
        assert_eq!(
            (meeting.period.start, meeting.period.end),
            (at(start), at(end)),
            "{lines}"
        );
    }
}

/// RRULE, what it is; and what it is written as.
#[test]
fn rules_both_ways() {
    let cases = [
        ("FREQ=DAILY;INTERVAL=2", Some((Pattern::Daily, 2, End::Never))),
        (
            "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
            Some((Pattern::Weekly { days: 62 }, 1, End::Never)),
        ),
        (
            "FREQ=WEEKLY;COUNT=5",
            Some((Pattern::Weekly { days: 4 }, 1, End::Occurrences(5))),
        ),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
            Some((Pattern::Weekly { days: 18 }, 2, End::Never)),
        ),
        ("FREQ=MONTHLY", Some((Pattern::Monthly { day: 5 }, 1, End::Never))),
        (
            "FREQ=MONTHLY;BYMONTHDAY=-1",
            Some((Pattern::Monthly { day: 31 }, 1, End::Never)),
        ),
        (
            "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
            Some((Pattern::Monthly { day: 31 }, 1, End::Never)),
        ),
        (
            "FREQ=MONTHLY;BYDAY=-1FR",
            Some((Pattern::MonthlyNth { week: 5, days: 32 }, 1, End::Never)),
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            Some((Pattern::MonthlyNth { week: 5, days: 62 }, 1, End::Never)),
        ),
        (
            "FREQ=YEARLY",
            Some((Pattern::Yearly { month: 1, day: 5 }, 1, End::Never)),
        ),
        (
            "FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
            Some((
                Pattern::YearlyNth {
                    month: 10,
                    week: 5,
                    days: 1,
                },
                1,
                End::Never,
            )),
        ),
        (
            "FREQ=DAILY;UNTIL=20270110T080000Z",
            Some((Pattern::Daily, 1, End::Until(at("2027-01-10")))),
        ),
        // The last day by the clock of the zone.
        (
            "FREQ=DAILY;UNTIL=20270109T230000Z",
            Some((Pattern::Daily, 1, End::Until(at("2027-01-10")))),
        ),
        // More than OX and devices can say.
        ("FREQ=MONTHLY;BYDAY=-2FR", None),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", None),
        ("FREQ=YEARLY;BYYEARDAY=100", None),
        ("FREQ=HOURLY", None),
        ("FREQ=DAILY;COUNT=5000", None),
        ("nonsense", None),
    ];
    for (rule, expected) in cases {
        let text = format!(
            "BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20270105T090000\n\
             RRULE:{rule}\nEND:VEVENT\nEND:VCALENDAR\n"
        );
        let invitation = read(&text);
        let found = invitation.meeting.recurrence;
        let parts = found.map(|found| (found.pattern, found.interval, found.end));
        assert_eq!(parts, expected, "{rule}");
        if found.is_some() {
            let written = write::write(&invitation, "");
            assert_eq!(read(&written).meeting.recurrence, found, "{rule}:\n{written}");
        }
    }
}

/// What we write, others can read: we among them.
#[test]
fn written_as_it_was_read() {
    for text in [GOOGLE, OUTLOOK, IOS, OX] {
        let mut invitation = read(text);
        // Reminders are everybody's own, and Outlook's properties Outlook's.
        invitation.meeting.reminder = None;
        invitation.meeting.allows_counter = true;
        if invitation.meeting.busy == Busy::OutOfOffice {
            invitation.meeting.busy = Busy::Busy;
        }
        let written = write::write(&invitation, "");
        assert_eq!(read(&written), invitation, "{written}");
        assert!(written.lines().all(|line| line.len() <= 75), "{written}");
    }
    assert!(
        write::write(&read(OUTLOOK), "").contains("BEGIN:VTIMEZONE"),
        "a zone that is named is defined"
    );
}

fn sent(mime: &[u8]) -> (String, Mail) {
    let sent = outgoing(mime, &user(), at("2026-11-25T12:00:00Z")).expect("a recipient");
    let mail = Mail::from_source(&sent, Envelope::default());
    (String::from_utf8(sent).expect("7-bit"), mail)
}

#[test]
fn an_answer_for_the_organizer() {
    let meeting = read(OUTLOOK).meeting;
    // answer, subject, PARTSTAT
    let cases = [
        (Answer::Accepted, "Accepted: Lenkungskreis"),
        (Answer::Declined, "Declined: Lenkungskreis"),
        (Answer::Tentative, "Tentative: Lenkungskreis"),
    ];
    for (answer, subject) in cases {
        let mime = reply(&meeting, answer, "Bin spät\ndran", None, &user(), 0).expect("an organizer");
        let (text, mail) = sent(&mime);
        assert_eq!(mail.subject, subject);
        assert_eq!(mail.to.first().map(|to| to.address.as_str()), Some("olaf@example.org"));
        assert!(
            text.starts_with("From: \"Anton Anders\" <anton@example.com>\r\n"),
            "{text}"
        );
        let (answered, _) = mail.invitation(&berlin()).expect("an answer");
        assert_eq!(answered.method, Method::Reply);
        let [own] = answered.meeting.attendees.as_slice() else {
            panic!("only who answers: {text}");
        };
        assert_eq!((own.answer, own.person.address.as_str()), (answer, "anton@example.com"));
        assert_eq!(
            (answered.meeting.uid, answered.meeting.sequence),
            (meeting.uid.clone(), 2)
        );
        assert_eq!(answered.meeting.recurrence, None);
        // The reader's zone is not ours.
        assert!(
            text.contains("Tuesday, 12 January 2027, 10:00 - 11:30 (Europe/Berlin)"),
            "{text}"
        );
    }
    let nobody = Meeting {
        organizer: None,
        ..meeting
    };
    assert_eq!(reply(&nobody, Answer::Accepted, "", None, &user(), 0), None);
}

#[test]
fn another_time() {
    let proposal = period(false, "2027-01-05T13:00:00Z", "2027-01-05T14:00:00Z");
    let mime = reply(&read(GOOGLE).meeting, Answer::Tentative, "", Some(proposal), &user(), 0).expect("an organizer");
    let (_, mail) = sent(&mime);
    let (counter, _) = mail.invitation(&berlin()).expect("a proposal");
    assert_eq!((counter.method, counter.meeting.period), (Method::Counter, proposal));
    assert_eq!(mail.subject, "New Time Proposed: Plans");
}

#[test]
fn an_invitation_for_others() {
    let carl = person("Carl \"C\" Cöln", "carl@example.org");
    let (text, mail) = sent(&forward(&read(IOS).meeting, std::slice::from_ref(&carl), "Come!", 0));
    let (forwarded, _) = mail.invitation(&berlin()).expect("an invitation");
    assert_eq!(forwarded.method, Method::Request);
    assert_eq!(forwarded.meeting.organizer, Some(person("Ida", "ida@example.org")));
    let people: Vec<_> = forwarded
        .meeting
        .attendees
        .iter()
        .map(|one| one.person.address.as_str())
        .collect();
    assert_eq!(people, ["ida@example.org", "anton@example.com", "carl@example.org"]);
    assert_eq!(mail.subject, "FW: Fair");
    assert!(
        text.contains("Come!") && text.contains("Thursday, 4 February 2027 - Friday, 5 February 2027"),
        "{text}"
    );
}

/// Nothing in an invitation may become a field of our mails, or a line of our calendars.
#[test]
fn names_do_not_break_out() {
    let mut meeting = read(GOOGLE).meeting;
    meeting.summary = "x\r\nBcc: eve@example.org\r\nATTENDEE:mailto:eve@example.org".to_owned();
    meeting.organizer = Some(person("y\"\r\nBcc: eve@example.org", "gerda@example.org"));
    let (text, mail) = sent(&reply(&meeting, Answer::Accepted, "", None, &user(), 0).expect("an organizer"));
    assert!(!text.contains("\nBcc:"), "{text}");
    let (answered, _) = mail.invitation(&berlin()).expect("an answer");
    assert_eq!(answered.meeting.attendees.len(), 1, "{text}");
}

proptest! {
    #[test]
    fn any_text_is_read_or_not(text in "\\PC{0,400}") {
        let _ = Invitation::read(&text, &TimeZone::UTC);
    }

    /// Lines that are nearly right, in any order.
    #[test]
    fn hostile_calendars_are_read_or_not(lines in prop::collection::vec(hostile_line(), 0..40)) {
        let text = format!("BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:1\r\n{}", lines.concat());
        if let Some(invitation) = Invitation::read(&text, &berlin()) {
            // What was read can be written and answered.
            let _ = write::write(&invitation, "x");
            let _ = reply(&invitation.meeting, Answer::Accepted, "", None, &user(), 0);
        }
    }
}

fn hostile_line() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "DTSTART",
        "DTEND",
        "DURATION",
        "RRULE",
        "RECURRENCE-ID",
        "BEGIN",
        "END",
        "ATTENDEE",
        "ORGANIZER",
        "TRIGGER",
        "SEQUENCE",
        "DTSTAMP",
        "TZID",
        "TZOFFSETTO",
        "SUMMARY",
        "CLASS",
        "X-A",
    ]);
    let parameters = prop::sample::select(vec![
        "",
        ";TZID=Europe/Berlin",
        ";TZID=\"(UTC+01:00) x\"",
        ";VALUE=DATE",
        ";VALUE=PERIOD",
        ";CN=\"",
        ";X=\u{1f600};;=",
        ";ENCODING=BASE64",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "20270105T090000Z",
            "99991231T235959Z",
            "00000000T000000",
            "20270230",
            "-P99999999999W",
            "PT1H",
            "FREQ=DAILY;COUNT=4294967295;INTERVAL=65535",
            "FREQ=YEARLY;BYMONTH=13L;BYDAY=-53SU;UNTIL=9999",
            "VALARM",
            "VEVENT",
            "VTIMEZONE",
            "mailto:a@b",
            "mailto:",
            "+9999",
            "-1",
            "99999999999999999999",
            "\\\\\\n\\;",
        ])
        .prop_map(str::to_owned),
        "\\PC{0,30}",
    ];
    (name, parameters, value).prop_map(|(name, parameters, value)| format!("{name}{parameters}:{value}\r\n"))
}
