//! What a customer gave for a slot, in its normal form.

use thiserror::Error;

use super::{EntityKind, canonical_entities, shape};
use crate::text::Canonical;

/// Why an answer is not of its type; the sentence may be shown to a customer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ParseError {
    #[error("没有看到{0}")]
    Missing(&'static str),
    #[error("手机号是 1 开头的 11 位数字，您发的是 {0} 位")]
    PhoneLength(usize),
    #[error("这是座机号码，请发 11 位的手机号")]
    LandlineForPhone,
    #[error("身份证号的校验位不对，请核对后再发一次")]
    IdCardChecksum,
    #[error("身份证号是 18 位，您发的是 {0} 位")]
    IdCardLength(usize),
    #[error("银行卡号不对，请核对后再发一次")]
    BankCard,
}

/// Reads `text` as a value of `kind`, relative dates against `today`.
pub fn parse(
    kind: EntityKind,
    text: &str,
    today: jiff::civil::DateTime,
) -> Result<String, ParseError> {
    let canonical = Canonical::new(text);
    let found = canonical_entities(&canonical, Some(today));
    if let Some(entity) = found.iter().find(|e| e.kind == kind) {
        return Ok(entity.value.clone());
    }
    let digits: Vec<u8> = canonical
        .chars
        .iter()
        .filter_map(|c| shape::digit(*c))
        .collect();
    Err(match kind {
        EntityKind::Phone if found.iter().any(|e| e.kind == EntityKind::Landline) => {
            ParseError::LandlineForPhone
        }
        EntityKind::Phone if !digits.is_empty() => ParseError::PhoneLength(digits.len()),
        _ => ParseError::Missing(crate::labels::entity_name(kind)),
    })
}
