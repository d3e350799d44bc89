//! What customers send: 2,000 distinct Chinese messages of 2,000 customers, encrypted as WeChat does.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use yingda_server::wechat::callback::{CallbackSettings, Mode};
use yingda_server::wechat::crypt::CryptKey;
use yingda_server::wechat::document::Format;
use yingda_server::wechat::platform::{Freshness, Push, push_request};

use super::process::Fault;

const KEY: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
const TOKEN: &str = "load";
const APP_ID: &str = "wxload";
const MESSAGES: usize = 2000;
const CUSTOMERS: u64 = 2000;

/// Sentences that people send; their endings make them 2,000.
const SENTENCES: &str = include_str!("../../../../models/data/intents/starter.tsv");

/// The package a server runs.
#[derive(Debug, Clone, Copy)]
pub enum Package {
    Demo,
    /// So many keyword rules of five words each, in front of the demo's FAQ.
    Generated(usize),
}

impl Package {
    /// The value of `package` in the configuration; a generated package is written below `folder`.
    pub fn write(self, folder: &Path) -> Result<String, Fault> {
        let Package::Generated(count) = self else {
            return Ok("builtin:retail".into());
        };
        let target: PathBuf = folder.join("package");
        std::fs::create_dir_all(target.join("faq"))?;
        let mut rules = String::from(
            "机器人 压测 {\n  时区 \"Asia/Shanghai\"\n}\n路由 {\n  规则组 生成\n  流程中\n  常见问题 置信度 ≥ 0.80\n  兜底 -> 说 \"没听懂，请换个说法。\"\n}\n规则组 生成 首个 {\n",
        );
        for rule in 0..count {
            let words: Vec<String> = (0..5)
                .map(|word| format!("\"关键词{rule}之{word}\""))
                .collect();
            writeln!(
                rules,
                "  规则 规则{rule} {{\n    当 消息 含 ({})\n    则 说 \"这是第{rule}条。\"\n  }}",
                words.join(", ")
            )?;
        }
        rules.push_str("}\n");
        std::fs::write(target.join("生成.yd"), rules)?;
        for (path, bytes) in yingda_server::package::builtin().files {
            if path.starts_with("faq/") {
                std::fs::write(target.join(&path), bytes)?;
            }
        }
        Ok(target.display().to_string())
    }
}

/// The configuration of a server under load.
pub fn config(port: u16, package: &str) -> String {
    format!(
        "listen = \"127.0.0.1:{port}\"\ndata = \"load.db\"\n[[account]]\nid = \"load\"\napp_id = \"{APP_ID}\"\n\
         token = \"{TOKEN}\"\nencoding_aes_key = \"{KEY}\"\nmode = \"safe\"\npackage = \"{package}\"\n\
         custom_send = false\n[[connector]]\nname = \"查询订单\"\nurl = \"builtin:orders\"\n\
         [[connector]]\nname = \"查询优惠券\"\nurl = \"builtin:coupons\"\n"
    )
}

/// An endless stream of requests, each a message of its own.
pub struct Traffic {
    settings: Option<CallbackSettings>,
    texts: Vec<String>,
    count: u64,
    start: i64,
}

impl Traffic {
    /// Bodies of 900 bytes for the echo.
    pub fn echo() -> Self {
        Self {
            settings: None,
            texts: Vec::new(),
            count: 0,
            start: 0,
        }
    }

    pub fn encrypted(_port: u16) -> Self {
        let start = jiff::Timestamp::now();
        let texts = SENTENCES
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .step_by(5)
            .map(|(_, text)| text.to_string())
            .take(MESSAGES)
            .collect();
        let settings = CallbackSettings {
            app_id: APP_ID.into(),
            token: TOKEN.into(),
            key: CryptKey::parse(KEY).ok(),
            mode: Mode::Safe,
            max_skew: None,
        };
        // Ids of two streams against one server must differ.
        Self {
            settings: Some(settings),
            texts,
            count: start.as_millisecond() as u64 * 1_000_000,
            start: start.as_second(),
        }
    }

    /// The next request, ready for the wire.
    pub fn next(&mut self) -> Vec<u8> {
        self.count += 1;
        let Some(settings) = &self.settings else {
            let body = "x".repeat(900);
            return format!(
                "POST / HTTP/1.1\r\nhost: load\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            )
            .into_bytes();
        };
        let text = &self.texts[(self.count as usize * 7) % self.texts.len()];
        let customer = format!("oLoadCustomer{:06}", self.count % CUSTOMERS);
        let push = Push::text(&customer, "gh_load", self.start, self.count, text);
        let random = rand::random();
        let fresh = Freshness {
            timestamp: self.start,
            nonce: self.count.to_string(),
            random,
        };
        let request = push_request(settings, &push, Format::Xml, &fresh);
        format!(
            "POST /wechat/load?{} HTTP/1.1\r\nhost: load\r\ncontent-type: {}\r\ncontent-length: {}\r\n\r\n{}",
            request.query,
            request.content_type,
            request.body.len(),
            request.body
        )
        .into_bytes()
    }
}
