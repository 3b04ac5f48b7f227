//! Who is asking: credentials to an OX session and a device's record, both kept for the requests that follow.
//!
//! One OX session per user and device, made at the first request and renewed by the client when OX loses it. A password
//! that OX refused is not offered to it again for a minute, so that a forgotten phone does not lock an account. One request
//! per device at a time: a new one ends the wait of the one before. What a user may do with ActiveSync is checked here;
//! what ActiveSync is, is not known here. The day on which a device came last is written down once on that day.

mod refusals;
mod turns;

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use jiff::civil::Date;
use secrecy::ExposeSecret as _;
use secrecy::SecretString;
use sha2::Digest as _;
use sha2::Sha256;
use tokio_util::sync::CancellationToken;

use crate::ox;
use crate::ox::Ox;
use crate::store;
use crate::store::Note;
use crate::store::SessionId;
use crate::store::Store;

use self::refusals::Digest;
use self::refusals::Refusals;
pub use self::turns::Turn;
use self::turns::Turns;

/// How long a missing permission is of interest to those who watch.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// How long a request waits for the one before it, of the same device.
const TURN_PATIENCE: Duration = Duration::from_secs(30);

/// When the gateway goes down, the time between two devices whose wait is ended.
const PACE: Duration = Duration::from_millis(20);

/// What is kept of a device to tell whose it is: when its user was entered at OX.
const USER_CREATED: &str = "user_created";

/// A login and its password, as the device gave them.
#[derive(Clone, Debug)]
pub struct Credentials {
    pub login: String,
    pub password: SecretString,
}

/// What a user must be allowed at OX to be served.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// `None`: everybody.
    pub module: Option<String>,
    /// The permission for ActiveSync as well.
    pub active_sync: bool,
}

