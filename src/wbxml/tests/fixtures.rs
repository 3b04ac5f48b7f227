//! Every `*.wbxml` of `tests/fixtures/wbxml` says what the `*.xml` beside it says, to us and to wbxml2xml.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Write, stderr};
use std::path::PathBuf;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::version::ProtocolVersion;
use crate::version::ProtocolVersion::{V2_5, V12_1, V14_0, V14_1, V16_1};
use crate::wbxml::codepage::unknown_in;
use crate::wbxml::xml::{Detail, parse, to_text};
use crate::wbxml::{Content, Element, Limits, Reason, decode, encode};

/// A pair of files.
struct Fixture {
    name: &'static str,
    /// The version whose encoder writes exactly these bytes; `None` if they hold what only devices write.
    version: Option<ProtocolVersion>,
    /// Why wbxml2xml 0.11 does not read the same.
    differs: Option<&'static str>,
}

#[rustfmt::skip]
const FIXTURES: &[Fixture] = &[
    Fixture { name: "find-request", version: Some(V16_1), differs: Some("it lacks page 25") },
    Fixture { name: "folder-sync-request", version: Some(V2_5), differs: None },
    Fixture { name: "folder-sync-response", version: Some(V14_1), differs: None },
    Fixture { name: "get-item-estimate-request", version: Some(V14_1), differs: None },
    Fixture { name: "item-operations-request", version: Some(V14_1), differs: None },
    Fixture { name: "meeting-response-request", version: Some(V16_1), differs: Some("it lacks ProposedStartTime") },
    Fixture { name: "move-items-response", version: Some(V2_5), differs: None },
    Fixture { name: "noise-empty-forms", version: None, differs: None },
    Fixture { name: "noise-split-strings", version: None, differs: None },
    Fixture { name: "noise-switch-page", version: None, differs: Some("it follows only one SWITCH_PAGE before the root") },
    Fixture { name: "provision-request", version: Some(V14_1), differs: None },
    Fixture { name: "provision-response", version: Some(V12_1), differs: None },
    Fixture { name: "resolve-recipients-response", version: Some(V14_1), differs: None },
    Fixture { name: "rights-management-templates", version: Some(V14_1), differs: None },
    Fixture { name: "search-gal-response", version: Some(V14_1), differs: None },
    Fixture { name: "search-mailbox-request", version: Some(V12_1), differs: None },
    Fixture { name: "send-mail-request", version: Some(V14_0), differs: None },
    Fixture { name: "settings-request", version: Some(V12_1), differs: None },
    Fixture { name: "sync-calendar-response", version: Some(V14_1), differs: None },
    Fixture { name: "sync-contacts-request", version: Some(V12_1), differs: None },
    Fixture { name: "sync-first-request", version: Some(V2_5), differs: None },
    Fixture { name: "sync-mail-2.5-response", version: Some(V2_5), differs: None },
    Fixture { name: "sync-mail-request", version: Some(V12_1), differs: None },
    Fixture { name: "sync-mail-response", version: Some(V14_0), differs: None },
    Fixture { name: "sync-notes-response", version: Some(V14_0), differs: None },
    Fixture { name: "sync-tasks-request", version: Some(V2_5), differs: None },
    Fixture { name: "unknown-page-254", version: None, differs: Some("it lacks page 254") },
    Fixture { name: "validate-cert-request", version: Some(V2_5), differs: None },
];

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wbxml")
}

impl Fixture {
    fn bytes(&self) -> Vec<u8> {
        fs::read(directory().join(self.name).with_added_extension("wbxml")).expect(self.name)
    }

    fn text(&self) -> String {
        fs::read_to_string(directory().join(self.name).with_added_extension("xml")).expect(self.name)
    }

    fn root(&self) -> Element {
        decode(&self.bytes(), &Limits::default()).expect(self.name)
    }
}

#[test]
fn the_table_names_every_file() {
    let files: BTreeSet<String> = fs::read_dir(directory())
        .expect("the directory of fixtures")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("UTF-8"))
        .filter(|name| name != "README.md")
        .collect();
    let listed = FIXTURES
        .iter()
        .flat_map(|fixture| ["wbxml", "xml"].map(|extension| format!("{}.{extension}", fixture.name)))
        .collect();
    assert_eq!(files, listed);
}

