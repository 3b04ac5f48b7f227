//! Other people's programs read what goes over the wire: libwbxml the documents, Wireshark the packets.
//!
//! The simulated phone shares our codecs, and so would share their mistakes. Where a program is not installed, this is said
//! aloud and its test ends.

use std::fs;
use std::io;
use std::io::Read as _;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml;
use oxtender::wbxml::Content;
use oxtender::wbxml::Element;
use quick_xml::Reader;
use quick_xml::events::Event;

use crate::apache::Apache;
use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::device::link::WBXML;
use crate::versions::core;
use crate::world::World;

/// A door that keeps every document that goes through it.
struct Recorder {
    door: Arc<dyn Door>,
    documents: Mutex<Vec<Vec<u8>>>,
}

impl Door for Recorder {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        let answer = self.door.carry(request)?;
        if answer.header("Content-Type") == Some(WBXML) {
            self.documents.lock().unwrap().push(answer.body.clone());
        }
        Ok(answer)
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        self.door.hang_up(request)
    }
}

fn is_installed(program: &str, tests: &str) -> bool {
    let found = Path::new("/usr/bin").join(program).exists();
    if !found {
        // Written to the stream itself, since the test harness hides what passing tests print.
        let _ = writeln!(io::stderr(), "SKIPPED: {tests}, because {program} is not installed");
    }
    found
}

/// Each document of the core scenario has the same elements and texts for libwbxml as for us. It knows the code pages up to 14.1.
#[test]
fn libwbxml_reads_the_same_documents() {
    if !is_installed("wbxml2xml", "documents read by libwbxml") {
        return;
    }
    for version in [V2_5, V12_1, V14_1] {
        let world = World::start();
        let mut device = world.device(version);
        let recorder = Arc::new(Recorder {
            door: device.link.door.clone(),
            documents: Mutex::default(),
        });
        device.link.door = recorder.clone();
        core(&world, &mut device);
        let documents = std::mem::take(&mut *recorder.documents.lock().unwrap());
        assert!(documents.len() > 20, "only {} documents", documents.len());
        for document in &documents {
            compare(document, version);
        }
    }
}

fn compare(document: &[u8], version: ProtocolVersion) {
    let root = wbxml::decode(document, &wbxml::Limits::default()).unwrap();
    let mut ours = Vec::new();
    flatten(&root, &mut ours);
    let xml = by_libwbxml(document);
    assert_eq!(
        events(&xml),
        ours,
        "{version}: {xml}\n{}",
        crate::device::strict::text_of(&root)
    );
}

fn by_libwbxml(document: &[u8]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let (input, output) = (directory.path().join("in.wbxml"), directory.path().join("out.xml"));
    fs::write(&input, document).unwrap();
    let mut command = Command::new("wbxml2xml");
    // Compact, so that it adds no white space; the language, because the public id of ActiveSync is "unknown".
    command
        .args(["-m", "0", "-l", "ACTIVESYNC", "-o"])
        .arg(&output)
        .arg(&input);
    let run = command.output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && output.exists(), "{said}: {document:02X?}");
    fs::read_to_string(&output).unwrap()
}

/// `<name`, text, `>` in document order.
fn flatten(element: &Element, events: &mut Vec<String>) {
    events.push(opened(&element.tag.name()));
    let text = match &element.content {
        // Byte arrays are shown as base64.
        Content::Opaque(bytes) => STANDARD.encode(bytes),
        _ => String::from_utf8_lossy(element.as_bytes()).into_owned(),
    };
    if !text.trim().is_empty() {
        events.push(normal(&text));
    }
    element.children().iter().for_each(|child| flatten(child, events));
    events.push(">".to_owned());
}

/// libwbxml writes some names of Calendar as older documents do: `TimeZone`, `Organizer_Name`.
fn opened(name: &str) -> String {
    format!("<{}", name.replace('_', "").to_ascii_lowercase())
}

fn events(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    let mut events = Vec::new();
    let mut text = String::new();
    loop {
        let event = reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}"));
        match &event {
            Event::Text(part) => text.push_str(part),
            Event::CData(part) => text.push_str(part),
            Event::GeneralRef(name) => text.push_str(&reference(name)),
            Event::Start(_) | Event::End(_) => {
                let whole = std::mem::take(&mut text);
                if !whole.trim().is_empty() {
                    events.push(normal(&whole));
                }
            }
            _ => {}
        }
        match event {
            Event::Start(start) => {
                events.push(opened(start.local_name().into_inner()));
            }
            Event::End(_) => events.push(">".to_owned()),
            Event::Eof => return events,
            _ => {}
        }
    }
}

fn reference(name: &str) -> String {
    let code = name.strip_prefix("#x").map(|code| u32::from_str_radix(code, 16));
    let code = code.or_else(|| name.strip_prefix('#').map(str::parse));
    match (name, code) {
        ("amp", _) => "&".to_owned(),
        ("lt", _) => "<".to_owned(),
        ("gt", _) => ">".to_owned(),
        ("quot", _) => "\"".to_owned(),
        ("apos", _) => "'".to_owned(),
        (_, Some(Ok(code))) => char::from_u32(code).unwrap().to_string(),
        _ => panic!("&{name};"),
    }
}

