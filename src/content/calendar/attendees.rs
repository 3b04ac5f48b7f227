//! Who meets: organizer, attendees and their answers.
//!
//! OX keeps participants (as invited: users, groups, resources, external people), users (groups resolved, with their
//! answers) and confirmations (the answers of external people); ActiveSync keeps one list of addresses. A change of
//! that list is applied to the participants as additions and removals, so that whatever a device cannot show stays as
//! it is.
//! Implements [MS-ASCAL] Attendees, OrganizerEmail, OrganizerName, MeetingStatus, ResponseType.

use serde_json::Value;
use serde_json::json;

use crate::content::User;
use crate::content::itip;
use crate::content::text;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::ox::columns::common;
use crate::ox::integer;
use crate::wbxml::Element;
use crate::wbxml::codepage::calendar;

/// Participant types of OX.
mod participant_type {
    pub(super) const USER: i64 = 1;
    pub(super) const RESOURCE: i64 = 3;
    pub(super) const EXTERNAL_USER: i64 = 5;
}

/// [MS-ASCAL] AttendeeType. OX does not know optional attendees.
mod attendee_type {
    pub(super) const REQUIRED: i64 = 1;
    pub(super) const RESOURCE: i64 = 3;
}

/// OX's confirmation, and AttendeeStatus and ResponseType, which have the same codes.
const CONFIRMATIONS: [(i64, i64); 4] = [
    (confirmation::NONE, 5),
    (confirmation::ACCEPTED, 3),
    (confirmation::DECLINED, 4),
    (confirmation::TENTATIVE, 2),
];

/// What a participant has answered.
pub(super) mod confirmation {
    pub(in crate::content::calendar) const NONE: i64 = 0;
    pub(in crate::content::calendar) const ACCEPTED: i64 = 1;
    pub(in crate::content::calendar) const DECLINED: i64 = 2;
    pub(in crate::content::calendar) const TENTATIVE: i64 = 3;
}

/// ResponseType of the organizer, and of somebody who does not answer.
const RESPONSE_ORGANIZER: i64 = 1;
const RESPONSE_NOT_RESPONDED: i64 = 5;

/// MeetingStatus is made of these bits. OX does not know cancelled meetings.
pub(super) mod meeting_status {
    pub(in crate::content::calendar) const MEETING: i64 = 1;
    pub(in crate::content::calendar) const RECEIVED: i64 = 2;
}

/// The user's part in an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is theirs; or they look after somebody else's without taking part.
    Organizer,
    /// They are invited, and have answered so.
    Attendee { confirmation: i64 },
}

impl Role {
    pub(super) fn declines(self) -> bool {
        let declined = Self::Attendee {
            confirmation: confirmation::DECLINED,
        };
        self == declined
    }
}

/// The people of an appointment as the user sees them.
#[derive(Clone, Debug)]
pub(super) struct People {
    pub(super) role: Role,
    organizer: Person,
    /// All but the organizer: devices show an organizer among them twice.
    attendees: Vec<Person>,
    /// Whether anybody but the user takes part, shown or not.
    pub(super) is_meeting: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Person {
    /// Of users and resources.
    id: Option<i64>,
    name: String,
    /// Empty if OX does not tell.
    address: String,
    confirmation: i64,
    is_resource: bool,
}

impl Person {
    fn is(&self, other: &Self) -> bool {
        let same_id = self.id.is_some() && self.id == other.id && self.is_resource == other.is_resource;
        same_id || (!self.address.is_empty() && self.address.eq_ignore_ascii_case(&other.address))
    }

