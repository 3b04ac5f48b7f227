//! One process of the gateway, which moves only while it is driven, and can be stopped at any of its steps.
//!
//! What a process leaves behind, if it dies, and what another one meets meanwhile, changes only with calls at OX and at
//! the database. So a request is stopped at those: within a call at OX, where the stand-in holds it, or behind a call at the
//! database, when that is carried out and the gateway does not know yet. No other await point differs from one of these.
//!
//! The gateway makes its calls at SQLite in the pool of threads that its runtime has for what blocks. Here that pool has a
//! single thread, and for a request that is to be stopped a guard stands on it, which lets through one call after the
//! other. So the program needs no door for tests.

use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;

use ox_standin::Fault;
use ox_standin::Gate;
use ox_standin::Standin;
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
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::runtime::Handle;
use tokio::runtime::Runtime;

use super::script::Moment;
use crate::device::http::Answer;
use crate::device::http::Request;
use crate::device::strict;
use crate::inside::handed_on;
use crate::inside::services;

/// Of the runtime, after an answer.
const STEPS_TO_COME_FREE: usize = 2;

pub(super) struct Process {
    /// OX is served on it as well.
    runtime: Runtime,
    eas: Eas,
    store: Arc<Store>,
}

/// How far a request came.
pub(super) enum Stage<'a> {
    Over(Answer),
    Held(Held<'a>),
}

/// A request that is stopped within its process.
pub(super) struct Held<'a> {
    process: &'a Process,
    request: Pin<Box<dyn Future<Output = Answer> + 'a>>,
    /// Behind a call at the database.
    guard: Option<Guard>,
    /// Within a call at OX.
    gate: Gate,
}

impl Process {
    /// `number`: which of the gateways at one database it is.
    pub(super) fn start(standin: &Standin, database: &Path, number: usize) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(1)
            // Who watches looks after each step.
            .event_interval(1)
            .build()
            .unwrap();
        let (eas, store) = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}/ajax/", listener.local_addr().unwrap());
            tokio::spawn(standin.clone().serve(listener));
            gateway(&url, database, standin.clone(), number).await
        });
        Self { runtime, eas, store }
    }

    pub(super) fn serve(&self, request: &Request) -> Answer {
        self.runtime.block_on(async {
            let answer = self.handle(request).await;
            // The connections to OX come free for the next request.
            for _ in 0..STEPS_TO_COME_FREE {
                tokio::task::yield_now().await;
            }
            answer
        })
    }

    /// Serves a request up to that moment, or to its end if it does not come there.
    pub(super) fn serve_until<'a>(&'a self, standin: &Standin, request: &'a Request, moment: &Moment) -> Stage<'a> {
        let gate = Gate::default();
        if let Moment::Ox { call, carried_out } = *moment {
            let gate = gate.clone();
            standin.faults().nth_of_all(call, Fault::Hold { gate, carried_out });
        }
        let mut request: Pin<Box<dyn Future<Output = Answer> + 'a>> = Box::pin(self.handle(request));
        let stopped = self.runtime.block_on(async {
            tokio::select! {
                biased;
                answer = &mut request => Err(answer),
                guard = self.reached(standin, moment) => Ok(guard),
            }
        });
        standin.faults().clear();
        match stopped {
            Err(answer) => Stage::Over(answer),
            Ok(guard) => Stage::Held(Held {
                process: self,
                request,
                guard,
                gate,
            }),
        }
    }

    /// Looks between any two steps of the runtime, so that nothing happens after the moment.
    async fn reached(&self, standin: &Standin, moment: &Moment) -> Option<Guard> {
        match *moment {
            Moment::Ox { .. } => {
                while !standin.faults().are_spent() {
                    tokio::task::yield_now().await;
                }
                None
            }
            Moment::Database { call } => Some(self.let_through(call).await),
        }
    }

    /// Lets so many calls at the database through. Returns the guard that holds the next one.
    async fn let_through(&self, calls: usize) -> Guard {
        let calls = u64::try_from(calls).unwrap();
        let begun = || {
            let Traffic { reads, writes } = self.store.traffic();
            reads + writes
        };
        let mut guard = Guard::stand();
        let first = begun();
        let mut through = first;
        while through - first < calls {
            let begun = begun();
            if through == begun {
                tokio::task::yield_now().await;
                continue;
            }
            through = begun;
            // Behind the call, which is carried out when the next guard stands there.
            let next = Guard::line_up();
            drop(guard);
            guard = next.wait();
        }
        guard
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

impl Stage<'_> {
    /// The answer, or a phone that goes away, or a process that is going to die.
    pub(super) fn or_hang_up(self) -> Option<Answer> {
        match self {
            Self::Over(answer) => Some(answer),
            Self::Held(held) => {
                held.hang_up();
                None
            }
        }
    }
}

impl Held<'_> {
    pub(super) fn go_on(self) -> Answer {
        self.gate.open();
        drop(self.guard);
        self.process.runtime.block_on(self.request)
    }

    /// What the gateway finishes all the same goes on when its process is driven again.
    fn hang_up(self) {
        self.gate.open();
        let _inside = self.process.runtime.enter();
        drop(self.request);
    }
}

/// Stands on the thread on which calls at the database are made, until it is dropped.
struct Guard {
    _leave: mpsc::Sender<()>,
}

/// A guard that waits in line.
struct InLine {
    guard: Guard,
    arrived: mpsc::Receiver<()>,
}

impl Guard {
    fn stand() -> Self {
        Self::line_up().wait()
    }

    fn line_up() -> InLine {
        let (leave, left) = mpsc::channel();
        let (arrive, arrived) = mpsc::channel();
        Handle::current().spawn_blocking(move || {
            // Nobody waits for it any more when the test has failed.
            let _ = arrive.send(());
            // Ends with an error, since nobody ever sends: the sender goes.
            let _: Result<(), _> = left.recv();
        });
        let guard = Self { _leave: leave };
        InLine { guard, arrived }
    }
}

impl InLine {
    fn wait(self) -> Guard {
        self.arrived.recv().expect("the thread takes one after the other");
        self.guard
    }
}

/// The gateway without its doors, by the clock of OX.
async fn gateway(url: &str, database: &Path, standin: Standin, number: usize) -> (Eas, Arc<Store>) {
    let store = Store::open(&Database::Sqlite(database.to_owned())).await.unwrap();
    store.prepare_all().await.unwrap();
    let store = Arc::new(store);
    let sessions = Sessions::new(Ox::new(url).unwrap(), store.clone(), Access::default(), PROTOCOL);
    let services = Services {
        // A notice is a mail that nobody in a history has sent.
        conflict_notes: ConflictNotes::List,
        clock: Box::new(move || standin.clock().now()),
        node: format!("gateway {number}"),
        ..services()
    };
    (Eas::new(services, Arc::new(sessions), |_| {}), store)
}
