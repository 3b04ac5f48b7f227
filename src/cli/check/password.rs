//! The password of the user who logs in for a check: never an argument, which every user of the host could read.

use std::env;
use std::io;
use std::io::IsTerminal as _;

use secrecy::SecretString;

/// Holds the password for programs.
const VARIABLE: &str = "OXTENDER_PASSWORD";

/// From the environment, from the terminal, or from the first line of the standard input.
pub(super) fn read(user: &str) -> io::Result<SecretString> {
    if let Ok(password) = env::var(VARIABLE) {
        return Ok(password.into());
    }
    let stdin = io::stdin();
    if stdin.is_terminal() {
        return rpassword::prompt_password(format!("Password of {user} at Open-Xchange: ")).map(Into::into);
    }
    let mut line = String::new();
    stdin.read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}
