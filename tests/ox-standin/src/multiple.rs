//! The module `multiple`: several calls in one request.
//!
//! Implements "Multiple requests" of the OX HTTP API: answers come in the order of the entries, each an envelope of its
//! own; without `continue=true` the first error ends the run and the answer is shorter than the request.

use crate::call::Answer;
use crate::call::Body;
use crate::call::Call;
use crate::call::Envelope;
use crate::call::Method;
use crate::calls::LoggedCall;
use crate::calls::label;
use crate::envelope;
use crate::error::BAD_REQUEST;
use crate::error::OxError;
use crate::error::UNKNOWN_MODULE;
use crate::fault::Fault;
use crate::fields::text;
use crate::modules;
use crate::whims;
use crate::world::World;
use crate::zone::Zone;
use serde_json::Value;
use std::collections::BTreeMap;

/// The server takes no more entries than this.
const MOST_ENTRIES: usize = 500;

/// What came of a `multiple`.
pub(crate) struct Outcome {
    pub(crate) answers: Value,
    /// A fault of the connection that an entry ran into; the whole request suffers it.
    pub(crate) fault: Option<Fault>,
}

/// Runs all entries of the body.
pub(crate) fn run(world: &mut World, call: &Call) -> Result<Outcome, OxError> {
    let entries = call
        .json_array()
        .map_err(|_| OxError::from(BAD_REQUEST).with_status(400))?;
    if entries.len() > MOST_ENTRIES {
        return Err(OxError::from(BAD_REQUEST).with_status(400));
    }
    let goes_on = call.flag("continue");
    let mut answers = Vec::new();
    for entry in &entries {
        let entry = entry_call(world, call, entry);
        world.calls.count(&entry.module, &entry.action);
        let fault = world.faults.take_entry(&entry.module, &entry.action);
        if let Some(fault) = fault.clone().filter(|fault| !fault.fits_entry()) {
            // The connection fails; whether the entry is carried out before is up to the fault.
            if matches!(
                fault,
                Fault::LoseAnswer | Fault::TruncatedJson | Fault::Delay(_) | Fault::Hold { .. } | Fault::LeadingBlank
            ) {
                answers.push(answer(world, &entry, None).0);
            }
            return Ok(Outcome {
                answers: Value::Array(answers),
                fault: Some(fault),
            });
        }
        let (json, failed) = answer(world, &entry, fault);
        answers.push(json);
        if failed && !goes_on {
            break;
        }
    }
    Ok(Outcome {
        answers: Value::Array(answers),
        fault: None,
    })
}

/// One entry as a call: its members are the parameters, `data` is the body.
fn entry_call(world: &World, call: &Call, entry: &Value) -> Call {
    let mut parameters = BTreeMap::new();
    for (key, value) in entry
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(key, _)| *key != "data")
    {
        let value = match value {
            Value::Bool(truth) => Some(truth.to_string()),
            other => text(other),
        };
        parameters.extend(value.map(|value| (key.clone(), value)));
    }
    let module = parameters.remove("module").unwrap_or_default();
    let action = parameters.remove("action").unwrap_or_default();
    let zone = parameters.get("timezone").map(|name| Zone::named_or_utc(name));
    Call {
        module,
        action,
        body: entry.get("data").map_or(Body::None, |data| Body::Json(data.clone())),
        user: call.user,
        session: call.session.clone(),
        zone: zone.unwrap_or_else(|| world.zone_of(call.user)),
        method: Method::Entry,
        parameters,
    }
}

/// The answer of one entry, and whether it failed.
fn answer(world: &mut World, entry: &Call, fault: Option<Fault>) -> (Value, bool) {
    let profile = world.profile();
    let result = match &fault {
        Some(Fault::Error { code, category }) => Err(OxError::new(code.clone(), *category, "A fault on request.")),
        _ => carry_out(world, entry),
    };
    let warning = match fault {
        Some(Fault::Warning { code, category }) => Some(OxError::new(code, category, "A fault on request.")),
        _ => None,
    };
    let code = result.as_ref().err().map(|error| error.code.to_string());
    let line = LoggedCall {
        call: format!("  {}", label(&entry.module, &entry.action)),
        parameters: parameters_text(&entry.parameters),
        status: 200,
        code,
    };
    world.calls.note(line);
    match result {
        Ok(mut envelope) => {
            envelope.warnings.extend(warning);
            (whims::success(world, entry, envelope), false)
        }
        Err(error) => (envelope::failure(profile, &error), true),
    }
}

fn carry_out(world: &mut World, entry: &Call) -> Result<Envelope, OxError> {
    let root = modules::root_of(&entry.module);
    let excluded = matches!(root, "login" | "multiple" | "image") || !modules::exists(world, &entry.module);
    // The config tree is reached by paths, which the old servers do not take here.
    let old_config = root == "config" && world.profile().module_prefixes();
    if excluded || old_config {
        return Err(UNKNOWN_MODULE.into());
    }
    match modules::dispatch(world, entry)? {
        Answer::Data(envelope) => Ok(envelope),
        // Downloads are not possible inside.
        Answer::Bytes { .. } => Err(BAD_REQUEST.into()),
    }
}

/// Parameters for the log, without secrets.
pub(crate) fn parameters_text(parameters: &BTreeMap<String, String>) -> String {
    let shown = parameters
        .iter()
        .filter(|(key, _)| !matches!(key.as_str(), "session" | "password" | "action"));
    shown
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<String>>()
        .join("&")
}
