//! Shapes of mails as they arrive in the real world, good ones and broken ones; one row per shape.

use super::mime::base64_lines;
use super::mime::encode;
use super::mime::encoded_words;
use super::mime::file_part;
use super::mime::inline_part;
use super::mime::multipart;
use super::mime::text_part;
use super::people::NAMES;
use super::picture::portrait;
use super::random::Random;
use mail_parser::DateTime;

/// What one mail is made of before it takes its shape.
#[derive(Debug)]
pub(super) struct Sample {
    number: usize,
    /// Date header in UTC seconds.
    sent: i64,
    /// From the user to the person instead of the other way round.
    outgoing: bool,
    given_name: &'static str,
    surname: &'static str,
    subject: &'static str,
}

/// A shape: its name and how it is built.
pub(super) type Shape = (&'static str, fn(&Sample) -> Vec<u8>);

/// All shapes.
pub(super) const SHAPES: &[Shape] = &[
    ("plain", |mail| {
        mail.message("", text_part("plain", "us-ascii", "7bit", PLAIN))
    }),
    ("latin-1 quoted-printable", |mail| {
        mail.message("", text_part("plain", "iso-8859-1", "quoted-printable", GERMAN))
    }),
    ("windows-1252 8bit", |mail| {
        mail.message("", text_part("plain", "windows-1252", "8bit", OFFER))
    }),
    ("utf-8 base64", |mail| {
        mail.message("", text_part("plain", "utf-8", "base64", SURPRISE))
    }),
    ("koi8-r base64", |mail| {
        mail.titled(
            "koi8-r",
            "Привет из Москвы",
            text_part("plain", "koi8-r", "base64", RUSSIAN),
        )
    }),
    ("iso-2022-jp", |mail| {
        mail.titled(
            "iso-2022-jp",
            "会議のお知らせ",
            text_part("plain", "iso-2022-jp", "7bit", JAPANESE),
        )
    }),
    ("alternative", |mail| mail.message("", alternative("alt"))),
    ("html only", |mail| {
        mail.message("", text_part("html", "utf-8", "quoted-printable", HTML))
    }),
    ("attachment", |mail| {
        mail.message(
            "",
            mixed(vec![
                alternative("inner"),
                file_part("application/pdf", "Angebot.pdf", PDF),
            ]),
        )
    }),
    ("several attachments", several_attachments),
    ("inline picture", |mail| mail.message("", related())),
    ("nested message", nested),
    ("S/MIME signed", signed),
    ("S/MIME opaque", opaque),
    ("invitation", invitation),
    ("empty body", |mail| {
        mail.message("", b"Content-Type: text/plain\r\n\r\n".to_vec())
    }),
    ("long subject", |mail| {
        mail.titled(
            "utf-8",
            LONG_SUBJECT,
            text_part("plain", "utf-8", "quoted-printable", GERMAN),
        )
    }),
    ("receipt and priority", |mail| {
        let headers =
            "X-Priority: 1\r\nImportance: High\r\nDisposition-Notification-To: \"Büro\" <buero@example.org>\r\n";
        mail.message(headers, text_part("plain", "utf-8", "8bit", GERMAN))
    }),
    ("newsletter", |mail| {
        let headers =
            "List-Id: <news.example.org>\r\nList-Unsubscribe: <https://example.org/u>\r\nPrecedence: bulk\r\n";
        mail.message(headers, alternative("news"))
    }),
    ("format flowed", |mail| {
        mail.message(
            "",
            format!("Content-Type: text/plain; charset=utf-8; format=flowed; delsp=yes\r\n\r\n{FLOWED}").into_bytes(),
        )
    }),
    ("large text", |mail| {
        mail.message("", text_part("plain", "utf-8", "quoted-printable", &GERMAN.repeat(200)))
    }),
    ("encoded file name", encoded_file_name),
    ("deep multiparts", deep),
    ("bare line feeds", |mail| {
        unix_lines(&mail.message("", alternative("lf")))
    }),
    ("raw 8-bit subject", raw_subject),
    ("missing boundary", missing_boundary),
    ("unknown charset", |mail| {
        mail.message(
            "",
            b"Content-Type: text/plain; charset=x-unknown-9\r\n\r\nGr\xfc\xdfe\r\n".to_vec(),
        )
    }),
    ("broken base64", |mail| {
        mail.message(
            "",
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nR3LD!!dMO\r\n=?=\r\n"
                .to_vec(),
        )
    }),
    ("hardly any headers", |mail| {
        format!("Subject: Nachricht {}\r\n\r\nOhne Absender.\r\n", mail.number).into_bytes()
    }),
];

const PLAIN: &str =
    "Hello,\r\n\r\nplease call me back.\r\n> Is it > or < ?\r\n\r\nBest regards\r\n-- \r\nSent from nowhere\r\n";
const GERMAN: &str = "Grüße aus Köln,\r\n\r\ndie Straßenbahn fährt um 8 Uhr; das kostet 3 Euro = 300 Cent.\r\nÄpfel, Öl und Übermut.\r\n";
const OFFER: &str = "Unser „Angebot“ – nur heute für 9,99 €…\r\n";
const SURPRISE: &str = "Überraschung \u{1f389}\r\n\r\nEin Lächeln \u{1f600} und ein 你好.\r\n";
const RUSSIAN: &str = "Привет!\r\n\r\nКак дела? Погода хорошая.\r\n";
const JAPANESE: &str = "こんにちは。\r\n\r\n来週の会議は月曜日です。\r\n";
const FLOWED: &str = "This paragraph was broken by the sender \r\nand flows together again.\r\n> quoted \r\n> text\r\n";
const HTML: &str = "<html><head><style>p { color: #333 }</style></head><body><p>Grüße,</p><p>siehe <a href=\"https://example.org/?a=1&amp;b=2\">hier</a>.</p>\r\n<script>alert(1)</script></body></html>\r\n";
const LONG_SUBJECT: &str = "Ein außergewöhnlich langer Betreff über Brücken, Tunnel und Fähren, der über mehrere Zeilen geht \u{1f309} und dabei Umlaute über Wortgrenzen hinweg enthält";
const PDF: &[u8] = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n";

/// Subjects of ordinary mails.
const SUBJECTS: &[&str] = &[
    "Angebot für die Brücke",
    "Re: Besprechung am Montag",
    "Rechnung Nr. 2023-117",
    "Lunch?",
    "Fwd: Fotos vom Ausflug",
    "Протокол встречи",
    "Änderung des Termins",
    "Status report, week 46",
    "Einladung zum Sommerfest",
    "Passwort läuft ab",
];

impl Sample {
    /// A mail that arrives at `received` (UTC ms).
    pub(super) fn new(number: usize, received: i64, random: &mut Random) -> Self {
        let (given_name, surname) = random.pick(NAMES).copied().unwrap_or(("Eva", "Meier"));
        let subject = random.pick(SUBJECTS).copied().unwrap_or("Hi");
        Self {
            number,
            sent: received.div_euclid(1000) - 45,
            outgoing: false,
            given_name,
            surname,
            subject,
        }
    }

    /// A mail that the user sent at that time.
    pub(super) fn sent(number: usize, at: i64, random: &mut Random) -> Self {
        Self {
            outgoing: true,
            ..Self::new(number, at, random)
        }
    }

    fn address(&self) -> String {
        super::people::address(self.given_name, self.surname)
    }

    /// The mail with the sample's own subject.
    fn message(&self, headers: &str, content: Vec<u8>) -> Vec<u8> {
        let subject = if self.subject.is_ascii() {
            self.subject.to_owned()
        } else {
            encoded_words("utf-8", self.subject)
        };
        self.whole(&subject, headers, content)
    }

    /// The mail with a subject in a charset of its own.
    fn titled(&self, charset: &str, subject: &str, content: Vec<u8>) -> Vec<u8> {
        self.whole(&encoded_words(charset, subject), "", content)
    }

    fn whole(&self, subject: &str, headers: &str, content: Vec<u8>) -> Vec<u8> {
        let name = format!("{} {}", self.given_name, self.surname);
        let name = if name.is_ascii() {
            format!("\"{name}\"")
        } else {
            encoded_words("utf-8", &name)
        };
        let person = format!("{name} <{}>", self.address());
        let user = "\"Anton Anders\" <anton@example.com>".to_owned();
        let (from, to) = if self.outgoing { (user, person) } else { (person, user) };
        let date = DateTime::from_timestamp(self.sent).to_rfc822();
        let number = self.number;
        let mut whole = format!(
            "Received: from mx.example.org by mail.example.com with ESMTP id {number}; {date}\r\n\
             From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: {date}\r\n\
             Message-ID: <sample-{number}@example.org>\r\nMIME-Version: 1.0\r\n{headers}"
        )
        .into_bytes();
        whole.extend(content);
        whole
    }
}

fn alternative(boundary: &str) -> Vec<u8> {
    let plain = text_part("plain", "utf-8", "quoted-printable", GERMAN);
    multipart(
        "alternative",
        boundary,
        "",
        &[plain, text_part("html", "utf-8", "base64", HTML)],
    )
}

fn mixed(parts: Vec<Vec<u8>>) -> Vec<u8> {
    multipart("mixed", "=_mixed:1", "", &parts)
}

fn several_attachments(mail: &Sample) -> Vec<u8> {
    let parts = vec![
        text_part("plain", "iso-8859-1", "quoted-printable", GERMAN),
        file_part("image/png", "Foto.png", &portrait(90, 120, 40)),
        file_part(
            "text/csv; charset=iso-8859-1",
            "Tabelle.csv",
            &encode("iso-8859-1", "Straße;Größe\r\n1;2\r\n"),
        ),
        file_part("application/octet-stream", "leer.bin", b""),
    ];
    mail.message("", mixed(parts))
}

fn related() -> Vec<u8> {
    let html = "<p>Seht das Bild: <img src=\"cid:bild1@example.org\" alt=\"Bild\"></p>";
    let parts = [
        text_part("html", "utf-8", "quoted-printable", html),
        inline_part("image/png", "bild.png", "bild1@example.org", &portrait(40, 90, 160)),
    ];
    let rich = multipart("related", "rel", "; type=\"text/html\"", &parts);
    multipart(
        "alternative",
        "outer",
        "",
        &[
            text_part("plain", "utf-8", "quoted-printable", "Seht das Bild: [Bild]"),
            rich,
        ],
    )
}

fn nested(mail: &Sample) -> Vec<u8> {
    let inner = Sample {
        number: mail.number + 10_000,
        sent: mail.sent - 86_400,
        ..*mail
    };
    let mut forwarded =
        b"Content-Type: message/rfc822\r\nContent-Disposition: attachment; filename=\"Original.eml\"\r\n\r\n".to_vec();
    forwarded.extend(inner.message(
        "",
        mixed(vec![
            alternative("deep"),
            file_part("application/pdf", "innen.pdf", PDF),
        ]),
    ));
    let note = text_part("plain", "utf-8", "quoted-printable", "Zur Kenntnis.");
    mail.message("", multipart("mixed", "fwd", "", &[note, forwarded]))
}

/// Shaped like a signed mail; the signature is no real one.
fn signed(mail: &Sample) -> Vec<u8> {
    let signature = format!(
        "Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n{}",
        base64_lines(b"0\x80\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02 not a signature")
    );
    let parameters = "; protocol=\"application/pkcs7-signature\"; micalg=sha-256";
    let parts = [
        text_part("plain", "utf-8", "quoted-printable", GERMAN),
        signature.into_bytes(),
    ];
    mail.message("", multipart("signed", "sig", parameters, &parts))
}

fn opaque(mail: &Sample) -> Vec<u8> {
    let content = format!(
        "Content-Type: application/pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n{}",
        base64_lines(b"0\x80\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02 neither this")
    );
    mail.message("", content.into_bytes())
}

/// A meeting request from outside, for the day after tomorrow at 10:00 UTC.
fn invitation(mail: &Sample) -> Vec<u8> {
    let day = DateTime::from_timestamp(mail.sent + 2 * 86_400);
    let stamp = |hour: u8| format!("{:04}{:02}{:02}T{hour:02}0000Z", day.year, day.month, day.day);
    let ical = format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//Sample//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
         UID:invitation-{number}@example.org\r\nDTSTAMP:{start}\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:Brückenschau\r\n\
         LOCATION:Köln\r\nORGANIZER;CN=\"{name}\":mailto:{address}\r\n\
         ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:anton@example.com\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        number = mail.number,
        start = stamp(10),
        end = stamp(11),
        name = mail.surname,
        address = mail.address(),
    );
    let mut part =
        b"Content-Type: text/calendar; method=REQUEST; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            .to_vec();
    part.extend(base64_lines(ical.as_bytes()).into_bytes());
    let plain = text_part("plain", "utf-8", "quoted-printable", "Brückenschau in Köln");
    mail.message("", multipart("alternative", "inv", "", &[plain, part]))
}

