//! The configuration of the web server, compared with that of the gateway: path, port, secret, timeouts, largest request.
//!
//! What the lines say is all that is looked at; no request is sent. Implements the Apache HTTP Server documentation,
//! modules mod_proxy and core.

mod directives;

use std::path::Path;
use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use self::directives::Directive;
use self::directives::Directives;
use self::directives::Scope;
use super::finding::Report;
use crate::config::Config;
use crate::config::HostPort;
use crate::config::keys;
use crate::config::keys::Key;
use crate::config::review::Review;

const PART: &str = "apache";

/// How long Apache waits for an answer when nothing is said about it.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

/// By how many seconds Apache should wait longer than devices do.
const MARGIN: u64 = 160;

pub(super) fn check(place: &Path, config: &Config, review: &Review, report: &mut Report<'_>) {
    let read = match Directives::read(place) {
        Ok(read) => read,
        Err(error) => return report.error(PART, error.to_string(), "--apache-config with a file that can be read"),
    };
    let judge = Judge {
        directives: &read.directives,
        config,
        review,
    };
    let lines = judge.lines(report);
    if lines.is_empty() {
        let what = format!(
            "{}: no line forwards {} ({} files)",
            place.display(),
            config.eas.alias,
            read.files
        );
        report.error(PART, what, judge.line());
    }
    for line in lines {
        judge.check(&line, report);
    }
}

/// One way to the gateway: a `ProxyPass` line, or a member of the balancer that it names.
#[derive(Debug)]
struct Line<'a> {
    place: &'a str,
    scope: &'a Scope,
    target: Url,
    parameters: &'a [String],
}

impl Line<'_> {
    fn parameter(&self, name: &str) -> Option<&str> {
        let pairs = self.parameters.iter().filter_map(|parameter| parameter.split_once('='));
        let mut values = pairs
            .filter(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value);
        values.next_back()
    }
}

struct Judge<'a> {
    directives: &'a [Directive],
    config: &'a Config,
    review: &'a Review,
}

impl<'a> Judge<'a> {
    /// The line that every installation has.
    fn line(&self) -> String {
        let alias = &self.config.eas.alias;
        let listen = self.config.doors.ajp.listen.as_ref().map(ToString::to_string);
        let listen = listen.unwrap_or_else(|| "HOST:PORT".to_owned());
        let timeout = self.wanted_timeout();
        format!("ProxyPass {alias} ajp://{listen}{alias} smax=0 ttl=60 retry=5 timeout={timeout}")
    }

    fn wanted_timeout(&self) -> u64 {
        self.config.ping.max_heartbeat.as_secs() + MARGIN
    }

