//! Arguments only.

use std::net::SocketAddr;

use clap::Parser;
use oxtender::version::ProtocolVersion;

/// Open-Xchange in memory, the gateway and a private Apache; a simulated phone syncs, then try your own.
///
/// Your own Apache and database are not touched. Exit status: 0 when everything went well, 1 when not, 2 for wrong arguments.
#[derive(Debug, Parser)]
#[command(name = "ox-demo")]
pub(crate) struct Arguments {
    /// End when the simulated phone is done.
    #[arg(long)]
    pub(crate) once: bool,
    /// Where Apache listens; 0.0.0.0:8080 lets a phone in your network in. Port 0 is a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// The version of ActiveSync that the simulated phone speaks: 2.5, 12.0, 12.1, 14.0, 14.1, 16.0 or 16.1.
    #[arg(long, default_value = "16.1", value_parser = version)]
    pub(crate) version: ProtocolVersion,
    /// Keep the temporary directory: configuration, logs, database.
    #[arg(long)]
    pub(crate) keep: bool,
}

fn version(name: &str) -> Result<ProtocolVersion, String> {
    ProtocolVersion::from_name(name)
        .ok_or_else(|| format!("one of {}", ProtocolVersion::ALL.map(ProtocolVersion::name).join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments() {
        let parse = |words: &[&str]| Arguments::try_parse_from(["ox-demo"].iter().chain(words));
        let plain = parse(&[]).unwrap();
        assert!(!plain.once && !plain.keep && plain.listen.ip().is_loopback());
        assert_eq!(plain.version, ProtocolVersion::V16_1);
        let chosen = parse(&["--version", "2.5", "--once", "--listen", "0.0.0.0:8080"]).unwrap();
        assert_eq!((chosen.version, chosen.listen.port()), (ProtocolVersion::V2_5, 8080));
        for wrong in [&["--version", "13"][..], &["--listen", "8080"], &["--nonsense"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
