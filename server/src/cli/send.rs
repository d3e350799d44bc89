//! `yingda send TEXT`: what WeChat would send, and the reply as the customer sees it.

use std::time::Duration;

use yingda_dsl::diagnostic::Lang;

use super::Exit;
use super::arguments::{SendMode, SendOptions};
use super::output::{block_on, fail, line};
use crate::account::Account;
use crate::config::Config;
use crate::wechat::callback::{CallbackSettings, Mode};
use crate::wechat::document::Format;
use crate::wechat::platform::{Answer, Freshness, Push, push_request, read_answer};
use crate::wechat::reply::PassiveReply;

/// WeChat waits this long for a response.
const PATIENCE: Duration = Duration::from_secs(5);

/// Send one message and print the answer.
pub fn run(options: &SendOptions, lang: Lang) -> Exit {
    let config = match Config::load(options.config.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Environment, &error.sentence(lang)),
    };
    let chosen = match &options.account {
        Some(id) => config.account(id),
        None => config.accounts.first(),
    };
    let Some(chosen) = chosen else {
        let id = options.account.as_deref().unwrap_or_default();
        return fail(Exit::Misuse, &format!("配置里没有公众号「{id}」。"));
    };
    let account = match Account::new(chosen, 0) {
        Ok(account) => account,
        Err(error) => return fail(Exit::Environment, &format!("公众号配置有误：{error}")),
    };
    let mode = match options.mode {
        Some(SendMode::Plain) => Mode::Plain,
        Some(SendMode::Compat) => Mode::Compat,
        Some(SendMode::Safe) => Mode::Safe,
        None => account.callback.mode,
    };
    if mode != Mode::Plain && account.callback.key.is_none() {
        let sentence = format!(
            "公众号「{}」没有填 encoding_aes_key，只能用 --mode plain。",
            chosen.id
        );
        return fail(Exit::Environment, &sentence);
    }
    let settings = CallbackSettings {
        mode,
        ..account.callback.clone()
    };
    let url = options
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}/wechat/{}", config.listen, chosen.id));
    let now = jiff::Timestamp::now().as_second();
    let push = Push::text(
        &options.customer,
        "gh_yingda_demo",
        options.create_time.unwrap_or(now),
        options
            .msg_id
            .unwrap_or_else(|| u64::from(rand::random::<u32>()) + 24_000_000_000_000_000),
        &options.text,
    );
    let fresh = Freshness {
        timestamp: now,
        nonce: u32::to_string(&rand::random::<u32>()),
        random: rand::random(),
    };
    let format = if options.json {
        Format::Json
    } else {
        Format::Xml
    };
    let request = push_request(&settings, &push, format, &fresh);
    block_on(async move {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let joint = if url.contains('?') { '&' } else { '?' };
        let sent = reqwest::Client::new()
            .post(format!("{url}{joint}{}", request.query))
            .header("content-type", request.content_type)
            .body(request.body)
            .timeout(PATIENCE)
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return fail(
                    Exit::Environment,
                    &format!("连不上 {url}。服务启动了吗？先运行 yingda serve。"),
                );
            }
            Err(error) if error.is_timeout() => {
                return fail(Exit::Problem, "5 秒内没有回应：微信会断开并重试，共三次。");
            }
            Err(error) => {
                return fail(
                    Exit::Environment,
                    &format!("发不出去：{}", error.without_url()),
                );
            }
        };
        let status = response.status();
        let body = response.text().await.unwrap_or_default();
        if !status.is_success() {
            let hint = match status.as_u16() {
                403 => {
                    "服务拒绝了这条消息：token、encoding_aes_key、app_id 或加密方式与服务的配置不一致，原因见服务的日志。"
                }
                404 => "服务里没有这个公众号，请检查网址或 --account。",
                413 => "消息超过 64 KB。",
                503 => "服务忙或数据库写不进去：微信会重试。",
                _ => "服务没有正常回应。",
            };
            return fail(Exit::Problem, &format!("HTTP {}：{hint}", status.as_u16()));
        }
        match read_answer(&settings, &options.customer, &body) {
            Ok(Answer::Acknowledged) => {
                line("（服务已收到，没有当场回复）");
                Exit::Done
            }
            Ok(Answer::Reply(reply)) => {
                line(&seen(&reply));
                Exit::Done
            }
            Err(error) => fail(
                Exit::Problem,
                &format!("客户会看到「该公众号提供的服务出现故障」：{error}"),
            ),
        }
    })
}

/// A reply as the customer sees it, in text.
fn seen(reply: &PassiveReply) -> String {
    match reply {
        PassiveReply::Text { content } => content.clone(),
        PassiveReply::Image { media_id } => format!("[图片 {media_id}]"),
        PassiveReply::Voice { media_id } => format!("[语音 {media_id}]"),
        PassiveReply::Video {
            media_id, title, ..
        } => format!("[视频 {title} {media_id}]"),
        PassiveReply::Music { title, .. } => format!("[音乐 {title}]"),
        PassiveReply::News { title, url, .. } => format!("[图文 {title}] {url}"),
        PassiveReply::TransferCustomerService { .. } => "[转给微信客服]".into(),
    }
}
