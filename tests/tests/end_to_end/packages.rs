//! The life of a package: refused, published, rolled back, and swapped under load.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};
use yingda_tests::bench::Bench;
use yingda_tests::server::{Said, Server, Setup, run};

/// A package that names its number in every answer, with a flow that waits.
fn numbered(number: usize) -> String {
    format!(
        "机器人 版本{number} {{ 时区 \"Asia/Shanghai\" }}\n\
         路由 {{\n  流程中\n  规则组 一切\n  兜底 -> 说 \"版本{number}：{{消息.内容}}\"\n}}\n\
         规则组 一切 首个 {{\n  规则 菜单 {{ 当 消息 整句 \"菜单\" 则 进入 流程 选色 }}\n}}\n\
         流程 选色 {{\n  不可打断\n  菜单 颜色 \"版本{number}的颜色：\" {{\n    1 \"红\" -> 说 \"版本{number}的红\"\n    其它 -> 说 \"版本{number}的其它\"\n  }}\n}}\n"
    )
}

const BROKEN: &str = "机器人 坏 { 时区 \"Asia/Shanghai\" }\n路由 {\n  规则组 没有这一组\n}\n";

/// A folder with one file of rules, beside the configuration.
fn write_package(bench: &Bench, name: &str, rules: &str) -> PathBuf {
    let folder = bench.folder().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("机器人.yd"), rules).unwrap();
    folder
}

async fn prepared(rules: &str) -> Bench {
    let setup = Setup::new("试验台").account(|account| account.package = "规则".into());
    let bench = Bench::prepare(setup).await;
    write_package(&bench, "规则", rules);
    bench
}

async fn started(rules: &str) -> Bench {
    let mut bench = prepared(rules).await;
    bench.restart().await;
    bench
}

async fn command(bench: &Bench, arguments: &[&str]) -> Said {
    let base = bench.server().base().to_owned();
    let mut all = arguments.to_vec();
    all.extend(["--config", "yingda.toml", "--url", &base]);
    run(bench.folder(), &all, b"").await
}

async fn publish(bench: &Bench, rules: &str) -> (u16, Value) {
    let body = json!({"files": {"机器人.yd": rules}});
    bench
        .server()
        .api("POST", "/api/v1/accounts/shop/packages", Some(&body))
        .await
}

