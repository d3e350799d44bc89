//! The standard labels: ids are what rules, models, reports and APIs use, Chinese names what operators read and write.

use crate::understanding::{EmotionLabel, EntityKind};

/// What the classifier answers when it refuses; not a label.
pub const UNKNOWN: &str = "unknown";

/// The 27 standard intents, `(id, Chinese name)`, in their standard order.
pub const INTENTS: [(&str, &str); 27] = [
    ("product_inquiry", "产品咨询"),
    ("price_inquiry", "价格咨询"),
    ("stock_inquiry", "库存名额"),
    ("promotion", "优惠活动"),
    ("place_order", "下单报名"),
    ("modify_order", "修改订单"),
    ("change_address", "修改地址"),
    ("cancel_order", "取消订单"),
    ("track_order", "订单跟踪"),
    ("delivery_inquiry", "配送咨询"),
    ("payment_method", "支付方式"),
    ("payment_issue", "支付异常"),
    ("invoice", "发票开具"),
    ("refund_request", "退款申请"),
    ("track_refund", "退款进度"),
    ("return_exchange", "退货换货"),
    ("repair_warranty", "维修保修"),
    ("usage_help", "使用指导"),
    ("account_manage", "账号管理"),
    ("login_password", "登录密码"),
    ("membership", "会员积分"),
    ("store_info", "门店信息"),
    ("appointment", "预约服务"),
    ("feedback", "评价建议"),
    ("complaint", "投诉举报"),
    ("human_agent", "转接人工"),
    ("chitchat", "寒暄致谢"),
];

/// The four emotions, `(label, id, Chinese name)`.
pub const EMOTIONS: [(EmotionLabel, &str, &str); 4] = [
    (EmotionLabel::Neutral, "neutral", "平静"),
    (EmotionLabel::Anxious, "anxious", "焦急"),
    (EmotionLabel::Angry, "angry", "愤怒"),
    (EmotionLabel::Satisfied, "satisfied", "满意"),
];

/// The entity kinds, `(kind, id, Chinese name)`.
pub const ENTITIES: [(EntityKind, &str, &str); 14] = [
    (EntityKind::Phone, "phone", "手机号"),
    (EntityKind::Landline, "landline", "座机"),
    (EntityKind::OrderNumber, "order_number", "订单号"),
    (EntityKind::IdCard, "id_card", "身份证"),
    (EntityKind::BankCard, "bank_card", "银行卡"),
    (EntityKind::Date, "date", "日期"),
    (EntityKind::Time, "time", "时间"),
    (EntityKind::DateTime, "date_time", "日期时间"),
    (EntityKind::Money, "money", "金额"),
    (EntityKind::Quantity, "quantity", "数量"),
    (EntityKind::Email, "email", "邮箱"),
    (EntityKind::LicencePlate, "licence_plate", "车牌"),
    (EntityKind::TrackingNumber, "tracking_number", "快递单号"),
    (EntityKind::Url, "url", "网址"),
];

/// The Chinese name of an intent id, `None` for an id that is not standard.
pub fn intent_name(id: &str) -> Option<&'static str> {
    INTENTS
        .iter()
        .find(|(i, _)| *i == id)
        .map(|(_, name)| *name)
}

/// The id of an intent given by id or by Chinese name.
pub fn intent_id(name: &str) -> Option<&'static str> {
    INTENTS
        .iter()
        .find(|(id, zh)| *id == name || *zh == name)
        .map(|(id, _)| *id)
}

/// The Chinese name of an emotion.
pub fn emotion_name(label: EmotionLabel) -> &'static str {
    EMOTIONS[label as usize].2
}

/// The id of an emotion as JSON and training files write it.
pub fn emotion_id(label: EmotionLabel) -> &'static str {
    EMOTIONS[label as usize].1
}

/// The emotion of an id or a Chinese name.
pub fn emotion(name: &str) -> Option<EmotionLabel> {
    EMOTIONS
        .iter()
        .find(|(_, id, zh)| *id == name || *zh == name)
        .map(|(label, _, _)| *label)
}

/// The Chinese name of an entity kind.
pub fn entity_name(kind: EntityKind) -> &'static str {
    ENTITIES[kind as usize].2
}

/// The id of an entity kind as JSON writes it.
pub fn entity_id(kind: EntityKind) -> &'static str {
    ENTITIES[kind as usize].1
}

/// The entity kind of an id or a Chinese name.
pub fn entity(name: &str) -> Option<EntityKind> {
    ENTITIES
        .iter()
        .find(|(_, id, zh)| *id == name || *zh == name)
        .map(|(kind, _, _)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_in_the_order_of_the_enums_and_agree_with_json() {
        for (index, (label, id, _)) in EMOTIONS.iter().enumerate() {
            assert_eq!(*label as usize, index);
            assert_eq!(serde_json::to_value(label).unwrap(), *id);
        }
        for (index, (kind, id, _)) in ENTITIES.iter().enumerate() {
            assert_eq!(*kind as usize, index);
            assert_eq!(serde_json::to_value(kind).unwrap(), *id);
        }
    }

    #[test]
    fn every_name_is_found_by_id_and_by_chinese() {
        for (id, name) in INTENTS {
            assert_eq!(intent_id(id), Some(id));
            assert_eq!(intent_id(name), Some(id));
            assert_eq!(intent_name(id), Some(name));
        }
        assert_eq!(emotion("愤怒"), Some(EmotionLabel::Angry));
        assert_eq!(entity("手机号"), Some(EntityKind::Phone));
        assert_eq!(intent_id(UNKNOWN), None);
    }
}
