//! The rows of a conversation as people read them: what happened, and why.

use futures::{StreamExt as _, pin_mut};
use jiff::tz::{Offset, TimeZone};
use serde_json::Value;
use yingda_dsl::diagnostic::Lang;
use yingda_dsl::program::Urgency;
use yingda_engine::conversation::Owner;
use yingda_engine::event::{Event, Outcome};
use yingda_engine::explanation::{self, Explanation};
use yingda_engine::turn::{Effect, Outgoing};

use super::rows;
use crate::store::{AuditRow, Store, StoreError};

/// WeChat's customers and agents live by Beijing time.
const BEIJING: Offset = Offset::constant(8);

/// What happened in a conversation and why, oldest first; says so when there is no such conversation.
///
/// # Errors
/// Those of [`Store::audit`].
pub async fn show(store: &dyn Store, conversation: &str, lang: Lang) -> Result<String, StoreError> {
    let rows = rows(store, Some(conversation));
    pin_mut!(rows);
    let mut out = String::new();
    while let Some(row) = rows.next().await {
        let row = row?;
        if out.is_empty() {
            out = match lang {
                Lang::Zh => format!("会话 {conversation}，账号 {}，北京时间\n", row.account),
                Lang::En => format!(
                    "conversation {conversation}, account {}, Beijing time\n",
                    row.account
                ),
            };
        }
        out.push('\n');
        show_row(&row, lang, &mut out);
    }
    if out.is_empty() {
        out = match lang {
            Lang::Zh => format!("没有会话 {conversation} 的记录：请核对会话编号。\n"),
            Lang::En => format!("no rows of conversation {conversation}: check its id\n"),
        };
    }
    Ok(out)
}

fn show_row(row: &AuditRow, lang: Lang, out: &mut String) {
    let at = row.at.to_zoned(TimeZone::fixed(BEIJING));
    out.push_str(&format!(
        "#{} {} {}\n",
        row.seq,
        at.strftime("%Y-%m-%d %H:%M:%S"),
        kind(&row.kind, lang)
    ));
    let Some(body) = &row.body else {
        line(
            out,
            pick(lang, "（内容已按要求抹除）", "(erased on request)"),
        );
        return;
    };
    match (
        row.kind.as_str(),
        serde_json::from_str::<serde_json::Map<String, Value>>(body),
    ) {
        ("turn" | "timer" | "take" | "return" | "close", Ok(body)) => show_turn(body, lang, out),
        ("send", Ok(body)) => show_send(body, lang, out),
        ("publish", Ok(body)) => show_publication(body, lang, out),
        (_, Ok(body)) => show_rest(body, out),
        (_, Err(_)) => line(out, body),
    }
}

fn kind(kind: &str, lang: Lang) -> &str {
    match (lang, kind) {
        (Lang::Zh, "turn") => "一轮",
        (Lang::Zh, "timer") => "时间到",
        (Lang::Zh, "take") => "客服接管",
        (Lang::Zh, "say") => "客服发言",
        (Lang::Zh, "return") => "交还机器人",
        (Lang::Zh, "close") => "关闭会话",
        (Lang::Zh, "keep") => "暂存，等客户下次来信",
        (Lang::Zh, "rollback") => "退回旧版本",
        (Lang::Zh, "handoff") => "转人工",
        (Lang::Zh, "send") => "发送",
        (Lang::Zh, "publish") => "发布规则包",
        (Lang::Zh, super::ERASE) => "抹除",
        (Lang::Zh, super::HEAD_PROBLEM) => "审计头异常",
        (_, other) => other,
    }
}

type Body = serde_json::Map<String, Value>;

