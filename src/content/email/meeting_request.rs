//! MeetingRequest: what makes a mail an invitation that the user can answer.
//!
//! Shown of invitations and cancellations that somebody else organizes, and from 16.1 on of another time that an attendee
//! proposes. Which version has which child stands in the code pages. Implements [MS-ASEMAIL] MeetingRequest.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::content::Context;
use crate::content::calendar::zone;
use crate::content::date;
use crate::content::email::address::Address;
use crate::content::email::global_id::global_id;
use crate::content::email::mail::Mail;
use crate::content::email::mail::Part;
use crate::content::itip::Busy;
use crate::content::itip::Invitation;
use crate::content::itip::Meeting;
use crate::content::itip::Method;
use crate::content::itip::Visibility;
use crate::content::recurrence::Tags;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::ProtocolVersion::V16_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::airsyncbase;
use crate::wbxml::codepage::calendar;
use crate::wbxml::codepage::email;
use crate::wbxml::codepage::email2;
use crate::wbxml::codepage::meetingresponse;

/// The type of a part that holds an invitation.
pub(super) const CALENDAR: &str = "text/calendar";

/// The elements of `Email:Recurrence`.
const RECURRENCE: Tags = Tags {
    recurrence: email::RECURRENCE,
    kind: email::TYPE,
    until: email::UNTIL,
    occurrences: email::OCCURRENCES,
    interval: email::INTERVAL,
    day_of_month: email::DAY_OF_MONTH,
    day_of_week: email::DAY_OF_WEEK,
    week_of_month: email::WEEK_OF_MONTH,
    month_of_year: email::MONTH_OF_YEAR,
    calendar_type: email2::CALENDAR_TYPE,
    first_day_of_week: email2::FIRST_DAY_OF_WEEK,
    most_occurrences: 999,
};

/// Whole days are the instants of local midnight up to 14.1, and their digits later.
const LOCAL_MIDNIGHT: VersionRange = VersionRange::until(V14_1);
/// The versions in which a meeting goes by its UID; before, by its GlobalObjId.
const UIDS: VersionRange = VersionRange::since(V16_0);
/// Somebody working elsewhere counts as free where the version has no word for it.
const WORKS_ELSEWHERE: VersionRange = VersionRange::since(V16_0);
/// The versions that know what another time for a meeting is.
const PROPOSALS: VersionRange = VersionRange::since(V16_1);

/// [MS-ASEMAIL] InstanceType.
mod instance {
    pub(super) const SINGLE: i64 = 0;
    pub(super) const MASTER: i64 = 1;
    pub(super) const OCCURRENCE: i64 = 2;
    pub(super) const EXCEPTION: i64 = 3;
}

/// [MS-ASEMAIL] MeetingMessageType.
mod message_type {
    pub(super) const SILENT: i64 = 0;
    pub(super) const INITIAL: i64 = 1;
    pub(super) const UPDATE: i64 = 2;
}

impl Mail {
    /// The part with the invitation.
    fn calendar_part(&self) -> Option<&Part> {
        self.part(&[CALENDAR])
    }

    /// The id of the part with the invitation, if its text is not known yet: it is to be fetched, and handed to
    /// [`Mail::set_calendar`].
    pub fn missing_calendar(&self) -> Option<&str> {
        let part = self.calendar_part().filter(|part| part.text.is_none())?;
        Some(&part.id)
    }

    /// Takes the content of the part with the invitation.
    pub fn set_calendar(&mut self, bytes: &[u8]) {
        let part = self.parts.iter_mut().find(|part| part.content_type.is(CALENDAR));
        if let Some(part) = part {
            part.set_text(bytes);
        }
    }

    /// The invitation, and the id of the part that holds it. `home` is the user's zone.
    pub fn invitation(&self, home: &TimeZone) -> Option<(Invitation, &str)> {
        let part = self.calendar_part()?;
        let invitation = Invitation::read(part.text.as_deref()?, home)?;
        Some((invitation, &part.id))
    }
}

/// MeetingRequest of a mail that has one.
pub(super) fn element(mail: &Mail, context: &Context<'_>) -> Option<Element> {
    let (Invitation { method, meeting }, _) = mail.invitation(&context.user.zone)?;
    let is_own = meeting.is_organized_by(context.user);
    let shown = match method {
        Method::Request | Method::Cancel => !is_own,
        Method::Counter => PROPOSALS.contains(context.version),
        Method::Reply => false,
    };
    // Where the invitation does not tell when it was made, the mail does: the same one has the same whenever it is asked for.
    let stamp = meeting.stamp.or(mail.envelope.received).or(mail.sent);
    let request = Request {
        method,
        meeting: &meeting,
        stamp: stamp.unwrap_or(meeting.period.start),
        context,
    };
    shown.then(|| Element::parent(email::MEETING_REQUEST, request.children()))
}

struct Request<'a> {
    method: Method,
    meeting: &'a Meeting,
    /// Milliseconds since 1970.
    stamp: i64,
    context: &'a Context<'a>,
}

