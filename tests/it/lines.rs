//! Another protocol on the same engine: lines of text, contacts only, a name for each.
//!
//! A proof that `usm` and what stands below it know nothing of ActiveSync: this file names sessions, OX and `usm`, and no
//! codec, no status and no version. A line is a request:
//!
//! ```text
//! LIST                             the folders
//! SYNC folder key                  what the device lacks; key 0 starts anew
//! ADD folder key client-id name    adds a contact, and syncs
//! NAME folder key id name          changes it, and syncs
//! DELETE folder key id             deletes it, and syncs
//! WAIT folder                      answers when something changes
//! ```
//!
//! What is answered: `= id` for the device's own change, `! id` if it was not made; `+`, `~` and `-` for what is new,
//! changed and gone; `MORE`, and the next `KEY`.

use std::sync::Arc;
use std::time::Duration;

use ox_standin::Module as StandinModule;
use ox_standin::Running;
use ox_standin::Standin;
use ox_standin::WebUser;
use oxtender::config::Database;
use oxtender::notify::Notifier;
use oxtender::ox;
use oxtender::ox::Module;
use oxtender::ox::Object;
use oxtender::ox::Ox;
use oxtender::ox::Wanted;
use oxtender::ox::columns::contacts;
use oxtender::session::Access;
use oxtender::session::Credentials;
use oxtender::session::Device;
use oxtender::session::Sessions;
use oxtender::store::Store;
use oxtender::usm::collection::Collection;
use oxtender::usm::collection::Error;
use oxtender::usm::conflict::Common;
use oxtender::usm::conflict::Policy;
use oxtender::usm::generations::Generations;
use oxtender::usm::hierarchy::Hierarchy;
use oxtender::usm::journal::fingerprint;
use oxtender::usm::listing::Listings;
use oxtender::usm::plan::Change;
use oxtender::usm::plan::Options;
use oxtender::usm::plan::Send;
use oxtender::usm::plan::What;
use oxtender::usm::settle::Answer;
use oxtender::usm::settle::Delivery;
use oxtender::usm::snapshot::Filter;
use oxtender::usm::write::Write;
use serde_json::json;
use tempfile::TempDir;
use tokio::sync::Notify;

use crate::items::now;
use crate::world::DEADLINE;

/// As many items are sent in one answer.
const WINDOW: usize = 3;

/// One device that speaks lines.
struct Lines {
    device: Arc<Device>,
    listings: Listings,
    notifier: Notifier,
    /// Told when a wait has begun.
    waiting: Notify,
}

impl Lines {
    async fn answer(&self, line: &str) -> Vec<String> {
        let words: Vec<&str> = line.split(' ').collect();
        let answer = match *words.as_slice() {
            ["LIST"] => self.list().await,
            ["WAIT", folder] => self.wait(folder).await,
            ["SYNC", folder, "0"] => self.start(folder).await,
            ["SYNC", folder, key] => self.sync(folder, key, Vec::new()).await,
            ["ADD", folder, key, client_id, name] => {
                let client_id = client_id.to_owned();
                let object = named(name);
                let create = Write::Create {
                    object,
                    occurrences: Vec::new(),
                };
                self.sync(folder, key, vec![change(line, What::Add { client_id }, create)])
                    .await
            }
            ["NAME", folder, key, id, name] => {
                let id = id.to_owned();
                let update = Write::Update {
                    fields: named(name),
                    occurrences: Vec::new(),
                    resend: false,
                    shares: None,
                };
                self.sync(folder, key, vec![change(line, What::Change { id }, update)])
                    .await
            }
            ["DELETE", folder, key, id] => {
                let id = id.to_owned();
                let delete = Write::Delete { hard: false };
                self.sync(folder, key, vec![change(line, What::Delete { id }, delete)])
                    .await
            }
            _ => Ok(vec!["ERROR that is no request".to_owned()]),
        };
        answer.unwrap_or_else(|error| vec![format!("ERROR {error}")])
    }

