//! Tasks in all states, with alarms, and recurring ones.

use super::DAY;
use super::HOUR;
use crate::pim::Module;
use crate::web::WebUser;
use crate::zone::day_of;
use serde_json::json;

/// Title, status, percentage, priority, days until due.
const TASKS: &[(&str, u32, u32, u32, i64)] = &[
    ("Steuererklärung", 1, 0, 3, 14),
    ("Brücke prüfen", 2, 25, 2, 3),
    ("Angebot schreiben", 2, 80, 3, 1),
    ("Bücher zurückgeben", 3, 100, 1, -2),
    ("Warten auf Antwort", 4, 50, 2, 5),
    ("Keller aufräumen", 5, 0, 1, 90),
];

/// Fills the user's tasks.
pub(super) fn fill(user: &WebUser, now: i64) {
    let today = day_of(now);
    for (title, status, percent, priority, due) in TASKS {
        let end = today + due * DAY;
        let done = (*status == 3).then_some(end);
        user.create_task(json!({
            "title": title, "status": status, "percent_completed": percent, "priority": priority,
            "start_date": end - DAY, "end_date": end, "alarm": end + 8 * HOUR, "date_completed": done,
            "note": "Erste Zeile\nZweite Zeile", "categories": "Arbeit",
        }));
    }
    user.create_task(json!({"title": "Ohne Datum"}));
    user.create_task(json!({
        "title": "Blumen gießen", "start_date": today, "end_date": today, "recurrence_type": 1, "interval": 3,
    }));
    user.create_task(json!({
        "title": "Bericht", "start_date": today, "end_date": today + DAY, "recurrence_type": 3, "interval": 1, "day_in_month": 1,
    }));
    let folder = user.create_folder(&user.default_folder(Module::Tasks).to_string(), "Privat", "tasks");
    user.create_task(json!({"folder_id": folder, "title": "Geschenk kaufen", "private_flag": true}));
}
