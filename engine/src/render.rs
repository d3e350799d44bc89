//! Messages as a customer sees them in plain text.

use yingda_dsl::program::MessageKind;

use crate::turn::Outgoing;

/// The text of a message: menus numbered, one item a line; other kinds by what they carry. For terminals, tests and
/// channels that cannot send the real thing.
pub fn reply_text(message: &Outgoing) -> String {
    match message {
        Outgoing::Text { text } => text.clone(),
        Outgoing::Media { media_kind, media } => format!("[{}] {media}", media_name(*media_kind)),
        Outgoing::News {
            title,
            description,
            url,
            ..
        } => lines([title, description, url]),
        Outgoing::MiniProgram { title, .. } => format!("[小程序] {title}"),
        Outgoing::Menu { head, items, tail } => {
            let items = items
                .iter()
                .map(|(number, text)| format!("{number}. {text}"))
                .collect::<Vec<_>>()
                .join("\n");
            lines([head, &items, tail])
        }
    }
}

fn media_name(kind: MessageKind) -> &'static str {
    crate::evaluate::kind_name(kind)
}

fn lines<const N: usize>(parts: [&String; N]) -> String {
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|p| !p.is_empty())
        .collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_menu_is_numbered_and_without_gaps() {
        let menu = Outgoing::Menu {
            head: "请回复序号：".into(),
            items: vec![("1".into(), "查订单".into()), ("2".into(), "退换货".into())],
            tail: String::new(),
        };
        assert_eq!(reply_text(&menu), "请回复序号：\n1. 查订单\n2. 退换货");
    }

    #[test]
    fn what_is_no_text_says_what_it_is() {
        let image = Outgoing::Media {
            media_kind: MessageKind::Image,
            media: "尺码表".into(),
        };
        assert_eq!(reply_text(&image), "[图片] 尺码表");
    }
}
