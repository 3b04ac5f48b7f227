//! Out-of-office: Oof of Settings on one side, the rule of the mail server on the other.
//!
//! OX has one text for everybody, and days in place of times. Pure. Implements [MS-ASCMD] Settings, Oof, and the API
//! documentation, "Module mailfilter".

use jiff::tz::TimeZone;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::content::BodyType;
use crate::content::User;
use crate::content::date;
use crate::content::text;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::settings as tag;

/// After so many days the same sender gets the notice again, where the rule does not say.
const DAYS_BETWEEN: u8 = 7;

/// Whom a message is for, in the order in which they are sent. OX tells none of them apart; the first that has a text wins.
const AUDIENCES: [Tag; 3] = [
    tag::APPLIES_TO_INTERNAL,
    tag::APPLIES_TO_EXTERNAL_KNOWN,
    tag::APPLIES_TO_EXTERNAL_UNKNOWN,
];

/// When the notice is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OofState {
    Off,
    On,
    /// From the first instant until just before the second, in milliseconds since 1970.
    During(i64, i64),
}

/// A change that a device asks for; what it leaves out stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OofChange {
    state: Option<OofState>,
    /// Plain text.
    message: Option<String>,
}

/// The request breaks the rules: Status 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Reads `Set`.
pub fn change(set: &Element) -> Result<OofChange, Malformed> {
    let time = |tag| match set.child_text(tag) {
        None => Ok(None),
        Some(text) => date::parse(text).map(Some).ok_or(Malformed),
    };
    let (start, end) = (time(tag::START_TIME)?, time(tag::END_TIME)?);
    if start.is_some() != end.is_some() {
        return Err(Malformed);
    }
    let state = match (set.child_text(tag::OOF_STATE).map(str::trim), start.zip(end)) {
        (None, _) => None,
        (Some("0"), _) => Some(OofState::Off),
        (Some("1"), _) => Some(OofState::On),
        (Some("2"), Some((start, end))) if start < end => Some(OofState::During(start, end)),
        _ => return Err(Malformed),
    };
    let mut texts = [None, None, None];
    for message in set.children_of(tag::OOF_MESSAGE) {
        let audience = AUDIENCES.iter().position(|tag| message.child(*tag).is_some());
        let place = audience.and_then(|index| texts.get_mut(index)).ok_or(Malformed)?;
        *place = message_text(message)?;
    }
    Ok(OofChange {
        state,
        message: texts.into_iter().flatten().next(),
    })
}

/// The text of one message; nothing if it is for an audience that gets none.
fn message_text(message: &Element) -> Result<Option<String>, Malformed> {
    let Some(reply) = message.child_text(tag::REPLY_MESSAGE) else {
        return Ok(None);
    };
    let kind = match message.child_text(tag::BODY_TYPE).map(str::trim) {
        Some(kind) if kind.eq_ignore_ascii_case("text") => BodyType::Plain,
        Some(kind) if kind.eq_ignore_ascii_case("html") => BodyType::Html,
        _ => return Err(Malformed),
    };
    let enabled = message.child_text(tag::ENABLED).is_none_or(|flag| flag.trim() != "0");
    let text = text::plain(kind, reply).map(|text| text.trim_end().to_owned());
    Ok(text.filter(|text| enabled && !text.is_empty()))
}

/// The rule after a change; `None` if there is none and none is needed. Whatever else the rule says stays.
pub fn apply(rule: Option<Map<String, Value>>, change: &OofChange, user: &User) -> Option<Map<String, Value>> {
    let wanted = change.message.is_some() || !matches!(change.state, None | Some(OofState::Off));
    if rule.is_none() && !wanted {
        return None;
    }
    let mut rule = rule.unwrap_or_else(|| new_rule(user));
    if let Some(state) = change.state {
        rule.insert("active".to_owned(), (state != OofState::Off).into());
        match state {
            // Kept for the day when it is switched on again.
            OofState::Off => {}
            OofState::On => {
                rule.insert("test".to_owned(), json!({"id": "true"}));
            }
            OofState::During(start, end) => {
                rule.insert("test".to_owned(), between(start, end, &user.zone));
            }
        }
    }
    if let (Some(message), Some(action)) = (&change.message, vacation_mut(&mut rule)) {
        action.insert("text".to_owned(), message.clone().into());
    }
    Some(rule)
}

