//! The servers under measurement as child processes, and what the kernel says they used.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::traffic::Package;

/// Why a measurement cannot go on.
#[derive(Debug)]
pub struct Fault(pub String);

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: std::error::Error> From<E> for Fault {
    fn from(error: E) -> Self {
        Fault(error.to_string())
    }
}

/// A running server; killed when dropped.
pub struct Child {
    process: std::process::Child,
    pub port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Child {
    /// This binary as the echo server.
    pub async fn echo() -> Result<Child, Fault> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("echo")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        let stdout = process
            .stdout
            .take()
            .ok_or_else(|| Fault("echo has no output".into()))?;
        BufReader::new(stdout).read_line(&mut line)?;
        Ok(Child {
            process,
            port: line.trim().parse()?,
            _folder: tempfile::tempdir()?,
        })
    }

    /// The `yingda` binary beside this one, with a fresh database.
    pub async fn yingda(package: Package) -> Result<Child, Fault> {
        let binary: PathBuf = std::env::current_exe()?.with_file_name("yingda");
        if !binary.exists() {
            return Err(Fault(format!(
                "{} is missing: cargo build --release first",
                binary.display()
            )));
        }
        let folder = tempfile::tempdir()?;
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let package = package.write(folder.path())?;
        let config = folder.path().join("yingda.toml");
        std::fs::write(&config, super::traffic::config(port, &package))?;
        let process = Command::new(binary)
            .args(["serve", "--config"])
            .arg(&config)
            .env("YINGDA_LOG", "error")
            .stderr(Stdio::inherit())
            .spawn()?;
        let child = Child {
            process,
            port,
            _folder: folder,
        };
        let started = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_err()
        {
            if started.elapsed() > Duration::from_secs(30) {
                return Err(Fault("the server did not start within 30 s".into()));
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        Ok(child)
    }

    /// CPU time used so far, user and system, all threads (`/proc/PID/stat`, fields 14 and 15, hundredths of a second).
    pub fn cpu(&self) -> Result<Duration, Fault> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let after_name = stat
            .rsplit_once(')')
            .ok_or_else(|| Fault("unreadable stat".into()))?
            .1;
        let ticks: u64 = after_name
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|field| field.parse().unwrap_or(0))
            .sum();
        Ok(Duration::from_millis(ticks * 10))
    }

    /// Resident memory, KiB.
    pub fn memory_kb(&self) -> Result<u64, Fault> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb = line
            .and_then(|rest| rest.split_whitespace().next())
            .and_then(|number| number.parse().ok());
        kb.ok_or_else(|| Fault("no VmRSS".into()))
    }
}
