//! Appointments: single, all-day, recurring ones with exceptions, across zones, with people.

use super::DAY;
use super::HOUR;
use crate::pim::Module;
use crate::web::WebUser;
use crate::zone::day_of;
use serde_json::json;

/// 00:00 UTC of the Monday at or before a day.
fn monday(day: i64) -> i64 {
    // 1970-01-01 was a Thursday.
    day - ((day / DAY + 3).rem_euclid(7)) * DAY
}

/// Fills the calendars around `now`.
pub(super) fn fill(anton: &WebUser, berta: &WebUser, now: i64) {
    let today = day_of(now);
    let week = monday(today);
    let folder = anton.default_folder(Module::Calendar);
    singles(anton, today);
    let team = anton.create_appointment(json!({
        "title": "Team", "location": "Raum 3", "start_date": week - 28 * DAY + 9 * HOUR, "end_date": week - 28 * DAY + 10 * HOUR,
        "recurrence_type": 2, "interval": 1, "days": 2, "alarm": 15, "timezone": "Europe/Berlin",
        "participants": [{"id": anton.id(), "type": 1}, {"id": berta.id(), "type": 1},
            {"type": 5, "mail": "eva.meier@example.org", "display_name": "Eva Meier"}],
    }));
    anton.update(
        Module::Calendar,
        folder,
        team,
        json!({
            "recurrence_date_position": week, "title": "Team (spät)",
            "start_date": week + 13 * HOUR, "end_date": week + 14 * HOUR,
        }),
    );
    anton.delete_occurrence(folder, team, week + 7 * DAY);
    anton.create_appointment(json!({
        "title": "Call with New York", "start_date": week + 14 * HOUR, "end_date": week + 15 * HOUR, "timezone": "America/New_York",
        "recurrence_type": 2, "interval": 2, "days": 2 + 8, "occurrences": 30,
    }));
    anton.create_appointment(json!({
        "title": "Monatsabschluss", "start_date": week + 15 * HOUR, "end_date": week + 16 * HOUR,
        "recurrence_type": 3, "interval": 1, "days": 62, "day_in_month": -1, "timezone": "Europe/Berlin",
    }));
    anton.create_appointment(json!({
        "title": "Geburtstag Eva", "start_date": today + 40 * DAY, "end_date": today + 41 * DAY, "full_time": true, "shown_as": 4,
        "recurrence_type": 4, "interval": 1, "month": 11, "day_in_month": 24,
    }));
    berta.create_appointment(json!({
        "title": "Planung mit Anton", "start_date": today + 3 * DAY + 8 * HOUR, "end_date": today + 3 * DAY + 9 * HOUR,
        "participants": [{"id": anton.id(), "type": 1}],
    }));
}

fn singles(anton: &WebUser, today: i64) {
    let timed = [
        ("Zahnarzt", -3, 7, 1, 1),
        ("Mittagessen", 0, 11, 1, 4),
        ("Abgabe", 1, 16, 1, 2),
        ("Über Mitternacht", 2, 22, 4, 1),
        ("Vor einem Jahr", -365, 9, 2, 1),
    ];
    for (title, day, hour, hours, shown_as) in timed {
        let start = today + day * DAY + hour * HOUR;
        anton.create_appointment(
            json!({"title": title, "start_date": start, "end_date": start + hours * HOUR, "shown_as": shown_as,
            "note": "Notiz mit Umlauten: äöü", "categories": "Privat", "alarm": 30}),
        );
    }
    for (title, day, days) in [("Urlaub", 10, 3), ("Feiertag", 25, 1)] {
        let start = today + day * DAY;
        anton.create_appointment(json!({"title": title, "start_date": start, "end_date": start + days * DAY, "full_time": true, "shown_as": 3}));
    }
    let secret = today + 5 * DAY + 17 * HOUR;
    anton.create_appointment(
        json!({"title": "Geheim", "start_date": secret, "end_date": secret + HOUR, "private_flag": true}),
    );
}