fn new_rule(user: &User) -> Map<String, Value> {
    let rule = json!({
        "rulename": "vacation notice",
        "active": false,
        "flags": ["vacation"],
        "test": {"id": "true"},
        "actioncmds": [{"id": "vacation", "days": DAYS_BETWEEN, "addresses": user.addresses, "text": ""}],
    });
    match rule {
        Value::Object(rule) => rule,
        _ => Map::new(),
    }
}

/// Days in the user's zone, both included.
fn between(start: i64, end: i64, zone: &TimeZone) -> Value {
    let bound = |comparison: &str, day: i64| json!({"id": "currentdate", "comparison": comparison, "datepart": "date", "datevalue": [day]});
    let (first, last) = (date::day_in(start, zone), date::day_in(end - 1, zone));
    json!({"id": "allof", "tests": [bound("ge", first), bound("le", last)]})
}

fn vacation_mut(rule: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    let actions = rule.get_mut("actioncmds")?.as_array_mut()?;
    let mut actions = actions.iter_mut().filter_map(Value::as_object_mut);
    actions.find(|action| action.get("id").is_some_and(|id| id == "vacation"))
}

/// The children of `Get`. A notice that is off is told without messages: with them, iOS never stops loading.
pub fn shown(rule: Option<&Map<String, Value>>, as_html: bool, zone: &TimeZone) -> Vec<Element> {
    let state = rule.map_or(OofState::Off, |rule| state(rule, zone));
    let number = |state: u8| Element::number(tag::OOF_STATE, state);
    let mut shown = match state {
        OofState::Off => return vec![number(0)],
        OofState::On => vec![number(1)],
        OofState::During(start, end) => vec![
            number(2),
            Element::text(tag::START_TIME, date::hyphenated(start)),
            Element::text(tag::END_TIME, date::hyphenated(end)),
        ],
    };
    let message = rule.map(message).unwrap_or_default();
    let (kind, message) = match as_html {
        true => ("HTML", html(&message)),
        false => ("Text", message),
    };
    let messages = AUDIENCES.iter().map(|audience| {
        let children = [
            Element::empty(*audience),
            Element::flag(tag::ENABLED, true),
            Element::text(tag::REPLY_MESSAGE, message.clone()),
            Element::text(tag::BODY_TYPE, kind),
        ];
        Element::parent(tag::OOF_MESSAGE, children)
    });
    shown.extend(messages);
    shown
}

fn state(rule: &Map<String, Value>, zone: &TimeZone) -> OofState {
    if rule.get("active").and_then(Value::as_bool) != Some(true) {
        return OofState::Off;
    }
    let tests = rule
        .get("test")
        .and_then(|test| test.get("tests"))
        .and_then(Value::as_array);
    let day = |comparison: &str| {
        let mut tests = tests?.iter();
        let is_bound = |test: &&Value| {
            test.get("id").is_some_and(|id| id == "currentdate")
                && test.get("comparison").is_some_and(|own| own == comparison)
        };
        tests.find(is_bound)?.get("datevalue")?.get(0)?.as_i64()
    };
    match (day("ge"), day("le")) {
        (Some(first), Some(last)) => {
            let instant = |day: i64| date::start_of_day_in(date::midnight(day), zone);
            OofState::During(instant(first), instant(last + date::DAY))
        }
        _ => OofState::On,
    }
}

fn message(rule: &Map<String, Value>) -> String {
    let actions = rule.get("actioncmds").and_then(Value::as_array);
    let text = actions
        .into_iter()
        .flatten()
        .find_map(|action| action.get("text")?.as_str());
    text::clean(text.unwrap_or_default())
}

