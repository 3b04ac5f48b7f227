//! What is special about contacts: pictures, and a change that changes nothing.
//!
//! Implements the API documentation, "Module contacts".

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;
use url::Url;

use crate::ox::Object;
use crate::ox::call::Call;
use crate::ox::call::Part;
use crate::ox::columns::ColumnName;
use crate::ox::columns::contacts;
use crate::ox::error::Error;
use crate::ox::error::ErrorKind;
use crate::ox::module::Module;
use crate::ox::reply::Reply;
use crate::ox::session::Session;
use crate::ox::settings::Version;
use crate::ox::write::put;

/// The largest picture that is fetched. OX's own limit is 4 MB by default.
const MAX_PICTURE: usize = 8 * 1024 * 1024;
/// From here on a picture may stand in the object as base64; before, it has to be uploaded.
const PICTURE_IN_OBJECT: Version = Version::new(7, 0);
/// "Update with nothing changed": OX calls that an error.
const NOTHING_CHANGED: &str = "CON-0122";
/// The picture cannot be decoded, or is too large.
const BAD_PICTURE: &[&str] = &["CON-0101", "CON-0136", "CON-0158", "CON-0172"];

/// What has to be fetched of a contact for [`photo`].
pub const PHOTO_COLUMNS: [ColumnName; 3] = [
    contacts::IMAGE1.name(),
    contacts::IMAGE1_URL.name(),
    contacts::IMAGE1_CONTENT_TYPE.name(),
];

/// The picture of a contact with its content type; `contact` is what was fetched of it.
pub async fn photo(session: &Session, contact: &Object) -> Result<Option<(String, Vec<u8>)>, Error> {
    let picture = contact
        .text(contacts::IMAGE1_URL)
        .or_else(|| contact.text(contacts::IMAGE1));
    let Some(picture) = picture else {
        return Ok(None);
    };
    if let Some(call) = picture_call(session, picture) {
        return match session.download(&call, MAX_PICTURE).await {
            Ok(picture) if picture.bytes.is_empty() || picture.content_type.starts_with("text/") => Ok(None),
            Ok(picture) => Ok(Some((picture.content_type, picture.bytes.to_vec()))),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Unsupported) => Ok(None),
            Err(error) => Err(error),
        };
    }
    // Old servers put the picture itself there.
    let content_type = contact.text(contacts::IMAGE1_CONTENT_TYPE).unwrap_or("image/jpeg");
    Ok(decode(picture).map(|bytes| (content_type.to_owned(), bytes)))
}

/// A picture given as URL: a path from the server's root, or a complete one, which may name the server as browsers know
/// it. The host is always ours, since the session must not travel anywhere else.
fn picture_call(session: &Session, picture: &str) -> Option<Call> {
    // Base64 may begin with a slash too; of JPEGs, it always does.
    let is_url = picture.starts_with("http:") || picture.starts_with("https:") || is_path(picture);
    let url = session.ox().base().join(picture).ok().filter(|_| is_url)?;
    Some(picture_parameters(&url).fold(Call::get(url.path(), ""), |call, (name, value)| call.with(name, value)))
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && !text.starts_with("//") && text.len() < 2048 && decode(text).is_none()
}

/// The parameters of the URL but the session, which may have been renewed, and the zone, which every call has.
fn picture_parameters(url: &Url) -> impl Iterator<Item = (String, String)> {
    let pairs = url
        .query_pairs()
        .filter(|(name, _)| name != "session" && name != "timezone");
    pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    STANDARD.decode(compact).ok().filter(|bytes| !bytes.is_empty())
}

