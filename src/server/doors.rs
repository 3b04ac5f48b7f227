//! The listening sockets: those that the service manager hands over, else those of the configuration.
//!
//! Implements the side of the service in systemd's socket activation, `sd_listen_fds(3)`: a socket that the service manager
//! holds outlives the gateway, so that connections made during a restart wait for the next process instead of being refused.

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;

use listenfd::ListenFd;
use tokio::net::TcpListener;

use super::StartError;
use crate::config::Ajp;
use crate::config::Doors;
use crate::config::HostPort;
use crate::config::keys;
use crate::config::keys::Key;

/// The listening sockets of each door. The service manager may hand over several for one, as for IPv4 and IPv6.
#[derive(Default)]
pub(super) struct Listeners {
    pub(super) ajp: Vec<TcpListener>,
    pub(super) http: Vec<TcpListener>,
    pub(super) admin: Vec<TcpListener>,
}

impl Listeners {
    /// Takes over or binds all of them. Nobody is served before the AJP door was found to be guarded.
    pub(super) async fn open(config: &Doors) -> Result<Self, StartError> {
        let mut listeners = Self::inherited()?;
        // door, its option, its address
        let configured: [(&mut Vec<TcpListener>, &Key, &Option<HostPort>); 3] = [
            (&mut listeners.ajp, &keys::AJP_LISTEN, &config.ajp.listen),
            (&mut listeners.http, &keys::HTTP_LISTEN, &config.http.listen),
            (&mut listeners.admin, &keys::ADMIN_LISTEN, &config.admin),
        ];
        for (door, key, address) in configured {
            if let Some(address) = address.as_ref().filter(|_| door.is_empty()) {
                door.push(bind(key.name, address).await?);
            }
        }
        for listener in &listeners.ajp {
            check_exposure(listener.local_addr(), &config.ajp)?;
        }
        Ok(listeners)
    }

    /// Where each door is, by its name.
    pub(super) fn addresses(&self) -> BTreeMap<&'static str, Vec<SocketAddr>> {
        let doors = [("ajp", &self.ajp), ("http", &self.http), ("admin", &self.admin)];
        let bound = |door: &Vec<TcpListener>| door.iter().filter_map(|listener| listener.local_addr().ok()).collect();
        doors.map(|(name, door)| (name, bound(door))).into()
    }

    /// What the service manager hands over: sockets in `LISTEN_FDS`, their names in `LISTEN_FDNAMES`.
    fn inherited() -> Result<Self, StartError> {
        let mut listeners = Self::default();
        let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut sockets = ListenFd::from_env();
        for index in 0..sockets.len() {
            let name = names.split(':').nth(index).unwrap_or_default();
            let failed = |reason: String| StartError::Inherited {
                name: name.to_owned(),
                reason,
            };
            let door = match name {
                "ajp" => &mut listeners.ajp,
                "http" => &mut listeners.http,
                "admin" => &mut listeners.admin,
                _ => return Err(failed("there is no such door".to_owned())),
            };
            let Some(socket) = sockets
                .take_tcp_listener(index)
                .map_err(|error| failed(error.to_string()))?
            else {
                continue;
            };
            let listener = socket
                .set_nonblocking(true)
                .and_then(|()| TcpListener::from_std(socket));
            let listener = listener.map_err(|error| failed(error.to_string()))?;
            let bound = listener.local_addr().map_err(|error| failed(error.to_string()))?;
            log::info!("listening on {bound} (socket {name} of the service manager)");
            door.push(listener);
        }
        Ok(listeners)
    }
}

async fn bind(key: &'static str, address: &HostPort) -> Result<TcpListener, StartError> {
    let failed = |source| StartError::Listen {
        key,
        address: address.to_string(),
        source,
    };
    let listener = TcpListener::bind((address.host.as_str(), address.port))
        .await
        .map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    log::info!("listening on {bound} ({key})");
    Ok(listener)
}

/// Whoever reaches an AJP port can pose as the web server, so it is on a loopback address, or has a secret, or the
/// administrator said that he knows.
pub fn check_exposure(address: std::io::Result<SocketAddr>, config: &Ajp) -> Result<(), StartError> {
    if config.secret.is_some() || config.allow_remote_without_secret {
        return Ok(());
    }
    match address {
        Ok(address) if address.ip().to_canonical().is_loopback() => Ok(()),
        Ok(address) => Err(StartError::Exposed {
            address: address.to_string(),
        }),
        Err(error) => Err(StartError::Exposed {
            address: format!("unknown address, {error}"),
        }),
    }
}
