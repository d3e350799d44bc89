//! `yingda chat PKG`: talk to the bot in the terminal.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use yingda_dsl::diagnostic::Lang;
use yingda_engine::Bot;
use yingda_engine::event::{Event, Outcome};
use yingda_engine::explanation::render;
use yingda_engine::render::reply_text;
use yingda_engine::scenario::{Connectors, Exchange, Session};
use yingda_engine::turn::{Effect, Outgoing};

use super::arguments::ChatOptions;
use super::output::{fail, line};
use super::{Exit, package_file};
use crate::connector::rehearse;

/// Talk until the input ends.
pub fn run(options: &ChatOptions, lang: Lang) -> Exit {
    let bot = match package_file::build(&options.package, lang) {
        Ok(bot) => bot,
        Err(exit) => return exit,
    };
    if options.json {
        json_lines(&bot)
    } else {
        terminal(&bot, lang)
    }
}

/// The demo connectors, and failure for all others: there is no system behind a rehearsal.
pub fn rehearsal<'b>() -> Connectors<'b> {
    Box::new(|name, arguments| {
        rehearse(name, arguments, Timestamp::now()).unwrap_or_else(|| Outcome::Failure {
            reason: "演练中没有这个接口".into(),
        })
    })
}

fn terminal(bot: &Bot, lang: Lang) -> Exit {
    let interactive = std::io::stdin().is_terminal();
    if interactive {
        eprintln!(
            "直接打字就是客户说话。:为什么 看上一句的解释；:事件 关注 模拟事件；:过 5分钟 让时间过去；:重来 重新开始；:退出 结束。"
        );
    }
    let mut session = begin(bot, Timestamp::now());
    let mut last: Option<Exchange> = None;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if interactive {
            eprint!("客户> ");
            // A prompt that cannot be shown is no reason to stop.
            let _ = std::io::stderr().flush();
        }
        let typed = match lines.next() {
            None => return Exit::Done,
            Some(Ok(typed)) => typed,
            Some(Err(error)) => {
                return fail(
                    Exit::Environment,
                    &format!("读不了输入：{error}（要 UTF-8）"),
                );
            }
        };
        let typed = typed.trim();
        if typed.is_empty() {
            continue;
        }
        let Some(command) = typed.strip_prefix([':', '：']) else {
            session.around.now = Timestamp::now().max(session.around.now);
            let exchange = session.customer_says(typed);
            if !show(&exchange) {
                return Exit::Done;
            }
            last = Some(exchange);
            continue;
        };
        let (word, rest) = command
            .split_once(char::is_whitespace)
            .unwrap_or((command, ""));
        match word {
            "为什么" | "why" => match &last {
                Some(exchange) => {
                    for turn in &exchange.turns {
                        line(render(&turn.explanation, lang).trim_end());
                    }
                }
                None => drop(line("还没有说过话。")),
            },
            "退出" | "quit" | "q" => return Exit::Done,
            "重来" | "reset" => {
                session = begin(bot, Timestamp::now());
                last = None;
                line("（重新开始了）");
            }
            "事件" | "event" => match named_event(rest.trim()) {
                Some(event) => {
                    let exchange = session.customer_event(event);
                    show(&exchange);
                    last = Some(exchange);
                }
                None => drop(line(
                    "不认识这个事件。可以是：关注、取消关注、扫码 场景、点击 菜单键、进入会话、会话结束。",
                )),
            },
            "过" | "pass" => match duration(rest.trim()) {
                Some(duration) => {
                    let exchange = session.pass(duration);
                    show(&exchange);
                }
                None => drop(line("时间写成「90秒」「5分钟」或「2小时」。")),
            },
            _ => drop(line(
                "不认识这个命令。可以用 :为什么 :事件 :过 :重来 :退出。",
            )),
        }
    }
}

fn begin(bot: &Bot, now: Timestamp) -> Session<'_> {
    let mut session = Session::new(bot, now);
    session.set_connectors(rehearsal());
    session
}