    async fn list(&self) -> Result<Vec<String>, Error> {
        let mut folders = self.device.ox.folders().await?;
        folders.retain(|folder| folder.module == Module::Contacts && !folder.is_global_address_book);
        let numbered = self.hierarchy().numbered(&folders).await?;
        Ok(numbered
            .iter()
            .map(|folder| format!("{} {}", folder.id, folder.folder.title))
            .collect())
    }

    async fn start(&self, folder: &str) -> Result<Vec<String>, Error> {
        let (id, ox_folder) = self.folder(folder).await?;
        let key = self.collection(id, &ox_folder).reset(Vec::new(), now()).await?;
        Ok(vec![format!("KEY {key}")])
    }

    async fn sync(&self, folder: &str, key: &str, changes: Vec<(Change, Write)>) -> Result<Vec<String>, Error> {
        let (id, ox_folder) = self.folder(folder).await?;
        let key = key.parse().map_err(|_| Error::UnknownKey)?;
        let opened = self.collection(id, &ox_folder).open(key).await?;
        let looked = opened.look(!changes.is_empty(), now()).await?;
        let options = Options {
            policy: Policy::OxWins,
            window: WINDOW,
            wants_changes: true,
            holds_deletions: false,
        };
        let own: Vec<String> = changes.iter().map(|(change, _)| label(&change.what)).collect();
        let pending = looked.exchange(changes, options, Filter::default()).await?;
        let mut sent = Vec::new();
        for send in pending.to_device() {
            let wanted = pending.item(send.id()).map(Wanted::from);
            sent.push(self.show(&ox_folder, send, wanted).await?);
        }
        let deliveries = vec![Delivery::Sent; sent.len()];
        let committed = pending.settle(&deliveries, Vec::new(), false).await?;
        let answers = own
            .into_iter()
            .zip(committed.answers)
            .map(|(own, answer)| match answer {
                Answer::Done { id } => format!("= {id}"),
                _ => format!("! {own}"),
            });
        let mut lines: Vec<String> = answers.chain(sent).collect();
        lines.extend(committed.more_available.then(|| "MORE".to_owned()));
        lines.push(format!("KEY {}", committed.key));
        Ok(lines)
    }

    async fn show(&self, folder: &str, send: &Send, wanted: Option<Wanted>) -> Result<String, Error> {
        let sign = match send {
            Send::Add { .. } => '+',
            Send::Change { .. } => '~',
            Send::Delete { id } | Send::SoftDelete { id } => return Ok(format!("- {id}")),
        };
        let (wanted, columns) = (wanted.as_slice(), [contacts::LAST_NAME.name()]);
        let fetched = ox::fetch(&self.device.ox, Module::Contacts, folder, wanted, &columns).await?;
        let name = fetched
            .into_iter()
            .flatten()
            .find_map(|item| item.object.text(contacts::LAST_NAME).map(str::to_owned));
        Ok(format!("{sign} {} {}", send.id(), name.unwrap_or_default()))
    }

    async fn wait(&self, folder: &str) -> Result<Vec<String>, Error> {
        let (_, ox_folder) = self.folder(folder).await?;
        let user = (self.device.ox.context_id(), self.device.ox.user_id());
        let mut watch = self
            .notifier
            .watch("Sync", user, &self.device.ox, vec![(Module::Contacts, ox_folder)]);
        watch.ready().await;
        self.waiting.notify_one();
        Ok(watch
            .changed()
            .await
            .iter()
            .map(|_| format!("CHANGED {folder}"))
            .collect())
    }

    async fn folder(&self, id: &str) -> Result<(u32, String), Error> {
        let id = id.parse().map_err(|_| Error::UnknownKey)?;
        let (_, folder) = self.hierarchy().resolve(id).await?.ok_or(Error::UnknownKey)?;
        Ok((id, folder))
    }

