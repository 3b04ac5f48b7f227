//! States as releases stored them: each must be read by every later one that reads its format.
//!
//! A test, not a part of the program. The samples are files, a pair each: what stood in the database (`NAME.bin`), and what
//! it says (`NAME.txt`). They are never changed. With `NEW_SAMPLES=1` in the environment those of the newest format are
//! written where they are missing; a new format needs that once.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::path::PathBuf;

use super::*;

/// What devices have: folders, mail with flags, contacts of which one could not be converted, nothing yet.
const KINDS: [&str; 4] = ["hierarchy", "mail", "contacts", "new"];

/// The formats that are read.
const FORMATS: [u8; 3] = [format1::FORMAT, format2::FORMAT, format3::FORMAT];

fn state(kind: &str) -> State {
    let item = |(id, revision): (u64, u64)| (id.to_string(), Held::on_device(Revision(revision)));
    let digest = |number: u64| (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let items: BTreeMap<String, Held> = match kind {
        "hierarchy" => (1..=13).map(|id| item((id, digest(id)))).collect(),
        "mail" => (980..1_100)
            .map(|id| item((id, digest(id) >> 32 << 32 | [0, 32, 41][id as usize % 3])))
            .collect(),
        "contacts" => (31..80)
            .map(|id| item((id * id, 1_700_000_000_000 + digest(id) % 90_000_000_000)))
            .map(|(id, held)| {
                let left_out = id == "2500";
                (id, Held { left_out, ..held })
            })
            .collect(),
        _ => BTreeMap::new(),
    };
    let options = match kind {
        "hierarchy" => Vec::new(),
        _ => b"\x01\x00\x02options\xFF".to_vec(),
    };
    let known = items.iter().filter(|(id, held)| !held.left_out && !id.ends_with('6'));
    let agreed = match kind {
        "contacts" => known
            .map(|(id, held)| (id.clone(), held.revision.0.to_be_bytes().to_vec()))
            .collect(),
        _ => BTreeMap::new(),
    };
    State {
        items,
        agreed,
        options,
        ..State::default()
    }
}

fn path(format: u8, kind: &str, extension: &str) -> PathBuf {
    let name = format!("format-{format}-{kind}.{extension}");
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/state")
        .join(name)
}

/// A state as text.
fn describe(state: &State) -> String {
    let mut text = format!("options {}\n", state.options.escape_ascii());
    for (id, held) in &state.items {
        let left_out = if held.left_out { " left out" } else { "" };
        let agreed = state
            .agreed
            .get(id)
            .map(|bytes| format!(" agreed {}", bytes.escape_ascii()));
        let agreed = agreed.unwrap_or_default();
        let _ = writeln!(text, "{id} {:016x}{left_out}{agreed}", held.revision.0);
    }
    text
}

#[test]
fn every_sample_is_read() {
    if std::env::var_os("NEW_SAMPLES").is_some() {
        write_missing();
    }
    for format in FORMATS {
        for kind in KINDS {
            let bytes = fs::read(path(format, kind, "bin")).unwrap();
            let state = State::decode(&bytes).unwrap_or_else(|error| panic!("format {format}, {kind}: {error}"));
            let text = fs::read_to_string(path(format, kind, "txt")).unwrap();
            assert_eq!(bytes[0], format);
            assert_eq!(describe(&state), text, "format {format}, {kind}");
        }
    }
}

/// A change of what is written is another format, and needs another number.
#[test]
fn the_newest_format_is_written_as_it_was() {
    for kind in KINDS {
        let bytes = fs::read(path(format3::FORMAT, kind, "bin")).unwrap();
        let state = State::decode(&bytes).unwrap();
        assert_eq!(state.encode(), bytes, "{kind}");
    }
}

fn write_missing() {
    for kind in KINDS {
        let bytes = state(kind).encode();
        let files = ["bin", "txt"].map(|extension| path(bytes[0], kind, extension));
        if files.iter().any(|file| file.exists()) {
            continue;
        }
        fs::write(&files[0], &bytes).unwrap();
        fs::write(&files[1], describe(&state(kind))).unwrap();
    }
}
