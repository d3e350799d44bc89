//! Values over the wire: JSON to typed values as a connector declares them, and back.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use yingda_dsl::program::{Type, Value};

/// A typed value as JSON.
pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => Json::String(text.clone()),
        Value::Number(number) => {
            serde_json::Number::from_f64(*number).map_or(Json::Null, Json::Number)
        }
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Date(date) => Json::String(date.to_string()),
        Value::Time(time) => Json::String(time.strftime("%H:%M").to_string()),
        Value::DateTime(moment) => Json::String(moment.strftime("%Y-%m-%d %H:%M").to_string()),
    }
}

/// The declared fields of an answer; fields that are not declared are left out. The error names the field at fault.
pub fn read_fields(
    answer: &Json,
    declared: &[(String, Type)],
) -> Result<BTreeMap<String, Value>, String> {
    let Json::Object(object) = answer else {
        return Err("接口的回答不是一个 JSON 对象".into());
    };
    let mut fields = BTreeMap::new();
    for (name, ty) in declared {
        let Some(json) = object.get(name).filter(|json| !json.is_null()) else {
            continue;
        };
        let value =
            read_value(json, ty).ok_or_else(|| format!("接口返回的「{name}」不是所声明的类型"))?;
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

fn read_value(json: &Json, ty: &Type) -> Option<Value> {
    match ty {
        Type::Number | Type::Quantity | Type::Money => match json {
            Json::Number(number) => number.as_f64().map(Value::Number),
            Json::String(text) => text.trim().parse().ok().map(Value::Number),
            _ => None,
        },
        Type::Boolean => json.as_bool().map(Value::Boolean),
        Type::Date => json.as_str()?.get(..10)?.parse().ok().map(Value::Date),
        Type::Time => json.as_str()?.parse().ok().map(Value::Time),
        Type::DateTime => json
            .as_str()?
            .trim_end_matches('Z')
            .parse()
            .ok()
            .map(Value::DateTime),
        _ => match json {
            Json::String(text) => Some(Value::Text(text.clone())),
            Json::Number(number) => Some(Value::Text(number.to_string())),
            _ => None,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_come_out_typed_and_a_wrong_one_is_named() {
        let declared = vec![
            ("状态".to_string(), Type::Text),
            ("金额".to_string(), Type::Money),
            ("送达".to_string(), Type::Date),
        ];
        let answer = serde_json::json!({"状态": "已发货", "金额": "99.5", "送达": "2026-11-23T10:00:00", "内部": 1});
        let fields = read_fields(&answer, &declared).unwrap();
        assert_eq!(fields["金额"], Value::Number(99.5));
        assert_eq!(fields["送达"], Value::Date(jiff::civil::date(2026, 11, 23)));
        assert!(!fields.contains_key("内部"));
        let wrong = serde_json::json!({"送达": "很快"});
        assert!(read_fields(&wrong, &declared).unwrap_err().contains("送达"));
        assert!(read_fields(&Json::Null, &declared).is_err());
    }
}
