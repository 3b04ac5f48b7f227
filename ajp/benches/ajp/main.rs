//! `make bench`: how fast and how small the listener is, beside Tomcat's connector and through Apache, in one run.
//!
//! Three questions, each a table:
//!
//! 1. Requests per second and CPU time per request on persistent AJP connections, a small POST in and 300 bytes out;
//!    beside a back end that answers a constant without reading, a thread for each connection and two calls of the
//!    kernel for each request: what remains is the machine's own price of waking a process and moving the bytes.
//! 2. Resident memory of the listener for each parked connection.
//! 3. Requests per second through Apache, beside a static file of the same size from the same Apache, and beside the
//!    back end that answers a constant.
//!
//! Servers run in processes of their own, so that their CPU time and memory are theirs alone; the load comes from one
//! thread of this one and shares the processors with them. Tomcat and Apache are left out, aloud, where they are not
//! installed. Ratios on one machine in one run mean something; the figures alone do not.

mod load;
mod process;
mod server;
mod tomcat;

#[path = "../../tests/it/apache.rs"]
#[allow(dead_code, reason = "the tests need more of it")]
mod apache;

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use apache::Apache;
use load::Load;
use load::Measured;
use process::Process;
use tomcat::Tomcat;

/// How long each load runs before it is measured, and while it is.
const WARM_UP: Duration = Duration::from_secs(2);
const MEASURE: Duration = Duration::from_secs(3);

/// Bytes of each answer's body.
const ANSWER: usize = 300;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("serve") => return server::serve(),
        Some("constant") => return server::constant(),
        // By themselves, for a profiler: cargo bench -p ajp --bench ajp -- parked
        Some("parked") => return parked(),
        Some("raw") => return over_ajp(&Process::own("serve")?, &Process::own("constant")?, None),
        _ => {}
    }
    let ours = Process::own("serve")?;
    let tomcat = Tomcat::start();
    if tomcat.is_none() {
        println!("Tomcat is left out: install tomcat10 and a JDK to measure beside it.\n");
    }
    let constant = Process::own("constant")?;
    over_ajp(&ours, &constant, tomcat.as_ref())?;
    through_apache(&ours, &constant, tomcat.as_ref())?;
    drop((ours, constant, tomcat));
    parked()
}

fn over_ajp(ours: &Process, constant: &Process, tomcat: Option<&Tomcat>) -> io::Result<()> {
    println!("Over AJP: POST of 100 bytes in, {ANSWER} bytes out");
    println!(
        "{:>12} {:>20} {:>20} {:>20} {:>17} {:>17}",
        "connections", "this crate", "constant", "Tomcat", "ours/constant", "ours/Tomcat"
    );
    print!("{:>12}", "");
    for _ in 0..3 {
        print!(" {:>11} {:>8}", "requests/s", "CPU µs");
    }
    println!(" {0:>9} {1:>7} {0:>9} {1:>7}", "requests", "CPU");
    for connections in [1, 16, 256] {
        let load = Load::ajp(connections);
        let own = measure(&load, ours.address, Some(ours))?;
        let least = measure(&load, constant.address, Some(constant))?;
        let other = match tomcat {
            Some(tomcat) => Some(measure(&load, tomcat.process.address, Some(&tomcat.process))?),
            None => None,
        };
        print!("{connections:>12}");
        for measured in [Some(&own), Some(&least), other.as_ref()] {
            match measured {
                Some(measured) => print!(" {:>11.0} {:>8.1}", measured.rate, measured.cpu),
                None => print!(" {:>11} {:>8}", "-", "-"),
            }
        }
        for measured in [Some(&least), other.as_ref()].into_iter().flatten() {
            print!(" {:>8.2}x {:>7.2}", own.rate / measured.rate, own.cpu / measured.cpu);
        }
        println!();
    }
    println!();
    Ok(())
}

fn through_apache(ours: &Process, constant: &Process, tomcat: Option<&Tomcat>) -> io::Result<()> {
    let files = tempfile::tempdir()?;
    fs::write(files.path().join("file"), vec![b'x'; ANSWER])?;
    let mut lines = format!(
        "ThreadsPerChild 64\nServerLimit 4\nStartServers 2\nMaxRequestWorkers 256\nMinSpareThreads 64\nLogLevel warn\n\
         DocumentRoot {0}\n<Directory {0}>\nRequire all granted\n</Directory>\n\
         ProxyPass /ours ajp://{1}/\nProxyPass /constant ajp://{2}/\n",
        files.path().display(),
        ours.address,
        constant.address,
    );
    if let Some(tomcat) = tomcat {
        lines += &format!("ProxyPass /tomcat ajp://{}/\n", tomcat.process.address);
    }
    let Some(apache) = Apache::start(&lines) else {
        println!("Apache is left out: install apache2-bin to measure through it.\n");
        return Ok(());
    };
    println!("Through Apache: POST of 100 bytes in, {ANSWER} bytes out; GET for the file");
    println!(
        "{:>12} {:>12} {:>12} {:>12} {:>12} {:>15}",
        "connections", "this crate", "constant", "Tomcat", "file", "ours/constant"
    );
    for connections in [1, 16, 64] {
        let rate = |load: Load| measure(&load, apache.address, None).map(|measured| measured.rate);
        let own = rate(Load::post("/ours", connections))?;
        let constant = rate(Load::post("/constant", connections))?;
        let other = match tomcat {
            Some(_) => format!("{:.0}", rate(Load::post("/tomcat", connections))?),
            None => "-".to_owned(),
        };
        let file = rate(Load::get("/file", connections))?;
        println!(
            "{connections:>12} {own:>12.0} {constant:>12.0} {other:>12} {file:>12.0} {:>15.2}",
            own / constant
        );
    }
    println!();
    Ok(())
}

fn parked() -> io::Result<()> {
    println!("Parked requests of a phone (POST, 12 headers), handler waiting on a channel");
    println!("{:>12} {:>12} {:>22}", "connections", "resident", "KB for each of them");
    // Some descriptors are needed for other things.
    let most = process::descriptors()?.saturating_sub(100);
    for connections in [10_000, most.min(50_000)] {
        let server = Process::own("serve")?;
        let before = server.resident()?;
        let held = match load::park(server.address, connections) {
            Ok(held) => held,
            Err(error) => {
                println!("{connections:>12} left out: {error} (ulimit -n?)");
                continue;
            }
        };
        let after = server.resident()?;
        println!(
            "{connections:>12} {:>9} KB {:>22.2}",
            after,
            (after - before) as f64 / connections as f64
        );
        drop(held);
    }
    Ok(())
}

fn measure(load: &Load, address: SocketAddr, server: Option<&Process>) -> io::Result<Measured> {
    load.run(address, WARM_UP, None)?;
    load.run(address, MEASURE, server)
}
