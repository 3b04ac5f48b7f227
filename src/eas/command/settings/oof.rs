//! Oof of Settings: the out-of-office notice, kept as a rule of the mail server.
//!
//! Implements [MS-ASCMD] Settings, Oof.

use super::PROTOCOL_ERROR;
use super::SUCCESS;
use super::UNAVAILABLE;
use super::status;
use crate::content::oof;
use crate::eas::command::Call;
use crate::eas::status::Error;
use crate::ox;
use crate::wbxml::Element;
use crate::wbxml::codepage::settings as tag;

/// What this user may not do with rules, at most.
const ACCESS_DENIED: i64 = 3;

pub(super) async fn answer(call: &Call<'_>, property: &Element) -> Result<Vec<Element>, Error> {
    let outcome = match (property.child(tag::GET), property.child(tag::SET)) {
        (Some(get), None) => show(call, get).await,
        (None, Some(set)) => change(call, set).await,
        _ => return Ok(vec![status(PROTOCOL_ERROR)]),
    };
    match outcome {
        Ok(children) => Ok(children),
        // The package for rules is not there, or not for this user.
        Err(error) if error.kind == ox::ErrorKind::PermissionDenied => Ok(vec![status(ACCESS_DENIED)]),
        Err(error) if error.kind.concerns_one_call() && !error.is_temporary() => {
            log::info!("{}: out-of-office is not available: {error}", call.device_label());
            Ok(vec![status(UNAVAILABLE)])
        }
        Err(error) => Err(error.into()),
    }
}

async fn show(call: &Call<'_>, get: &Element) -> Result<Vec<Element>, ox::Error> {
    let kind = get.child_text(tag::BODY_TYPE).unwrap_or_default().trim();
    let as_html = kind.eq_ignore_ascii_case("html");
    if !as_html && !kind.eq_ignore_ascii_case("text") {
        return Ok(vec![status(PROTOCOL_ERROR)]);
    }
    let rule = ox::vacation(&call.device.ox).await?;
    let shown = oof::shown(rule.as_ref(), as_html, &call.user.zone);
    Ok(vec![status(SUCCESS), Element::parent(tag::GET, shown)])
}

async fn change(call: &Call<'_>, set: &Element) -> Result<Vec<Element>, ox::Error> {
    let Ok(change) = oof::change(set) else {
        return Ok(vec![status(PROTOCOL_ERROR)]);
    };
    let before = ox::vacation(&call.device.ox).await?;
    let after = oof::apply(before.clone(), &change, &call.user);
    if let Some(rule) = after.filter(|after| before.as_ref() != Some(after)) {
        ox::save_vacation(&call.device.ox, rule).await?;
    }
    Ok(vec![status(SUCCESS)])
}
