//! The stop under load, and the restart that nobody notices.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use ajp::client::Client;
use ox_standin::Fault;
use ox_standin::Profile;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::folderhierarchy;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::http::Connection;
use crate::device::http::Door as _;
use crate::device::http::HttpDoor;
use crate::device::http::Request;
use crate::listening::forward;
use crate::world::DEADLINE;
use crate::world::World;
use crate::world::wait_for;

const WAITING: usize = 50;
const RUNNING: usize = 20;

/// A phone that knows its folders, with the id of its inbox.
fn phone(world: &World, number: usize) -> (Device, String) {
    let mut device = world.device(V14_1);
    if number % 2 == 1 {
        device.link.door = world.http();
    }
    device.provision();
    device.folder_sync();
    let inbox = device.folder(INBOX);
    (device, inbox)
}

#[test]
fn a_stop_under_load_fails_nobody() {
    // Older servers do not know the look that is counted.
    let mut world = World::since(Profile::V6_20);
    let mut phones: Vec<(Device, String)> = (0..WAITING + RUNNING).map(|number| phone(&world, number)).collect();
    let running: Vec<(Device, String)> = phones.split_off(WAITING);
    // The Pings, and when their answers came.
    let looks = || world.standin.calls().of("folders", "allVisible");
    let before = looks();
    let waiting: Vec<JoinHandle<(i64, Instant)>> = phones
        .into_iter()
        .map(|(mut device, inbox)| {
            let request = device.ping_request(50, &[&inbox]);
            thread::spawn(move || (device.link.ping(&request).status, Instant::now()))
        })
        .collect();
    // Each looks at the four trees before it waits.
    let expected = before + 4 * u64::try_from(WAITING).unwrap();
    wait_for("all Pings to wait", || (looks() >= expected).then_some(()));
    // Requests that OX takes its time for.
    let delay = Fault::Delay(Duration::from_secs(2));
    world.standin.faults().always("multiple", "*", delay);
    let before = metric(&world, "oxtender_ox_calls");
    let running: Vec<JoinHandle<Element>> = running
        .into_iter()
        .map(|(device, _)| {
            let request = folder_sync(&device);
            thread::spawn(move || {
                let answer = device.link.exchange(&request);
                device.link.read(&answer).expect("a document")
            })
        })
        .collect();
    wait_for("the requests to be at OX", || {
        (metric(&world, "oxtender_ox_calls") >= before + RUNNING).then_some(())
    });
    let admin = world.admin_address();
    let watched = thread::spawn(move || watch_health(admin));
    let asked = Instant::now();
    let took = world.terminate();
    assert!(
        took > Duration::from_secs(1),
        "the requests were not waited for: {took:?}"
    );
    assert!(took < Duration::from_secs(20), "{took:?}");
    let mut answered = Vec::new();
    for ping in waiting {
        let (status, at) = ping.join().expect("an answer");
        assert_eq!(status, 1);
        answered.push(at.duration_since(asked));
    }
    answered.sort();
    let spread = answered[WAITING - 1].saturating_sub(answered[0]);
    assert!(spread > Duration::from_millis(500), "all at once: {answered:?}");
    assert!(spread < Duration::from_secs(5), "{answered:?}");
    for request in running {
        let answer = request.join().expect("an answer");
        assert_eq!(answer.child_text(folderhierarchy::STATUS), Some("1"));
    }
    assert!(watched.join().unwrap(), "/health did not say that the gateway stops");
}