#[test]
fn bytes_and_text_are_the_same_document() {
    for fixture in FIXTURES {
        let root = fixture.root();
        assert_eq!(parse(&fixture.text()).expect(fixture.name), root, "{}", fixture.name);
        assert_eq!(to_text(&root, Detail::Full), fixture.text(), "{}", fixture.name);
    }
}

#[test]
fn what_a_version_has_is_encoded_to_the_same_bytes() {
    for fixture in FIXTURES {
        if let Some(version) = fixture.version {
            assert_eq!(unknown_in(&fixture.root(), version), [], "{}", fixture.name);
            assert_eq!(encode(&fixture.root(), version), fixture.bytes(), "{}", fixture.name);
        }
    }
}

#[test]
fn a_prefix_is_never_a_document() {
    for fixture in FIXTURES {
        let bytes = fixture.bytes();
        for length in 0..bytes.len() {
            let error = decode(&bytes[..length], &Limits::default()).expect_err(fixture.name);
            assert_eq!(error.reason, Reason::Truncated, "{} cut at {length}", fixture.name);
            assert!(error.offset <= length);
        }
    }
}

/// Names that wbxml2xml writes otherwise than [MS-ASWBXML].
const MISSPELT: &[(&str, &str)] = &[
    ("\"Gal:\"", "\"GAL:\""),
    ("MIME>", "Mime>"),
    ("ihsManagementInformation>", "RightsManagementInformation>"),
    ("FlagStatus", "Status"),
    ("UTCStartDate", "UtcStartDate"),
    ("TimeZone", "Timezone"),
    ("DTStamp", "DtStamp"),
    ("Organizer_", "Organizer"),
    ("Attendee_Status", "AttendeeStatus"),
    ("Attendee_Type", "AttendeeType"),
    ("Attendee_", ""),
    ("Recurrence_", ""),
    ("Exception_StartTime", "ExceptionStartTime"),
    ("Exception_", ""),
];

/// A second opinion: libwbxml has its own tables and its own decoder.
#[test]
fn wbxml2xml_reads_the_same() {
    for fixture in FIXTURES {
        if let Some(reason) = fixture.differs {
            println!("{} is not compared: {reason}", fixture.name);
            continue;
        }
        let file = directory().join(fixture.name).with_added_extension("wbxml");
        // Compact, with all white space, to standard output.
        let mut command = Command::new("wbxml2xml");
        command.args(["-l", "ACTIVESYNC", "-m", "0", "-k", "-o", "-"]).arg(file);
        let output = match command.output() {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // Not through eprintln!, which is silent as long as tests pass.
                let message = b"SKIPPED: wbxml2xml (libwbxml2-utils) is not installed\n";
                stderr().write_all(message).expect("standard error");
                return;
            }
            output => output.expect("wbxml2xml runs"),
        };
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        let text = MISSPELT
            .iter()
            .fold(text, |text, (theirs, ours)| text.replace(theirs, ours));
        let theirs = parse(&text).unwrap_or_else(|error| panic!("{}: {error}\n{text}", fixture.name));
        assert_same(&fixture.root(), &theirs, fixture.name);
    }
}

/// Byte arrays are text to wbxml2xml, except some that it shows as base64.
fn assert_same(ours: &Element, theirs: &Element, name: &str) {
    assert_eq!(ours.tag, theirs.tag, "{name}");
    assert_eq!(ours.children().len(), theirs.children().len(), "{name} {:?}", ours.tag);
    for (ours, theirs) in ours.children().iter().zip(theirs.children()) {
        assert_same(ours, theirs, name);
    }
    let text = theirs.as_text().map(|text| text.replace("\r\n", "\n"));
    let expected = ours.as_text().map(|text| text.replace("\r\n", "\n"));
    match &ours.content {
        Content::Opaque(bytes) if text.as_deref() == Some(&BASE64.encode(bytes)) => {}
        _ => assert_eq!(text, expected, "{name} {:?}", ours.tag),
    }
}