async fn current(bench: &Bench) -> String {
    let (_, accounts) = bench.server().api("GET", "/api/v1/accounts", None).await;
    accounts[0]["version"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_does_not_start_on_a_package_with_an_error_and_shows_where() {
    let bench = prepared(BROKEN).await;
    let (code, said) = Server::try_start(bench.folder())
        .await
        .err()
        .expect("it must not start");
    assert_eq!(code, Some(1), "{said}");
    for part in ["没有这一组", "机器人.yd:3", "兜底", "没有通过检查"] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_by_command_and_by_api_swaps_a_bad_one_is_refused_and_rollback_returns() {
    let bench = started(&numbered(1)).await;
    assert_eq!(bench.say("o1", "甲").await, "版本1：甲");
    let first = current(&bench).await;

    write_package(&bench, "新规则", &numbered(2));
    let said = command(&bench, &["publish", "新规则"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(bench.say("o1", "乙").await, "版本2：乙");

    write_package(&bench, "坏规则", BROKEN);
    let said = command(&bench, &["publish", "坏规则"]).await;
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("没有这一组"), "{said:?}");
    let (status, problem) = publish(&bench, BROKEN).await;
    assert_eq!(
        (status, problem["code"].as_str()),
        (422, Some("refused")),
        "{problem}"
    );
    assert!(
        problem["diagnostics"]
            .as_array()
            .is_some_and(|all| !all.is_empty()),
        "{problem}"
    );
    assert_eq!(
        bench.say("o1", "丙").await,
        "版本2：丙",
        "the running one stays"
    );

    let (status, published) = publish(&bench, &numbered(3)).await;
    assert_eq!(status, 200, "{published}");
    assert_eq!(published["version"], current(&bench).await);
    assert_eq!(bench.say("o1", "丁").await, "版本3：丁");

    let said = command(&bench, &["rollback"]).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    assert_eq!(bench.say("o1", "戊").await, "版本2：戊");
    let back = json!({ "version": first });
    let (status, _) = bench
        .server()
        .api("POST", "/api/v1/accounts/shop/rollback", Some(&back))
        .await;
    assert_eq!(status, 200);
    assert_eq!(bench.say("o1", "己").await, "版本1：己");
    let unknown = json!({ "version": "0".repeat(64) });
    let (status, _) = bench
        .server()
        .api("POST", "/api/v1/accounts/shop/rollback", Some(&unknown))
        .await;
    assert_eq!(status, 404);
    assert_eq!(bench.say("o1", "庚").await, "版本1：庚");
    let (_, history) = bench
        .server()
        .api("GET", "/api/v1/accounts/shop/packages", None)
        .await;
    assert_eq!(history.as_array().unwrap().len(), 5, "{history}");
    assert_eq!(history[0]["current"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_last_runs_after_a_restart() {
    let mut bench = started(&numbered(1)).await;
    publish(&bench, &numbered(2)).await;
    bench.kill().await;
    bench.restart().await;
    assert_eq!(
        bench.say("o1", "甲").await,
        "版本2：甲",
        "the folder did not change meanwhile"
    );
    write_package(&bench, "规则", &numbered(3));
    bench.kill().await;
    bench.restart().await;
    assert_eq!(bench.say("o1", "乙").await, "版本3：乙", "now it did");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_flow_stays_on_its_version_until_it_ends() {
    let mut bench = started(&numbered(1)).await;
    assert!(bench.say("o1", "菜单").await.starts_with("版本1的颜色"));
    publish(&bench, &numbered(2)).await;
    assert!(bench.say("o2", "菜单").await.starts_with("版本2的颜色"));
    // Also when the server has started anew meanwhile.
    bench.kill().await;
    bench.restart().await;
    assert_eq!(bench.say("o1", "1").await, "版本1的红");
    assert_eq!(bench.say("o2", "1").await, "版本2的红");
    assert_eq!(
        bench.say("o1", "完").await,
        "版本2：完",
        "the flow has ended"
    );
}

const PUBLICATIONS: usize = 20;
const BAD: usize = 11;

#[tokio::test(flavor = "multi_thread")]
async fn twenty_publications_under_load_drop_nothing_and_every_turn_has_one_version() {
    let bench = Arc::new(started(&numbered(0)).await);
    let stop = Arc::new(AtomicBool::new(false));
    let said = Arc::new(AtomicUsize::new(0));
    let customers: Vec<_> = (0..8)
        .map(|customer| {
            let (bench, stop, said) = (bench.clone(), stop.clone(), said.clone());
            tokio::spawn(async move {
                let openid = format!("o{customer}");
                while !stop.load(Ordering::SeqCst) {
                    let delivery = bench.platform.say(bench.account(), &openid, "话").await;
                    assert_eq!(delivery.attempts.len(), 1, "{:?}", delivery.attempts);
                    let text = delivery.text();
                    assert!(text.starts_with("版本") && text.ends_with("：话"), "{text}");
                    said.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut versions = vec![(0, current(&bench).await)];
    for number in 1..=PUBLICATIONS {
        if number == BAD {
            assert_eq!(publish(&bench, BROKEN).await.0, 422);
        } else {
            let (status, published) = publish(&bench, &numbered(number)).await;
            assert_eq!(status, 200, "{published}");
            versions.push((number, published["version"].as_str().unwrap().to_owned()));
        }
        // Of each customer's messages one may have been decided before; the next was not.
        let before = said.load(Ordering::SeqCst);
        yingda_tests::wait::until("messages under this version", || {
            said.load(Ordering::SeqCst) >= before + 9
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    for customer in customers {
        customer.await.unwrap();
    }
    let database = bench.database().await;
    let said = said.load(Ordering::SeqCst) as i64;
    assert_eq!(
        (database.inbox().await, database.turns().await),
        (said, said)
    );
    let mut counted = 0;
    for (number, version) in versions {
        let rows = database
            .number(&format!(
                "SELECT count(*) FROM audit WHERE kind = 'turn' AND json_extract(body, '$.version') = '{version}' \
                 AND json_extract(body, '$.reply') = '版本{number}：话'"
            ))
            .await;
        assert!(rows > 0, "version {number} answered nobody");
        counted += rows;
    }
    assert_eq!(
        counted, said,
        "every turn names the version that made its reply"
    );
}
