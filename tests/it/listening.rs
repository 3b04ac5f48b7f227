//! The doors of the gateway: equal answers through both, who is believed about the device, limits, who may reach them.

use std::fs;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use ajp::client::Answer as AjpAnswer;
use ajp::client::Client;
use ajp::packet::ForwardRequest;
use ajp::packet::PacketSize;
use http::HeaderName;
use http::HeaderValue;
use http::Method;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::device::INBOX;
use crate::device::http::Connection;
use crate::device::http::Door as _;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::link::Parameters;
use crate::device::link::WBXML;
use crate::doors;
use crate::doors::HTTP;
use crate::world::DEADLINE;
use crate::world::World;
use crate::world::wait_for;

/// Much shorter than the heartbeats of these tests, much longer than an answer takes.
const SOON: Duration = Duration::from_secs(10);

/// A request as a web server forwards it, without its body.
pub(crate) fn forward(request: &Request) -> ForwardRequest {
    let method = Method::from_bytes(request.method.as_bytes()).unwrap();
    let mut forward = ForwardRequest::new(method, request.target.parse().unwrap());
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        forward = forward.header(name, HeaderValue::from_str(value).unwrap());
    }
    let length = request.body.as_ref().map(|body| HeaderValue::from(body.len()));
    match length {
        Some(length) => forward.header(http::header::CONTENT_LENGTH, length),
        None => forward,
    }
}

/// Where the gateway says that it listens for HTTP.
pub(crate) fn http_address(world: &World) -> SocketAddr {
    let log = world.log();
    let line = log.lines().find(|line| line.ends_with(&format!("({HTTP})")));
    let address = line.and_then(|line| line.rsplit(' ').nth(1));
    address.expect("the line of the door").parse().unwrap()
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await.expect("an answer in time") })
}

fn exchange(address: SocketAddr, forward: &ForwardRequest, body: &[u8]) -> AjpAnswer {
    let answer = block_on(async {
        let mut client = Client::connect(address).await.unwrap();
        client.request(forward, body).await.unwrap()
    });
    doors::check(forward, body, &answer.response);
    answer
}

#[test]
fn both_doors_give_equal_answers() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    let link = device.link.clone();
    let folder_sync = |key: &str| {
        let key = Element::text(folderhierarchy::SYNC_KEY, key);
        link.wbxml("FolderSync", &Element::parent(folderhierarchy::FOLDER_SYNC, [key]))
    };
    let mut stranger = link.clone();
    stranger.password = "wrong".to_owned();
    let elsewhere = Request {
        target: "/elsewhere".to_owned(),
        ..link.options()
    };
    let get = Request {
        method: "GET",
        ..link.options()
    };
    let put = Request {
        method: "PUT",
        ..link.options()
    };
    let no_wbxml = link.request("Sync", Parameters::default(), WBXML, Some(b"text".to_vec()));
    // what is asked, the status of the answer
    let cases = [
        (link.options(), 200),
        (stranger.options(), 401),
        (get, 200),
        (put, 501),
        (elsewhere, 404),
        (device.ping_request(9999, &[&inbox]), 200),
        (folder_sync("4711"), 200),
        (no_wbxml, 200),
        (link.request("Nothing", Parameters::default(), WBXML, None), 501),
    ];
    for (request, status) in cases {
        let through_http = world.http().exchange(&request).unwrap();
        let through_ajp = world.ajp().exchange(&request).unwrap();
        let what = format!("{} {}", request.method, request.target);
        assert_eq!((through_http.status, through_ajp.status), (status, status), "{what}");
        assert_eq!(through_http.body, through_ajp.body, "{what}");
        for name in [
            "Content-Type",
            "Content-Length",
            "WWW-Authenticate",
            "Allow",
            "MS-Server-ActiveSync",
        ] {
            assert_eq!(through_http.header(name), through_ajp.header(name), "{what}: {name}");
        }
    }
}

