//! When an appointment is: instants or whole days, and how each version writes them.
//!
//! Knows nothing of patterns; an occurrence of a series is known here by its day alone, the one on which it would
//! begin if nobody had moved it. Implements [MS-ASCAL] StartTime, EndTime, AllDayEvent, Timezone and the rules for
//! missing times, and the API documentation, "Date and time", on full-day appointments.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::calendar::zone;
use crate::content::date;
use crate::content::date::DAY;
use crate::content::typed;
use crate::content::typed::unusable;
use crate::ox::Object;
use crate::ox::columns::calendar as columns;
use crate::version::ProtocolVersion::V14_1;
use crate::version::ProtocolVersion::V16_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::calendar;

const MINUTE: i64 = 60 * 1000;

/// How whole days are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WholeDays {
    /// As the instants of local midnight, with a Timezone that says where.
    LocalMidnight,
    /// As the digits of the day, without a Timezone.
    Digits,
}

const WHOLE_DAYS: [(VersionRange, WholeDays); 2] = [
    (VersionRange::until(V14_1), WholeDays::LocalMidnight),
    (VersionRange::since(V16_0), WholeDays::Digits),
];

/// Start and end as OX has them: days if `all_day`, instants otherwise; the end is exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Times {
    pub(super) all_day: bool,
    pub(super) start: i64,
    pub(super) end: i64,
}

impl Times {
    pub(super) fn of(object: &Object) -> Result<Self, Unconvertible> {
        let start = object.time(columns::START_DATE);
        let start = start.ok_or_else(|| Unconvertible("the appointment has no start_date".to_owned()))?;
        let end = object.time(columns::END_DATE).unwrap_or(start);
        let all_day = object.flag(columns::FULL_TIME).unwrap_or(false);
        Ok(Self::new(all_day, start, end))
    }

    /// Whole days last at least one, and no appointment ends before it begins.
    fn new(all_day: bool, start: i64, end: i64) -> Self {
        if !all_day {
            return Self {
                all_day,
                start,
                end: end.max(start),
            };
        }
        let start = date::midnight(start);
        Self {
            all_day,
            start,
            end: date::midnight(end).max(start.saturating_add(DAY)),
        }
    }

    /// All three fields: OX reads times as days or instants by the flag beside them.
    pub(super) fn to_ox(self, object: &mut Object) {
        object.set(columns::START_DATE, self.start);
        object.set(columns::END_DATE, self.end);
        object.set(columns::FULL_TIME, self.all_day);
    }

    /// Devices know no milliseconds: what is the same second stays what it was.
    pub(super) fn settled_on(self, current: &Self) -> Self {
        let settle = |new: i64, old: i64| {
            if new.div_euclid(1000) == old.div_euclid(1000) {
                old
            } else {
                new
            }
        };
        Self {
            all_day: self.all_day,
            start: settle(self.start, current.start),
            end: settle(self.end, current.end),
        }
    }
}

/// The zones by which the times of an appointment are written and read.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    form: WholeDays,
    /// In which the series is calculated.
    pub(super) zone: TimeZone,
    /// Its name for OX.
    pub(super) name: Option<String>,
    /// Of the user: their days begin at its midnight.
    home: TimeZone,
    /// Whether the device has named the zone.
    sent: bool,
}

impl Clock {
    /// By the zone OX has for an appointment, or the user's if it has none.
    pub(super) fn of(object: &Object, context: &Context<'_>) -> Self {
        let stored = object.text(columns::TIMEZONE);
        let stored = stored.and_then(|name| Some((TimeZone::get(name).ok()?, name)));
        let home = context.user.zone.clone();
        let form = WHOLE_DAYS
            .iter()
            .find(|(versions, _)| versions.contains(context.version));
        Self {
            form: form.map_or(WholeDays::Digits, |(_, form)| *form),
            name: match stored {
                Some((_, name)) => Some(name.to_owned()),
                None => home.iana_name().map(str::to_owned),
            },
            zone: stored.map_or_else(|| home.clone(), |(zone, _)| zone),
            home,
            sent: false,
        }
    }

