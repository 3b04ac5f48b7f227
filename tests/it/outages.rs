//! OX or the database is away: phones are told to come later, and go on where they were.

use std::io;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;

use ox_standin::Fault;
use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V2_5;
use oxtender::version::ProtocolVersion::V12_1;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::version::ProtocolVersion::V16_1;

use crate::device::CONTACTS;
use crate::device::Device;
use crate::items::contact;
use crate::mariadb;
use crate::refusals::told;
use crate::world::World;

/// OX is away: the phone is told to come later, and goes on where it was.
#[test]
fn ox_is_down() {
    for version in [V2_5, V12_1, V14_1, V16_1] {
        let mut world = World::start();
        let (mut device, folder) = synced(&world, version);
        world.stop_ox();
        told_to_come_later(&mut device, &folder);
        world.start_ox();
        goes_on(&world, &mut device, &folder);
    }
}

/// OX answers, and says that it cannot.
#[test]
fn ox_is_overloaded() {
    let world = World::start();
    let (mut device, folder) = synced(&world, V14_1);
    for fault in [
        Fault::Status(503),
        Fault::RateLimited(1),
        Fault::HtmlPage,
        Fault::TruncatedJson,
        Fault::Reset,
    ] {
        world.standin.faults().always("contacts", "all", fault);
        told_to_come_later(&mut device, &folder);
        world.standin.faults().clear();
    }
    goes_on(&world, &mut device, &folder);
}

/// A connection that can be cut.
struct Cable {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
}

impl Cable {
    fn to(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_cut = Arc::new(AtomicBool::new(false));
        let cut = is_cut.clone();
        thread::spawn(move || {
            for here in listener.incoming().map_while(Result::ok) {
                if cut.load(Ordering::SeqCst) {
                    continue;
                }
                let Ok(there) = TcpStream::connect(target) else {
                    continue;
                };
                let pairs = [(here.try_clone(), there.try_clone()), (Ok(there), Ok(here))];
                for (from, to) in pairs {
                    let (Ok(from), Ok(to), cut) = (from, to, cut.clone()) else {
                        continue;
                    };
                    thread::spawn(move || carry(&from, &to, &cut));
                }
            }
        });
        Self { address, is_cut }
    }

    fn cut(&self) {
        self.is_cut.store(true, Ordering::SeqCst);
    }

    fn mend(&self) {
        self.is_cut.store(false, Ordering::SeqCst);
    }
}

/// Carries bytes one way until the end, or until the cable is cut when there are some.
fn carry(mut from: &TcpStream, mut to: &TcpStream, is_cut: &AtomicBool) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = io::Read::read(&mut from, &mut buffer) {
        if is_cut.load(Ordering::SeqCst) || io::Write::write_all(&mut to, &buffer[..count]).is_err() {
            break;
        }
    }
    for end in [from, to] {
        // It may be closed already.
        let _ = end.shutdown(std::net::Shutdown::Both);
    }
}

/// The database is away: the same.
#[test]
fn the_database_is_down() {
    let Some(server) = mariadb::shared() else { return };
    let schema = tokio::runtime::Runtime::new().unwrap().block_on(server.schema());
    let cable = Cable::to(SocketAddr::from(([127, 0, 0, 1], server.port)));
    let url = format!("mysql://test:test@{}/{schema}", cable.address);
    let world = World::plan().property("database.url", &url).start().unwrap();
    for version in [V12_1, V14_1] {
        let (mut device, folder) = synced(&world, version);
        cable.cut();
        told_to_come_later(&mut device, &folder);
        cable.mend();
        goes_on(&world, &mut device, &folder);
    }
}

pub(crate) fn synced(world: &World, version: ProtocolVersion) -> (Device, String) {
    let mut device = world.ready_device(version);
    let folder = device.folder(CONTACTS);
    device.sync(&folder);
    (device, folder)
}

/// 503 with Retry-After up to 12.1, Status 111 from 14.0 on; with and without something to write.
fn told_to_come_later(device: &mut Device, folder: &str) {
    for _ in 0..2 {
        let request = device.sync_request(&[folder]);
        let answer = device.link.exchange(&request);
        match device.version() {
            version if version <= V12_1 => {
                assert_eq!((answer.status, answer.body.len()), (503, 0));
                assert!(answer.header("Retry-After").is_some());
            }
            _ => assert_eq!(told(device, &answer), (200, Some("111".to_owned()))),
        }
        if device.collection(folder).pending.is_empty() {
            device.add(folder, contact("Otto", "Patient"));
        }
    }
}

/// What the phone wanted to write arrives once, under the key it had.
fn goes_on(world: &World, device: &mut Device, folder: &str) {
    let synced = device.sync(folder);
    assert_eq!(synced.new_ids.len(), 1, "{synced:?}");
    assert!(device.sync(folder).is_quiet());
    let anton = world.anton();
    let contacts = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
    assert_eq!(contacts.len(), device.items(folder).len());
}
