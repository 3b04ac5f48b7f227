//! One Request of MeetingResponse, read and checked.
//!
//! Implements [MS-ASCMD] Request, UserResponse, RequestId, LongId, InstanceId, SendResponse and the proposed times of 16.1.

use crate::content::BodyType;
use crate::content::date;
use crate::content::itip::Answer;
use crate::content::itip::Period;
use crate::content::text;
use crate::eas::command::meeting_response::INVALID_DATE_TIME;
use crate::eas::command::meeting_response::INVALID_REQUEST;
use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V14_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::meetingresponse as tag;
use crate::wbxml::codepage::search;

/// UserResponse and what it says.
const RESPONSES: [(i64, Answer); 3] = [(1, Answer::Accepted), (2, Answer::Tentative), (3, Answer::Declined)];

/// The versions in which a search result can be answered.
const LONG_IDS: VersionRange = VersionRange::since(V14_0);

/// What a device answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) answer: Answer,
    pub(super) place: Place,
    /// The original start of one occurrence, as the device wrote it.
    pub(super) instance: Option<String>,
    /// The organizer is to get a mail from us.
    pub(super) send: Option<SendResponse>,
}

/// How the mail or the appointment is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Item { collection: String, id: String },
    Long(String),
}

/// What the mail for the organizer says beside the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct SendResponse {
    pub(super) comment: String,
    /// Another time that the user wants.
    pub(super) proposal: Option<Period>,
}

impl Request {
    /// Reads a Request; or the Status that says what is wrong with it.
    pub(super) fn read(element: &Element, version: ProtocolVersion) -> Result<Self, i64> {
        let text = |tag| element.child_text(tag).map(str::trim).filter(|text| !text.is_empty());
        let code = text(tag::USER_RESPONSE).and_then(|code| code.parse::<i64>().ok());
        let response = RESPONSES.iter().find(|(own, _)| Some(*own) == code);
        let (_, answer) = response.ok_or(INVALID_REQUEST)?;
        let place = match (text(tag::REQUEST_ID), text(search::LONG_ID)) {
            (Some(id), None) => Place::Item {
                collection: text(tag::COLLECTION_ID).unwrap_or_default().to_owned(),
                id: id.to_owned(),
            },
            (None, Some(long)) if LONG_IDS.contains(version) => Place::Long(long.to_owned()),
            _ => return Err(INVALID_REQUEST),
        };
        let instance = text(tag::INSTANCE_ID);
        if instance.is_some() && !exists(tag::INSTANCE_ID, version) {
            return Err(INVALID_REQUEST);
        }
        if instance.is_some_and(|instance| date::parse(instance).is_none()) {
            return Err(INVALID_DATE_TIME);
        }
        let send = element
            .child(tag::SEND_RESPONSE)
            .filter(|_| exists(tag::SEND_RESPONSE, version));
        Ok(Self {
            answer: *answer,
            place,
            instance: instance.map(str::to_owned),
            send: send.map(|send| SendResponse::read(send, version)).transpose()?,
        })
    }
}

impl SendResponse {
    fn read(element: &Element, version: ProtocolVersion) -> Result<Self, i64> {
        let body = element.child(airsyncbase::BODY);
        let kind = body.and_then(|body| body.child_text(airsyncbase::TYPE)?.trim().parse().ok());
        let kind = kind.and_then(BodyType::from_code).unwrap_or(BodyType::Plain);
        let data = body
            .and_then(|body| body.child_text(airsyncbase::DATA))
            .unwrap_or_default();
        let time = |tag| match element.child_text(tag).map(str::trim) {
            Some(text) if !text.is_empty() && exists(tag, version) => {
                date::parse(text).map(Some).ok_or(INVALID_DATE_TIME)
            }
            _ => Ok(None),
        };
        let proposal = match (time(tag::PROPOSED_START_TIME)?, time(tag::PROPOSED_END_TIME)?) {
            (None, None) => None,
            (Some(start), Some(end)) if start <= end => Some(Period {
                all_day: false,
                start,
                end,
            }),
            _ => return Err(INVALID_REQUEST),
        };
        Ok(Self {
            comment: text::plain(kind, data).unwrap_or_default(),
            proposal,
        })
    }
}

