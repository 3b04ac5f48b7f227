//! placeholder
use crate::version::ProtocolVersion;
use crate::wbxml::Element;
pub fn encode(_: &Element, _: ProtocolVersion) -> Vec<u8> {
    Vec::new()
}
