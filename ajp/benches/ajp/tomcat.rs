//! Debian's Tomcat with a trivial servlet: started privately, in a directory of its own, never as a service.

use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tempfile::TempDir;

use crate::ANSWER;
use crate::process::Process;

const HOME: &str = "/usr/share/tomcat10";

pub(crate) struct Tomcat {
    pub(crate) process: Process,
    _directory: TempDir,
}

impl Tomcat {
    /// `None` where Tomcat or a Java compiler is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new(HOME).join("bin/bootstrap.jar").exists() || !Path::new("/usr/bin/javac").exists() {
            return None;
        }
        match Self::try_start() {
            Ok(tomcat) => Some(tomcat),
            Err(error) => {
                println!("Tomcat does not start: {error}");
                None
            }
        }
    }

    fn try_start() -> io::Result<Self> {
        let directory = tempfile::tempdir()?;
        let base = directory.path();
        for part in ["conf", "logs", "temp", "work", "webapps/ROOT/WEB-INF/classes"] {
            fs::create_dir_all(base.join(part))?;
        }
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        fs::write(base.join("conf/server.xml"), server(port))?;
        fs::write(base.join("webapps/ROOT/WEB-INF/web.xml"), APPLICATION)?;
        compile(base)?;
        let output = fs::File::create(base.join("logs/out"))?;
        let child = Command::new("java")
            .args(["-Xmx512m", "-cp"])
            .arg(format!("{HOME}/bin/bootstrap.jar:{HOME}/bin/tomcat-juli.jar"))
            .arg(format!("-Dcatalina.home={HOME}"))
            .arg(format!("-Dcatalina.base={}", base.display()))
            .arg(format!("-Djava.io.tmpdir={}/temp", base.display()))
            .args(["org.apache.catalina.startup.Bootstrap", "start"])
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let process = Process::of(child, address);
        let deadline = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(address).is_err() {
            if Instant::now() > deadline {
                return Err(io::Error::other(fs::read_to_string(base.join("logs/out"))?));
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(Self {
            process,
            _directory: directory,
        })
    }
}

fn compile(base: &Path) -> io::Result<()> {
    let source = base.join("Answer.java");
    fs::write(&source, SERVLET.replace("ANSWER", &ANSWER.to_string()))?;
    let compiled = Command::new("javac")
        .args(["-cp", "/usr/share/tomcat10/lib/servlet-api.jar", "-d"])
        .arg(base.join("webapps/ROOT/WEB-INF/classes"))
        .arg(source)
        .status()?;
    compiled
        .success()
        .then_some(())
        .ok_or_else(|| io::Error::other("javac failed"))
}

/// Reads the body and answers the same bytes as ours.
const SERVLET: &str = r#"
import jakarta.servlet.http.*;

public class Answer extends HttpServlet {
    private static final byte[] BODY = "x".repeat(ANSWER).getBytes();

    @Override
    protected void doPost(HttpServletRequest request, HttpServletResponse response) throws java.io.IOException {
        request.getInputStream().readNBytes(request.getContentLength());
        response.setContentType("application/octet-stream");
        response.setContentLength(BODY.length);
        response.getOutputStream().write(BODY);
    }
}
"#;

const APPLICATION: &str = r#"<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0">
  <servlet><servlet-name>answer</servlet-name><servlet-class>Answer</servlet-class></servlet>
  <servlet-mapping><servlet-name>answer</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>
"#;

fn server(port: u16) -> String {
    format!(
        r#"<Server port="-1">
  <Service name="Catalina">
    <Connector protocol="AJP/1.3" address="127.0.0.1" port="{port}" secretRequired="false" maxThreads="300"/>
    <Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>
  </Service>
</Server>
"#
    )
}
