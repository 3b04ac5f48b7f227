//! Reads one Java `.properties` file: a list of keys and values, each with its line.
//!
//! Knows the format, no key. Implements the text format of `java.util.Properties.load` (separators `=`, `:` and blank,
//! continued lines, `\uXXXX`), through the `java-properties` crate; what this file adds is the character set, line
//! numbers that survive, and an absent file that is no error.

use std::fs;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use java_properties::LineContent;
use java_properties::PropertiesIter;

/// One entry of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    pub key: String,
    /// Without blanks at its ends: Java keeps those behind a value, but nobody who edits a file can see them.
    pub value: String,
    /// Counted from 1; of an entry over several lines, as the reader counts it.
    pub line: usize,
}

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: {source}{}", file.display(), remedy(file, source))]
    Io { file: PathBuf, source: io::Error },
    #[error("{}, line {line}: {reason}", file.display())]
    Syntax { file: PathBuf, line: usize, reason: String },
}

/// What to do about it, where that is known.
fn remedy(file: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => format!(
            "; the user whom the service runs as must be able to read it: chown root:open-xchange {file}; chmod 640 {file}",
            file = file.display()
        ),
        _ => String::new(),
    }
}

/// A file longer than this is no configuration; reading it whole would only cost memory.
const MAX_LENGTH: u64 = 4 * 1024 * 1024;

/// The entries of `file` in their order, or `None` when there is no such file.
pub fn read(file: &Path) -> Result<Option<Vec<Property>>, ReadError> {
    let io_error = |source| ReadError::Io {
        file: file.to_owned(),
        source,
    };
    let length = match fs::metadata(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(io_error(e)),
        Ok(metadata) => metadata.len(),
    };
    if length > MAX_LENGTH {
        return Err(io_error(io::Error::other(format!(
            "the file has {length} bytes, more than the {MAX_LENGTH} allowed"
        ))));
    }
    let bytes = fs::read(file).map_err(io_error)?;
    parse(file, &bytes).map(Some)
}

/// The entries of `bytes`; `file` serves for error messages only.
pub fn parse(file: &Path, bytes: &[u8]) -> Result<Vec<Property>, ReadError> {
    let bytes = without_comments(bytes);
    // Java reads Latin-1, editors write UTF-8. Latin-1 text with umlauts is practically never valid UTF-8. Decoded here
    // and not by the crate, which panics at a file that ends within a byte order mark.
    let text = match std::str::from_utf8(&bytes) {
        Ok(text) => text.trim_start_matches('\u{feff}').into(),
        Err(_) => encoding_rs::mem::decode_latin1(&bytes),
    };
    let lines = PropertiesIter::new_with_encoding(text.as_bytes(), encoding_rs::UTF_8);
    let mut entries = Vec::new();
    for line in lines {
        let line = line.map_err(|e| ReadError::Syntax {
            file: file.to_owned(),
            line: e.line_number().unwrap_or_default(),
            reason: e.to_string(),
        })?;
        let number = line.line_number();
        if let LineContent::KVPair(key, value) = line.consume_content() {
            entries.push(Property {
                key,
                value: value.trim().to_owned(),
                line: number,
            });
        }
    }
    Ok(entries)
}

/// The same lines with every comment emptied. Java skips comments unread; the crate looks for escapes in them, and would
/// refuse a file that mentions `DOMAIN\user`.
fn without_comments(bytes: &[u8]) -> Vec<u8> {
    let mut kept = Vec::with_capacity(bytes.len());
    let mut continued = false;
    for line in bytes.split_inclusive(|&b| b == b'\n') {
        let text = line.trim_ascii();
        if !continued && text.first().is_some_and(|b| b"#!".contains(b)) {
            kept.extend_from_slice(b"#\n");
            continue;
        }
        kept.extend_from_slice(line);
        let end = line.strip_suffix(b"\n").unwrap_or(line);
        let end = end.strip_suffix(b"\r").unwrap_or(end);
        // An even number of backslashes is that many escaped backslashes.
        continued = end.iter().rev().take_while(|&&b| b == b'\\').count() % 2 == 1;
    }
    kept
}

