//! What every request of a phone has in common: who it is, which version it speaks, how it writes its query.
//!
//! Implements the device's side of [MS-ASHTTP]: both forms of the query, the headers, and what an answer must have.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxtender::version::ProtocolVersion;
use oxtender::wbxml;
use oxtender::wbxml::Element;

use super::http::Answer;
use super::http::Door;
use super::http::Request;

pub(crate) const PATH: &str = "/Microsoft-Server-ActiveSync";
pub(crate) const WBXML: &str = "application/vnd.ms-sync.wbxml";
pub(crate) const MULTIPART: &str = "application/vnd.ms-sync.multipart";

/// [MS-ASHTTP] "Command Codes".
pub(super) const CODES: [(&str, u8); 24] = [
    ("Sync", 0),
    ("SendMail", 1),
    ("SmartForward", 2),
    ("SmartReply", 3),
    ("GetAttachment", 4),
    ("GetHierarchy", 5),
    ("CreateCollection", 6),
    ("DeleteCollection", 7),
    ("MoveCollection", 8),
    ("FolderSync", 9),
    ("FolderCreate", 10),
    ("FolderDelete", 11),
    ("FolderUpdate", 12),
    ("MoveItems", 13),
    ("GetItemEstimate", 14),
    ("MeetingResponse", 15),
    ("Search", 16),
    ("Settings", 17),
    ("Ping", 18),
    ("ItemOperations", 19),
    ("Provision", 20),
    ("ResolveRecipients", 21),
    ("ValidateCert", 22),
    ("Find", 23),
];

/// How the query is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Query {
    /// `?Cmd=Sync&...`, with the version in a header.
    Plain,
    /// Everything in one base64 string.
    Base64,
}

/// A phone's identity and its way to the gateway.
#[derive(Clone)]
pub(crate) struct Link {
    pub(crate) door: Arc<dyn Door>,
    pub(crate) login: String,
    pub(crate) password: String,
    pub(crate) device_id: String,
    pub(crate) version: ProtocolVersion,
    pub(crate) query: Query,
    /// From Provision; 0 before.
    pub(crate) policy_key: u32,
    /// By which servers recognise the model.
    pub(crate) device_type: String,
    pub(crate) user_agent: String,
}

/// Parameters of single commands in the query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) save_in_sent: bool,
    pub(crate) accept_multipart: bool,
}

impl Link {
    /// A command as a request. `content_type` says what the body is.
    pub(crate) fn request(
        &self,
        command: &str,
        parameters: Parameters,
        content_type: &str,
        body: Option<Vec<u8>>,
    ) -> Request {
        let mut headers = vec![
            ("Authorization", self.authorization()),
            ("User-Agent", self.user_agent.clone()),
        ];
        if body.is_some() {
            headers.push(("Content-Type", content_type.to_owned()));
        }
        let query = match self.query {
            Query::Base64 => self.encoded_query(command, parameters),
            Query::Plain => {
                headers.push(("MS-ASProtocolVersion", self.version.name().to_owned()));
                headers.push(("X-MS-PolicyKey", self.policy_key.to_string()));
                if parameters.accept_multipart {
                    headers.push(("MS-ASAcceptMultiPart", "T".to_owned()));
                }
                let save = if parameters.save_in_sent { "&SaveInSent=T" } else { "" };
                format!(
                    "Cmd={command}&User={}&DeviceId={}&DeviceType={}{save}",
                    self.login, self.device_id, self.device_type
                )
            }
        };
        Request {
            method: "POST",
            target: format!("{PATH}?{query}"),
            headers,
            body,
        }
    }

    /// A command with a document as its body.
    pub(crate) fn wbxml(&self, command: &str, root: &Element) -> Request {
        let body = wbxml::encode(root, self.version);
        self.request(command, Parameters::default(), WBXML, Some(body))
    }

    pub(crate) fn options(&self) -> Request {
        Request {
            method: "OPTIONS",
            target: PATH.to_owned(),
            headers: vec![("Authorization", self.authorization())],
            body: None,
        }
    }

    /// Sends a request and takes the answer, whatever its status.
    pub(crate) fn exchange(&self, request: &Request) -> Answer {
        let answer = self.door.exchange(request);
        answer.unwrap_or_else(|error| panic!("{}: {error}", request.target))
    }

    /// Sends a command and takes its document; panics if there is none.
    pub(crate) fn document(&self, command: &str, root: &Element) -> Element {
        let answer = self.exchange(&self.wbxml(command, root));
        self.read(&answer)
            .unwrap_or_else(|| panic!("{command}: the answer has no document"))
    }

    /// The document of a successful answer; `None` if the body is empty.
    pub(crate) fn read(&self, answer: &Answer) -> Option<Element> {
        assert_eq!(answer.status, 200, "HTTP status");
        if answer.body.is_empty() {
            return None;
        }
        assert_eq!(answer.header("Content-Type"), Some(WBXML));
        Some(self.decode(&answer.body))
    }

    pub(crate) fn decode(&self, body: &[u8]) -> Element {
        wbxml::decode(body, &wbxml::Limits::default())
            .unwrap_or_else(|error| panic!("the answer is no WBXML: {error}: {body:02X?}"))
    }

    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.login, self.password)))
    }

    fn encoded_query(&self, command: &str, parameters: Parameters) -> String {
        let code = CODES.iter().find(|(name, _)| *name == command);
        let (_, code) = code.unwrap_or_else(|| panic!("{command} has no code"));
        let mut bytes = vec![self.version.code(), *code, 0x09, 0x04];
        let mut counted = |field: &[u8]| {
            bytes.push(u8::try_from(field.len()).unwrap());
            bytes.extend_from_slice(field);
        };
        counted(self.device_id.as_bytes());
        match self.policy_key {
            0 => counted(b""),
            key => counted(&key.to_le_bytes()),
        }
        counted(self.device_type.as_bytes());
        let flags = u8::from(parameters.save_in_sent) | u8::from(parameters.accept_multipart) << 1;
        if flags != 0 {
            // Tag 7, Options, one byte long.
            bytes.extend([7, 1, flags]);
        }
        STANDARD.encode(bytes)
    }
}
