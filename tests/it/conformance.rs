//! `docs/conformance.md` is written from the tables of the gateway, and may not say anything else.
//!
//! `UPDATE_DOCS=1 cargo test --test it conformance` (`make docs`) writes it anew; otherwise the test shows what differs.

use std::fs;
use std::path::Path;

use oxtender::eas::command::COMMANDS;
use oxtender::eas::command::Command;
use oxtender::eas::command::conformance::DIFFERENCES;
use oxtender::eas::command::conformance::How;
use oxtender::eas::command::conformance::LIMITS;
use oxtender::eas::status::common::COMMON;
use oxtender::version::ProtocolVersion;
use oxtender::version::VersionRange;
use oxtender::wbxml;

use crate::house::sources;

const DOCUMENT: &str = "docs/conformance.md";

#[test]
fn the_document_is_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(DOCUMENT);
    let expected = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{DOCUMENT} is not what the tables say; `make docs` writes it anew:\n{}",
        difference(&found, &expected)
    );
}

/// Lines that one side has and the other lacks.
fn difference(found: &str, expected: &str) -> String {
    let lacks = |text: &str, line: &str| text.lines().all(|other| other != line);
    let gone = found.lines().filter(|line| lacks(expected, line));
    let new = expected.lines().filter(|line| lacks(found, line));
    let lines = gone.map(|line| format!("-{line}\n"));
    lines.chain(new.map(|line| format!("+{line}\n"))).collect()
}

fn document() -> String {
    [
        "# Conformance\n\nWhat the gateway serves of Exchange ActiveSync, command by command and version by version. This page is \
         written by a test\nfrom the tables that the program itself works with (`make docs`).\n"
            .to_owned(),
        commands(),
        differences(),
        statuses(),
        limits(),
    ]
    .join("\n")
}

fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let heads: Vec<String> = heads.iter().map(|head| (*head).to_owned()).collect();
    let rule = vec!["---".to_owned(); heads.len()];
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    line(&heads) + &line(&rule) + &rows
}

fn commands() -> String {
    let mut heads = vec!["command"];
    heads.extend(ProtocolVersion::ALL.map(ProtocolVersion::name));
    heads.push("body of the request");
    let rows = COMMANDS.iter().map(|command| {
        let mut row = vec![command.name.to_owned()];
        row.extend(ProtocolVersion::ALL.map(|version| served(command, version).to_owned()));
        row.push(body(command));
        row
    });
    format!(
        "## Commands\n\n\"yes\": served as specified. \"bent\", \"part\": served, with the differences below. \"no\": not offered, \
         for the reason below.\n\"-\": the version does not have the command; it is answered with Status 138, in older \
         versions with HTTP 400.\n\n{}",
        table(&heads, rows)
    )
}

fn served(command: &Command, version: ProtocolVersion) -> &'static str {
    if !command.versions.contains(version) {
        return "-";
    }
    if command.run.is_none() {
        return "no";
    }
    let mut differences = DIFFERENCES
        .iter()
        .filter(|row| row.command == command.name && row.versions.contains(version));
    match (
        differences.clone().any(|row| row.how == How::Refused),
        differences.next(),
    ) {
        (true, _) => "part",
        (false, Some(_)) => "bent",
        (false, None) => "yes",
    }
}

/// In which versions the body is WBXML, and in which it may be absent.
fn body(command: &Command) -> String {
    let of = |has: &dyn Fn(ProtocolVersion) -> bool| -> Option<String> {
        let mut having = ProtocolVersion::ALL
            .into_iter()
            .filter(|version| command.versions.contains(*version) && has(*version));
        let first = having.next()?;
        Some(range(
            VersionRange::between(first, having.last().unwrap_or(first)),
            command.versions,
        ))
    };
    let wbxml = of(&|version| command.wbxml.is_expected(version));
    let absent = of(&|version| command.wbxml.may_be_absent(version));
    match (wbxml, absent) {
        (None, _) => "none".to_owned(),
        (Some(wbxml), None) if wbxml.is_empty() => "WBXML".to_owned(),
        (Some(wbxml), None) => format!("MIME, WBXML{wbxml}"),
        (Some(wbxml), Some(absent)) => format!("WBXML{wbxml}, or none{absent}"),
    }
}

/// ` (14.0 and later)`; nothing where it is all that there is.
fn range(versions: VersionRange, of: VersionRange) -> String {
    match (versions.first == of.first, versions.last == of.last) {
        (true, true) => String::new(),
        (false, true) => format!(" ({} and later)", versions.first),
        (true, false) if versions.first == versions.last => format!(" ({})", versions.first),
        (true, false) => format!(" (up to {})", versions.last),
        (false, false) => format!(" ({} to {})", versions.first, versions.last),
    }
}

fn differences() -> String {
    let rows = DIFFERENCES.iter().map(|row| {
        let versions = range(row.versions, VersionRange::ALL);
        let versions = versions.trim_matches([' ', '(', ')']);
        let how = match row.how {
            How::Refused => "refused",
            How::Bent => "bent",
        };
        vec![
            row.command.to_owned(),
            if versions.is_empty() { "all" } else { versions }.to_owned(),
            how.to_owned(),
            row.what.to_owned(),
            row.why.to_owned(),
        ]
    });
    format!(
        "## Differences\n\n{}",
        table(&["command", "versions", "how", "what the device sees", "why"], rows)
    )
}

fn statuses() -> String {
    let code: String = sources().into_iter().map(|(_, text)| text).collect();
    let constants = constants();
    let rows = COMMON.iter().zip(&constants).map(|(row, constant)| {
        let is_sent = code.contains(&format!("Status::{constant}"));
        vec![
            row.status.0.to_string(),
            row.name.to_owned(),
            row.versions.first.name().to_owned(),
            row.http.to_string(),
            if is_sent { "yes" } else { "" }.to_owned(),
        ]
    });
    format!(
        "## Common statuses\n\nFrom 14.0 on the number stands in the root of the answer; before, the HTTP status says it. The \
         statuses of single\ncommands and items stand in the specification. \"sent\": some command answers with it as a \
         whole.\n\n{}",
        table(&["Status", "name", "since", "HTTP up to 12.1", "sent"], rows)
    )
}

/// The constants of the table of statuses, in its order.
fn constants() -> Vec<String> {
    let (_, text) = sources()
        .into_iter()
        .find(|(name, _)| name == "eas/status/common.rs")
        .expect("the table");
    let rows = text.lines().filter_map(|line| line.trim().split_once(" = "));
    let rows = rows.filter(|(_, number)| number.as_bytes().first().is_some_and(u8::is_ascii_digit));
    let constants: Vec<String> = rows.map(|(constant, _)| constant.to_owned()).collect();
    assert_eq!(constants.len(), COMMON.len());
    constants
}

fn limits() -> String {
    let wbxml = wbxml::Limits::default();
    let general = [
        (
            "any",
            "elements in one another",
            wbxml.depth,
            "Status 102, HTTP 400 in older versions",
        ),
        (
            "any",
            "elements",
            wbxml.elements,
            "Status 102, HTTP 400 in older versions",
        ),
    ];
    let rows = LIMITS
        .iter()
        .map(|row| (row.command, row.of, row.most, row.told))
        .chain(general);
    let rows = rows
        .map(|(command, of, most, told)| vec![command.to_owned(), of.to_owned(), most.to_string(), told.to_owned()]);
    format!(
        "## Limits of one request\n\nA body that is larger than the administrator allows is answered with HTTP 413 in every \
         version.\n\n{}",
        table(&["command", "what", "at most", "what is told beyond"], rows)
    )
}