    /// Devices show nothing where the name is empty.
    fn shown_name(&self) -> &str {
        if self.name.is_empty() {
            &self.address
        } else {
            &self.name
        }
    }
}

impl People {
    pub(super) fn of(object: &Object, user: &User) -> Self {
        let everybody = everybody(object, user);
        let organizer = organizer(object, user, &everybody);
        let own = everybody.iter().find(|person| is_user(person, user));
        let role = match own {
            Some(own) if !is_user(&organizer, user) => Role::Attendee {
                confirmation: own.confirmation,
            },
            _ => Role::Organizer,
        };
        let is_meeting = entries(object.json(columns::PARTICIPANTS))
            .map(|entry| participant(entry, user))
            .chain(everybody.iter().cloned())
            .any(|person| !is_user(&person, user));
        let attendees = everybody.into_iter().filter(|person| !person.is(&organizer));
        Self {
            role,
            attendees: attendees.collect(),
            organizer,
            is_meeting,
        }
    }

    /// An appointment without other people is the user's own: devices take it for somebody else's if nobody organizes
    /// it.
    pub(super) fn organizer_name(&self, user: &User) -> Option<Element> {
        let name = if self.is_meeting {
            &self.organizer.name
        } else {
            &user.name
        };
        (!name.is_empty()).then(|| Element::text(calendar::ORGANIZER_NAME, name))
    }

    pub(super) fn organizer_email(&self, user: &User) -> Option<Element> {
        let address = if self.is_meeting {
            &self.organizer.address
        } else {
            &user.address
        };
        (!address.is_empty()).then(|| Element::text(calendar::ORGANIZER_EMAIL, address))
    }

    pub(super) fn meeting_status(&self) -> i64 {
        match (self.is_meeting, self.role) {
            (false, _) => 0,
            (true, Role::Organizer) => meeting_status::MEETING,
            (true, Role::Attendee { .. }) => meeting_status::MEETING | meeting_status::RECEIVED,
        }
    }

    /// ResponseType: what the user has answered.
    pub(super) fn response_type(&self) -> i64 {
        match (self.is_meeting, self.role) {
            (false, _) => 0,
            (true, Role::Organizer) => RESPONSE_ORGANIZER,
            (true, Role::Attendee { confirmation }) => status(confirmation),
        }
    }

    /// Attendees; `None` if there are none to show, because an empty list makes Windows Phone fail.
    pub(super) fn attendees(&self) -> Option<Element> {
        let attendees: Vec<Element> = self.shown().map(attendee).collect();
        (!attendees.is_empty()).then(|| Element::parent(calendar::ATTENDEES, attendees))
    }

    /// Who organizes the meeting, and whether that is a user of this OX, whom OX tells of every answer.
    pub(super) fn organized_by(&self) -> (itip::Person, bool) {
        let person = itip::Person {
            name: self.organizer.name.clone(),
            address: self.organizer.address.clone(),
        };
        (person, self.organizer.id.is_some())
    }

    /// All others who are invited and have an address, with what they have answered.
    pub(super) fn invited(&self) -> Vec<itip::Attendee> {
        let attendees = self.shown().map(|person| itip::Attendee {
            person: itip::Person {
                name: person.name.clone(),
                address: person.address.clone(),
            },
            answer: itip::Answer::from_ox(person.confirmation),
            rsvp: None,
        });
        attendees.collect()
    }

    /// Those who have an address: devices and their mails stumble over attendees without.
    fn shown(&self) -> impl Iterator<Item = &Person> {
        self.attendees.iter().filter(|person| !person.address.is_empty())
    }

