//! Autodiscover: an address and a password are all that a phone needs, and nobody learns from it who exists.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ox_standin::User;

use crate::apache;
use crate::apache::Apache;
use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::world::World;
use crate::world::wait_for;

const PATH: &str = "/autodiscover/autodiscover.xml";
const OURS: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006";
const OUTLOOK: &str = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a";
const REQUEST: &str = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/requestschema/2006";

fn document(address: &str, schema: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Autodiscover xmlns=\"{REQUEST}\">\n  <Request>\n    \
         <EMailAddress>{address}</EMailAddress>\n    <AcceptableResponseSchema>{schema}</AcceptableResponseSchema>\n  \
         </Request>\n</Autodiscover>"
    )
}

fn request(method: &'static str, target: &str, login: Option<&str>, body: Option<&str>) -> Request {
    let authorization = login.map(|login| {
        let encoded = STANDARD.encode(format!("{login}:secret"));
        ("Authorization", format!("Basic {encoded}"))
    });
    let content_type = body.map(|_| ("Content-Type", "text/xml".to_owned()));
    Request {
        method,
        target: target.to_owned(),
        headers: authorization.into_iter().chain(content_type).collect(),
        body: body.map(|body| body.as_bytes().to_vec()),
    }
}

fn post(login: &str, body: &str) -> Request {
    request("POST", PATH, Some(login), Some(body))
}

fn exchange(door: &dyn Door, request: &Request) -> Answer {
    let answer = door.exchange(request).unwrap();
    assert!(answer.status == 404 || answer.header("Cache-Control") == Some("private"));
    assert_eq!(answer.header("Content-Type").is_some(), !answer.body.is_empty());
    answer
}

fn text(answer: &Answer) -> String {
    String::from_utf8(answer.body.clone()).unwrap()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(found, _)| found)
}

/// What an answer tells: address and URL, or the ErrorCode.
fn told(answer: &Answer) -> String {
    let text = text(answer);
    let address = between(&text, "<EMailAddress>", "</EMailAddress>");
    let url = between(&text, "<Url>", "</Url>");
    match (address, url, between(&text, "<ErrorCode>", "</ErrorCode>")) {
        (Some(address), Some(url), None) => format!("{address} {url}"),
        (None, None, Some(code)) => code.to_owned(),
        other => panic!("{other:?} in {text}"),
    }
}

const FOUND: &str = "anton@example.com https://phone.test/Microsoft-Server-ActiveSync";

#[test]
fn a_user_is_found_at_both_doors() {
    let user = User::new(3, "anton", "secret")
        .name("Anton", "Berg & <Söhne>")
        .address("chef@example.com");
    let world = World::plan().standin(|builder| builder.user(user)).start().unwrap();
    let expected = "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
        <Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\">\
        <Response xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006\">\
        <Culture>en:us</Culture>\
        <User><DisplayName>Berg &amp; &lt;Söhne&gt;, Anton</DisplayName><EMailAddress>anton@example.com</EMailAddress></User>\
        <Action><Settings><Server><Type>MobileSync</Type>\
        <Url>https://phone.test/Microsoft-Server-ActiveSync</Url>\
        <Name>https://phone.test/Microsoft-Server-ActiveSync</Name></Server></Settings></Action></Response></Autodiscover>";
    for door in [world.ajp(), world.http()] {
        // An alias of his, or whatever he typed: the answer has the primary address.
        for address in ["anton@example.com", "chef@example.com", "anton@other.example"] {
            let answer = exchange(&*door, &post("anton", &document(address, OURS)));
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("Content-Type"), Some("text/xml; charset=utf-8"));
            assert_eq!(text(&answer), expected, "{address}");
        }
        for path in [
            "/Autodiscover/Autodiscover.xml",
            "/AUTODISCOVER/AUTODISCOVER.XML",
            "/AutoDiscover/autodiscover.xml/",
        ] {
            let body = document("anton@example.com", OURS);
            let answer = exchange(&*door, &request("POST", path, Some("anton"), Some(&body)));
            assert_eq!(text(&answer), expected, "{path}");
        }
    }
    wait_for("the line of a request", || {
        world.log().contains("anton - Autodiscover - from=").then_some(())
    });
}

