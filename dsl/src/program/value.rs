//! Values, their types, the fields they are read from, and texts with fields in them.

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

/// The type of a slot, attribute, parameter or result field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// 文本
    Text,
    /// 数字
    Number,
    /// 是否
    Boolean,
    /// 日期
    Date,
    /// 时间 (of day)
    Time,
    /// 日期时间
    DateTime,
    /// 数量
    Quantity,
    /// 金额 (yuan)
    Money,
    /// 手机号, personal
    Phone,
    /// 座机, personal
    Landline,
    /// 订单号
    OrderNumber,
    /// 身份证, personal
    IdCard,
    /// 银行卡, personal
    BankCard,
    /// 邮箱, personal
    Email,
    /// 地址, personal
    Address,
    /// 车牌
    LicencePlate,
    /// 快递单号
    TrackingNumber,
    /// 选择 ("大", "中", "小")
    Choice(Vec<String>),
}

impl Type {
    /// Personal data is masked wherever it leaves the conversation.
    pub fn is_personal(&self) -> bool {
        matches!(
            self,
            Type::Phone
                | Type::Landline
                | Type::IdCard
                | Type::BankCard
                | Type::Email
                | Type::Address
        )
    }
}

/// A value at run time or in a test. Typed text (phone, order number, …) is `Text` in normal form.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Text(String),
    Number(f64),
    Boolean(bool),
    Date(Date),
    Time(Time),
    DateTime(DateTime),
}

/// Where a value is read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Field {
    /// `客户.等级`: an attribute, declared or built in, by name without `客户.`.
    Attribute(String),
    /// `手机号`: a variable of the conversation, set by 问 or 设.
    Variable(String),
    /// `订单.状态`: a field of a connector result kept under a name.
    Result { name: String, field: String },
    /// `排队.位次` and the like, of the queue the conversation is in or of a named group.
    Queue {
        group: Option<usize>,
        figure: QueueFigure,
    },
    /// `会话.轮数` and the like.
    Conversation(ConversationFigure),
    /// `消息.内容`: the customer's text as it came.
    MessageText,
    /// `现在`
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum QueueFigure {
    /// 位次: rank from 1
    Position,
    /// 人数: waiting
    Length,
    /// 预计分钟
    EstimatedMinutes,
    /// 在线人数: agents online
    AgentsOnline,
    /// 会话热度: share of capacity in use, 0–1
    Load,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConversationFigure {
    /// 轮数: customer turns so far, this one included
    Turns,
    /// 未识别次数: in a row
    Unrecognized,
    /// 剩余额度: messages that may still be sent
    BudgetLeft,
    /// 上次回答: id of the last FAQ entry answered
    LastAnswer,
}

/// An operand of a comparison or an argument.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Expr {
    Value(Value),
    Field(Field),
    Template(Template),
}

/// Text with `{…}` fields, split at compile time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Template {
    pub parts: Vec<TemplatePart>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum TemplatePart {
    Text(String),
    Field { field: Field, ty: Type },
}
