//! ValidateCert: whether certificates are good for signing and encrypting mail.
//!
//! The gateway trusts no authorities and asks no revocation lists, so it can vouch for no certificate: each is answered as
//! not validated, and none is ever called valid. Implements [MS-ASCMD] ValidateCert.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::status::Error;
use crate::wbxml::Element;
use crate::wbxml::codepage::validatecert as tag;

/// Statuses of the command and of a certificate.
const SUCCESS: i64 = 1;
const PROTOCOL_ERROR: i64 = 2;
const MISSING_INFORMATION: i64 = 10;
const UNKNOWN_ERROR: i64 = 17;

/// "ValidateCert Certificate 100".
pub(super) const MOST_CERTIFICATES: usize = 100;

/// The first byte of every certificate: a sequence in DER.
const SEQUENCE: u8 = 0x30;

#[allow(
    clippy::unused_async,
    reason = "a command answers in a future, though this one asks nobody"
)]
pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    Ok(Reply::Document(answer(call.root()?)))
}

fn answer(request: &Element) -> Element {
    let certificates = request.child(tag::CERTIFICATES);
    let certificates: Vec<&Element> = certificates
        .into_iter()
        .flat_map(|list| list.children_of(tag::CERTIFICATE))
        .collect();
    let status = |status| Element::number(tag::STATUS, status);
    if certificates.is_empty() || certificates.len() > MOST_CERTIFICATES {
        return Element::parent(tag::VALIDATE_CERT, [status(PROTOCOL_ERROR)]);
    }
    let answers = certificates
        .into_iter()
        .map(|certificate| Element::parent(tag::CERTIFICATE, [status(status_of(certificate))]));
    Element::parent(tag::VALIDATE_CERT, std::iter::once(status(SUCCESS)).chain(answers))
}

fn status_of(certificate: &Element) -> i64 {
    let text: Vec<u8> = certificate
        .as_bytes()
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .collect();
    match STANDARD.decode(text) {
        Ok(der) if der.first() == Some(&SEQUENCE) => UNKNOWN_ERROR,
        _ => MISSING_INFORMATION,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_called_valid() {
        let request = |certificates: &[&str]| {
            let certificates = certificates.iter().map(|text| Element::text(tag::CERTIFICATE, *text));
            let list = Element::parent(tag::CERTIFICATES, certificates);
            Element::parent(tag::VALIDATE_CERT, [list])
        };
        let many = vec!["MIIB"; 101];
        // certificates, Status, Status of each
        let cases: [(&[&str], &str, &[&str]); 4] = [
            (&[], "2", &[]),
            (&many, "2", &[]),
            (&["MIIB", "MI\nIB"], "1", &["17", "17"]),
            (&["!", "AAAA"], "1", &["10", "10"]),
        ];
        for (certificates, status, each) in cases {
            let answer = answer(&request(certificates));
            assert_eq!(answer.child_text(tag::STATUS), Some(status));
            let told: Vec<_> = answer
                .children_of(tag::CERTIFICATE)
                .filter_map(|certificate| certificate.child_text(tag::STATUS))
                .collect();
            assert_eq!(told, each);
        }
    }
}
