//! Several accounts and many customers on one server.

use std::sync::Arc;
use std::time::Duration;

use yingda_server::wechat::callback::Mode;
use yingda_tests::backend::Backend;
use yingda_tests::bench::Bench;
use yingda_tests::platform::{Outcome, Patience};
use yingda_tests::server::{AccountSetup, Setup};

#[tokio::test(flavor = "multi_thread")]
async fn accounts_with_their_own_package_and_mode_do_not_mix() {
    let mut bench_account = AccountSetup::new("bench", "试验台");
    bench_account.platform.mode = Mode::Plain;
    let mut pieces = AccountSetup::new("pieces", "碎片");
    pieces.platform.mode = Mode::Compat;
    let mut retail = AccountSetup::new("retail", "");
    retail.package = "builtin:retail".into();
    let mut setup = Setup::of(vec![bench_account, pieces, retail]);
    setup.connectors.extend(
        [
            ("查询订单", "builtin:orders"),
            ("查询优惠券", "builtin:coupons"),
        ]
        .map(|(name, url)| yingda_tests::server::ConnectorSetup {
            name: name.into(),
            url: url.into(),
        }),
    );
    let bench = Bench::start(setup).await;
    let [one, two, three] = <[String; 3]>::try_from(bench.accounts.clone()).unwrap();
    let say = async |account: &str| bench.platform.say(account, "o1", "发票怎么开").await.text();
    assert_eq!(say(&one).await, "收到：发票怎么开");
    assert_eq!(say(&two).await, "合起来是：发票怎么开");
    let retail = say(&three).await;
    assert!(
        retail.contains("发票") && !retail.starts_with("收到"),
        "{retail}"
    );
    // The keys of one account open no other.
    let url = bench.platform.account(&one).callback_url;
    bench.platform.set_callback(&two, &url);
    let push = bench.platform.text(&two, "o1", "你好");
    let refused = bench
        .platform
        .deliver(
            &two,
            &push,
            Patience {
                attempts: 1,
                ..Patience::default()
            },
        )
        .await;
    assert_eq!(refused.attempts[0].status, Some(403));
    let database = bench.database().await;
    assert_eq!(
        database
            .texts("SELECT DISTINCT account FROM conversation ORDER BY account")
            .await,
        ["bench", "pieces", "retail"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn each_customers_order_is_kept_and_nobody_waits_for_another() {
    let backend = Backend::start(false).await;
    let bench = Arc::new(Bench::start(Setup::new("试验台").backend(backend.url())).await);
    // One customer's connector hangs all the while.
    let hanging = {
        let bench = bench.clone();
        tokio::spawn(async move {
            bench
                .platform
                .say(bench.account(), "oHanging", "查 表")
                .await
        })
    };
    let patience = Patience {
        attempts: 1,
        wait: Duration::from_secs(20),
        ..Patience::default()
    };
    let customers: Vec<_> = (0..20)
        .map(|customer| {
            let bench = bench.clone();
            tokio::spawn(async move {
                let openid = format!("o{customer}");
                let mut sent = Vec::new();
                for burst in 0..4 {
                    // Some one after the other, some overlapping.
                    let pushes: Vec<_> = (0..3)
                        .map(|number| {
                            bench.platform.text(
                                bench.account(),
                                &openid,
                                &format!("{burst}-{number}"),
                            )
                        })
                        .collect();
                    let replies = futures::future::join_all(
                        pushes
                            .iter()
                            .map(|push| bench.platform.deliver(bench.account(), push, patience)),
                    )
                    .await;
                    for (number, reply) in replies.iter().enumerate() {
                        assert_eq!(reply.text(), format!("收到：{burst}-{number}"));
                    }
                    sent.push(burst);
                }
                openid
            })
        })
        .collect();
    let mut openids = Vec::new();
    for customer in customers {
        openids.push(customer.await.unwrap());
    }
    assert_eq!(
        hanging.await.unwrap().outcome,
        Outcome::Acknowledged,
        "its deadline came, nobody else's"
    );
    let database = bench.database().await;
    for openid in &openids {
        let written = database.written_by(openid).await;
        let kept = database
            .texts(&format!("SELECT json_extract(event, '$.text') FROM inbox WHERE customer = '{openid}' ORDER BY id"))
            .await;
        assert_eq!(written.len(), 12, "{openid}");
        assert_eq!(
            written, kept,
            "{openid}: turns in the order of the callbacks kept"
        );
        let bursts: Vec<&str> = written
            .iter()
            .map(|text| text.split('-').next().unwrap())
            .collect();
        assert!(bursts.is_sorted(), "{openid}: {bursts:?}");
    }
}
