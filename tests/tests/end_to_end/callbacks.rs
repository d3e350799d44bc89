//! What goes in and what comes out of one callback: modes, formats, reply types.

use yingda_server::wechat::callback::Mode;
use yingda_server::wechat::document::Format;
use yingda_server::wechat::reply::PassiveReply;
use yingda_tests::bench::Bench;
use yingda_tests::platform::Outcome;
use yingda_tests::server::{AccountSetup, Setup};

/// One account for each mode and format.
fn every_mode() -> Setup {
    let mut accounts = Vec::new();
    for mode in [Mode::Plain, Mode::Compat, Mode::Safe] {
        for format in [Format::Xml, Format::Json] {
            let name = format!("{mode:?}-{format:?}").to_lowercase();
            let mut account = AccountSetup::new(&name, "试验台");
            account.platform.mode = mode;
            account.platform.format = format;
            accounts.push(account);
        }
    }
    Setup::of(accounts)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mode_and_format_answers_url_check_message_and_event() {
    let bench = Bench::start(every_mode()).await;
    for account in &bench.accounts {
        assert!(bench.platform.check_url(account).await, "{account}");
        let said = bench.platform.say(account, "o1", "你好😀 ]]> <b>").await;
        assert_eq!(said.text(), "收到：你好😀 ]]> <b>", "{account}");
        let tail = bench.platform.say(account, "o1", "尾巴").await;
        assert_eq!(tail.text(), "结尾是 ]]> 与 <b>&amp;</b> 😀", "{account}");
        let push = bench.platform.event(account, "o1", "subscribe", &[]);
        let event = bench
            .platform
            .deliver(account, &push, Default::default())
            .await;
        assert_eq!(event.text(), "欢迎关注", "{account}");
        let push = bench
            .platform
            .event(account, "o1", "a_new_event", &[("Some", "thing")]);
        let unknown = bench
            .platform
            .deliver(account, &push, Default::default())
            .await;
        assert_eq!(unknown.outcome, Outcome::Acknowledged, "{account}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reply_that_rules_can_write_reaches_the_customer_in_its_kind() {
    let text = |content: &str| PassiveReply::Text {
        content: content.into(),
    };
    let media_id = |name: &str| name.to_owned();
    let cases = [
        ("你好", text("收到：你好")),
        (
            "图片",
            PassiveReply::Image {
                media_id: media_id("MEDIA-1"),
            },
        ),
        (
            "语音",
            PassiveReply::Voice {
                media_id: media_id("欢迎词"),
            },
        ),
        (
            "视频",
            PassiveReply::Video {
                media_id: media_id("教程"),
                title: String::new(),
                description: String::new(),
            },
        ),
        (
            "图文",
            PassiveReply::News {
                title: "双十一".into(),
                description: "全场五折".into(),
                picture_url: "https://shop.example/11.jpg".into(),
                url: "https://shop.example/11".into(),
            },
        ),
        ("菜单", text("请选颜色：\n1. 红\n2. 蓝")),
        ("②", text("要蓝的")),
    ];
    let mut setup = every_mode();
    for account in &mut setup.accounts {
        account.custom_send = false;
    }
    let bench = Bench::start(setup).await;
    for account in &bench.accounts {
        for (said, reply) in &cases {
            let delivery = bench.platform.say(account, "o1", said).await;
            assert_eq!(
                delivery.outcome,
                Outcome::Reply(reply.clone()),
                "{account}: {said}"
            );
        }
        let program = bench.platform.say(account, "o1", "小程序").await.text();
        assert!(
            program.contains("我的订单") && program.contains("wx1234567890abcdef"),
            "{account}: {program}"
        );
    }
}
