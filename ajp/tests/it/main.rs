//! Tests of the crate from outside: the codec by known answers, the connection by its laws, the server over sockets.

mod apache;
mod behind_apache;
mod codec;
mod connection;
mod http;
mod lifetime;
mod refusals;
mod relay;
mod requests;
mod responses;
mod samples;
mod support;
mod traffic;
mod tshark;

/// The README names a test for each promise.
#[test]
fn the_promises_of_the_readme_have_their_tests() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |file: String| std::fs::read_to_string(folder.join(&file)).unwrap_or_default();
    let readme = read("README.md".to_owned());
    let names: Vec<_> = readme.split('`').filter_map(|name| name.split_once("::")).collect();
    let tests: Vec<_> = names
        .iter()
        .filter(|name| name.1.contains('_') && name.0 != "Server")
        .collect();
    assert!(tests.len() > 30, "the table is there");
    for (file, test) in tests {
        let source = read(format!("tests/it/{file}.rs"))
            + &read(format!("src/{file}.rs"))
            + &read(format!("src/server/{file}.rs"));
        assert!(source.contains(&format!("fn {test}(")), "{file}::{test}");
    }
}