impl Request<'_> {
    /// In the documented order.
    fn children(&self) -> Vec<Element> {
        let meeting = self.meeting;
        let period = &meeting.period;
        let mut children = vec![
            Element::flag(email::ALL_DAY_EVENT, period.all_day),
            self.time(email::START_TIME, period.start),
            Element::text(email::DT_STAMP, date::hyphenated(self.stamp)),
            self.time(email::END_TIME, period.end),
            Element::number(email::INSTANCE_TYPE, self.instance_type()),
        ];
        if !meeting.location.is_empty() {
            let name = Element::text(airsyncbase::DISPLAY_NAME, &meeting.location);
            children.push(Element::text(email::LOCATION, &meeting.location));
            children.push(Element::parent(airsyncbase::LOCATION, [name]));
        }
        children.extend(self.organizer());
        children.extend(meeting.occurrence.map(|start| self.time(email::RECURRENCE_ID, start)));
        children.extend(
            meeting
                .reminder
                .map(|seconds| Element::number(email::REMINDER, seconds)),
        );
        children.push(Element::flag(email::RESPONSE_REQUESTED, self.wants_response()));
        children.extend(self.recurrences());
        children.extend([
            Element::number(email::SENSITIVITY, self.sensitivity()),
            Element::number(email::BUSY_STATUS, self.busy_status()),
            Element::text(email::TIME_ZONE, self.time_zone()),
            self.identity(),
            Element::flag(email::DISALLOW_NEW_TIME_PROPOSAL, !meeting.allows_counter),
            Element::number(email2::MEETING_MESSAGE_TYPE, self.message_type()),
        ]);
        if self.method == Method::Counter {
            children.push(Element::text(
                meetingresponse::PROPOSED_START_TIME,
                date::compact(period.start),
            ));
            children.push(Element::text(
                meetingresponse::PROPOSED_END_TIME,
                date::compact(period.end),
            ));
        }
        children
    }

    /// By which a device finds the appointment.
    fn identity(&self) -> Element {
        let uid = &self.meeting.uid;
        match UIDS.contains(self.context.version) {
            true => Element::text(calendar::UID, uid),
            false => Element::text(email::GLOBAL_OBJ_ID, global_id(uid, self.day())),
        }
    }

    fn time(&self, tag: Tag, time: i64) -> Element {
        let is_midnight = self.meeting.period.all_day && LOCAL_MIDNIGHT.contains(self.context.version);
        let instant = if is_midnight {
            date::start_of_day_in(time, &self.context.user.zone)
        } else {
            time
        };
        Element::text(tag, date::hyphenated(instant))
    }

    fn instance_type(&self) -> i64 {
        let meeting = self.meeting;
        match (meeting.occurrence, &meeting.recurrence) {
            (Some(original), _) if original == meeting.period.start => instance::OCCURRENCE,
            (Some(_), _) => instance::EXCEPTION,
            (None, Some(_)) => instance::MASTER,
            (None, None) => instance::SINGLE,
        }
    }

    fn organizer(&self) -> Option<Element> {
        let organizer = self.meeting.organizer.as_ref()?;
        let address = Address {
            name: (!organizer.name.is_empty()).then(|| organizer.name.clone()),
            address: organizer.address.clone(),
        };
        Some(Element::text(email::ORGANIZER, address.to_string()))
    }

    /// An invitation wants an answer unless it says that it does not.
    fn wants_response(&self) -> bool {
        let own = self.meeting.own(self.context.user).and_then(|own| own.rsvp);
        self.method == Method::Request && own != Some(false)
    }

    fn recurrences(&self) -> Option<Element> {
        let recurrence = self.meeting.recurrence.filter(|_| self.meeting.occurrence.is_none())?;
        let mut element = recurrence.to_eas(&RECURRENCE, |day| date::compact(self.until(day)));
        element.push(Element::flag(email2::IS_LEAP_MONTH, false));
        Some(Element::parent(email::RECURRENCES, [element]))
    }

    /// Until: the start of the last occurrence.
    fn until(&self, day: i64) -> i64 {
        let Meeting { period, zone, .. } = self.meeting;
        if period.all_day {
            return day;
        }
        let time_of_day = date::wall_clock(period.start, zone).rem_euclid(date::DAY);
        date::from_wall_clock(day.saturating_add(time_of_day), zone)
    }

    const fn sensitivity(&self) -> i64 {
        match self.meeting.visibility {
            Visibility::Public => 0,
            Visibility::Private => 2,
            Visibility::Confidential => 3,
        }
    }

    /// How the time will be shown once the user has accepted.
    fn busy_status(&self) -> i64 {
        match self.meeting.busy {
            Busy::Free => 0,
            Busy::Tentative => 1,
            Busy::Busy => 2,
            Busy::OutOfOffice => 3,
            Busy::WorkingElsewhere if WORKS_ELSEWHERE.contains(self.context.version) => 4,
            Busy::WorkingElsewhere => 0,
        }
    }

    /// Of whole days that of the user, whose midnights are written.
    fn time_zone(&self) -> String {
        let period = &self.meeting.period;
        let zone = if period.all_day {
            &self.context.user.zone
        } else {
            &self.meeting.zone
        };
        let start = Timestamp::from_millisecond(period.start).unwrap_or_default();
        zone::encode(zone, TimeZone::UTC.to_datetime(start).year())
    }

    /// The original date of the one occurrence.
    fn day(&self) -> Option<i64> {
        let Meeting {
            period,
            zone,
            occurrence,
            ..
        } = self.meeting;
        let start = (*occurrence)?;
        Some(if period.all_day {
            start
        } else {
            date::day_in(start, zone)
        })
    }

    const fn message_type(&self) -> i64 {
        match (self.method, self.meeting.sequence) {
            (Method::Request, 0) => message_type::INITIAL,
            (Method::Request, _) => message_type::UPDATE,
            _ => message_type::SILENT,
        }
    }
}
