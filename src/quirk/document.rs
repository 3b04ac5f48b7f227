//! `docs/quirks.md`, made from the tables.
//!
//! The test fails when the file says something else; with `UPDATE_DOCS=1` in the environment it writes the file anew.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::quirk::answers::ANSWERS;
use crate::quirk::answers::Answer;
use crate::quirk::identity::Condition;
use crate::quirk::identity::Field;
use crate::quirk::identity::Release;
use crate::quirk::table::Case;
use crate::quirk::table::ROWS;
use crate::version::VersionRange;

const HEAD: &str = "# Quirks\n\n\
    Devices differ from the documents of ActiveSync and from each other. Where one is known not to cope with what the documents \
    say, the gateway bends: such a peculiarity is a row of a table in the source (`src/quirk/table.rs`), and this file is made \
    from it (`UPDATE_DOCS=1 cargo test --lib quirk`). There is nothing to configure. A device is recognised by its DeviceId, DeviceType and User-Agent, which are in \
    every request, and by the OS and Model that it tells in Settings.\n\n\
    The letters: A Android, I iOS, O Outlook, W Windows Mobile, Phone and Mail, B BlackBerry, N Nokia, P others, T found by \
    TbSync, G general.\n\n";

const ROWS_HEAD: &str = "## Bent for some\n\n";

const ALL_HEAD: &str = "## Done for all\n\n\
    What is right for every device is no quirk. The last column names the test that shows it, or the function that does it.\n\n\
    | id | what every device gets | shown by |\n|---|---|---|\n";

const NOT_HEAD: &str = "\n## Not done\n\n| id | why |\n|---|---|\n";

#[test]
fn the_file_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/quirks.md");
    let expected = document();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &expected).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let wrong = expected
        .lines()
        .zip(found.lines())
        .find(|(expected, found)| expected != found);
    assert!(
        found == expected,
        "docs/quirks.md is not as the tables are; UPDATE_DOCS=1 writes it anew. First difference: {wrong:?}"
    );
}

fn document() -> String {
    let mut text = HEAD.to_owned() + ROWS_HEAD;
    for row in ROWS {
        let cases: Vec<String> = row.cases.iter().map(case).collect();
        let _ = writeln!(
            text,
            "### {} {}\n\n{}\n\n{}\n",
            row.id,
            row.devices,
            row.why,
            cases.join("\n")
        );
    }
    text += ALL_HEAD;
    for (id, answer) in ANSWERS {
        if let Answer::ForAll { what, shown_by } = answer {
            let places: Vec<String> = shown_by.iter().map(|place| format!("`{place}`")).collect();
            let _ = writeln!(text, "| {id} | {what} | {} |", places.join(", "));
        }
    }
    text += NOT_HEAD;
    for (id, answer) in ANSWERS {
        if let Answer::NotDone { why } = answer {
            let _ = writeln!(text, "| {id} | {why} |");
        }
    }
    text
}

/// `- DeviceType ... and OS ..., or Model ...: OneCalendar, OneContacts`
fn case(case: &Case) -> String {
    let lists = case.any_of.iter().map(|conditions| {
        let conditions: Vec<String> = conditions.iter().map(condition).collect();
        conditions.join(" and ")
    });
    let lists = lists.collect::<Vec<_>>().join(", or ");
    let versions = match case.versions {
        VersionRange::ALL => String::new(),
        VersionRange { first, last } => format!("; protocol version {first} to {last}"),
    };
    let bends: Vec<String> = case.bends.iter().map(|bend| format!("`{bend:?}`")).collect();
    format!("- {lists}{versions}: {}", bends.join(", "))
}

fn condition(condition: &Condition) -> String {
    let field = match condition.field {
        Field::DeviceId => "DeviceId",
        Field::DeviceType => "DeviceType",
        Field::UserAgent => "User-Agent",
        Field::Os => "OS",
        Field::Model => "Model",
    };
    let shape = if condition.whole { "" } else { "..." };
    let mut text = format!("{field} `{}{shape}`", condition.begins);
    if let Some(range) = &condition.releases {
        let _ = write!(
            text,
            " release {} to {}",
            release(*range.start()),
            release(*range.end())
        );
    }
    text
}

fn release((major, minor): Release) -> String {
    match minor {
        u32::MAX => format!("{major}.x"),
        _ => format!("{major}.{minor}"),
    }
}
