//! From the bot to a person and back: who may speak, in both modes.

use serde_json::{Value, json};
use yingda_server::wechat::reply::PassiveReply;
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::platform::Outcome;
use yingda_tests::server::Setup;
use yingda_tests::wait::eventually;

/// What the rule says and what every group says, in one message.
const NOTICE: &str = "正在为您转人工。\n正在为您转接人工客服（客服组），请稍候。回复 0 退出排队。";

/// The conversation of the only customer.
async fn conversation(bench: &Bench) -> Value {
    let (status, list) = bench
        .server()
        .api("GET", "/api/v1/conversations", None)
        .await;
    assert_eq!(status, 200);
    list[0].clone()
}

async fn act(bench: &Bench, id: &str, action: &str, agent: &str, text: Option<&str>) -> u16 {
    let mut body = json!({ "agent": agent });
    if let Some(text) = text {
        body["text"] = json!(text);
    }
    let path = format!("/api/v1/conversations/{id}/{action}");
    bench.server().api("POST", &path, Some(&body)).await.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_speaks_returns_and_closes_through_the_api() {
    let bench = Bench::start(Setup::new("试验台")).await;
    assert_eq!(bench.say("o1", "人工").await, NOTICE);
    let waiting = conversation(&bench).await;
    assert_eq!(waiting["owner"], "queue", "{waiting}");
    assert_eq!(waiting["queue_group"], "客服组");
    let id = waiting["id"].as_str().unwrap().to_owned();

    assert_eq!(
        act(&bench, &id, "say", "amy", Some("您好")).await,
        409,
        "not before taking it"
    );
    assert_eq!(act(&bench, &id, "take", "amy", None).await, 204);
    assert_eq!(
        act(&bench, &id, "take", "bob", None).await,
        409,
        "it is amy's"
    );
    assert_eq!(act(&bench, &id, "say", "bob", Some("您好")).await, 409);
    assert_eq!(act(&bench, &id, "say", "amy", Some("我是小美")).await, 204);
    assert_eq!(bench.sees("o1", 2).await, [NOTICE, "我是小美"]);

    let said = bench.platform.say(bench.account(), "o1", "图片").await;
    assert_eq!(said.outcome, Outcome::Acknowledged, "the bot is silent");
    assert_eq!(bench.seen("o1").len(), 2);

    assert_eq!(act(&bench, &id, "return", "amy", None).await, 204);
    assert_eq!(bench.say("o1", "你好").await, "收到：你好");
    assert_eq!(act(&bench, &id, "take", "amy", None).await, 204);
    assert_eq!(act(&bench, &id, "close", "amy", None).await, 204);
    assert_eq!(bench.say("o1", "还在吗").await, "收到：还在吗");
    let (_, list) = bench
        .server()
        .api("GET", "/api/v1/conversations", None)
        .await;
    assert_eq!(
        list.as_array().unwrap().len(),
        2,
        "a new conversation: {list}"
    );

    let (_, transcript) = bench
        .server()
        .api("GET", &format!("/api/v1/conversations/{id}"), None)
        .await;
    let speakers: Vec<&str> = transcript["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["speaker"].as_str().unwrap())
        .collect();
    assert_eq!(
        speakers,
        [
            "customer",
            "bot",
            "agent:amy",
            "customer",
            "customer",
            "bot"
        ],
        "{transcript}"
    );
    let verified = yingda_tests::server::run(
        bench.folder(),
        &["audit", "verify", "--config", "yingda.toml"],
        b"",
    )
    .await;
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bot_decided_before_a_handoff_is_not_sent_after_it() {
    let backend = Backend::start(false).await;
    let setup = Setup::new("试验台")
        .backend(backend.url())
        .limit("callback_deadline_ms", 300);
    let bench = Bench::start(setup).await;
    assert_eq!(
        bench
            .platform
            .say(bench.account(), "o1", "查 表")
            .await
            .outcome,
        Outcome::Acknowledged
    );
    let id = conversation(&bench).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(act(&bench, &id, "take", "amy", None).await, 204);
    backend.set_open(true);
    eventually("the connector's answer has come", || async {
        let counter = "yingda_connector_calls_total{connector=\"查询\",outcome=\"success\"}";
        (bench.server().metric(counter).await == 1.0).then_some(())
    })
    .await;
    assert_eq!(act(&bench, &id, "say", "amy", Some("我来查")).await, 204);
    assert_eq!(bench.sees("o1", 1).await, ["我来查"]);
    assert_eq!(act(&bench, &id, "return", "amy", None).await, 204);
    assert_eq!(bench.say("o1", "谢谢").await, "收到：谢谢");
    assert_eq!(bench.seen("o1"), ["我来查", "收到：谢谢"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_wechats_own_client_the_bot_is_muted_and_unmuted_by_the_sessions_events() {
    let bench =
        Bench::start(Setup::new("试验台").account(|account| account.wechat_client = true)).await;
    let (platform, account) = (&bench.platform, bench.account());
    let amy = platform.account(account).agents[0].clone();
    let bob = platform.account(account).agents[1].clone();
    platform.sign_in(account, &amy);
    platform.sign_in(account, &bob);
    let transfer = Outcome::Reply(PassiveReply::TransferCustomerService { kf_account: None });
    assert_eq!(platform.say(account, "o1", "人工").await.outcome, transfer);
    assert_eq!(platform.waiting(account), ["o1"]);
    assert_eq!(
        bench.sees("o1", 1).await,
        [NOTICE],
        "the notice goes through the API"
    );
    assert_eq!(
        platform.say(account, "o1", "有人吗").await.outcome,
        transfer,
        "each message while waiting"
    );
    let event = bench.event("o1", "CLICK", &[("EventKey", "k")]).await;
    assert_ne!(event, transfer, "events are never transferred");

    assert_eq!(
        platform.take(account, "o1", &amy).await.unwrap().outcome,
        Outcome::Acknowledged
    );
    assert_eq!(conversation(&bench).await["owner"], format!("agent:{amy}"));
    assert!(platform.agent_says(account, "o1", "我是小美"));
    assert_eq!(
        platform.say(account, "o1", "图片").await.outcome,
        Outcome::Desk { agent: amy.clone() }
    );
    platform.hand_on(account, "o1", &bob).await.unwrap();
    assert_eq!(conversation(&bench).await["owner"], format!("agent:{bob}"));
    let told = platform.close(account, "o1", &bob).await.unwrap();
    assert_eq!(told.outcome, Outcome::Acknowledged);
    assert_eq!(conversation(&bench).await["owner"], "bot");
    assert_eq!(bench.say("o1", "你好").await, "收到：你好");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handoff_survives_a_crash() {
    let mut bench = Bench::start(Setup::new("试验台")).await;
    assert_eq!(bench.say("o1", "人工").await, NOTICE);
    let id = conversation(&bench).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(act(&bench, &id, "take", "amy", None).await, 204);
    bench.kill().await;
    bench.restart().await;
    assert_eq!(conversation(&bench).await["owner"], "agent:amy");
    assert_eq!(
        bench
            .platform
            .say(bench.account(), "o1", "你好")
            .await
            .outcome,
        Outcome::Acknowledged
    );
    assert_eq!(act(&bench, &id, "say", "amy", Some("我还在")).await, 204);
    assert_eq!(bench.sees("o1", 2).await, [NOTICE, "我还在"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_a_timer_asked_is_shown_before_anything_counts_as_its_answer() {
    let setup = Setup::new("久候").account(|account| account.custom_send = false);
    let bench = Bench::start(setup).await;
    let notice = bench.say("o1", "人工").await;
    assert!(notice.contains("转接人工客服"), "{notice}");
    eventually("the wait in the queue ends", || async {
        (conversation(&bench).await["owner"] == "bot").then_some(())
    })
    .await;
    assert_eq!(bench.say("o1", "人呢").await, "客服忙，请写下您的问题：");
    assert_eq!(bench.say("o1", "订单没收到").await, "记下了。");
}
