//! The fake platform's hands: what a server gets posted, and what its customer sees.

#![allow(clippy::unwrap_used)] // Helpers of tests are tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::routing::get;
use jiff::Timestamp;
use yingda_server::wechat::callback::{
    Callback, CallbackQuery, CallbackSettings, Mode, Refusal, receive, verify_url,
};
use yingda_server::wechat::document::Format;
use yingda_server::wechat::message::Received;
use yingda_server::wechat::reply::{ACKNOWLEDGED, Addressing, PassiveReply, render, seal};
use yingda_tests::platform::{Account, Outcome, Patience, Platform, Retry, Seen};

/// A server of a few lines: it answers what it is told to by the text.
struct Server {
    settings: parking_lot::Mutex<CallbackSettings>,
    requests: AtomicU32,
    keys: parking_lot::Mutex<Vec<String>>,
}

impl Server {
    /// Starts it, for an account that is set to this mode and format.
    async fn start(platform: &Platform, app_id: &str, mode: Mode, format: Format) -> Arc<Self> {
        platform.configure(app_id, |account| {
            account.mode = mode;
            account.format = format;
        });
        let server = Arc::new(Self {
            settings: platform.account(app_id).callback_settings().into(),
            requests: AtomicU32::new(0),
            keys: Default::default(),
        });
        let router = Router::new()
            .route("/cb", get(check).post(answer))
            .with_state(server.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        platform.set_callback(app_id, &format!("http://{address}/cb"));
        server
    }

    fn reply(&self, callback: &Callback, reply: &PassiveReply) -> String {
        let body = render(reply, &Addressing::back(callback, 1_700_000_000));
        if !callback.encrypted {
            return body;
        }
        let settings = self.settings.lock();
        let nonce = &callback.nonce;
        seal(
            &body,
            &settings,
            nonce,
            1_700_000_000,
            rand::random(),
            callback.format,
        )
        .unwrap()
    }
}

async fn check(
    State(server): State<Arc<Server>>,
    RawQuery(query): RawQuery,
) -> Result<String, StatusCode> {
    let query = CallbackQuery::parse(&query.unwrap_or_default());
    verify_url(&server.settings.lock(), &query, Timestamp::now()).map_err(|_| StatusCode::FORBIDDEN)
}

async fn answer(
    State(server): State<Arc<Server>>,
    RawQuery(query): RawQuery,
    body: axum::body::Bytes,
) -> (StatusCode, String) {
    let number = server.requests.fetch_add(1, Ordering::SeqCst);
    let query = CallbackQuery::parse(&query.unwrap_or_default());
    let settings = server.settings.lock().clone();
    let callback = match receive(&settings, &query, &body, Timestamp::now()) {
        Ok(callback) => callback,
        Err(_) => {
            return (
                StatusCode::from_u16(Refusal::STATUS).unwrap(),
                String::new(),
            );
        }
    };
    server.keys.lock().push(callback.dedupe_key.clone());
    let Received::Text { content, .. } = &callback.received else {
        return (StatusCode::OK, ACKNOWLEDGED.into());
    };
    let reply = match content.as_str() {
        "ack" => return (StatusCode::OK, ACKNOWLEDGED.into()),
        "nothing" => return (StatusCode::OK, String::new()),
        "garbage" => return (StatusCode::OK, "<html>oops</html>".into()),
        "error" => return (StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        "slow" if number < 2 => std::future::pending().await,
        "dead" => std::future::pending().await,
        "agent" => PassiveReply::TransferCustomerService { kf_account: None },
        other => PassiveReply::Text {
            content: format!("您说：{other}"),
        },
    };
    (StatusCode::OK, server.reply(&callback, &reply))
}

async fn bench(mode: Mode, format: Format) -> (Platform, String, Arc<Server>) {
    let platform = Platform::start().await;
    let account = platform.add_account(Account::verified("shop"));
    let server = Server::start(&platform, &account, mode, format).await;
    (platform, account, server)
}

fn hasty() -> Patience {
    Patience {
        wait: Duration::from_millis(100),
        ..Patience::default()
    }
}

#[tokio::test]
async fn every_mode_and_format_carries_a_question_and_its_answer() {
    for mode in [Mode::Plain, Mode::Compat, Mode::Safe] {
        for format in [Format::Xml, Format::Json] {
            let (platform, account, _server) = bench(mode, format).await;
            assert!(platform.check_url(&account).await);
            let delivery = platform.say(&account, "o1", "退货怎么办😀 ]]>").await;
            assert_eq!(
                delivery.text(),
                "您说：退货怎么办😀 ]]>",
                "{mode:?} {format:?}"
            );
            let seen = platform.seen(&account, "o1");
            assert_eq!(
                seen.iter().map(Seen::text).collect::<Vec<_>>(),
                [delivery.text()]
            );
        }
    }
}

#[tokio::test]
async fn the_url_check_fails_with_another_token() {
    let (platform, account, server) = bench(Mode::Safe, Format::Xml).await;
    server.settings.lock().token = "other".into();
    assert!(!platform.check_url(&account).await);
    let delivery = platform
        .deliver(&account, &platform.text(&account, "o1", "在吗"), hasty())
        .await;
    assert_eq!(delivery.attempts.len(), 3);
    assert!(
        delivery
            .attempts
            .iter()
            .all(|attempt| attempt.status == Some(403))
    );
    assert_eq!(platform.seen(&account, "o1"), [Seen::ServiceFailed]);
}

#[tokio::test]
async fn an_acknowledged_message_shows_nothing() {
    let (platform, account, _server) = bench(Mode::Safe, Format::Xml).await;
    for text in ["ack", "nothing"] {
        assert_eq!(
            platform.say(&account, "o1", text).await.outcome,
            Outcome::Acknowledged
        );
    }
    assert!(platform.seen(&account, "o1").is_empty());
}

#[tokio::test]
async fn a_malformed_answer_shows_the_failure_at_once() {
    let (platform, account, _server) = bench(Mode::Plain, Format::Xml).await;
    let delivery = platform.say(&account, "o1", "garbage").await;
    assert_eq!(delivery.attempts.len(), 1);
    assert!(matches!(delivery.outcome, Outcome::Failed(_)));
    assert_eq!(platform.seen(&account, "o1"), [Seen::ServiceFailed]);
}

#[tokio::test]
async fn a_slow_server_is_asked_three_times_with_one_message() {
    for retry in [Retry::Identical, Retry::Resigned] {
        let (platform, account, server) = bench(Mode::Safe, Format::Xml).await;
        let patience = Patience { retry, ..hasty() };
        let push = platform.text(&account, "o1", "slow");
        let delivery = platform.deliver(&account, &push, patience).await;
        assert_eq!(delivery.text(), "您说：slow");
        let statuses: Vec<_> = delivery
            .attempts
            .iter()
            .map(|attempt| attempt.status)
            .collect();
        assert_eq!(statuses, [None, None, Some(200)]);
        let keys = server.keys.lock().clone();
        assert_eq!(keys.len(), 3);
        assert!(
            keys.iter().all(|key| *key == keys[0]),
            "one message has one key"
        );
    }
}

#[tokio::test]
async fn a_server_that_never_answers_shows_the_failure_once() {
    let (platform, account, server) = bench(Mode::Safe, Format::Xml).await;
    for text in ["dead", "error"] {
        let push = platform.text(&account, "o1", text);
        let delivery = platform.deliver(&account, &push, hasty()).await;
        assert_eq!(delivery.attempts.len(), 3, "{text}");
    }
    assert_eq!(server.requests.load(Ordering::SeqCst), 6);
    assert_eq!(
        platform.seen(&account, "o1"),
        [Seen::ServiceFailed, Seen::ServiceFailed]
    );
}

#[tokio::test]
async fn copies_at_the_same_time_all_arrive_and_one_answer_is_seen() {
    let (platform, account, server) = bench(Mode::Safe, Format::Xml).await;
    let push = platform.text(&account, "o1", "在吗");
    let wait = Duration::from_secs(5);
    let attempts = platform.deliver_copies(&account, &push, 5, wait).await;
    assert_eq!(attempts.len(), 5);
    assert!(
        attempts
            .iter()
            .all(|attempt| attempt.answer == attempts[0].answer)
    );
    assert_eq!(server.requests.load(Ordering::SeqCst), 5);
    assert_eq!(platform.seen(&account, "o1").len(), 1);
}

#[tokio::test]
async fn a_transfer_queues_the_customer_until_an_agent_takes_and_closes() {
    let (platform, account, server) = bench(Mode::Safe, Format::Xml).await;
    let [amy, bob] = <[String; 2]>::try_from(platform.account(&account).agents).unwrap();
    platform.sign_in(&account, &amy);
    platform.say(&account, "o1", "agent").await;
    assert_eq!(platform.waiting(&account), ["o1"]);

    let told = platform.take(&account, "o1", &amy).await.unwrap();
    assert_eq!(told.outcome, Outcome::Acknowledged);
    let said = platform.say(&account, "o1", "有人吗").await;
    assert_eq!(said.outcome, Outcome::Desk { agent: amy.clone() });
    assert!(platform.agent_says(&account, "o1", "在的"));
    platform.hand_on(&account, "o1", &bob).await.unwrap();
    platform.close(&account, "o1", &bob).await.unwrap();
    assert!(
        !platform.agent_says(&account, "o1", "在的"),
        "nobody serves them any more"
    );
    assert_eq!(
        platform.say(&account, "o1", "在吗").await.text(),
        "您说：在吗"
    );

    assert_eq!(
        server.requests.load(Ordering::SeqCst),
        5,
        "the desk's message never came"
    );
    let seen = platform.seen(&account, "o1");
    assert_eq!(
        seen.iter().map(Seen::text).collect::<Vec<_>>(),
        ["在的", "您说：在吗"]
    );
}
