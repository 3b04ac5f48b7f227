//! The picture of a contact, in base64.
//!
//! Implements [MS-ASCNTC] Picture. An absent Picture keeps the picture, whatever is ghosted, and so does an empty
//! one, against the letter of the specification: iOS sends an empty Picture with every edit of a contact that has
//! one, and removing pictures that nobody removed is worse than keeping one that somebody did. One that is too large for
//! devices is scaled down, and never comes back in place of the original.

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::GeneralPurpose;
use base64::engine::GeneralPurposeConfig;
use base64::engine::general_purpose::STANDARD;

use crate::content::contacts::scale;
use crate::ox::Object;
use crate::ox::columns::contacts as columns;
use crate::wbxml::Element;
use crate::wbxml::codepage::contacts;

/// [MS-ASCNTC] Picture: at most 48 KB in base64.
const LARGEST: usize = 48 * 1024;

/// Devices leave out the padding, or the bits behind the last byte.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The formats OX takes, and how their files begin.
const FORMATS: [(&[u8], &str); 4] = [
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
];

/// The picture as a device may get it: one that is too large is scaled down; `None` where that cannot be done. Takes its time.
pub fn fitting(photo: Vec<u8>) -> Option<Vec<u8>> {
    let most = LARGEST / 4 * 3;
    match photo.len() <= most {
        true => Some(photo),
        false => scale::scaled(&photo, most),
    }
}

/// `None` for no picture, and for one that is too large.
pub(super) fn to_eas(photo: &[u8]) -> Option<Element> {
    let length = base64::encoded_len(photo.len(), true)?;
    let fits = (1..=LARGEST).contains(&length);
    fits.then(|| Element::text(contacts::PICTURE, STANDARD.encode(photo)))
}

/// The contact as a device has it that was shown this picture.
pub fn with_photo(contact: &Object, photo: Option<&[u8]>) -> Object {
    let mut contact = contact.clone();
    let shown = photo.and_then(to_eas);
    contact.set(columns::IMAGE1, shown.as_ref().and_then(Element::as_text));
    contact
}

/// Writes a picture that was sent. One in no format that OX takes is ignored: it would cost the whole contact.
pub(super) fn to_ox(application_data: &Element, fields: &mut Object) {
    let Some(picture) = application_data.child(contacts::PICTURE) else {
        return;
    };
    let text = picture.as_bytes().iter().copied();
    let text: Vec<u8> = text.filter(|byte| !byte.is_ascii_whitespace()).collect();
    let Ok(bytes) = LENIENT.decode(text) else {
        return;
    };
    // What the device was given for a larger one.
    if scale::is_scaled(&bytes) {
        return;
    }
    if let Some((_, content_type)) = FORMATS.iter().find(|(start, _)| bytes.starts_with(start)) {
        fields.set(columns::IMAGE1, STANDARD.encode(&bytes));
        fields.set(columns::IMAGE1_CONTENT_TYPE, *content_type);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(picture: Element) -> Object {
        let mut fields = Object::new();
        to_ox(&Element::parent(contacts::BODY, [picture]), &mut fields);
        fields
    }

    #[test]
    fn formats_are_recognised() {
        let cases = [
            (&b"\xFF\xD8\xFF\xE0rest"[..], Some("image/jpeg")),
            (b"\x89PNG\r\n\x1A\nrest", Some("image/png")),
            (b"GIF89arest", Some("image/gif")),
            (b"BMrest", Some("image/bmp")),
            (b"<svg/>", None),
            (b"", None),
        ];
        for (bytes, content_type) in cases {
            let fields = fields(Element::text(contacts::PICTURE, STANDARD.encode(bytes)));
            assert_eq!(fields.text(columns::IMAGE1_CONTENT_TYPE), content_type);
            let image = content_type.map(|_| STANDARD.encode(bytes));
            assert_eq!(fields.text(columns::IMAGE1), image.as_deref());
        }
    }

    #[test]
    fn base64_is_read_leniently() {
        let text = "/9j/\r\n 4HJlc3Q";
        for picture in [
            Element::text(contacts::PICTURE, text),
            Element::opaque(contacts::PICTURE, text.as_bytes()),
        ] {
            assert_eq!(fields(picture).text(columns::IMAGE1), Some("/9j/4HJlc3Q="));
        }
        for nothing in [
            Element::empty(contacts::PICTURE),
            Element::text(contacts::PICTURE, "no base64!"),
            Element::parent(contacts::PICTURE, [Element::empty(contacts::BODY)]),
        ] {
            assert!(fields(nothing).is_empty());
        }
    }

    #[test]
    fn only_what_fits_is_shown() {
        let largest = LARGEST / 4 * 3;
        let element = to_eas(&vec![0xFF; largest]).unwrap();
        assert_eq!(element.as_bytes().len(), LARGEST);
        assert_eq!(to_eas(&vec![0xFF; largest + 1]), None);
        assert_eq!(to_eas(&[]), None);
    }
}
