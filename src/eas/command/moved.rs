//! Mails that a device moved, for devices that carry out a move themselves and must not be told of it again.
//!
//! A move is noted for both of its folders. It is passed over by a Sync whose key was made before the move: keys begin at the
//! time, so a device that started anew since then has a larger one, knows nothing of the move, and gets the mail. A mail has
//! another id in each folder it ever lies in; of other items, which keep theirs, nothing is noted.

use crate::eas::command::Call;
use crate::eas::status::Error;
use crate::quirk::Bend;
use crate::usm::journal::Fingerprint;
use crate::usm::journal::fingerprint;

/// The journal of these notes; the outcome is the time of the move.
const JOURNAL: &str = "moved";

/// Notes that the device moved mails out of a folder or into it.
pub(super) async fn note(call: &Call<'_>, places: &[(u32, &str)]) -> Result<(), Error> {
    if !call.quirks.has(Bend::MovesMailsItself) {
        return Ok(());
    }
    let time = call.now.to_string();
    for place in places {
        call.device
            .note(JOURNAL, &operation(*place), time.as_bytes(), call.now)
            .await?;
    }
    Ok(())
}

/// Whether the device knows by itself what became of a mail in this folder. `key` is the one it syncs with.
pub(super) async fn is_known(call: &Call<'_>, place: (u32, &str), key: u64) -> Result<bool, Error> {
    if !call.quirks.has(Bend::MovesMailsItself) {
        return Ok(false);
    }
    let noted = call.device.noted(JOURNAL, &operation(place)).await?;
    let time = noted.and_then(|time| String::from_utf8(time).ok()?.parse::<u64>().ok());
    Ok(time.is_some_and(|time| key < time))
}

fn operation((collection, id): (u32, &str)) -> Fingerprint {
    fingerprint(format!("{collection}\n{id}").as_bytes())
}