/// XML has one kind of line break.
fn normal(text: &str) -> String {
    text.replace("\r\n", "\n").trim().to_owned()
}

/// Who sent a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    WebServer,
    Gateway,
}

/// Packets in the order in which they passed.
type Packets = Arc<Mutex<Vec<(From, Vec<u8>)>>>;

/// A listener that passes AJP connections on and keeps their packets, of one connection after the other.
fn tap(gateway: SocketAddr) -> (SocketAddr, Packets) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let packets = Packets::default();
    let kept = packets.clone();
    thread::spawn(move || {
        for web_server in listener.incoming().map_while(Result::ok) {
            let gateway = TcpStream::connect(gateway).unwrap();
            let ways = [
                (
                    From::WebServer,
                    web_server.try_clone().unwrap(),
                    gateway.try_clone().unwrap(),
                ),
                (From::Gateway, gateway, web_server),
            ];
            for (who, from, to) in ways {
                let kept = kept.clone();
                thread::spawn(move || carry(who, &from, &to, &kept));
            }
        }
    });
    (address, packets)
}

/// Passes packet by packet: two bytes of magic, two of length, and so many.
fn carry(who: From, mut from: &TcpStream, mut to: &TcpStream, kept: &Packets) {
    let mut head = [0; 4];
    while from.read_exact(&mut head).is_ok() {
        let mut packet = head.to_vec();
        packet.resize(4 + usize::from(u16::from_be_bytes([head[2], head[3]])), 0);
        if from.read_exact(&mut packet[4..]).is_err() {
            break;
        }
        kept.lock().unwrap().push((who, packet.clone()));
        if to.write_all(&packet).is_err() {
            break;
        }
    }
    // It may be closed already.
    let _ = to.shutdown(std::net::Shutdown::Both);
}

/// Everything between a real Apache and the gateway is well-formed AJP13 for Wireshark.
#[test]
fn wireshark_reads_the_packets() {
    if !is_installed("tshark", "packets read by Wireshark") {
        return;
    }
    let world = World::start();
    let (address, packets) = tap(world.ajp_address());
    let Some(apache) = Apache::start(address, "") else {
        return;
    };
    let mut device = world.device(V14_1);
    device.link.door = Arc::new(HttpDoor(apache.address));
    // The phone waits for each answer, so requests do not mix although connections may change.
    core(&world, &mut device);
    device.send_mail("large", &crate::items::mail("large", &"A line.\r\n".repeat(5000)));
    drop(apache);
    let packets = std::mem::take(&mut *packets.lock().unwrap());
    let text = dissected(&packets);
    let count = |what: &str| text.matches(what).count();
    let requests = count("Code: FORWARD REQUEST (2)");
    assert!(requests > 30, "{requests} requests");
    assert_eq!(count("Code: SEND HEADERS (4)"), requests);
    assert_eq!(count("Code: END RESPONSE (5)"), requests);
    assert_eq!(count("RSTATUS: 200"), requests);
    assert_eq!(count("REUSEP: 1"), requests, "every connection can be used again");
    assert!(count("Code: GET BODY CHUNK (6)") > 3);
    for trouble in ["Malformed", "UNKNOWN", "Unknown"] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(trouble)).collect();
        assert!(lines.is_empty(), "{lines:?}");
    }
}

fn dissected(packets: &[(From, Vec<u8>)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ajp.pcap");
    fs::write(&file, capture(packets)).unwrap();
    let arguments = ["-d", "tcp.port==8009,ajp13", "-O", "ajp13", "-r"];
    let run = Command::new("tshark").args(arguments).arg(&file).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).into_owned()
}

/// A capture file: one TCP connection to port 8009 over raw IPv4, a segment for each packet.
fn capture(packets: &[(From, Vec<u8>)]) -> Vec<u8> {
    // Magic, version 2.4, no zone, no accuracy, length limit, link type 101: raw IP.
    let mut file = 0xA1B2_C3D4_u32.to_le_bytes().to_vec();
    file.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0, 101, 0, 0, 0]);
    let mut sent = [1000_u32, 2000];
    for (number, (from, payload)) in packets.iter().enumerate() {
        let (me, ports, hosts) = match from {
            From::WebServer => (0, [40000_u16, 8009], [[10, 0, 0, 1], [10, 0, 0, 2]]),
            From::Gateway => (1, [8009, 40000], [[10, 0, 0, 2], [10, 0, 0, 1]]),
        };
        let mut packet = vec![0x45, 0];
        packet.extend(u16::try_from(40 + payload.len()).unwrap().to_be_bytes());
        packet.extend([0, 0, 0, 0, 64, 6, 0, 0]);
        packet.extend(hosts.concat());
        packet.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
        packet.extend(sent[me].to_be_bytes());
        packet.extend(sent[1 - me].to_be_bytes());
        // Header of five words, PSH and ACK, window, no checksum, no urgent data.
        packet.extend([0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
        packet.extend(payload);
        sent[me] += u32::try_from(payload.len()).unwrap();
        let length = u32::try_from(packet.len()).unwrap().to_le_bytes();
        file.extend(u32::try_from(number).unwrap().to_le_bytes());
        file.extend([0; 4]);
        file.extend(length);
        file.extend(length);
        file.extend(packet);
    }
    file
}