/// Plain text as HTML that shows the same.
fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<html><body>{}</body></html>",
        escaped.replace("\r\n", "\n").replace('\n', "<br>")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: i64 = 1_704_067_200_000;

    fn user() -> User {
        User {
            id: 3,
            name: "Anton".to_owned(),
            address: "anton@example.com".to_owned(),
            addresses: vec!["anton@example.com".to_owned()],
            zone: TimeZone::get("Europe/Berlin").unwrap(),
        }
    }

    fn text(tag: Tag, text: &str) -> Element {
        Element::text(tag, text)
    }

    fn message(audience: Tag, reply: &str, kind: &str) -> Element {
        let mut children = vec![Element::empty(audience), text(tag::REPLY_MESSAGE, reply)];
        children.extend((!kind.is_empty()).then(|| text(tag::BODY_TYPE, kind)));
        Element::parent(tag::OOF_MESSAGE, children)
    }

    fn set(children: Vec<Element>) -> Element {
        Element::parent(tag::SET, children)
    }

    #[test]
    fn what_breaks_the_rules() {
        let (start, end) = ("2024-01-01T00:00:00.000Z", "2024-01-08T00:00:00.000Z");
        let times = |first: &str, last: &str| vec![text(tag::START_TIME, first), text(tag::END_TIME, last)];
        let state = |state: &str, more: Vec<Element>| set([vec![text(tag::OOF_STATE, state)], more].concat());
        // Set, whether it is good
        let cases = [
            (state("0", vec![]), true),
            (state("1", times(start, end)), true),
            (state("2", times(start, end)), true),
            (state("2", times(end, start)), false),
            (state("2", vec![]), false),
            (state("2", vec![text(tag::START_TIME, start)]), false),
            (state("2", times("soon", end)), false),
            (state("3", vec![]), false),
            (set(vec![message(tag::APPLIES_TO_INTERNAL, "Away", "Text")]), true),
            (set(vec![message(tag::APPLIES_TO_INTERNAL, "Away", "")]), false),
            (set(vec![message(tag::STATUS, "Away", "Text")]), false),
        ];
        for (set, good) in cases {
            assert_eq!(change(&set).is_ok(), good, "{set:?}");
        }
    }

    #[test]
    fn there_and_back() {
        // 1 January in Berlin begins at 23:00Z.
        let set = set(vec![
            text(tag::OOF_STATE, "2"),
            text(tag::START_TIME, "2023-12-31T23:00:00.000Z"),
            text(tag::END_TIME, "2024-01-07T23:00:00.000Z"),
            message(tag::APPLIES_TO_EXTERNAL_KNOWN, "To others", "Text"),
            message(tag::APPLIES_TO_INTERNAL, "Away<br>until <b>Monday</b>", "HTML"),
        ]);
        let rule = apply(None, &change(&set).unwrap(), &user()).unwrap();
        assert_eq!(rule["active"], true);
        assert_eq!(rule["actioncmds"][0]["text"], "Away\nuntil Monday");
        assert_eq!(rule["test"]["tests"][0]["datevalue"], json!([FIRST]));
        assert_eq!(rule["test"]["tests"][1]["datevalue"], json!([FIRST + 6 * date::DAY]));
        let shown = Element::parent(tag::GET, shown(Some(&rule), false, &user().zone));
        assert_eq!(shown.child_text(tag::START_TIME), Some("2023-12-31T23:00:00.000Z"));
        assert_eq!(shown.child_text(tag::END_TIME), Some("2024-01-07T23:00:00.000Z"));
        assert_eq!(shown.children_of(tag::OOF_MESSAGE).count(), 3);
    }

    #[test]
    fn the_rest_of_the_rule_stays() {
        let Value::Object(rule) = json!({"id": 3, "position": 2, "active": true, "flags": ["vacation"],
            "test": {"id": "true"}, "actioncmds": [{"id": "keep"}, {"id": "vacation", "days": 1, "text": "A"}]})
        else {
            unreachable!()
        };
        let off = change(&set(vec![text(tag::OOF_STATE, "0")])).unwrap();
        let after = apply(Some(rule.clone()), &off, &user()).unwrap();
        assert_eq!(
            shown(Some(&after), false, &user().zone),
            [Element::number(tag::OOF_STATE, 0)]
        );
        assert_eq!(after["actioncmds"], rule["actioncmds"]);
        assert_eq!((&after["id"], &after["position"]), (&json!(3), &json!(2)));
        assert_eq!(apply(None, &off, &user()), None);
    }
}
