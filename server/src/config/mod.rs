//! The configuration: one TOML file, the environment on top, every mistake said in a sentence.

mod environment;
mod key;
mod problem;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::cause::{io_cause, toml_cause};

pub use key::{ConnectorConfig, WebhookConfig};
pub use problem::ConfigError;

/// Everything an administrator can set. Names are those of `yingda.example.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address the server listens on.
    #[serde(default = "default_listen")]
    pub listen: String,
    /// SQLite file, relative to the configuration file.
    #[serde(default = "default_data")]
    pub data: PathBuf,
    #[serde(default)]
    pub limits: Limits,
    #[serde(default)]
    pub log: Log,
    #[serde(default)]
    pub admin: Vec<AdminToken>,
    #[serde(default, rename = "account")]
    pub accounts: Vec<AccountConfig>,
    #[serde(default, rename = "connector")]
    pub connectors: Vec<ConnectorConfig>,
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookConfig>,
    /// Folder that relative paths start from.
    #[serde(skip)]
    pub base: PathBuf,
    /// The file it came from; `None` for the embedded demo.
    #[serde(skip)]
    pub file: Option<PathBuf>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Requests handled at once; more are answered 503 at once.
    pub concurrent_requests: usize,
    /// Milliseconds within which a callback is answered, whatever happens.
    pub callback_deadline_ms: u64,
    /// Milliseconds a shutdown waits for what is in flight.
    pub drain_ms: u64,
    /// Reject callbacks whose timestamp is further off than this; 0 is off.
    pub timestamp_skew_s: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            concurrent_requests: 4096,
            callback_deadline_ms: 4500,
            drain_ms: 5000,
            timestamp_skew_s: 0,
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug` or a tracing filter.
    pub level: String,
    /// `text` or `json`.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".into(),
            format: LogFormat::Text,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

/// Who may use the admin API. The token itself is never in the file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminToken {
    pub name: String,
    /// SHA-256 of the token, lower-case hex.
    pub token_sha256: String,
}

/// One WeChat account.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Names it in URLs (`/wechat/{id}`), commands and audit rows.
    pub id: String,
    #[serde(default)]
    pub kind: AccountKind,
    #[serde(default)]
    pub app_id: String,
    #[serde(default)]
    pub app_secret: String,
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub encoding_aes_key: String,
    #[serde(default)]
    pub mode: Mode,
    /// Package folder, or `builtin:retail`.
    #[serde(default = "default_package")]
    pub package: String,
    #[serde(default = "default_api_base")]
    pub api_base: String,
    /// Whether the account may use the send API; a 48001 from the platform switches it off while the server runs.
    #[serde(default = "default_true")]
    pub custom_send: bool,
    #[serde(default)]
    pub handoff: HandoffMode,
    /// Media names that rules use, bound to media ids.
    #[serde(default)]
    pub media: BTreeMap<String, String>,
}

impl std::fmt::Debug for AccountConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccountConfig")
            .field("id", &self.id)
            .field("mode", &self.mode)
            .field("package", &self.package)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountKind {
    #[default]
    OfficialAccount,
}

/// Message encryption as set in WeChat's console.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Plain,
    Compat,
    #[default]
    Safe,
}

/// Where people answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffMode {
    /// In our own desk, through the API.
    #[default]
    Desk,
    /// In WeChat's own client, by `transfer_customer_service`.
    WechatClient,
}

fn default_listen() -> String {
    "127.0.0.1:8080".into()
}

fn default_data() -> PathBuf {
    "yingda.db".into()
}

fn default_package() -> String {
    BUILTIN_RETAIL.into()
}

fn default_api_base() -> String {
    "https://api.weixin.qq.com".into()
}

fn default_true() -> bool {
    true
}

/// Name of the package that is part of the binary.
pub const BUILTIN_RETAIL: &str = "builtin:retail";

/// The file read when `--config` is not given, where it exists.
pub const DEFAULT_FILE: &str = "yingda.toml";

/// The demo that runs without a configuration file; its credentials are public and open nothing.
const DEMO: &str = include_str!("demo.toml");

impl Config {
    /// Read `file`, or `yingda.toml` where it exists, or the embedded demo; then the environment; then check.
    pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
        let config = Self::load_unchecked(file)?;
        match config.problems().into_iter().next() {
            None => Ok(config),
            Some(problem) => Err(problem),
        }
    }

    /// As [`Config::load`] without the checks, for `yingda doctor`, which lists every problem.
    pub fn load_unchecked(file: Option<&Path>) -> Result<Config, ConfigError> {
        let chosen = match file {
            Some(path) => Some(path.to_path_buf()),
            None => Some(PathBuf::from(DEFAULT_FILE)).filter(|path| path.exists()),
        };
        let mut config = match &chosen {
            None => parse(DEMO, Path::new("demo.toml"))?,
            Some(path) => {
                let bytes = std::fs::read(path).map_err(|error| ConfigError::Unreadable {
                    file: path.clone(),
                    cause: io_cause(&error),
                })?;
                let text = String::from_utf8(bytes).map_err(|error| ConfigError::NotUtf8 {
                    file: path.clone(),
                    offset: error.utf8_error().valid_up_to(),
                })?;
                parse(&text, path)?
            }
        };
        config.base = match &chosen {
            Some(path) => path.parent().map(Path::to_path_buf).unwrap_or_default(),
            None => PathBuf::new(),
        };
        config.file = chosen;
        environment::apply(&mut config, |name| std::env::var(name).ok())?;
        Ok(config)
    }

    /// Path of the database.
    pub fn data_path(&self) -> PathBuf {
        self.resolve(&self.data)
    }

    /// A path of the file, from the file's folder (or, where that does not exist, from the current folder).
    pub fn resolve(&self, path: &Path) -> PathBuf {
        let beside = self.base.join(path);
        if path.is_relative() && !beside.exists() && path.exists() {
            path.to_path_buf()
        } else {
            beside
        }
    }

    pub fn account(&self, id: &str) -> Option<&AccountConfig> {
        self.accounts.iter().find(|account| account.id == id)
    }
}

fn parse(text: &str, file: &Path) -> Result<Config, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .get(..start)
            .map_or(1, |before| before.matches('\n').count() + 1);
        ConfigError::Syntax {
            file: file.to_path_buf(),
            line,
            cause: toml_cause(error.message()),
        }
    })
}
