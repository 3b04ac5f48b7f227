//! What a device has answered before, so that a repeated answer is known.
//!
//! An answer may come again because its confirmation was lost, or because the user has changed his mind and back: the last
//! answer for an item tells the two apart. A digest of all of them names the mail to the organizer, so that each is sent once.

use crate::eas::command::Call;
use crate::eas::command::meeting_response::request::Request;
use crate::eas::status::Error;
use crate::usm::journal::Fingerprint;
use crate::usm::journal::fingerprint;

/// The journal that remembers answers.
const JOURNAL: &str = "meetings";

/// The answers for one item, or one occurrence of it.
pub(super) struct History {
    operation: Fingerprint,
    said: Fingerprint,
    last: Option<Noted>,
}

/// The last answer that was carried out.
struct Noted {
    said: Fingerprint,
    /// A digest of all answers so far.
    chain: Fingerprint,
    /// The appointment; empty if there is none.
    appointment: String,
}

impl History {
    /// `item` names the mail or the appointment.
    pub(super) async fn read(call: &Call<'_>, item: &str, request: &Request) -> Result<Self, Error> {
        let instance = request.instance.as_deref().unwrap_or_default();
        let operation = fingerprint(format!("{item}\n{instance}").as_bytes());
        let noted = call.device.noted(JOURNAL, &operation).await?;
        Ok(Self {
            operation,
            said: fingerprint(format!("{:?} {:?}", request.answer, request.send).as_bytes()),
            last: noted.and_then(|bytes| Noted::decode(&bytes)),
        })
    }

    /// The appointment of this very answer, if it was carried out before and nothing else was answered since.
    pub(super) fn repeated(&self) -> Option<&str> {
        let last = self.last.as_ref().filter(|last| last.said == self.said)?;
        Some(&last.appointment)
    }

    /// The same for a repetition, and for nothing else.
    pub(super) fn identity(&self) -> Fingerprint {
        match &self.last {
            Some(last) if last.said == self.said => last.chain,
            Some(last) => fingerprint(&[self.operation, last.chain, self.said].concat()),
            None => fingerprint(&[self.operation, self.said].concat()),
        }
    }

    pub(super) async fn note(&self, call: &Call<'_>, appointment: &str) -> Result<(), Error> {
        let noted = Noted {
            said: self.said,
            chain: self.identity(),
            appointment: appointment.to_owned(),
        };
        Ok(call
            .device
            .note(JOURNAL, &self.operation, &noted.encode(), call.now)
            .await?)
    }
}

impl Noted {
    fn encode(&self) -> Vec<u8> {
        [&self.said[..], &self.chain[..], self.appointment.as_bytes()].concat()
    }

    /// `None` for bytes that [`Noted::encode`] did not write.
    fn decode(bytes: &[u8]) -> Option<Self> {
        let (said, rest) = bytes.split_first_chunk()?;
        let (chain, appointment) = rest.split_first_chunk()?;
        Some(Self {
            said: *said,
            chain: *chain,
            appointment: String::from_utf8(appointment.to_vec()).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_both_ways() {
        for appointment in ["", "900"] {
            let noted = Noted {
                said: fingerprint(b"a"),
                chain: fingerprint(b"b"),
                appointment: appointment.to_owned(),
            };
            let read = Noted::decode(&noted.encode()).unwrap();
            assert_eq!((read.said, read.chain), (noted.said, noted.chain));
            assert_eq!(read.appointment, appointment);
        }
        assert!(Noted::decode(&[0; 31]).is_none());
    }

    /// Yes, no, yes, no: four mails, and each the same when it is repeated.
    #[test]
    fn a_changed_mind_is_no_repetition() {
        let mut seen = Vec::new();
        let mut last = None;
        for answer in ["yes", "no", "yes", "no"] {
            let said = fingerprint(answer.as_bytes());
            let operation = fingerprint(b"item");
            let history = History { operation, said, last };
            assert_eq!(history.repeated(), None);
            let chain = history.identity();
            assert!(!seen.contains(&chain), "{answer}");
            seen.push(chain);
            let noted = |appointment: &str| {
                let appointment = appointment.to_owned();
                Some(Noted {
                    said,
                    chain,
                    appointment,
                })
            };
            let again = History {
                operation,
                said,
                last: noted("900"),
            };
            assert_eq!((again.repeated(), again.identity()), (Some("900"), chain));
            last = noted("900");
        }
    }
}