/// Why a request is not served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("login or password is wrong")]
    Credentials,
    #[error("the user may not sync: {0}")]
    Forbidden(String),
    #[error("an earlier request of this device is still running")]
    Busy,
    #[error(transparent)]
    Ox(#[from] ox::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// The devices that were served lately.
pub struct Sessions {
    ox: Ox,
    store: Arc<Store>,
    access: Mutex<Arc<Access>>,
    /// The name of the protocol in the store: one device may speak several.
    protocol: &'static str,
    /// Makes the digests of passwords in memory useless elsewhere.
    salt: [u8; 16],
    devices: Mutex<HashMap<Place, Arc<Slot>>>,
    refusals: Refusals,
    /// What a user lacked who was not let in last.
    missing: Mutex<Option<(Instant, String)>>,
    stop: CancellationToken,
}

/// Login and DeviceId.
type Place = (String, String);

/// What is at the place of one user and device; the lock lets only one request at a time log in.
#[derive(Default)]
struct Slot {
    device: tokio::sync::Mutex<Option<Arc<Device>>>,
}

/// One device of one user, logged in at OX and known to the store.
pub struct Device {
    pub ox: ox::Session,
    pub store: Arc<Store>,
    pub id: SessionId,
    password: Digest,
    /// What its user was found to be allowed.
    admitted: Mutex<Arc<Access>>,
    /// The day of its last request, as the store has it.
    last_day: Mutex<Date>,
    turns: Turns,
    stop: CancellationToken,
    last_used: Mutex<Instant>,
    /// What commands keep while the device is in memory, by name.
    memory: Mutex<HashMap<&'static str, Vec<u8>>>,
    /// Elements of its requests that nobody here understood, since it came into memory.
    ignored: AtomicUsize,
}

impl Sessions {
    /// `protocol`: what the devices speak, in at most 32 bytes. It keeps its sessions apart from those of others.
    pub fn new(ox: Ox, store: Arc<Store>, access: Access, protocol: &'static str) -> Self {
        let (devices, refusals, missing, stop) = Default::default();
        Self {
            ox,
            store,
            access: Mutex::new(Arc::new(access)),
            protocol,
            salt: rand::random(),
            devices,
            refusals,
            missing,
            stop,
        }
    }

    /// Other conditions; they hold for devices that are known already, too, from their next request on.
    pub fn set_access(&self, access: Access) {
        let mut current = lock(&self.access);
        if **current != access {
            *current = Arc::new(access);
        }
    }

    /// The device behind a request. Asks OX only at the first one, and when the password or the conditions changed.
    pub async fn open(&self, credentials: &Credentials, device: &str) -> Result<Arc<Device>, Error> {
        let password = self.digest(credentials);
        let place = place(credentials, device);
        loop {
            self.check_refused(&password)?;
            let slot = lock(&self.devices).entry(place.clone()).or_default().clone();
            let mut entry = slot.device.lock().await;
            // Taken away while we stood before it: others would not meet us there.
            if !self.is_at(&place, &slot) {
                continue;
            }
            let opened = self.open_at(&mut entry, credentials, device, password).await;
            if entry.is_none() {
                // Nothing is kept of a guess, however many there are.
                lock(&self.devices).remove(&place);
            }
            return opened;
        }
    }

    async fn open_at(
        &self,
        entry: &mut Option<Arc<Device>>,
        credentials: &Credentials,
        device: &str,
        password: Digest,
    ) -> Result<Arc<Device>, Error> {
        if let Some(known) = entry.clone().filter(|known| known.password == password) {
            known.touch();
            match self.look_again(&known).await {
                // Removed from the store since its last request: it is made anew.
                Err(Error::Store(error)) if error.is_removed() => *entry = None,
                looked => return looked.map(|()| known),
            }
        }
        // Another request's wrong guess in the meantime.
        self.check_refused(&password)?;
        let session = self.login(credentials, &password).await?;
        let known = Arc::new(self.register(session, device, password).await?);
        *entry = Some(known.clone());
        Ok(known)
    }

    /// Whether OX takes the credentials; makes no device.
    pub async fn verify(&self, credentials: &Credentials) -> Result<(), Error> {
        let password = self.digest(credentials);
        self.check_refused(&password)?;
        if self.known(credentials, &password).is_some() {
            return Ok(());
        }
        let session = self.login(credentials, &password).await?;
        log_out(&session).await;
        Ok(())
    }

    /// Whether the user would be served, which takes more than good credentials; makes no device.
    pub async fn admit(&self, credentials: &Credentials) -> Result<(), Error> {
        let password = self.digest(credentials);
        self.check_refused(&password)?;
        let session = self.login(credentials, &password).await?;
        let admitted = self.check_access(&session).await;
        log_out(&session).await;
        admitted
    }

    /// What OX says of the user with these credentials, if he may sync; makes no device.
    pub async fn settings(&self, credentials: &Credentials) -> Result<Arc<ox::Settings>, Error> {
        let password = self.digest(credentials);
        self.check_refused(&password)?;
        if let Some(device) = self.known(credentials, &password) {
            return Ok(device.ox.settings().await?);
        }
        let session = self.login(credentials, &password).await?;
        let settings = match self.check_access(&session).await {
            Ok(()) => session.settings().await.map_err(Error::from),
            Err(error) => Err(error),
        };
        log_out(&session).await;
        settings
    }

    /// Drops what is known of a device, so that its next request makes it anew.
    pub async fn forget(&self, credentials: &Credentials, device: &str) {
        let place = place(credentials, device);
        let slot = lock(&self.devices).get(&place).cloned();
        let Some(slot) = slot else {
            return;
        };
        let mut entry = slot.device.lock().await;
        *entry = None;
        if self.is_at(&place, &slot) {
            lock(&self.devices).remove(&place);
        }
    }

    /// Drops a device whose OX session cannot be renewed, because OX refused its password meanwhile.
    pub async fn refuse(&self, credentials: &Credentials, device: &str) {
        self.refusals.remember(self.digest(credentials), Instant::now());
        self.forget(credentials, device).await;
    }

    /// Logs out the devices that were idle for so long, and drops old refusals.
    pub async fn sweep(&self, idle: Duration) {
        self.refusals.sweep(Instant::now());
        let slots: Vec<_> = lock(&self.devices)
            .iter()
            .map(|(place, slot)| (place.clone(), slot.clone()))
            .collect();
        for (place, slot) in slots {
            let Ok(mut entry) = slot.device.try_lock() else {
                continue;
            };
            if entry.as_ref().is_some_and(|device| device.idle() < idle) {
                continue;
            }
            if let Some(device) = entry.take() {
                log_out(&device.ox).await;
            }
            if self.is_at(&place, &slot) {
                lock(&self.devices).remove(&place);
            }
        }
    }

    /// Ends all waits, and from then on every new one: the gateway is going down. One device after the other, within `most`,
    /// since each comes back at once and logs in anew.
    pub async fn stop(&self, most: Duration) {
        let slots: Vec<Arc<Slot>> = lock(&self.devices).values().cloned().collect();
        let known = slots
            .iter()
            .filter_map(|slot| slot.device.try_lock().ok().and_then(|known| known.clone()));
        let requests: Vec<CancellationToken> = known.map(|device| device.turns.running()).collect();
        // The token of a request that is over is cancelled.
        let running: Vec<CancellationToken> = requests.into_iter().filter(|token| !token.is_cancelled()).collect();
        let count = u32::try_from(running.len()).unwrap_or(u32::MAX).max(1);
        let pace = PACE.min(most / count);
        for request in running {
            request.cancel();
            tokio::time::sleep(pace).await;
        }
        self.stop.cancel();
    }

    /// What the user lacked who was last refused for want of a permission, if that was lately.
    pub fn missing_permission(&self) -> Option<String> {
        let missing = lock(&self.missing);
        let lately = missing.as_ref().filter(|(since, _)| since.elapsed() < REMEMBERED);
        lately.map(|(_, reason)| reason.clone())
    }

    /// Devices that are logged in, or about to be.
    pub fn count(&self) -> usize {
        lock(&self.devices).len()
    }

    async fn login(&self, credentials: &Credentials, password: &Digest) -> Result<ox::Session, Error> {
        let login = || self.ox.login(&credentials.login, &credentials.password);
        let mut outcome = login().await;
        let has_too_many = |error: &ox::Error| error.kind == ox::ErrorKind::TooManySessions;
        if outcome.as_ref().is_err_and(has_too_many) && self.make_room(&credentials.login).await {
            outcome = login().await;
        }
        match outcome {
            Ok(session) => Ok(session),
            Err(error) if error.kind == ox::ErrorKind::Credentials => {
                self.refusals.remember(*password, Instant::now());
                Err(Error::Credentials)
            }
            Err(error) if error.kind == ox::ErrorKind::Denied => Err(Error::Forbidden(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }

    /// Logs out that device of a login which is idle longest: "too many sessions: log out unused ones". `false` if all are at
    /// work.
    async fn make_room(&self, login: &str) -> bool {
        let devices: Vec<(Place, Arc<Slot>)> = lock(&self.devices)
            .iter()
            .filter(|((of, _), _)| of == login)
            .map(|(place, slot)| (place.clone(), slot.clone()))
            .collect();
        let idle = devices.iter().filter_map(|(place, slot)| {
            let entry = slot.device.try_lock().ok()?;
            let device = entry.as_ref().filter(|device| device.turns.is_free())?;
            Some((device.idle(), place, slot))
        });
        let Some((_, place, slot)) = idle.max_by_key(|(idle, ..)| *idle) else {
            return false;
        };
        let Ok(mut entry) = slot.device.try_lock() else {
            return false;
        };
        let Some(device) = entry.take() else {
            return false;
        };
        log::info!(
            "{login} {}: logged out at OX, to make room for another device of its user",
            place.1
        );
        log_out(&device.ox).await;
        if self.is_at(place, slot) {
            lock(&self.devices).remove(place);
        }
        true
    }

    /// What a device in memory has to pass once more: the conditions if they changed, and the entry of its day.
    async fn look_again(&self, device: &Device) -> Result<(), Error> {
        let access = lock(&self.access).clone();
        let is_admitted = Arc::ptr_eq(&access, &lock(&device.admitted));
        if !is_admitted {
            self.check(&device.ox, &access).await?;
            *lock(&device.admitted) = access;
        }
        let today = store::today();
        if *lock(&device.last_day) != today {
            let day = today.to_string();
            self.store
                .set_fields(device.id, &[(store::LAST_SEEN, Some(day.as_str()))])
                .await?;
            *lock(&device.last_day) = today;
        }
        Ok(())
    }

    async fn register(&self, session: ox::Session, device: &str, password: Digest) -> Result<Device, Error> {
        let access = lock(&self.access).clone();
        if let Err(error) = self.check(&session, &access).await {
            log_out(&session).await;
            return Err(error);
        }
        let (Ok(context), Ok(user)) = (u32::try_from(session.context_id()), u32::try_from(session.user_id())) else {
            return Err(Error::Forbidden("OX gave the user an id that is none".to_owned()));
        };
        self.store.prepare(context).await?;
        let created = session.settings().await?.created;
        let today = store::today();
        let id = self.enter((context, user), created, device, today).await?;
        Ok(Device {
            ox: session,
            store: self.store.clone(),
            id,
            password,
            admitted: Mutex::new(access),
            last_day: Mutex::new(today),
            turns: Turns::default(),
            stop: self.stop.clone(),
            last_used: Mutex::new(Instant::now()),
            memory: Mutex::default(),
            ignored: AtomicUsize::new(0),
        })
    }

    /// The device in the store. Numbers of users come back, when a context or a user is deleted and made anew: what is known
    /// of such a device belongs to somebody else, and is forgotten.
    async fn enter(
        &self,
        (context, user): (u32, u32),
        created: Option<i64>,
        device: &str,
        today: Date,
    ) -> Result<SessionId, store::Error> {
        let mut id = self.store.session(context, user, self.protocol, device).await?;
        let mut known = self.store.fields(id).await?;
        let created = created.map(|created| created.to_string());
        if created.is_some()
            && known
                .get(USER_CREATED)
                .is_some_and(|known| Some(known) != created.as_ref())
        {
            log::warn!(
                "the user {user} of the context {context} is not the one he was when the device {device:?} came last; \
                 it starts anew"
            );
            self.store.remove_session(id).await?;
            id = self.store.session(context, user, self.protocol, device).await?;
            known.clear();
        }
        let day = Some(today.to_string());
        let fields = [(USER_CREATED, created.as_deref()), (store::LAST_SEEN, day.as_deref())];
        let is_news = |(name, value): &(&str, Option<&str>)| {
            value.is_some_and(|value| known.get(*name).is_none_or(|known| known != value))
        };
        let news: Vec<(&str, Option<&str>)> = fields.into_iter().filter(is_news).collect();
        self.store.set_fields(id, &news).await?;
        Ok(id)
    }

    async fn check_access(&self, session: &ox::Session) -> Result<(), Error> {
        let access = lock(&self.access).clone();
        self.check(session, &access).await
    }

    /// Whether the user of a session is allowed what he must be; who watches us is told if not.
    async fn check(&self, session: &ox::Session, access: &Access) -> Result<(), Error> {
        let checked = check(session, access).await;
        if let Err(Error::Forbidden(reason)) = &checked {
            *lock(&self.missing) = Some((Instant::now(), reason.clone()));
        }
        checked
    }

    /// Whether this is what requests find at a place. It stays so for as long as the slot is locked.
    fn is_at(&self, place: &Place, slot: &Arc<Slot>) -> bool {
        lock(&self.devices)
            .get(place)
            .is_some_and(|current| Arc::ptr_eq(current, slot))
    }

    /// A device that is logged in with the same credentials.
    fn known(&self, credentials: &Credentials, password: &Digest) -> Option<Arc<Device>> {
        let devices = lock(&self.devices);
        let own = devices.iter().filter(|((login, _), _)| *login == credentials.login);
        let mut own = own.filter_map(|(_, slot)| slot.device.try_lock().ok()?.clone());
        own.find(|known| known.password == *password)
    }

    fn digest(&self, credentials: &Credentials) -> Digest {
        let digest = Sha256::new()
            .chain_update(self.salt)
            .chain_update(credentials.login.as_bytes())
            .chain_update([0])
            .chain_update(credentials.password.expose_secret().as_bytes());
        digest.finalize().into()
    }

    fn check_refused(&self, password: &Digest) -> Result<(), Error> {
        match self.refusals.contains(password, Instant::now()) {
            true => Err(Error::Credentials),
            false => Ok(()),
        }
    }
}

impl Device {
    /// Waits until the requests of this device before this one are done, ending the one that only waits.
    pub async fn turn(&self) -> Result<Turn, Error> {
        self.turns.next(TURN_PATIENCE, &self.stop).await.ok_or(Error::Busy)
    }

    /// What is kept of this device, by name.
    pub async fn fields(&self) -> Result<BTreeMap<String, String>, Error> {
        Ok(self.store.fields(self.id).await?)
    }

    /// Keeps something of this device; `None` forgets it.
    pub async fn remember(&self, fields: &[(&str, Option<&str>)]) -> Result<(), Error> {
        Ok(self.store.set_fields(self.id, fields).await?)
    }

    /// Counts elements that were ignored; returns how many of this device were, these included.
    pub fn count_ignored(&self, more: usize) -> usize {
        self.ignored.fetch_add(more, Ordering::Relaxed) + more
    }

    /// What was kept in memory under this name; gone after a restart.
    pub fn recall(&self, name: &'static str) -> Option<Vec<u8>> {
        lock(&self.memory).get(name).cloned()
    }

    /// Keeps something for as long as the device is in memory.
    pub fn keep(&self, name: &'static str, bytes: Vec<u8>) {
        lock(&self.memory).insert(name, bytes);
    }

    /// The outcome of an operation that was carried out before, in one of the journals of this device.
    pub async fn noted(&self, journal: &str, operation: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self
            .store
            .note_of(self.id, journal, operation)
            .await?
            .map(|note| note.outcome))
    }

    /// Remembers that an operation was carried out. `now` in milliseconds since 1970.
    pub async fn note(&self, journal: &str, operation: &[u8], outcome: &[u8], now: i64) -> Result<(), Error> {
        let note = Note {
            base: 0,
            operation: operation.to_vec(),
            outcome: outcome.to_vec(),
            created: now,
        };
        Ok(self.store.note(self.id, journal, note).await?)
    }

    fn touch(&self) {
        *lock(&self.last_used) = Instant::now();
    }

    fn idle(&self) -> Duration {
        match self.turns.is_free() {
            true => lock(&self.last_used).elapsed(),
            false => Duration::ZERO,
        }
    }
}

fn place(credentials: &Credentials, device: &str) -> Place {
    (credentials.login.clone(), device.to_owned())
}

/// Whether the user of a session is allowed what he must be.
async fn check(session: &ox::Session, access: &Access) -> Result<(), Error> {
    let active_sync = access.active_sync.then_some("active_sync");
    for module in access.module.as_deref().into_iter().chain(active_sync) {
        if !session.may_use(module).await? {
            return Err(Error::Forbidden(format!(
                "the permission {module:?} is missing at OX; grant it to the user there, or change the check \
                 (com.openexchange.usm.access_check_module, com.openexchange.usm.eas.access_check)"
            )));
        }
    }
    Ok(())
}

/// A session that cannot be logged out ends by itself at OX.
async fn log_out(session: &ox::Session) {
    if let Err(error) = session.logout().await {
        log::debug!("logging out: {error}");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
