//! Text, numbers and booleans as devices write them into elements.
//!
//! Dates are in `date`. What a missing or empty element means is the business of the property. Implements the data types
//! of [MS-ASDTYPE].

use crate::content::Unconvertible;
use crate::content::text;
use crate::wbxml::Element;
use crate::wbxml::Tag;

/// Cleaned text on one or a few lines; `None` if there is none.
pub fn line(element: &Element) -> Option<String> {
    element.as_text().map(text::line).filter(|text| !text.is_empty())
}

/// A whole number; `None` for an element without content.
pub fn number(element: &Element) -> Result<Option<i64>, Unconvertible> {
    let number = line(element).map(|text| text.parse().map_err(|_| unusable(element.tag)));
    number.transpose()
}

/// A boolean; an element without content is true.
pub fn flag(element: &Element) -> Result<bool, Unconvertible> {
    match element.as_text().map(str::trim) {
        Some("" | "1") => Ok(true),
        Some("0") => Ok(false),
        _ => Err(unusable(element.tag)),
    }
}

/// For a value the specification does not have.
pub fn unusable(tag: Tag) -> Unconvertible {
    Unconvertible(format!("unusable {}", tag.name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wbxml::codepage::tasks;

    #[test]
    fn what_devices_write() {
        // content, number, boolean; `None` where it is refused
        let cases = [
            ("1", Some(Some(1)), Some(true)),
            (" 0\r\n", Some(Some(0)), Some(false)),
            ("", Some(None), Some(true)),
            ("-7", Some(Some(-7)), None),
            ("9223372036854775808", None, None),
            ("true", None, None),
        ];
        for (content, expected_number, expected_flag) in cases {
            let element = Element::text(tasks::COMPLETE, content);
            assert_eq!(number(&element).ok(), expected_number, "{content:?}");
            assert_eq!(flag(&element).ok(), expected_flag, "{content:?}");
        }
        assert_eq!(flag(&Element::empty(tasks::COMPLETE)), Ok(true));
        let container = Element::parent(tasks::COMPLETE, [Element::empty(tasks::SUBJECT)]);
        assert_eq!(flag(&container), Err(unusable(tasks::COMPLETE)));
        assert_eq!(unusable(tasks::COMPLETE).to_string(), "unusable Complete");
    }
}
