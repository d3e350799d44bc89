//! The API client against the fake platform.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use yingda_engine::turn::Outgoing;
use yingda_server::wechat::api::{Action, ApiClient, Media, SendError, SendOptions, Typing};
use yingda_tests::platform::{Account, Fault, Outcome, Patience, Platform, Seen};

const OPENID: &str = "oUser0001";

/// A platform, an account whose callbacks nobody answers, and its client. The customer has just written.
async fn bench() -> (Platform, String, Arc<ApiClient>) {
    let platform = Platform::start().await;
    let account = platform.add_account(Account::verified("shop"));
    platform.set_callback(&account, "http://127.0.0.1:1/");
    platform.say(&account, OPENID, "在吗").await;
    let client = ApiClient::new(&platform.api_settings(&account)).unwrap();
    (platform, account, Arc::new(client))
}

fn text(text: &str) -> Outgoing {
    Outgoing::Text { text: text.into() }
}

async fn send(client: &ApiClient, message: &Outgoing) -> Result<(), SendError> {
    client
        .custom_send(OPENID, message, &SendOptions::default())
        .await
}

/// What the customer saw after the notice that nobody answered their message.
fn sent(platform: &Platform, account: &str) -> Vec<String> {
    let seen = platform.seen(account, OPENID);
    assert_eq!(seen.first(), Some(&Seen::ServiceFailed));
    seen.iter().skip(1).map(Seen::text).collect()
}

#[tokio::test]
async fn a_message_reaches_the_customer_as_written() {
    let (platform, account, client) = bench().await;
    let menu = Outgoing::Menu {
        head: "解决了吗？".into(),
        items: vec![("1".into(), "解决了".into()), ("2".into(), "转人工".into())],
        tail: "点选即可".into(),
    };
    send(&client, &text("您好😀")).await.unwrap();
    send(&client, &menu).await.unwrap();
    assert_eq!(
        sent(&platform, &account),
        ["您好😀", "解决了吗？\n1. 解决了\n2. 转人工\n点选即可"]
    );
    assert_eq!(platform.token_fetches(&account), 1);
}

#[tokio::test]
async fn who_waits_for_a_late_message_is_told_when_it_comes() {
    let (platform, account, client) = bench().await;
    let limit = Duration::from_secs(5);
    let message = text("查到了");
    let (seen, sent) = tokio::join!(
        platform.wait_seen(&account, OPENID, 2, limit),
        send(&client, &message)
    );
    sent.unwrap();
    assert_eq!(seen.len(), 2);
    let in_vain = platform
        .wait_seen(&account, OPENID, 3, Duration::from_millis(1))
        .await;
    assert_eq!(in_vain, seen);
}

#[tokio::test]
async fn the_sixth_message_is_over_the_budget_and_one_after_two_days_out_of_the_window() {
    let (platform, account, client) = bench().await;
    for number in 1..=5 {
        send(&client, &text(&format!("第{number}条")))
            .await
            .unwrap();
    }
    let error = send(&client, &text("第6条")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.action()),
        (Some(45047), Action::BudgetUsed)
    );
    platform.clock().advance(SignedDuration::from_hours(48));
    let error = send(&client, &text("第6条")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.action()),
        (Some(45015), Action::WindowClosed)
    );
    assert_eq!(sent(&platform, &account).len(), 5);
    platform.say(&account, OPENID, "还在吗").await;
    send(&client, &text("第6条")).await.unwrap();
}

