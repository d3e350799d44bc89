//! `yingda publish` and `yingda rollback`: through the running server's admin API.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use yingda_dsl::diagnostic::Lang;

use super::arguments::{PublishOptions, RollbackOptions, ServerOption};
use super::output::{block_on, fail, line};
use super::{Exit, package_file};
use crate::admin_token::{VARIABLE, local_token_path};
use crate::config::Config;

/// Publish a package folder to an account.
pub fn publish(options: &PublishOptions, lang: Lang) -> Exit {
    let files = match package_file::read(&options.package, lang) {
        Ok(files) => files,
        Err(exit) => return exit,
    };
    // The same check as the server's, so that diagnostics come with their source lines.
    let compiled = package_file::compile(&files);
    eprint!(
        "{}",
        package_file::render(&compiled.diagnostics, &files, lang)
    );
    if compiled.program.is_none() {
        return fail(
            Exit::Problem,
            "规则包没有通过检查，没有发布；线上仍是原来的版本。",
        );
    }
    let mut texts = BTreeMap::new();
    for (path, bytes) in files.files {
        match String::from_utf8(bytes) {
            Ok(text) => texts.insert(path, text),
            Err(_) => return fail(Exit::Problem, &format!("「{path}」不是 UTF-8，没有发布。")),
        };
    }
    request(
        &options.config.config,
        &options.server,
        "packages",
        json!({ "files": texts }),
        lang,
        |answer| {
            format!(
                "已发布，版本 {}。退回上一版：yingda rollback",
                short(answer)
            )
        },
    )
}

/// Go back to an earlier version.
pub fn rollback(options: &RollbackOptions, lang: Lang) -> Exit {
    let body = json!({ "version": options.version });
    request(
        &options.config.config,
        &options.server,
        "rollback",
        body,
        lang,
        |answer| format!("已退回到版本 {}。", short(answer)),
    )
}

fn short(answer: &Json) -> String {
    answer["version"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(8)
        .collect()
}

fn request(
    config: &Option<std::path::PathBuf>,
    server: &ServerOption,
    action: &str,
    body: Json,
    lang: Lang,
    done: impl FnOnce(&Json) -> String,
) -> Exit {
    let config = match Config::load(config.as_deref()) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Environment, &error.sentence(lang)),
    };
    let account = match server
        .account
        .clone()
        .or_else(|| config.accounts.first().map(|account| account.id.clone()))
    {
        Some(account) => account,
        None => return fail(Exit::Misuse, "请用 --account 写明公众号。"),
    };
    let base = server
        .url
        .clone()
        .unwrap_or_else(|| format!("http://{}", config.listen));
    let file = local_token_path(&config.data_path());
    let token = std::env::var(VARIABLE)
        .ok()
        .or_else(|| std::fs::read_to_string(&file).ok());
    let Some(token) = token else {
        return fail(
            Exit::Environment,
            &format!(
                "没有管理令牌：请设置环境变量 {VARIABLE}，或在服务所在的机器上运行（令牌在 {}）。",
                file.display()
            ),
        );
    };
    let url = format!(
        "{}/api/v1/accounts/{account}/{action}",
        base.trim_end_matches('/')
    );
    block_on(async move {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let sent = reqwest::Client::new()
            .post(&url)
            .bearer_auth(token.trim())
            .json(&body)
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(_) => return fail(Exit::Environment, &format!("连不上 {base}。服务启动了吗？")),
        };
        let status = response.status();
        let answer: Json = response.json().await.unwrap_or(Json::Null);
        if status.is_success() {
            line(&done(&answer));
            return Exit::Done;
        }
        let sentence = answer["message"]
            .as_str()
            .unwrap_or("服务没有正常回应")
            .to_string();
        let exit = if status.as_u16() == 422 || status.as_u16() == 409 {
            Exit::Problem
        } else {
            Exit::Environment
        };
        fail(
            exit,
            &format!("没有成功（HTTP {}）：{sentence}", status.as_u16()),
        )
    })
}
