//! `yingda doctor`: what is wrong with configuration and surroundings, a sentence each.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use yingda_dsl::diagnostic::{Lang, Severity};

use super::Exit;
use super::arguments::ConfigOption;
use super::output::{block_on, fail, line};
use crate::account::Account;
use crate::config::{AccountConfig, Config, Mode};
use crate::package;
use crate::serve::store_sentence;
use crate::store::{SqliteStore, Store, StoreError};

/// A clock further off than this makes signatures and windows wrong, seconds.
const CLOCK_OFF: i64 = 60;

/// One thing that was looked at.
enum Finding {
    Good(String),
    Bad(String),
    /// Works, but somebody should know.
    Note(String),
}

/// Look at everything and print what was found.
pub fn run(options: &ConfigOption, lang: Lang) -> Exit {
    let config = match Config::load_unchecked(options.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return fail(Exit::Environment, &error.sentence(lang)),
    };
    block_on(async move {
        let mut findings = settings(&config, lang);
        findings.extend(packages(&config, lang));
        findings.push(database(&config).await);
        findings.push(port(&config).await);
        for account in &config.accounts {
            findings.extend(platform(account).await);
        }
        let mut bad = 0;
        for finding in &findings {
            line(&match finding {
                Finding::Good(text) => format!("✓ {text}"),
                Finding::Note(text) => format!("· {text}"),
                Finding::Bad(text) => {
                    bad += 1;
                    format!("✗ {text}")
                }
            });
        }
        line(&match bad {
            0 => "没有发现问题。".to_string(),
            count => format!("发现 {count} 个问题。"),
        });
        if bad == 0 { Exit::Done } else { Exit::Problem }
    })
}

fn settings(config: &Config, lang: Lang) -> Vec<Finding> {
    let mut findings: Vec<Finding> = config
        .problems()
        .iter()
        .map(|problem| Finding::Bad(problem.sentence(lang)))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::Good(match &config.file {
            Some(file) => format!(
                "配置 {} 写法正确，{} 个公众号。",
                file.display(),
                config.accounts.len()
            ),
            None => "没有 yingda.toml，用的是内置演示配置。".into(),
        }));
    }
    for account in &config.accounts {
        let zeros =
            |text: &str| text.len() > 8 && text.trim_start_matches("wx").bytes().all(|b| b == b'0');
        if account.token == "change-me"
            || zeros(&account.app_id)
            || zeros(&account.encoding_aes_key)
        {
            findings.push(Finding::Bad(format!(
                "公众号「{}」还是示例里的占位值，请换成公众平台「基本配置」里的 AppID、Token 和 EncodingAESKey。",
                account.id
            )));
        }
        if account.mode == Mode::Plain {
            findings.push(Finding::Note(format!(
                "公众号「{}」用明文模式：消息内容没有签名保护，建议在公众平台改成安全模式。",
                account.id
            )));
        }
        if account.custom_send && account.app_secret.is_empty() {
            findings.push(Finding::Note(format!(
                "公众号「{}」没有填 app_secret：只能在回调里当场回复，超过 4.5 秒的回答要等微信重试时才发出。",
                account.id
            )));
        }
    }
    findings.extend(
        config
            .file
            .as_deref()
            .and_then(|file| readable_secrets(file, &config.accounts)),
    );
    findings
}

/// Secrets in a file that others can read.
fn readable_secrets(file: &Path, accounts: &[AccountConfig]) -> Option<Finding> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file).ok()?.permissions().mode();
        let secret = accounts
            .iter()
            .any(|account| !account.app_secret.is_empty());
        if secret && mode & 0o077 != 0 {
            return Some(Finding::Note(format!(
                "配置文件 {} 里有密钥，但别的用户也能读（权限 {:o}）。请运行 chmod 600 {}，或把密钥放进环境变量。",
                file.display(),
                mode & 0o777,
                file.display()
            )));
        }
    }
    let _ = (file, accounts);
    None
}