    fn hierarchy(&self) -> Hierarchy<'_> {
        Hierarchy {
            store: &self.device.store,
            generations: Generations::default(),
            device: self.device.id,
        }
    }

    fn collection<'a>(&'a self, id: u32, folder: &'a str) -> Collection<'a> {
        Collection {
            store: &self.device.store,
            ox: &self.device.ox,
            listings: &self.listings,
            generations: Generations::default(),
            device: self.device.id,
            node: "",
            id,
            module: Module::Contacts,
            folder,
        }
    }
}

fn named(name: &str) -> Object {
    let mut object = Object::new();
    object.set(contacts::LAST_NAME, name);
    object.set(contacts::DISPLAY_NAME, name);
    object
}

/// The line says what a change is: the same line once more is a repetition.
fn change(line: &str, what: What, write: Write) -> (Change, Write) {
    let change = Change {
        what,
        fingerprint: fingerprint(line.as_bytes()),
        common: Common::Unknown,
        agreed: None,
    };
    (change, write)
}

fn label(what: &What) -> String {
    match what {
        What::Add { client_id } => client_id.clone(),
        What::Change { id } | What::Delete { id } => id.clone(),
    }
}

/// A device, its OX and its store.
struct Place {
    lines: Lines,
    anton: WebUser,
    store: Arc<Store>,
    folder: String,
    ox_folder: u32,
    _ox: Running,
    _directory: TempDir,
}

impl Place {
    async fn new() -> Self {
        let standin = Standin::builder().build();
        let running = standin.start("127.0.0.1:0").unwrap();
        let directory = tempfile::tempdir().unwrap();
        let database = Database::Sqlite(directory.path().join("store.db"));
        let store = Arc::new(Store::open(&database).await.unwrap());
        let ox = Ox::new(&running.url()).unwrap();
        let sessions = Sessions::new(ox, store.clone(), Access::default(), "LINES");
        let credentials = Credentials {
            login: "anton".to_owned(),
            password: "secret".into(),
        };
        let lines = Lines {
            device: sessions.open(&credentials, "teletype").await.unwrap(),
            listings: Listings::default(),
            notifier: Notifier::new(Duration::from_millis(20)),
            waiting: Notify::new(),
        };
        let anton = standin.web("anton");
        let ox_folder = anton.default_folder(StandinModule::Contacts);
        let listed = lines.answer("LIST").await;
        let folder = listed
            .first()
            .and_then(|line| line.split(' ').next())
            .expect("a folder")
            .to_owned();
        Self {
            lines,
            anton,
            store,
            folder,
            ox_folder,
            _ox: running,
            _directory: directory,
        }
    }

    /// A request on the folder; its answer without the key, and the key.
    async fn ask(&self, request: &str, key: &str, rest: &str) -> (Vec<String>, String) {
        let line = format!("{request} {} {key} {rest}", self.folder);
        let mut answer = self.lines.answer(line.trim_end()).await;
        let last = answer.pop().expect("a line");
        let key = last.strip_prefix("KEY ").unwrap_or_else(|| panic!("{line}: {last}"));
        (answer, key.to_owned())
    }

    /// Syncs until there is nothing more.
    async fn all(&self, mut key: String) -> (Vec<String>, String) {
        let mut all = Vec::new();
        loop {
            let (mut answer, next) = self.ask("SYNC", &key, "").await;
            key = next;
            let more = answer.pop_if(|line| line == "MORE").is_some();
            all.append(&mut answer);
            if !more {
                return (all, key);
            }
        }
    }

    fn create(&self, name: &str) -> u32 {
        self.anton
            .create_contact(json!({"last_name": name, "display_name": name}))
    }

