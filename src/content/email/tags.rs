//! Every tag of mail is shown by some mail of the corpus, or there is a reason why not; tests only.

use crate::content::BodyOptions;
use crate::content::BodyPreference;
use crate::content::BodyType;
use crate::content::email::Mail;
use crate::content::email::address::Address;
use crate::content::email::corpus;
use crate::content::email::mail::flags;
use crate::content::property::laws;
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;

/// What no device is ever shown, and why.
const UNMAPPED: &[(Tag, &str)] = &[
    (email::ATT_REMOVED, "unused by every version"),
    (email::CATEGORY, "OX has no categories for mail"),
    (email::MEETING_REQUEST, MEETING),
    (email::ALL_DAY_EVENT, MEETING),
    (email::DT_STAMP, MEETING),
    (email::END_TIME, MEETING),
    (email::INSTANCE_TYPE, MEETING),
    (email::BUSY_STATUS, MEETING),
    (email::LOCATION, MEETING),
    (email::ORGANIZER, MEETING),
    (email::RECURRENCE_ID, MEETING),
    (email::REMINDER, MEETING),
    (email::RESPONSE_REQUESTED, MEETING),
    (email::RECURRENCES, MEETING),
    (email::RECURRENCE, MEETING),
    (email::TYPE, MEETING),
    (email::UNTIL, MEETING),
    (email::OCCURRENCES, MEETING),
    (email::INTERVAL, MEETING),
    (email::DAY_OF_WEEK, MEETING),
    (email::DAY_OF_MONTH, MEETING),
    (email::WEEK_OF_MONTH, MEETING),
    (email::MONTH_OF_YEAR, MEETING),
    (email::START_TIME, MEETING),
    (email::SENSITIVITY, MEETING),
    (email::TIME_ZONE, MEETING),
    (email::GLOBAL_OBJ_ID, MEETING),
    (email::DISALLOW_NEW_TIME_PROPOSAL, MEETING),
    (email::COMPLETE_TIME, "a flag in OX is set or not, never completed"),
    (email2::UM_CALLER_ID, VOICE),
    (email2::UM_USER_NOTES, VOICE),
    (email2::UM_ATT_DURATION, VOICE),
    (email2::UM_ATT_ORDER, VOICE),
    (email2::RECEIVED_AS_BCC, "a mail from a list looks the same"),
    (email2::CALENDAR_TYPE, MEETING),
    (email2::IS_LEAP_MONTH, MEETING),
    (email2::FIRST_DAY_OF_WEEK, MEETING),
    (email2::MEETING_MESSAGE_TYPE, MEETING),
    (email2::ACCOUNT_ID, "other accounts of the user are folders in OX"),
    (email2::SEND, "sent by devices, with a draft to be sent"),
    (airsyncbase::BODY_PREFERENCE, OPTION),
    (airsyncbase::TRUNCATION_SIZE, OPTION),
    (airsyncbase::ALL_OR_NONE, OPTION),
    (airsyncbase::BODY_PART_PREFERENCE, OPTION),
    (
        airsyncbase::BODY_PART,
        "the new words of one mail in a conversation, which OX does not tell from the quoted ones",
    ),
    (
        airsyncbase::STATUS,
        "the new words of one mail in a conversation, which OX does not tell from the quoted ones",
    ),
    (airsyncbase::CONTENT_TYPE, "of answers to a Fetch, not of mails"),
    (airsyncbase::ADD, DRAFT),
    (airsyncbase::DELETE, DRAFT),
    (airsyncbase::CLIENT_ID, DRAFT),
    (airsyncbase::CONTENT, DRAFT),
    (airsyncbase::LOCATION, PLACE),
    (airsyncbase::ANNOTATION, PLACE),
    (airsyncbase::STREET, PLACE),
    (airsyncbase::CITY, PLACE),
    (airsyncbase::STATE, PLACE),
    (airsyncbase::COUNTRY, PLACE),
    (airsyncbase::POSTAL_CODE, PLACE),
    (airsyncbase::LATITUDE, PLACE),
    (airsyncbase::LONGITUDE, PLACE),
    (airsyncbase::ACCURACY, PLACE),
    (airsyncbase::ALTITUDE, PLACE),
    (airsyncbase::ALTITUDE_ACCURACY, PLACE),
    (airsyncbase::LOCATION_URI, PLACE),
    (airsyncbase::INSTANCE_ID, "of occurrences, which are no mails"),
];

const MEETING: &str = "OX puts invitations into the calendar, where devices answer them";
const OPTION: &str = "sent by devices, to say which bodies they want";
const PLACE: &str = "of appointments; mails have no place";
const VOICE: &str = "voice messages and their notes, which OX does not have";
const DRAFT: &str = "sent by devices, to change the attachments of a draft";

/// Every mail of the corpus; and one that was answered, one that was forwarded, and a draft, with all addresses.
fn mails() -> Vec<Mail> {
    let mut mails: Vec<Mail> = corpus::files().iter().map(|file| corpus::mail(file)).collect();
    let address = |name: &str| Address {
        name: Some(name.to_owned()),
        address: format!("{name}@example.org"),
    };
    for flag in [flags::ANSWERED, flags::FORWARDED, flags::DRAFT | flags::FLAGGED] {
        let mut mail = corpus::mail("mixed");
        mail.envelope.flags = flag;
        mail.sender = Some(address("secretary"));
        mail.cc = vec![address("cc")];
        mail.bcc = vec![address("bcc")];
        mail.reply_to = vec![address("list")];
        for part in &mut mail.parts {
            part.location = Some("report.pdf".to_owned());
        }
        mails.push(mail);
    }
    mails
}

/// Bodies of each type, cut and whole, with previews, and MIME.
fn options() -> Vec<BodyOptions> {
    let preference = |kind, truncation_size| BodyPreference {
        kind,
        truncation_size,
        all_or_none: false,
        preview: Some(20),
    };
    let kinds = [BodyType::Plain, BodyType::Html, BodyType::Mime];
    let options = kinds.iter().flat_map(|kind| {
        [None, Some(4)].map(|limit| BodyOptions {
            preferences: vec![preference(*kind, limit)],
            mime_support: if *kind == BodyType::Mime { 2 } else { 0 },
            ..BodyOptions::default()
        })
    });
    let legacy_mime = BodyOptions {
        mime_support: 2,
        ..BodyOptions::default()
    };
    options.chain([BodyOptions::default(), legacy_mime]).collect()
}

#[test]
fn every_tag_is_accounted_for() {
    let mut shown: Vec<Element> = Vec::new();
    for mail in mails() {
        for options in options() {
            for version in [ProtocolVersion::V2_5, ProtocolVersion::V14_1, ProtocolVersion::V16_1] {
                shown.push(corpus::shown(&mail, version, &options));
            }
        }
    }
    let pages = [email::SUBJECT.page, email2::SENDER.page, airsyncbase::BODY.page];
    laws::all_accounted_for(&shown, &pages, UNMAPPED);
}
