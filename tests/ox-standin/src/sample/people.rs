//! Contacts: people with addresses, birthdays and pictures, and distribution lists.

use super::DAY;
use super::picture::portrait;
use super::random::Random;
use crate::pim::Module;
use crate::web::WebUser;
use serde_json::json;

/// Given names and surnames.
pub(super) const NAMES: &[(&str, &str)] = &[
    ("Eva", "Meier"),
    ("Jürgen", "Groß"),
    ("Ana", "Núñez"),
    ("Wei", "Zhang"),
    ("Łukasz", "Żak"),
    ("Ольга", "Иванова"),
    ("太郎", "山田"),
    ("Siobhán", "O'Brien"),
    ("Åsa", "Öberg"),
    ("Mehmet", "Yılmaz"),
    ("Chloé", "Lefèvre"),
    ("John", "Smith"),
];

/// Companies and their cities.
const COMPANIES: &[(&str, &str)] = &[
    ("Brücken & Söhne GmbH", "Köln"),
    ("Tunnel AG", "Zürich"),
    ("Ferries Ltd.", "London"),
    ("Møller A/S", "Århus"),
];

/// An ASCII address for a name, whatever its script.
pub(super) fn address(given_name: &str, surname: &str) -> String {
    let plain = |name: &str| -> String {
        let ascii: String = name.chars().filter(char::is_ascii_alphabetic).collect();
        let sum: u32 = name.chars().map(u32::from).sum();
        if ascii.len() >= 2 {
            ascii.to_ascii_lowercase()
        } else {
            format!("n{}", sum % 1000)
        }
    };
    format!("{}.{}@example.org", plain(given_name), plain(surname))
}

/// Fills the user's contacts and one more folder of them.
pub(super) fn fill(user: &WebUser, random: &mut Random) {
    let more = user.create_folder(
        &user.default_folder(Module::Contacts).to_string(),
        "Gesammelte Adressen",
        "contacts",
    );
    let mut members = Vec::new();
    for number in 0..40_u32 {
        let (given_name, surname) = random.pick(NAMES).copied().unwrap_or(("Eva", "Meier"));
        let (company, city) = random.pick(COMPANIES).copied().unwrap_or(("Tunnel AG", "Zürich"));
        let mail = address(given_name, surname);
        let birthday = (i64::from(random.number(0, 20_000)) - 7_000) * DAY;
        let contact = json!({
            "display_name": format!("{surname}, {given_name}"),
            "first_name": given_name, "last_name": surname, "file_as": format!("{surname}, {given_name}"),
            "company": company, "city_business": city, "country_business": "Europa",
            "street_business": format!("Hauptstraße {number}"), "postal_code_business": format!("{:05}", 50_000 + number),
            "email1": mail, "telephone_business1": format!("+49 221 {:06}", 1000 + number),
            "cellular_telephone1": format!("+49 170 {:07}", 5000 + number),
            "birthday": birthday, "categories": if number % 7 == 0 { "Kunden, Wichtig" } else { "" },
            "note": if number % 5 == 0 { "Zeile eins\nZeile zwei" } else { "" },
        });
        let id = user.create_contact(contact);
        if number % 4 == 0 {
            let colour = |shift: u32| u8::try_from(number * shift % 180).unwrap_or(0);
            user.set_picture(id, "image/png", &portrait(colour(7), colour(13), colour(29)));
        }
        if number < 3 {
            members.push(json!({"id": id, "folder_id": user.default_folder(Module::Contacts),
                "display_name": format!("{surname}, {given_name}"), "mail": mail, "mail_field": 1}));
        }
    }
    members.push(json!({"display_name": "Extern", "mail": "extern@example.net", "mail_field": 0}));
    user.create_contact(
        json!({"display_name": "Projektgruppe", "mark_as_distributionlist": true, "distribution_list": members}),
    );
    for number in 0..5 {
        let mail = format!("kunde{number}@example.net");
        user.create_contact(json!({"folder_id": more.clone(), "display_name": mail, "email1": mail}));
    }
}