    fn names(&self) -> Vec<String> {
        let objects = self.anton.objects(StandinModule::Contacts, self.ox_folder);
        let names = objects.iter().filter_map(|object| object["last_name"].as_str());
        names.map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_device_of_another_protocol_syncs() {
    let place = Place::new().await;
    let ids: Vec<u32> = ["A", "B", "C", "D"].map(|name| place.create(name)).to_vec();
    let (_, key) = place.ask("SYNC", "0", "").await;
    let (window, _) = place.ask("SYNC", &key, "").await;
    assert_eq!(
        (window.len(), window.last().map(String::as_str)),
        (WINDOW + 1, Some("MORE"))
    );
    // That answer was lost: the same key brings all of it.
    let (mut all, key) = place.all(key).await;
    all.sort();
    let expected: Vec<String> = ids
        .iter()
        .zip(["A", "B", "C", "D"])
        .map(|(id, name)| format!("+ {id} {name}"))
        .collect();
    assert_eq!(all, expected);
    assert_eq!(
        place.all(key.clone()).await,
        (Vec::new(), key.clone()),
        "nothing changed, and the key stays"
    );

    place.anton.update(
        StandinModule::Contacts,
        place.ox_folder,
        ids[0],
        json!({"last_name": "AA"}),
    );
    place.anton.delete(StandinModule::Contacts, place.ox_folder, ids[1]);
    let (changes, key) = place.all(key).await;
    assert_eq!(changes, [format!("- {}", ids[1]), format!("~ {} AA", ids[0])]);

    let (renamed, key) = place.ask("NAME", &key, &format!("{} CC", ids[2])).await;
    assert_eq!(renamed, [format!("= {}", ids[2])], "and it is not told its own change");
    let (deleted, key) = place.ask("DELETE", &key, &ids[3].to_string()).await;
    assert_eq!(deleted, [format!("= {}", ids[3])]);
    let mut names = place.names();
    names.sort();
    assert_eq!(names, ["AA", "CC"]);
    assert!(place.all(key).await.0.is_empty());
}

#[tokio::test]
async fn a_repeated_line_is_carried_out_once() {
    let place = Place::new().await;
    let (_, key) = place.ask("SYNC", "0", "").await;
    let (first, _) = place.ask("ADD", &key, "new-1 Otto").await;
    let (second, next) = place.ask("ADD", &key, "new-1 Otto").await;
    assert_eq!(first, second);
    assert_eq!(place.names(), ["Otto"]);
    let (another, key) = place.ask("ADD", &next, "new-1 Emil").await;
    assert_ne!(another, second, "the same name for something new is not a repetition");
    assert_eq!(place.names().len(), 2);
    assert!(place.all(key).await.0.is_empty());
}

#[tokio::test]
async fn both_sides_change_one_contact() {
    let place = Place::new().await;
    let id = place.create("A");
    let (_, key) = place.ask("SYNC", "0", "").await;
    let (_, key) = place.all(key).await;
    place.anton.update(
        StandinModule::Contacts,
        place.ox_folder,
        id,
        json!({"last_name": "Web"}),
    );
    let (answer, _) = place.ask("NAME", &key, &format!("{id} Device")).await;
    assert_eq!(answer, [format!("! {id}"), format!("~ {id} Web")]);
    assert_eq!(place.names(), ["Web"]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let place = Place::new().await;
    let unknown = place.lines.answer(&format!("SYNC {} 12345", place.folder)).await;
    assert_eq!(unknown, ["ERROR the sync key is not known"]);
    assert_eq!(place.lines.answer("HELO").await, ["ERROR that is no request"]);
    // The protocols of one device do not know each other.
    let other = place
        .store
        .find_session(place.lines.device.id.cid, 3, "EAS", "teletype")
        .await
        .unwrap();
    assert_eq!(other, None);
}

#[tokio::test]
async fn a_wait_ends_with_a_change() {
    let place = Place::new().await;
    let wait = format!("WAIT {}", place.folder);
    let change = async {
        place.lines.waiting.notified().await;
        place.create("New")
    };
    let both = async { tokio::join!(place.lines.answer(&wait), change) };
    let (woken, _) = tokio::time::timeout(DEADLINE, both).await.expect("it ends");
    assert_eq!(woken, [format!("CHANGED {}", place.folder)]);
}