/// Print what the customer sees; false when nobody reads any more.
fn show(exchange: &Exchange) -> bool {
    for reply in exchange.replies() {
        if !line(&format!("机器人：{}", reply.replace('\n', "\n        "))) {
            return false;
        }
    }
    for effect in exchange.effects() {
        let happened = match effect {
            Effect::Handoff { group, .. } => Some(format!(
                "（转人工：{}）",
                group.as_deref().unwrap_or("专属客服")
            )),
            Effect::Tag { tag } => Some(format!("（打标签：{tag}）")),
            Effect::Ticket { title, .. } => Some(format!("（建工单：{title}）")),
            Effect::Close => Some("（会话结束）".to_string()),
            _ => None,
        };
        if let Some(happened) = happened
            && !line(&happened)
        {
            return false;
        }
    }
    true
}

/// A line of `--json` input.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    #[serde(default)]
    text: Option<String>,
    /// A name (`subscribe`, `关注`, `scan:场景`) or an event as the engine has it.
    #[serde(default)]
    event: Option<Json>,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    customer: Option<String>,
}

fn json_lines(bot: &Bot) -> Exit {
    let mut sessions: BTreeMap<String, Session<'_>> = BTreeMap::new();
    let mut exit = Exit::Done;
    for (index, typed) in std::io::stdin().lock().lines().enumerate() {
        let number = index + 1;
        let typed = match typed {
            Ok(typed) => typed,
            Err(error) => {
                return fail(Exit::Environment, &format!("第 {number} 行读不了：{error}"));
            }
        };
        if typed.trim().is_empty() {
            continue;
        }
        let answer = serde_json::from_str::<Input>(&typed)
            .map_err(|error| format!("第 {number} 行不是所要的 JSON：{error}"))
            .and_then(|input| {
                answer(bot, &mut sessions, input)
                    .map_err(|sentence| format!("第 {number} 行：{sentence}"))
            });
        let out = answer.unwrap_or_else(|sentence| {
            exit = Exit::Problem;
            json!({ "error": sentence })
        });
        if !line(&out.to_string()) {
            return exit;
        }
    }
    exit
}

fn answer<'b>(
    bot: &'b Bot,
    sessions: &mut BTreeMap<String, Session<'b>>,
    input: Input,
) -> Result<Json, String> {
    let customer = input.customer.unwrap_or_else(|| "customer".into());
    let at = input.at;
    let session = sessions.entry(customer.clone()).or_insert_with(|| {
        let mut session = begin(bot, at.unwrap_or_else(Timestamp::now));
        session.conversation.customer = customer;
        session
    });
    // Timers that are due before this line fire first.
    let mut exchange = Exchange { turns: Vec::new() };
    match at {
        Some(at) if at > session.around.now => {
            let passed = at.duration_since(session.around.now);
            exchange.turns.extend(session.pass(passed).turns);
        }
        Some(at) => session.around.now = at,
        None => session.around.now = session.around.now.max(Timestamp::now()),
    }
    let done = match (input.text, input.event) {
        (Some(text), None) => session.customer_says(&text),
        (_, Some(Json::String(name))) => session
            .customer_event(named_event(&name).ok_or_else(|| format!("不认识事件「{name}」"))?),
        (_, Some(event)) => {
            let event =
                serde_json::from_value(event).map_err(|error| format!("事件读不懂：{error}"))?;
            session.customer_event(event)
        }
        (None, None) => return Err("text 和 event 至少要有一个".into()),
    };
    exchange.turns.extend(done.turns);
    Ok(output(&exchange))
}

