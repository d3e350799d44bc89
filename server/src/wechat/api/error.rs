//! What an errcode of WeChat's API means for what comes next. The codes decide; their texts are only shown.

use std::time::Duration;

/// Why a call to WeChat did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// WeChat answered with an error code; nothing was sent. `message` is WeChat's text with its `rid`, without secrets.
    #[error("微信接口返回错误 {code}：{message}")]
    Refused {
        code: i64,
        message: String,
        action: Action,
    },
    /// Nothing reached WeChat.
    #[error("无法连接微信接口：{0}")]
    Unreachable(String),
    /// The request went out and no answer came that can be read: it may have been done.
    #[error("微信接口没有给出可用的答复，消息可能已经送达：{0}")]
    Uncertain(String),
    /// The channel has no such message.
    #[error("微信客服消息不支持这种内容：{0}")]
    Unsupported(&'static str),
}

impl SendError {
    pub(super) fn refused(code: i64, message: String, action: Action) -> Self {
        Self::Refused {
            code,
            message,
            action,
        }
    }

    /// What to do about it.
    pub fn action(&self) -> Action {
        match self {
            Self::Refused { action, .. } => action.clone(),
            Self::Unreachable(_) => Action::Retry {
                after: Duration::from_secs(1),
            },
            Self::Uncertain(_) => Action::Report,
            Self::Unsupported(_) => Action::Drop,
        }
    }

    /// WeChat's error code, where it gave one.
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Unreachable(_) | Self::Uncertain(_) | Self::Unsupported(_) => None,
        }
    }
}

/// What to do about an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Try again, not before this time, later each time.
    Retry { after: Duration },
    /// The token is no longer good: renew it once and repeat. The client does this itself; no call returns it.
    RefreshToken,
    /// Outside the reply window, or the customer has left: hold until they write again.
    WindowClosed,
    /// The window's messages are used up: hold until they write again.
    BudgetUsed,
    /// The account may not call this API: answer in responses only.
    NotPermitted,
    /// Cut it into shorter messages.
    TooLong,
    /// This message can never reach this customer.
    Drop,
    /// The desk's view of the session is out of date: read it again.
    Reconcile,
    /// Somebody must change a setting: the sentence says what.
    ConfigError(String),
    /// A person should look at it.
    Alert,
    /// It may have been sent: do not send it again, tell a person.
    Report,
}

/// What an error code of an ordinary call asks for.
pub fn classify(code: i64, message: &str) -> Action {
    let seconds = |after| Action::Retry {
        after: Duration::from_secs(after),
    };
    let config = |sentence: &str| Action::ConfigError(sentence.to_owned());
    match code {
        -1 => seconds(1),
        45011 => seconds(10),
        40001 | 40014 | 42001 => Action::RefreshToken,
        45015 => Action::WindowClosed,
        45047 => Action::BudgetUsed,
        48001 => Action::NotPermitted,
        45002 => Action::TooLong,
        // Not a follower, refuses messages, or a typing notice nobody would see.
        40003 | 43004 | 50005 | 48002 | 45072 | 45080 | 45081 => Action::Drop,
        65413 | 65414 => Action::Reconcile,
        40013 | 40125 | 40164 | 40243 => credentials(code, message),
        40007 => config("素材 media_id 无效或已过期，请重新上传素材并更新规则包"),
        61451..=61457 => {
            config("客服账号不正确，请核对账号是否存在、格式是否为“前缀@公众号微信号”")
        }
        65400 => config("公众号尚未开通新版客服功能，请在公众平台开通"),
        65401 => config("客服账号不存在，请在公众平台添加，或改正配置"),
        65402 => config("客服账号还没有绑定微信号，请邀请客服绑定后再试"),
        // 41001 and 45008 would be faults of this program; the rest is the account's standing or its daily quota.
        _ => Action::Alert,
    }
}

/// What an error code of a request for a token asks for: here 40001 is a wrong secret.
pub(super) fn classify_token(code: i64, message: &str) -> Action {
    match code {
        40001 => credentials(40125, message),
        40014 | 42001 => Action::Alert,
        _ => classify(code, message),
    }
}

fn credentials(code: i64, message: &str) -> Action {
    Action::ConfigError(match code {
        40013 => "app_id 不正确，请在公众平台“开发 - 基本配置”里核对".to_owned(),
        40243 => "AppSecret 已被冻结，请在公众平台解冻后再启动".to_owned(),
        40164 => match caller_ip(message) {
            Some(ip) => format!(
                "本机出口 IP {ip} 不在白名单里，请在公众平台“开发 - 基本配置 - IP 白名单”中加入"
            ),
            None => "本机出口 IP 不在白名单里，请在公众平台“开发 - 基本配置 - IP 白名单”中加入"
                .to_owned(),
        },
        _ => "app_secret 不正确，请在公众平台重置并更新配置".to_owned(),
    })
}

/// The address in `invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist`.
fn caller_ip(message: &str) -> Option<std::net::IpAddr> {
    message.split([' ', ',']).find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_of_the_table_has_its_action() {
        let retry = |seconds| Action::Retry {
            after: Duration::from_secs(seconds),
        };
        let cases = [
            (-1, retry(1)),
            (45011, retry(10)),
            (40001, Action::RefreshToken),
            (40014, Action::RefreshToken),
            (42001, Action::RefreshToken),
            (45015, Action::WindowClosed),
            (45047, Action::BudgetUsed),
            (48001, Action::NotPermitted),
            (45002, Action::TooLong),
            (40003, Action::Drop),
            (43004, Action::Drop),
            (50005, Action::Drop),
            (48002, Action::Drop),
            (65413, Action::Reconcile),
            (65414, Action::Reconcile),
            (41001, Action::Alert),
            (45008, Action::Alert),
            (45009, Action::Alert),
            (48004, Action::Alert),
            (50002, Action::Alert),
            (99999, Action::Alert),
        ];
        for (code, action) in cases {
            assert_eq!(classify(code, ""), action, "{code}");
        }
    }

    #[test]
    fn what_a_setting_can_mend_is_said_in_a_sentence() {
        let cases = [
            (40013, "app_id"),
            (40125, "app_secret"),
            (40164, "白名单"),
            (40007, "重新上传"),
            (61451, "客服账号"),
            (61454, "客服账号"),
            (61457, "客服账号"),
            (65400, "开通"),
            (65401, "客服账号"),
            (65402, "绑定"),
        ];
        for (code, word) in cases {
            let Action::ConfigError(sentence) = classify(code, "") else {
                panic!("{code}");
            };
            assert!(sentence.contains(word), "{code}: {sentence}");
        }
    }

    #[test]
    fn a_refused_address_is_named() {
        let message = "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist rid: 1";
        let Action::ConfigError(sentence) = classify_token(40164, message) else {
            panic!("no config error");
        };
        assert!(sentence.contains("203.0.113.7"), "{sentence}");
    }

    #[test]
    fn a_secret_refused_by_the_token_request_is_a_setting_not_a_stale_token() {
        assert!(matches!(classify_token(40001, ""), Action::ConfigError(_)));
        assert_eq!(classify_token(42001, ""), Action::Alert);
        assert_eq!(classify_token(-1, ""), classify(-1, ""));
    }
}