fn show_turn(mut body: Body, lang: Lang, out: &mut String) {
    if let Some(event) = body.remove("event") {
        line(out, &shown_event(event, lang));
    }
    let stage = text(body.remove("stage"));
    let rule = text(body.remove("rule"));
    match (stage, rule) {
        (Some(stage), Some(rule)) => labelled(
            out,
            lang,
            "决定",
            "decided by",
            &format!("{stage} / {rule}"),
        ),
        (Some(one), None) | (None, Some(one)) => labelled(out, lang, "决定", "decided by", &one),
        (None, None) => {}
    }
    if let Some(value) = body.remove("explanation") {
        match serde_json::from_value::<Explanation>(value.clone()) {
            Ok(explanation) => {
                for text in explanation::render(&explanation, lang).lines() {
                    line(out, &format!("  {text}"));
                }
            }
            Err(_) => show_value(&value, out),
        }
    }
    if let Some(Value::Array(effects)) = body.remove("effects") {
        for effect in effects {
            labelled(out, lang, "动作", "effect", &shown_effect(effect, lang));
        }
    }
    if let Some(reply) = body.remove("reply").filter(|reply| !reply.is_null()) {
        labelled(
            out,
            lang,
            "回包",
            "reply",
            &shown_outgoing_or_text(reply, lang),
        );
    }
    if let Some(owner) = body.remove("owner") {
        let mut shown = shown_owner(owner, lang);
        if let Some(epoch) = body.remove("epoch") {
            shown.push_str(&match lang {
                Lang::Zh => format!("，第 {epoch} 任"),
                Lang::En => format!(", epoch {epoch}"),
            });
        }
        labelled(out, lang, "归属", "owner", &shown);
    }
    if let Some(count) = body.remove("unsent") {
        let shown = match lang {
            Lang::Zh => format!("{count} 条还没有送出，等客户下次来信"),
            Lang::En => format!("{count} not sent yet, kept for the customer's next message"),
        };
        labelled(out, lang, "暂存", "kept", &shown);
    }
    // Shown already: the version and the answer to the customer are part of the explanation and of the effects.
    body.remove("version");
    if let Some(Value::Object(intent)) = body.remove("intent") {
        let label = text(intent.get("label").cloned()).unwrap_or_default();
        let name = yingda_models::labels::intent_name(&label).map_or(label.as_str(), |name| name);
        let confidence = intent
            .get("confidence")
            .and_then(Value::as_f64)
            .unwrap_or_default();
        let shown = match (lang, label.as_str()) {
            (Lang::Zh, "unknown") => "没有把握".to_owned(),
            (Lang::Zh, _) => format!("{name} {confidence:.2}"),
            (Lang::En, _) => format!("{label} {confidence:.2}"),
        };
        labelled(out, lang, "意图", "intent", &shown);
    }
    show_rest(body, out);
}

fn show_send(mut body: Body, lang: Lang, out: &mut String) {
    let message = text(body.remove("outbox")).unwrap_or_default();
    let state = text(body.remove("state")).unwrap_or_default();
    let state = match (lang, state.as_str()) {
        (Lang::Zh, "passive") => "随回包发出",
        (Lang::Zh, "queued") => "待发送",
        (Lang::Zh, "sending") => "发送中，结果未知",
        (Lang::Zh, "sent") => "已发出",
        (Lang::Zh, "held") => "暂存，等客户下次来信",
        (Lang::Zh, "stale") => "作废：会话已换人",
        (Lang::Zh, "failed") => "失败，微信不收",
        (_, other) => other,
    };
    labelled(out, lang, "消息", "message", &format!("{message} {state}"));
    let code = body.remove("errcode").filter(|code| !code.is_null());
    let cause = text(body.remove("errmsg"));
    if code.is_some() || cause.is_some() {
        let code = code.map(|code| code.to_string());
        let parts: Vec<String> = code.into_iter().chain(cause).collect();
        labelled(out, lang, "微信答复", "answer", &parts.join(" "));
    }
    show_rest(body, out);
}

fn show_publication(mut body: Body, lang: Lang, out: &mut String) {
    for (name, zh, en) in [
        ("account", "账号", "account"),
        ("version", "版本", "version"),
        ("by", "操作人", "by"),
        ("source", "来源", "source"),
    ] {
        if let Some(value) = text(body.remove(name)) {
            labelled(out, lang, zh, en, &value);
        }
    }
    show_rest(body, out);
}

fn shown_event(value: Value, lang: Lang) -> String {
    let Ok(event) = serde_json::from_value::<Event>(value.clone()) else {
        return value.to_string();
    };
    let zh = lang == Lang::Zh;
    match event {
        Event::Message(message) if zh => format!("客户：{}", message.shown()),
        Event::Message(message) => format!("customer: {}", message.shown()),
        Event::Rating { score, .. } if zh => format!("客户评价 {score} 分"),
        Event::Scan { scene } if zh => format!("客户扫码：{scene}"),
        Event::MenuClick { key } if zh => format!("客户点击菜单：{key}"),
        Event::Subscribe { .. } if zh => "客户关注".to_owned(),
        Event::Unsubscribe if zh => "客户取消关注".to_owned(),
        Event::Enter { .. } if zh => "客户进入会话".to_owned(),
        Event::ConnectorResult { outcome, .. } if zh => match outcome {
            Outcome::Success { .. } => "接口返回结果".to_owned(),
            Outcome::Failure { reason } => format!("接口失败：{reason}"),
            Outcome::Timeout => "接口超时".to_owned(),
        },
        Event::Timer if zh => "时间到".to_owned(),
        Event::AgentJoined { agent } if zh => format!("客服 {agent} 接入"),
        Event::AgentChanged { agent } if zh => format!("转给客服 {agent}"),
        Event::AgentLeft if zh => "客服离开".to_owned(),
        Event::Closed if zh => "会话关闭".to_owned(),
        _ => value.to_string(),
    }
}

