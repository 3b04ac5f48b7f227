//! Every command that changes something is answered, and the answer is lost, once and twice: nothing is done twice, and the
//! answers say the same.
//!
//! One phone a version goes through all of them. `lost_answers.rs` plays whole conversations of Sync with losses in between;
//! this is the list of all commands.

use ox_standin::Module;
use oxtender::version::ProtocolVersion;
use oxtender::version::ProtocolVersion::V12_0;
use oxtender::version::ProtocolVersion::V14_0;
use oxtender::wbxml::Element;
use oxtender::wbxml::codepage::airsync;
use oxtender::wbxml::codepage::calendar;
use oxtender::wbxml::codepage::composemail;
use oxtender::wbxml::codepage::email;
use oxtender::wbxml::codepage::email2;
use oxtender::wbxml::codepage::folderhierarchy as folders;
use oxtender::wbxml::codepage::itemoperations;
use oxtender::wbxml::codepage::moveitems;
use oxtender::wbxml::codepage::settings;

use crate::device::Device;
use crate::device::INBOX;
use crate::device::TRASH;
use crate::device::http::Answer;
use crate::device::http::Request;
use crate::device::link::Parameters;
use crate::items::CLASSES;
use crate::items::Class;
use crate::items::appointment;
use crate::items::contact;
use crate::items::mail;
use crate::items::task;
use crate::items::tomorrow;
use crate::malformed::writes;
use crate::world::World;

macro_rules! versions {
    ($($name:ident $version:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let world = World::start();
                let mut phone = Phone::new(&world, ProtocolVersion::$version);
                for class in &CLASSES {
                    phone.items(class);
                }
                phone.mails();
                phone.folders();
                phone.messages();
                phone.operations();
            }
        )*
    };
}

versions! {
    version_2_5 V2_5;
    version_12_0 V12_0;
    version_12_1 V12_1;
    version_14_0 V14_0;
    version_14_1 V14_1;
    version_16_0 V16_0;
    version_16_1 V16_1;
}

/// What OX may do when a request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// No write at all.
    Nothing,
    /// The same once more, which changes nothing.
    Harmless,
}

struct Phone<'a> {
    world: &'a World,
    device: Device,
}

impl<'a> Phone<'a> {
    fn new(world: &'a World, version: ProtocolVersion) -> Self {
        let device = world.ready_device(version);
        Self { world, device }
    }

    /// Sends a request three times; the phone sees the last answer.
    fn repeat(&self, what: &str, request: &Request, again: Again) -> Answer {
        let version = self.device.version();
        let before = self.state();
        let first = self.device.link.exchange(request);
        let (done, written) = (self.state(), writes(self.world));
        assert_ne!(done, before, "{version} {what}: nothing was done");
        let mut last = first.clone();
        for round in ["once", "twice"] {
            last = self.device.link.exchange(request);
            assert_eq!(
                self.said(&last),
                self.said(&first),
                "{version} {what}: other words, repeated {round}"
            );
            assert_eq!(self.state(), done, "{version} {what}: repeated {round}");
            if again == Again::Nothing {
                assert_eq!(writes(self.world), written, "{version} {what}: repeated {round}");
            }
        }
        last
    }

    /// An answer without what may differ: keys are opaque, and "sent before" is success.
    fn said(&self, answer: &Answer) -> (u16, Option<Element>) {
        let root = self.device.link.read(answer).map(|root| without_keys(&root));
        let sent_before = root.as_ref().and_then(|root| root.child_text(composemail::STATUS)) == Some("118");
        (answer.status, root.filter(|_| !sent_before))
    }

    /// All that Anton has at OX.
    fn state(&self) -> String {
        let anton = self.world.anton();
        let modules = [Module::Contacts, Module::Calendar, Module::Tasks];
        let objects = modules.map(|module| anton.objects(module, anton.default_folder(module)));
        let mails = ["default0/INBOX", "default0/INBOX/Trash", "default0/INBOX/Sent"].map(|folder| {
            let mails = anton.mails(folder);
            mails
                .iter()
                .map(|mail| (mail.id.clone(), mail.flags, mail.raw.len()))
                .collect::<Vec<_>>()
        });
        let tree = self.world.ready_device(ProtocolVersion::V14_1).folders;
        format!(
            "{objects:#?}\n{mails:#?}\n{}\n{:#?}\n{tree:#?}",
            anton.sent().len(),
            anton.mail_rules()
        )
    }