fn packages(config: &Config, lang: Lang) -> Vec<Finding> {
    let mut findings = Vec::new();
    for account in &config.accounts {
        let path = std::path::PathBuf::from(&account.package);
        let path = if account.package.starts_with("builtin:") {
            path
        } else {
            config.resolve(&path)
        };
        let files = match package::read(&path) {
            Ok(files) => files,
            Err(error) => {
                findings.push(Finding::Bad(format!(
                    "公众号「{}」的规则包：{}",
                    account.id,
                    error.sentence(lang)
                )));
                continue;
            }
        };
        let compiled = super::package_file::compile(&files);
        let errors = compiled
            .diagnostics
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count();
        let Some(program) = compiled.program else {
            findings.push(Finding::Bad(format!(
                "公众号「{}」的规则包有 {errors} 个错误，yingda check {} 能看到它们。",
                account.id, account.package
            )));
            continue;
        };
        findings.push(Finding::Good(format!(
            "公众号「{}」的规则包检查通过。",
            account.id
        )));
        for connector in &program.connectors {
            let bound = config.connectors.iter().any(|bound| {
                bound.name == connector.name
                    && (bound.accounts.is_empty() || bound.accounts.contains(&account.id))
            });
            if !bound {
                findings.push(Finding::Bad(format!(
                    "规则里的接口「{}」没有配置地址：请写一段 [[connector]]，否则调用它时总是走「失败」。",
                    connector.name
                )));
            }
        }
    }
    findings
}

async fn database(config: &Config) -> Finding {
    let path = config.data_path();
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Finding::Bad(format!(
            "数据库要放的文件夹 {} 不存在，请先建好它，或改 data。",
            folder.display()
        ));
    }
    let existed = path.exists();
    match SqliteStore::open(&path, Default::default()).await {
        Ok(store) => {
            let ready = store.ready().await;
            store.close().await;
            if !existed {
                // The doctor leaves nothing behind.
                for ending in [
                    "",
                    "-wal",
                    "-shm",
                    "-lock",
                    ".lock",
                    ".audit-head",
                    ".audit-key",
                ] {
                    let mut name = path.as_os_str().to_os_string();
                    name.push(ending);
                    let _ = std::fs::remove_file(name);
                }
            }
            match ready {
                Ok(()) => Finding::Good(format!("数据库 {} 可以写。", path.display())),
                Err(error) => Finding::Bad(store_sentence(&path, &error)),
            }
        }
        Err(StoreError::Locked) => {
            Finding::Note(format!("数据库 {} 正由运行中的服务使用。", path.display()))
        }
        Err(error) => Finding::Bad(store_sentence(&path, &error)),
    }
}

async fn port(config: &Config) -> Finding {
    match tokio::net::TcpListener::bind(&config.listen).await {
        Ok(_) => Finding::Good(format!("端口 {} 空闲，可以启动服务。", config.listen)),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            let url = format!("http://{}/healthz", config.listen);
            let _ = rustls::crypto::ring::default_provider().install_default();
            let alive = reqwest::Client::new()
                .get(url)
                .timeout(Duration::from_secs(2))
                .send()
                .await;
            match alive {
                Ok(response) if response.status().is_success() => {
                    Finding::Good(format!("服务正在 {} 上运行。", config.listen))
                }
                _ => Finding::Bad(format!(
                    "端口 {} 被别的程序占用，请停掉它或换一个 listen。",
                    config.listen
                )),
            }
        }
        Err(error) => Finding::Bad(format!("不能监听 {}：{error}。", config.listen)),
    }
}

/// The platform's API: reachable, credentials good, clock right.
async fn platform(account: &AccountConfig) -> Vec<Finding> {
    let Ok(built) = Account::new(account, 0) else {
        return Vec::new();
    };
    let Some(api) = &built.api else {
        return Vec::new();
    };
    let mut findings = vec![match api.check_credentials().await {
        Ok(()) => Finding::Good(format!(
            "公众号「{}」的 app_id 和 app_secret 有效，接口连得上。",
            account.id
        )),
        Err(error) => {
            let advice = match error.action() {
                crate::wechat::api::Action::ConfigError(sentence) => sentence,
                _ => format!("请检查网络和 api_base（{}）。", account.api_base),
            };
            Finding::Bad(format!(
                "公众号「{}」的接口用不了：{error}。{advice}",
                account.id
            ))
        }
    }];
    findings.extend(clock(account).await);
    findings
}

async fn clock(account: &AccountConfig) -> Option<Finding> {
    let response = reqwest::Client::new()
        .get(&account.api_base)
        .timeout(Duration::from_secs(3))
        .send()
        .await
        .ok()?;
    let date = response.headers().get("date")?.to_str().ok()?;
    let there: Timestamp = jiff::fmt::rfc2822::parse(date).ok()?.timestamp();
    let off = Timestamp::now().duration_since(there).as_secs();
    (off.abs() > CLOCK_OFF).then(|| {
        let way = if off > 0 { "快" } else { "慢" };
        Finding::Bad(format!(
            "本机时间比微信服务器{way}了 {} 秒，请打开系统的自动对时。",
            off.abs()
        ))
    })
}