    /// The list of participants after a device has edited Attendees; `None` if it has changed nobody. Answers are never
    /// read: a device may hold old ones. Without any attendee nothing changes, as Windows sends that for no reason.
    pub(super) fn merged(&self, request: &Element, object: &Object, user: &User) -> Option<Value> {
        let wanted = wanted(request);
        if wanted.is_empty() {
            return None;
        }
        let added = wanted.iter().filter(|person| {
            let known = self
                .attendees
                .iter()
                .chain([&self.organizer])
                .any(|other| other.is(person));
            !known && !is_user(person, user)
        });
        let added: Vec<Value> = added.map(external).collect();
        let is_wanted = |person: &Person| wanted.iter().any(|other| other.is(person));
        let removed: Vec<&Person> = self.shown().filter(|person| !is_wanted(person)).collect();
        if added.is_empty() && removed.is_empty() {
            return None;
        }
        let mut participants: Vec<Value> = entries(object.json(columns::PARTICIPANTS))
            .filter(|entry| {
                let person = participant(entry, user);
                !removed.iter().any(|removed| removed.is(&person))
            })
            .cloned()
            .collect();
        participants.extend(added);
        Some(participants.into())
    }
}

/// The participants of a new appointment: the user, whatever the device has listed, and all others. The server turns
/// addresses of its users into those users.
pub(super) fn new_participants(request: &Element, user: &User) -> Value {
    let own = json!({"id": user.id, "type": participant_type::USER});
    let wanted = wanted(request);
    let others = wanted.iter().filter(|person| !is_user(person, user)).map(external);
    std::iter::once(own).chain(others).collect()
}

/// The organizer whom the device has named, if that is not the user.
pub(super) fn foreign_organizer<'a>(request: &'a Element, user: &User) -> Option<&'a str> {
    let address = bare_address(request.child_text(calendar::ORGANIZER_EMAIL)?);
    let received = request
        .child_text(calendar::MEETING_STATUS)
        .and_then(|status| status.trim().parse::<i64>().ok())
        .is_some_and(|status| status & meeting_status::RECEIVED != 0);
    (received && address.contains('@') && !user.owns(address)).then_some(address)
}

/// The participants of an appointment that is made of an invitation: the user, and everybody else in it.
pub(super) fn participants_of(meeting: &itip::Meeting, user: &User) -> Value {
    let own = json!({"id": user.id, "type": participant_type::USER});
    let invited = meeting.attendees.iter().map(|attendee| &attendee.person);
    let mut addresses: Vec<&str> = Vec::new();
    let mut others = Vec::new();
    for person in meeting.organizer.iter().chain(invited) {
        let is_known = addresses
            .iter()
            .any(|known| known.eq_ignore_ascii_case(&person.address));
        if is_known || user.owns(&person.address) {
            continue;
        }
        addresses.push(&person.address);
        others.push(external(&Person {
            name: person.name.clone(),
            address: person.address.clone(),
            ..Person::default()
        }));
    }
    std::iter::once(own).chain(others).collect()
}

/// In the order of `users`, then external people, then resources.
fn everybody(object: &Object, user: &User) -> Vec<Person> {
    let participants: Vec<Person> = entries(object.json(columns::PARTICIPANTS))
        .filter(|entry| is_person(entry))
        .map(|entry| participant(entry, user))
        .collect();
    let mut everybody: Vec<Person> = entries(object.json(columns::USERS))
        .map(|entry| Person {
            is_resource: false,
            ..participant(entry, user)
        })
        .collect();
    for person in &participants {
        match everybody.iter_mut().find(|known| known.is(person)) {
            Some(known) => complete(known, person),
            None => everybody.push(person.clone()),
        }
    }
    for entry in entries(object.json(columns::CONFIRMATIONS)) {
        let answer = participant(entry, user);
        if let Some(known) = everybody.iter_mut().find(|known| known.is(&answer)) {
            known.confirmation = answer.confirmation;
            complete(known, &answer);
        }
    }
    everybody
}

/// Fills in what one of OX's lists says of a person and another does not.
fn complete(person: &mut Person, other: &Person) {
    if person.name.is_empty() {
        person.name.clone_from(&other.name);
    }
    if person.address.is_empty() {
        person.address.clone_from(&other.address);
    }
}

/// `organizer` is an address, `organizerId` is younger, and older servers have neither for internal appointments.
fn organizer(object: &Object, user: &User, everybody: &[Person]) -> Person {
    let address = object.text(columns::ORGANIZER).map(bare_address).unwrap_or_default();
    let creator = || object.number(common::CREATED_BY);
    let id = object.number(columns::ORGANIZER_ID).filter(|id| *id > 0);
    let id = if address.is_empty() { id.or_else(creator) } else { id };
    let named = Person {
        id,
        address: address.to_owned(),
        ..Person::default()
    };
    if (id.is_none() && address.is_empty()) || is_user(&named, user) {
        return Person {
            id: Some(user.id),
            name: user.name.clone(),
            address: user.address.clone(),
            ..Person::default()
        };
    }
    let mut organizer = named.clone();
    if let Some(known) = everybody.iter().find(|person| person.is(&named)) {
        complete(&mut organizer, known);
        organizer.id = organizer.id.or(known.id);
    }
    organizer
}

