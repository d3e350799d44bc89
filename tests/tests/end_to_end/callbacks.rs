//! What goes in and what comes out of one callback: modes, formats, reply types.

use yingda_server::wechat::callback::Mode;
use yingda_server::wechat::document::Format;
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