fn shown_effect(value: Value, lang: Lang) -> String {
    let Ok(effect) = serde_json::from_value::<Effect>(value.clone()) else {
        return value.to_string();
    };
    let zh = lang == Lang::Zh;
    match effect {
        Effect::Send { message } if zh => format!("发送 {}", shown_outgoing(&message)),
        Effect::Send { message } => format!("send {}", shown_outgoing(&message)),
        Effect::Call { connector, .. } if zh => format!("调用接口 {connector}"),
        Effect::Handoff {
            group,
            urgency,
            reason,
            ..
        } if zh => {
            let group = group.as_deref().unwrap_or("专属客服");
            let urgent = match urgency {
                Urgency::Urgent => "（紧急）",
                Urgency::Normal => "",
            };
            format!("转人工 {group}{urgent}，原因：{reason}")
        }
        Effect::ReturnToBot if zh => "转回机器人".to_owned(),
        Effect::Tag { tag } if zh => format!("打标签 {tag}"),
        Effect::Untag { tag } if zh => format!("去标签 {tag}"),
        Effect::Note { text } if zh => format!("备注 {text}"),
        Effect::Ticket { title, .. } if zh => format!("建工单 {title}"),
        Effect::Notify { webhook, text } if zh => format!("通知 {webhook}：{text}"),
        Effect::Alert { reason } if zh => format!("告警 {reason}"),
        Effect::Close if zh => "结束会话".to_owned(),
        _ => value.to_string(),
    }
}

/// What the customer read, the kind in brackets where it is no text.
fn shown_outgoing(message: &Outgoing) -> String {
    match message {
        Outgoing::Text { text } => text.clone(),
        Outgoing::Media { media, .. } => format!("[媒体] {media}"),
        Outgoing::News { title, url, .. } => format!("[图文] {title} {url}"),
        Outgoing::MiniProgram { title, path, .. } => format!("[小程序] {title} {path}"),
        Outgoing::Menu { head, items, tail } => {
            let items: Vec<String> = items
                .iter()
                .map(|(id, item)| format!("{id}. {item}"))
                .collect();
            format!("[菜单] {head} {} {tail}", items.join(" "))
        }
    }
}

fn shown_outgoing_or_text(value: Value, lang: Lang) -> String {
    match value {
        Value::String(text) if text.is_empty() => {
            pick(lang, "（空，success）", "(empty, success)").to_owned()
        }
        Value::String(text) => text,
        value => serde_json::from_value::<Outgoing>(value.clone())
            .map_or_else(|_| value.to_string(), |message| shown_outgoing(&message)),
    }
}

fn shown_owner(value: Value, lang: Lang) -> String {
    let owner = match &value {
        Value::String(text) => Err(text.clone()),
        value => serde_json::from_value::<Owner>(value.clone()).map_err(|_| value.to_string()),
    };
    let queue = pick(lang, "排队", "queue");
    let agent_of = |agent: &str| match lang {
        Lang::Zh => format!("客服 {agent}"),
        Lang::En => format!("agent {agent}"),
    };
    match owner {
        Ok(Owner::Bot) => pick(lang, "机器人", "bot").to_owned(),
        Ok(Owner::Queue { group: None }) => queue.to_owned(),
        Ok(Owner::Queue { group: Some(group) }) => format!("{queue} {group}"),
        Ok(Owner::Agent { agent }) => agent_of(&agent),
        Err(text) => match text.split_once(':') {
            Some(("agent", agent)) => agent_of(agent),
            _ if text == "bot" => pick(lang, "机器人", "bot").to_owned(),
            _ if text == "queue" => queue.to_owned(),
            _ => text,
        },
    }
}

/// Fields that no rule above knows.
fn show_rest(body: Body, out: &mut String) {
    for (name, value) in body {
        if !value.is_null() {
            let shown = text(Some(value)).unwrap_or_default();
            line(out, &format!("{name}: {shown}"));
        }
    }
}

fn show_value(value: &Value, out: &mut String) {
    line(out, &value.to_string());
}

/// A string as it is, other values as JSON, null as nothing.
fn text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::Null => None,
        Value::String(text) => Some(text),
        value => Some(value.to_string()),
    }
}

fn labelled(out: &mut String, lang: Lang, zh: &str, en: &str, value: &str) {
    line(
        out,
        &match lang {
            Lang::Zh => format!("{zh}：{value}"),
            Lang::En => format!("{en}: {value}"),
        },
    );
}

fn line(out: &mut String, text: &str) {
    // A line of a message must not look like a line of the log.
    out.push_str("   ");
    out.push_str(&text.replace('\n', "\n     "));
    out.push('\n');
}

fn pick(lang: Lang, zh: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}