fn exists(tag: Tag, version: ProtocolVersion) -> bool {
    codepage::token(tag).is_some_and(|token| token.versions.contains(version))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::ProtocolVersion::V12_1;
    use crate::version::ProtocolVersion::V14_1;
    use crate::version::ProtocolVersion::V16_0;
    use crate::version::ProtocolVersion::V16_1;

    fn request(code: &str, more: Vec<Element>) -> Element {
        let mut children = vec![
            Element::text(tag::USER_RESPONSE, code),
            Element::text(tag::COLLECTION_ID, "5"),
        ];
        children.extend(more);
        Element::parent(tag::REQUEST, children)
    }

    fn id() -> Element {
        Element::text(tag::REQUEST_ID, "5:17")
    }

    #[test]
    fn what_is_refused() {
        let instance = |text: &str| Element::text(tag::INSTANCE_ID, text);
        let long = || Element::text(search::LONG_ID, "5.MTc");
        let proposal = |start: &str| {
            let start = Element::text(tag::PROPOSED_START_TIME, start);
            let end = Element::text(tag::PROPOSED_END_TIME, "20270105T100000Z");
            Element::parent(tag::SEND_RESPONSE, [start, end])
        };
        // UserResponse, what else, version, Status
        let cases = [
            ("4", vec![id()], V14_1, Err(2)),
            ("", vec![id()], V14_1, Err(2)),
            ("1", vec![], V14_1, Err(2)),
            ("1", vec![id(), long()], V14_1, Err(2)),
            ("1", vec![long()], V12_1, Err(2)),
            ("1", vec![long()], V14_0, Ok(())),
            ("1", vec![id(), instance("2027-01-05T09:00:00.000Z")], V14_0, Err(2)),
            ("1", vec![id(), instance("2027-01-05T09:00:00.000Z")], V14_1, Ok(())),
            ("1", vec![id(), instance("soon")], V14_1, Err(104)),
            ("2", vec![id(), proposal("later")], V16_1, Err(104)),
            ("2", vec![id(), proposal("20270105T110000Z")], V16_1, Err(2)),
            ("2", vec![id(), proposal("20270105T090000Z")], V16_1, Ok(())),
        ];
        for (code, more, version, expected) in cases {
            let element = request(code, more);
            assert_eq!(
                Request::read(&element, version).map(drop),
                expected,
                "{element:?} {version}"
            );
        }
    }

    #[test]
    fn what_the_organizer_is_told() {
        let body = Element::parent(
            airsyncbase::BODY,
            [
                Element::number(airsyncbase::TYPE, 2),
                Element::text(airsyncbase::DATA, "<p>I am <b>late</b></p>"),
            ],
        );
        let start = Element::text(tag::PROPOSED_START_TIME, "2027-01-05T09:00:00.000Z");
        let end = Element::text(tag::PROPOSED_END_TIME, "20270105T100000Z");
        let send = Element::parent(tag::SEND_RESPONSE, [body, start, end]);
        let period = Period {
            all_day: false,
            start: 1_799_139_600_000,
            end: 1_799_143_200_000,
        };
        // version, proposal
        for (version, proposal) in [(V16_0, None), (V16_1, Some(period))] {
            let read = Request::read(&request("2", vec![id(), send.clone()]), version).unwrap();
            let comment = "I am late".to_owned();
            assert_eq!(read.send, Some(SendResponse { comment, proposal }), "{version}");
        }
        let read = Request::read(&request("2", vec![id(), send]), V14_1).unwrap();
        assert_eq!(read.send, None);
    }
}
