//! The server as a library sees it: built, started, looked into, stopped.
//!
//! It runs on a thread and a runtime of its own, so that a test with a paused clock still gets its answers.

use crate::admin;
use crate::calls::Calls;
use crate::clock::Clock;
use crate::fault::Fault;
use crate::http::Incoming;
use crate::http::Outgoing;
use crate::http::announce;
use crate::http::answer;
use crate::pim::Module;
use crate::profile::Profile;
use crate::uids::Uids;
use crate::users::Group;
use crate::users::Resource;
use crate::users::User;
use crate::web::WebUser;
use crate::whims::Whims;
use crate::world::Options;
use crate::world::World;
use crate::zone::Zone;
use bytes::Bytes;
use http_body_util::BodyExt;
use http_body_util::Full;
use http_body_util::Limited;
use hyper::body::Incoming as HttpBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// An OX server in memory. Clones are the same server.
#[derive(Clone)]
pub struct Standin {
    shared: Arc<Shared>,
}

struct Shared {
    world: Mutex<World>,
    clock: Arc<Clock>,
}

impl fmt::Debug for Standin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standin").finish_non_exhaustive()
    }
}

/// Settings of a server before it is built.
#[derive(Debug)]
pub struct Builder {
    options: Options,
    clock: Clock,
    zone: String,
    users: Vec<User>,
    groups: Vec<Group>,
    resources: Vec<Resource>,
}

impl Builder {
    /// The generation of the server; 7.8 unless said otherwise.
    pub fn profile(mut self, profile: Profile) -> Self {
        self.options.profile = profile;
        self
    }

    /// The zone of users who have none of their own; `Europe/Berlin` unless said otherwise. Unknown names are UTC.
    pub fn zone(mut self, zone: &str) -> Self {
        zone.clone_into(&mut self.zone);
        self
    }

    /// Adds a user. Without any, there are `anton` (3) and `berta` (4), both with the password `secret`.
    pub fn user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// Adds a group; group 0 with everybody needs not be added.
    pub fn group(mut self, group: Group) -> Self {
        self.groups.push(group);
        self
    }

    /// Adds a resource.
    pub fn resource(mut self, resource: Resource) -> Self {
        self.resources.push(resource);
        self
    }

    /// Stops the clock at `ms` before anything happens.
    pub fn now(self, ms: i64) -> Self {
        self.clock.set(ms);
        self
    }

    /// Path prefix, `/ajax/` unless said otherwise.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.options.prefix = format!("/{}/", prefix.trim_matches('/'));
        self
    }

    /// Ids of objects are JSON texts instead of numbers.
    pub fn ids_as_text(mut self) -> Self {
        self.options.ids_as_text = true;
        self
    }

    /// Cookies without `Secure`.
    pub fn plain_cookies(mut self) -> Self {
        self.options.secure_cookies = false;
        self
    }

    /// A single node, which knows its sessions without `JSESSIONID`.
    pub fn single_node(mut self) -> Self {
        self.options.strict_route = false;
        self
    }

    /// Takes an action away (`*` for the whole module).
    pub fn without_action(mut self, module: &str, action: &str) -> Self {
        self.options.removed.insert((module.to_owned(), action.to_owned()));
        self
    }

    /// Folder 6 is not visible.
    pub fn without_global_address_book(mut self) -> Self {
        self.options.global_address_book = false;
        self
    }

    /// Raw mails keep their 8-bit bytes.
    pub fn eight_bit_clean(mut self) -> Self {
        self.options.seven_bit = false;
        self
    }

    /// Renamed and moved mail folders give their mails new UIDs, as some mail servers do.
    pub fn renumbers_renamed(mut self) -> Self {
        self.options.renumbers_renamed = true;
        self
    }

    /// No folder tree 20.
    pub fn without_selection_tree(mut self) -> Self {
        self.options.selection_tree = false;
        self
    }

    /// Moved mails do not tell their new id.
    pub fn hides_moved_ids(mut self) -> Self {
        self.options.hides_moved_ids = true;
        self
    }

    /// Bytes that a mailbox may hold.
    pub fn mail_quota(mut self, bytes: usize) -> Self {
        self.options.mail_quota = bytes;
        self
    }

    /// Requests in five minutes before an agent that is not exempt gets 429.
    pub fn max_rate(mut self, requests: usize) -> Self {
        self.options.max_rate = requests;
        self
    }

    /// Open sessions that a user may have.
    pub fn max_sessions_per_user(mut self, sessions: usize) -> Self {
        self.options.max_sessions_per_user = sessions;
        self
    }

    /// Failed logins of a name in five minutes before more get 429.
    pub fn max_login_failures(mut self, failures: usize) -> Self {
        self.options.max_login_failures = failures;
        self
    }

    /// Shortest search pattern.
    pub fn minimum_search_characters(mut self, characters: usize) -> Self {
        self.options.minimum_search_characters = characters;
        self
    }

    /// Answers are written differently from time to time, in every way that the documents leave open: ids as numbers or
    /// texts, rows in any order, harmless warnings, new keys. The same seed makes the same whims, one [`Uids`] among them.
    pub fn whims(mut self, seed: u64) -> Self {
        self.options.whims = Some(Whims::new(seed));
        self.options.uids = Uids::of(seed);
        self
    }

    /// What becomes of the UIDs that clients give contacts and tasks; they are kept unless said otherwise.
    pub fn uids(mut self, uids: Uids) -> Self {
        self.options.uids = uids;
        self
    }

    /// The server, not listening yet.
    pub fn build(self) -> Standin {
        let clock = Arc::new(self.clock);
        let zone = Zone::named_or_utc(&self.zone);
        let mut world = World::new(self.options, Arc::clone(&clock), zone);
        let defaults = || {
            let anton = User::new(3, "anton", "secret")
                .name("Anton", "Anders")
                .address("a.anton@example.com");
            let berta = User::new(4, "berta", "secret").name("Berta", "Berg").locale("en_US");
            vec![anton, berta]
        };
        let users = if self.users.is_empty() { defaults() } else { self.users };
        for user in users {
            world.add_user(user);
        }
        world.groups = self.groups;
        world.resources = self.resources;
        Standin {
            shared: Arc::new(Shared {
                world: Mutex::new(world),
                clock,
            }),
        }
    }
}

