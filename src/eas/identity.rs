//! Who a device says it is, out of its request and of what it told before; what is bent for it follows.
//!
//! The quirks themselves are rows of [`crate::quirk::table`].

use crate::eas::request::Request;
use crate::quirk::Identity;
use crate::quirk::Quirks;
use crate::session;
use crate::session::Device;
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
use crate::wbxml::Tag;
use crate::wbxml::codepage::settings as tag;

/// What of DeviceInformation says who a device is, and the names of the device fields that keep it.
const OS: (Tag, &str) = (tag::OS, "device.OS");
const MODEL: (Tag, &str) = (tag::MODEL, "device.Model");

/// What is bent for a device, by its request alone.
pub fn quirks_of_request(request: &Request, version: ProtocolVersion) -> Quirks {
    Quirks::of(&identity(request, version, "", ""))
}

/// What is bent for a device, by its request and by what it told before.
pub async fn quirks(request: &Request, version: ProtocolVersion, device: &Device) -> Result<Quirks, session::Error> {
    let (os, model) = (told(device, OS.1).await?, told(device, MODEL.1).await?);
    Ok(Quirks::of(&identity(request, version, &os, &model)))
}

/// What a device tells now counts from its next request on. `set` holds the values of DeviceInformation.
pub fn tell(device: &Device, set: &Element) {
    for (tag, field) in [OS, MODEL] {
        if let Some(value) = set.child_text(tag) {
            device.keep(field, value.into());
        }
    }
}

fn identity<'a>(request: &'a Request, version: ProtocolVersion, os: &'a str, model: &'a str) -> Identity<'a> {
    Identity {
        device_id: &request.device_id,
        device_type: &request.device_type,
        user_agent: &request.user_agent,
        os,
        model,
        version,
    }
}

/// A value as the device told it last; empty if it never did. Read from the store once.
async fn told(device: &Device, field: &'static str) -> Result<String, session::Error> {
    if let Some(value) = device.recall(field) {
        return Ok(String::from_utf8_lossy(&value).into_owned());
    }
    let value = device.fields().await?.remove(field).unwrap_or_default();
    device.keep(field, value.clone().into());
    Ok(value)
}