    /// The lines that forward what phones ask for; one that comes too late is reported.
    fn lines(&self, report: &mut Report<'_>) -> Vec<Line<'a>> {
        let mut lines = Vec::new();
        // The first line of a host that covers everything.
        let mut broad: Vec<&Directive> = Vec::new();
        for directive in self.directives {
            let Some((path, target, parameters)) = forwarding(directive) else {
                continue;
            };
            let is_of_host = |other: &&&Directive| other.scope.host == directive.scope.host;
            match self.covers(directive, path) {
                Some(Cover::Whole) => broad.push(directive),
                Some(Cover::Path) => {
                    if let Some(first) = broad.iter().find(is_of_host) {
                        let what = format!(
                            "{}: never used, since {} covers the same and comes first",
                            directive.place, first.place
                        );
                        report.error(PART, what, format!("this line before {}", first.place));
                    }
                    lines.extend(self.targets(directive, target, parameters));
                }
                None => {}
            }
        }
        lines
    }

    fn covers(&self, directive: &Directive, path: &str) -> Option<Cover> {
        let alias = self.config.eas.alias.as_str();
        let path = path.trim_end_matches('/');
        if directive.name == "proxypassmatch" {
            let (path, alias) = (path.to_lowercase(), alias.to_lowercase());
            return path.contains(alias.trim_start_matches('/')).then_some(Cover::Path);
        }
        match path {
            "" => Some(Cover::Whole),
            path => (path == alias).then_some(Cover::Path),
        }
    }

    fn targets(&self, directive: &'a Directive, target: &str, parameters: &'a [String]) -> Vec<Line<'a>> {
        let Some(url) = url(target) else {
            return Vec::new();
        };
        if url.scheme() != "balancer" {
            return vec![Line {
                place: &directive.place,
                scope: &directive.scope,
                target: url,
                parameters,
            }];
        }
        let balancer = |member: &&Directive| {
            let of = member.scope.proxy.as_deref().and_then(self::url);
            member.name == "balancermember" && of.is_some_and(|of| of.host() == url.host())
        };
        let member = |member: &'a Directive| {
            let (target, parameters) = member.arguments.split_first()?;
            Some(Line {
                place: &member.place,
                scope: &directive.scope,
                target: self::url(target)?,
                parameters,
            })
        };
        self.directives.iter().filter(balancer).filter_map(member).collect()
    }

    fn check(&self, line: &Line<'_>, report: &mut Report<'_>) {
        report.ok(PART, format!("{}: forwards to {}", line.place, line.target));
        self.check_port(line, report);
        if line.target.scheme() == "ajp" {
            self.check_secret(line, report);
        }
        self.check_timeout(line, report);
        self.check_body(line, report);
    }

    fn check_port(&self, line: &Line<'_>, report: &mut Report<'_>) {
        let doors = &self.config.doors;
        let (key, listen, default): (&Key, &Option<HostPort>, u16) = match line.target.scheme() {
            "ajp" => (&keys::AJP_LISTEN, &doors.ajp.listen, 8009),
            _ => (&keys::HTTP_LISTEN, &doors.http.listen, 80),
        };
        let port = line.target.port().unwrap_or(default);
        match listen {
            Some(listen) if [port, 0].contains(&listen.port) => {}
            Some(listen) => report.error(
                PART,
                format!(
                    "{}: forwards to port {port}, and the gateway is at {listen}",
                    line.place
                ),
                format!(
                    "the port in that line, or {}",
                    self.review.line(key, &format!("{}:{port}", listen.host))
                ),
            ),
            None => report.error(
                PART,
                format!(
                    "{}: forwards to {}, where the gateway has no port",
                    line.place, line.target
                ),
                format!(
                    "{}, or {}",
                    self.line(),
                    self.review.line(key, &format!("127.0.0.1:{port}"))
                ),
            ),
        }
    }

    /// Neither secret is ever shown.
    fn check_secret(&self, line: &Line<'_>, report: &mut Report<'_>) {
        let ours = self.config.doors.ajp.secret.as_ref().map(ExposeSecret::expose_secret);
        let name = keys::AJP_SECRET.name;
        match (ours, line.parameter("secret")) {
            (ours, theirs) if ours == theirs => {}
            (Some(_), theirs) => report.error(
                PART,
                format!(
                    "{}: has {}, and the gateway refuses everything from there (403)",
                    line.place,
                    if theirs.is_some() {
                        "another secret than the gateway"
                    } else {
                        "no secret"
                    }
                ),
                format!("secret=WORD in that line, with the value of {name}"),
            ),
            (None, _) => report.warning(
                PART,
                format!("{}: has a secret, and the gateway asks for none", line.place),
                self.review.line(&keys::AJP_SECRET, "WORD"),
            ),
        }
    }

    fn check_timeout(&self, line: &Line<'_>, report: &mut Report<'_>) {
        let (timeout, place) = self.timeout(line);
        let longest = self.config.ping.max_heartbeat;
        let flush = self
            .config
            .doors
            .ajp
            .flush_interval
            .filter(|_| line.target.scheme() == "ajp");
        if timeout > longest || flush.is_some_and(|interval| interval < timeout) {
            return report.ok(
                PART,
                format!("{}: waits {} s, longer than devices do", line.place, timeout.as_secs()),
            );
        }
        let what = format!(
            "{}: gives up after {} s ({place}), and devices wait for up to {} s: they see broken connections and ask again",
            line.place,
            timeout.as_secs(),
            longest.as_secs()
        );
        let change = format!(
            "timeout={} at the end of that line, or a smaller {}",
            self.wanted_timeout(),
            keys::PING_MAX_HEARTBEAT.name
        );
        report.warning(PART, what, change);
    }

    /// How long Apache waits for the gateway, and what says so.
    fn timeout(&self, line: &Line<'_>) -> (Duration, String) {
        if let Some(timeout) = line.parameter("timeout").and_then(duration) {
            return (timeout, "timeout=".to_owned());
        }
        for name in ["proxytimeout", "timeout"] {
            if let Some(directive) = self.in_force(line.scope, name)
                && let Some(timeout) = directive.arguments.first().and_then(|argument| duration(argument))
            {
                return (timeout, directive.place.clone());
            }
        }
        (DEFAULT_TIMEOUT, "Apache's own limit".to_owned())
    }

    fn check_body(&self, line: &Line<'_>, report: &mut Report<'_>) {
        let Some(directive) = self.in_force(line.scope, "limitrequestbody") else {
            return;
        };
        let ours = self.config.limits.body_bytes;
        let limit: Option<usize> = directive.arguments.first().and_then(|argument| argument.parse().ok());
        if let Some(limit) = limit.filter(|limit| (1..ours).contains(limit)) {
            report.warning(
                PART,
                format!(
                    "{}: takes requests of {limit} bytes, and the gateway of {ours}: larger mail is refused",
                    directive.place
                ),
                format!(
                    "LimitRequestBody {ours}, or {}",
                    self.review.line(&keys::MAX_BODY_BYTES, &limit.to_string())
                ),
            );
        }
    }

    /// The last directive of a host; of the server if the host has none.
    fn in_force(&self, scope: &Scope, name: &str) -> Option<&'a Directive> {
        let of = |host: usize| {
            let here = |directive: &&Directive| {
                let location = &directive.scope.location;
                let near = location.is_none()
                    || *location == scope.location
                    || location.as_deref() == Some(&self.config.eas.alias);
                directive.name == name && directive.scope.host == host && near
            };
            self.directives.iter().rfind(here)
        };
        of(scope.host).or_else(|| of(0))
    }
}

