//! The gateway without its doors, in this process: what tests need that set its clock or let it die between two steps.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use oxtender::eas::ConflictNotes;
use oxtender::eas::Heartbeat;
use oxtender::eas::Services;
use oxtender::eas::address::Addresses;
use oxtender::eas::options::Limits;
use oxtender::eas::redirect::Redirects;
use oxtender::eas::results::Results;
use oxtender::notify::Notifier;
use oxtender::usm::brake;
use oxtender::usm::brake::Brakes;
use oxtender::usm::generations::Generations;
use oxtender::usm::listing::Listings;

use crate::device::http::Request;

/// What commands share, by the clock of the machine.
pub(crate) fn services() -> Services {
    Services {
        notifier: Notifier::new(Duration::from_secs(3600)),
        listings: Listings::default(),
        brakes: Brakes::default(),
        generations: Generations::default(),
        results: Results::default(),
        heartbeat: Heartbeat {
            min: Duration::from_secs(1),
            max: Duration::from_secs(3600),
        },
        limits: Limits {
            mail_age: None,
            objects_per_folder: usize::MAX,
            deletions: brake::Limits { items: 0, percent: 0 },
        },
        largest_body: 1 << 20,
        most_fetched: 1 << 20,
        new_key_on_empty_sync: false,
        conflict_notes: ConflictNotes::default(),
        folder_selection: false,
        login: Box::new(|_, user| user.to_owned()),
        addresses: Addresses {
            alias: "/Microsoft-Server-ActiveSync".to_owned(),
            autodiscover: String::new(),
            public_url: None,
        },
        redirects: Redirects::default(),
        node: String::new(),
        clock: Box::new(|| jiff::Timestamp::now().as_millisecond()),
    }
}

/// A request as a door hands it on.
pub(crate) fn handed_on(request: &Request) -> http::Request<Full<Bytes>> {
    let mut builder = http::Request::builder().method(request.method).uri(&request.target);
    for (name, value) in &request.headers {
        builder = builder.header(*name, value);
    }
    let body = request.body.clone().unwrap_or_default();
    builder.body(Full::new(body.into())).expect("a request of a test")
}
