//! GlobalObjId: the name of a meeting in invitations up to 14.1.
//!
//! A device turns it back into the UID of the appointment, to find that in its calendar. UIDs that Outlook made are the
//! hexadecimal digits of such an id already; all others are wrapped. Implements [MS-ASEMAIL] GlobalObjId and [MS-OXOCAL]
//! PidLidGlobalObjectId.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The first 16 bytes of every id.
const CLASS_ID: [u8; 16] = [
    0x04, 0x00, 0x00, 0x00, 0x82, 0x00, 0xE0, 0x00, 0x74, 0xC5, 0xB7, 0x10, 0x1A, 0x82, 0xE0, 0x08,
];

/// Marks data that is a UID of iCalendar.
const WRAPPED: &[u8; 12] = b"vCal-Uid\x01\x00\x00\x00";

/// Class id, date, time of creation, reserved, number of bytes that follow.
const HEAD: usize = 16 + 4 + 8 + 8 + 4;

/// The id in base64. `day` is that of the one occurrence that is meant: 00:00 UTC of its original date.
pub(super) fn global_id(uid: &str, day: Option<i64>) -> String {
    let mut id = from_outlook(uid).unwrap_or_else(|| wrapped(uid));
    if let (Some(day), Some(place)) = (day, id.get_mut(16..20)) {
        place.copy_from_slice(&date(day));
    }
    STANDARD.encode(id)
}

fn wrapped(uid: &str) -> Vec<u8> {
    let length = WRAPPED.len() + uid.len() + 1;
    let mut id = CLASS_ID.to_vec();
    id.resize(HEAD - 4, 0);
    id.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    id.extend_from_slice(WRAPPED);
    id.extend_from_slice(uid.as_bytes());
    id.push(0);
    id
}

/// The bytes of a UID that is an id in hexadecimal.
fn from_outlook(uid: &str) -> Option<Vec<u8>> {
    let digits = uid.as_bytes();
    if !digits.len().is_multiple_of(2) || digits.len() < HEAD * 2 {
        return None;
    }
    let digit = |digit: &u8| {
        char::from(*digit)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    });
    let bytes: Vec<u8> = bytes.collect::<Option<_>>()?;
    bytes.starts_with(&CLASS_ID).then_some(bytes)
}

/// Year, high byte first, month and day.
fn date(day: i64) -> [u8; 4] {
    let date = TimeZone::UTC.to_datetime(Timestamp::from_millisecond(day).unwrap_or_default());
    let [high, low] = date.year().to_be_bytes();
    [high, low, date.month().unsigned_abs(), date.day().unsigned_abs()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What [MS-ASEMAIL] lets a device do: back to the UID.
    fn uid_of(id: &str) -> String {
        let mut bytes = STANDARD.decode(id).unwrap();
        let length = bytes
            .get(36..40)
            .map(|length| u32::from_le_bytes(length.try_into().unwrap()) as usize);
        let is_wrapped =
            bytes.len() >= 53 && bytes[40..48] == *b"vCal-Uid" && length.is_some_and(|length| length >= 13);
        if is_wrapped {
            let end = 52 + length.unwrap() - 13;
            return String::from_utf8(bytes[52..end].to_vec()).unwrap();
        }
        bytes[16..20].fill(0);
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    #[test]
    fn ids_lead_back_to_uids() {
        let outlook = "040000008200E00074C5B7101A82E00800000000B0D9B1E5D2F9C701000000000000000010000000\
                       21D5C1E3F8A3C54BB0F2A6D4D1E0F9A7";
        let march = 1_267_401_600_000; // 2010-03-01
        // UID, day, bytes 16 to 19
        let cases = [
            (outlook, None, [0, 0, 0, 0]),
            (outlook, Some(march), [7, 0xDA, 3, 1]),
            ("{81412D3C-2A24-4E9D-B20E-11F7BBE92799}", None, [0, 0, 0, 0]),
            ("abc@google.com", Some(march), [7, 0xDA, 3, 1]),
            ("", None, [0, 0, 0, 0]),
        ];
        for (uid, day, date) in cases {
            let id = global_id(uid, day);
            assert_eq!(uid_of(&id), uid);
            assert_eq!(STANDARD.decode(&id).unwrap()[16..20], date, "{uid}");
        }
    }

    /// The example of [MS-ASEMAIL]: a UID that is no Outlook id.
    #[test]
    fn the_documented_example() {
        let bytes = STANDARD
            .decode(global_id("{81412D3C-2A24-4E9D-B20E-11F7BBE92799}", None))
            .unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
        assert_eq!(
            hex,
            "040000008200E00074C5B7101A82E00800000000000000000000000000000000000000003300000076\
             43616C2D55696401000000\
             7B38313431324433432D324132342D344539442D423230452D3131463742424539323739397D00"
        );
    }

    proptest! {
        #[test]
        fn any_uid_comes_back(uid in "\\PC{0,80}", day in prop::option::of(0_i64..4_000_000_000_000)) {
            prop_assert_eq!(uid_of(&global_id(&uid, day)), uid);
        }
    }
}