#[tokio::test]
async fn fifty_sends_with_a_revoked_token_renew_it_once() {
    let (platform, account, client) = bench().await;
    for customer in 0..50 {
        platform
            .say(&account, &format!("o{customer}"), "在吗")
            .await;
    }
    client.check_credentials().await.unwrap();
    platform.revoke_token(&account);
    let tasks: Vec<_> = (0..50)
        .map(|customer| {
            let client = client.clone();
            tokio::spawn(async move {
                let openid = format!("o{customer}");
                client
                    .custom_send(&openid, &text("您好"), &SendOptions::default())
                    .await
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(platform.token_fetches(&account), 2);
    for customer in 0..50 {
        let seen = platform.seen(&account, &format!("o{customer}"));
        assert_eq!(seen.len(), 2, "the failure notice and one message");
    }
}

#[tokio::test]
async fn an_expired_token_is_renewed_and_the_message_goes_out_once() {
    let (platform, account, client) = bench().await;
    client.check_credentials().await.unwrap();
    platform.clock().advance(SignedDuration::from_secs(7201));
    send(&client, &text("您好")).await.unwrap();
    assert_eq!(platform.token_fetches(&account), 2);
    assert_eq!(sent(&platform, &account), ["您好"]);
}

#[tokio::test]
async fn a_token_refused_although_it_is_current_is_forced_out() {
    let (platform, account, client) = bench().await;
    platform.fail_next(&account, Fault::Code(40001), 1);
    send(&client, &text("您好")).await.unwrap();
    // The first, the stable one that came again, and the forced one.
    assert_eq!(platform.token_fetches(&account), 3);
}

#[tokio::test]
async fn a_fresh_token_that_is_refused_as_well_is_not_tried_again() {
    let (platform, account, client) = bench().await;
    platform.fail_next(&account, Fault::Code(40001), 2);
    let error = send(&client, &text("您好")).await.unwrap_err();
    assert_eq!((error.code(), error.action()), (Some(40001), Action::Alert));
    assert_eq!(platform.calls(&account), 2);
    assert!(sent(&platform, &account).is_empty());
}

#[tokio::test]
async fn errors_come_with_what_to_do() {
    let (platform, account, client) = bench().await;
    let retry = |seconds| Action::Retry {
        after: Duration::from_secs(seconds),
    };
    for (code, action) in [
        (-1, retry(1)),
        (45011, retry(10)),
        (45009, Action::Alert),
        (48002, Action::Drop),
        (50002, Action::Alert),
    ] {
        platform.fail_next(&account, Fault::Code(code), 1);
        let error = send(&client, &text("您好")).await.unwrap_err();
        assert_eq!((error.code(), error.action()), (Some(code), action));
    }
    let error = send(&client, &text(&"长".repeat(700))).await.unwrap_err();
    assert_eq!(
        (error.code(), error.action()),
        (Some(45002), Action::TooLong)
    );
    let stranger = client
        .custom_send("oNobody", &text("您好"), &SendOptions::default())
        .await;
    assert_eq!(stranger.unwrap_err().action(), Action::Drop);
    platform.configure(&account, |account| account.can_send = false);
    let error = send(&client, &text("您好")).await.unwrap_err();
    assert_eq!(
        (error.code(), error.action()),
        (Some(48001), Action::NotPermitted)
    );
}

#[tokio::test]
async fn an_answer_lost_on_the_way_is_reported_and_not_sent_twice() {
    let (platform, account, client) = bench().await;
    client.check_credentials().await.unwrap();
    platform.fail_next(&account, Fault::AnswerLost, 1);
    let error = send(&client, &text("您好")).await.unwrap_err();
    assert_eq!(error.action(), Action::Report);
    assert_eq!(sent(&platform, &account), ["您好"]);
}

#[tokio::test]
async fn wrong_credentials_are_told_in_a_sentence_without_the_secret() {
    let (platform, account, _) = bench().await;
    for wrong in ["app_secret", "app_id"] {
        let mut settings = platform.api_settings(&account);
        match wrong {
            "app_id" => settings.app_id = "wx0000".into(),
            _ => settings.app_secret = "not-to-be-seen".into(),
        }
        let client = ApiClient::new(&settings).unwrap();
        let error = client.check_credentials().await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("not-to-be-seen"));
        let Action::ConfigError(sentence) = error.action() else {
            panic!("{error:?}");
        };
        assert!(sentence.contains(wrong), "{sentence}");
    }
}

#[tokio::test]
async fn a_token_request_that_fails_sends_nothing_and_may_be_repeated() {
    let (platform, account, client) = bench().await;
    for fault in [Fault::Status(502), Fault::Code(-1)] {
        platform.fail_next_token(&account, fault, 1);
        let error = send(&client, &text("您好")).await.unwrap_err();
        assert!(matches!(error.action(), Action::Retry { .. }), "{error:?}");
    }
    send(&client, &text("您好")).await.unwrap();
    assert_eq!(sent(&platform, &account), ["您好"]);
}

#[tokio::test]
async fn typing_is_shown_and_taken_back() {
    let (platform, account, client) = bench().await;
    client.typing(OPENID, Typing::Start).await.unwrap();
    client.typing(OPENID, Typing::Cancel).await.unwrap();
    assert_eq!(
        platform.typing(&account, OPENID),
        ["Typing", "CancelTyping"]
    );
    assert_eq!(
        client
            .typing("oNobody", Typing::Start)
            .await
            .unwrap_err()
            .action(),
        Action::Drop
    );
}

#[tokio::test]
async fn media_is_downloaded() {
    let (platform, account, client) = bench().await;
    platform.keep_media(&account, "M1", "image/png", b"\x89PNG");
    let file = Media::File {
        content_type: "image/png".into(),
        bytes: b"\x89PNG".to_vec(),
    };
    assert_eq!(client.media("M1").await, Ok(file.clone()));
    platform.revoke_token(&account);
    assert_eq!(client.media("M1").await, Ok(file));
    assert!(matches!(
        client.media("M2").await.unwrap_err().action(),
        Action::ConfigError(_)
    ));
    platform.keep_media(&account, "V", "text/plain", br#"{"video_url":"http://v"}"#);
    assert_eq!(
        client.media("V").await,
        Ok(Media::VideoUrl("http://v".into()))
    );
}

#[tokio::test]
async fn a_session_is_opened_read_and_closed() {
    let (platform, account, client) = bench().await;
    let [amy, bob] = <[String; 2]>::try_from(platform.account(&account).agents).unwrap();
    let refused = client.create_kf_session(OPENID, &amy).await.unwrap_err();
    assert_eq!(refused.code(), Some(65415), "nobody is online");
    platform.sign_in(&account, &amy);
    platform.sign_in(&account, &bob);
    let online = client.online_agents().await.unwrap();
    assert_eq!(
        online
            .iter()
            .map(|agent| &agent.kf_account)
            .collect::<Vec<_>>(),
        [&amy, &bob]
    );

    assert_eq!(client.kf_session(OPENID).await, Ok(None));
    client.create_kf_session(OPENID, &amy).await.unwrap();
    client.create_kf_session(OPENID, &amy).await.unwrap();
    let session = client.kf_session(OPENID).await.unwrap().unwrap();
    assert_eq!(session.kf_account, amy);
    let taken = client.create_kf_session(OPENID, &bob).await.unwrap_err();
    assert_eq!(taken.action(), Action::Reconcile);

    let said = platform.say(&account, OPENID, "衣服有点大").await;
    assert_eq!(said.outcome, Outcome::Desk { agent: amy.clone() });
    assert!(platform.agent_says(&account, OPENID, "给您换小一号"));
    let now = platform.clock().second();
    let first = client
        .message_records(now - 60, now + 60, 1, 1)
        .await
        .unwrap();
    let rest = client
        .message_records(now - 60, now + 60, first.msgid, 10)
        .await
        .unwrap();
    let lines: Vec<(u32, &str)> = first
        .recordlist
        .iter()
        .chain(&rest.recordlist)
        .map(|record| (record.opercode, record.text.as_str()))
        .collect();
    assert_eq!(lines, [(2003, "衣服有点大"), (2002, "给您换小一号")]);

    client.close_kf_session(OPENID, &amy).await.unwrap();
    let closed = client.close_kf_session(OPENID, &amy).await.unwrap_err();
    assert_eq!(closed.action(), Action::Reconcile);
    assert_eq!(client.waiting_customers().await.unwrap().count, 0);
    platform.settle().await;
}

#[tokio::test]
async fn the_budget_kept_here_never_lets_out_more_than_the_platform_takes() {
    use jiff::Timestamp;
    use yingda_engine::conversation::Budget;
    use yingda_server::wechat::budget::{BudgetGrant, renew, spend};
    let (platform, account, client) = bench().await;
    let start = Timestamp::now();
    let mut budget = renew(Budget::default(), BudgetGrant::MESSAGE, start);
    // A click after three messages, then everything that is left, then a click once all is spent.
    let mut taken = 0;
    for step in ["send", "send", "send", "click", "all", "click", "all"] {
        match step {
            "click" => {
                let click = platform.event(&account, OPENID, "CLICK", &[("EventKey", "k")]);
                let patience = Patience {
                    wait: Duration::from_millis(50),
                    ..Patience::default()
                };
                platform.deliver(&account, &click, patience).await;
                budget = renew(budget, BudgetGrant::ACTION, start);
            }
            _ => {
                while let Some(left) = spend(budget, start) {
                    send(&client, &text("您好")).await.unwrap();
                    taken += 1;
                    budget = left;
                    if step == "send" {
                        break;
                    }
                }
            }
        }
    }
    assert_eq!(taken, 8);
}