fn encoded_file_name(mail: &Sample) -> Vec<u8> {
    let file = format!(
        "Content-Type: application/pdf\r\nContent-Disposition: attachment; filename*0*=UTF-8''Pr%C3%BCf; filename*1*=bericht%20%E2%82%AC.pdf\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n{}",
        base64_lines(PDF)
    );
    let old = format!(
        "Content-Type: application/pdf; name=\"{}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n{}",
        encoded_words("utf-8", "Größe.pdf"),
        base64_lines(PDF)
    );
    let plain = text_part("plain", "utf-8", "8bit", "Zwei Dateien.");
    mail.message("", mixed(vec![plain, file.into_bytes(), old.into_bytes()]))
}

fn deep(mail: &Sample) -> Vec<u8> {
    let mut content = text_part("plain", "utf-8", "quoted-printable", "ganz unten");
    for level in 0..12 {
        content = multipart(
            "mixed",
            &format!("level-{level}"),
            "",
            &[content, text_part("plain", "utf-8", "7bit", "x")],
        );
    }
    mail.message("", content)
}

fn unix_lines(mail: &[u8]) -> Vec<u8> {
    mail.iter().copied().filter(|byte| *byte != b'\r').collect()
}

fn raw_subject(mail: &Sample) -> Vec<u8> {
    let mut whole = b"Subject: Gr\xfc\xdfe ohne Kodierung\r\n".to_vec();
    let rest = mail.message("", text_part("plain", "iso-8859-1", "8bit", GERMAN));
    let subject = rest.windows(9).position(|window| window == b"Subject: ").unwrap_or(0);
    let (before, after) = rest.split_at(subject);
    let end = after
        .windows(6)
        .position(|window| window == b"\r\nDate")
        .map_or(0, |at| at + 2);
    let mut head = before.to_vec();
    head.append(&mut whole);
    head.extend(after.iter().skip(end));
    head
}

fn missing_boundary(mail: &Sample) -> Vec<u8> {
    let mut whole = mail.message("", alternative("lost"));
    let end = whole.len().saturating_sub(10);
    whole.truncate(end);
    whole
}
