//! Answers that take longer than a callback may: through the send API, or with one of WeChat's retries.

use std::time::Duration;

use yingda_server::wechat::platform::Answer;
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::platform::{Outcome, Patience};
use yingda_tests::server::Setup;
use yingda_tests::wait::{eventually, until};

const DEADLINE_MS: u64 = 400;

fn slow(backend: &Backend) -> Setup {
    Setup::new("试验台")
        .backend(backend.url())
        .limit("callback_deadline_ms", DEADLINE_MS)
}

/// The platform's patience with one attempt, as short as the server's deadline is here.
fn hasty() -> Patience {
    Patience {
        wait: Duration::from_millis(DEADLINE_MS * 2),
        ..Patience::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quick_connector_answers_in_the_response() {
    let backend = Backend::start(true).await;
    let bench = Bench::start(Setup::new("试验台").backend(backend.url())).await;
    assert_eq!(bench.say("o1", "查 天气").await, "答：查 天气");
    assert_eq!(bench.seen("o1").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_answer_is_acknowledged_in_time_and_sent_once_through_the_api() {
    let backend = Backend::start(false).await;
    let bench = Bench::start(slow(&backend)).await;
    let said = bench.platform.say(bench.account(), "o1", "查 天气").await;
    assert_eq!(said.outcome, Outcome::Acknowledged);
    assert_eq!(said.attempts.len(), 1);
    assert!(said.attempts[0].elapsed >= Duration::from_millis(DEADLINE_MS));
    assert!(
        said.attempts[0].elapsed < Duration::from_secs(5),
        "{:?}",
        said.attempts[0].elapsed
    );
    assert!(bench.seen("o1").is_empty());
    backend.set_open(true);
    assert_eq!(bench.sees("o1", 1).await, ["答：查 天气"]);
    assert_eq!(bench.say("o1", "谢谢").await, "收到：谢谢");
    assert_eq!(bench.seen("o1"), ["答：查 天气", "收到：谢谢"]);
    assert_eq!(backend.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission_to_send_the_answer_comes_with_a_retry() {
    let backend = Backend::start(false).await;
    let setup = slow(&backend).account(|account| {
        account.custom_send = false;
        account.platform.can_send = false;
    });
    let bench = Bench::start(setup).await;
    let push = bench.platform.text(bench.account(), "o1", "查 天气");
    let asked = async {
        bench
            .platform
            .deliver(bench.account(), &push, hasty())
            .await
    };
    let opened = async {
        // The first attempt is cut before there is an answer.
        until("a retry", || bench.platform.posts(bench.account()) == 2).await;
        backend.set_open(true);
    };
    let (delivery, ()) = tokio::join!(asked, opened);
    assert_eq!(delivery.text(), "答：查 天气");
    assert!(delivery.attempts.len() > 1, "{:?}", delivery.attempts);
    assert_eq!(
        delivery.attempts[0].status, None,
        "the first attempt carries nothing, not even success"
    );
    assert_eq!(bench.seen("o1"), ["答：查 天气"]);
    assert_eq!(bench.platform.calls(bench.account()), 0);
    let again = bench.deliver(&push).await;
    assert_eq!(
        again.text(),
        "答：查 天气",
        "a retry after the answer gets it as well"
    );
    assert_eq!(backend.calls(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_lost_while_running_keeps_the_message_and_changes_the_way() {
    let backend = Backend::start(false).await;
    let bench = Bench::start(slow(&backend)).await;
    bench
        .platform
        .configure(bench.account(), |account| account.can_send = false);
    let said = bench.platform.say(bench.account(), "o1", "查 天气").await;
    assert_eq!(said.outcome, Outcome::Acknowledged);
    backend.set_open(true);
    eventually("the account is known to have no permission", || async {
        let (_, accounts) = bench.server().api("GET", "/api/v1/accounts", None).await;
        (accounts[0]["custom_send"] == false).then_some(())
    })
    .await;
    let database = bench.database().await;
    eventually("the message is held", || async {
        let held = database
            .number("SELECT count(*) FROM outbox WHERE state = 'held'")
            .await;
        (held == 1).then_some(())
    })
    .await;
    // The next contact carries what was held.
    eventually("the held message is back with the conversation", || async {
        (database
            .number("SELECT count(*) FROM audit WHERE kind = 'keep'")
            .await
            == 1)
            .then_some(())
    })
    .await;
    assert_eq!(bench.say("o1", "谢谢").await, "答：查 天气\n收到：谢谢");
    // And the next late answer waits for a retry.
    backend.set_open(false);
    let before = bench.platform.posts(bench.account());
    let push = bench.platform.text(bench.account(), "o1", "查 快递");
    let asked = async {
        bench
            .platform
            .deliver(bench.account(), &push, hasty())
            .await
    };
    let opened = async {
        until("a retry", || {
            bench.platform.posts(bench.account()) == before + 2
        })
        .await;
        backend.set_open(true);
    };
    let (delivery, ()) = tokio::join!(asked, opened);
    assert_eq!(delivery.text(), "答：查 快递");
    assert!(delivery.attempts.len() > 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_that_wait_for_a_slow_answer_share_it() {
    let backend = Backend::start(false).await;
    let bench = Bench::start(Setup::new("试验台").backend(backend.url())).await;
    let push = bench.platform.text(bench.account(), "o1", "查 天气");
    let copies = bench
        .platform
        .deliver_copies(bench.account(), &push, 3, Duration::from_secs(10));
    let opened = async {
        until("the connector is asked", || backend.calls() == 1).await;
        backend.set_open(true);
    };
    let (copies, ()) = tokio::join!(copies, opened);
    for copy in &copies {
        assert!(
            matches!(&copy.answer, Some(Ok(Answer::Reply(_)))),
            "{copy:?}"
        );
        assert_eq!(copy.answer, copies[0].answer);
    }
    assert_eq!(
        (backend.calls(), bench.database().await.inbox().await),
        (1, 1)
    );
}
