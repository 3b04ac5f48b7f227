//! Answers as JSON: the envelope around data and errors.
//!
//! Implements "Low level protocol" and "Error handling" of the OX HTTP API, with its trap: warnings are mirrored as a
//! top-level error of category 13, although the call succeeded.

use crate::call::Envelope;
use crate::error::OxError;
use crate::profile::Profile;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

const WARNING: u8 = 13;

/// An envelope as JSON.
pub(crate) fn success(profile: Profile, envelope: Envelope) -> Value {
    let mut object = Map::new();
    if let Some(data) = envelope.data {
        object.insert("data".to_owned(), data);
    }
    if let Some(timestamp) = envelope.timestamp {
        object.insert("timestamp".to_owned(), json!(timestamp));
    }
    let mut warnings: Vec<Value> = envelope
        .warnings
        .iter()
        .map(|warning| Value::Object(fields(profile, warning)))
        .collect();
    if let Some(first) = envelope.warnings.first() {
        let mirrored = OxError {
            category: WARNING,
            ..first.clone()
        };
        object.extend(fields(profile, &mirrored));
        let warnings = if warnings.len() == 1 {
            warnings.remove(0)
        } else {
            Value::Array(warnings)
        };
        object.insert("warnings".to_owned(), warnings);
    }
    Value::Object(object)
}

/// An error as the whole answer.
pub(crate) fn failure(profile: Profile, error: &OxError) -> Value {
    Value::Object(fields(profile, error))
}

/// The error's fields alone, as they stand inside other answers.
pub(crate) fn error_fields(error: &OxError) -> Value {
    Value::Object(fields(Profile::default(), error))
}

fn fields(profile: Profile, error: &OxError) -> Map<String, Value> {
    static INCIDENT: AtomicU64 = AtomicU64::new(1);
    let mut object = Map::new();
    let mut insert = |key: &str, value: Value| drop(object.insert(key.to_owned(), value));
    insert("error", json!(error.text));
    insert(
        "error_params",
        if profile.fills_error_params() {
            json!([error.text])
        } else {
            json!([])
        },
    );
    let name = error.category_name();
    if profile.writes_categories() {
        let names = if profile.categories_are_array() {
            json!([name])
        } else {
            json!(name)
        };
        insert("categories", names);
    }
    insert("category", json!(error.category));
    insert("code", json!(error.code));
    insert(
        "error_id",
        json!(format!("-1868225431-{}", INCIDENT.fetch_add(1, Ordering::Relaxed))),
    );
    if profile > Profile::V6_20 {
        insert("error_desc", json!(error.text));
    }
    if let Some(details) = &error.details {
        insert("problematic", details.problematic.clone());
        if let Some(truncated) = &details.truncated {
            insert("truncated", truncated.clone());
        }
    }
    object
}

/// The page around JSON that answers an upload: a script that hands it to `callback_<action>`.
pub(crate) fn callback_page(action: &str, json: &str) -> String {
    let json = json.replace("</", "<\\/");
    format!(
        "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\"><html><head>\
         <META http-equiv=\"Content-Type\" content=\"text/html; charset=UTF-8\"><script type=\"text/javascript\">\n\
         (parent[\"callback_{action}\"] || window.opener && window.opener[\"callback_{action}\"])({json})\n\
         </script></head></html>"
    )
}

/// An error as a page for people.
pub(crate) fn error_page(title: &str, text: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><p>{text}</p></body></html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::MAIL_NO_COPY;
    use crate::error::SESSION_EXPIRED;

    #[test]
    fn an_error_says_who_is_to_blame() {
        let error = failure(Profile::V7_8, &SESSION_EXPIRED.into());
        assert_eq!(error["code"], "SES-0203");
        assert_eq!(error["category"], 4);
        assert_eq!(error["categories"], "TRY_AGAIN");
        assert_eq!(error["error_params"], json!([]));
        assert_eq!(
            failure(Profile::V7_10, &SESSION_EXPIRED.into())["categories"],
            json!(["TRY_AGAIN"])
        );
    }

    #[test]
    fn a_warning_is_mirrored() {
        let warning = OxError {
            category: 3,
            ..MAIL_NO_COPY.into()
        };
        let envelope = Envelope {
            data: Some(json!([])),
            timestamp: None,
            warnings: vec![warning],
        };
        let answer = success(Profile::V7_8, envelope);
        assert_eq!((&answer["code"], &answer["category"]), (&json!("MSG-0043"), &json!(13)));
        assert_eq!(answer["warnings"]["category"], 3);
    }

    #[test]
    fn a_callback_page_never_closes_the_script_early() {
        let page = callback_page("new", r#"{"data":"</script>"}"#);
        assert!(page.contains(r#"callback_new"])({"data":"<\/script>"})"#), "{page}");
    }
}
