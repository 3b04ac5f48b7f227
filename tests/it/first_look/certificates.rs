//! The web server with TLS: what `oxtender check` says of its certificate, and that it looks behind a bad one.

use std::path::Path;
use std::path::PathBuf;

use super::has_all;
use super::stage;
use super::stage::Site;
use crate::apache::Apache;

/// A file of the fixtures, see the `README.md` beside them.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/tls")
        .join(name)
}

/// A gateway behind an Apache with that certificate, and how a check reaches it: by `host`, from a machine that trusts the
/// certificates of `trusted`.
fn behind_tls(certificate: &str, host: &str, trusted: &str) -> Option<Site> {
    let world = stage::plan().start()?;
    let gateway = world.ajp_address();
    let lines = format!(
        "LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so\n\
         SSLEngine on\n\
         SSLCertificateFile {}\n\
         SSLCertificateKeyFile {}\n\
         ProxyPass /Microsoft-Server-ActiveSync ajp://{gateway}/Microsoft-Server-ActiveSync timeout=3700",
        fixture(certificate).display(),
        fixture("key.pem").display(),
    );
    let apache = Apache::with_line(&lines)?;
    let url = format!("https://{host}:{}", apache.address.port());
    let mut site = stage::behind(apache, world, None);
    site.arguments.extend(["--apache".to_owned(), url]);
    site.environment.push(("SSL_CERT_FILE", fixture(trusted)));
    Some(site)
}

#[test]
fn certificates_are_judged() {
    // certificate, host that is asked, what this machine trusts, exit status, words of a line
    let cases = [
        ("own.pem", "127.0.0.1", "own.pem", 0, None),
        (
            "own.pem",
            "127.0.0.1",
            "other.pem",
            0,
            Some("warning …apache …does not know who issued the certificate… -> …update-ca-certificates"),
        ),
        (
            "expired.pem",
            "127.0.0.1",
            "own.pem",
            1,
            Some("error …apache …phones refuse the certificate…expired… -> …that names 127.0.0.1 and is valid today"),
        ),
        (
            "own.pem",
            "localhost",
            "own.pem",
            1,
            Some("error …apache …phones refuse the certificate…not valid for name… -> …that names localhost"),
        ),
    ];
    for (certificate, host, trusted, status, words) in cases {
        let Some(site) = behind_tls(certificate, host, trusted) else {
            return;
        };
        let (exit, said) = site.check();
        let case = format!("{certificate} at {host}, trusting {trusted}:\n{said}");
        assert_eq!(exit, status, "{case}");
        // Bad or not, what lies behind it is looked at.
        for words in [
            "ok …apache …leads to an ActiveSync server",
            "ok …apache …requests of 2 MiB come through",
        ] {
            assert!(said.lines().any(|line| has_all(line, words)), "{case}");
        }
        let complaints: Vec<&str> = said.lines().filter(is_complaint).collect();
        match words {
            Some(words) => assert!(complaints.len() == 1 && has_all(complaints[0], words), "{case}"),
            None => assert!(complaints.is_empty(), "{case}"),
        }
    }
}

fn is_complaint(line: &&str) -> bool {
    ["warning ", "error "].iter().any(|level| line.starts_with(level))
}