fn output(exchange: &Exchange) -> Json {
    let replies: Vec<Json> = exchange
        .sent()
        .map(|message| {
            let mut reply = serde_json::to_value(message).unwrap_or(Json::Null);
            if !matches!(message, Outgoing::Text { .. }) {
                reply["text"] = Json::String(reply_text(message));
            }
            reply
        })
        .collect();
    let handoff = exchange.handoff().map(|effect| match effect {
        Effect::Handoff {
            group,
            urgency,
            reason,
            ..
        } => {
            json!({ "group": group, "urgency": urgency, "reason": reason })
        }
        _ => Json::Null,
    });
    // The customer's own turn decided; what follows are the results of its calls.
    let first = exchange
        .turns
        .iter()
        .find(|turn| turn.explanation.stage.is_some())
        .or(exchange.turns.first());
    let understanding = exchange
        .turns
        .iter()
        .find_map(|turn| turn.understanding.as_ref());
    let intent = understanding.map(|understanding| {
        json!({
            "label": understanding.intent.label.as_deref().unwrap_or("unknown"),
            "confidence": understanding.intent.confidence,
        })
    });
    let faq = exchange
        .turns
        .iter()
        .find(|turn| !turn.faq.is_empty())
        .map(|turn| turn.faq.clone())
        .unwrap_or_default();
    let considered: Vec<Json> = exchange
        .turns
        .iter()
        .flat_map(|turn| {
            let done = turn
                .explanation
                .done
                .iter()
                .map(|done| json!({ "done": done }));
            let considered = turn
                .explanation
                .considered
                .iter()
                .map(|entry| serde_json::to_value(entry).unwrap_or(Json::Null));
            considered.chain(done).collect::<Vec<_>>()
        })
        .collect();
    json!({
        "replies": replies,
        "handoff": handoff,
        "stage": first.and_then(|turn| turn.explanation.stage.clone()),
        "rule": first.and_then(|turn| turn.explanation.rule.clone()),
        "intent": intent,
        "faq": faq,
        "explanation": considered,
    })
}

/// An event by its name, with what it carries after a colon or a space.
fn named_event(name: &str) -> Option<Event> {
    let (word, rest) = match name.split_once([':', '：', ' ']) {
        Some((word, rest)) => (
            word,
            Some(rest.trim().to_string()).filter(|rest| !rest.is_empty()),
        ),
        None => (name, None),
    };
    Some(match word {
        "关注" | "subscribe" => Event::Subscribe { scene: rest },
        "取消关注" | "unsubscribe" => Event::Unsubscribe,
        "扫码" | "scan" => Event::Scan {
            scene: rest.unwrap_or_default(),
        },
        "点击" | "点击菜单" | "menu_click" | "click" => Event::MenuClick {
            key: rest.unwrap_or_default(),
        },
        "进入会话" | "enter" => Event::Enter { scene: rest },
        "会话结束" | "closed" => Event::Closed,
        "timer" => Event::Timer,
        "agent_joined" => Event::AgentJoined {
            agent: rest.unwrap_or_else(|| "agent".into()),
        },
        "agent_left" => Event::AgentLeft,
        _ => return None,
    })
}

fn duration(text: &str) -> Option<SignedDuration> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    let count: i64 = digits.parse().ok()?;
    let seconds = match text.get(digits.len()..)?.trim() {
        "秒" | "s" => 1,
        "分钟" | "分" | "m" => 60,
        "小时" | "h" => 3600,
        "天" | "d" => 86_400,
        _ => return None,
    };
    Some(SignedDuration::from_secs(count.checked_mul(seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        assert_eq!(duration("90秒"), Some(SignedDuration::from_secs(90)));
        assert_eq!(duration("5 分钟"), Some(SignedDuration::from_secs(300)));
        assert_eq!(duration("很久"), None);
        assert_eq!(duration("9999999999999999天"), None);
    }

    #[test]
    fn events_go_by_either_name() {
        assert_eq!(named_event("关注"), Some(Event::Subscribe { scene: None }));
        assert_eq!(
            named_event("scan:门店"),
            Some(Event::Scan {
                scene: "门店".into()
            })
        );
        assert_eq!(named_event("飞"), None);
    }
}
