//! What can be wrong with a configuration, each in a sentence with what to do.

use std::collections::BTreeSet;
use std::path::PathBuf;

use yingda_dsl::diagnostic::Lang;

use super::{AccountConfig, Config, Mode};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read {}: {cause}", file.display())]
    Unreadable { file: PathBuf, cause: String },
    #[error("{} is not UTF-8 at byte {offset}", file.display())]
    NotUtf8 { file: PathBuf, offset: usize },
    #[error("{} line {line}: {cause}", file.display())]
    Syntax {
        file: PathBuf,
        line: usize,
        cause: String,
    },
    #[error("no [[account]] in the configuration")]
    NoAccount,
    #[error("account id {0:?} must be letters, digits, - or _")]
    BadAccountId(String),
    #[error("two accounts are called {0:?}")]
    DuplicateAccount(String),
    #[error("account {account}: {key} is missing")]
    MissingKey { account: String, key: &'static str },
    #[error("account {account}: encoding_aes_key has {length} characters, not 43")]
    KeyLength { account: String, length: usize },
    #[error("account {account}: encoding_aes_key holds a character outside A-Z a-z 0-9")]
    KeyCharacter { account: String },
    #[error("account {account}: token must be 3 to 32 letters or digits")]
    BadToken { account: String },
    #[error("{place}: {url:?} must be https:// (http:// only for loopback addresses)")]
    InsecureUrl { place: String, url: String },
    #[error("listen {0:?} is no address:port")]
    BadListen(String),
    #[error("callback_deadline_ms = {0} is not between 50 and 4900")]
    BadDeadline(u64),
    #[error("two connectors are called {0:?}")]
    DuplicateConnector(String),
    #[error("admin token {name:?}: token_sha256 must be 64 hexadecimal digits")]
    BadAdminToken { name: String },
}

impl ConfigError {
    /// The sentence for people.
    pub fn sentence(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Self::Unreadable { file, cause } => {
                format!(
                    "读不了配置文件 {}：{cause}。请检查路径和读取权限。",
                    file.display()
                )
            }
            Self::NotUtf8 { file, offset } => {
                format!(
                    "配置文件 {} 第 {offset} 字节处不是 UTF-8。请用 UTF-8 编码另存。",
                    file.display()
                )
            }
            Self::Syntax { file, line, cause } => format!(
                "配置文件 {} 第 {line} 行有误：{cause}。每一项的写法见 yingda.example.toml。",
                file.display()
            ),
            Self::NoAccount => {
                "配置里一个公众号都没有：至少写一段 [[account]]，写法见 yingda.example.toml。"
                    .into()
            }
            Self::BadAccountId(id) => {
                format!("公众号的 id「{id}」只能用字母、数字、- 和 _，因为它会出现在回调网址里。")
            }
            Self::DuplicateAccount(id) => format!("有两个公众号的 id 都是「{id}」，请改掉一个。"),
            Self::MissingKey { account, key } => format!(
                "公众号「{account}」没有填 {key}。请写进配置文件，或用环境变量 YINGDA_{}_{} 给出。",
                account.to_uppercase().replace('-', "_"),
                key.to_uppercase()
            ),
            Self::KeyLength { account, length } => format!(
                "公众号「{account}」的 encoding_aes_key 是 {length} 个字符，应当正好 43 个。请从公众平台「基本配置」里重新复制。"
            ),
            Self::KeyCharacter { account } => {
                format!(
                    "公众号「{account}」的 encoding_aes_key 里有字母和数字以外的字符，请重新复制。"
                )
            }
            Self::BadToken { account } => {
                format!(
                    "公众号「{account}」的 token 要是 3 到 32 个字母或数字（可含 - 和 _），与公众平台里填的一致。"
                )
            }
            Self::InsecureUrl { place, url } => {
                format!("{place} 的地址「{url}」要用 https://；只有本机回环地址可以用 http://。")
            }
            Self::BadListen(listen) => {
                format!("listen =「{listen}」不是「地址:端口」，例如 127.0.0.1:8080。")
            }
            Self::BadDeadline(ms) => format!(
                "callback_deadline_ms = {ms} 不行：微信只等 5 秒，请写 50 到 4900 之间的毫秒数。"
            ),
            Self::DuplicateConnector(name) => format!("接口「{name}」配置了两次，请删掉一个。"),
            Self::BadAdminToken { name } => {
                format!(
                    "管理令牌「{name}」的 token_sha256 要是 64 位十六进制数（令牌的 SHA-256）。"
                )
            }
        }
    }
}