/// The part of the log line that says where the last request of this command came from.
fn from(world: &World, device: &str, count: usize) -> String {
    wait_for("the line of the request", || {
        let log = world.log();
        let lines: Vec<&str> = log.lines().filter(|line| line.contains(device)).collect();
        let froms: Vec<&str> = lines
            .iter()
            .filter_map(|line| line.split_once(" from="))
            .map(|(_, rest)| rest)
            .collect();
        let last = froms.get(count.checked_sub(1)?)?;
        Some(last.split(' ').next().unwrap_or_default().to_owned())
    })
}

#[test]
fn proxies_are_believed_if_they_were_named() {
    let forwarded = ("X-Forwarded-For", "203.0.113.9, 192.0.2.7".to_owned());
    // trusted proxies, what the log shows of a request from here
    let cases = [
        ("127.0.0.0/8,::1", Some("192.0.2.7")),
        ("127.0.0.1,192.0.2.0/24", Some("203.0.113.9")),
        ("10.0.0.0/8", None),
        ("", None),
    ];
    for (proxies, expected) in cases {
        let world = World::plan()
            .property("eas.http.trusted_proxies", proxies)
            .start()
            .unwrap();
        let device = world.device(V14_1);
        let mut request = device.link.options();
        request.headers.push(forwarded.clone());
        request.target.push_str("?X=Y");
        assert_eq!(world.http().exchange(&request).unwrap().status, 200);
        let from = from(&world, "anton - OPTIONS", 1);
        match expected {
            Some(expected) => assert_eq!(from, expected, "{proxies}"),
            None => assert!(from.starts_with("127.0.0.1:"), "{proxies}: {from}"),
        }
        assert_eq!(
            world.log().matches("203.0.113.9").count(),
            usize::from(expected == Some("203.0.113.9"))
        );
    }
}

/// Over AJP the web server tells the device's address. What it says of a user who logged in there is nothing to us.
#[test]
fn the_web_server_tells_the_address() {
    let world = World::start();
    let device = world.device(V14_1);
    let mut request = forward(&device.link.options()).header(
        HeaderName::from_static("x-forwarded-for"),
        HeaderValue::from_static("203.0.113.9"),
    );
    request.peer.remote_addr = "2001:db8::7".to_owned();
    request.peer.remote_port = Some(50123);
    request.peer.attributes.remote_user = Some("berta".to_owned());
    let answer = exchange(world.ajp_address(), &request, b"");
    assert_eq!(answer.response.status(), 200);
    assert_eq!(from(&world, "anton - OPTIONS", 1), "[2001:db8::7]:50123");

    request.headers.retain(|(name, _)| name != http::header::AUTHORIZATION);
    let answer = exchange(world.ajp_address(), &request, b"");
    assert_eq!(answer.response.status(), 401, "remote_user is no login");
    assert!(!world.log().contains("berta"));
}

