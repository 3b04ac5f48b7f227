//! A gateway in this process, without its doors, that can be dropped in the middle of a request as a power cut does.

use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use oxtender::config::Database;
use oxtender::eas::ConflictNotes;
use oxtender::eas::Eas;
use oxtender::eas::PROTOCOL;
use oxtender::eas::Services;
use oxtender::eas::address::Endpoint;
use oxtender::ox::Ox;
use oxtender::session::Access;
use oxtender::session::Sessions;
use oxtender::store::Store;
use oxtender::store::Traffic;
use tokio::runtime::Runtime;

use crate::device::http::Answer;
use crate::device::http::Door;
use crate::device::http::Request;
use crate::device::strict;
use crate::inside::handed_on;
use crate::inside::services;
use crate::world::DEADLINE;
use crate::world::lock;
use crate::world::runtime;

struct Gateway {
    runtime: Runtime,
    eas: Eas,
    store: Arc<Store>,
}

impl Gateway {
    fn start(ox: &str, database: &Database, node: &str) -> Self {
        let runtime = runtime();
        let (eas, store) = runtime.block_on(async {
            let store = Arc::new(Store::open(database).await.unwrap());
            store.prepare_all().await.unwrap();
            let sessions = Sessions::new(Ox::new(ox).unwrap(), store.clone(), Access::default(), PROTOCOL);
            let services = Services {
                conflict_notes: ConflictNotes::Mail,
                node: node.to_owned(),
                ..services()
            };
            (Eas::new(services, Arc::new(sessions), |_| {}), store)
        });
        Self { runtime, eas, store }
    }

    /// `None` when `is_over` says so before there is an answer. A request that hangs ends the test.
    fn serve(&self, request: &Request, is_over: impl Fn() -> bool) -> Option<Answer> {
        let over = async {
            while !is_over() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                biased;
                () = over => None,
                answer = tokio::time::timeout(DEADLINE, self.handle(request)) => Some(answer.expect("an answer in time")),
            }
        })
    }

    async fn handle(&self, request: &Request) -> Answer {
        let response = self.eas.handle(Endpoint::ActiveSync, handed_on(request)).await;
        let text = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
            (name.to_string(), value.to_str().unwrap().to_owned())
        };
        let mut headers: Vec<_> = response.headers().iter().map(text).collect();
        // That is for the door to say.
        headers.push(("Content-Length".to_owned(), response.body().len().to_string()));
        let answer = Answer::new(response.status().as_u16(), headers, response.into_body().to_vec());
        strict::check(request, &answer);
        answer
    }
}

/// The way of phones to a gateway, and to the one that comes after it.
pub(super) struct Way {
    ox: String,
    database: Database,
    node: &'static str,
    /// From one start to the next; `None` only in between.
    gateway: Mutex<Option<Gateway>>,
}

impl Way {
    pub(super) fn new(ox: String, database: Database) -> Self {
        Self::from(ox, database, "one")
    }

    /// To one gateway of several.
    pub(super) fn from(ox: String, database: Database, node: &'static str) -> Self {
        let gateway = Mutex::new(Some(Gateway::start(&ox, &database, node)));
        Self {
            ox,
            database,
            node,
            gateway,
        }
    }

    /// Ends the gateway, and starts another one on what it left.
    pub(super) fn restart(&self) {
        let mut gateway = lock(&self.gateway);
        *gateway = None;
        *gateway = Some(Gateway::start(&self.ox, &self.database, self.node));
    }

    /// Calls at the database since the gateway was started.
    pub(super) fn traffic(&self) -> Traffic {
        let gateway = lock(&self.gateway);
        gateway.as_ref().expect("it was started").store.traffic()
    }

    /// Serves a request up to the moment that `is_over` sees; `None` if it comes there.
    pub(super) fn serve(&self, request: &Request, is_over: impl Fn() -> bool) -> Option<Answer> {
        let gateway = lock(&self.gateway);
        gateway.as_ref().expect("it was started").serve(request, is_over)
    }
}

impl Door for Way {
    fn carry(&self, request: &Request) -> io::Result<Answer> {
        self.serve(request, || false)
            .ok_or_else(|| io::ErrorKind::ConnectionReset.into())
    }

    fn hang_up(&self, request: &Request) -> io::Result<()> {
        self.carry(request).map(drop)
    }
}
