//! A user at the web interface, for tests: changes things behind the client's back, and looks at what is there.
//!
//! Everything goes through the same rules as calls over HTTP (rights, stamps, tombstones, series), with Times in UTC.

use crate::calendar::exception;
use crate::call::Answer;
use crate::call::Body;
use crate::call::Call;
use crate::call::Method;
use crate::error::JSON_SYNTAX;
use crate::error::OxError;
use crate::folders;
use crate::folders::store::Content;
use crate::infostore::File;
use crate::mail;
use crate::mail::store::Mail;
use crate::mail::store::Sent;
use crate::mail::store::default_folder;
use crate::mail::store::flag;
use crate::pim::Module;
use crate::pim::Picture;
use crate::pim::read;
use crate::server::Standin;
use crate::world::World;
use crate::zone::Zone;
use bytes::Bytes;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;
use std::collections::BTreeMap;

/// One user's hands and eyes. Failures panic with the server's error, since a test cannot go on from there.
#[derive(Clone, Debug)]
pub struct WebUser {
    standin: Standin,
    user: u32,
}

/// A mail as it lies in a folder.
#[derive(Clone, Debug)]
pub struct StoredMail {
    /// Id within the folder.
    pub id: String,
    /// Bits as in column 611; see [`flag`].
    pub flags: u32,
    /// Colour label, 0 for none.
    pub color: u32,
    /// Arrival in UTC ms.
    pub received: i64,
    /// The exact bytes.
    pub raw: Bytes,
}

/// A folder as it stands in the tree.
#[derive(Clone, Debug)]
pub struct StoredFolder {
    /// As the API has it.
    pub id: String,
    /// Id of the folder above.
    pub parent: String,
    /// Its own name.
    pub title: String,
    /// `mail`, `calendar`, `tasks`, `contacts` and so on.
    pub module: &'static str,
}

impl WebUser {
    pub(crate) fn new(standin: Standin, user: u32) -> Self {
        Self { standin, user }
    }

    /// The user's id.
    pub fn id(&self) -> u32 {
        self.user
    }

    /// Chooses another password; sessions that are open stay open.
    pub fn change_password(&self, password: &str) {
        let mut world = self.world();
        let user = world.users.iter_mut().find(|user| user.id == self.user);
        password.clone_into(&mut user.expect("the user exists").password);
    }

    /// As if the user had been deleted, and another one had got his id and login: OX says that he is younger. What is in
    /// his folders is left to the caller.
    pub fn replace(&self) {
        let mut world = self.world();
        let contact = world.user(self.user).map(|user| user.contact_id);
        let contact = contact.and_then(|id| world.objects.get_mut(&(Module::Contacts, id)));
        contact.expect("the user exists").created += 60_000;
    }

    /// The user's default folder of a module.
    pub fn default_folder(&self, module: Module) -> u32 {
        let folder = self.world().folders.default_of(self.user, module.content());
        folder.unwrap_or_else(|| panic!("user {} has no default folder for {}", self.user, module.name()))
    }

    /// Creates a contact, in the default folder unless `folder_id` says otherwise; answers its id.
    pub fn create_contact(&self, object: Value) -> u32 {
        self.create(Module::Contacts, object)
    }

    /// Creates a task; answers its id.
    pub fn create_task(&self, object: Value) -> u32 {
        self.create(Module::Tasks, object)
    }

    /// Creates an appointment whatever it collides with; answers its id.
    pub fn create_appointment(&self, object: Value) -> u32 {
        self.create(Module::Calendar, object)
    }

    /// Creates an object from a JSON body as the API takes it, with Times in UTC.
    pub fn create(&self, module: Module, object: Value) -> u32 {
        unwrap(self.try_create(module, object))
    }

    pub(crate) fn try_create(&self, module: Module, mut object: Value) -> Result<u32, OxError> {
        if !object.is_object() {
            return Err(JSON_SYNTAX.into());
        }
        if object.get("folder_id").is_none() {
            object["folder_id"] = json!(self.default_folder(module));
        }
        if module == Module::Calendar {
            object["ignore_conflicts"] = json!(true);
        }
        let answer = self.try_run(module.name(), "new", &[], object)?;
        let id = answer.get("id").and_then(crate::call::id_of);
        // Only a booked resource still refuses.
        id.ok_or_else(|| OxError::new("OX-0001", 9, format!("not created: {answer}")))
    }

