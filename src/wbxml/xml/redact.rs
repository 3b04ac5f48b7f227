//! Which elements a log may quote. Everything else is personal: what people write, whom they know, where and when they
//! meet, their passwords. Of that, a redacted text tells only the size.
//!
//! A list of what is plain, not of what is personal, so that an element nobody thought of stays hidden.

use crate::wbxml::Tag;
use crate::wbxml::codepage::{
    self, airsync, airsyncbase, calendar, composemail, email, email2, find, folderhierarchy, gal, getitemestimate,
    itemoperations, meetingresponse, moveitems, notes, ping, provision, resolverecipients, rightsmanagement, search,
    settings, tasks, validatecert,
};

/// Whether the text of an element may stand in a redacted log: numbers, states and ids of the protocol.
pub(super) fn is_plain(tag: Tag) -> bool {
    PLAIN_TAGS.contains(&tag) || is_on_plain_page(tag)
}

/// A token that no version has is not plain, on whatever page it stands.
fn is_on_plain_page(tag: Tag) -> bool {
    codepage::token(tag).is_some()
        && PLAIN_PAGES
            .iter()
            .any(|(first, personal)| first.page == tag.page && !personal.contains(&tag))
}

/// Pages of protocol machinery, each named by its first tag, with the personal tags on it.
const PLAIN_PAGES: &[(Tag, &[Tag])] = &[
    (airsync::SYNC, &[]),
    (moveitems::MOVE_ITEMS, &[]),
    (getitemestimate::GET_ITEM_ESTIMATE, &[]),
    (folderhierarchy::FOLDERS, &[folderhierarchy::DISPLAY_NAME]),
    (
        meetingresponse::CALENDAR_ID,
        &[meetingresponse::PROPOSED_START_TIME, meetingresponse::PROPOSED_END_TIME],
    ),
    (ping::PING, &[]),
    (provision::PROVISION, &[]),
    (
        itemoperations::ITEM_OPERATIONS,
        &[
            itemoperations::DATA,
            itemoperations::USER_NAME,
            itemoperations::PASSWORD,
        ],
    ),
];

