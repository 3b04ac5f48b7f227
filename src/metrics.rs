//! What is counted, as Prometheus reads it.
//!
//! Knows no protocol: the callers give labels and numbers.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::histogram::exponential_buckets;
use prometheus_client::registry::Registry;

/// Everything that `/metrics` shows.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<CommandLabel, Histogram>,
    ox_calls_per_command: Family<CommandLabel, Counter>,
    ignored_elements: Family<VersionLabel, Counter>,
    errors: Family<FaultLabel, Counter>,
    devices: Gauge,
    waiting_devices: Family<CommandLabel, Gauge>,
    watched_users: Gauge,
    ox_calls: Gauge<u64, AtomicU64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    command: String,
    version: String,
    /// Empty: the connection went away before there was an answer.
    http: String,
    status: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabel {
    command: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FaultLabel {
    fault: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct VersionLabel {
    version: String,
}

impl Metrics {
    pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("oxtender");
        let requests = Family::default();
        registry.register(
            "requests",
            "Requests answered, by command, version and status",
            requests.clone(),
        );
        let seconds = Family::new_with_constructor(histogram as fn() -> Histogram);
        registry.register(
            "request_seconds",
            "Time until the answer; waiting included",
            seconds.clone(),
        );
        let ox_calls_per_command = Family::default();
        registry.register(
            "command_ox_calls",
            "Calls to OX, by command",
            ox_calls_per_command.clone(),
        );
        let ignored_elements = Family::default();
        registry.register(
            "ignored_elements",
            "Elements of requests that their version does not have, by version; the log names device and element",
            ignored_elements.clone(),
        );
        let errors = Family::default();
        registry.register(
            "errors",
            "Requests that failed, by where to look: device, user, ox or gateway; the log has the reason",
            errors.clone(),
        );
        let (devices, watched_users, ox_calls) = (Gauge::default(), Gauge::default(), Gauge::default());
        registry.register("devices", "Devices with an OX session", devices.clone());
        let waiting_devices = Family::default();
        registry.register(
            "waiting_devices",
            "Devices that wait for changes at this moment, by command",
            waiting_devices.clone(),
        );
        registry.register(
            "watched_users",
            "Users of whom a device waits for changes",
            watched_users.clone(),
        );
        registry.register("ox_calls", "Calls to OX since the start", ox_calls.clone());
        Self {
            registry,
            requests,
            seconds,
            ox_calls_per_command,
            ignored_elements,
            errors,
            devices,
            waiting_devices,
            watched_users,
            ox_calls,
        }
    }

    /// One request is over. `http` is `None` if its connection went away before. `command` must be one of a bounded number of names.
    pub fn request(
        &self,
        command: &str,
        version: &str,
        http: Option<u16>,
        status: Option<u16>,
        took: Duration,
        ox_calls: u64,
    ) {
        let label = CommandLabel {
            command: command.to_owned(),
        };
        self.seconds.get_or_create(&label).observe(took.as_secs_f64());
        self.ox_calls_per_command.get_or_create(&label).inc_by(ox_calls);
        let number = |number: Option<u16>| number.map(|number| number.to_string()).unwrap_or_default();
        let labels = RequestLabels {
            command: label.command,
            version: version.to_owned(),
            http: number(http),
            status: number(status),
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// A request failed. `fault` must be one of a bounded number of names.
    pub fn error(&self, fault: &str) {
        let label = FaultLabel {
            fault: fault.to_owned(),
        };
        self.errors.get_or_create(&label).inc();
    }

    /// A request had elements that nobody here understood.
    pub fn ignored(&self, version: &str, count: usize) {
        let label = VersionLabel {
            version: version.to_owned(),
        };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.ignored_elements.get_or_create(&label).inc_by(count);
    }

    /// What is read when somebody looks.
    pub fn gauges(&self, devices: usize, watched_users: usize, ox_calls: u64) {
        self.devices.set(i64::try_from(devices).unwrap_or(i64::MAX));
        self.watched_users.set(i64::try_from(watched_users).unwrap_or(i64::MAX));
        self.ox_calls.set(ox_calls);
    }

    /// So many devices wait in a command, which must be one of a bounded number of names.
    pub fn waiting(&self, command: &str, devices: usize) {
        let label = CommandLabel {
            command: command.to_owned(),
        };
        let devices = i64::try_from(devices).unwrap_or(i64::MAX);
        self.waiting_devices.get_or_create(&label).set(devices);
    }

    pub fn text(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            log::error!("the metrics cannot be written: {error}");
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

/// From 4 ms to 35 minutes.
fn histogram() -> Histogram {
    Histogram::new(exponential_buckets(0.004, 3.0, 13))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_shows_up() {
        let metrics = Metrics::new();
        metrics.request("Sync", "14.1", Some(200), Some(1), Duration::from_millis(5), 2);
        metrics.ignored("14.1", 4);
        metrics.gauges(3, 1, 7);
        metrics.waiting("Ping", 2);
        let text = metrics.text();
        for line in [
            "oxtender_requests_total{command=\"Sync\",version=\"14.1\",http=\"200\",status=\"1\"} 1",
            "oxtender_command_ox_calls_total{command=\"Sync\"} 2",
            "oxtender_ignored_elements_total{version=\"14.1\"} 4",
            "oxtender_devices 3",
            "oxtender_waiting_devices{command=\"Ping\"} 2",
        ] {
            assert!(text.contains(line), "{line} is missing in\n{text}");
        }
    }
}