    /// Changes an object, whatever its stamp; for series also single occurrences. Answers the id of what was changed.
    pub fn update(&self, module: Module, folder: u32, id: u32, mut changes: Value) -> u32 {
        if module == Module::Calendar {
            changes["ignore_conflicts"] = json!(true);
            changes = self.in_old_words(id, changes);
        }
        let parameters = [
            ("id", id.to_string()),
            ("folder", folder.to_string()),
            ("timestamp", i64::MAX.to_string()),
        ];
        let answer = self.run(module.name(), "update", &parameters, changes);
        answer.get("id").and_then(crate::call::id_of).unwrap_or(id)
    }

    /// Deletes an object.
    pub fn delete(&self, module: Module, folder: u32, id: u32) {
        self.run(
            module.name(),
            "delete",
            &[("timestamp", i64::MAX.to_string())],
            json!({"id": id, "folder": folder}),
        );
    }

    /// Deletes one occurrence of a series; `day` is 00:00 UTC of its original day.
    pub fn delete_occurrence(&self, folder: u32, id: u32, day: i64) {
        let body = json!({"id": id, "folder": folder, "recurrence_date_position": day});
        let body = self.in_old_words(id, body);
        self.run("calendar", "delete", &[("timestamp", i64::MAX.to_string())], body);
    }

    /// Answers an appointment: 1 accepts, 2 declines, 3 perhaps.
    pub fn confirm(&self, folder: u32, id: u32, confirmation: i64) {
        let parameters = [("id", id.to_string()), ("folder", folder.to_string())];
        self.run(
            "calendar",
            "confirm",
            &parameters,
            json!({"confirmation": confirmation}),
        );
    }

    /// An object with all its fields, Times in UTC, in whichever folder the user sees it.
    pub fn object(&self, module: Module, id: u32) -> Option<Value> {
        let world = self.world();
        let object = world.objects.get(&(module, id))?;
        let mine = |folder: &&u32| {
            let owner = world.folders.get(**folder).and_then(|folder| folder.owner);
            owner == Some(self.user)
        };
        let folder = object
            .folders
            .iter()
            .find(mine)
            .copied()
            .unwrap_or_else(|| object.folder());
        Some(Value::Object(read::view(&world, &self.call(), module, object, folder)))
    }

    /// All objects of a folder as in [`Self::object`], in order of their ids.
    pub fn objects(&self, module: Module, folder: u32) -> Vec<Value> {
        let world = self.world();
        let call = self.call();
        let objects = world.objects_in(module, folder);
        objects
            .map(|object| Value::Object(read::view(&world, &call, module, object, folder)))
            .collect()
    }

    /// The user's rules for mail, as the module `mailfilter` holds them.
    pub fn mail_rules(&self) -> Vec<Value> {
        let world = self.world();
        let rules = world.filters.get(&self.user).into_iter().flatten();
        rules.cloned().map(Value::Object).collect()
    }

    /// Gives a contact a picture.
    pub fn set_picture(&self, id: u32, content_type: &str, bytes: &[u8]) {
        let mut world = self.world();
        let stamp = world.stamp();
        if let Some(contact) = world.objects.get_mut(&(Module::Contacts, id)) {
            let content_type = content_type.to_owned();
            contact.picture = Some(Picture {
                content_type,
                bytes: Bytes::copy_from_slice(bytes),
                modified: stamp,
            });
            contact.touch(stamp, self.user);
        }
    }

    /// The picture of a contact.
    pub fn picture(&self, id: u32) -> Option<Bytes> {
        let world = self.world();
        let contact = world.objects.get(&(Module::Contacts, id))?;
        contact.picture.as_ref().map(|picture| picture.bytes.clone())
    }

    /// Puts a mail into a folder (`default0/INBOX`), unseen and arriving now; answers its id.
    pub fn deliver_mail(&self, folder: &str, raw: &[u8]) -> String {
        let now = self.standin.clock().now();
        self.deliver_mail_at(folder, raw, now, flag::RECENT)
    }