/// Too large a body is refused with what has been read by then: nothing if its length was announced.
#[test]
fn bodies_have_a_limit() {
    let world = World::plan().property("eas.max_body_bytes", "65536").start().unwrap();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    let mut request = device.link.request("SendMail", Parameters::default(), WBXML, None);

    // Announced, and never sent.
    let announced = forward(&request).header(http::header::CONTENT_LENGTH, HeaderValue::from(10_000_000));
    let answer = exchange(world.ajp_address(), &announced, &[0; 8000]);
    assert_eq!(
        (answer.response.status().as_u16(), answer.asked, answer.reuse),
        (413, 0, true)
    );
    request.headers.push(("Content-Length", "10000000".to_owned()));
    let mut connection = Connection::open(http_address(&world)).unwrap();
    connection.send(&request).unwrap();
    assert_eq!(connection.receive().unwrap().status, 413);
    request.headers.pop();

    // Sent in parts without an end in sight.
    let chunked = forward(&request).header(http::header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    let answer = exchange(world.ajp_address(), &chunked, &[0; 1_000_000]);
    assert_eq!(answer.response.status(), 413);
    assert!(answer.asked <= 10, "{} parts were read of 65536 bytes", answer.asked);
    request.headers.push(("Transfer-Encoding", "chunked".to_owned()));
    let mut stream = TcpStream::connect(http_address(&world)).unwrap();
    let lines: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!("POST {} HTTP/1.1\r\nHost: phone.test\r\n{lines}\r\n", request.target);
    stream.write_all(head.as_bytes()).unwrap();
    stream
        .write_all(format!("{:x}\r\n{}\r\n", 65_537, "x".repeat(65_537)).as_bytes())
        .unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 413");

    // What fits is served as before.
    assert!(device.sync(&inbox).is_quiet() || !device.items(&inbox).is_empty());
}

/// A head that is too large never reaches the protocol.
#[test]
fn heads_have_a_limit() {
    let world = World::plan()
        .property("eas.ajp.max_header_bytes", "4096")
        .start()
        .unwrap();
    let device = world.device(V14_1);
    let with = |length: usize| {
        let mut request = device.link.options();
        request.headers.push(("X-Large", "x".repeat(length)));
        request
    };
    let ajp = |length| {
        exchange(world.ajp_address(), &forward(&with(length)), b"")
            .response
            .status()
            .as_u16()
    };
    assert_eq!((ajp(3000), ajp(5000)), (200, 400));
    let http = |length| world.http().exchange(&with(length)).unwrap().status;
    assert_eq!((http(30_000), http(70_000)), (200, 431));
}

/// Runs the program to its end with this `eas.properties`.
fn run_to_the_end(eas: &str) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let database = directory.path().join("oxtender.db");
    let usm = format!("com.openexchange.usm.database.url=sqlite:{}\n", database.display());
    fs::write(directory.path().join("usm.properties"), usm).unwrap();
    let eas = format!("com.openexchange.usm.eas.admin.listen=\n{eas}");
    fs::write(directory.path().join("eas.properties"), eas).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_oxtender"));
    let program = program.arg("serve").arg("--etc").arg(directory.path());
    let mut child = program.stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the program to end", || child.try_wait().unwrap());
    child.wait_with_output().unwrap()
}

#[test]
fn wrong_values_end_the_program_and_unknown_keys_do_not() {
    let key = "com.openexchange.usm.eas.ping.min_heartbeat";
    let unknown = "com.openexchange.usm.eas.no_such_key";
    let wrong_value = format!("{key}=soon\n");
    // What ends the program here is the port, so that it ends at all.
    let unknown_key = format!("{unknown}=1\ncom.openexchange.usm.eas.ajp.listen=0.0.0.0:0\n");
    // properties, exit status, words that stand in one line each
    for (eas, status, said) in [
        (wrong_value, 2, vec!["eas.properties", key, "soon", "whole number"]),
        (unknown_key, 1, vec![unknown]),
    ] {
        let output = run_to_the_end(&eas);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{text}");
        for word in said {
            let lines = text.lines().filter(|line| line.contains(word)).count();
            assert_eq!(lines, 1, "{word} in {text}");
        }
    }
}

#[test]
fn a_port_that_others_reach_needs_a_secret() {
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = run_to_the_end(&format!("com.openexchange.usm.eas.ajp.listen={address}\n"));
        assert_eq!(output.status.code(), Some(1), "{address}");
        let said = String::from_utf8_lossy(&output.stderr);
        let (host, _) = address.rsplit_once(':').unwrap();
        for word in [
            host,
            "com.openexchange.usm.eas.ajp.listen",
            "com.openexchange.usm.eas.ajp.secret",
            "secret=...",
            "127.0.0.1",
            "com.openexchange.usm.eas.ajp.allow_remote_without_secret=true",
        ] {
            assert!(said.contains(word), "{word} is missing in {said}");
        }
    }
    let exposed = || World::plan().property("eas.ajp.listen", "0.0.0.0:0");
    let guarded = exposed().secret("sesame").start().unwrap();
    assert_eq!(
        guarded
            .ajp()
            .exchange(&guarded.device(V14_1).link.options())
            .unwrap()
            .status,
        200
    );
    let waived = exposed()
        .property("eas.ajp.allow_remote_without_secret", "true")
        .start()
        .unwrap();
    assert_eq!(
        waived
            .ajp()
            .exchange(&waived.device(V14_1).link.options())
            .unwrap()
            .status,
        200
    );
}