    fn items(&mut self, class: &Class) {
        let folder = self.device.folder(class.kind);
        self.device.sync(&folder);
        let data = |title: &str| match class.module {
            Module::Contacts => contact("Otto", title),
            Module::Calendar => appointment(self.device.version(), title, title, tomorrow()),
            Module::Tasks => task(title),
        };
        let (first, mut second) = (data("First"), data("Second"));
        second.retain(|element| element.tag != calendar::UID);
        let client_id = self.device.add(&folder, first);
        let id = self.sync("Add", &folder).new_ids[&client_id].clone();
        self.device.change(&folder, &id, second);
        assert!(self.sync("Change", &folder).refused.is_empty());
        self.device.delete(&folder, &id);
        assert!(self.sync("Delete", &folder).refused.is_empty());
    }

    /// The Sync that the phone has to send, three times and then taken in.
    fn sync(&mut self, what: &str, folder: &str) -> crate::device::collection::Synced {
        let request = self.device.sync_request(&[folder]);
        self.repeat(&format!("Sync {what} in {folder}"), &request, Again::Nothing);
        let taken = self.device.take_sync(&[folder], &request).remove(folder).unwrap();
        assert!(self.device.sync(folder).is_quiet(), "{what}: told of its own change");
        taken
    }

    fn mails(&mut self) {
        let (inbox, trash) = (self.device.folder(INBOX), self.device.folder(TRASH));
        for subject in ["one", "two", "three"] {
            self.world.anton().receive(&mail(subject, "Text."));
        }
        self.device.sync(&inbox);
        let ids: Vec<String> = self.device.items(&inbox).keys().cloned().collect();
        self.device
            .change(&inbox, &ids[0], vec![Element::number(email::READ, 1)]);
        self.sync("Change", &inbox);
        self.device.delete(&inbox, &ids[0]);
        self.sync("Delete", &inbox);
        let wanted = [
            Element::text(moveitems::SRC_MSG_ID, ids[1].clone()),
            Element::text(moveitems::SRC_FLD_ID, inbox),
            Element::text(moveitems::DST_FLD_ID, trash),
        ];
        let root = Element::parent(moveitems::MOVE_ITEMS, [Element::parent(moveitems::MOVE, wanted)]);
        self.repeat("MoveItems", &self.device.link.wbxml("MoveItems", &root), Again::Nothing);
    }

    fn folders(&mut self) {
        let parent = self.device.folder(INBOX);
        let text = |tag, text: &str| Element::text(tag, text);
        let id = self.change_tree(
            folders::FOLDER_CREATE,
            vec![
                text(folders::PARENT_ID, &parent),
                text(folders::DISPLAY_NAME, "New"),
                text(folders::TYPE, "12"),
            ],
        );
        let id = id.expect("the id of a new folder");
        self.change_tree(
            folders::FOLDER_UPDATE,
            vec![
                text(folders::SERVER_ID, &id),
                text(folders::PARENT_ID, &parent),
                text(folders::DISPLAY_NAME, "Newer"),
            ],
        );
        self.change_tree(folders::FOLDER_DELETE, vec![text(folders::SERVER_ID, &id)]);
    }

    /// A change of the tree under the phone's key; the ServerId that is told.
    fn change_tree(&mut self, root: oxtender::wbxml::Tag, children: Vec<Element>) -> Option<String> {
        let key = Element::text(folders::SYNC_KEY, self.device.hierarchy_key.clone());
        let document = Element::parent(root, std::iter::once(key).chain(children));
        let request = self.device.link.wbxml(&root.name(), &document);
        let answer = self.repeat(&root.name(), &request, Again::Nothing);
        let answer = self.device.link.read(&answer).expect("a document");
        self.device.hierarchy_key = answer.child_text(folders::SYNC_KEY).expect("a key").to_owned();
        answer.child_text(folders::SERVER_ID).map(str::to_owned)
    }

