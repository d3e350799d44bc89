//! An account at run time: its channel settings, its way to send, and whether that way is open.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use std::time::Duration;

use yingda_dsl::program::MessageKind;
use yingda_engine::event::Capabilities;
use yingda_engine::turn::Outgoing;

use crate::config::{AccountConfig, HandoffMode, Mode};
use crate::turn::Late;
use crate::wechat::api::{ApiClient, ApiSettings};
use crate::wechat::callback::{self, CallbackSettings};
use crate::wechat::crypt::CryptKey;

/// UTF-8 bytes of one text message (wechat.md 2.3, 45002).
pub const MAX_TEXT_BYTES: usize = 2048;

/// A whole call of the platform's API.
const API_TIMEOUT: Duration = Duration::from_secs(10);

pub struct Account {
    pub id: String,
    pub callback: CallbackSettings,
    pub handoff: HandoffMode,
    pub package: String,
    pub capabilities: Capabilities,
    /// `None` without an app secret: such an account answers in responses only.
    pub api: Option<ApiClient>,
    media: BTreeMap<String, String>,
    may_send: AtomicBool,
}

#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("account {account}: {cause}")]
    Key { account: String, cause: String },
    #[error("account {account}: {cause}")]
    Client { account: String, cause: String },
}

impl Account {
    /// Build from a configuration that passed its checks.
    pub fn new(config: &AccountConfig, skew_s: u64) -> Result<Self, AccountError> {
        let key = if config.encoding_aes_key.is_empty() {
            None
        } else {
            Some(
                CryptKey::parse(&config.encoding_aes_key).map_err(|error| AccountError::Key {
                    account: config.id.clone(),
                    cause: error.to_string(),
                })?,
            )
        };
        let mode = match config.mode {
            Mode::Plain => callback::Mode::Plain,
            Mode::Compat => callback::Mode::Compat,
            Mode::Safe => callback::Mode::Safe,
        };
        let api = if config.app_secret.is_empty() || config.app_id.is_empty() {
            None
        } else {
            let settings = ApiSettings {
                base: config.api_base.clone(),
                app_id: config.app_id.clone(),
                app_secret: config.app_secret.clone(),
                timeout: API_TIMEOUT,
            };
            let client = ApiClient::new(&settings).map_err(|error| AccountError::Client {
                account: config.id.clone(),
                cause: error.to_string(),
            })?;
            Some(client)
        };
        Ok(Self {
            id: config.id.clone(),
            callback: CallbackSettings {
                app_id: config.app_id.clone(),
                token: config.token.clone(),
                key,
                mode,
                max_skew: (skew_s > 0).then(|| jiff::SignedDuration::from_secs(skew_s as i64)),
            },
            handoff: config.handoff,
            package: config.package.clone(),
            capabilities: Capabilities {
                channel: "公众号".into(),
                max_text_bytes: MAX_TEXT_BYTES,
                kinds: vec![
                    MessageKind::Text,
                    MessageKind::Image,
                    MessageKind::Voice,
                    MessageKind::Video,
                    MessageKind::News,
                    MessageKind::MiniProgram,
                ],
            },
            media: config.media.clone(),
            may_send: AtomicBool::new(config.custom_send && api.is_some()),
            api,
        })
    }

    /// Whether the send API may be used now.
    pub fn may_send(&self) -> bool {
        self.may_send.load(Ordering::Relaxed)
    }

    /// The platform said that this account has no permission (48001).
    pub fn forbid_sending(&self) {
        self.may_send.store(false, Ordering::Relaxed);
    }

    /// A message with its media's name replaced by the media id it is bound to.
    pub fn named_media(&self, message: Outgoing) -> Outgoing {
        let id = |name: String| self.media.get(&name).cloned().unwrap_or(name);
        match message {
            Outgoing::Media { media_kind, media } => Outgoing::Media {
                media_kind,
                media: id(media),
            },
            Outgoing::MiniProgram {
                title,
                app_id,
                path,
                thumb,
            } => Outgoing::MiniProgram {
                title,
                app_id,
                path,
                thumb: id(thumb),
            },
            other => other,
        }
    }

    /// How an answer that is late for its callback goes out.
    pub fn late(&self) -> Late {
        if self.may_send() {
            Late::SendApi
        } else {
            Late::Retry
        }
    }
}
