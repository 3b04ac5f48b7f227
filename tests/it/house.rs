//! Who may name whom: the rows of the house, held against the sources.
//!
//! One `use crate::…;` line per module; groups at crate level are refused, since this check would not see through them.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

/// Module, and the modules it may name. `main` and `cli` are the only ones that may name `server`.
const ROWS: &[(&str, &[&str])] = &[
    ("version", &[]),
    ("config", &[]),
    ("metrics", &[]),
    ("coding", &[]),
    ("ox", &[]),
    // Where the databases are is a part of the configuration, and configdb is one more file of properties.
    ("store", &["config"]),
    ("cli", &["config", "ox", "server", "store", "usm", "wbxml"]),
    ("wbxml", &["version"]),
    ("quirk", &["version"]),
    ("content", &["version", "wbxml", "ox", "quirk"]),
    ("usm", &["ox", "store"]),
    ("notify", &["ox"]),
    ("session", &["ox", "store"]),
    (
        "eas",
        &[
            "version", "wbxml", "content", "usm", "notify", "session", "ox", "coding", "quirk",
        ],
    ),
    (
        "server",
        &[
            "config", "coding", "eas", "metrics", "notify", "ox", "session", "store", "usm", "version", "wbxml",
            "content",
        ],
    ),
];

/// The files of `usm` that do I/O; the others decide, and may name neither `ox` nor `store`.
const USM_DRIVERS: [&str; 12] = [
    "usm/attention.rs",
    "usm/collection.rs",
    "usm/collection/exchange.rs",
    "usm/draft.rs",
    "usm/following.rs",
    "usm/generations.rs",
    "usm/hierarchy.rs",
    "usm/listing.rs",
    "usm/repetition.rs",
    "usm/sending.rs",
    "usm/telling.rs",
    "usm/write.rs",
];

/// Words of one protocol, in lower case. The engine and those beside it serve any, so they stand in none of their names and texts.
const PROTOCOL_WORDS: [&str; 7] = [
    "eas",
    "wbxml",
    "airsync",
    "activesync",
    "active_sync",
    "applicationdata",
    "collectionid",
];

/// Who serves any protocol.
const ANY_PROTOCOL: [&str; 2] = ["usm/", "notify.rs"];

/// Of `ox`, `content` may name objects, columns and the reading of values, never the client.
const CONTENT_SEES_OF_OX: [&str; 4] = [
    "crate::ox::columns",
    "crate::ox::object",
    "crate::ox::Object",
    "crate::ox::integer",
];

/// Places without I/O and without a clock.
const PURE: [&str; 23] = [
    "wbxml/",
    "quirk/",
    "content/",
    "version.rs",
    "usm/conflict.rs",
    "usm/ids.rs",
    "eas/command/sync/shares.rs",
    "usm/journal.rs",
    "usm/loss.rs",
    "usm/plan.rs",
    "usm/renames.rs",
    "usm/settle.rs",
    "usm/snapshot.rs",
    "usm/state.rs",
    "eas/address.rs",
    "eas/autodiscover/answer.rs",
    "eas/autodiscover/request.rs",
    "eas/redirect.rs",
    "usm/state/",
    "eas/request.rs",
    "eas/options.rs",
    "eas/command/sync/request.rs",
    "eas/command/sync/response.rs",
];

/// What a pure file does not contain.
const IMPURE: [&str; 8] = [
    "async fn",
    ".await",
    "tokio::",
    "Instant::now(",
    "SystemTime::now(",
    "Timestamp::now(",
    "Zoned::now(",
    "std::fs",
];

