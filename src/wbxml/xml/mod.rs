//! Documents as XML text: for logs, for the eye, and read back for fixtures. Devices never see it.
//!
//! ```xml
//! <Sync xmlns="AirSync" xmlns:Email="Email">
//!   <Collections>
//!     <Collection>
//!       <SyncKey>1</SyncKey>
//!       <Email:Subject>Fish &amp; chips</Email:Subject>
//! ```
//!
//! - One element a line, in valid XML. Namespaces are the code pages of [MS-ASWBXML]: that of the root is the default,
//!   the others are prefixes; all are declared by the root.
//! - A byte array is `<ComposeMail:Mime encoding="base64">`.
//! - A page or token that no version has is shown by its numbers: `<page254:token3F>`.
//! - Control characters, line breaks among them, are references (`&#xA;`), so that nothing can forge a line of a log;
//!   U+FFFD stands for those that XML does not have.
//! - In a redacted text, `<Email:Subject bytes="12"/>` tells the size of what is not shown.

mod parse;
mod print;
mod redact;

use std::borrow::Cow;

pub use parse::{ParseError, ParseReason, parse};
pub use print::{Detail, to_text};

use crate::wbxml::Tag;
use crate::wbxml::codepage;

/// The namespace of a code page, which is also its prefix.
fn page_name(page: u8) -> Cow<'static, str> {
    codepage::page(page).map_or_else(|| format!("page{page}").into(), |page| page.name.into())
}

/// The local name of a tag.
fn local_name(tag: Tag) -> Cow<'static, str> {
    codepage::token(tag).map_or_else(|| format!("token{:02X}", tag.token).into(), |token| token.name.into())
}

/// The inverse of [`page_name`].
fn page_number(name: &str) -> Option<u8> {
    match name.strip_prefix("page") {
        Some(number) => number.parse().ok(),
        None => codepage::page_by_name(name).map(|page| page.number),
    }
}

/// The inverse of [`local_name`].
fn tag(page: u8, name: &str) -> Option<Tag> {
    if let Some(token) = name.strip_prefix("token") {
        let token = u8::from_str_radix(token, 16).ok()?;
        return (0x05..=0x3F).contains(&token).then_some(Tag { page, token });
    }
    codepage::page(page)?.tag_by_name(name)
}
