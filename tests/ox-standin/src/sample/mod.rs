//! Sample data: two users' worth of mail, folders, contacts, appointments and tasks, for demonstrations and tests.
//!
//! Deterministic: the same `now` gives the same data, byte by byte. Nothing here is of real people.

mod appointments;
mod mime;
mod people;
mod picture;
mod random;
mod shapes;
mod tasks;

use crate::mail::store::flag;
use crate::server::Standin;
use crate::web::WebUser;
use random::Random;
use shapes::SHAPES;
use shapes::Sample;

/// An hour in milliseconds.
const HOUR: i64 = 3_600_000;
/// A day in milliseconds.
const DAY: i64 = 24 * HOUR;
/// Mails in anton's inbox.
const INBOX_MAILS: usize = 240;

/// Fills a server that has the users `anton` and `berta`. Times lie around `now` (UTC ms).
///
/// # Panics
/// When one of the two users is missing.
pub fn fill(standin: &Standin, now: i64) {
    let mut random = Random::new(0x00C0_FFEE);
    let anton = standin.web("anton");
    let berta = standin.web("berta");
    people::fill(&anton, &mut random);
    appointments::fill(&anton, &berta, now);
    tasks::fill(&anton, now);
    mails(&anton, now, &mut random);
    for number in 0..12 {
        berta.deliver_mail_at(
            "default0/INBOX",
            &one(number, number, now, &mut random),
            arrival(now, number),
            0,
        );
    }
}

/// Every shape at least once in the inbox, and some in sub-folders.
fn mails(anton: &WebUser, now: i64, random: &mut Random) {
    for number in (0..INBOX_MAILS).rev() {
        let raw = one(number, number, now, random);
        let id = anton.deliver_mail_at("default0/INBOX", &raw, arrival(now, number), flags(number, random));
        if random.below(15) == 0 {
            anton.set_color("default0/INBOX", &id, random.number(1, 10));
        }
    }
    let folders = [
        ("default0/INBOX", "Projekte"),
        ("default0/INBOX/Projekte", "Brücke & Tunnel"),
        ("default0/INBOX", "Archiv 2023"),
    ];
    for (index, (parent, title)) in folders.into_iter().enumerate() {
        let id = anton.create_folder(parent, title, "mail");
        for number in 0..20 {
            let raw = one(number + index, 300 + number, now, random);
            anton.deliver_mail_at(&id, &raw, arrival(now, 300 + number), flag::SEEN);
        }
    }
    for number in 0..15 {
        let raw = shaped(&Sample::sent(500 + number, arrival(now, 500 + number), random), number);
        anton.deliver_mail_at("default0/INBOX/Sent", &raw, arrival(now, 500 + number), flag::SEEN);
    }
    anton.deliver_mail_at(
        "default0/INBOX/Drafts",
        &one(0, 600, now, random),
        now,
        flag::DRAFT | flag::SEEN,
    );
}

/// A received mail of the given shape.
fn one(shape: usize, number: usize, now: i64, random: &mut Random) -> Vec<u8> {
    shaped(&Sample::new(number, arrival(now, number), random), shape)
}

fn shaped(sample: &Sample, shape: usize) -> Vec<u8> {
    SHAPES
        .iter()
        .cycle()
        .nth(shape % SHAPES.len())
        .map_or_else(Vec::new, |(_, build)| build(sample))
}

/// The newer the mail, the smaller its number; the latest came minutes ago, the oldest months.
fn arrival(now: i64, number: usize) -> i64 {
    let number = i64::try_from(number).unwrap_or(0);
    now - number * number * 40_000 - number * 20 * 60_000 - 5 * 60_000
}

/// New mails are unseen, old ones mostly seen, a few flagged, answered or marked as deleted.
fn flags(number: usize, random: &mut Random) -> u32 {
    let mut flags = if number < 12 { flag::RECENT } else { 0 };
    let mut chance = |one_in: u64, bit: u32| flags |= if random.below(one_in) == 0 { bit } else { 0 };
    chance(20, flag::FLAGGED);
    chance(40, flag::DELETED);
    chance(25, flag::FORWARDED);
    if number >= 12 {
        chance(6, flag::ANSWERED);
        if random.below(5) != 0 {
            flags |= flag::SEEN;
        }
    }
    flags
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pim::Module;

    const NOW: i64 = 1_700_000_000_000;

    fn filled() -> Standin {
        let standin = Standin::builder().now(NOW).build();
        fill(&standin, NOW);
        standin
    }

    #[test]
    fn the_same_moment_gives_the_same_data() {
        let (one, two) = (filled(), filled());
        let mails = |standin: &Standin| standin.web("anton").mails("default0/INBOX");
        assert_eq!(mails(&one).len(), INBOX_MAILS);
        assert!(
            mails(&one)
                .iter()
                .zip(&mails(&two))
                .all(|(a, b)| a.raw == b.raw && a.flags == b.flags)
        );
        let contacts = |standin: &Standin| standin.web("anton").objects(Module::Contacts, 33);
        assert_eq!(contacts(&one), contacts(&two));
        assert!(contacts(&one).len() > 30);
    }

    #[test]
    fn files_are_told_from_bodies() {
        const WITH_FILES: &[&str] = &[
            "attachment",
            "several attachments",
            "nested message",
            "S/MIME signed",
            "S/MIME opaque",
            "encoded file name",
        ];
        let sample = Sample::new(1, NOW, &mut Random::new(1));
        for (name, build) in SHAPES {
            let meta = crate::mail::meta::Meta::of(&build(&sample));
            assert_eq!(meta.has_attachment, WITH_FILES.contains(name), "{name}");
        }
    }

    #[test]
    fn charsets_are_decoded() {
        let mut random = Random::new(1);
        let sample = Sample::new(1, NOW, &mut random);
        // Shape, a word of its text.
        let cases = [
            ("latin-1 quoted-printable", "Grüße"),
            ("windows-1252 8bit", "„Angebot“"),
            ("utf-8 base64", "Überraschung"),
            ("koi8-r base64", "Привет"),
            ("iso-2022-jp", "こんにちは"),
            ("alternative", "Grüße"),
        ];
        for (name, word) in cases {
            let build = SHAPES.iter().find(|(shape, _)| *shape == name).expect("a shape").1;
            let meta = crate::mail::meta::Meta::of(&build(&sample));
            assert!(meta.text.contains(word), "{name}: {}", meta.text);
        }
    }
}
