//! One message, however often WeChat posts it.

use std::sync::Arc;
use std::time::Duration;

use yingda_tests::bench::Bench;
use yingda_tests::platform::{Patience, Retry};
use yingda_tests::server::Setup;

const WAIT: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread")]
async fn five_copies_at_once_later_ones_and_those_after_a_restart_get_one_reply() {
    let mut bench = Bench::start(Setup::new("试验台")).await;
    let push = bench.platform.text(bench.account(), "o1", "五份");
    let copies = bench
        .platform
        .deliver_copies(bench.account(), &push, 5, WAIT)
        .await;
    assert_eq!(copies.len(), 5);
    for copy in &copies {
        assert_eq!(copy.status, Some(200));
        assert_eq!(copy.answer, copies[0].answer);
    }
    assert_eq!(bench.seen("o1"), ["收到：五份"]);
    assert_eq!(bench.deliver(&push).await.text(), "收到：五份");
    bench.kill().await;
    bench.restart().await;
    assert_eq!(bench.deliver(&push).await.text(), "收到：五份");
    let (_, code) = bench.take_server().terminate().await;
    assert_eq!(code, Some(0));
    bench.restart().await;
    let patience = Patience {
        retry: Retry::Resigned,
        ..Patience::default()
    };
    let later = bench
        .platform
        .deliver(bench.account(), &push, patience)
        .await;
    assert_eq!(later.text(), "收到：五份");
    let database = bench.database().await;
    assert_eq!((database.inbox().await, database.turns().await), (1, 1));
    assert_eq!(database.number("SELECT count(*) FROM outbox").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn five_hundred_replays_have_one_effect_each_and_equal_replies() {
    let bench = Arc::new(Bench::start(Setup::new("试验台")).await);
    let customers: Vec<_> = (0..10)
        .map(|customer| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let openid = format!("o{customer}");
                for number in 0..10 {
                    let text = format!("第 {number} 句");
                    let push = bench.platform.text(bench.account(), &openid, &text);
                    let copies = bench
                        .platform
                        .deliver_copies(bench.account(), &push, 5, WAIT)
                        .await;
                    for copy in &copies {
                        assert_eq!(copy.answer, copies[0].answer, "{openid} {number}");
                        assert_eq!(copy.status, Some(200));
                    }
                }
                let said: Vec<String> = (0..10)
                    .map(|number| format!("收到：第 {number} 句"))
                    .collect();
                assert_eq!(bench.seen(&openid), said);
            })
        })
        .collect();
    for customer in customers {
        customer.await.unwrap();
    }
    let database = bench.database().await;
    assert_eq!((database.inbox().await, database.turns().await), (100, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_msg_id_of_two_customers_and_of_two_moments_are_different_messages() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let first = bench.platform.text(bench.account(), "o1", "甲");
    let mut second = bench.platform.text(bench.account(), "o2", "乙");
    second.msg_id = first.msg_id;
    let mut later = bench.platform.text(bench.account(), "o1", "丙");
    later.msg_id = first.msg_id;
    later.create_time = first.create_time + 1;
    for (push, reply) in [
        (&first, "收到：甲"),
        (&second, "收到：乙"),
        (&later, "收到：丙"),
        (&first, "收到：甲"),
    ] {
        assert_eq!(bench.deliver(push).await.text(), reply);
    }
    assert_eq!(bench.database().await.turns().await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_second_are_told_apart_by_what_they_are() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let mut click = bench
        .platform
        .event(bench.account(), "o1", "CLICK", &[("EventKey", "a")]);
    let mut other = bench
        .platform
        .event(bench.account(), "o1", "CLICK", &[("EventKey", "b")]);
    let mut follow = bench
        .platform
        .event(bench.account(), "o1", "subscribe", &[]);
    for push in [&mut click, &mut other, &mut follow] {
        push.create_time = 1_700_000_000;
    }
    for (push, reply) in [
        (&click, "您点了菜单"),
        (&other, "您点了菜单"),
        (&follow, "欢迎关注"),
        (&click, "您点了菜单"),
    ] {
        assert_eq!(bench.deliver(push).await.text(), reply);
    }
    assert_eq!(bench.database().await.turns().await, 3);
}
