//! What the demonstration runs on: Open-Xchange, gateway and Apache, and the directory of the last two.

use std::net::SocketAddr;
use std::net::TcpListener;

use anyhow::Context as _;
use ox_standin::Running;
use ox_standin::Standin;
use ox_standin::sample;
use tempfile::TempDir;

use crate::apache;
use crate::apache::Apache;
use crate::arguments::Arguments;
use crate::gateway::Gateway;
use crate::paper::Paper;
use crate::ports;

/// In the order in which they stop.
pub(crate) struct Stage {
    apache: Apache,
    pub(crate) gateway: Gateway,
    ox: Running,
    _directory: TempDir,
}

impl Stage {
    /// Starts everything; what was started is stopped again if the rest fails.
    pub(crate) fn set(arguments: &Arguments, paper: &Paper) -> anyhow::Result<Self> {
        let mut directory = tempfile::Builder::new()
            .prefix("oxtender-demo-")
            .tempdir()
            .context("no temporary directory")?;
        if arguments.keep {
            directory.disable_cleanup(true);
            paper.line(&format!(
                "Configuration, logs and database stay in {}",
                directory.path().display()
            ));
            paper.blank();
        }
        let standin = Standin::builder().build();
        sample::fill(&standin, standin.clock().now());
        let ox = standin
            .start("127.0.0.1:0")
            .context("cannot start Open-Xchange in memory")?;
        let gateway = Gateway::start(directory.path(), &ox.url())?;
        let apache = start_apache(&directory, arguments.listen, gateway.ajp)?;
        Ok(Self {
            apache,
            gateway,
            ox,
            _directory: directory,
        })
    }

    pub(crate) fn standin(&self) -> &Standin {
        self.ox.standin()
    }

    /// Where a phone on this machine finds Apache.
    pub(crate) fn door(&self) -> SocketAddr {
        apache::reachable(self.apache.address)
    }

    /// Says what has been started.
    pub(crate) fn introduce(&self, paper: &Paper) {
        paper.title("OXtender gateway: a phone and Open-Xchange, with everything between them");
        paper.blank();
        paper.line("    phone");
        paper.line(&format!("      | HTTP      Apache        {}", self.apache.address));
        paper.line(&format!("      | AJP13     gateway       {}", self.gateway.ajp));
        paper.line(&format!(
            "      | HTTP API  Open-Xchange  {}, in memory, with sample data",
            self.ox.address()
        ));
        paper.blank();
    }

    /// Tells how a real phone gets in.
    pub(crate) fn invite(&self, paper: &Paper) {
        let address = self.apache.address;
        let server = match address.ip().is_unspecified() {
            true => format!("any address of this machine, port {}", address.port()),
            false => address.to_string(),
        };
        paper.blank();
        paper.title("Now try a phone or client of your own (account type Exchange or ActiveSync)");
        paper.blank();
        let rows = [
            ("server", server),
            ("user", "anton (or berta)".to_owned()),
            ("password", "secret".to_owned()),
            ("domain", "leave it empty".to_owned()),
            ("use SSL", "no".to_owned()),
            ("gateway's log", self.gateway.log.display().to_string()),
            ("its health", format!("http://{}/health", self.gateway.admin)),
            ("OX, second door", format!("http://{}/standin/calls", self.ox.address())),
        ];
        for (name, value) in rows {
            paper.line(&format!("    {name:<16} {value}"));
        }
        paper.blank();
        if address.ip().is_loopback() {
            paper.line("Only this machine can connect; for a phone: make demo ARGS='--listen 0.0.0.0:8080'");
        }
        paper.line("Ctrl-C stops everything; only what --keep asks for stays.");
    }
}

/// Apache with the line of existing installations. Devices wait longer than the minute that is its own limit.
fn start_apache(directory: &TempDir, listen: SocketAddr, gateway: SocketAddr) -> anyhow::Result<Apache> {
    let lines = format!(
        "ProxyPass /Microsoft-Server-ActiveSync ajp://{gateway}/Microsoft-Server-ActiveSync smax=0 ttl=60 retry=5\n\
         ProxyTimeout 3700"
    );
    let launch = |address: SocketAddr| {
        Apache::launch(directory.path(), address, &lines)
            .map_err(|said| anyhow::anyhow!("Apache does not start at {address}: {}", said.trim()))
    };
    if listen.port() != 0 {
        TcpListener::bind(listen).with_context(|| format!("cannot listen at {listen}"))?;
        return launch(listen);
    }
    let mut started = launch(SocketAddr::new(listen.ip(), ports::free()));
    for _ in 1..ports::ATTEMPTS {
        if started.is_ok() {
            break;
        }
        started = launch(SocketAddr::new(listen.ip(), ports::free()));
    }
    started
}
