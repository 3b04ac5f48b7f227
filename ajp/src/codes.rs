//! The codes of AJP13 as tables: message types, methods, header names, attributes and protocol versions.
//!
//! Every fact stands in one row, and both directions read that row: the decoder asks for the name of a code, the
//! encoder for the code of a name. Nothing here knows how a packet is laid out.
//!
//! Implements the code tables of "Apache JServ Protocol version 1.3" (AJPv13, Apache Tomcat Connectors) with the
//! methods that mod_proxy_ajp added. RFC 9110, "Connection", gives the hop-by-hop headers.

/// The first two bytes of every packet from the web server to the container.
pub const MAGIC_TO_CONTAINER: [u8; 2] = [0x12, 0x34];
/// The first two bytes of every packet from the container to the web server, "AB" in ASCII.
pub const MAGIC_TO_WEB_SERVER: [u8; 2] = *b"AB";

/// A string length that stands for the null string, which has neither bytes nor terminator.
pub const NULL_STRING: u16 = 0xFFFF;

/// Message types: the first payload byte of every packet except DATA, which has none.
pub mod message {
    /// To the container: a request begins.
    pub const FORWARD_REQUEST: u8 = 2;
    /// To the web server: a part of the response body; an empty one is a flush.
    pub const SEND_BODY_CHUNK: u8 = 3;
    /// To the web server: status and headers.
    pub const SEND_HEADERS: u8 = 4;
    /// To the web server: the response is complete, and whether the connection may be used again.
    pub const END_RESPONSE: u8 = 5;
    /// To the web server: the next DATA packet is wanted.
    pub const GET_BODY_CHUNK: u8 = 6;
    /// To the container: shut down. Never obeyed by this crate.
    pub const SHUTDOWN: u8 = 7;
    /// To the container: the login ping of AJP14, which was never used.
    pub const PING: u8 = 8;
    /// To the web server: the answer to CPING.
    pub const CPONG: u8 = 9;
    /// To the container: are you there?
    pub const CPING: u8 = 10;
}

/// Attribute codes: what may follow the headers of a FORWARD_REQUEST.
pub mod attribute {
    /// Servlet context; string. mod_proxy_ajp never sends it.
    pub const CONTEXT: u8 = 0x01;
    /// Servlet path; string. mod_proxy_ajp never sends it.
    pub const SERVLET_PATH: u8 = 0x02;
    /// The user whom the web server itself authenticated; string.
    pub const REMOTE_USER: u8 = 0x03;
    /// How it did so, such as "Basic"; string.
    pub const AUTH_TYPE: u8 = 0x04;
    /// The query as the client sent it, without `?`; string.
    pub const QUERY_STRING: u8 = 0x05;
    /// The route found in a session cookie by the balancer; string.
    pub const JVM_ROUTE: u8 = 0x06;
    /// Client certificate, PEM; string.
    pub const SSL_CERT: u8 = 0x07;
    /// Name of the cipher suite; string.
    pub const SSL_CIPHER: u8 = 0x08;
    /// TLS session id in hexadecimal; string.
    pub const SSL_SESSION: u8 = 0x09;
    /// A name and a value: two strings.
    pub const REQ_ATTRIBUTE: u8 = 0x0A;
    /// Bits of the cipher's key; an integer, not a string.
    pub const SSL_KEY_SIZE: u8 = 0x0B;
    /// The secret shared with the web server; string.
    pub const SECRET: u8 = 0x0C;
    /// The method's name, when the method's code is [`super::STORED_METHOD`]; string.
    pub const STORED_METHOD: u8 = 0x0D;
    /// The end of the attributes and of the packet.
    pub const END: u8 = 0xFF;
}

/// The method code that says "see the attribute STORED_METHOD".
pub const STORED_METHOD: u8 = 0xFF;

/// The REQ_ATTRIBUTE that carries the client's TCP port in decimal.
pub const REMOTE_PORT: &str = "AJP_REMOTE_PORT";

/// The high byte that tells a coded header name from the length of a plain one.
pub const CODED_HEADER: u8 = 0xA0;

