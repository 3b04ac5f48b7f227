//! Short messages that phones upload though nobody asked for them: taken, answered, and forgotten.
//!
//! An error would make such a phone send them again and again. Implements [MS-ASCMD] Add with the class SMS, as far as it
//! takes to be left in peace.

use crate::eas::command::sync::request::SMS;
use crate::eas::command::sync::response;
use crate::usm::journal::fingerprint;
use crate::wbxml::Element;
use crate::wbxml::codepage::airsync as tag;

/// What OX ids never start with.
const MARK: &str = "sms-";

/// The answer to the Add of a short message.
pub(super) fn added(collection: u32, client_id: &str) -> Element {
    let mut answer = Element::parent(tag::ADD, [Element::text(tag::CLASS, SMS)]);
    let added = response::added(client_id, &server_id(collection, client_id), Vec::new());
    answer.extend(added.children().iter().cloned());
    answer
}

/// The id of a short message: the same when the phone repeats it.
fn server_id(collection: u32, client_id: &str) -> String {
    let digits: String = fingerprint(client_id.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("{collection}:{MARK}{digits}")
}

/// Whether an id is one of these.
pub(super) fn is_one(server_id: &str) -> bool {
    server_id.split_once(':').is_some_and(|(_, id)| id.starts_with(MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let id = server_id(7, "client id of any kind: \u{e4}");
        assert!(is_one(&id) && id.len() <= 64, "{id}");
        assert_eq!(id, server_id(7, "client id of any kind: \u{e4}"));
        assert!(!is_one("7:1044"));
    }
}
