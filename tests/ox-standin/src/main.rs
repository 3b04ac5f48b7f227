//! `ox-standin`: an OX server with sample data, for demonstrations and for tests of other processes.
//!
//! Arguments only; the server is the library.

use ox_standin::Profile;
use ox_standin::Standin;
use ox_standin::sample;
use std::process::ExitCode;

const HELP: &str = "\
An Open-Xchange server in memory, with sample data of two users: anton and berta, password secret.

Usage: ox-standin [OPTIONS]

  --listen ADDRESS   where to listen (127.0.0.1:0; port 0 chooses a free one)
  --profile VERSION  6.16, 6.20, 7.8, 7.10 or 8 (7.8)
  --zone ZONE        time zone of the users (Europe/Berlin)
  --now MS           stop the clock at this time, UTC milliseconds; the sample data lies around it
  --empty            no sample data
  --single-node      accept requests without the JSESSIONID cookie
  --help             this text

Prints one line, `listening on http://ADDRESS/ajax/`, and serves until it is killed.

For demonstrations and tests there is a second door below /standin/:
  POST mail?user=anton&folder=default0/INBOX   deliver the body as a mail
  POST object?user=anton&module=contacts       create an object from JSON (calendar, tasks, contacts)
  POST sessions/expire                         end all sessions
  POST faults                                  order a fault: {\"fault\":\"status\",\"status\":503,\"module\":\"mail\",\"action\":\"all\",\"nth\":1}
                                               faults: status, rate_limited, timeout, reset, lose_answer, html_page,
                                               truncated_json, session_expired, error, warning, delay, leading_blank
  POST faults/clear                            forget all faults
  GET  calls, POST calls/reset                 counters and log of calls
  GET  sent?user=anton                         what has been sent
  POST clock                                   {\"set\":ms}, {\"advance\":ms} or {\"run\":true}
";

fn main() -> ExitCode {
    match Arguments::parse(std::env::args().skip(1)) {
        Ok(Some(arguments)) => serve(&arguments),
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("ox-standin: {text}; try --help");
            ExitCode::from(2)
        }
    }
}

/// The command line.
#[derive(Debug, PartialEq)]
struct Arguments {
    listen: String,
    profile: Profile,
    zone: String,
    now: Option<i64>,
    empty: bool,
    single_node: bool,
}

impl Arguments {
    /// `None`: help is wanted.
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut arguments = Self {
            listen: "127.0.0.1:0".to_owned(),
            profile: Profile::default(),
            zone: "Europe/Berlin".to_owned(),
            now: None,
            empty: false,
            single_node: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--listen" => arguments.listen = value()?,
                "--profile" => arguments.profile = value()?.parse()?,
                "--zone" => arguments.zone = value()?,
                "--now" => arguments.now = Some(value()?.parse().map_err(|_| "--now needs milliseconds".to_owned())?),
                "--empty" => arguments.empty = true,
                "--single-node" => arguments.single_node = true,
                "--help" | "-h" => return Ok(None),
                other => return Err(format!("unknown option {other}")),
            }
        }
        Ok(Some(arguments))
    }
}

fn serve(arguments: &Arguments) -> ExitCode {
    let mut builder = Standin::builder().profile(arguments.profile).zone(&arguments.zone);
    if let Some(now) = arguments.now {
        builder = builder.now(now);
    }
    if arguments.single_node {
        builder = builder.single_node();
    }
    let standin = builder.build();
    if !arguments.empty {
        sample::fill(&standin, standin.clock().now());
    }
    let running = match standin.start(arguments.listen.as_str()) {
        Ok(running) => running,
        Err(error) => {
            eprintln!("ox-standin: cannot listen on {}: {error}", arguments.listen);
            return ExitCode::FAILURE;
        }
    };
    println!("listening on {}", running.url());
    loop {
        // The server has a thread of its own; this one only keeps the program alive.
        std::thread::park();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Option<Arguments>, String> {
        Arguments::parse(words.iter().map(ToString::to_string))
    }

    #[test]
    fn arguments() {
        let parsed = parse(&[
            "--listen",
            "127.0.0.1:8009",
            "--profile",
            "7.10",
            "--now",
            "5",
            "--empty",
        ]);
        let parsed = parsed.expect("good arguments").expect("no help");
        assert_eq!(
            (parsed.listen.as_str(), parsed.profile, parsed.now),
            ("127.0.0.1:8009", Profile::V7_10, Some(5))
        );
        assert!(parsed.empty && !parsed.single_node);
        assert_eq!(parse(&["--help"]), Ok(None));
        for wrong in [
            &["--profile"][..],
            &["--profile", "9"],
            &["--now", "x"],
            &["--nonsense"],
        ] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }
}
