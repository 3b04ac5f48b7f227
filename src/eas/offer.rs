//! What we offer: versions and commands, and when a device is told of them.
//!
//! Every device asks by OPTIONS, and keeps the answer for days. It is told again, and starts anew, when it begins with its
//! folders, and once after the versions have changed. Implements [MS-ASHTTP] "MS-ASProtocolVersions",
//! "MS-ASProtocolCommands" and "X-MS-RP".

use http::HeaderMap;
use http::HeaderName;
use http::HeaderValue;

use crate::eas::command;
use crate::session;
use crate::session::Device;
use crate::version::ProtocolVersion;

const VERSIONS: HeaderName = HeaderName::from_static("ms-asprotocolversions");
const COMMANDS: HeaderName = HeaderName::from_static("ms-asprotocolcommands");
const RENEWED: HeaderName = HeaderName::from_static("x-ms-rp");

/// The device's field with the versions that it was offered last.
const OFFERED: &str = "offered.versions";

/// The headers that say what we can do.
pub(super) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    insert(&mut headers, VERSIONS, &versions());
    insert(&mut headers, COMMANDS, &command::offered());
    headers
}

/// The same for a device that did not ask: it drops what it remembers of us.
pub(super) fn renewed() -> HeaderMap {
    let mut headers = headers();
    insert(&mut headers, RENEWED, &versions());
    headers
}

/// Whether a device must be told that the versions have changed. Told once, since a device that is told again and again never
/// gets done: it is noted before the answer leaves. A device that is seen for the first time has just asked.
pub(super) async fn is_news(device: &Device) -> bool {
    // The versions change with the program only, and so not while the device is in memory.
    if device.recall(OFFERED).is_some() {
        return false;
    }
    match note(device).await {
        Ok(changed) => {
            device.keep(OFFERED, Vec::new());
            changed
        }
        Err(error) => {
            log::warn!("what a device was offered cannot be noted: {error}");
            false
        }
    }
}

async fn note(device: &Device) -> Result<bool, session::Error> {
    let offered = versions();
    let fields = device.fields().await?;
    let before = fields.get(OFFERED);
    if before == Some(&offered) {
        return Ok(false);
    }
    device.remember(&[(OFFERED, Some(&offered))]).await?;
    Ok(before.is_some())
}

fn versions() -> String {
    ProtocolVersion::ALL.map(ProtocolVersion::name).join(",")
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Names of versions and commands are plain ASCII.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
