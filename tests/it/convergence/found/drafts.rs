//! Drafts that come at two gateways at once. No history writes drafts, since a phone may write them from 16.0 on only; where
//! the gateways meet is the same.

use std::sync::Arc;

use oxtender::version::ProtocolVersion::V16_1;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsyncbase;
use oxtender::wbxml::codepage::email as tag;

use super::super::ox::Ox;
use super::super::script::Moment;
use super::super::script::Trouble;
use super::super::site::Site;
use super::super::site::Way;
use crate::device::DRAFTS;
use crate::device::Device;

const AT_DRAFTS: &str = "default0/INBOX/Drafts";

/// Milliseconds between two requests, at OX.
const PACE: i64 = 1000;

/// More than a request has: the phone's first request at a gateway begins with a login.
const CALLS_AT_OX: usize = 10;
const CALLS_AT_DATABASE: usize = 24;

struct Scene {
    site: Arc<Site>,
    phone: Device,
    drafts: String,
}

impl Scene {
    fn new() -> Self {
        let site = Site::new(&Ox::COMMON);
        let mut phone = Device::new(Arc::new(Way(site.clone())), "anton", "secret", "phone", V16_1);
        phone.folder_sync();
        let drafts = phone.folder(DRAFTS);
        phone.sync(&drafts);
        Self { site, phone, drafts }
    }

    /// Sends what the phone has to tell to both gateways, and goes on with one answer.
    fn sync_at_both(&mut self, at: Moment, takes_first: bool) {
        self.site.standin.clock().advance(PACE);
        let request = self.phone.sync_request(&[&self.drafts]);
        let twice = Trouble::Twice { at, takes_first };
        let answer = self.site.send(0, &request, &twice).expect("both gateways live");
        self.phone.take_sync_answer(&[&self.drafts], &answer);
        self.site.standin.clock().advance(PACE);
        // What that answer did not settle is told once more, to a key that must be good.
        self.phone.sync(&self.drafts);
        assert!(self.phone.collection(&self.drafts).pending.is_empty());
        assert!(self.phone.sync(&self.drafts).is_quiet());
    }

    /// There is one draft, on either side.
    fn assert_one(&self, subject: &str, label: &str) {
        let stored = self.site.standin.web("anton").mails(AT_DRAFTS);
        let texts: Vec<String> = stored
            .iter()
            .map(|mail| String::from_utf8_lossy(&mail.raw).into_owned())
            .collect();
        assert_eq!(texts.len(), 1, "{label}: {texts:#?}");
        assert!(texts[0].contains(&format!("Subject: {subject}")), "{label}: {texts:#?}");
        assert_eq!(self.phone.items(&self.drafts).len(), 1, "{label}");
    }
}

fn moments() -> impl Iterator<Item = Moment> {
    let at_ox = (1..=CALLS_AT_OX).flat_map(|call| [false, true].map(|carried_out| Moment::Ox { call, carried_out }));
    at_ox.chain((1..=CALLS_AT_DATABASE).map(|call| Moment::Database { call }))
}

fn draft() -> Vec<Element> {
    let text = Element::parent(
        airsyncbase::BODY,
        [
            Element::number(airsyncbase::TYPE, 1),
            Element::text(airsyncbase::DATA, "Text."),
        ],
    );
    let to = Element::text(tag::TO, "carl@example.org");
    vec![to, Element::text(tag::SUBJECT, "one"), text]
}

/// The second gateway looked for the message among those sent while the first one was sending it, and sent it as well.
#[test]
fn two_gateways_send_a_draft_once() {
    for at in moments() {
        for takes_first in [true, false] {
            for is_stored in [false, true] {
                let label = format!("{at:?}, takes the first answer: {takes_first}, stored before: {is_stored}");
                let mut scene = Scene::new();
                let drafts = scene.drafts.clone();
                scene.phone.add(&drafts, draft());
                if is_stored {
                    let id = scene.phone.sync(&drafts).new_ids.into_values().next().expect("a draft");
                    let subject = vec![Element::text(tag::SUBJECT, "two")];
                    scene.phone.change(&drafts, &id, subject);
                }
                scene.phone.send_draft(&drafts);
                scene.sync_at_both(at, takes_first);
                let anton = scene.site.standin.web("anton");
                assert_eq!(anton.sent().len(), 1, "{label}");
                assert_eq!(anton.mails(AT_DRAFTS).len(), 0, "{label}");
                assert_eq!(scene.phone.items(&drafts).len(), 0, "{label}");
            }
        }
    }
}

/// The second gateway looked for the draft before the first one had stored it, and stored it as well.
#[test]
fn two_gateways_store_a_draft_once() {
    for at in moments() {
        for takes_first in [true, false] {
            let label = format!("{at:?}, takes the first answer: {takes_first}");
            let mut scene = Scene::new();
            let drafts = scene.drafts.clone();
            scene.phone.add(&drafts, draft());
            scene.sync_at_both(at, takes_first);
            scene.assert_one("one", &label);
            let id = scene.phone.items(&drafts).keys().next().cloned().expect("a draft");
            scene
                .phone
                .change(&drafts, &id, vec![Element::text(tag::SUBJECT, "two")]);
            scene.sync_at_both(at, takes_first);
            scene.assert_one("two", &label);
        }
    }
}