#[cfg(test)]
mod tests {
    use java_properties::PropertiesWriter;
    use proptest::prelude::*;

    use super::*;

    fn pairs(bytes: &[u8]) -> Vec<(String, String, usize)> {
        parse(Path::new("t.properties"), bytes)
            .unwrap()
            .into_iter()
            .map(|p| (p.key, p.value, p.line))
            .collect()
    }

    /// Each case: the text, and key, value and line of what it holds.
    #[test]
    fn known_answers() {
        for (text, key, value, line) in [
            ("a=b", "a", "b", 1),
            ("a : b", "a", "b", 1),
            ("a b", "a", "b", 1),
            ("# comment\n! comment\n\na=b\n", "a", "b", 4),
            ("a=http\\://host/?x=y", "a", "http://host/?x=y", 1),
            ("a=b  \t\n", "a", "b", 1),
            ("a=\\u00e4", "a", "ä", 1),
            ("a", "a", "", 1),
            // One entry over two lines, its indentation dropped.
            ("a=b,\\\n   c", "a", "b,c", 1),
            ("a=b,\\\r\n   #c", "a", "b,#c", 1),
            // A comment is not read: it may hold what would be a broken escape, and it does not go on.
            ("# DOMAIN\\user \\\na=b", "a", "b", 2),
            ("a=b\\\\\n# \\u", "a", "b\\", 1),
        ] {
            assert_eq!(pairs(text.as_bytes()), [(key.into(), value.into(), line)], "{text:?}");
        }
    }

    #[test]
    fn reads_both_character_sets() {
        assert_eq!(pairs("a=grün".as_bytes())[0].1, "grün");
        assert_eq!(pairs(b"a=gr\xfcn")[0].1, "grün");
        assert_eq!(pairs(b"\xef\xbb\xbfa=b")[0].0, "a", "with a byte order mark");
        assert_eq!(pairs(b"\xef")[0].0, "ï", "the beginning of one is Latin-1");
    }

    #[test]
    fn a_broken_escape_names_file_and_line() {
        let error = parse(Path::new("t.properties"), b"a=b\nc=\\u12").unwrap_err();
        assert!(error.to_string().starts_with("t.properties, line 2: "), "{error}");
    }

    proptest! {
        /// Whatever a file holds, it is read or refused.
        #[test]
        fn no_bytes_cause_a_panic(bytes: Vec<u8>, text in "[a=:\\\\u0#! \r\n]{0,40}") {
            let _ = parse(Path::new("t.properties"), &bytes);
            let _ = parse(Path::new("t.properties"), text.as_bytes());
        }

        /// What is written in Java's syntax is read as it was, apart from blanks around a value: in UTF-8, and in
        /// Latin-1 unless the bytes happen to be UTF-8 too (as those of `ä€€` are; of `ä` alone they never are).
        #[test]
        fn what_is_written_is_read(
            key in "[!-~ä=: ]{1,12}",
            value in "[!-~ä€]([ -~ä€]{0,12}[!-~ä€])?",
        ) {
            prop_assert_eq!(written(&key, &value, encoding_rs::UTF_8), [(key.clone(), value.clone(), 1)]);
            let latin = value.replace('€', "ä");
            prop_assert_eq!(written(&key, &latin, encoding_rs::WINDOWS_1252), [(key, latin, 1)]);
        }
    }

    /// What is read of a file of one entry.
    fn written(key: &str, value: &str, encoding: &'static encoding_rs::Encoding) -> Vec<(String, String, usize)> {
        let mut file = Vec::new();
        let mut writer = PropertiesWriter::new_with_encoding(&mut file, encoding);
        writer.write(key, value).unwrap();
        writer.finish().unwrap();
        pairs(&file)
    }

    #[test]
    fn an_absent_file_is_no_error() {
        assert!(read(Path::new("/nowhere/t.properties")).unwrap().is_none());
    }
}
