//! Who waits for which folder: one look at OX per user and interval, however many devices wait.
//!
//! A look asks OX for a stamp of each folder that somebody waits for; a stamp that differs from the one before wakes
//! those who wait. A wake is a hint: what it means for a device is found out by the device's own comparison. Writes through
//! this gateway wake the user's other devices at once.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::watch;

use crate::ox;
use crate::ox::Module;

/// Who is looked after: context and user at OX.
pub type UserKey = (i64, i64);

/// A folder that can be waited for.
pub type FolderKey = (Module, String);

/// The users that somebody waits for. A clone is the same users.
#[derive(Clone)]
pub struct Notifier {
    interval: Arc<Mutex<Duration>>,
    users: Arc<Mutex<HashMap<UserKey, Arc<User>>>>,
    /// How many wait, by the command in which they do.
    waiting: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

/// What is known of one user's folders.
struct User {
    folders: Mutex<BTreeMap<FolderKey, Watched>>,
    /// Moves with each change, and once with the first look at a folder.
    changes: watch::Sender<u64>,
    /// Asks for a look before the interval is over.
    look_now: Notify,
    /// The session of the last who came; looks go through it.
    session: Mutex<ox::Session>,
}

#[derive(Default)]
struct Watched {
    watchers: usize,
    stamp: Option<u64>,
    /// Moves with each change of this folder.
    version: u64,
}

/// A device that waits. Dropping it ends the wait.
pub struct Watch {
    user: Arc<User>,
    folders: Vec<FolderKey>,
    seen: BTreeMap<FolderKey, u64>,
    changes: watch::Receiver<u64>,
    /// Held only to be dropped.
    _counted: Counted,
}

/// One of those who wait, for as long as it lives, however its wait ends.
struct Counted {
    command: &'static str,
    waiting: Arc<Mutex<BTreeMap<&'static str, usize>>>,
}

impl Notifier {
    /// `interval`: between two looks at OX for one user.
    pub fn new(interval: Duration) -> Self {
        Self {
            interval: Arc::new(Mutex::new(interval)),
            users: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// Another interval; it counts after the next look at each user.
    pub fn set_interval(&self, interval: Duration) {
        *lock(&self.interval) = interval;
    }

    /// Starts to wait for changes of these folders. `command` is what [`Notifier::waiting`] counts the wait by.
    pub fn watch(&self, command: &'static str, key: UserKey, session: &ox::Session, folders: Vec<FolderKey>) -> Watch {
        let mut users = lock(&self.users);
        let user = match users.get(&key) {
            Some(user) => {
                *lock(&user.session) = session.clone();
                user.clone()
            }
            None => {
                let user = Arc::new(User::new(session.clone()));
                users.insert(key, user.clone());
                tokio::spawn(look_after(self.clone(), key, user.clone()));
                user
            }
        };
        // Under the lock of the map, so that a look-out that is about to end sees the new watcher.
        let mut watched = lock(&user.folders);
        let mut seen = BTreeMap::new();
        for folder in &folders {
            let entry = watched.entry(folder.clone()).or_default();
            entry.watchers += 1;
            seen.insert(folder.clone(), entry.version);
        }
        if watched.values().any(|watched| watched.stamp.is_none()) {
            user.look_now.notify_one();
        }
        drop(watched);
        let changes = user.changes.subscribe();
        Watch {
            user,
            folders,
            seen,
            changes,
            _counted: Counted::new(command, &self.waiting),
        }
    }

    /// Tells the devices of a user that this gateway wrote to a folder.
    pub fn touched(&self, key: UserKey, folder: &FolderKey) {
        let Some(user) = lock(&self.users).get(&key).cloned() else {
            return;
        };
        if let Some(watched) = lock(&user.folders).get_mut(folder) {
            watched.version += 1;
        }
        user.changes.send_modify(|changes| *changes += 1);
    }

    /// How many users are looked after.
    pub fn count(&self) -> usize {
        lock(&self.users).len()
    }

    /// How many devices wait at this moment in that command.
    pub fn waiting(&self, command: &str) -> usize {
        lock(&self.waiting).get(command).copied().unwrap_or_default()
    }
}

impl Counted {
    fn new(command: &'static str, waiting: &Arc<Mutex<BTreeMap<&'static str, usize>>>) -> Self {
        *lock(waiting).entry(command).or_default() += 1;
        Self {
            command,
            waiting: waiting.clone(),
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if let Some(count) = lock(&self.waiting).get_mut(self.command) {
            *count = count.saturating_sub(1);
        }
    }
}

impl User {
    fn new(session: ox::Session) -> Self {
        Self {
            folders: Mutex::default(),
            changes: watch::Sender::new(0),
            look_now: Notify::new(),
            session: Mutex::new(session),
        }
    }

    fn is_idle(&self) -> bool {
        lock(&self.folders).values().all(|watched| watched.watchers == 0)
    }

    async fn look(&self) {
        let session = lock(&self.session).clone();
        let folders: Vec<FolderKey> = {
            let mut folders = lock(&self.folders);
            folders.retain(|_, watched| watched.watchers > 0);
            folders.keys().cloned().collect()
        };
        match ox::probe(&session, &folders).await {
            Ok(stamps) => self.compare(folders, stamps),
            Err(error) => log::debug!("looking for changes: {error}"),
        }
    }

    fn compare(&self, keys: Vec<FolderKey>, stamps: Vec<Result<u64, ox::Error>>) {
        let mut folders = lock(&self.folders);
        let mut moved = false;
        for (key, stamp) in keys.into_iter().zip(stamps) {
            // A folder that cannot be read is a change as well: the device's own look finds out what is wrong.
            let stamp = stamp.unwrap_or(u64::MAX);
            let Some(watched) = folders.get_mut(&key) else { continue };
            if watched.stamp.is_some_and(|before| before != stamp) {
                watched.version += 1;
            }
            moved |= watched.stamp != Some(stamp);
            watched.stamp = Some(stamp);
        }
        drop(folders);
        if moved {
            self.changes.send_modify(|changes| *changes += 1);
        }
    }
}

impl Watch {
    /// Waits until every folder was looked at once: what changes from now on wakes.
    pub async fn ready(&mut self) {
        loop {
            self.changes.borrow_and_update();
            if self.is_ready() || self.changes.changed().await.is_err() {
                return;
            }
        }
    }

    /// Waits for changes and returns the folders that changed since the last call.
    pub async fn changed(&mut self) -> Vec<FolderKey> {
        loop {
            self.changes.borrow_and_update();
            let moved = self.moved();
            if !moved.is_empty() || self.changes.changed().await.is_err() {
                return moved;
            }
        }
    }

    fn is_ready(&self) -> bool {
        let folders = lock(&self.user.folders);
        self.folders
            .iter()
            .all(|key| folders.get(key).is_some_and(|watched| watched.stamp.is_some()))
    }

    fn moved(&mut self) -> Vec<FolderKey> {
        let folders = lock(&self.user.folders);
        let mut moved = Vec::new();
        for (key, seen) in &mut self.seen {
            let Some(watched) = folders.get(key) else { continue };
            if watched.version != *seen {
                *seen = watched.version;
                moved.push(key.clone());
            }
        }
        moved
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut folders = lock(&self.user.folders);
        for key in &self.folders {
            if let Some(watched) = folders.get_mut(key) {
                watched.watchers = watched.watchers.saturating_sub(1);
            }
        }
    }
}

/// Looks at OX for one user until nobody waits for two intervals: a device that waits again finds the stamps of
/// its last wait.
async fn look_after(notifier: Notifier, key: UserKey, user: Arc<User>) {
    let mut idle_looks = 0;
    loop {
        if user.is_idle() {
            idle_looks += 1;
        } else {
            idle_looks = 0;
            user.look().await;
        }
        if idle_looks > 2 {
            let mut users = lock(&notifier.users);
            if user.is_idle() {
                users.remove(&key);
                return;
            }
        }
        let interval = *lock(&notifier.interval);
        tokio::select! {
            () = tokio::time::sleep(interval) => {}
            () = user.look_now.notified() => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
