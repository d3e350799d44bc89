//! Every command with good and bad input: exit codes, sentences, and the shapes of JSON.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use yingda_tests::bench::Bench;
use yingda_tests::package;
use yingda_tests::server::{Said, Server, Setup, run};

/// Arguments, input, exit code, what standard output and standard error hold.
type Case = (
    &'static [&'static str],
    &'static str,
    i32,
    &'static [&'static str],
    &'static [&'static str],
);

async fn table(folder: &Path, cases: &[Case]) {
    let mut wrong = Vec::new();
    for (arguments, input, code, out, err) in cases {
        let said = run(folder, arguments, input.as_bytes()).await;
        let right = said.code == Some(*code)
            && out.iter().all(|part| said.out.contains(part))
            && err.iter().all(|part| said.err.contains(part));
        if !right || said.err.contains("panicked") {
            wrong.push(format!(
                "yingda {} < {input:?}: wanted {code}, {out:?}, {err:?}; {said:#?}",
                arguments.join(" ")
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_about_packages_end_with_their_code_and_a_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::create_dir(path.join("空")).unwrap();
    std::fs::write(path.join("文件.yd"), "机器人 甲 {}").unwrap();
    for (name, bytes) in [
        ("乱码", b"\xe6\x9c\xba\xe5\x99\xa8\n\xff\xfe".as_slice()),
        ("坏", "机器人 坏 { 时区 \"Asia/Shanghai\" }\n路由 {\n  规则组 没有这一组\n}\n".as_bytes()),
        ("不过", "机器人 丙 { 时区 \"Asia/Shanghai\" }\n路由 { 流程中\n 兜底 -> 说 \"好\" }\n测试 \"不会过\" {\n 客户 \"你好\"\n 机器人 含 \"再见\"\n}\n".as_bytes()),
        ("好", "机器人 丁 { 时区 \"Asia/Shanghai\" }\n路由 { 流程中\n 兜底 -> 说 \"好\" }\n测试 \"会过\" {\n 客户 \"你好\"\n 机器人 含 \"好\"\n}\n".as_bytes()),
    ] {
        std::fs::create_dir(path.join(name)).unwrap();
        std::fs::write(path.join(name).join("机器人.yd"), bytes).unwrap();
    }
    table(
        path,
        &[
            (
                &["new", "新店"],
                "",
                0,
                &["机器人.yd", "yingda check 新店"],
                &[],
            ),
            (&["new", "新店"], "", 3, &[], &["新店", "已经存在"]),
            (&["check", "新店"], "", 0, &["检查通过"], &[]),
            (&["test", "新店"], "", 0, &["✓", "0 个没有通过"], &[]),
            (&["check", "builtin:retail"], "", 0, &["检查通过"], &[]),
            (&["test", "builtin:retail"], "", 0, &["0 个没有通过"], &[]),
            (&["check", "好"], "", 0, &["检查通过"], &[]),
            (&["check", "好", "--lang", "en"], "", 0, &[], &[]),
            (&["check", "坏"], "", 1, &["没有这一组", "机器人.yd:3"], &[]),
            (&["check", "没有的文件夹"], "", 3, &[], &["没有的文件夹"]),
            (&["check", "文件.yd"], "", 3, &[], &["文件.yd", "文件夹"]),
            (&["check", "空"], "", 3, &[], &["空", "没有 .yd"]),
            (&["check", "乱码"], "", 1, &["UTF-8", "机器人.yd:2:1"], &[]),
            (&["test", "乱码"], "", 1, &[], &["UTF-8"]),
            (&["test", "好"], "", 0, &["1 个通过"], &[]),
            (&["test", "不过"], "", 1, &["✗ 不会过", "1 个没有通过"], &[]),
            (&["test", "坏"], "", 1, &[], &["没有通过检查"]),
            (&["test", "没有的文件夹"], "", 3, &[], &["没有的文件夹"]),
            (
                &["explain", "好", "你好"],
                "",
                0,
                &["版本", "兜底", "机器人：好"],
                &[],
            ),
            (
                &[
                    "explain",
                    "builtin:retail",
                    "不要人工",
                    "--why-not",
                    "普通找人工",
                ],
                "",
                0,
                &["普通找人工", "未中"],
                &[],
            ),
            (
                &["explain", "好", "你好", "--why-not", "没有的规则"],
                "",
                2,
                &[],
                &["没有的规则"],
            ),
            (
                &["chat", "好"],
                "你好\n:为什么\n:不认识\n",
                0,
                &["机器人：好", "兜底", "不认识这个命令"],
                &[],
            ),
            (&["chat", "坏"], "", 1, &[], &["没有通过检查"]),
            (
                &["chat", "好", "--json"],
                "这不是 JSON\n",
                1,
                &["第 1 行"],
                &[],
            ),
            (
                &["chat", "好", "--json"],
                "{\"event\":\"飞\"}\n{}\n",
                1,
                &["不认识事件「飞」", "至少要有一个"],
                &[],
            ),
            (&["understand"], "", 0, &[], &[]),
            // Misuse.
            (&[], "", 2, &[], &["serve", "check"]),
            (&["chek"], "", 2, &[], &["chek", "check"]),
            (&["check"], "", 2, &[], &["规则包"]),
            (
                &["check", "好", "--formt", "json"],
                "",
                2,
                &[],
                &["--formt", "--format"],
            ),
            (
                &["check", "好", "--format", "xml"],
                "",
                2,
                &[],
                &["xml", "json"],
            ),
            (
                &["send", "你好", "--mode", "none"],
                "",
                2,
                &[],
                &["none", "plain"],
            ),
            (&["audit"], "", 2, &[], &["verify"]),
            (&["--help"], "", 0, &["serve", "退出码"], &[]),
            (&["serve", "--help"], "", 0, &["--config"], &[]),
            (&["--version"], "", 0, &["yingda"], &[]),
        ],
    )
    .await;
    let invalid = run(
        path,
        &["understand"],
        b"\xff\xfe\n\xe4\xbd\xa0\xe5\xa5\xbd\n",
    )
    .await;
    assert_eq!(
        (invalid.code, invalid.out.lines().count()),
        (Some(1), 1),
        "{invalid:?}"
    );
    assert!(invalid.err.contains("第 1 行不是 UTF-8"), "{invalid:?}");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("包");
    std::fs::create_dir(&package).unwrap();
    // A link to itself cannot be opened by anybody, not even by root.
    std::os::unix::fs::symlink("机器人.yd", package.join("机器人.yd")).unwrap();
    let said = run(folder.path(), &["check", "包"], b"").await;
    assert_eq!(said.code, Some(3), "{said:?}");
    assert!(said.err.contains("机器人.yd"), "{said:?}");
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

fn lines(said: &Said) -> Vec<Value> {
    said.out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn understand_writes_one_object_of_its_shape_for_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let input = "我要退货😀\n\n１３８００１３８０００ 明天下午三点送到吗？气死我了！\nzzz qqq\n";
    let said = run(folder.path(), &["understand"], input.as_bytes()).await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let all = lines(&said);
    assert_eq!(all.len(), 4, "{said:?}");
    for (line, object) in input.lines().zip(&all) {
        assert_eq!(object["text"], line);
        assert_eq!(
            keys(object),
            [
                "text",
                "normalized",
                "tokens",
                "intent",
                "emotion",
                "entities"
            ]
            .into(),
            "{object}"
        );
        assert_eq!(
            keys(&object["intent"]),
            ["label", "confidence", "top"].into(),
            "{object}"
        );
        assert!(object["intent"]["label"].is_string(), "{object}");
        assert_eq!(keys(&object["emotion"]), ["label", "score"].into());
        for entity in object["entities"].as_array().unwrap() {
            assert_eq!(
                keys(entity),
                ["type", "value", "start", "end"].into(),
                "{entity}"
            );
        }
    }
    assert_eq!(all[1]["intent"]["label"], "unknown");
    assert_eq!(all[3]["intent"]["label"], "unknown");
    assert!(
        !all[2]["entities"].as_array().unwrap().is_empty(),
        "{}",
        all[2]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_json_writes_one_object_of_its_shape_for_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let input = concat!(
        "{\"text\": \"你好\", \"at\": \"2026-11-20T10:00:00+08:00\", \"customer\": \"甲\"}\n",
        "{\"text\": \"我要投诉你们\", \"at\": \"2026-11-20T10:01:00+08:00\", \"customer\": \"甲\"}\n",
        "{\"text\": \"发票怎么开\", \"at\": \"2026-11-20T10:02:00+08:00\", \"customer\": \"乙\"}\n",
        "{\"event\": \"subscribe\", \"customer\": \"丙\"}\n",
    );
    let said = run(
        folder.path(),
        &["chat", "builtin:retail", "--json"],
        input.as_bytes(),
    )
    .await;
    assert_eq!(said.code, Some(0), "{said:?}");
    let all = lines(&said);
    assert_eq!(all.len(), 4, "{said:?}");
    for object in &all {
        assert_eq!(
            keys(object),
            [
                "replies",
                "handoff",
                "stage",
                "rule",
                "intent",
                "faq",
                "explanation"
            ]
            .into(),
            "{object}"
        );
        for reply in object["replies"].as_array().unwrap() {
            assert!(
                reply["kind"].is_string() && reply["text"].is_string(),
                "{reply}"
            );
        }
        if !object["intent"].is_null() {
            assert_eq!(
                keys(&object["intent"]),
                ["label", "confidence"].into(),
                "{object}"
            );
        }
        for entry in object["faq"].as_array().unwrap() {
            assert_eq!(keys(entry), ["id", "score"].into(), "{entry}");
        }
        assert!(object["explanation"].is_array());
    }
    assert!(all[0]["handoff"].is_null() && !all[0]["replies"].as_array().unwrap().is_empty());
    assert_eq!(
        keys(&all[1]["handoff"]),
        ["group", "urgency", "reason"].into(),
        "{}",
        all[1]
    );
    assert_eq!(all[1]["handoff"]["group"], "投诉组");
    assert!(all[2]["replies"].to_string().contains("发票"), "{}", all[2]);
    assert!(all[3]["replies"].to_string().contains("text"), "{}", all[3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn check_json_is_an_array_with_positions_from_one() {
    let folder = tempfile::tempdir().unwrap();
    let package = folder.path().join("坏");
    std::fs::create_dir(&package).unwrap();
    std::fs::write(
        package.join("机器人.yd"),
        "机器人 坏 { 时区 \"Asia/Shanghai\" }\n路由 {\n  规则组 没有这一组\n}\n",
    )
    .unwrap();
    let said = run(folder.path(), &["check", "坏", "--format", "json"], b"").await;
    assert_eq!(said.code, Some(1));
    let all: Value = serde_json::from_str(&said.out).unwrap();
    assert!(all.as_array().unwrap().len() >= 2, "{all}");
    for diagnostic in all.as_array().unwrap() {
        let wanted = [
            "code",
            "severity",
            "file",
            "line",
            "column",
            "end_line",
            "end_column",
            "message",
            "help",
            "fixes",
        ];
        assert!(
            wanted.iter().all(|key| diagnostic.get(key).is_some()),
            "{diagnostic}"
        );
        assert!(
            diagnostic["line"].as_u64().unwrap() >= 1
                && diagnostic["column"].as_u64().unwrap() >= 1
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn send_doctor_and_audit_talk_about_a_running_server() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let url = bench.server().url("/wechat/shop");
    for mode in ["safe", "compat", "plain"] {
        let said = run(
            bench.folder(),
            &["send", "你好", "--url", &url, "--mode", mode],
            b"",
        )
        .await;
        match mode {
            // The account is in safe mode and takes nothing else; compatible bodies are encrypted as well.
            "plain" => assert_eq!(
                (said.code, said.err.contains("403")),
                (Some(1), true),
                "{said:?}"
            ),
            _ => assert_eq!(
                (said.code, said.out.trim()),
                (Some(0), "收到：你好"),
                "{mode} {said:?}"
            ),
        }
    }
    let json = run(
        bench.folder(),
        &["send", "图片", "--url", &url, "--json"],
        b"",
    )
    .await;
    assert_eq!(json.out.trim(), "[图片 MEDIA-1]", "{json:?}");
    let shown = run(
        bench.folder(),
        &["audit", "show", "--config", "yingda.toml"],
        b"",
    )
    .await;
    assert_eq!(shown.code, Some(0), "{shown:?}");
    assert!(
        shown.out.contains("你好") && shown.out.contains("兜底"),
        "{shown:?}"
    );
    let exported = run(bench.folder(), &["audit", "export"], b"").await;
    assert_eq!(
        (exported.code, lines(&exported).is_empty()),
        (Some(0), false)
    );
    for (arguments, code, part) in [
        (vec!["audit", "verify"], 0, "审计链完整"),
        (vec!["audit", "replay"], 0, "一致"),
        (vec!["audit", "show", "没有的会话"], 1, "没有这个会话"),
        (vec!["doctor"], 0, "没有发现问题"),
        (vec!["send", "你好", "--account", "没有"], 2, "没有公众号"),
        (
            vec!["send", "你好", "--url", "http://127.0.0.1:9/wechat/shop"],
            3,
            "连不上",
        ),
        (
            vec!["audit", "verify", "--config", "没有.toml"],
            3,
            "没有.toml",
        ),
    ] {
        let said = run(bench.folder(), &arguments, b"").await;
        assert_eq!(said.code, Some(code), "{arguments:?} {said:?}");
        assert!(
            said.out.contains(part) || said.err.contains(part),
            "{arguments:?} {said:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_says_in_a_sentence_why_it_does_not_start() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let toml = bench.setup.toml(bench.platform.base());
    let port = bench
        .server()
        .base()
        .trim_start_matches("http://")
        .to_owned();
    let other = |change: &dyn Fn(&str) -> String| {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("yingda.toml"), change(&toml)).unwrap();
        folder
    };
    let locked = bench.folder().join("yingda.db").display().to_string();
    let no_package = package("没有这个包");
    let cases: Vec<(tempfile::TempDir, i32, Vec<&str>)> = vec![
        (
            other(&|toml| toml.replace("127.0.0.1:0", &port)),
            3,
            vec![&port, "占用"],
        ),
        (
            other(&|toml| toml.replace("\"yingda.db\"", &format!("{locked:?}"))),
            3,
            vec!["正被另一个程序使用"],
        ),
        (
            other(&|toml| toml.replace("mode = \"safe\"", "mode = \"safest\"")),
            3,
            vec!["yingda.toml", "行有误"],
        ),
        (
            other(&|toml| toml.replace("listen", "listn")),
            3,
            vec!["listn"],
        ),
        (
            other(&|toml| toml.replace("6q2B2C", "6q2B")),
            3,
            vec!["41 个字符", "43"],
        ),
        (
            other(&|toml| toml.replace(&package("试验台"), &no_package)),
            3,
            vec!["没有这个包"],
        ),
        (
            other(&|toml| {
                toml.replace(
                    "api_base = \"http://127.0.0.1",
                    "api_base = \"http://192.0.2.1",
                )
            }),
            3,
            vec!["https"],
        ),
        (
            other(&|toml| toml.replace("127.0.0.1:0", "somewhere")),
            3,
            vec!["somewhere"],
        ),
    ];
    for (folder, code, parts) in cases {
        let Err((ended, said)) = Server::try_start(folder.path()).await else {
            panic!("started though it should say {parts:?}");
        };
        assert_eq!(ended, Some(code), "{said}");
        assert!(
            parts.iter().all(|part| said.contains(part)),
            "{parts:?}: {said}"
        );
        let lines: Vec<&str> = said
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        assert!(
            lines.iter().any(|line| line.contains('。')),
            "a sentence: {said}"
        );
    }
    for (name, bytes) in [(
        "garbage.db",
        "this is no database, only some words that go on for a while".as_bytes(),
    )] {
        let folder = other(&|toml| toml.replace("yingda.db", name));
        std::fs::write(folder.path().join(name), bytes.repeat(100)).unwrap();
        let (ended, said) = Server::try_start(folder.path())
            .await
            .err()
            .expect("it must not start");
        assert_eq!(ended, Some(3), "{said}");
        assert!(said.contains(name), "{said}");
    }
    let folder = other(&|toml| toml.to_owned());
    std::fs::write(folder.path().join("yingda.toml"), b"listen = \"\xff\"").unwrap();
    let (ended, said) = Server::try_start(folder.path())
        .await
        .err()
        .expect("it must not start");
    assert_eq!(ended, Some(3), "{said}");
    assert!(said.contains("第 10 字节"), "{said}");
    assert_eq!(
        bench.say("o1", "你好").await,
        "收到：你好",
        "the running one did not mind"
    );
}
