//! What was typed wrongly, said in Chinese.

use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::Exit;

/// Print what clap found; help and version are no errors.
pub fn report(error: &clap::Error) -> Exit {
    if matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    ) {
        // A closed pipe is nobody's problem.
        let _ = error.print();
        return Exit::Done;
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        eprintln!("{}", error.render());
        return Exit::Misuse;
    }
    eprintln!("用法不对：{}", sentence(error));
    eprintln!("看用法：yingda --help，或 yingda 命令 --help");
    Exit::Misuse
}

fn sentence(error: &clap::Error) -> String {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(" ")),
        Some(ContextValue::StyledStr(text)) => Some(text.to_string()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let value = text(ContextKind::InvalidValue).unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            match text(ContextKind::SuggestedSubcommand) {
                Some(near) => format!("没有「{name}」这个命令，是不是「{near}」？"),
                None => format!("没有「{name}」这个命令。"),
            }
        }
        ErrorKind::UnknownArgument => match text(ContextKind::SuggestedArg) {
            Some(near) => format!("不认识「{argument}」，是不是「{near}」？"),
            None => format!("不认识「{argument}」。"),
        },
        ErrorKind::MissingRequiredArgument => format!("还缺 {argument}。"),
        ErrorKind::MissingSubcommand => "后面还要写一个命令。".into(),
        ErrorKind::InvalidValue if value.is_empty() => format!("{argument} 后面要写一个值。"),
        ErrorKind::InvalidValue => match text(ContextKind::ValidValue) {
            Some(valid) => format!("{argument} 不能是「{value}」，可以是：{valid}。"),
            None => format!("{argument} 不能是「{value}」。"),
        },
        ErrorKind::ValueValidation => format!("{argument} 的值「{value}」不对。"),
        ErrorKind::ArgumentConflict => format!("{argument} 不能和别的选项一起用。"),
        _ => error
            .to_string()
            .lines()
            .next()
            .unwrap_or_default()
            .to_string(),
    }
}
