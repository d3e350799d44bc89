//! kill -9 at random moments, and stopping properly, while customers write.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::platform::{Patience, Platform};
use yingda_tests::server::{Server, Setup, run};
use yingda_tests::wait::until;

const ROUNDS: usize = 20;
const CUSTOMERS: usize = 6;

/// A port that is free now; a server that is started again keeps it.
fn free_port() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_kills_lose_nothing_double_nothing_and_change_no_reply() {
    let mut setup = Setup::new("试验台");
    setup.listen = free_port();
    let mut bench = Bench::start(setup).await;
    let server = bench.take_server();
    let folder = bench.folder().to_owned();
    let bench = Arc::new(bench);
    let stop = Arc::new(AtomicBool::new(false));
    // WeChat repeats what was not answered; here it does so until the server is back.
    let patience = Patience {
        wait: Duration::from_secs(5),
        attempts: 400,
        pause: Duration::from_millis(25),
        ..Patience::default()
    };
    let customers: Vec<_> = (0..CUSTOMERS)
        .map(|customer| {
            let (bench, stop) = (bench.clone(), stop.clone());
            tokio::spawn(async move {
                let openid = format!("o{customer}");
                let mut pushes = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let push = bench.platform.text(
                        bench.account(),
                        &openid,
                        &format!("第{}句", pushes.len()),
                    );
                    let delivery = bench
                        .platform
                        .deliver(bench.account(), &push, patience)
                        .await;
                    assert_eq!(
                        delivery.text(),
                        format!("收到：第{}句", pushes.len()),
                        "{:?}",
                        delivery.attempts.last()
                    );
                    pushes.push(push);
                }
                (openid, pushes)
            })
        })
        .collect();
    let mut random = StdRng::seed_from_u64(20);
    let mut server = server;
    let mut starts = Vec::new();
    for _ in 0..ROUNDS {
        tokio::time::sleep(Duration::from_millis(random.random_range(20..400))).await;
        server.kill().await;
        server = Server::start(&folder).await;
        starts.push(server.ready().await);
    }
    stop.store(true, Ordering::SeqCst);
    let mut written = 0;
    let mut histories = Vec::new();
    for customer in customers {
        let (openid, pushes) = customer.await.unwrap();
        written += pushes.len() as i64;
        histories.push((openid, pushes));
    }
    let database = bench.database().await;
    assert_eq!(
        (database.inbox().await, database.turns().await),
        (written, written),
        "one row for each message"
    );
    assert_eq!(
        database.number("SELECT count(*) FROM outbox").await,
        written
    );
    for (openid, pushes) in &histories {
        let expected: Vec<String> = (0..pushes.len())
            .map(|number| format!("第{number}句"))
            .collect();
        assert_eq!(database.written_by(openid).await, expected);
        let replies: Vec<String> = expected
            .iter()
            .map(|text| format!("收到：{text}"))
            .collect();
        assert_eq!(bench.seen(openid), replies, "{openid}: each reply once");
        // The same reply on every later attempt.
        for (push, reply) in pushes.iter().zip(&replies).step_by(7) {
            assert_eq!(&bench.deliver(push).await.text(), reply);
        }
    }
    assert_eq!(database.turns().await, written);
    let verified = run(
        &folder,
        &["audit", "verify", "--config", "yingda.toml"],
        b"",
    )
    .await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
    starts.sort();
    assert!(
        starts[ROUNDS / 2] < Duration::from_secs(2),
        "ready again after {starts:?}"
    );
    assert!(!server.log().contains("panicked"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_turn_that_waited_for_a_connector_goes_on_after_a_crash() {
    let backend = Backend::start(false).await;
    let setup = Setup::new("试验台")
        .backend(backend.url())
        .limit("callback_deadline_ms", 300);
    let mut bench = Bench::start(setup).await;
    bench.say("o1", "查 表").await;
    until("the connector is asked", || backend.calls() == 1).await;
    bench.kill().await;
    backend.set_open(true);
    bench.restart().await;
    assert_eq!(bench.sees("o1", 1).await, ["答：查 表"]);
    assert_eq!(bench.say("o1", "谢谢").await, "收到：谢谢");
    assert_eq!(bench.seen("o1").len(), 2);
    assert_eq!(bench.database().await.inbox().await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_what_is_in_flight_and_drains_within_five_seconds() {
    let backend = Backend::start(true).await;
    let mut bench = Bench::start(Setup::new("试验台").backend(backend.url())).await;
    for round in 0..4 {
        backend.set_open(false);
        let asked = backend.calls();
        let server = bench.take_server();
        let platform: &Platform = &bench.platform;
        let account = bench.account().to_owned();
        let customers: Vec<String> = (0..25).map(|number| format!("o{round}-{number}")).collect();
        let in_flight = customers
            .iter()
            .map(|openid| platform.say(&account, openid, "查 表"));
        let stopped = async {
            until("all are in flight", || backend.calls() == asked + 25).await;
            server.signal("TERM");
            until("it says that it stops", || {
                server.log().matches("正在停止").count() == round + 1
            })
            .await;
            backend.set_open(true);
            server.terminate().await
        };
        let (answered, (took, code)) = tokio::join!(futures::future::join_all(in_flight), stopped);
        for delivery in answered {
            assert_eq!(delivery.attempts.len(), 1, "{:?}", delivery.attempts);
            assert_eq!(delivery.text(), "答：查 表");
        }
        assert_eq!(code, Some(0));
        assert!(took < Duration::from_secs(5), "{took:?}");
        bench.restart().await;
    }
    let database = bench.database().await;
    assert_eq!(
        database
            .number("SELECT count(*) FROM inbox WHERE done = 0")
            .await,
        0
    );
}
