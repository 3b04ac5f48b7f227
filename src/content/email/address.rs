//! A mailbox: display name and address, as the properties To, Cc, From, ReplyTo and DisplayTo show it.
//!
//! Implements [MS-ASEMAIL] To, From, ReplyTo, DisplayTo and [MS-ASDTYPE] "E-Mail Address". Values that are no addresses
//! are passed on as they are.

use serde_json::Value;

use crate::content::email::header;

/// [MS-ASEMAIL] To: at most this many characters. Longer lists end at the last address that fits.
const LIST_LIMIT: usize = 32_768;

/// Display name and address; either may be missing in mail from the wild.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub name: Option<String>,
    /// Empty if there is a name only.
    pub address: String,
}

impl Address {
    /// One pair `[personal, address]` as OX writes it; either may be null.
    pub(super) fn from_json(value: &Value) -> Option<Self> {
        let part = |index| {
            let text = value.get(index).and_then(Value::as_str).unwrap_or_default();
            header::text(text.as_bytes())
        };
        let name = unquoted(&part(0));
        let address = Self {
            name: (!name.is_empty()).then_some(name),
            address: part(1),
        };
        (address.name.is_some() || !address.address.is_empty()).then_some(address)
    }

    /// All pairs of a list; anything else is an empty list.
    pub(super) fn list_from_json(value: Option<&Value>) -> Vec<Self> {
        let pairs = value.and_then(Value::as_array);
        pairs.into_iter().flatten().filter_map(Self::from_json).collect()
    }

    /// The name that differs from the address.
    pub(super) fn display_name(&self) -> Option<&str> {
        let name = self.name.as_deref()?;
        (!name.eq_ignore_ascii_case(&self.address)).then_some(name)
    }
}

/// `"Name" <local@domain>`, or the bare address without a name. Not encoded.
impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(name) = self.display_name() else {
            return f.write_str(&self.address);
        };
        let quoted = name.replace('\\', "\\\\").replace('"', "\\\"");
        if self.address.is_empty() {
            return write!(f, "\"{quoted}\"");
        }
        write!(f, "\"{quoted}\" <{}>", self.address)
    }
}

/// To and Cc: separated by commas.
pub(super) fn list(addresses: &[Address]) -> Option<String> {
    joined(addresses.iter().map(Address::to_string), ", ")
}

/// ReplyTo: separated by semicolons.
pub(super) fn reply_to(addresses: &[Address]) -> Option<String> {
    joined(addresses.iter().map(Address::to_string), ";")
}

/// DisplayTo: names, or addresses where there is no name.
pub(super) fn display(addresses: &[Address]) -> Option<String> {
    let names = addresses
        .iter()
        .map(|address| address.display_name().unwrap_or(&address.address).to_owned());
    joined(names, ";")
}

fn joined(items: impl Iterator<Item = String>, separator: &str) -> Option<String> {
    let mut list = String::new();
    for item in items {
        let length = list.len() + separator.len() + item.len();
        if length > LIST_LIMIT {
            break;
        }
        if !list.is_empty() {
            list.push_str(separator);
        }
        list.push_str(&item);
    }
    (!list.is_empty()).then_some(list)
}

/// Old OX servers leave the quotes of a quoted name.
fn unquoted(name: &str) -> String {
    let inner = name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) => inner.replace("\\\"", "\"").replace("\\\\", "\\"),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pairs_of_ox_as_text() {
        // pair, expected
        let cases = [
            (json!(["Anna", "a@x.org"]), Some("\"Anna\" <a@x.org>")),
            (json!([null, "a@x.org"]), Some("a@x.org")),
            (json!(["", "a@x.org"]), Some("a@x.org")),
            (json!(["a@x.org", "A@x.org"]), Some("A@x.org")),
            (json!(["\"Doe, John\"", "j@x.org"]), Some("\"Doe, John\" <j@x.org>")),
            (json!(["J \"R\" D", "j@x.org"]), Some("\"J \\\"R\\\" D\" <j@x.org>")),
            (json!(["=?utf-8?Q?=C3=BC?=", "j@x.org"]), Some("\"\u{fc}\" <j@x.org>")),
            (json!([null, "no address"]), Some("no address")),
            (json!(["Name only", null]), Some("\"Name only\"")),
            (json!([null, null]), None),
            (json!("text"), None),
        ];
        for (pair, expected) in cases {
            let found = Address::from_json(&pair).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{pair}");
        }
    }

    #[test]
    fn lists_end_with_a_whole_address() {
        let address = Address {
            name: Some("N".repeat(100)),
            address: "a@x.org".to_owned(),
        };
        let many = vec![address; 1000];
        let list = list(&many).expect("not empty");
        assert!(list.len() <= LIST_LIMIT && list.ends_with("<a@x.org>"));
        assert_eq!(display(&many[..2]), Some(format!("{0};{0}", "N".repeat(100))));
        assert_eq!(reply_to(&[]), None);
    }
}
