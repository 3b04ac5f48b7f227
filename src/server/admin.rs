//! The administrator's door: `/health` for those who watch, `/metrics` for Prometheus.

use std::net::SocketAddr;

use bytes::Bytes;
use http::Request;
use http::Response;
use http::StatusCode;
use http_body_util::Full;
use hyper::body::Incoming;
use tokio_util::sync::CancellationToken;

use super::Gateway;
use super::http_door::Handler;
use super::plain;
use crate::metrics::Metrics;

#[derive(Clone)]
pub(super) struct Admin {
    pub(super) gateway: Gateway,
    /// Cancelled once the gateway is going down.
    pub(super) stop: CancellationToken,
}

impl Handler for Admin {
    async fn handle(&self, _: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let response = match request.uri().path() {
            "/health" => self.health().await,
            "/metrics" => plain(StatusCode::OK, Metrics::CONTENT_TYPE, self.metrics()),
            _ => plain(
                StatusCode::NOT_FOUND,
                "text/plain",
                "/health and /metrics are here\n".into(),
            ),
        };
        response.map(Full::new)
    }
}

impl Admin {
    /// 200 if OX and the database answer and the gateway is not going down, else 503; why not stands beside the part.
    async fn health(&self) -> Response<Bytes> {
        let (ox, store) = tokio::join!(self.gateway.ox.alive(), self.gateway.store.ping());
        let ox = ox.map_err(|error| error.to_string());
        let store = store.map_err(|error| error.to_string());
        let stopping = self.stop.is_cancelled();
        let well = ox.is_ok() && store.is_ok() && !stopping;
        let part = |result: Result<(), String>| match result {
            Ok(()) => serde_json::json!({ "ok": true }),
            Err(reason) => serde_json::json!({ "ok": false, "reason": reason }),
        };
        let state = if stopping { "stopping" } else { "serving" };
        let body = serde_json::json!({ "ok": well, "state": state, "ox": part(ox), "database": part(store) });
        let status = if well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        plain(status, "application/json", format!("{body}\n"))
    }

    fn metrics(&self) -> String {
        let Gateway { lasting, ox, .. } = &self.gateway;
        lasting
            .metrics
            .gauges(lasting.sessions.count(), lasting.notifier.count(), ox.calls());
        lasting.metrics.text()
    }
}
