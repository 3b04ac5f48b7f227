//! The administrator's door of the program: `/standin/...`, for demonstrations and for tests of other processes.
//!
//! | request | does |
//! |---|---|
//! | `POST /standin/mail?user=anton&folder=default0/INBOX` | delivers the body as a mail, answers its id |
//! | `POST /standin/object?user=anton&module=contacts` | creates an object from a JSON body, answers its id |
//! | `POST /standin/sessions/expire` | ends all sessions |
//! | `POST /standin/faults` | orders a fault: `{"fault": "status", "status": 503, "module": "mail", "action": "all", "nth": 1}` |
//! | `POST /standin/faults/clear` | forgets all faults |
//! | `GET /standin/calls` | counters and log as JSON |
//! | `POST /standin/calls/reset` | forgets counters and log |
//! | `GET /standin/sent?user=anton` | what has been sent: envelopes and bytes as text |
//! | `POST /standin/clock` | `{"set": ms}`, `{"advance": ms}` or `{"run": true}`; answers the time |

use crate::fault::Fault;
use crate::http::Outgoing;
use crate::http::parameters;
use crate::pim::Module;
use crate::server::Standin;
use bytes::Bytes;
use serde_json::Value;
use serde_json::json;
use std::time::Duration;

/// Answers a request below `/standin/`.
pub(crate) fn answer(standin: &Standin, parts: &http::request::Parts, command: &str, body: &Bytes) -> Outgoing {
    let query = parameters(parts.uri.query().unwrap_or("").as_bytes());
    let parameter = |key: &str| query.get(key).map(String::as_str);
    let reading = parts.method == http::Method::GET;
    let result = match (reading, command.trim_end_matches('/')) {
        (false, "mail") => deliver(standin, parameter("user"), parameter("folder"), body),
        (false, "object") => create(standin, parameter("user"), parameter("module"), body),
        (false, "sessions/expire") => {
            standin.expire_sessions();
            Ok(Value::Null)
        }
        (false, "faults") => order(standin, body),
        (false, "faults/clear") => {
            standin.faults().clear();
            Ok(Value::Null)
        }
        (true, "calls") => Ok(calls(standin)),
        (false, "calls/reset") => {
            standin.reset_calls();
            Ok(Value::Null)
        }
        (true, "sent") => sent(standin, parameter("user")),
        (false, "clock") => clock(standin, body),
        _ => return Outgoing::page(404, "Not Found", "No such command."),
    };
    match result {
        Ok(data) => Outgoing::json(&json!({"data": data})),
        Err(text) => Outgoing::page(400, "Bad Request", &text),
    }
}

fn user<'a>(standin: &Standin, login: Option<&'a str>) -> Result<&'a str, String> {
    let login = login.unwrap_or("anton");
    let known = standin.world().user_by_login(login).is_some();
    if known {
        Ok(login)
    } else {
        Err(format!("no user {login}"))
    }
}

fn deliver(standin: &Standin, login: Option<&str>, folder: Option<&str>, raw: &Bytes) -> Result<Value, String> {
    let login = user(standin, login)?;
    let folder = folder.unwrap_or("default0/INBOX");
    let id = standin.world().user_by_login(login).map(|user| user.id);
    let exists = {
        let world = standin.world();
        let mailbox = id.and_then(|id| world.mailboxes.get(&id));
        let name = crate::mail::store::full_name(folder);
        mailbox
            .zip(name)
            .is_some_and(|(mailbox, name)| mailbox.folders.contains_key(name))
    };
    if exists {
        Ok(json!(standin.web(login).deliver_mail(folder, raw)))
    } else {
        Err(format!("no folder {folder}"))
    }
}

fn create(standin: &Standin, login: Option<&str>, module: Option<&str>, body: &Bytes) -> Result<Value, String> {
    let login = user(standin, login)?;
    let module = module
        .and_then(Module::named)
        .ok_or("module: calendar, tasks or contacts")?;
    let object: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let created = standin.web(login).try_create(module, object);
    created
        .map(|id| json!(id))
        .map_err(|error| format!("{}: {}", error.code, error.text))
}

/// Orders a fault described in JSON.
fn order(standin: &Standin, body: &Bytes) -> Result<Value, String> {
    let order: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let fault = fault(&order)?;
    let text = |key: &str| order.get(key).and_then(Value::as_str);
    let nth = order
        .get("nth")
        .and_then(Value::as_u64)
        .and_then(|nth| usize::try_from(nth).ok())
        .unwrap_or(1);
    match (text("module"), order.get("always") == Some(&json!(true))) {
        (Some(module), true) => standin.faults().always(module, text("action").unwrap_or("*"), fault),
        (Some(module), false) => standin.faults().nth(nth, module, text("action").unwrap_or("*"), fault),
        (None, _) => standin.faults().next(fault),
    }
    Ok(Value::Null)
}

fn fault(order: &Value) -> Result<Fault, String> {
    let number = |key: &str, default: u64| order.get(key).and_then(Value::as_u64).unwrap_or(default);
    let small = |key: &str, default: u64| u16::try_from(number(key, default)).unwrap_or(u16::MAX);
    let code = || {
        order
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or("OX-9999")
            .to_owned()
    };
    let category = || u8::try_from(number("category", 8)).unwrap_or(8);
    Ok(match order.get("fault").and_then(Value::as_str).unwrap_or("") {
        "status" => Fault::Status(small("status", 503)),
        "rate_limited" => Fault::RateLimited(u32::from(small("seconds", 300))),
        "timeout" => Fault::Timeout,
        "reset" => Fault::Reset,
        "lose_answer" => Fault::LoseAnswer,
        "silence" => Fault::Silence,
        "html_page" => Fault::HtmlPage,
        "truncated_json" => Fault::TruncatedJson,
        "session_expired" => Fault::SessionExpired,
        "error" => Fault::Error {
            code: code(),
            category: category(),
        },
        "warning" => Fault::Warning {
            code: code(),
            category: category(),
        },
        "delay" => Fault::Delay(Duration::from_millis(number("ms", 1000))),
        "leading_blank" => Fault::LeadingBlank,
        other => return Err(format!("unknown fault {other:?}")),
    })
}

fn calls(standin: &Standin) -> Value {
    let calls = standin.calls();
    let log: Vec<String> = calls.log.iter().map(ToString::to_string).collect();
    json!({"requests": calls.requests, "by_action": calls.by_action, "log": log})
}

fn sent(standin: &Standin, login: Option<&str>) -> Result<Value, String> {
    let login = user(standin, login)?;
    let sent = standin.web(login).sent().into_iter().map(
        |sent| json!({"from": sent.from, "recipients": sent.recipients, "raw": String::from_utf8_lossy(&sent.raw)}),
    );
    Ok(sent.collect())
}

fn clock(standin: &Standin, body: &Bytes) -> Result<Value, String> {
    let order: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    if let Some(ms) = order.get("set").and_then(Value::as_i64) {
        standin.clock().set(ms);
    }
    if let Some(ms) = order.get("advance").and_then(Value::as_i64) {
        standin.clock().advance(ms);
    }
    if order.get("run") == Some(&json!(true)) {
        standin.clock().run();
    }
    Ok(json!(standin.clock().now()))
}