    /// By the Timezone a device has sent; without one, or with one that nobody can read, as before.
    pub(super) fn requested(&self, request: &Element, now: i64) -> Self {
        let Some(blob) = request.child_text(calendar::TIMEZONE) else {
            return self.clone();
        };
        let start = request.child_text(calendar::START_TIME).and_then(date::parse);
        let years = [year(start.unwrap_or(now)), year(now)];
        let preferred: Vec<&str> = [self.name.as_deref(), self.home.iana_name()]
            .into_iter()
            .flatten()
            .collect();
        match zone::decode(blob, &years, &preferred) {
            Some(guess) => Self {
                zone: guess.zone,
                // A fixed offset that no name stands for: OX keeps the zone it has.
                name: guess.name.or_else(|| self.name.clone()),
                sent: true,
                ..self.clone()
            },
            None => self.clone(),
        }
    }

    /// The Timezone; `None` where the version leaves it out.
    pub(super) fn blob(&self, times: &Times) -> Option<String> {
        match (times.all_day, self.form) {
            (true, WholeDays::Digits) => None,
            (true, WholeDays::LocalMidnight) => Some(zone::encode(&self.home, year(times.start))),
            (false, _) => Some(zone::encode(&self.zone, year(times.start))),
        }
    }

    /// Writes a start or an end.
    pub(super) fn write(&self, all_day: bool, time: i64) -> String {
        match (all_day, self.form) {
            (true, WholeDays::LocalMidnight) => date::compact(date::start_of_day_in(time, &self.home)),
            _ => date::compact(time),
        }
    }

    /// Reads a start or an end.
    fn read(&self, all_day: bool, text: &str) -> Option<i64> {
        let instant = date::parse(text)?;
        Some(if all_day {
            self.day_beginning_at(instant)
        } else {
            instant
        })
    }

    /// The day whose beginning is meant. Devices are known to send midnight of another zone than they name, or the
    /// digits of the day whatever the version: what fits exactly is taken, else the nearest midnight.
    fn day_beginning_at(&self, instant: i64) -> i64 {
        let is_digits = date::midnight(instant) == instant;
        if is_digits && self.form == WholeDays::Digits {
            return instant;
        }
        let exact = self.midnights().find(|zone| begins_a_day(instant, zone));
        match exact {
            Some(zone) => nearest_day(instant, zone),
            None if is_digits => instant,
            None => nearest_day(instant, if self.sent { &self.zone } else { &self.home }),
        }
    }

    /// The zones whose midnight may be meant, the likelier first.
    fn midnights(&self) -> impl Iterator<Item = &TimeZone> {
        self.sent.then_some(&self.zone).into_iter().chain([&self.home])
    }

    /// When the occurrence of a day begins if nobody has moved it.
    pub(super) fn start_on(&self, day: i64, master: &Times) -> i64 {
        if master.all_day {
            return day;
        }
        let time_of_day = date::wall_clock(master.start, &self.zone).rem_euclid(DAY);
        date::from_wall_clock(day.saturating_add(time_of_day), &self.zone)
    }

    /// Start and end of the occurrence of a day if nobody has moved it.
    pub(super) fn occurrence_on(&self, day: i64, master: &Times) -> Times {
        let start = self.start_on(day, master);
        Times {
            start,
            end: start.saturating_add(master.end.saturating_sub(master.start)),
            ..*master
        }
    }

    /// The original start of the occurrence of a day.
    pub(super) fn write_occurrence(&self, day: i64, master: &Times) -> String {
        self.write(master.all_day, self.start_on(day, master))
    }

    /// The day of the occurrence whose original start is meant. Devices are known to send the date alone, and to be
    /// wrong by an hour after a change of clocks.
    pub(super) fn read_occurrence(&self, text: &str, master: &Times) -> Option<i64> {
        let instant = date::parse(text)?;
        if master.all_day {
            return Some(self.day_beginning_at(instant));
        }
        let local = date::day_in(instant, &self.zone);
        let distance = |day: &i64| self.start_on(*day, master).abs_diff(instant);
        let days = [local, local.saturating_sub(DAY), local.saturating_add(DAY)];
        let day = days.into_iter().min_by_key(distance)?;
        if date::midnight(instant) == instant && distance(&day) != 0 {
            return Some(instant);
        }
        Some(day)
    }

    /// Until: the original start of the occurrence that the last day would have.
    pub(super) fn write_until(&self, day: i64, master: &Times) -> String {
        self.write_occurrence(day, master)
    }

    /// The last day out of Until: some devices send its last occurrence, some its first or last second by the local
    /// clock, some its digits.
    pub(super) fn read_until(&self, text: &str, master: &Times) -> Option<i64> {
        let instant = date::parse(text)?;
        if master.all_day {
            return Some(self.day_beginning_at(instant));
        }
        let local = date::day_in(instant, &self.zone);
        let is_start = self.start_on(local, master) == instant;
        Some(if date::midnight(instant) == instant && !is_start {
            instant
        } else {
            local
        })
    }

