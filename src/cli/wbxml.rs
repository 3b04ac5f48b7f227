//! `oxtender wbxml`: a capture as text.

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use crate::wbxml;
use crate::wbxml::DecodeError;
use crate::wbxml::Limits;
use crate::wbxml::xml;
use crate::wbxml::xml::Detail;

/// More is no capture of one document.
const LONGEST: u64 = 256 << 20;

#[derive(Debug, Args)]
pub struct Wbxml {
    /// A file that holds one WBXML document as it went over the wire, or in base64; - for standard input.
    file: PathBuf,
    /// Leave out what people wrote or own, and show its size instead.
    #[arg(long)]
    redact: bool,
}

/// Why there is no text.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error("{}: {source}", file.display())]
    Input { file: PathBuf, source: io::Error },
    #[error("{}: {source}", file.display())]
    Document { file: PathBuf, source: DecodeError },
    #[error(transparent)]
    Output(#[from] io::Error),
}

impl Wbxml {
    /// Writes the text.
    pub fn run(&self, out: &mut impl Write) -> Result<(), Failure> {
        let file = || self.file.clone();
        let bytes = self.read().map_err(|source| Failure::Input { file: file(), source })?;
        let document = wbxml::decode(&decoded(bytes), &Limits::default())
            .map_err(|source| Failure::Document { file: file(), source })?;
        let detail = if self.redact { Detail::Redacted } else { Detail::Full };
        Ok(out.write_all(xml::to_text(&document, detail).as_bytes())?)
    }

    fn read(&self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.file.as_os_str() == "-" {
            true => io::stdin().take(LONGEST).read_to_end(&mut bytes)?,
            false => fs::File::open(&self.file)?.take(LONGEST).read_to_end(&mut bytes)?,
        };
        Ok(bytes)
    }
}

/// The bytes behind base64, which logs are full of; a document itself begins with 0x03.
fn decoded(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.first() == Some(&3) {
        return bytes;
    }
    let text: Vec<u8> = bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect();
    STANDARD.decode(text).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each case: what the file holds, and the beginning of what is written.
    #[test]
    fn captures_in_both_forms() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("capture");
        let mut ping = vec![0x03, 0x01, 0x6A, 0x00, 0x00, 0x0D, 0x05];
        for (content, expected) in [
            (ping.clone(), "<Ping"),
            (STANDARD.encode(&ping).into_bytes(), "<Ping"),
            (format!("  {}\n", STANDARD.encode(&ping)).into_bytes(), "<Ping"),
        ] {
            fs::write(&file, content).unwrap();
            let mut out = Vec::new();
            let command = Wbxml {
                file: file.clone(),
                redact: false,
            };
            command.run(&mut out).unwrap();
            assert!(String::from_utf8_lossy(&out).starts_with(expected), "{out:?}");
        }
        ping.truncate(5);
        fs::write(&file, &ping).unwrap();
        let error = Wbxml { file, redact: false }.run(&mut Vec::new()).unwrap_err();
        assert!(
            error.to_string().contains("capture: invalid WBXML at byte 5"),
            "{error}"
        );
    }
}
