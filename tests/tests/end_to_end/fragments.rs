//! A customer who types one question in three messages.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use yingda_tests::bench::Bench;
use yingda_tests::platform::{Delivery, Outcome, Patience};
use yingda_tests::server::Setup;
use yingda_tests::wait::eventually;

/// Sends a text and comes back as soon as the server has kept it, without waiting for its answer.
async fn type_on(bench: &Arc<Bench>, number: i64, text: &'static str) -> JoinHandle<Delivery> {
    let sending = bench.clone();
    let patience = Patience {
        attempts: 100,
        pause: Duration::from_millis(50),
        ..Patience::default()
    };
    let task = tokio::spawn(async move {
        let push = sending.platform.text(sending.account(), "o1", text);
        sending
            .platform
            .deliver(sending.account(), &push, patience)
            .await
    });
    let database = bench.database().await;
    eventually("the message is kept", || async {
        (database.inbox().await == number).then_some(())
    })
    .await;
    database.close().await;
    task
}

#[tokio::test(flavor = "multi_thread")]
async fn three_messages_within_the_pause_are_one_turn_and_the_last_carries_the_reply() {
    let bench = Arc::new(Bench::start(Setup::new("碎片")).await);
    let first = type_on(&bench, 1, "在吗").await;
    let second = type_on(&bench, 2, "我的快递").await;
    let third = type_on(&bench, 3, "怎么还没到").await;
    assert_eq!(first.await.unwrap().outcome, Outcome::Acknowledged);
    assert_eq!(second.await.unwrap().outcome, Outcome::Acknowledged);
    assert_eq!(
        third.await.unwrap().text(),
        "合起来是：在吗\n我的快递\n怎么还没到"
    );
    assert_eq!(bench.database().await.turns().await, 1);
    assert_eq!(bench.seen("o1").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_an_earlier_part_is_no_part_of_its_own() {
    let bench = Arc::new(Bench::start(Setup::new("碎片")).await);
    let patience = Patience::default();
    let early = bench.platform.text(bench.account(), "o1", "在吗");
    let first = {
        let (bench, early) = (bench.clone(), early.clone());
        tokio::spawn(async move {
            bench
                .platform
                .deliver(bench.account(), &early, patience)
                .await
        })
    };
    let database = bench.database().await;
    eventually("the first is kept", || async {
        (database.inbox().await == 1).then_some(())
    })
    .await;
    let second = type_on(&bench, 2, "我的快递").await;
    assert_eq!(first.await.unwrap().outcome, Outcome::Acknowledged);
    let again = bench.deliver(&early).await;
    assert_eq!(again.outcome, Outcome::Acknowledged);
    assert_eq!(second.await.unwrap().text(), "合起来是：在吗\n我的快递");
    assert_eq!(bench.deliver(&early).await.outcome, Outcome::Acknowledged);
    assert_eq!(database.turns().await, 1);
    assert_eq!(bench.seen("o1"), ["合起来是：在吗\n我的快递"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_kept_before_a_crash_are_put_together_after_it() {
    let bench = Arc::new(Bench::start(Setup::new("碎片")).await);
    let first = type_on(&bench, 1, "在吗").await;
    let second = type_on(&bench, 2, "我的快递").await;
    assert_eq!(first.await.unwrap().outcome, Outcome::Acknowledged);
    second.abort();
    let _ = second.await;
    let Ok(mut bench) = Arc::try_unwrap(bench) else {
        panic!("nobody else holds the bench")
    };
    bench.kill().await;
    bench.restart().await;
    assert_eq!(bench.sees("o1", 1).await, ["合起来是：在吗\n我的快递"]);
    let database = bench.database().await;
    assert_eq!((database.inbox().await, database.turns().await), (2, 1));
    assert_eq!(
        database
            .number("SELECT count(*) FROM inbox WHERE done = 0")
            .await,
        0
    );
}