fn is_user(person: &Person, user: &User) -> bool {
    !person.is_resource && (person.id == Some(user.id) || user.owns(&person.address))
}

fn is_person(entry: &Value) -> bool {
    let shown = [
        participant_type::USER,
        participant_type::RESOURCE,
        participant_type::EXTERNAL_USER,
    ];
    shown.contains(&kind(entry))
}

fn kind(entry: &Value) -> i64 {
    number(entry, "type").unwrap_or(participant_type::USER)
}

/// An entry of `participants`, `users` or `confirmations`. External people have ids of no meaning.
fn participant(entry: &Value, user: &User) -> Person {
    let text = |key: &str| {
        entry
            .get(key)
            .and_then(Value::as_str)
            .map(str::trim)
            .unwrap_or_default()
    };
    let kind = kind(entry);
    let is_external = kind >= participant_type::EXTERNAL_USER;
    let id = number(entry, "id").filter(|_| !is_external);
    let is_own = kind == participant_type::USER && id == Some(user.id);
    let address = bare_address(text("mail"));
    Person {
        id,
        name: text("display_name").to_owned(),
        address: if is_own { user.address.as_str() } else { address }.to_owned(),
        confirmation: number(entry, "confirmation")
            .or_else(|| number(entry, "status"))
            .unwrap_or(confirmation::NONE),
        // Groups are not people; they count as somebody else without being shown.
        is_resource: kind != participant_type::USER && !is_external,
    }
}

fn attendee(person: &Person) -> Element {
    let kind = if person.is_resource {
        attendee_type::RESOURCE
    } else {
        attendee_type::REQUIRED
    };
    let children = [
        Element::text(calendar::EMAIL, &person.address),
        Element::text(calendar::NAME, person.shown_name()),
        Element::number(calendar::ATTENDEE_STATUS, status(person.confirmation)),
        Element::number(calendar::ATTENDEE_TYPE, kind),
    ];
    Element::parent(calendar::ATTENDEE, children)
}

fn status(confirmation: i64) -> i64 {
    let known = CONFIRMATIONS.iter().find(|(ox, _)| *ox == confirmation);
    known.map_or(RESPONSE_NOT_RESPONDED, |(_, eas)| *eas)
}

/// The attendees of a request that have an address, each once.
fn wanted(request: &Element) -> Vec<Person> {
    let attendees = request.child(calendar::ATTENDEES);
    let mut wanted: Vec<Person> = Vec::new();
    for attendee in attendees
        .into_iter()
        .flat_map(|list| list.children_of(calendar::ATTENDEE))
    {
        let person = Person {
            name: attendee
                .child_text(calendar::NAME)
                .unwrap_or_default()
                .trim()
                .to_owned(),
            address: bare_address(attendee.child_text(calendar::EMAIL).unwrap_or_default()).to_owned(),
            ..Person::default()
        };
        if person.address.contains('@') && !wanted.iter().any(|other| other.is(&person)) {
            wanted.push(person);
        }
    }
    wanted
}

fn external(person: &Person) -> Value {
    json!({
        "type": participant_type::EXTERNAL_USER,
        "mail": person.address,
        "display_name": person.shown_name(),
    })
}

/// `a@b` out of `"Display" <a@b>` and `mailto:a@b`.
fn bare_address(text: &str) -> &str {
    let text = text::bare_address(text.trim());
    match text.split_at_checked(7) {
        Some((scheme, address)) if scheme.eq_ignore_ascii_case("mailto:") => address,
        _ => text,
    }
}

fn entries(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn number(entry: &Value, key: &str) -> Option<i64> {
    integer(entry.get(key)?)
}