/// Runs `oxtender check ajp`: its exit status, and what it says.
fn check(arguments: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_oxtender"))
        .args(["check", "ajp"])
        .args(arguments)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap(), said)
}

#[test]
fn a_check_tells_ports_apart() {
    let world = World::plan().secret("sesame").start().unwrap();
    let open = World::start();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    // Accepts, and hangs up on whoever says anything.
    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let mute_address = mute.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in mute.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 512]);
        }
    });
    let (guarded, unguarded) = (world.ajp_address().to_string(), open.ajp_address().to_string());
    let (http, closed, mute) = (
        http_address(&world).to_string(),
        closed.to_string(),
        mute_address.to_string(),
    );
    // arguments, exit status, words
    let cases: [(&[&str], i32, &[&str]); 8] = [
        (
            &[&guarded, "--secret", "sesame"],
            0,
            &[
                "can be reached",
                "answers CPING in ",
                "takes this secret",
                "An ActiveSync server",
                "version 16.1",
            ],
        ),
        (
            &[&unguarded],
            0,
            &["asks for no secret", "An ActiveSync server", "asks for a login"],
        ),
        (
            &[&guarded, "--secret", "wrong"],
            1,
            &["answers CPING in ", "refuses this secret"],
        ),
        (&[&guarded], 1, &["refuses requests without a secret", "--secret"]),
        (
            &[&unguarded, "--path", "/elsewhere"],
            1,
            &["nothing at /elsewhere (404)"],
        ),
        (&[&http], 1, &["speaks HTTP, not AJP", "8009"]),
        (&[&closed], 1, &["cannot be reached", "refused"]),
        (&[&mute], 1, &["neither AJP nor HTTP"]),
    ];
    for (arguments, status, words) in cases {
        let (exit, said) = check(arguments);
        assert_eq!(exit, status, "{arguments:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{arguments:?}: {word:?} is missing in {said}");
        }
        assert!(!said.contains("sesame"), "the secret is shown");
    }
}

/// The web server's connection ends while a phone waits: the work ends, the log and the metrics tell, and the phone's next
/// request is served at once.
#[test]
fn a_connection_that_goes_ends_the_work() {
    let world = World::start();
    let mut device = world.ready_device(V14_1);
    let inbox = device.folder(INBOX);
    device.sync(&inbox);
    let request = device.ping_request(50, &[&inbox]);
    let mut packets = bytes::BytesMut::new();
    let size = PacketSize::new(PacketSize::MIN);
    ajp::encode::forward_request(&mut packets, &forward(&request), size).unwrap();
    ajp::encode::data(&mut packets, request.body.as_deref().unwrap(), size);
    let looks = || world.standin.calls().of("mail", "all");
    let before = looks();
    let gone = block_on(async {
        let mut client = Client::connect(world.ajp_address()).await.unwrap();
        client.send(&packets).await.unwrap();
        wait_for("a look at OX", || (looks() > before).then_some(()));
        drop(client);
        Instant::now()
    });
    wait_for("the end in the log", || {
        let log = world.log();
        let line = log.lines().find(|line| line.contains("http=gone"))?;
        assert!(line.contains(" Ping 14.1 from="), "{line}");
        Some(())
    });
    assert!(gone.elapsed() < SOON, "the end was noticed late");
    let metrics = Request {
        method: "GET",
        target: "/metrics".to_owned(),
        headers: Vec::new(),
        body: None,
    };
    let metrics = HttpDoor(world.admin_address()).exchange(&metrics).unwrap();
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    let line = "oxtender_requests_total{command=\"Ping\",version=\"14.1\",http=\"\",status=\"\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    let started = Instant::now();
    assert!(device.sync(&inbox).is_quiet());
    assert!(started.elapsed() < SOON, "the next request waited");
}