impl Standin {
    /// Starts to describe a server.
    pub fn builder() -> Builder {
        let options = Options {
            profile: Profile::default(),
            prefix: "/ajax/".to_owned(),
            ids_as_text: false,
            secure_cookies: true,
            strict_route: true,
            max_rate: 1500,
            max_login_failures: 50,
            max_sessions_per_user: 100,
            removed: BTreeSet::new(),
            seven_bit: true,
            hides_moved_ids: false,
            renumbers_renamed: false,
            selection_tree: true,
            global_address_book: true,
            max_body: 100 * 1024 * 1024,
            mail_quota: 0,
            minimum_search_characters: 0,
            uids: Uids::default(),
            whims: None,
        };
        Builder {
            options,
            clock: Clock::default(),
            zone: "Europe/Berlin".to_owned(),
            users: Vec::new(),
            groups: Vec::new(),
            resources: Vec::new(),
        }
    }

    /// Listens on an address; port 0 chooses a free one.
    ///
    /// # Errors
    /// When the address cannot be bound or the thread not be started.
    pub fn start(&self, address: impl ToSocketAddrs) -> io::Result<Running> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let standin = self.clone();
        let thread = std::thread::Builder::new()
            .name("ox-standin".to_owned())
            .spawn(move || {
                runtime.block_on(accept(standin, listener, stopped));
            })?;
        Ok(Running {
            standin: self.clone(),
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Serves on the caller's runtime for as long as the future lives: for tests in which everything happens on one thread,
    /// and so in the same order each time.
    pub async fn serve(self, listener: TcpListener) {
        loop {
            accept_one(&self, &listener).await;
        }
    }

    /// The clock of the server.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// A user at the web interface: changes things behind the client's back, and looks at what is there.
    ///
    /// # Panics
    /// When there is no user of that login.
    pub fn web(&self, login: &str) -> WebUser {
        let user = self.world().user_by_login(login).map(|user| user.id);
        WebUser::new(self.clone(), user.unwrap_or_else(|| panic!("no user {login:?}")))
    }

    /// Where faults are ordered.
    pub fn faults(&self) -> Faults<'_> {
        Faults { standin: self }
    }

    /// Ends all sessions.
    pub fn expire_sessions(&self) {
        self.world().sessions.end_all();
    }

    /// Number of open sessions.
    pub fn sessions(&self) -> usize {
        self.world().sessions.count()
    }

    /// What has been asked so far.
    pub fn calls(&self) -> Calls {
        self.world().calls.clone()
    }

    /// Forgets what has been asked so far.
    pub fn reset_calls(&self) {
        self.world().calls = Calls::default();
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.shared.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Orders faults.
#[derive(Debug)]
pub struct Faults<'a> {
    standin: &'a Standin,
}

impl Faults<'_> {
    /// The next call, whichever it is.
    pub fn next(&self, fault: Fault) {
        self.standin.world().faults.add(None, 0, Some(1), fault);
    }

    /// The n-th next call, counted from 1, whichever it is; a `multiple` is one.
    pub fn nth_of_all(&self, n: usize, fault: Fault) {
        self.standin
            .world()
            .faults
            .add(None, n.saturating_sub(1), Some(1), fault);
    }

    /// The n-th next call of `module?action`, counted from 1; entries of `multiple` count.
    pub fn nth(&self, n: usize, module: &str, action: &str, fault: Fault) {
        self.standin
            .world()
            .faults
            .add(Some((module, action)), n.saturating_sub(1), Some(1), fault);
    }

    /// Every call of `module?action` from now on; the action `*` means all of the module.
    pub fn always(&self, module: &str, action: &str, fault: Fault) {
        self.standin.world().faults.add(Some((module, action)), 0, None, fault);
    }

    /// Makes an object a ghost: folders list it, and nothing else finds it.
    pub fn haunt(&self, module: Module, id: u32) {
        self.standin.world().ghosts.insert((module, id));
    }

    /// A ghost is really there, as it was when it became one.
    pub fn lay(&self, module: Module, id: u32) {
        self.standin.world().ghosts.remove(&(module, id));
    }

    /// Forgets all faults but ghosts.
    pub fn clear(&self) {
        self.standin.world().faults.clear();
    }

    /// Whether no fault waits any more.
    pub fn are_spent(&self) -> bool {
        self.standin.world().faults.is_empty()
    }
}

/// A listening server; stops when dropped.
#[derive(Debug)]
pub struct Running {
    standin: Standin,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// The base of the API with its trailing slash: `http://127.0.0.1:40123/ajax/`.
    pub fn url(&self) -> String {
        format!("http://{}{}", self.address, self.standin.world().options.prefix)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The server behind it.
    pub fn standin(&self) -> &Standin {
        &self.standin
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone only when the server has stopped already.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Serves connections until told to stop; open ones end with the runtime.
async fn accept(standin: Standin, listener: std::net::TcpListener, mut stopped: oneshot::Receiver<()>) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            log::error!("cannot listen: {error}");
            return;
        }
    };
    loop {
        tokio::select! {
            _ = &mut stopped => return,
            () = accept_one(&standin, &listener) => {}
        }
    }
}

async fn accept_one(standin: &Standin, listener: &TcpListener) {
    if let Ok((stream, peer)) = listener.accept().await {
        tokio::spawn(serve(standin.clone(), stream, peer));
    }
}

/// One connection. An answer that must not arrive ends it with a reset.
async fn serve(standin: Standin, stream: TcpStream, peer: SocketAddr) {
    let service = service_fn(|request| respond(standin.clone(), request, peer));
    let mut connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = (&mut connection).await;
    if ended.is_err() {
        let stream = connection.into_parts().io.into_inner();
        // Without lingering, closing sends RST instead of FIN.
        let _ = stream.set_zero_linger();
    }
}

/// The connection is dropped instead of an answer.
#[derive(Debug)]
struct Dropped;

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is dropped on request")
    }
}