    /// Puts a mail into a folder with a time of arrival (UTC ms) and flags of its own.
    pub fn deliver_mail_at(&self, folder: &str, raw: &[u8], received: i64, flags: u32) -> String {
        let name = unwrap(mail::full_name(folder));
        let mut world = self.world();
        let mailbox = unwrap(mail::mailbox_mut(&mut world, self.user));
        let uid = mailbox.append(&name, Mail::new(Bytes::copy_from_slice(raw), received, flags));
        uid.unwrap_or_else(|| panic!("no folder {folder:?}")).to_string()
    }

    /// Puts a mail into the inbox; answers its id.
    pub fn receive(&self, raw: &[u8]) -> String {
        self.deliver_mail(&mail::store::folder_id(default_folder("inbox")), raw)
    }

    /// Mails of a folder in order of their ids.
    pub fn mails(&self, folder: &str) -> Vec<StoredMail> {
        let name = unwrap(mail::full_name(folder));
        let world = self.world();
        let mailbox = unwrap(mail::mailbox(&world, self.user));
        let mails = unwrap(mail::folder(mailbox, &name)).mails.iter();
        mails
            .map(|(uid, mail)| StoredMail {
                id: uid.to_string(),
                flags: mail::fields::flags(mail),
                color: mail.color,
                received: mail.received,
                raw: mail.raw.clone(),
            })
            .collect()
    }

    /// Sets and clears flags of a mail, `\Deleted` included.
    pub fn set_flags(&self, folder: &str, id: &str, set: u32, clear: u32) {
        self.with_mail(folder, id, |mail| mail.flags = (mail.flags | set) & !clear);
    }

    /// Gives a mail a colour.
    pub fn set_color(&self, folder: &str, id: &str, color: u32) {
        self.with_mail(folder, id, |mail| mail.color = color);
    }

    fn with_mail(&self, folder: &str, id: &str, change: impl FnOnce(&mut Mail)) {
        let name = unwrap(mail::full_name(folder));
        let mut world = self.world();
        let mailbox = unwrap(mail::mailbox_mut(&mut world, self.user));
        let found = id.parse().ok().and_then(|uid| mailbox.mail_mut(&name, uid));
        change(found.unwrap_or_else(|| panic!("no mail {id} in {folder}")));
    }

    /// Gives a mail the id of one that is gone, as the restoration of a mailbox does.
    pub fn renumber_mail(&self, folder: &str, id: &str, new: &str) {
        let name = unwrap(mail::full_name(folder));
        let mut world = self.world();
        let mailbox = unwrap(mail::mailbox_mut(&mut world, self.user));
        let uid = |id: &str| id.parse().unwrap_or_else(|_| panic!("no id of a mail: {id}"));
        mailbox.renumber(&name, uid(id), uid(new));
    }

    /// Removes a mail for good.
    pub fn delete_mail(&self, folder: &str, id: &str) {
        self.run(
            "mail",
            "delete",
            &[("harddelete", "1".to_owned())],
            json!([{"folder": folder, "id": id}]),
        );
    }

    /// Moves a mail; answers its new id.
    pub fn move_mail(&self, folder: &str, id: &str, target: &str) -> String {
        let (from, to) = (unwrap(mail::full_name(folder)), unwrap(mail::full_name(target)));
        let mut world = self.world();
        let mailbox = unwrap(mail::mailbox_mut(&mut world, self.user));
        let moved = id.parse().ok().and_then(|uid| mailbox.transfer(&from, uid, &to));
        moved
            .unwrap_or_else(|| panic!("no mail {id} in {folder}, or no folder {target}"))
            .to_string()
    }

    /// What the user has sent: envelope and transmitted bytes, oldest first.
    pub fn sent(&self) -> Vec<Sent> {
        self.world()
            .outbox
            .iter()
            .filter(|sent| sent.user == self.user)
            .cloned()
            .collect()
    }

    /// Creates a folder below `parent`; `module` is `mail`, `calendar`, `tasks` or `contacts`. Answers its id.
    pub fn create_folder(&self, parent: &str, title: &str, module: &str) -> String {
        self.create_folder_with(parent, json!({"title": title, "module": module}))
    }

    /// Creates a folder from a body as the API takes it, with `permissions` if wanted.
    pub fn create_folder_with(&self, parent: &str, body: Value) -> String {
        let body = object_of(body);
        unwrap(folders::write::create(&mut self.world(), self.user, parent, &body))
    }

