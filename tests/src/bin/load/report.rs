//! The table at the end: everything as a ratio to the echo of the same run.

/// One server under a closed loop.
pub struct Row {
    pub name: String,
    pub requests: u64,
    pub per_second: f64,
    /// CPU of the server, microseconds a request.
    pub cpu_us: f64,
    /// Answers other than 200.
    pub refused: u64,
}

/// CPU per request of other servers, measured with the echo at 9.0 µs (wechatpy 1.8 with Flask, WeRoBot 1.13).
const ECHO_THEN_US: f64 = 9.0;
const WEROBOT_US: f64 = 2306.0;
const WECHATPY_US: f64 = 547.0;

pub fn print(echo: &Row, rows: &[Row]) {
    println!();
    println!(
        "{:<32} {:>10} {:>10} {:>10} {:>12} {:>9} {:>9}",
        "server", "requests", "per s", "CPU µs", "share P3≥.30", "P1≥40×", "P2≥10×"
    );
    println!(
        "{:<32} {:>10} {:>10.0} {:>10.1}",
        echo.name, echo.requests, echo.per_second, echo.cpu_us
    );
    // How much slower this machine is now than the one the others were measured on.
    let slower = echo.cpu_us / ECHO_THEN_US;
    for row in rows {
        println!(
            "{:<32} {:>10} {:>10.0} {:>10.1} {:>12.2} {:>9.1} {:>9.1}{}",
            row.name,
            row.requests,
            row.per_second,
            row.cpu_us,
            row.per_second / echo.per_second,
            WEROBOT_US * slower / row.cpu_us,
            WECHATPY_US * slower / row.cpu_us,
            if row.refused > 0 {
                format!("  {} REFUSED", row.refused)
            } else {
                String::new()
            }
        );
    }
    println!(
        "P1 and P2 scale the others' published figures by this run's echo ({:.1} µs against 9.0).",
        echo.cpu_us
    );
}
