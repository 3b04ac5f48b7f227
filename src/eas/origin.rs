//! Where a request comes from, as whoever opened the door for it found out.
//!
//! The doors put one into the extensions of every request, whichever protocol the request came by. It is for the log and for
//! addresses in answers; nothing is allowed or refused because of it.

use std::fmt;
use std::net::IpAddr;

/// Where a request comes from. `Display` is what the log shows: the address, and the port where it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Of the device, or of the outermost proxy that we do not know; `None` if nobody told.
    pub address: Option<IpAddr>,
    /// Of the device's connection, where the web server tells it.
    pub port: Option<u16>,
    /// Whether the device came over TLS.
    pub is_https: bool,
    /// The host and perhaps the port that the device asked for, as it wrote it.
    pub host: Option<String>,
}

impl Origin {
    /// `http` or `https`.
    pub const fn scheme(&self) -> &'static str {
        if self.is_https { "https" } else { "http" }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (Some(IpAddr::V6(address)), Some(port)) => write!(f, "[{address}]:{port}"),
            (Some(address), Some(port)) => write!(f, "{address}:{port}"),
            (Some(address), None) => write!(f, "{address}"),
            (None, _) => f.write_str("-"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_an_address() {
        // address, port, shown
        let cases = [
            (Some("192.0.2.7"), Some(50123), "192.0.2.7:50123"),
            (Some("2001:db8::7"), Some(50123), "[2001:db8::7]:50123"),
            (Some("2001:db8::7"), None, "2001:db8::7"),
            (None, Some(50123), "-"),
        ];
        for (address, port, shown) in cases {
            let address = address.map(|address| address.parse().unwrap());
            let origin = Origin {
                address,
                port,
                ..Origin::default()
            };
            assert_eq!(origin.to_string(), shown);
        }
    }
}