    /// The times a device wants. `base` has those it leaves out; without a base they follow from `now`.
    pub(super) fn times(&self, request: &Element, base: Option<&Times>, now: i64) -> Result<Times, Unconvertible> {
        let start = instant(request, calendar::START_TIME)?;
        let end = instant(request, calendar::END_TIME)?;
        let flag = request.child(calendar::ALL_DAY_EVENT).map(typed::flag).transpose()?;
        let all_day = match (flag, base) {
            (Some(flag), _) => flag,
            (None, Some(base)) => base.all_day && self.are_midnights(start.into_iter().chain(end)),
            // Outlook sends whole days of a series without the flag.
            (None, None) => start < end && start.is_some() && self.are_midnights(start.into_iter().chain(end)),
        };
        let read = |text: Option<&str>| text.and_then(|text| self.read(all_day, text));
        let start = read(request.child_text(calendar::START_TIME));
        let end = read(request.child_text(calendar::END_TIME));
        let Some(base) = base else {
            let now = if all_day { date::day_in(now, &self.home) } else { now };
            let (start, end) = complete(all_day, start, end, now)?;
            return Ok(Times::new(all_day, start, end));
        };
        let base = self.turned(base, all_day);
        let start = start.unwrap_or(base.start);
        let moved_end = start.saturating_add(base.end.saturating_sub(base.start));
        let end = match end {
            Some(end) if end < start && !all_day => return Err(unusable(calendar::END_TIME)),
            Some(end) => end,
            None if base.end < start => moved_end,
            None => base.end,
        };
        Ok(Times::new(all_day, start, end).settled_on(&base))
    }

    /// The same times as whole days, or as instants, whichever is wanted.
    pub(super) fn turned(&self, times: &Times, all_day: bool) -> Times {
        let turn = |time| match (times.all_day, all_day) {
            (true, false) => date::start_of_day_in(time, &self.home),
            (false, true) => date::day_in(time, &self.home),
            _ => time,
        };
        Times::new(all_day, turn(times.start), turn(times.end))
    }

    fn are_midnights(&self, mut instants: impl Iterator<Item = i64>) -> bool {
        instants.all(|instant| {
            let is_digits = self.form == WholeDays::Digits && date::midnight(instant) == instant;
            is_digits || self.midnights().any(|zone| begins_a_day(instant, zone))
        })
    }
}

/// [MS-ASCAL] StartTime and EndTime, what a missing one means. Whole days need no half hours.
fn complete(all_day: bool, start: Option<i64>, end: Option<i64>, now: i64) -> Result<(i64, i64), Unconvertible> {
    let (step, length) = if all_day {
        (DAY, DAY)
    } else {
        (30 * MINUTE, 30 * MINUTE)
    };
    let soon = now.saturating_add((-now).rem_euclid(step));
    match (start, end) {
        (Some(start), Some(end)) if end < start && !all_day => Err(unusable(calendar::END_TIME)),
        (Some(start), Some(end)) => Ok((start, end)),
        (None, None) => Ok((soon, soon.saturating_add(length))),
        (None, Some(end)) if soon > end => Err(missing(calendar::START_TIME)),
        (None, Some(end)) => Ok((soon, end)),
        (Some(start), None) if all_day => Ok((start, start.saturating_add(DAY))),
        (Some(start), None) if start > now => Err(missing(calendar::END_TIME)),
        (Some(start), None) => Ok((start, soon.saturating_add(length))),
    }
}

/// `None` if the element is missing or empty.
fn instant(request: &Element, tag: Tag) -> Result<Option<i64>, Unconvertible> {
    match request.child_text(tag).map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => date::parse(text).map(Some).ok_or_else(|| unusable(tag)),
    }
}

fn missing(tag: Tag) -> Unconvertible {
    Unconvertible(format!("{} is missing", tag.name()))
}

fn begins_a_day(instant: i64, zone: &TimeZone) -> bool {
    date::start_of_day_in(nearest_day(instant, zone), zone) == instant
}

fn nearest_day(instant: i64, zone: &TimeZone) -> i64 {
    date::midnight(date::wall_clock(instant, zone).saturating_add(DAY / 2))
}

fn year(instant: i64) -> i16 {
    let timestamp = Timestamp::from_millisecond(instant).unwrap_or_default();
    TimeZone::UTC.to_datetime(timestamp).year()
}
