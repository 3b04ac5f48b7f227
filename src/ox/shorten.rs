//! Cutting text that is longer than the columns of OX's database.

use serde_json::Value;

use crate::ox::Object;
use crate::ox::columns::ColumnName;
use crate::ox::columns::calendar;
use crate::ox::columns::common;
use crate::ox::columns::contacts;
use crate::ox::columns::tasks;
use crate::ox::error::TooLong;
use crate::ox::module::Module;

/// What fits into the narrowest text columns, where OX does not say.
const SAFE_SIZE: usize = 64;

/// Cuts the named fields; false if none of them is in the object, so that writing again would not help.
pub(super) fn shorten(object: &mut Object, module: Module, too_long: &[TooLong]) -> bool {
    let mut map = std::mem::take(object).into_map();
    let mut cut = false;
    for field in too_long {
        let Some(Value::String(text)) = key(module, field.column).and_then(|key| map.get_mut(key)) else {
            continue;
        };
        let size = field.max_size.unwrap_or(SAFE_SIZE);
        if let Some((end, _)) = text.char_indices().nth(size) {
            text.truncate(end);
            cut = true;
        }
    }
    *object = Object::from_map(map);
    cut
}

fn key(module: Module, column: u16) -> Option<&'static str> {
    let own: &[ColumnName] = match module {
        Module::Calendar => calendar::ALL,
        Module::Contacts => contacts::ALL,
        Module::Tasks => tasks::ALL,
        Module::Mail => &[],
    };
    let known = own.iter().chain(common::ALL).find(|known| known.id == column)?;
    Some(known.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact() -> Object {
        let mut contact = Object::new();
        contact.set(contacts::LAST_NAME, "Müüüller");
        contact.set(contacts::NOTE, "n".repeat(100));
        contact.set(contacts::USER_ID, 5);
        contact
    }

    #[test]
    fn cuts_at_characters() {
        let mut contact = contact();
        let field = TooLong {
            column: contacts::LAST_NAME.id,
            max_size: Some(3),
        };
        assert!(shorten(&mut contact, Module::Contacts, &[field]));
        assert_eq!(contact.text(contacts::LAST_NAME), Some("Müü"));
        assert_eq!(contact.text(contacts::NOTE).map(str::len), Some(100));
    }

    #[test]
    fn cuts_to_a_safe_size_where_none_is_named() {
        let mut contact = contact();
        let field = TooLong {
            column: contacts::NOTE.id,
            max_size: None,
        };
        assert!(shorten(&mut contact, Module::Contacts, &[field]));
        assert_eq!(contact.text(contacts::NOTE).map(str::len), Some(SAFE_SIZE));
    }

    #[test]
    fn says_when_there_is_nothing_to_cut() {
        let before = contact();
        let mut after = contact();
        // Short enough; not there; no text; unknown.
        let columns = [contacts::LAST_NAME.id, contacts::COMPANY.id, contacts::USER_ID.id, 9999];
        let fields = columns.map(|column| TooLong {
            column,
            max_size: Some(50),
        });
        assert!(!shorten(&mut after, Module::Contacts, &fields));
        assert_eq!(after, before);
    }
}