impl Config {
    /// Every problem that can be seen without a network or a database.
    pub fn problems(&self) -> Vec<ConfigError> {
        let mut found = Vec::new();
        if self.listen.parse::<std::net::SocketAddr>().is_err()
            && !self
                .listen
                .rsplit_once(':')
                .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        {
            found.push(ConfigError::BadListen(self.listen.clone()));
        }
        if !(50..=4900).contains(&self.limits.callback_deadline_ms) {
            found.push(ConfigError::BadDeadline(self.limits.callback_deadline_ms));
        }
        if self.accounts.is_empty() {
            found.push(ConfigError::NoAccount);
        }
        let mut ids = BTreeSet::new();
        for account in &self.accounts {
            if !ids.insert(&account.id) {
                found.push(ConfigError::DuplicateAccount(account.id.clone()));
            }
            found.extend(account.problems());
        }
        let mut names = BTreeSet::new();
        for connector in &self.connectors {
            if !names.insert((&connector.name, &connector.accounts)) {
                found.push(ConfigError::DuplicateConnector(connector.name.clone()));
            }
            if !connector.url.starts_with("builtin:") && !is_secure(&connector.url) {
                found.push(ConfigError::InsecureUrl {
                    place: format!("接口 {}", connector.name),
                    url: connector.url.clone(),
                });
            }
        }
        for webhook in &self.webhooks {
            if !is_secure(&webhook.url) {
                found.push(ConfigError::InsecureUrl {
                    place: format!("webhook {}", webhook.name),
                    url: webhook.url.clone(),
                });
            }
        }
        for admin in &self.admin {
            if admin.token_sha256.len() != 64
                || !admin.token_sha256.bytes().all(|b| b.is_ascii_hexdigit())
            {
                found.push(ConfigError::BadAdminToken {
                    name: admin.name.clone(),
                });
            }
        }
        found
    }
}

impl AccountConfig {
    fn problems(&self) -> Vec<ConfigError> {
        let mut found = Vec::new();
        let account = self.id.clone();
        if self.id.is_empty()
            || !self
                .id
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            found.push(ConfigError::BadAccountId(account.clone()));
        }
        if self.token.is_empty() {
            found.push(ConfigError::MissingKey {
                account: account.clone(),
                key: "token",
            });
        } else if !(3..=32).contains(&self.token.len())
            || !self
                .token
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        {
            found.push(ConfigError::BadToken {
                account: account.clone(),
            });
        }
        if self.mode != Mode::Plain || !self.encoding_aes_key.is_empty() {
            if self.app_id.is_empty() {
                found.push(ConfigError::MissingKey {
                    account: account.clone(),
                    key: "app_id",
                });
            }
            if self.encoding_aes_key.is_empty() {
                found.push(ConfigError::MissingKey {
                    account: account.clone(),
                    key: "encoding_aes_key",
                });
            } else if self.encoding_aes_key.chars().count() != 43 {
                let length = self.encoding_aes_key.chars().count();
                found.push(ConfigError::KeyLength {
                    account: account.clone(),
                    length,
                });
            } else if !self
                .encoding_aes_key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric())
            {
                found.push(ConfigError::KeyCharacter {
                    account: account.clone(),
                });
            }
        }
        if !is_secure(&self.api_base) {
            found.push(ConfigError::InsecureUrl {
                place: format!("公众号 {account} 的 api_base"),
                url: self.api_base.clone(),
            });
        }
        found
    }
}

/// TLS is not switched off: plain HTTP is for loopback only.
pub fn is_secure(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    match url.scheme() {
        "https" => true,
        "http" => url.host_str().is_some_and(|host| {
            host == "localhost"
                || host
                    .trim_matches(['[', ']'])
                    .parse::<std::net::IpAddr>()
                    .is_ok_and(|ip| ip.is_loopback())
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        toml::from_str::<Config>(text)
            .unwrap()
            .problems()
            .iter()
            .map(|p| p.sentence(Lang::Zh))
            .collect()
    }

    #[test]
    fn a_right_account_has_no_problem() {
        let key = "a".repeat(43);
        let text = format!(
            "[[account]]\nid='shop'\napp_id='wx1'\napp_secret='s'\ntoken='abc'\nencoding_aes_key='{key}'\nmode='safe'"
        );
        assert_eq!(problems(&text), Vec::<String>::new());
    }

    #[test]
    fn a_key_of_42_characters_is_named_with_its_length() {
        let key = "a".repeat(42);
        let text = format!(
            "[[account]]\nid='shop'\napp_id='wx1'\napp_secret='s'\ntoken='abc'\nencoding_aes_key='{key}'"
        );
        assert_eq!(problems(&text).len(), 1);
        assert!(problems(&text)[0].contains("42 个字符"));
    }

    #[test]
    fn plain_http_is_for_loopback_only() {
        assert!(is_secure("https://api.weixin.qq.com"));
        assert!(is_secure("http://127.0.0.1:9000"));
        assert!(is_secure("http://[::1]:9000/x"));
        assert!(!is_secure("http://api.weixin.qq.com"));
        assert!(!is_secure("ftp://127.0.0.1"));
        assert!(!is_secure("http://127.0.0.1.evil.example"));
    }

    #[test]
    fn the_example_file_is_right_and_names_every_key() {
        let text = include_str!("../../../yingda.example.toml");
        let example: Config = toml::from_str(text).unwrap();
        assert_eq!(example.problems(), vec![]);
        let keys = [
            "listen",
            "data",
            "concurrent_requests",
            "callback_deadline_ms",
            "drain_ms",
            "timestamp_skew_s",
            "level",
            "format",
            "token_sha256",
            "id",
            "kind",
            "app_id",
            "app_secret",
            "token",
            "encoding_aes_key",
            "mode",
            "package",
            "api_base",
            "custom_send",
            "handoff",
            "media",
            "url",
            "accounts",
            "timeout_ms",
            "token_env",
            "headers",
            "allow_private",
            "max_bytes",
            "secret_env",
        ];
        for key in keys {
            assert!(text.contains(key), "{key}");
        }
    }

    #[test]
    fn the_embedded_demo_is_right() {
        let demo: Config = toml::from_str(super::super::DEMO).unwrap();
        assert_eq!(demo.problems(), vec![]);
    }
}