/// How much of a host a line covers.
enum Cover {
    /// What phones ask for.
    Path,
    /// That and everything else.
    Whole,
}

/// Path, target and parameters of a line that forwards; within `Location` the path stands there.
fn forwarding(directive: &Directive) -> Option<(&str, &str, &[String])> {
    if !["proxypass", "proxypassmatch"].contains(&directive.name.as_str()) {
        return None;
    }
    let (path, rest) = match &directive.scope.location {
        Some(path) => (path.as_str(), directive.arguments.as_slice()),
        None => {
            let (path, rest) = directive.arguments.split_first()?;
            (path.as_str(), rest)
        }
    };
    let (target, parameters) = rest.split_first()?;
    Some((path, target, parameters))
}

/// A target; `$1` and the like of a pattern are no part of host and port.
fn url(target: &str) -> Option<Url> {
    Url::parse(target).ok().filter(Url::has_host)
}

/// Apache's durations: seconds, or a number with ms, s or mi for minutes, h for hours.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(split)?;
    let number: u64 = number.parse().ok()?;
    match unit.to_ascii_lowercase().as_str() {
        "" | "s" => Some(Duration::from_secs(number)),
        "ms" => Some(Duration::from_millis(number)),
        "mi" | "min" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(3600).map(Duration::from_secs),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::config::Environment;

    const EAS: &str = "/Microsoft-Server-ActiveSync";

    /// What is found in an Apache with these lines, by a gateway with these.
    fn found(apache: &str, eas: &str) -> String {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("eas.properties"), eas).unwrap();
        let file = directory.path().join("site.conf");
        fs::write(&file, apache).unwrap();
        let review = Review::load_with(Some(directory.path()), &Environment::new());
        let mut out = Vec::new();
        let mut report = Report::new(&mut out);
        check(&file, review.config.as_ref().unwrap(), &review, &mut report);
        report.end().unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Each case: lines of Apache, lines of `eas.properties`; words of findings that are not ok, in their order.
    #[test]
    fn what_is_wrong_is_found() {
        let ajp = format!("ProxyPass {EAS} ajp://127.0.0.1:8009{EAS}");
        let http = format!("ProxyPass {EAS} http://127.0.0.1:8010{EAS} timeout=3700");
        let member = format!(
            "<Proxy balancer://ox>\nBalancerMember ajp://a:8009 timeout=3700\nBalancerMember ajp://b:8009 timeout=50\n</Proxy>\n\
             ProxyPass {EAS} balancer://ox{EAS}"
        );
        let (good, secret, flush) = (
            format!("{ajp} timeout=3700"),
            "com.openexchange.usm.eas.ajp.secret=sesame",
            "com.openexchange.usm.eas.ajp.flush_interval=30",
        );
        let short = "com.openexchange.usm.eas.ping.max_heartbeat=240";
        let cases: [(String, &str, &[&str]); 19] = [
            (good.clone(), "", &[]),
            (String::new(), "", &["error", "no line forwards", "timeout=3700"]),
            (
                ajp.clone(),
                "",
                &["warning", "after 60 s (Apache's own limit)", "timeout=3700"],
            ),
            (format!("ProxyTimeout 300\n{ajp}"), short, &[]),
            (
                format!("Timeout 300\n{ajp}"),
                "",
                &["warning", "after 300 s", "line 1)"],
            ),
            (
                format!("Timeout 4000\n<VirtualHost *>\nProxyTimeout 5mi\n{ajp}\n</VirtualHost>"),
                "",
                &["after 300 s", "line 3)"],
            ),
            (ajp.clone(), flush, &[]),
            (format!("{ajp} timeout=20"), flush, &["after 20 s"]),
            (
                good.clone(),
                secret,
                &["error", "no secret", "secret=WORD in that line"],
            ),
            (format!("{good} secret=other"), secret, &["error", "another secret"]),
            (format!("{good} secret=sesame"), secret, &[]),
            (format!("{good} secret=sesame"), "", &["warning", "asks for none"]),
            (
                good.replace("8009", "8019"),
                "",
                &["error", "port 8019", "127.0.0.1:8009", "ajp.listen=127.0.0.1:8019"],
            ),
            (
                http.clone(),
                "",
                &["error", "has no port", "http.listen=127.0.0.1:8010"],
            ),
            (http, "com.openexchange.usm.eas.http.listen=127.0.0.1:8010", &[]),
            (
                format!("ProxyPass / http://ox:8009/\n{good}"),
                "",
                &["error", "never used", "line 1 covers"],
            ),
            (
                format!("LimitRequestBody 1000000\n{good}"),
                "",
                &["warning", "of 1000000 bytes", "LimitRequestBody 104857600"],
            ),
            (member, "", &["warning", "line 3: gives up after 50 s"]),
            (
                format!("<Location {EAS}>\nProxyPass ajp://h:8009{EAS}\n</Location>"),
                "",
                &["warning", "after 60 s"],
            ),
        ];
        for (apache, eas, words) in cases {
            let all = found(&apache, eas);
            let wrong: Vec<&str> = all.lines().filter(|line| !line.starts_with("ok ")).collect();
            assert_eq!(wrong.is_empty(), words.is_empty(), "{apache}\n{all}");
            let mut rest = wrong.join("\n");
            for word in words {
                let (_, behind) = rest
                    .split_once(word)
                    .unwrap_or_else(|| panic!("{word:?} is missing\n{apache}\n{all}"));
                rest = behind.to_owned();
            }
            assert!(!all.contains("sesame"), "the secret is shown");
        }
    }

    /// The lines that are shipped say what the gateway needs, apart from the timeout of the first.
    #[test]
    fn shipped_lines_are_understood() {
        let shipped = |name: &str| {
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("etc/apache").join(name)).unwrap()
        };
        let all = found(&shipped("ajp.conf"), "");
        assert_eq!(all.lines().filter(|line| !line.starts_with("ok ")).count(), 1, "{all}");
        assert!(all.contains("gives up after 60 s"), "{all}");
        let all = found(
            &shipped("http.conf"),
            "com.openexchange.usm.eas.http.listen=127.0.0.1:8010",
        );
        assert!(all.lines().all(|line| line.starts_with("ok ")), "{all}");
    }

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("300", Some(300)),
            ("2mi", Some(120)),
            ("1h", Some(3600)),
            ("5000ms", Some(5)),
            ("x", None),
        ] {
            assert_eq!(duration(text).map(|duration| duration.as_secs()), seconds, "{text}");
        }
    }
}
