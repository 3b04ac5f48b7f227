//! Provision: the handshake in two phases over a policy that asks for nothing.
//!
//! Every device ends with a valid key, which later policies and a remote wipe need. Implements [MS-ASPROV].

use crate::eas::command::Call;
use crate::eas::command::Reply;
use crate::eas::command::settings;
use crate::eas::policy;
use crate::eas::status::Error;
use crate::eas::status::Status;
use crate::version::ProtocolVersion::V14_1;
use crate::version::VersionRange;
use crate::wbxml::Element;
use crate::wbxml::codepage::provision as tag;
use crate::wbxml::codepage::settings as settings_tag;

/// In these versions the first request brings DeviceInformation; before, Settings does.
const BRINGS_DEVICE_INFORMATION: VersionRange = VersionRange::since(V14_1);

/// Device fields: the key that was given and not acknowledged yet, and the one that counts.
const TEMPORARY_KEY: &str = "policyKey.temporary";
const CONFIRMED_TEMPORARY_KEY: &str = "policyKey.confirmed";
const POLICY_KEY: &str = "policyKey";

/// Policy Status 3: the PolicyType is none that we know; 5: the acknowledged key is not the one we gave.
const UNKNOWN_POLICY_TYPE: i64 = 3;
const WRONG_KEY: i64 = 5;

pub(super) async fn run(call: &Call<'_>) -> Result<Reply, Error> {
    let root = call.root()?;
    let mut children = Vec::new();
    let information = root.child(settings_tag::DEVICE_INFORMATION);
    if let Some(information) = information {
        settings::remember_device(call, information).await?;
        children.push(Element::parent(
            settings_tag::DEVICE_INFORMATION,
            [Element::number(settings_tag::STATUS, 1)],
        ));
    }
    let Some(policies) = root.child(tag::POLICIES) else {
        // An empty request is sent when a wipe was announced; there is none.
        children.push(Element::number(tag::STATUS, 1));
        return Ok(reply(children));
    };
    let policy = policies.child(tag::POLICY);
    let kind = policy.and_then(|policy| policy.child_text(tag::POLICY_TYPE));
    let Some(kind) = kind.filter(|kind| !kind.is_empty()) else {
        return Ok(reply(vec![Element::number(tag::STATUS, 2)]));
    };
    let acknowledged = policy.and_then(|policy| policy.child_text(tag::POLICY_KEY));
    if acknowledged.is_none() && information.is_none() && BRINGS_DEVICE_INFORMATION.contains(call.version) {
        return Err(Error::Device(
            Status::DEVICE_INFORMATION_REQUIRED,
            "Provision without DeviceInformation",
        ));
    }
    let policy = match (policy::document(kind, call.version), acknowledged) {
        (None, _) => policy_status(kind, UNKNOWN_POLICY_TYPE),
        (Some(document), None) => offer(call, kind, document).await?,
        (Some(_), Some(key)) => confirm(call, kind, key).await?,
    };
    children.push(Element::number(tag::STATUS, 1));
    children.push(Element::parent(tag::POLICIES, [policy]));
    Ok(reply(children))
}

/// The first phase: the policy, under a key that is good for its acknowledgement only.
async fn offer(call: &Call<'_>, kind: &str, document: Element) -> Result<Element, Error> {
    let key = policy::fresh_key();
    remember(call, &[(TEMPORARY_KEY, &key)]).await?;
    let mut policy = policy_status(kind, 1);
    policy.push(Element::text(tag::POLICY_KEY, key));
    policy.push(document);
    Ok(policy)
}

/// The second phase: the device applied the policy and gets the key that counts. Repeated, it gets the same again.
async fn confirm(call: &Call<'_>, kind: &str, key: &str) -> Result<Element, Error> {
    let fields = call.device.fields().await?;
    let known = |name: &str| fields.get(name).filter(|known| known.as_str() == key.trim());
    let permanent = match (
        known(TEMPORARY_KEY),
        known(CONFIRMED_TEMPORARY_KEY),
        fields.get(POLICY_KEY),
    ) {
        (_, Some(_), Some(permanent)) => permanent.clone(),
        (Some(temporary), _, _) => {
            let permanent = policy::fresh_key();
            remember(call, &[(CONFIRMED_TEMPORARY_KEY, temporary), (POLICY_KEY, &permanent)]).await?;
            permanent
        }
        _ => return Ok(policy_status(kind, WRONG_KEY)),
    };
    let mut policy = policy_status(kind, 1);
    policy.push(Element::text(tag::POLICY_KEY, permanent));
    Ok(policy)
}

fn policy_status(kind: &str, status: i64) -> Element {
    Element::parent(
        tag::POLICY,
        [
            Element::text(tag::POLICY_TYPE, kind),
            Element::number(tag::STATUS, status),
        ],
    )
}

fn reply(children: Vec<Element>) -> Reply {
    Reply::Document(Element::parent(tag::PROVISION, children))
}

async fn remember(call: &Call<'_>, keys: &[(&str, &str)]) -> Result<(), Error> {
    let fields: Vec<(&str, Option<&str>)> = keys.iter().map(|(name, key)| (*name, Some(*key))).collect();
    Ok(call.device.remember(&fields).await?)
}
