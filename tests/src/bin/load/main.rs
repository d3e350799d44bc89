//! Load measurements of the real server against an axum echo in the same run: CPU per request, throughput, latency in
//! an open loop, start, memory. `cargo run --release -p yingda-tests --bin load -- [SECONDS]`
//!
//! The server under test is the `yingda` binary beside this one; build it first, in release.

mod client;
mod echo;
mod process;
mod report;
mod traffic;

use std::time::Duration;

use process::{Child, Fault};
use report::Row;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "echo") {
        return echo::serve();
    }
    let seconds = arguments
        .first()
        .and_then(|text| text.parse().ok())
        .unwrap_or(10);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let outcome = match runtime {
        Ok(runtime) => runtime.block_on(measure(Duration::from_secs(seconds))),
        Err(error) => Err(Fault(error.to_string())),
    };
    if let Err(fault) = outcome {
        eprintln!("the measurement stopped: {fault}");
        std::process::exit(1);
    }
}

async fn measure(span: Duration) -> Result<(), Fault> {
    let mut rows = Vec::new();
    let echo = Child::echo().await?;
    let plain = closed_loop(
        "axum echo, 900 bytes",
        &echo,
        traffic::Traffic::echo(),
        span,
    )
    .await?;
    drop(echo);
    for (name, package) in [
        ("yingda, demo package", traffic::Package::Demo),
        (
            "yingda, 500 generated rules",
            traffic::Package::Generated(500),
        ),
    ] {
        let started = std::time::Instant::now();
        let server = Child::yingda(package).await?;
        let mut traffic = traffic::Traffic::encrypted(server.port);
        client::one(server.port, traffic.next()).await?;
        let first_answer = started.elapsed();
        let idle_memory = server.memory_kb()?;
        let row = closed_loop(name, &server, traffic, span).await?;
        println!(
            "{name}: first answer after {:.0} ms (gate P12 1000), idle memory {} MB (gate P13 200)",
            first_answer.as_secs_f64() * 1000.0,
            idle_memory / 1024
        );
        rows.push(row);
        let mut traffic = traffic::Traffic::encrypted(server.port);
        let latency = client::open_loop(server.port, &mut traffic, 2000, span).await?;
        println!("{name}: open loop {latency} (gate P10 p99 < 15 ms)");
        println!(
            "{name}: memory after load {} MB",
            server.memory_kb()? / 1024
        );
    }
    report::print(&plain, &rows);
    Ok(())
}

async fn closed_loop(
    name: &str,
    child: &Child,
    mut traffic: traffic::Traffic,
    span: Duration,
) -> Result<Row, Fault> {
    // The first requests fill caches and connections; they do not count.
    client::closed_loop(child.port, &mut traffic, span / 5).await?;
    let before = child.cpu()?;
    let counted = client::closed_loop(child.port, &mut traffic, span).await?;
    let cpu = child.cpu()?.saturating_sub(before);
    Ok(Row {
        name: name.to_string(),
        requests: counted.requests,
        per_second: counted.requests as f64 / counted.elapsed.as_secs_f64(),
        cpu_us: cpu.as_secs_f64() * 1e6 / counted.requests.max(1) as f64,
        refused: counted.refused,
    })
}
