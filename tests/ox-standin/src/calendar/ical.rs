//! The little of iCalendar (RFC 5545) that an invitation in a mail needs: one event with its people.

use crate::zone;
use crate::zone::Zone;
use jiff::civil::Date;
use jiff::civil::DateTime;
use jiff::civil::Time;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

/// One event of an iCalendar text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Event {
    /// REQUEST, CANCEL, REPLY.
    pub(super) method: String,
    pub(super) uid: String,
    pub(super) title: String,
    pub(super) location: String,
    pub(super) note: String,
    /// UTC ms, or 00:00 UTC of a day.
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) full_time: bool,
    pub(super) organizer: String,
    /// Addresses of the attendees.
    pub(super) attendees: Vec<String>,
    pub(super) sequence: i64,
    /// The day of the one occurrence that is meant.
    pub(super) occurrence: Option<i64>,
    /// Zone of the start.
    pub(super) timezone: Option<String>,
    /// A pattern in stored form: daily and weekly ones only.
    pub(super) pattern: Map<String, Value>,
}

/// A content line: name, parameters as written, value.
struct Line<'a> {
    name: String,
    parameters: &'a str,
    value: &'a str,
}

impl Event {
    /// The first event of a text, `None` without one that has UID and start.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
        let mut event = Self::default();
        let (mut inside, mut start, mut end) = (false, None, None);
        for line in unfolded.lines().filter_map(Line::parse) {
            match (line.name.as_str(), inside) {
                ("BEGIN", _) if line.value == "VEVENT" => inside = true,
                ("END", true) if line.value == "VEVENT" => break,
                ("METHOD", false) => line.value.clone_into(&mut event.method),
                ("UID", true) => line.value.clone_into(&mut event.uid),
                ("SUMMARY", true) => event.title = line.text(),
                ("LOCATION", true) => event.location = line.text(),
                ("DESCRIPTION", true) => event.note = line.text(),
                ("ORGANIZER", true) => event.organizer = line.address(),
                ("ATTENDEE", true) => event.attendees.push(line.address()),
                ("SEQUENCE", true) => event.sequence = line.value.parse().unwrap_or(0),
                ("RRULE", true) => event.pattern = pattern(line.value),
                ("RECURRENCE-ID", true) => event.occurrence = line.instant().map(|(at, _)| zone::day_of(at)),
                ("DTSTART", true) => {
                    start = line.instant();
                    event.timezone = line.parameter("TZID").map(str::to_owned);
                }
                ("DTEND", true) => end = line.instant(),
                _ => {}
            }
        }
        let (start, full_time) = start.filter(|_| !event.uid.is_empty())?;
        event.start = start;
        event.full_time = full_time;
        event.end = end.map_or(start + if full_time { zone::DAY } else { 0 }, |(end, _)| end);
        Some(event)
    }
}

/// `FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TU;COUNT=5` in stored form; empty for what is not daily or weekly.
fn pattern(rule: &str) -> Map<String, Value> {
    const DAYS: [&str; 7] = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
    let part = |name: &str| {
        let mut parts = rule.split(';').filter_map(|part| part.split_once('='));
        parts.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let number = |name: &str| part(name).and_then(|value| value.parse::<i64>().ok());
    let kind = match part("FREQ") {
        Some("DAILY") => 1,
        Some("WEEKLY") => 2,
        _ => return Map::new(),
    };
    let mut pattern = Map::new();
    pattern.insert("recurrence_type".to_owned(), json!(kind));
    pattern.insert("interval".to_owned(), json!(number("INTERVAL").unwrap_or(1)));
    if let Some(days) = part("BYDAY").filter(|_| kind == 2) {
        let bits = days
            .split(',')
            .filter_map(|day| DAYS.iter().position(|own| *own == day));
        pattern.insert("days".to_owned(), json!(bits.fold(0, |mask, bit| mask | 1 << bit)));
    }
    if let Some(count) = number("COUNT") {
        pattern.insert("occurrences".to_owned(), json!(count));
    }
    pattern
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut quoted = false;
        let colon = line.find(|c| {
            quoted ^= c == '"';
            c == ':' && !quoted
        })?;
        let (head, value) = (line.get(..colon)?, line.get(colon + 1..)?);
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        Some(Self {
            name: name.to_ascii_uppercase(),
            parameters,
            value,
        })
    }

    fn text(&self) -> String {
        self.value
            .replace("\\n", "\n")
            .replace("\\N", "\n")
            .replace("\\,", ",")
            .replace("\\;", ";")
            .replace("\\\\", "\\")
    }

    fn address(&self) -> String {
        let scheme = self
            .value
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"));
        scheme
            .and_then(|_| self.value.get(7..))
            .unwrap_or(self.value)
            .to_owned()
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.parameters.split(';').filter_map(|pair| pair.split_once('='));
        pairs
            .into_iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim_matches('"'))
    }

    /// A point in time and whether it is a whole day. Floating times count as UTC.
    fn instant(&self) -> Option<(i64, bool)> {
        let digits = |from: usize, to: usize| self.value.get(from..to)?.parse::<i8>().ok();
        let year = self.value.get(..4)?.parse().ok()?;
        let date = Date::new(year, digits(4, 6)?, digits(6, 8)?).ok()?;
        if self.value.len() == 8 {
            return Some((zone::day_ms(date), true));
        }
        let time = Time::new(digits(9, 11)?, digits(11, 13)?, digits(13, 15)?, 0).ok()?;
        let zone = if self.value.ends_with('Z') {
            None
        } else {
            self.parameter("TZID")
        };
        let zone = zone.map_or_else(Zone::utc, Zone::named_or_utc);
        Some((zone.instant(DateTime::from_parts(date, time)), false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invitation() {
        let text = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:u1\r\nDTSTART;TZID=\"Europe/Berlin\":20240108T100000\r\n\
            DTEND:20240108T100000Z\r\nSUMMARY:Br\u{fc}cke\\, gro\r\n \u{df}\r\nORGANIZER;CN=\"A: B\":mailto:a@x\r\nATTENDEE:MAILTO:b@x\r\n\
            END:VEVENT\r\nEND:VCALENDAR\r\n";
        let event = Event::parse(text).expect("an event");
        assert_eq!(
            (event.method.as_str(), event.title.as_str()),
            ("REQUEST", "Brücke, groß")
        );
        assert_eq!((event.start, event.end), (1_704_704_400_000, 1_704_708_000_000));
        assert_eq!(
            (event.organizer.as_str(), event.attendees),
            ("a@x", vec!["b@x".to_owned()])
        );
        let day = Event::parse("BEGIN:VEVENT\nUID:u\nDTSTART;VALUE=DATE:20240108\nEND:VEVENT\n").expect("an event");
        assert_eq!(
            (day.start, day.end, day.full_time),
            (1_704_672_000_000, 1_704_758_400_000, true)
        );
        assert_eq!(Event::parse("BEGIN:VEVENT\nUID:u\nDTSTART:2024\nEND:VEVENT\n"), None);
    }
}