/// What phones and others send, and what they are told. Where the answer does not depend on the user, OX is not asked.
#[test]
fn requests() {
    let world = World::start();
    let door = world.http();
    let twice = format!(
        "<Autodiscover xmlns=\"{REQUEST}\"><Request><EMailAddress>a@b</EMailAddress></Request><Request/></Autodiscover>"
    );
    let lol = (0..20).map(|number| format!("<!ENTITY l{} \"&l{number};&l{number};\">", number + 1));
    let entities: String = lol.collect();
    let bomb = format!(
        "<!DOCTYPE a [<!ENTITY l0 \"lol\">{entities}]>{}",
        document("&l20;", OURS).replace("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", "")
    );
    let file = "<!DOCTYPE a [<!ENTITY f SYSTEM \"file:///etc/passwd\">]>".to_owned()
        + &document("&f;", OURS).replace("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n", "");
    let deep = format!("{}{}", "<a>".repeat(5000), "</a>".repeat(5000));
    // body, HTTP status, what is told
    let cases = [
        (document("anton@example.com", OURS), 200, FOUND),
        // Old Android sends credentials and nothing else.
        (String::new(), 200, FOUND),
        (document("anton", OURS), 200, FOUND),
        (document("anton@example.com", OUTLOOK), 200, "601"),
        (twice, 200, "600"),
        ("hello".to_owned(), 200, "600"),
        ("<Autodiscover/>".to_owned(), 200, "600"),
        (bomb, 200, "600"),
        (file, 200, "600"),
        (deep, 200, "600"),
        (document(&"a".repeat(70_000), OURS), 413, ""),
    ];
    for (body, status, expected) in cases {
        let before = world.standin.calls().requests;
        let answer = exchange(&*door, &post("anton", &body));
        let shown: String = body.chars().take(300).collect();
        assert_eq!(answer.status, status, "{shown}");
        if status == 200 {
            assert_eq!(told(&answer), expected, "{shown}");
        }
        let asked = world.standin.calls().requests > before;
        assert_eq!(asked, expected == FOUND, "{shown}");
    }
    let refusal = text(&exchange(&*door, &post("anton", &document("a@b", OUTLOOK))));
    let outer = "<Autodiscover xmlns=\"http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006\"><Response><Error Time=\"";
    assert!(refusal.contains(outer), "{refusal}");
    let time = between(&refusal, "Error Time=\"", "\"").unwrap();
    assert_eq!(
        (time.len(), time.matches(':').count()),
        ("10:00:00.0000000".len(), 2),
        "{time}"
    );
}

#[test]
fn credentials() {
    let users = [
        User::new(3, "anton", "secret"),
        User::new(4, "berta@example.com", "secret"),
        User::new(5, "carl", "secret").without("mobility"),
    ];
    let world = World::plan()
        .standin(|builder| users.into_iter().fold(builder, |builder, user| builder.user(user)))
        .start()
        .unwrap();
    let ask = |login: Option<&str>, address: &str| {
        let body = document(address, OURS);
        exchange(&*world.http(), &request("POST", PATH, login, Some(&body)))
    };
    // login, address, HTTP status
    let cases = [
        (None, "anton@example.com", 401),
        (Some("nobody"), "nobody@example.com", 401),
        (Some("nobody"), "anton@example.com", 401),
        (Some("anton"), "anton@example.com", 200),
        (Some("berta@example.com"), "berta@example.com", 200),
        // The phone leaves out what the login needs.
        (Some("berta"), "berta@example.com", 200),
        (Some("berta"), "berta@other.example", 401),
        (Some("carl"), "carl@example.com", 403),
    ];
    for (login, address, status) in cases {
        let answer = ask(login, address);
        assert_eq!(answer.status, status, "{login:?} {address}");
        assert_eq!(answer.header("WWW-Authenticate").is_some(), status == 401);
    }
    // No session is left behind.
    let calls = world.standin.calls();
    assert_eq!(calls.of("login", "logout"), 4, "{}", calls.text());
}

#[test]
fn ox_is_down() {
    let mut world = World::start();
    world.stop_ox();
    let answer = exchange(&*world.http(), &post("anton", &document("anton@example.com", OURS)));
    assert_eq!(answer.status, 503);
    assert!(answer.header("Retry-After").is_some());
}