/// Rows of code and name, searched in either direction. The tables are short, so a search is a walk.
#[derive(Debug)]
pub struct Table<C: 'static>(&'static [(C, &'static str)]);

impl<C: Copy + PartialEq> Table<C> {
    /// The name of a code, if the table has one.
    pub fn name(&self, code: C) -> Option<&'static str> {
        self.0.iter().find(|row| row.0 == code).map(|row| row.1)
    }

    /// The code of a name, compared byte for byte, if the table has one.
    pub fn code(&self, name: &str) -> Option<C> {
        self.0.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// All rows in the order of the protocol description.
    pub fn rows(&self) -> &'static [(C, &'static str)] {
        self.0
    }
}

/// Method codes of FORWARD_REQUEST. Method names are case-sensitive.
pub static METHODS: Table<u8> = Table(&[
    (1, "OPTIONS"),
    (2, "GET"),
    (3, "HEAD"),
    (4, "POST"),
    (5, "PUT"),
    (6, "DELETE"),
    (7, "TRACE"),
    (8, "PROPFIND"),
    (9, "PROPPATCH"),
    (10, "MKCOL"),
    (11, "COPY"),
    (12, "MOVE"),
    (13, "LOCK"),
    (14, "UNLOCK"),
    (15, "ACL"),
    (16, "REPORT"),
    (17, "VERSION-CONTROL"),
    (18, "CHECKIN"),
    (19, "CHECKOUT"),
    (20, "UNCHECKOUT"),
    (21, "SEARCH"),
    (22, "MKWORKSPACE"),
    (23, "UPDATE"),
    (24, "LABEL"),
    (25, "MERGE"),
    (26, "BASELINE-CONTROL"),
    (27, "MKACTIVITY"),
]);

/// Coded header names of FORWARD_REQUEST, in the lower case of [`http::HeaderName`].
pub static REQUEST_HEADERS: Table<u16> = Table(&[
    (0xA001, "accept"),
    (0xA002, "accept-charset"),
    (0xA003, "accept-encoding"),
    (0xA004, "accept-language"),
    (0xA005, "authorization"),
    (0xA006, "connection"),
    (0xA007, "content-type"),
    (0xA008, "content-length"),
    (0xA009, "cookie"),
    (0xA00A, "cookie2"),
    (0xA00B, "host"),
    (0xA00C, "pragma"),
    (0xA00D, "referer"),
    (0xA00E, "user-agent"),
]);

/// Coded header names of SEND_HEADERS, in the lower case of [`http::HeaderName`].
pub static RESPONSE_HEADERS: Table<u16> = Table(&[
    (0xA001, "content-type"),
    (0xA002, "content-language"),
    (0xA003, "content-length"),
    (0xA004, "date"),
    (0xA005, "last-modified"),
    (0xA006, "location"),
    (0xA007, "set-cookie"),
    (0xA008, "set-cookie2"),
    (0xA009, "servlet-engine"),
    (0xA00A, "status"),
    (0xA00B, "www-authenticate"),
]);

/// Protocol versions as FORWARD_REQUEST spells them.
pub static VERSIONS: Table<http::Version> = Table(&[
    (http::Version::HTTP_09, "HTTP/0.9"),
    (http::Version::HTTP_10, "HTTP/1.0"),
    (http::Version::HTTP_11, "HTTP/1.1"),
    (http::Version::HTTP_2, "HTTP/2.0"),
    (http::Version::HTTP_3, "HTTP/3.0"),
]);

/// Response headers that belong to one hop. Apache passes most of them on to the client, so they are never sent.
pub const HOP_BY_HOP: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_from_both_sides_and_is_unique() {
        fn check<C: Copy + PartialEq + std::fmt::Debug>(table: &Table<C>) {
            for &(code, name) in table.rows() {
                assert_eq!(table.name(code), Some(name));
                assert_eq!(table.code(name), Some(code));
            }
        }
        check(&METHODS);
        check(&REQUEST_HEADERS);
        check(&RESPONSE_HEADERS);
        check(&VERSIONS);
    }

    #[test]
    fn header_names_are_valid_and_already_in_lower_case() {
        for (_, name) in REQUEST_HEADERS.rows().iter().chain(RESPONSE_HEADERS.rows()) {
            assert_eq!(http::HeaderName::from_static(name).as_str(), *name);
        }
    }

    #[test]
    fn what_is_not_in_a_table_has_no_code() {
        assert_eq!(METHODS.code("PATCH"), None);
        assert_eq!(METHODS.code("get"), None);
        assert_eq!(METHODS.name(28), None);
        assert_eq!(REQUEST_HEADERS.name(0xA00F), None);
        assert_eq!(RESPONSE_HEADERS.name(0xA000), None);
    }
}
