//! The policy that every device is offered: one that asks for nothing.
//!
//! Implements [MS-ASPROV] EASProvisionDoc and, for 2.5, the XML form of Windows Mobile.

use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::V2_5;
use crate::version::ProtocolVersion::V12_0;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::provision as tag;

/// PolicyType, and the versions that use it.
const WBXML: (&str, VersionRange) = ("MS-EAS-Provisioning-WBXML", VersionRange::since(V12_0));
const XML: (&str, VersionRange) = ("MS-WAP-Provisioning-XML", VersionRange::until(V2_5));

/// 4131: a password is not required; 4133: the desktop may unlock the device.
const WAP_DOCUMENT: &str = "<wap-provisioningdoc><characteristic type=\"SecurityPolicy\">\
    <parm name=\"4131\" value=\"1\"/><parm name=\"4133\" value=\"1\"/></characteristic></wap-provisioningdoc>";

/// `Data` with the policy, in the form of this type; `None` if the type is not one of this version.
pub fn document(policy_type: &str, version: ProtocolVersion) -> Option<Element> {
    let is = |(name, versions): (&str, VersionRange)| policy_type.trim() == name && versions.contains(version);
    if is(WBXML) {
        let document = Element::parent(
            tag::EAS_PROVISION_DOC,
            [
                Element::flag(tag::DEVICE_PASSWORD_ENABLED, false),
                Element::flag(tag::ATTACHMENTS_ENABLED, true),
            ],
        );
        return Some(Element::parent(tag::DATA, [document]));
    }
    is(XML).then(|| Element::text(tag::DATA, WAP_DOCUMENT))
}

/// A key that no device has: random, and never 0, which means "not provisioned".
pub fn fresh_key() -> String {
    loop {
        let key: u32 = rand::random();
        if key != 0 {
            return key.to_string();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_has_one_form() {
        for version in ProtocolVersion::ALL {
            let wbxml = document(WBXML.0, version).is_some();
            let xml = document(XML.0, version).is_some();
            assert!(wbxml != xml, "{version}");
            assert!(document("other", version).is_none());
        }
    }
}