/// Plain tags on pages that hold what belongs to people.
const PLAIN_TAGS: &[Tag] = &[
    email::ALL_DAY_EVENT,
    email::ATT_METHOD,
    email::ATT_SIZE,
    email::BODY_SIZE,
    email::BODY_TRUNCATED,
    email::BUSY_STATUS,
    email::CONTENT_CLASS,
    email::DATE_RECEIVED,
    email::DAY_OF_MONTH,
    email::DAY_OF_WEEK,
    email::DISALLOW_NEW_TIME_PROPOSAL,
    email::IMPORTANCE,
    email::INSTANCE_TYPE,
    email::INTERNET_CPID,
    email::INTERVAL,
    email::MESSAGE_CLASS,
    email::MIME_SIZE,
    email::MIME_TRUNCATED,
    email::MONTH_OF_YEAR,
    email::OCCURRENCES,
    email::READ,
    email::RESPONSE_REQUESTED,
    email::SENSITIVITY,
    email::STATUS,
    email::TYPE,
    email::WEEK_OF_MONTH,
    email2::ACCOUNT_ID,
    email2::CALENDAR_TYPE,
    email2::FIRST_DAY_OF_WEEK,
    email2::IS_DRAFT,
    email2::IS_LEAP_MONTH,
    email2::LAST_VERB_EXECUTED,
    email2::MEETING_MESSAGE_TYPE,
    email2::RECEIVED_AS_BCC,
    calendar::ALL_DAY_EVENT,
    calendar::ATTENDEE_STATUS,
    calendar::ATTENDEE_TYPE,
    calendar::ATT_METHOD,
    calendar::ATT_SIZE,
    calendar::BODY_TRUNCATED,
    calendar::BUSY_STATUS,
    calendar::CALENDAR_TYPE,
    calendar::DAY_OF_MONTH,
    calendar::DAY_OF_WEEK,
    calendar::DELETED,
    calendar::DISALLOW_NEW_TIME_PROPOSAL,
    calendar::FIRST_DAY_OF_WEEK,
    calendar::INTERVAL,
    calendar::IS_LEAP_MONTH,
    calendar::MEETING_STATUS,
    calendar::MONTH_OF_YEAR,
    calendar::OCCURRENCES,
    calendar::REMINDER,
    calendar::RESPONSE_REQUESTED,
    calendar::RESPONSE_TYPE,
    calendar::SENSITIVITY,
    calendar::TYPE,
    calendar::WEEK_OF_MONTH,
    tasks::BODY_SIZE,
    tasks::BODY_TRUNCATED,
    tasks::CALENDAR_TYPE,
    tasks::COMPLETE,
    tasks::DAY_OF_MONTH,
    tasks::DAY_OF_WEEK,
    tasks::DEAD_OCCUR,
    tasks::FIRST_DAY_OF_WEEK,
    tasks::IMPORTANCE,
    tasks::INTERVAL,
    tasks::IS_LEAP_MONTH,
    tasks::MONTH_OF_YEAR,
    tasks::OCCURRENCES,
    tasks::REGENERATE,
    tasks::REMINDER_SET,
    tasks::SENSITIVITY,
    tasks::TYPE,
    tasks::WEEK_OF_MONTH,
    notes::LAST_MODIFIED_DATE,
    notes::MESSAGE_CLASS,
    airsyncbase::ALL_OR_NONE,
    airsyncbase::CLIENT_ID,
    airsyncbase::CONTENT_TYPE,
    airsyncbase::ESTIMATED_DATA_SIZE,
    airsyncbase::FILE_REFERENCE,
    airsyncbase::INSTANCE_ID,
    airsyncbase::IS_INLINE,
    airsyncbase::METHOD,
    airsyncbase::NATIVE_BODY_TYPE,
    airsyncbase::STATUS,
    airsyncbase::TRUNCATED,
    airsyncbase::TRUNCATION_SIZE,
    airsyncbase::TYPE,
    composemail::ACCOUNT_ID,
    composemail::CLIENT_ID,
    composemail::FOLDER_ID,
    composemail::INSTANCE_ID,
    composemail::ITEM_ID,
    composemail::LONG_ID,
    composemail::STATUS,
    settings::ACCOUNT_ID,
    settings::BODY_TYPE,
    settings::ENABLED,
    settings::ENABLE_OUTBOUND_SMS,
    settings::MODEL,
    settings::OOF_STATE,
    settings::OS,
    settings::OS_LANGUAGE,
    settings::SEND_DISABLED,
    settings::STATUS,
    settings::USER_AGENT,
    search::LONG_ID,
    search::MAX_PICTURES,
    search::MAX_SIZE,
    search::NAME,
    search::RANGE,
    search::STATUS,
    search::TOTAL,
    find::HAS_ATTACHMENTS,
    find::MAX_PICTURES,
    find::MAX_SIZE,
    find::RANGE,
    find::SEARCH_ID,
    find::STATUS,
    find::TOTAL,
    gal::STATUS,
    resolverecipients::CERTIFICATE_COUNT,
    resolverecipients::CERTIFICATE_RETRIEVAL,
    resolverecipients::MAX_AMBIGUOUS_RECIPIENTS,
    resolverecipients::MAX_CERTIFICATES,
    resolverecipients::MAX_PICTURES,
    resolverecipients::MAX_SIZE,
    resolverecipients::RECIPIENT_COUNT,
    resolverecipients::STATUS,
    resolverecipients::TYPE,
    validatecert::CHECK_CRL,
    validatecert::STATUS,
    rightsmanagement::RIGHTS_MANAGEMENT_SUPPORT,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::{contacts, contacts2};

    #[test]
    fn plain_and_personal() {
        // what a log may quote, and a neighbour it may not
        let cases = [
            (airsync::SYNC_KEY, settings::PASSWORD),
            (folderhierarchy::SERVER_ID, folderhierarchy::DISPLAY_NAME),
            (itemoperations::RANGE, itemoperations::PASSWORD),
            (search::RANGE, search::FREE_TEXT),
            (email::READ, email::SUBJECT),
            (calendar::REMINDER, calendar::START_TIME),
            (tasks::COMPLETE, tasks::SUBJECT),
            (airsyncbase::TYPE, airsyncbase::DATA),
            (composemail::CLIENT_ID, composemail::MIME),
            (settings::MODEL, settings::PHONE_NUMBER),
            (provision::POLICY_KEY, contacts::LAST_NAME),
            (ping::ID, contacts2::NICK_NAME),
            // tokens and pages that no version has
            (ping::STATUS, Tag { page: 0, token: 0x3F }),
            (email2::IS_DRAFT, Tag { page: 254, token: 5 }),
        ];
        for (plain, personal) in cases {
            assert!(is_plain(plain), "{plain:?}");
            assert!(!is_plain(personal), "{personal:?}");
        }
    }
}
