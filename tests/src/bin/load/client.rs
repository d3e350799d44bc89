//! A small HTTP/1.1 client that costs little: prepared requests over kept-alive connections.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::process::Fault;
use super::traffic::Traffic;

/// Connections of a closed loop: enough that commits are shared.
const CONNECTIONS: usize = 128;
/// Connections of an open loop.
const OPEN_CONNECTIONS: usize = 64;

#[derive(Debug, Default)]
pub struct Counted {
    pub requests: u64,
    pub refused: u64,
    pub elapsed: Duration,
}

/// One request on a connection of its own.
pub async fn one(port: u16, request: Vec<u8>) -> Result<(), Fault> {
    let mut connection = Connection::open(port).await?;
    match connection.exchange(&request).await? {
        200 => Ok(()),
        status => Err(Fault(format!("the first request was answered {status}"))),
    }
}

/// As many requests as the server takes, each connection waiting for its answer.
pub async fn closed_loop(
    port: u16,
    traffic: &mut Traffic,
    span: Duration,
) -> Result<Counted, Fault> {
    let (send, receive) = mpsc::channel::<Vec<u8>>(CONNECTIONS * 2);
    let receive = std::sync::Arc::new(tokio::sync::Mutex::new(receive));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..CONNECTIONS {
        let receive = receive.clone();
        let mut connection = Connection::open(port).await?;
        workers.spawn(async move {
            let mut counted = Counted::default();
            loop {
                let request = receive.lock().await.recv().await;
                let Some(request) = request else {
                    return Ok::<Counted, Fault>(counted);
                };
                counted.requests += 1;
                if connection.exchange(&request).await? != 200 {
                    counted.refused += 1;
                }
            }
        });
    }
    let started = Instant::now();
    while started.elapsed() < span {
        if send.send(traffic.next()).await.is_err() {
            break;
        }
    }
    drop(send);
    let mut all = Counted::default();
    while let Some(counted) = workers.join_next().await {
        let counted = counted??;
        all.requests += counted.requests;
        all.refused += counted.refused;
    }
    all.elapsed = started.elapsed();
    Ok(all)
}

/// Latencies of an open loop, from the moment a request was due.
pub struct Latencies {
    sorted_us: Vec<u64>,
    refused: u64,
}

impl std::fmt::Display for Latencies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = |share: f64| {
            let index = ((self.sorted_us.len() as f64 * share) as usize)
                .min(self.sorted_us.len().saturating_sub(1));
            self.sorted_us
                .get(index)
                .map_or(0.0, |us| *us as f64 / 1000.0)
        };
        write!(
            f,
            "{} requests: p50 {:.2} ms, p99 {:.2} ms, p99.9 {:.2} ms, max {:.2} ms, {} not 200",
            self.sorted_us.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0),
            self.refused
        )
    }
}

/// `rate` requests a second, sent when they are due whatever the server does.
pub async fn open_loop(
    port: u16,
    traffic: &mut Traffic,
    rate: u32,
    span: Duration,
) -> Result<Latencies, Fault> {
    let (send, receive) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let receive = std::sync::Arc::new(tokio::sync::Mutex::new(receive));
    let mut workers = tokio::task::JoinSet::new();
    for _ in 0..OPEN_CONNECTIONS {
        let receive = receive.clone();
        let mut connection = Connection::open(port).await?;
        workers.spawn(async move {
            let mut latencies = Vec::new();
            let mut refused = 0u64;
            loop {
                let next = receive.lock().await.recv().await;
                let Some((due, request)) = next else {
                    return Ok::<_, Fault>((latencies, refused));
                };
                if connection.exchange(&request).await? != 200 {
                    refused += 1;
                }
                latencies.push(due.elapsed().as_micros() as u64);
            }
        });
    }
    let started = Instant::now();
    let total = u64::from(rate) * span.as_secs();
    let gap = Duration::from_secs(1) / rate;
    for index in 0..total {
        let due = started + gap * index as u32;
        // Timers have a resolution of a millisecond: what became due meanwhile goes out together.
        if due > Instant::now() {
            tokio::time::sleep_until(due.into()).await;
        }
        if send.send((due, traffic.next())).is_err() {
            break;
        }
    }
    drop(send);
    let mut all = Latencies {
        sorted_us: Vec::new(),
        refused: 0,
    };
    while let Some(part) = workers.join_next().await {
        let (latencies, refused) = part??;
        all.sorted_us.extend(latencies);
        all.refused += refused;
    }
    all.sorted_us.sort_unstable();
    Ok(all)
}

struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(port: u16) -> Result<Self, Fault> {
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8192),
        })
    }

    /// Send a request, read the whole answer, give its status.
    async fn exchange(&mut self, request: &[u8]) -> Result<u16, Fault> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(Fault("the server closed the connection".into()));
            }
            let Some(head) = find(&self.buffer, b"\r\n\r\n") else {
                continue;
            };
            let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
            let length: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length:"))
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(0);
            while self.buffer.len() < head + 4 + length {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(Fault("the server closed the connection".into()));
                }
            }
            return text
                .get(9..12)
                .and_then(|status| status.parse().ok())
                .ok_or_else(|| Fault("no status".into()));
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
