//! placeholder
use crate::wbxml::Element;
pub struct Limits;
#[derive(Debug)]
pub struct DecodeError;
pub fn decode(_: &[u8], _: &Limits) -> Result<Element, DecodeError> {
    Err(DecodeError)
}
