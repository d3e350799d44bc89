use futures::TryStreamExt as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use yingda_dsl::diagnostic::Lang;

use super::{ExportFilter, export, show};
use crate::store::{AuditEntry, Commit, SqliteOptions, SqliteStore, Store};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

async fn store_with(
    rows: Vec<(&str, &str, serde_json::Value)>,
) -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("yingda.db");
    let store = SqliteStore::open(&data, SqliteOptions::default())
        .await
        .unwrap();
    let audit = rows
        .into_iter()
        .zip(0..)
        .map(|((conversation, kind, body), n)| AuditEntry {
            at: at(n),
            account: "main".to_owned(),
            conversation: conversation.to_owned(),
            kind: kind.to_owned(),
            body: body.to_string(),
            sealed: Some("13800138000".to_owned()),
        })
        .collect();
    store
        .commit(Commit {
            audit,
            ..Commit::default()
        })
        .await
        .unwrap();
    (store, folder)
}

fn conversation() -> Vec<(&'static str, &'static str, serde_json::Value)> {
    vec![
        (
            "c-1",
            "turn",
            json!({
                "event": {"type": "message", "kind": "text", "text": "转人工！电话 138****8000", "menu_id": null, "attachment": {}},
                "stage": "安全转接",
                "rule": "要人工",
                "explanation": {
                    "message": "转人工！电话 138****8000", "version": "3f9a1c77", "at": "2026-09-21T22:13:20",
                    "considered": [
                        {"stage": "红线", "rule": null, "hit": false, "reason": "没有出现"},
                        {"stage": "安全转接", "rule": "要人工", "hit": true, "reason": "意图 是 转人工（0.97）"}],
                    "stage": "安全转接", "rule": "要人工", "done": ["转人工 售后组"]},
                "effects": [
                    {"effect": "send", "message": {"kind": "text", "text": "正在为您转接\n请稍候"}},
                    {"effect": "handoff", "group": "售后组", "urgency": "urgent", "reason": "客户要求", "note": null},
                    {"effect": "sing", "song": 1}],
                "reply": "正在为您转接",
                "owner": {"kind": "queue", "group": "售后组"},
                "epoch": 1,
                "took_us": 37,
            }),
        ),
        ("c-2", "turn", json!({"event": {"type": "unsubscribe"}})),
        (
            "c-1",
            "send",
            json!({"outbox": "0a1b", "state": "failed", "errcode": 45015, "errmsg": "response out of time limit"}),
        ),
        (
            "c-1",
            "turn",
            json!({"event": {"type": "agent_joined", "agent": "lan"}, "effects": [], "reply": "", "owner": "agent:lan", "epoch": 2}),
        ),
        ("c-1", "reveal", json!({"field": "phone", "by": "auditor"})),
        (
            "",
            "publish",
            json!({"account": "main", "version": "3f9a1c77", "by": "startup", "source": "folder"}),
        ),
    ]
}

#[tokio::test]
async fn a_conversation_is_shown_with_what_happened_and_why() {
    let (store, _folder) = store_with(conversation()).await;
    insta::assert_snapshot!(show(&store, "c-1", Lang::Zh).await.unwrap(), @r#"
    会话 c-1，账号 main，北京时间

    #1 2026-09-21 22:13:20 一轮
       客户：转人工！电话 138****8000
       决定：安全转接 / 要人工
         消息 "转人工！电话 138****8000"   版本 3f9a1c  时间 09-21 22:13
         红线               未中  没有出现
         安全转接 / 要人工  命中  意图 是 转人工（0.97）
         做了  转人工 售后组
       动作：发送 正在为您转接
         请稍候
       动作：转人工 售后组（紧急），原因：客户要求
       动作：{"effect":"sing","song":1}
       回包：正在为您转接
       归属：排队 售后组，第 1 任
       took_us: 37

    #3 2026-09-21 22:13:22 发送
       消息：0a1b 失败，微信不收
       微信答复：45015 response out of time limit

    #4 2026-09-21 22:13:23 一轮
       客服 lan 接入
       回包：（空，success）
       归属：客服 lan，第 2 任

    #5 2026-09-21 22:13:24 reveal
       field: phone
       by: auditor
    "#);
    insta::assert_snapshot!(show(&store, "c-1", Lang::En).await.unwrap(), @r#"
    conversation c-1, account main, Beijing time

    #1 2026-09-21 22:13:20 turn
       customer: 转人工！电话 138****8000
       decided by: 安全转接 / 要人工
         message "转人工！电话 138****8000"   version 3f9a1c  time 09-21 22:13
         红线               miss  没有出现
         安全转接 / 要人工  hit   意图 是 转人工（0.97）
         done  转人工 售后组
       effect: send 正在为您转接
         请稍候
       effect: {"effect":"handoff","group":"售后组","urgency":"urgent","reason":"客户要求","note":null}
       effect: {"effect":"sing","song":1}
       reply: 正在为您转接
       owner: queue 售后组, epoch 1
       took_us: 37

    #3 2026-09-21 22:13:22 send
       message: 0a1b failed
       answer: 45015 response out of time limit

    #4 2026-09-21 22:13:23 turn
       {"type":"agent_joined","agent":"lan"}
       reply: (empty, success)
       owner: agent lan, epoch 2

    #5 2026-09-21 22:13:24 reveal
       field: phone
       by: auditor
    "#);
    insta::assert_snapshot!(show(&store, "c-9", Lang::Zh).await.unwrap(), @"没有会话 c-9 的记录：请核对会话编号。");
}

#[tokio::test]
async fn an_export_has_the_rows_that_were_asked_for_and_nothing_sealed() {
    let (store, _folder) = store_with(conversation()).await;
    let seqs = async |filter: ExportFilter| -> Vec<i64> {
        let lines: Vec<String> = export(&store, &filter).try_collect().await.unwrap();
        assert!(lines.iter().all(|line| !line.contains("13800138000")));
        let rows = lines
            .iter()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        rows.map(|row| row["seq"].as_i64().unwrap()).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let all = ExportFilter::default();
    assert_eq!(seqs(all.clone()).await, [1, 2, 3, 4, 5, 6]);
    let one = ExportFilter {
        conversation: text("c-1"),
        ..all.clone()
    };
    assert_eq!(seqs(one.clone()).await, [1, 3, 4, 5]);
    assert_eq!(
        seqs(ExportFilter {
            kind: text("turn"),
            ..one
        })
        .await,
        [1, 4]
    );
    assert_eq!(
        seqs(ExportFilter {
            account: text("other"),
            ..all.clone()
        })
        .await,
        Vec::<i64>::new()
    );
    let span = ExportFilter {
        since: Some(at(1)),
        until: Some(at(4)),
        ..all
    };
    assert_eq!(seqs(span).await, [2, 3, 4]);
}
