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
use super::serving::WAITING;
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
    /// 200 if all parts are well and the gateway is not going down, else 503; why not stands beside the part.
    async fn health(&self) -> Response<Bytes> {
        let (well, body) = self
            .gateway
            .lasting
            .health
            .look(&self.gateway, self.stop.is_cancelled())
            .await;
        let status = if well {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        plain(status, "application/json", format!("{body}\n"))
    }

    fn metrics(&self) -> String {
        let Gateway { lasting, ox, .. } = &self.gateway;
        let (metrics, notifier) = (&lasting.metrics, &lasting.notifier);
        metrics.gauges(lasting.sessions.count(), notifier.count(), ox.calls());
        for command in WAITING {
            metrics.waiting(command, notifier.waiting(command));
        }
        metrics.text()
    }
}