impl std::error::Error for Dropped {}

async fn respond(
    standin: Standin,
    request: http::Request<HttpBody>,
    peer: SocketAddr,
) -> Result<http::Response<Full<Bytes>>, Dropped> {
    let (parts, body) = request.into_parts();
    let (prefix, max_body) = {
        let world = standin.world();
        (world.options.prefix.clone(), world.options.max_body)
    };
    let Ok(body) = Limited::new(body, max_body)
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
    else {
        return Ok(Outgoing::page(413, "Payload Too Large", "The body is too large.").into_response());
    };
    let path = parts.uri.path().to_owned();
    if let Some(command) = path.strip_prefix("/standin/") {
        return Ok(admin::answer(&standin, &parts, command, &body).into_response());
    }
    let Some(module) = path.strip_prefix(&prefix) else {
        return Ok(Outgoing::page(404, "Not Found", "Nothing at this path.").into_response());
    };
    let incoming = Incoming::new(&parts, module, &peer.ip().to_string(), body);
    let fault = announce(&mut standin.world(), &incoming);
    match &fault {
        Some(Fault::Timeout) => std::future::pending().await,
        Some(Fault::Delay(time)) => tokio::time::sleep(*time).await,
        Some(Fault::Hold {
            gate,
            carried_out: false,
        }) => gate.pass().await,
        _ => {}
    }
    let after = fault.clone();
    let outgoing = answer(&mut standin.world(), &incoming, fault);
    match after {
        Some(Fault::Silence) => std::future::pending().await,
        Some(Fault::Hold {
            gate,
            carried_out: true,
        }) => gate.pass().await,
        _ => {}
    }
    outgoing.map(Outgoing::into_response).ok_or(Dropped)
}