/// Writes a contact whose `image1` may hold a picture as base64. A picture that OX does not like is left out rather than
/// losing the contact.
pub(super) async fn write(
    session: &Session,
    action: &str,
    place: &[(&'static str, &str)],
    mut contact: Object,
) -> Result<Reply, Error> {
    match write_picture(session, action, place, contact.clone()).await {
        Err(error) if BAD_PICTURE.contains(&error.code()) && contact.has(contacts::IMAGE1) => {
            log::warn!("{error}; saving the contact without its picture");
            contact.remove(contacts::IMAGE1);
            contact.remove(contacts::IMAGE1_CONTENT_TYPE);
            if contact.is_empty() {
                return Ok(Reply::default());
            }
            write_picture(session, action, place, contact).await
        }
        outcome => outcome,
    }
}

async fn write_picture(
    session: &Session,
    action: &str,
    place: &[(&'static str, &str)],
    contact: Object,
) -> Result<Reply, Error> {
    let picture = contact.text(contacts::IMAGE1).and_then(decode);
    let call = match picture {
        Some(picture) if session.settings().await?.version < PICTURE_IN_OBJECT => {
            upload(action, place, contact, picture)
        }
        _ => put(Module::Contacts, action, place, contact.into_map()),
    };
    match session.call(&call).await {
        Err(error) if error.code() == NOTHING_CHANGED => Ok(Reply::default()),
        outcome => outcome,
    }
}

/// "`POST` multipart/form-data, field `json` = object, field `file` = image with file name and content type".
fn upload(action: &str, place: &[(&'static str, &str)], mut contact: Object, picture: Vec<u8>) -> Call {
    let content_type = contact
        .text(contacts::IMAGE1_CONTENT_TYPE)
        .unwrap_or("image/jpeg")
        .to_owned();
    contact.remove(contacts::IMAGE1);
    contact.remove(contacts::IMAGE1_CONTENT_TYPE);
    let json = Part {
        name: "json".to_owned(),
        file: None,
        bytes: Bytes::from(Value::Object(contact.into_map()).to_string()),
    };
    let file = Part {
        name: "file".to_owned(),
        file: Some(("picture".to_owned(), content_type)),
        bytes: picture.into(),
    };
    let call = Call::upload(Module::Contacts.name(), action, vec![json, file]);
    place.iter().fold(call, |call, (name, value)| call.with(*name, value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ox::columns::Column;
    use crate::ox::columns::Text;
    use crate::ox::testing::Request;
    use crate::ox::testing::Response;
    use crate::ox::testing::SESSION;
    use crate::ox::testing::Server;
    use crate::ox::testing::callback_page;
    use crate::ox::testing::data;
    use crate::ox::testing::failure;
    use crate::ox::write::create;
    use crate::ox::write::update;

    fn contact(key: Column<Text>, value: &str) -> Object {
        let mut contact = Object::new();
        contact.set(key, value);
        contact
    }

    async fn server(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> (Server, Session) {
        Server::with_session(answer).await
    }

    #[tokio::test]
    async fn pictures_are_fetched_from_our_server_only() {
        // As in the contact: a path, and a URL as browsers see the server.
        let urls = [
            "/ajax/image/contact/picture?folder=33&id=5&session=old&timestamp=17",
            "https://webmail.example.com/ajax/image/contact/picture?folder=33&id=5&session=old&timestamp=17",
        ];
        for url in urls {
            let (server, session) = server(|_| Response::text("image/png", "PNG")).await;
            let picture = photo(&session, &contact(contacts::IMAGE1_URL, url)).await.unwrap();
            assert_eq!(picture, Some(("image/png".to_owned(), b"PNG".to_vec())));
            let request = server.only();
            assert_eq!(request.module, "image/contact/picture");
            assert_eq!((request.parameter("id"), request.parameter("timestamp")), ("5", "17"));
            assert_eq!(request.parameter("session"), SESSION);
        }
    }

    #[tokio::test]
    async fn old_servers_put_the_picture_into_the_contact() {
        let (server, session) = server(|_| failure("SVL-0001", 8)).await;
        let mut contact = contact(contacts::IMAGE1, "/9j/\n4AAQ");
        contact.set(contacts::IMAGE1_CONTENT_TYPE, "image/jpeg");
        let (content_type, bytes) = photo(&session, &contact).await.unwrap().unwrap();
        assert_eq!(
            (content_type.as_str(), bytes),
            ("image/jpeg", vec![0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10])
        );
        assert_eq!(photo(&session, &Object::new()).await.unwrap(), None);
        assert!(server.requests().is_empty());
    }

    #[tokio::test]
    async fn a_picture_that_is_gone_is_no_error() {
        let (_server, session) = server(|_| Response::text("text/html", "").with_status(404)).await;
        let contact = contact(contacts::IMAGE1_URL, "/ajax/image/contact/picture?id=5");
        assert_eq!(photo(&session, &contact).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_change_that_changes_nothing_is_a_success() {
        let (_server, session) = server(|_| failure("CON-0122", 1)).await;
        let change = contact(contacts::NOTE, "same");
        let written = update(&session, Module::Contacts, "33", "5", 1_700, change)
            .await
            .unwrap();
        assert_eq!((written.id.as_str(), written.modified), ("5", None));
    }

    fn version_or(request: &Request, version: &str, answer: Response) -> Response {
        match request.name().as_str() {
            "contacts?new" | "contacts?update" => answer,
            "config/serverVersion" => data(json!(version)),
            _ => failure("SVL-0001", 8),
        }
    }

    #[tokio::test]
    async fn new_servers_take_the_picture_in_the_contact() {
        let (server, session) =
            server(|request| version_or(request, "7.8.4", json!({"data": {"id": 5}, "timestamp": 7}).into())).await;
        create(&session, Module::Contacts, "33", contact(contacts::IMAGE1, "/9j/4AAQ"))
            .await
            .unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.method, "PUT");
        assert_eq!(request.json(), json!({"image1": "/9j/4AAQ", "folder_id": 33}));
    }

    #[tokio::test]
    async fn old_servers_want_an_upload() {
        let page = callback_page(&json!({"data": {}, "timestamp": 1_700_000_031_000_i64}));
        let (server, session) = server(move |request| version_or(request, "6.20.7", page.clone())).await;
        let mut change = contact(contacts::NOTE, "mit Bild");
        change.set(contacts::IMAGE1, "R0lG");
        change.set(contacts::IMAGE1_CONTENT_TYPE, "image/gif");
        let written = update(&session, Module::Contacts, "33", "5", 1_700, change)
            .await
            .unwrap();
        assert_eq!(written.modified, Some(1_700_000_031_000));
        let request = server.requests().pop().unwrap();
        assert_eq!(request.method, "POST");
        assert_eq!((request.parameter("id"), request.parameter("timestamp")), ("5", "1700"));
        assert!(
            request
                .header("content-type")
                .starts_with("multipart/form-data; boundary=")
        );
        assert!(
            request
                .body
                .contains("name=\"json\"\r\n\r\n{\"note\":\"mit Bild\"}\r\n"),
            "{}",
            request.body
        );
        assert!(
            request
                .body
                .contains("name=\"file\"; filename=\"picture\"\r\nContent-Type: image/gif\r\n\r\nGIF\r\n")
        );
    }

    #[tokio::test]
    async fn a_bad_picture_does_not_lose_the_contact() {
        let (server, session) = server(|request| match request.body.contains("image1") {
            true => version_or(request, "7.8.4", failure("CON-0136", 1)),
            false => version_or(request, "7.8.4", json!({"data": {"id": 5}, "timestamp": 7}).into()),
        })
        .await;
        let mut new = contact(contacts::IMAGE1, "AAAA");
        new.set(contacts::LAST_NAME, "Meier");
        create(&session, Module::Contacts, "33", new).await.unwrap();
        let request = server.requests().pop().unwrap();
        assert_eq!(request.json(), json!({"last_name": "Meier", "folder_id": 33}));
    }
}
