//! The names a contact is listed under: FileAs on devices, `display_name` in OX.
//!
//! Both mostly follow from the other fields. A FileAs that does is not stored, so that it keeps following; a
//! `display_name`, which OX does not compute itself, is written anew when what it was made of changes.

use crate::content::Context;
use crate::content::Unconvertible;
use crate::content::property::Sent;
use crate::content::text;
use crate::ox::Object;
use crate::ox::columns::Column;
use crate::ox::columns::Text;
use crate::ox::columns::contacts as columns;
use crate::wbxml::Element;
use crate::wbxml::codepage::contacts;

/// For a contact that has nothing a name could be made of; OX and devices want one.
const NAMELESS: &str = "?";

/// Always sent: devices list contacts by it.
pub(super) fn file_as_to_eas(object: &Object, _: &Context<'_>) -> Vec<Element> {
    let contact = Contact(Some(object), None);
    let name = contact.text(columns::FILE_AS).or_else(|| contact.computed_file_as());
    name.map(|name| Element::text(contacts::FILE_AS, name))
        .into_iter()
        .collect()
}

pub(super) fn file_as_to_ox(sent: &Sent<'_>, fields: &mut Object) -> Result<(), Unconvertible> {
    fields.set(columns::FILE_AS, sent.text(contacts::FILE_AS));
    Ok(())
}

/// Completes the fields to be written: `display_name`, and `file_as` only if it says what the others do not.
pub(super) fn settle(fields: &mut Object, current: Option<&Object>) {
    let old = Contact(current, None);
    let new = Contact(current, Some(fields));
    let display_name = match old.text(columns::DISPLAY_NAME) {
        None => Some(new.display_name()),
        // In the style it had: "Doe, John" or "John Doe".
        Some(name) => STYLES
            .iter()
            .find(|style| style(&old).as_ref() == Some(&name))
            .map(|style| style(&new).unwrap_or_else(|| new.display_name()))
            .filter(|new_name| *new_name != name),
    };
    let follows = new.text(columns::FILE_AS).is_some() && new.text(columns::FILE_AS) == new.computed_file_as();
    let was_stored = old.text(columns::FILE_AS).is_some();
    // Nothing changed: then no name is missing that a write should bring.
    if fields.is_empty() && current.is_some() {
        return;
    }
    if let Some(display_name) = display_name {
        fields.set(columns::DISPLAY_NAME, display_name);
    }
    if fields.has(columns::FILE_AS) && follows {
        if was_stored {
            fields.clear(columns::FILE_AS);
        } else {
            fields.remove(columns::FILE_AS);
        }
    }
}

/// What a `display_name` may be made of.
const STYLES: [fn(&Contact<'_>) -> Option<String>; 4] = [
    |contact| contact.last_first(),
    |contact| contact.first_last(),
    |contact| contact.text(columns::COMPANY),
    |contact| contact.text(columns::EMAIL1),
];

/// A contact, and the fields that are about to change.
struct Contact<'a>(Option<&'a Object>, Option<&'a Object>);

impl Contact<'_> {
    fn text(&self, column: Column<Text>) -> Option<String> {
        let changed = self.1.filter(|fields| fields.has(column));
        let text = text::line(changed.or(self.0)?.text(column)?);
        Some(text).filter(|text| !text.is_empty())
    }

    /// `Doe, John`
    fn last_first(&self) -> Option<String> {
        self.joined(columns::LAST_NAME, ", ", columns::FIRST_NAME)
    }

    /// `John Doe`
    fn first_last(&self) -> Option<String> {
        self.joined(columns::FIRST_NAME, " ", columns::LAST_NAME)
    }

    fn joined(&self, first: Column<Text>, separator: &str, second: Column<Text>) -> Option<String> {
        match (self.text(first), self.text(second)) {
            (Some(first), Some(second)) => Some(format!("{first}{separator}{second}")),
            (first, second) => first.or(second),
        }
    }

    fn computed_file_as(&self) -> Option<String> {
        self.last_first()
            .or_else(|| self.text(columns::DISPLAY_NAME))
            .or_else(|| self.text(columns::COMPANY))
            .or_else(|| self.text(columns::EMAIL1))
    }

    fn display_name(&self) -> String {
        let others = [
            columns::NICKNAME,
            columns::COMPANY,
            columns::EMAIL1,
            columns::CELLULAR_TELEPHONE1,
            columns::TELEPHONE_HOME1,
            columns::TELEPHONE_BUSINESS1,
        ];
        self.text(columns::FILE_AS)
            .or_else(|| self.last_first())
            .or_else(|| others.into_iter().find_map(|column| self.text(column)))
            .unwrap_or_else(|| NAMELESS.to_owned())
    }
}
