//! The text of an appointment as a device sends it.
//!
//! How it is shown is a row of `properties`. Implements [MS-ASAIRS] Body in requests.

use crate::content::body;
use crate::content::calendar::properties::Item;
use crate::content::calendar::properties::LEGACY_BODY;
use crate::content::calendar::properties::PROPERTIES;
use crate::content::text;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync;
use crate::wbxml::codepage::airsyncbase;

/// The text a device wants: `Some(None)` removes it, `None` leaves it as it is. A text that was shown cut and comes
/// back cut is no change.
pub(super) fn wanted(request: &Element, item: Option<&Item<'_>>) -> Option<Option<String>> {
    let shown = item.map(shown);
    let shown = shown.as_ref().map(|shown| body::sent(shown, LEGACY_BODY.body));
    let shown = match shown {
        Some(body::Sent::Text(_, text)) => Some(text),
        _ => None,
    };
    match body::sent(request, LEGACY_BODY.body) {
        body::Sent::Absent => None,
        body::Sent::Cleared => shown.map(|_| None),
        body::Sent::Text(kind, text) => {
            // OX has plain text only. Rich text and MIME are left alone.
            let text = text::plain(kind, text)?;
            let is_shown = shown.is_some_and(|shown| text::clean(shown) == text);
            (!is_shown).then_some(Some(text))
        }
    }
}

fn shown(item: &Item<'_>) -> Element {
    let bodies = [airsyncbase::BODY, LEGACY_BODY.body];
    let rows = PROPERTIES.iter().filter(|property| bodies.contains(&property.tag));
    Element::parent(
        airsync::APPLICATION_DATA,
        rows.filter_map(|property| item.shown(property)),
    )
}
