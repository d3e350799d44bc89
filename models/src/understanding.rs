//! What a message says: the result of reading one text.

use serde::{Deserialize, Serialize};

/// Everything read from one text. The FAQ is searched apart (it is dear), see `faq`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Understanding {
    /// As it came.
    pub text: String,
    pub normalized: String,
    /// Words of the normalised text, in order.
    pub tokens: Vec<String>,
    pub intent: Intent,
    pub emotion: EmotionReading,
    pub entities: Vec<Entity>,
}

/// The classifier's answer; `label` is `None` (`"unknown"` in JSON) where it refuses.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Intent {
    #[serde(with = "unknown_label")]
    pub label: Option<String>,
    /// Calibrated probability of the best label, 0–1.
    pub confidence: f64,
    /// The three best labels, best first.
    pub top: Vec<ScoredLabel>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScoredLabel {
    pub label: String,
    pub confidence: f64,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct EmotionReading {
    pub label: EmotionLabel,
    /// −1 (angry) to 1 (satisfied).
    pub score: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmotionLabel {
    #[default]
    Neutral,
    Anxious,
    Angry,
    Satisfied,
}

/// A typed stretch of the original text. `start` and `end` count characters (Unicode scalar values) of `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: EntityKind,
    /// Normal form: `13800138000`, `2026-11-23`, `150`, …
    pub value: String,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// 手机号
    Phone,
    /// 座机
    Landline,
    /// 订单号
    OrderNumber,
    /// 身份证
    IdCard,
    /// 银行卡
    BankCard,
    /// 日期
    Date,
    /// 时间
    Time,
    /// 日期时间
    DateTime,
    /// 金额
    Money,
    /// 数量
    Quantity,
    /// 邮箱
    Email,
    /// 车牌
    LicencePlate,
    /// 快递单号
    TrackingNumber,
    /// 网址
    Url,
}

impl EntityKind {
    /// Personal data is masked wherever it leaves the conversation.
    pub fn is_personal(self) -> bool {
        use EntityKind::*;
        matches!(self, Phone | Landline | IdCard | BankCard | Email)
    }
}

mod unknown_label {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(
        label: &Option<String>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(label.as_deref().unwrap_or("unknown"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<String>, D::Error> {
        let label = String::deserialize(deserializer)?;
        Ok((label != "unknown").then_some(label))
    }
}