/// OX does not answer, so a request does not end: the stop does.
#[test]
fn a_stop_has_an_end() {
    let mut world = World::plan().property("eas.stop.timeout", "1").start().unwrap();
    let doors = [world.ajp(), world.http()];
    let phones: Vec<Device> = doors
        .into_iter()
        .map(|door| {
            let mut device = world.ready_device(V14_1);
            device.link.door = door;
            device
        })
        .collect();
    world.standin.faults().always("multiple", "*", Fault::Delay(DEADLINE));
    let before = metric(&world, "oxtender_ox_calls");
    let cut_off: Vec<JoinHandle<bool>> = phones
        .into_iter()
        .map(|device| {
            let request = folder_sync(&device);
            thread::spawn(move || device.link.door.exchange(&request).is_err())
        })
        .collect();
    wait_for("the requests to be at OX", || {
        (metric(&world, "oxtender_ox_calls") >= before + 2).then_some(())
    });
    let took = world.terminate();
    assert!(took < Duration::from_secs(10), "{took:?}");
    for request in cut_off {
        assert!(request.join().unwrap(), "an answer out of nothing");
    }
}

/// FolderSync from the beginning.
fn folder_sync(device: &Device) -> Request {
    let key = Element::text(folderhierarchy::SYNC_KEY, "0");
    let root = Element::parent(folderhierarchy::FOLDER_SYNC, [key]);
    device.link.wbxml("FolderSync", &root)
}

/// Whether `/health` says `stopping`, before it says nothing any more.
fn watch_health(admin: SocketAddr) -> bool {
    while let Ok(answer) = HttpDoor(admin).exchange(&get("/health")) {
        let body = String::from_utf8_lossy(&answer.body).into_owned();
        if body.contains("\"state\":\"stopping\"") {
            return answer.status == 503;
        }
        assert!(body.contains("\"state\":\"serving\""), "{body}");
    }
    false
}

fn metric(world: &World, name: &str) -> usize {
    let answer = HttpDoor(world.admin_address()).exchange(&get("/metrics")).unwrap();
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).unwrap_or_default()
}

fn get(target: &str) -> Request {
    Request {
        method: "GET",
        target: target.to_owned(),
        headers: Vec::new(),
        body: None,
    }
}

/// The program with listening sockets from a service manager, which is this test.
struct Activated(Child);

impl Activated {
    /// `ajp` and `http` become its file descriptors 3 and 4, as `sd_listen_fds(3)` has them.
    fn start(etc: &Path, ajp: &TcpListener, http: &TcpListener, notify: &Path) -> Self {
        let hand_over = |listener: &TcpListener| Stdio::from(OwnedFd::from(listener.try_clone().unwrap()));
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(etc.join("log"))
            .unwrap();
        let script = "exec 3<&0 4<&1 </dev/null >/dev/null; LISTEN_PID=$$ exec \"$@\"";
        let child = Command::new("sh")
            .args(["-c", script, "sh", env!("CARGO_BIN_EXE_oxtender"), "serve", "--etc"])
            .arg(etc)
            .env("LISTEN_FDS", "2")
            .env("LISTEN_FDNAMES", "ajp:http")
            .env("NOTIFY_SOCKET", notify)
            .stdin(hand_over(ajp))
            .stdout(hand_over(http))
            .stderr(log)
            .spawn()
            .unwrap();
        Self(child)
    }