/// GET is how a phone without TLS looks for the way to it, and how people look whether somebody is there.
#[test]
fn methods() {
    let world = World::plan()
        .property("eas.public_url", "https://mail.example")
        .start()
        .unwrap();
    let over_tls = |mut request: Request| {
        request.headers.push(("X-Forwarded-Proto", "https".to_owned()));
        request
    };
    let get = |login| request("GET", PATH, login, None);
    let way = Some("https://mail.example/autodiscover/autodiscover.xml");
    // request, HTTP status, Location
    let cases = [
        (get(None), 302, way),
        (get(Some("anton")), 302, way),
        (request("HEAD", PATH, None, None), 302, way),
        (over_tls(get(None)), 401, None),
        (over_tls(get(Some("anton"))), 200, None),
        (request("PUT", PATH, Some("anton"), None), 405, None),
        (
            request("POST", "/autodiscover/autodiscover.json", None, Some("{}")),
            405,
            None,
        ),
        (request("GET", "/autodiscover/autodiscover.svc", None, None), 404, None),
        (request("GET", "/autodiscover", None, None), 404, None),
    ];
    for (request, status, location) in cases {
        let answer = exchange(&*world.http(), &request);
        let what = format!("{} {}", request.method, request.target);
        assert_eq!((answer.status, answer.header("Location")), (status, location), "{what}");
        assert_eq!(answer.header("Allow").is_some(), status == 405, "{what}");
        if status == 200 {
            assert_eq!(told(&answer), "600");
        }
    }
}

/// The second version asks for no password. It says the same of those who exist and of those who do not.
#[test]
fn json() {
    let world = World::plan()
        .property(
            "eas.redirect",
            "berta@example.com=https://secret.example,*@moved.example=https://new.example",
        )
        .start()
        .unwrap();
    let here = "{\"Protocol\":\"ActiveSync\",\"Url\":\"https://phone.test/Microsoft-Server-ActiveSync\"}";
    let there = "{\"Protocol\":\"ActiveSync\",\"Url\":\"https://new.example/Microsoft-Server-ActiveSync\"}";
    let first = "{\"Protocol\":\"AutodiscoverV1\",\"Url\":\"https://phone.test/autodiscover/autodiscover.xml\"}";
    // what stands behind the path, HTTP status, answer
    let cases = [
        (
            "?Email=anton@example.com&Protocol=ActiveSync&RedirectCount=1",
            200,
            here,
        ),
        ("?email=nobody%40example.com&protocol=activesync", 200, here),
        ("?Email=berta@example.com&Protocol=ActiveSync", 200, here),
        ("?Protocol=ActiveSync", 200, here),
        ("/v1.0/anton@example.com?Protocol=ActiveSync", 200, here),
        (
            "/v1.0/nobody%40example.com?Protocol=ActiveSync&RedirectCount=3",
            200,
            here,
        ),
        ("?Email=anna@moved.example&Protocol=ActiveSync", 200, there),
        ("/v1.0/nobody@moved.example?Protocol=ActiveSync", 200, there),
        ("?Email=anton@example.com&Protocol=AutodiscoverV1", 200, first),
        (
            "?Email=anton@example.com&Protocol=Ews",
            400,
            "{\"ErrorCode\":\"ProtocolNotSupported\",\"ErrorMessage\":\
             \"The protocol is not supported. Supported are ActiveSync and AutodiscoverV1.\"}",
        ),
        (
            "?Email=anton@example.com",
            400,
            "{\"ErrorCode\":\"MandatoryParameterMissing\",\"ErrorMessage\":\"The parameter Protocol is missing.\"}",
        ),
    ];
    for door in [world.ajp(), world.http()] {
        for (rest, status, expected) in cases {
            for file in ["/autodiscover/autodiscover.json", "/Autodiscover/Autodiscover.JSON"] {
                let answer = exchange(&*door, &request("GET", &format!("{file}{rest}"), None, None));
                assert_eq!((answer.status, text(&answer).as_str()), (status, expected), "{rest}");
                assert_eq!(answer.header("Content-Type"), Some("application/json"));
            }
        }
    }
    assert_eq!(world.standin.calls().requests, 0, "OX is not asked");
}