    fn messages(&mut self) {
        let request = self.device.send_mail_request("sent-1", &mail("sent", "Text."));
        self.repeat("SendMail", &request, Again::Nothing);
        let inbox = self.device.folder(INBOX);
        self.device.sync(&inbox);
        let id = self.device.items(&inbox).keys().next().expect("a mail").clone();
        for command in ["SmartReply", "SmartForward"] {
            let request = self.answer_to(command, &inbox, &id);
            self.repeat(command, &request, Again::Nothing);
        }
    }

    /// SmartReply or SmartForward in the form of the version.
    fn answer_to(&self, command: &str, folder: &str, id: &str) -> Request {
        let own = mail(command, "Own words.");
        if self.device.version() < V14_0 {
            let mut request = self
                .device
                .link
                .request(command, Parameters::default(), "message/rfc822", Some(own));
            request.target.push_str(&format!("&CollectionId={folder}&ItemId={id}"));
            return request;
        }
        let root = match command {
            "SmartReply" => composemail::SMART_REPLY,
            _ => composemail::SMART_FORWARD,
        };
        let source = [
            Element::text(composemail::FOLDER_ID, folder),
            Element::text(composemail::ITEM_ID, id),
        ];
        let root = Element::parent(
            root,
            [
                Element::text(composemail::CLIENT_ID, command),
                Element::parent(composemail::SOURCE, source),
                Element::opaque(composemail::MIME, own),
            ],
        );
        self.device.link.wbxml(command, &root)
    }

    fn operations(&self) {
        if self.device.version() < V12_0 {
            return;
        }
        let message = [
            Element::empty(settings::APPLIES_TO_INTERNAL),
            Element::flag(settings::ENABLED, true),
            Element::text(settings::REPLY_MESSAGE, "Away"),
            Element::text(settings::BODY_TYPE, "Text"),
        ];
        let set = [
            Element::number(settings::OOF_STATE, 1),
            Element::parent(settings::OOF_MESSAGE, message),
        ];
        let oof = Element::parent(settings::OOF, [Element::parent(settings::SET, set)]);
        let root = Element::parent(settings::SETTINGS, [oof]);
        self.repeat("Oof", &self.device.link.wbxml("Settings", &root), Again::Nothing);

        let trash = self.device.folder(TRASH);
        if self.device.version() >= V14_0 {
            let inbox = self.device.folder(INBOX);
            let conversation = self
                .device
                .items(&inbox)
                .values()
                .find_map(|item| item.child(email2::CONVERSATION_ID));
            let conversation = conversation.expect("a ConversationId").as_bytes();
            let always = Element::parent(itemoperations::OPTIONS, [Element::empty(itemoperations::MOVE_ALWAYS)]);
            let operation = [
                Element::opaque(itemoperations::CONVERSATION_ID, conversation),
                Element::text(itemoperations::DST_FLD_ID, trash.clone()),
                always,
            ];
            self.operate("Move", Element::parent(itemoperations::MOVE, operation), Again::Nothing);
        }
        let id = Element::text(airsync::COLLECTION_ID, trash);
        let operation = Element::parent(itemoperations::EMPTY_FOLDER_CONTENTS, [id]);
        self.operate("EmptyFolderContents", operation, Again::Harmless);
    }

    fn operate(&self, what: &str, operation: Element, again: Again) {
        let root = Element::parent(itemoperations::ITEM_OPERATIONS, [operation]);
        self.repeat(what, &self.device.link.wbxml("ItemOperations", &root), again);
    }
}

/// A document but for its keys, which are opaque.
pub(crate) fn without_keys(element: &Element) -> Element {
    if element.children().is_empty() {
        return element.clone();
    }
    let children = element.children().iter();
    let children = children.filter(|child| child.tag.name() != "SyncKey").map(without_keys);
    Element::parent(element.tag, children.collect::<Vec<_>>())
}
