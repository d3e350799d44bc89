//! The server under test: the real binary in a child process, with a configuration and a folder of its own.

mod binary;
mod settings;

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use reqwest::Client;
use tokio::process::{Child, Command};

pub use binary::binary;
pub use settings::{AccountSetup, ConnectorSetup, Setup};

use crate::wait::{PATIENCE, eventually};

/// The administrator's token of every server under test.
pub const ADMIN_TOKEN: &str = "the-administrators-token";

/// A running server. It is killed when it is dropped.
pub struct Server {
    child: Child,
    folder: PathBuf,
    base: String,
    /// From the start of the process to the line that says it listens.
    pub started_in: Duration,
    pub http: Client,
}

#[allow(clippy::expect_used, clippy::panic)] // A bench that does not start fails its test.
impl Server {
    /// Starts in `folder`, where `yingda.toml` is; the log goes on in `server.log`.
    pub async fn start(folder: &Path) -> Self {
        match Self::try_start(folder).await {
            Ok(server) => server,
            Err((code, said)) => panic!("the server ended with {code:?}:\n{said}"),
        }
    }

    /// As [`Server::start`]; the exit code and what it said where it ends by itself.
    pub async fn try_start(folder: &Path) -> Result<Self, (Option<i32>, String)> {
        let command = command(folder, &["serve"]);
        Self::spawn(command, folder).await
    }

    /// Waits for a command that was made to run the server.
    pub async fn spawn(mut command: Command, folder: &Path) -> Result<Self, (Option<i32>, String)> {
        let log = folder.join("server.log");
        let before = std::fs::read_to_string(&log).map_or(0, |text| text.len());
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log);
        let begun = Instant::now();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file.expect("the log file"))
            .kill_on_drop(true)
            .spawn()
            .expect("the binary runs");
        let said = || {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            text.get(before..).unwrap_or_default().to_owned()
        };
        loop {
            let text = said();
            if let Some(rest) = text.split_once("应答已启动：").map(|(_, rest)| rest)
                && let Some((base, _)) = rest.split_once('\n')
            {
                return Ok(Self {
                    child,
                    folder: folder.to_owned(),
                    base: base.trim().to_owned(),
                    started_in: begun.elapsed(),
                    http: Client::builder()
                        .no_proxy()
                        .build()
                        .expect("an HTTP client"),
                });
            }
            if let Some(status) = child.try_wait().expect("the child's state") {
                return Err((status.code(), said()));
            }
            assert!(
                begun.elapsed() < PATIENCE,
                "the server does not start:\n{}",
                said()
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// `http://127.0.0.1:…`
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What the server (and those before it in this folder) logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("server.log")).unwrap_or_default()
    }

    /// kill -9, and the process is gone.
    pub async fn kill(mut self) {
        self.child.start_kill().expect("kill");
        self.child.wait().await.expect("the killed child");
    }

    /// SIGTERM; how long it took to end, and its exit code.
    pub async fn terminate(mut self) -> (Duration, Option<i32>) {
        let begun = Instant::now();
        self.signal("TERM");
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("the server ends").expect("the child's state");
        (begun.elapsed(), status.code())
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = std::process::Command::new("kill")
            .args([&format!("-{name}"), &self.pid().to_string()])
            .status();
        assert!(sent.expect("kill").success());
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.pid())).expect("/proc");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
        kilobytes.expect("VmRSS") * 1024
    }

    /// A request to the admin API, as the administrator; status and body.
    pub async fn api(
        &self,
        method: &str,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> (u16, serde_json::Value) {
        let method = method.parse().expect("a method");
        let mut request = self
            .http
            .request(method, self.url(path))
            .bearer_auth(ADMIN_TOKEN);
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.expect("the API answers");
        let status = response.status().as_u16();
        let body = response.text().await.unwrap_or_default();
        (status, serde_json::from_str(&body).unwrap_or_default())
    }

    /// GET, as nobody; status and text.
    pub async fn get(&self, path: &str) -> (u16, String) {
        let response = self
            .http
            .get(self.url(path))
            .send()
            .await
            .expect("an answer");
        (
            response.status().as_u16(),
            response.text().await.unwrap_or_default(),
        )
    }

    /// The value of a metric's line, by the line's beginning; 0 where it is not there.
    pub async fn metric(&self, line: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let found = text.lines().find(|metric| metric.starts_with(line));
        found
            .and_then(|metric| metric.rsplit(' ').next()?.parse().ok())
            .unwrap_or_default()
    }

    /// Ready to answer callbacks; how long that took from the start of the process.
    pub async fn ready(&self) -> Duration {
        let begun = Instant::now();
        eventually("readiness", || async {
            (self.get("/readyz").await.0 == 200).then_some(())
        })
        .await;
        self.started_in + begun.elapsed()
    }
}

/// A command of the binary in a folder, none of whose settings come from the tester's environment.
pub fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binary());
    command.args(arguments).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("YINGDA_") {
            command.env_remove(name);
        }
    }
    command
        .env("YINGDA_ADMIN_TOKEN", ADMIN_TOKEN)
        .env("NO_COLOR", "1");
    command
}

/// What a command said and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

/// Runs a command to its end with this input.
#[allow(clippy::expect_used)]
pub async fn run(folder: &Path, arguments: &[&str], input: &[u8]) -> Said {
    use tokio::io::AsyncWriteExt;
    let mut child = command(folder, arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the binary runs");
    if let Some(mut stdin) = child.stdin.take() {
        // A command that ends before it has read everything is allowed to.
        let _ = stdin.write_all(input).await;
    }
    let ended = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let Output {
        status,
        stdout,
        stderr,
    } = ended.expect("the command ends").expect("its output");
    Said {
        code: status.code(),
        out: String::from_utf8(stdout).expect("UTF-8 on standard output"),
        err: String::from_utf8(stderr).expect("UTF-8 on standard error"),
    }
}