#[test]
fn modules_name_only_what_they_may() {
    let rows: BTreeMap<&str, &[&str]> = ROWS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        let module = module_of(&name);
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let Some(allowed) = rows.get(module) else {
            wrong.push(format!("{name}: the module {module} has no row"));
            continue;
        };
        for named in named(&text) {
            if named != module && !allowed.contains(&named.as_str()) {
                wrong.push(format!("{name} names {named}"));
            }
        }
        if text.contains("use crate::{") {
            wrong.push(format!("{name} has a group at crate level"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn decisions_of_the_engine_are_pure() {
    for (name, text) in sources() {
        if !name.starts_with("usm/") || USM_DRIVERS.contains(&name.as_str()) {
            continue;
        }
        let named = named(&text);
        assert!(
            !named.contains("ox") && !named.contains("store"),
            "{name} decides and must not name a driver's module"
        );
    }
}

/// Names and texts alike; comments may tell where a rule comes from.
#[test]
fn the_engine_knows_no_protocol() {
    let mut checked = 0;
    for (name, text) in sources() {
        if !ANY_PROTOCOL.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let code = code(&text).to_lowercase();
        let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
        let found = words.find(|word| PROTOCOL_WORDS.contains(word));
        assert_eq!(found, None, "{name}");
        checked += 1;
    }
    assert!(checked > 15, "{checked} files");
}

#[test]
fn content_never_sees_the_client() {
    for (name, text) in sources() {
        if !name.starts_with("content/") {
            continue;
        }
        for line in code(&text).lines().filter(|line| line.contains("crate::ox")) {
            let allowed = CONTENT_SEES_OF_OX.iter().any(|path| line.contains(path));
            assert!(allowed, "{name}: {line}");
        }
    }
}

#[test]
fn pure_places_have_no_io_and_no_clock() {
    for (name, text) in sources() {
        if !PURE.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        for impure in IMPURE {
            assert!(!code(&text).contains(impure), "{name} contains {impure:?}");
        }
    }
}

/// Where versions are data: a handler that compares them has a column missing.
const WITHOUT_COMPARISONS: [&str; 4] = ["eas/command/", "eas/items.rs", "eas/mail_search.rs", "content/"];

#[test]
fn handlers_do_not_ask_for_the_version() {
    let mut wrong = Vec::new();
    for (name, text) in sources() {
        if !WITHOUT_COMPARISONS.iter().any(|place| name.starts_with(place)) {
            continue;
        }
        let asking = code(&text)
            .lines()
            .filter(|line| asks_for_the_version(line))
            .map(str::to_owned)
            .collect::<Vec<_>>();
        wrong.extend(asking.into_iter().map(|line| format!("{name}: {line}")));
    }
    assert!(wrong.is_empty(), "a table is to say this:\n{}", wrong.join("\n"));
}

/// A version by its name outside of a range, or anything compared with one.
fn asks_for_the_version(line: &str) -> bool {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let is_version = |word: &&str| {
        word.strip_prefix('V')
            .and_then(|rest| rest.split_once('_'))
            .is_some_and(|(major, minor)| {
                [major, minor]
                    .iter()
                    .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            })
    };
    let compares = ["<", ">", "=="].iter().any(|operator| {
        line.contains(&format!("version {operator}")) || line.contains("version !=") || line.contains("match version")
    });
    let is_data = line.contains("VersionRange::") || line.trim_start().starts_with("use ");
    compares || words.iter().any(is_version) && !is_data
}

#[test]
fn every_file_says_what_it_is() {
    for (name, text) in sources() {
        assert!(text.starts_with("//!"), "{name} does not open with its description");
    }
}

/// The sources below `src`, by their path there.
pub(crate) fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if is_test(&root, &path) {
                continue;
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 20, "the sources were not found");
    found
}

/// Whether a file, or a folder it is in, is declared as a module of tests: those may do as they like.
fn is_test(root: &Path, path: &Path) -> bool {
    let mut path = path.to_owned();
    while path != root {
        let module = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let declared = format!("#[cfg(test)]\nmod {module};");
        path.pop();
        let parents = [path.join("mod.rs"), path.join("lib.rs"), path.with_extension("rs")];
        let declares = |parent: &PathBuf| fs::read_to_string(parent).is_ok_and(|text| text.contains(&declared));
        if parents.iter().any(declares) {
            return true;
        }
    }
    false
}

fn module_of(name: &str) -> &str {
    let first = name.split('/').next().unwrap_or(name);
    first.strip_suffix(".rs").unwrap_or(first)
}

/// Without comments and without the tests at the bottom of a file, which may do as they like.
fn code(text: &str) -> String {
    let program = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    program
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The modules of the crate that a file names.
fn named(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let parts = code.split("crate::").skip(1);
    parts
        .map(|part| part.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
        .collect()
}

#[test]
fn the_check_sees_what_it_must() {
    let text = "use crate::ox::Object;\n// crate::store\nlet x = crate::wbxml::decode(b);";
    let expected: BTreeSet<String> = ["ox", "wbxml"].map(str::to_owned).into();
    assert_eq!(named(text), expected);
    let sources: Vec<String> = sources().into_iter().map(|(name, _)| name).collect();
    let is_checked = |name: &str| sources.iter().any(|source| source == name);
    assert!(is_checked("usm/plan.rs") && is_checked("content/email/mod.rs"));
    // line, whether it asks for the version
    let lines = [
        ("use crate::version::ProtocolVersion::V14_0;", false),
        ("const SINCE: VersionRange = VersionRange::since(V14_0);", false),
        ("if SINCE.contains(call.version) {", false),
        ("if call.version >= ProtocolVersion::V14_0 {", true),
        ("V2_5 | V12_0 => old(),", true),
        ("match version {", true),
    ];
    for (line, expected) in lines {
        assert_eq!(asks_for_the_version(line), expected, "{line}");
    }
    assert!(!is_checked("usm/model.rs") && !is_checked("wbxml/tests/fixtures.rs"));
}
