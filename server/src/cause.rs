//! Causes that libraries give in English, said in Chinese where people meet them.

/// Why a file could not be read or written.
pub fn io_cause(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "没有这个文件".into(),
        ErrorKind::PermissionDenied => "没有权限".into(),
        ErrorKind::IsADirectory => "这是一个文件夹".into(),
        ErrorKind::StorageFull => "磁盘满了".into(),
        ErrorKind::ReadOnlyFilesystem => "文件系统是只读的".into(),
        _ => error.to_string(),
    }
}

/// What the TOML reader found.
pub fn toml_cause(message: &str) -> String {
    let quoted = |text: &str| text.split('`').nth(1).unwrap_or_default().to_string();
    if message.starts_with("unknown field") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        return format!(
            "不认识「{}」这一项，可以写的有：{}",
            quoted(message),
            known.join("、")
        );
    }
    if message.starts_with("missing field") {
        return format!("缺少「{}」这一项", quoted(message));
    }
    if message.starts_with("unknown variant") {
        let known: Vec<&str> = message.split('`').skip(3).step_by(2).collect();
        return format!(
            "不能写「{}」，可以是：{}",
            quoted(message),
            known.join("、")
        );
    }
    if message.starts_with("duplicate key") {
        return "同一项写了两次".into();
    }
    match message {
        "string values must be quoted, expected literal string" => {
            "等号后面的文字要放在引号里".into()
        }
        other => format!("写法不对（{other}）"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_named_with_those_there_are() {
        let message = "unknown field `tokken`, expected one of `id`, `token`";
        assert_eq!(
            toml_cause(message),
            "不认识「tokken」这一项，可以写的有：id、token"
        );
    }
}