#[test]
fn hosts() {
    // Host, X-Forwarded-Proto, public URL, URL told
    let cases = [
        (
            Some("mail.example"),
            None,
            "",
            Some("https://mail.example/Microsoft-Server-ActiveSync"),
        ),
        (
            Some("mail.example:8443"),
            Some("https"),
            "",
            Some("https://mail.example:8443/Microsoft-Server-ActiveSync"),
        ),
        (
            Some("mail.example:80"),
            Some("http"),
            "",
            Some("https://mail.example/Microsoft-Server-ActiveSync"),
        ),
        (Some("a&b<c"), None, "", None),
        (
            Some("autodiscover.example"),
            None,
            "https://mail.example:444",
            Some("https://mail.example:444/Microsoft-Server-ActiveSync"),
        ),
    ];
    for (host, scheme, public, expected) in cases {
        let world = World::plan().property("eas.public_url", public).start().unwrap();
        let mut request = post("anton", &document("anton@example.com", OURS));
        request.headers.extend(host.map(|host| ("Host", host.to_owned())));
        request
            .headers
            .extend(scheme.map(|scheme| ("X-Forwarded-Proto", scheme.to_owned())));
        let answer = exchange(&*world.http(), &request);
        match expected {
            Some(url) => assert_eq!(told(&answer), format!("anton@example.com {url}"), "{host:?}"),
            None => assert_eq!(answer.status, 400, "{host:?}"),
        }
    }
}

/// Users of other hosts are told theirs; OX, which may not know them any more, is not asked.
#[test]
fn users_of_other_hosts() {
    let rules = "*@moved.example=https://new.example,anton=https://mail.example,carl=https://new.example";
    let world = World::plan()
        .property("eas.redirect", rules)
        .property("eas.public_url", "https://mail.example")
        .start()
        .unwrap();
    // login, address, what is told
    let cases = [
        (
            "anna@moved.example",
            "anna@moved.example",
            "anna@moved.example https://new.example/Microsoft-Server-ActiveSync",
        ),
        (
            "anna",
            "anna@moved.example",
            "anna@moved.example https://new.example/Microsoft-Server-ActiveSync",
        ),
        (
            "carl",
            "carl@example.com",
            "carl@example.com https://new.example/Microsoft-Server-ActiveSync",
        ),
        // The rule names this host.
        (
            "anton",
            "anton@example.com",
            "anton@example.com https://mail.example/Microsoft-Server-ActiveSync",
        ),
    ];
    for (login, address, expected) in cases {
        let answer = exchange(&*world.http(), &post(login, &document(address, OURS)));
        assert_eq!(told(&answer), expected);
    }
    assert_eq!(
        world.standin.calls().of("login", "login"),
        1,
        "only anton is looked for"
    );
}

/// The shipped lines of Apache, with the address of this gateway in them.
#[test]
fn through_apache() {
    let world = World::start();
    let http = crate::listening::http_address(&world);
    for (file, address) in [("ajp.conf", world.ajp_address()), ("http.conf", http)] {
        let lines = apache::shipped(file, address);
        let Some(apache) = Apache::with_line(&lines) else {
            return;
        };
        let door: Arc<dyn Door> = Arc::new(HttpDoor(apache.address));
        for path in [
            "/autodiscover/autodiscover.xml",
            "/Autodiscover/Autodiscover.xml",
            "/AutoDiscover/AutoDiscover.xml",
            "/AUTODISCOVER/AUTODISCOVER.XML",
        ] {
            let body = document("anton@example.com", OURS);
            let answer = exchange(&*door, &request("POST", path, Some("anton"), Some(&body)));
            assert_eq!(answer.status, 200, "{file} {path}");
            assert_eq!(told(&answer), FOUND, "{file} {path}");
        }
        let answer = exchange(&*door, &request("GET", PATH, None, None));
        let location = Some("https://phone.test/autodiscover/autodiscover.xml");
        assert_eq!((answer.status, answer.header("Location")), (302, location), "{file}");
        for rest in [
            "?Email=anton@example.com&Protocol=ActiveSync",
            "/v1.0/anton%40example.com?Protocol=ActiveSync",
        ] {
            let target = format!("/Autodiscover/Autodiscover.json{rest}");
            let answer = exchange(&*door, &request("GET", &target, None, None));
            assert_eq!(answer.status, 200, "{file} {target}");
            assert!(text(&answer).contains("https://phone.test/Microsoft-Server-ActiveSync"));
        }
        let mut options = world.device(oxtender::version::ProtocolVersion::V14_1).link.options();
        options.target.push_str("?User=anton");
        assert_eq!(exchange(&*door, &options).status, 200, "{file}");
        for path in [
            "/autodiscover/autodiscover.svc",
            "/autodiscover/autodiscover.xml2",
            "/ajax/login",
        ] {
            let answer = door.exchange(&request("GET", path, None, None)).unwrap();
            assert!([403, 404].contains(&answer.status), "{file} {path}: {}", answer.status);
        }
    }
}
