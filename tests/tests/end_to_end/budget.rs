//! What may be sent outside a response: never more than WeChat allows, nothing lost, nothing reordered.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::database::Database;
use yingda_tests::platform::Fault;
use yingda_tests::server::Setup;
use yingda_tests::wait::eventually;

const EIGHT: [&str; 8] = [
    "八之一",
    "[image]",
    "八之三",
    "[image]",
    "八之五",
    "[image]",
    "八之七",
    "[image]",
];

/// Waits until nothing is on its way to a customer.
async fn quiet(database: &Database) {
    eventually("an empty outbox", || async {
        let waiting = "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')";
        (database.number(waiting).await == 0).then_some(())
    })
    .await;
}

/// Lines on the customer's screen: texts that went out as one message are taken apart again.
fn lines(seen: &[String]) -> Vec<String> {
    seen.iter()
        .flat_map(|text| text.split('\n'))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_the_budget_waits_for_the_next_contact_in_order() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let database = bench.database().await;
    bench.say("o1", "八条").await;
    quiet(&database).await;
    assert_eq!(
        bench.seen("o1"),
        EIGHT[..5],
        "one in the response, four through the API, one in reserve"
    );
    bench.say("o1", "还有吗").await;
    bench.sees("o1", 9).await;
    let mut expected: Vec<&str> = EIGHT.to_vec();
    expected.push("收到：还有吗");
    assert_eq!(lines(&bench.seen("o1")), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_message_of_a_window_is_left_for_a_person() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let database = bench.database().await;
    bench.say("o1", "八条").await;
    quiet(&database).await;
    let (_, list) = bench
        .server()
        .api("GET", "/api/v1/conversations", None)
        .await;
    let id = list[0]["id"].as_str().unwrap().to_owned();
    let act = async |action: &str, text: &str| {
        let body = json!({"agent": "amy", "text": text});
        let path = format!("/api/v1/conversations/{id}/{action}");
        bench.server().api("POST", &path, Some(&body)).await.0
    };
    // What waits belongs to the bot; a person who takes over speaks first.
    assert_eq!(act("take", "").await, 204);
    assert_eq!(act("say", "我是小美").await, 204);
    quiet(&database).await;
    let seen = bench.seen("o1");
    assert_eq!(
        seen.last().map(String::as_str),
        Some("我是小美"),
        "{seen:?}"
    );
    assert_eq!(act("say", "请稍等").await, 204);
    quiet(&database).await;
    assert_eq!(bench.seen("o1").len(), seen.len(), "the window is used up");
    bench.say("o1", "好").await;
    eventually("the person's second sentence", || async {
        lines(&bench.seen("o1"))
            .contains(&"请稍等".to_owned())
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_platform_refuses_is_held_with_all_behind_it_and_comes_in_order() {
    for code in [45015, 45047] {
        let bench = Bench::start(Setup::new("试验台")).await;
        let database = bench.database().await;
        bench
            .platform
            .fail_next(bench.account(), Fault::Code(code), 1);
        bench.say("o1", "八条").await;
        quiet(&database).await;
        assert_eq!(
            bench.seen("o1"),
            EIGHT[..1],
            "{code}: nothing overtakes what was refused"
        );
        eventually(
            "the refused messages are back with the conversation",
            || async {
                (database
                    .number("SELECT count(*) FROM audit WHERE kind = 'keep'")
                    .await
                    == 4)
                    .then_some(())
            },
        )
        .await;
        bench.say("o1", "还有吗").await;
        quiet(&database).await;
        bench.say("o1", "就这些").await;
        let mut expected: Vec<&str> = EIGHT.to_vec();
        expected.extend(["收到：还有吗", "收到：就这些"]);
        eventually("all lines", || async {
            (lines(&bench.seen("o1")).len() >= expected.len()).then_some(())
        })
        .await;
        assert_eq!(lines(&bench.seen("o1")), expected, "{code}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_failed_for_a_moment_is_made_again_before_what_is_behind_it() {
    let bench = Bench::start(Setup::new("试验台")).await;
    bench
        .platform
        .fail_next(bench.account(), Fault::Code(-1), 1);
    bench.say("o1", "三条").await;
    assert_eq!(bench.sees("o1", 3).await, ["一", "[image]", "三"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_answer_was_lost_is_never_made_again() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let database = bench.database().await;
    bench
        .platform
        .fail_next(bench.account(), Fault::AnswerLost, 1);
    bench.say("o1", "三条").await;
    bench.sees("o1", 3).await;
    quiet(&database).await;
    assert_eq!(bench.seen("o1"), ["一", "[image]", "三"]);
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Eight,
    Three,
    Word,
    Click,
    Slow,
}

impl Action {
    fn lines(self) -> Vec<&'static str> {
        match self {
            Self::Eight => EIGHT.to_vec(),
            Self::Three => vec!["一", "[image]", "三"],
            Self::Word => vec!["收到：话"],
            Self::Click => vec!["您点了菜单"],
            Self::Slow => vec!["答：查 表"],
        }
    }
}

/// Random traffic of one customer. The platform counts for itself and refuses what is too much: it never has to.
#[test]
fn random_traffic_never_exceeds_the_budget_and_loses_and_reorders_nothing() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (bench, database, backend) = runtime.block_on(async {
        let backend = Backend::start(true).await;
        let setup = Setup::new("试验台")
            .backend(backend.url())
            .limit("callback_deadline_ms", 200);
        let bench = Bench::start(setup).await;
        let database = bench.database().await;
        (bench, database, backend)
    });
    let action = prop_oneof![
        Just(Action::Eight),
        Just(Action::Three),
        Just(Action::Word),
        Just(Action::Click),
        Just(Action::Slow),
    ];
    let customers = std::cell::Cell::new(0);
    let mut runner = TestRunner::new(Config {
        cases: 12,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(&proptest::collection::vec(action, 1..10), |actions| {
            customers.set(customers.get() + 1);
            let openid = format!("o{}", customers.get());
            runtime.block_on(traffic(&bench, &database, &backend, &openid, &actions))
        })
        .unwrap();
    for code in [45015, 45047] {
        let line = format!("yingda_send_errors_total{{account=\"shop\",code=\"{code}\"}}");
        assert_eq!(
            runtime.block_on(bench.server().metric(&line)),
            0.0,
            "the platform refused with {code}"
        );
    }
}

async fn traffic(
    bench: &Bench,
    database: &Database,
    backend: &Backend,
    openid: &str,
    actions: &[Action],
) -> Result<(), TestCaseError> {
    let mut expected: Vec<&str> = Vec::new();
    for (number, action) in actions.iter().enumerate() {
        expected.extend(action.lines());
        match action {
            Action::Eight => drop(bench.say(openid, "八条").await),
            Action::Three => drop(bench.say(openid, "三条").await),
            Action::Word => drop(bench.say(openid, "话").await),
            Action::Click => {
                let key = number.to_string();
                bench.event(openid, "CLICK", &[("EventKey", &key)]).await;
            }
            Action::Slow => {
                backend.set_open(number % 2 == 0);
                bench.say(openid, "查 表").await;
                backend.set_open(true);
                eventually("the connector's answer is used", || async {
                    let waiting = format!(
                        "SELECT count(*) FROM conversation WHERE customer = '{openid}' AND json_extract(state, '$.pending_call') IS NOT NULL"
                    );
                    (database.number(&waiting).await == 0).then_some(())
                })
                .await;
            }
        }
        quiet(database).await;
    }
    // Whatever waits comes out with further contacts.
    for _ in 0..40 {
        if lines(&bench.seen(openid)).len() >= expected.len() {
            break;
        }
        expected.push("收到：话");
        bench.say(openid, "话").await;
        quiet(database).await;
    }
    let seen = lines(&bench.seen(openid));
    prop_assert_eq!(seen, expected);
    Ok(())
}
