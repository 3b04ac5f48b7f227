//! The gateway is cut off from MySQL, or dies, at any command of a request: the phone repeats it, and nothing is lost or
//! doubled.
//!
//! The gateway runs in this process ([`gateway`]), its commands go through a cable of ours ([`proxy`]). What is overridden in
//! a conflict must be told whatever happens: [`losses`]. A message that another gateway is sending: [`elsewhere`].

mod elsewhere;
mod gateway;
mod losses;
mod proxy;

use std::sync::Arc;

use ox_standin::Module;
use ox_standin::Running;
use ox_standin::Standin;
use ox_standin::WebUser;
use oxtender::version::ProtocolVersion::V14_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::contacts;

use self::gateway::Way;
use self::proxy::Harm;
use self::proxy::Moment;
use self::proxy::Proxy;
use crate::device::CONTACTS;
use crate::device::Device;
use crate::device::http::Answer;
use crate::device::http::Request;
use crate::items::contact;
use crate::items::mail;
use crate::mariadb;
use crate::world::runtime;

/// OX, MariaDB behind a cable, and a gateway.
struct Scene {
    standin: Standin,
    _ox: Running,
    proxy: Proxy,
    way: Arc<Way>,
}

impl Scene {
    /// `None` where MariaDB is not installed, which was said aloud.
    fn new() -> Option<Self> {
        let server = mariadb::shared()?;
        let schema = runtime().block_on(server.schema());
        let proxy = Proxy::to(server.port);
        let standin = Standin::builder().max_sessions_per_user(10_000).build();
        let ox = standin.start("127.0.0.1:0").unwrap();
        let way = Arc::new(Way::new(ox.url(), proxy.database(schema)));
        Some(Self {
            standin,
            _ox: ox,
            proxy,
            way,
        })
    }

    fn anton(&self) -> WebUser {
        self.standin.web("anton")
    }

    fn phone(&self, name: &str) -> Device {
        Device::new(self.way.clone(), "anton", "secret", name, V14_1)
    }

    fn contacts(&self) -> usize {
        let anton = self.anton();
        anton
            .objects(Module::Contacts, anton.default_folder(Module::Contacts))
            .len()
    }

    /// Sends a request whose way to the database ends at this moment, until there is an answer; then, if so wanted, another
    /// gateway serves. Whether the request came there.
    fn cut(&self, phone: &Device, request: &Request, at: Moment, by_another: bool) -> (Answer, bool) {
        self.proxy.harm(at, Harm::Cut);
        let answer = phone.link.exchange(request);
        let is_cut = self.proxy.is_struck();
        self.proxy.mend();
        if by_another {
            self.way.restart();
        }
        (answer, is_cut)
    }
}

/// Calls `one` with each moment and with each gateway that goes on, until no request of it comes so far.
fn at_every_command(mut one: impl FnMut(Moment, bool) -> bool) {
    let mut number = 1;
    loop {
        let mut is_cut = false;
        for carried_out in [false, true] {
            for by_another in [false, true] {
                is_cut |= one(Moment { number, carried_out }, by_another);
            }
        }
        if !is_cut {
            break;
        }
        number += 1;
    }
    assert!(number > 5, "{number} commands");
}

/// A new phone looks at the folders, and syncs one for the first time.
#[test]
fn the_first_requests_of_a_phone() {
    let Some(scene) = Scene::new() else { return };
    let mut calm = scene.phone("calm");
    let folders = calm.folder_sync().added.len();
    let mut phones = 0;
    at_every_command(|at, by_another| {
        phones += 1;
        let mut phone = scene.phone(&format!("phone{phones}"));
        let request = phone.link.wbxml("FolderSync", &phone.folder_sync_request());
        let (_, is_cut) = scene.cut(&phone, &request, at, by_another);
        assert_eq!(phone.folder_sync().added.len(), folders, "{at:?}");
        let contacts = phone.folder(CONTACTS);
        let request = phone.sync_request(&[&contacts]);
        let (answer, is_first_cut) = scene.cut(&phone, &request, at, by_another);
        take(&mut phone, &contacts, &answer);
        assert!(phone.sync(&contacts).is_quiet(), "{at:?}");
        is_cut || is_first_cut
    });
}

/// A contact is added, changed and deleted.
#[test]
fn what_a_phone_writes() {
    let Some(scene) = Scene::new() else { return };
    let mut phone = scene.phone("phone");
    phone.folder_sync();
    let folder = phone.folder(CONTACTS);
    phone.sync(&folder);
    assert_eq!(scene.contacts(), 0);
    at_every_command(|at, by_another| {
        let mut is_cut = false;
        let mut write = |phone: &mut Device, count: usize| {
            let request = phone.sync_request(&[&folder]);
            let (answer, was_cut) = scene.cut(phone, &request, at, by_another);
            is_cut |= was_cut;
            take(phone, &folder, &answer);
            assert!(phone.collection(&folder).pending.is_empty());
            let counts = [scene.contacts(), phone.items(&folder).len()];
            assert_eq!(counts, [count; 2], "{at:?}, by another gateway: {by_another}");
        };
        phone.add(&folder, contact("Ada", "Berg"));
        write(&mut phone, 1);
        let id = phone.items(&folder).keys().next().cloned().expect("a contact");
        let mut changed = contact("Ada", "Berg");
        changed.push(Element::text(contacts::MOBILE_PHONE_NUMBER, "0170 1"));
        phone.change(&folder, &id, changed);
        write(&mut phone, 1);
        let anton = scene.anton();
        let object = anton.objects(Module::Contacts, anton.default_folder(Module::Contacts));
        assert_eq!(object[0]["cellular_telephone1"], "0170 1", "{at:?}");
        phone.delete(&folder, &id);
        write(&mut phone, 0);
        assert!(phone.sync(&folder).is_quiet(), "{at:?}");
        is_cut
    });
}

/// A message goes out once.
#[test]
fn a_message() {
    let Some(scene) = Scene::new() else { return };
    let mut phone = scene.phone("phone");
    phone.folder_sync();
    let mut messages = 0;
    at_every_command(|at, by_another| {
        messages += 1;
        let name = format!("message-{messages}");
        let request = phone.send_mail_request(&name, &mail(&name, "Once."));
        let (answer, is_cut) = scene.cut(&phone, &request, at, by_another);
        if phone.link.read(&answer).is_some() {
            // Told to come again, it does.
            let again = phone.link.read(&phone.link.exchange(&request));
            let status = again.as_ref().and_then(|root| root.child_text(composemail::STATUS));
            assert!(matches!(status, None | Some("118")), "{at:?}: {status:?}");
        }
        assert_eq!(scene.anton().sent().len(), messages, "{at:?}, by another: {by_another}");
        is_cut
    });
}

/// Takes the answer to a Sync; a phone that is told to come again does, and then it must be served.
fn take(phone: &mut Device, folder: &str, answer: &Answer) {
    let synced = phone.take_sync_answer(&[folder], answer);
    if synced[folder].status != 1 {
        phone.sync(folder);
    }
}
