//! The manual pages in `packaging/man` say what `--help` says: one page for the program, one for each command.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use oxtender::cli::Cli;

/// With `UPDATE_DOCS=1` the pages are written anew; `cargo test --test it manual`.
#[test]
fn the_manual_pages_are_those_of_the_arguments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/man");
    let mut pages = Vec::new();
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    add(&program, &mut pages);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        for (name, page) in &pages {
            fs::write(folder.join(name), page).unwrap();
        }
    }
    for (name, page) in &pages {
        let written = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(
            written == *page,
            "{name} differs from --help; write it anew with UPDATE_DOCS=1"
        );
    }
    assert_eq!(
        fs::read_dir(folder).unwrap().count(),
        pages.len(),
        "a page of no command"
    );
}

/// The page of a command and those of its commands.
fn add(command: &clap::Command, pages: &mut Vec<(String, String)>) {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .section("8")
        .manual("OXtender gateway")
        .render(&mut page)
        .unwrap();
    pages.push((format!("{name}.8"), String::from_utf8(page).unwrap()));
    for below in command.get_subcommands() {
        add(below, pages);
    }
}
