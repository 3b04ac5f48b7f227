//! `oxtender check --user` at a terminal, where an administrator types the password.

use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read as _;
use std::io::Write as _;
use std::process::Command;
use std::process::Stdio;

use super::stage;
use crate::world::World;
use crate::world::wait_for;

/// Runs the check at a terminal of its own, which `script` makes, and types a password once nothing that is typed shows any
/// more: the exit status, and all that stood on the terminal.
fn at_a_terminal(world: &World, password: &str) -> (i32, String) {
    let line = format!(
        "tty; exec {} check --user anton --etc {}",
        env!("CARGO_BIN_EXE_oxtender"),
        world.etc().display()
    );
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--command", &line, "/dev/null"])
        .env_remove("OXTENDER_PASSWORD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script belongs to every Debian");
    let mut output = BufReader::new(script.stdout.take().unwrap());
    let mut said = String::new();
    output.read_line(&mut said).unwrap();
    let terminal = said.trim().to_owned();
    wait_for("a terminal that does not show what is typed", || {
        let settings = Command::new("stty").args(["-a", "-F", &terminal]).output().unwrap();
        let settings = String::from_utf8_lossy(&settings.stdout).into_owned();
        settings.split_whitespace().any(|word| word == "-echo").then_some(())
    });
    let mut keyboard = script.stdin.take().unwrap();
    keyboard.write_all(format!("{password}\n").as_bytes()).unwrap();
    output.read_to_string(&mut said).unwrap();
    drop(keyboard);
    (script.wait().unwrap().code().unwrap(), said)
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let world = stage::plan().start().unwrap();
    // what is typed, exit status, what is said of it
    let cases = [
        ("secret", 0, "anton logs in"),
        ("sesame", 1, "-> the name or the password"),
    ];
    for (password, status, words) in cases {
        let (exit, said) = at_a_terminal(&world, password);
        assert!(said.contains("Password of anton at Open-Xchange: "), "{said}");
        assert!(said.contains(words), "{said}");
        assert!(!said.contains(password), "{said}");
        assert_eq!(exit, status, "{said}");
    }
}