    /// The user's own folder of files.
    pub fn files_folder(&self) -> u32 {
        let folder = self.world().folders.default_of(self.user, Content::Infostore);
        folder.unwrap_or_else(|| panic!("no folder of files"))
    }

    /// Puts a file into a folder of the infostore; answers its id.
    pub fn create_file(&self, folder: u32, name: &str, content_type: &str, bytes: &[u8]) -> u32 {
        let mut world = self.world();
        let id = world.next_id("infostore");
        let file = File {
            folder,
            name: name.to_owned(),
            content_type: content_type.to_owned(),
            bytes: Bytes::copy_from_slice(bytes),
            created_by: self.user,
            stamp: world.stamp(),
        };
        world.files.insert(id, file);
        id
    }

    /// The user's own folders: of mail in the order of their names, then the others in that of their numbers.
    pub fn folders(&self) -> Vec<StoredFolder> {
        let world = self.world();
        let mailbox = unwrap(mail::mailbox(&world, self.user));
        let mail = mailbox.folders.keys().map(|name| StoredFolder {
            id: mail::store::folder_id(name),
            parent: mail::store::folder_id(mail::store::parent_of(name).unwrap_or("")),
            title: mail::store::last_name(name).to_owned(),
            module: "mail",
        });
        let own = world.folders.iter().filter(|folder| folder.owner == Some(self.user));
        let own = own.map(|folder| StoredFolder {
            id: folder.id.to_string(),
            parent: folder.parent.to_string(),
            title: folder.title.clone(),
            module: folder.content.name(),
        });
        mail.chain(own).collect()
    }

    /// Renames a folder; answers its id, a new one for mail folders.
    pub fn rename_folder(&self, id: &str, title: &str) -> String {
        self.update_folder(id, json!({"title": title}))
    }

    /// Changes a folder by a body as the API takes it (`title`, `folder_id`, `permissions`); answers its id.
    pub fn update_folder(&self, id: &str, body: Value) -> String {
        let body = object_of(body);
        unwrap(folders::write::change(&mut self.world(), self.user, id, None, &body))
    }

    /// Puts a folder into the tree of those that his devices get, or takes it out.
    pub fn choose_folder(&self, id: &str, is_chosen: bool) {
        folders::selection::choose(&mut self.world(), self.user, id, is_chosen);
    }

    /// Deletes a folder for good.
    pub fn delete_folder(&self, id: &str) {
        unwrap(folders::write::remove(&mut self.world(), self.user, id, None, true));
    }

    /// The web interface that comes with a server names occurrences as that server knows them.
    fn in_old_words(&self, series: u32, body: Value) -> Value {
        exception::in_old_words(&self.world(), series, object_of(body)).into()
    }

    fn world(&self) -> std::sync::MutexGuard<'_, World> {
        self.standin.world()
    }

    fn call(&self) -> Call {
        Call {
            module: String::new(),
            action: String::new(),
            parameters: BTreeMap::new(),
            body: Body::None,
            user: self.user,
            session: "web".to_owned(),
            zone: Zone::utc(),
            method: Method::Entry,
        }
    }

    /// Runs a call of the API as this user and answers its data.
    fn run(&self, module: &str, action: &str, parameters: &[(&str, String)], body: Value) -> Value {
        unwrap(self.try_run(module, action, parameters, body))
    }

    fn try_run(
        &self,
        module: &str,
        action: &str,
        parameters: &[(&str, String)],
        body: Value,
    ) -> Result<Value, OxError> {
        let parameters = parameters.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
        let call = Call {
            module: module.to_owned(),
            action: action.to_owned(),
            parameters: parameters.collect(),
            body: Body::Json(body),
            ..self.call()
        };
        Ok(match crate::modules::dispatch(&mut self.world(), &call)? {
            Answer::Data(envelope) => envelope.data.unwrap_or_default(),
            Answer::Bytes { .. } => Value::Null,
        })
    }
}

fn object_of(body: Value) -> Map<String, Value> {
    match body {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

fn unwrap<T>(result: Result<T, OxError>) -> T {
    result.unwrap_or_else(|error| panic!("{}: {}", error.code, error.text))
}