    /// Ends it by this signal; both that a service manager or a terminal sends mean the same.
    fn end(mut self, signal: &str) {
        let sent = Command::new("kill")
            .args([signal, &self.0.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let status = wait_for("the gateway to end", || self.0.try_wait().unwrap());
        assert!(status.success(), "{status}");
    }
}

impl Drop for Activated {
    fn drop(&mut self) {
        // It has ended already, unless the test fails.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until told to stop; every answer must be a good one.
fn ask(
    name: &'static str,
    done: &Arc<AtomicBool>,
    mut once: impl FnMut() -> io::Result<u16> + Send + 'static,
) -> Asking {
    let answers = Arc::new(AtomicUsize::new(0));
    let (counted, done) = (answers.clone(), done.clone());
    let thread = thread::spawn(move || {
        while !done.load(Ordering::Relaxed) {
            let status = once().unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(status, 200, "{name}");
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    Asking { answers, thread }
}

struct Asking {
    answers: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Asking {
    /// Waits for more answers, and fails if there are none any more.
    fn wait_for_more(&self, what: &str) {
        let before = self.answers.load(Ordering::Relaxed);
        wait_for(what, || {
            assert!(!self.thread.is_finished(), "{what}: an answer was not a good one");
            (self.answers.load(Ordering::Relaxed) > before + 5).then_some(())
        });
    }
}

/// The service manager keeps the sockets; the gateway restarts twice under continuous requests, through both doors, over new
/// connections and over kept ones. Not one is refused or fails.
#[test]
fn a_restart_with_sockets_of_the_service_manager() {
    let mut world = World::start();
    let request = world.device(V14_1).link.options();
    world.terminate();
    let etc = world.database().parent().unwrap().to_owned();
    let notify_path = etc.join("notify");
    let notify = UnixDatagram::bind(&notify_path).unwrap();
    notify.set_read_timeout(Some(DEADLINE)).unwrap();
    let told = || {
        let mut buffer = [0; 256];
        let length = notify.recv(&mut buffer).expect("word from the gateway");
        String::from_utf8_lossy(&buffer[..length]).trim().to_owned()
    };
    let (ajp, http) = (
        TcpListener::bind("127.0.0.1:0").unwrap(),
        TcpListener::bind("127.0.0.1:0").unwrap(),
    );
    let (ajp_address, http_address) = (ajp.local_addr().unwrap(), http.local_addr().unwrap());
    let start = || {
        let gateway = Activated::start(&etc, &ajp, &http, &notify_path);
        assert_eq!(told(), "READY=1");
        gateway
    };
    let mut gateway = start();
    let done = Arc::new(AtomicBool::new(false));
    let asking = [
        ask("HTTP", &done, {
            let request = request.clone();
            move || Ok(HttpDoor(http_address).exchange(&request)?.status)
        }),
        ask("HTTP, kept", &done, {
            let request = request.clone();
            let mut kept = None;
            move || over_http(&mut kept, http_address, &request)
        }),
        ask("AJP", &done, {
            let request = request.clone();
            move || over_ajp(&mut None, ajp_address, &request)
        }),
        ask("AJP, kept", &done, {
            let mut kept = None;
            move || over_ajp(&mut kept, ajp_address, &request)
        }),
    ];
    for _ in 0..2 {
        asking
            .iter()
            .for_each(|asking| asking.wait_for_more("answers before the stop"));
        gateway.end("-TERM");
        assert_eq!(told(), "STOPPING=1");
        gateway = start();
        asking
            .iter()
            .for_each(|asking| asking.wait_for_more("answers after the start"));
    }
    done.store(true, Ordering::Relaxed);
    for asking in asking {
        asking.thread.join().expect("only good answers");
    }
    gateway.end("-INT");
    let log = fs::read_to_string(etc.join("log")).unwrap();
    let line = format!("listening on {http_address} (socket http of the service manager)");
    assert_eq!(log.matches(&line).count(), 3, "{log}");
}

/// One request over a connection that is kept as long as the gateway wants.
fn over_http(kept: &mut Option<Connection>, address: SocketAddr, request: &Request) -> io::Result<u16> {
    let mut connection = match kept.take() {
        Some(connection) => connection,
        None => Connection::open(address)?,
    };
    let answer = connection.exchange(request)?;
    if answer.header("Connection") != Some("close") {
        *kept = Some(connection);
    }
    Ok(answer.status)
}

/// The same over AJP.
fn over_ajp(
    kept: &mut Option<(tokio::runtime::Runtime, Client)>,
    address: SocketAddr,
    request: &Request,
) -> io::Result<u16> {
    let (runtime, mut client) = match kept.take() {
        Some(kept) => kept,
        None => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let client = runtime.block_on(Client::connect(address))?;
            (runtime, client)
        }
    };
    let forward = forward(request);
    let exchange = async { tokio::time::timeout(DEADLINE, client.request(&forward, b"")).await };
    let answer = runtime.block_on(exchange)?.map_err(io::Error::other)?;
    crate::doors::check(&forward, b"", &answer.response);
    if answer.reuse {
        *kept = Some((runtime, client));
    }
    Ok(answer.response.status().as_u16())
}
