//! The configuration of a server under test.

use std::fmt::Write as _;
use std::path::Path;

use yingda_server::wechat::callback::Mode;

use crate::package;
use crate::platform::Account;

/// One account: the platform's side of it, and what the server's configuration says beside.
#[derive(Debug, Clone)]
pub struct AccountSetup {
    pub platform: Account,
    /// Path of a package, or `builtin:retail`.
    pub package: String,
    pub custom_send: bool,
    pub wechat_client: bool,
}

impl AccountSetup {
    /// A verified account with a package of `tests/packages`.
    pub fn new(id: &str, package_name: &str) -> Self {
        Self {
            platform: Account::verified(id),
            package: package(package_name),
            custom_send: true,
            wechat_client: false,
        }
    }

    /// Its id on the server.
    pub fn id(&self) -> &str {
        self.platform.original_id.trim_start_matches("gh_")
    }
}

/// A connector of the rules, bound to a business system.
#[derive(Debug, Clone)]
pub struct ConnectorSetup {
    pub name: String,
    pub url: String,
}

/// A whole configuration.
#[derive(Debug, Clone)]
pub struct Setup {
    pub accounts: Vec<AccountSetup>,
    pub connectors: Vec<ConnectorSetup>,
    /// Keys of `[limits]`.
    pub limits: Vec<(&'static str, u64)>,
    pub listen: String,
}

impl Setup {
    /// One account `shop` with a package of `tests/packages`.
    pub fn new(package_name: &str) -> Self {
        Self::of(vec![AccountSetup::new("shop", package_name)])
    }

    pub fn of(accounts: Vec<AccountSetup>) -> Self {
        Self {
            accounts,
            connectors: vec![ConnectorSetup {
                name: "查询".into(),
                url: "http://127.0.0.1:9/nobody".into(),
            }],
            limits: Vec::new(),
            listen: "127.0.0.1:0".into(),
        }
    }

    pub fn limit(mut self, key: &'static str, value: u64) -> Self {
        self.limits.push((key, value));
        self
    }

    /// Binds the connector 查询 to a business system.
    pub fn backend(mut self, url: &str) -> Self {
        for connector in &mut self.connectors {
            connector.url = url.to_owned();
        }
        self
    }

    /// Changes the first account.
    pub fn account(mut self, change: impl FnOnce(&mut AccountSetup)) -> Self {
        self.accounts.first_mut().map(change);
        self
    }

    /// As TOML.
    pub fn toml(&self, api_base: &str) -> String {
        let mut text = format!(
            "listen = {:?}\ndata = \"yingda.db\"\n[limits]\n",
            self.listen
        );
        for (key, value) in &self.limits {
            let _ = writeln!(text, "{key} = {value}");
        }
        for account in &self.accounts {
            let settings = &account.platform;
            let mode = match settings.mode {
                Mode::Plain => "plain",
                Mode::Compat => "compat",
                Mode::Safe => "safe",
            };
            let handoff = if account.wechat_client {
                "wechat_client"
            } else {
                "desk"
            };
            let _ = write!(
                text,
                "[[account]]\nid = {:?}\nkind = \"official_account\"\napp_id = {:?}\napp_secret = {:?}\ntoken = {:?}\n\
                 encoding_aes_key = {:?}\nmode = {mode:?}\npackage = {:?}\napi_base = {api_base:?}\n\
                 custom_send = {}\nhandoff = {handoff:?}\n[account.media]\n\"尺码表\" = \"MEDIA-1\"\n",
                account.id(),
                settings.app_id,
                settings.app_secret,
                settings.token,
                settings.encoding_aes_key,
                account.package,
                account.custom_send,
            );
        }
        for connector in &self.connectors {
            let _ = write!(
                text,
                "[[connector]]\nname = {:?}\nurl = {:?}\nallow_private = true\ntimeout_ms = 30000\n",
                connector.name, connector.url
            );
        }
        text
    }

    /// Writes `yingda.toml`.
    #[allow(clippy::expect_used)]
    pub fn write(&self, folder: &Path, api_base: &str) {
        std::fs::write(folder.join("yingda.toml"), self.toml(api_base)).expect("yingda.toml");
    }
}
