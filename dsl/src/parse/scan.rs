//! Cutting text into words, quoted texts, brackets and line ends: what brace mending, explanations, comments and the
//! formatter need to know without a grammar.

/// A piece of the text; white space belongs to none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub kind: TokenKind,
    pub start: usize,
    pub end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word,
    Number,
    Quoted,
    /// A quote without its partner on the same line; reaches to the end of the line.
    Unclosed,
    OpenBrace,
    CloseBrace,
    OpenParen,
    CloseParen,
    /// `;` as well
    LineEnd,
    Comment,
    Punctuation,
}

impl Token {
    pub fn text<'s>(&self, source: &'s str) -> &'s str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// All tokens, comments and line ends included.
pub(crate) fn scan(source: &str) -> Vec<Token> {
    let mut tokens = Vec::with_capacity(source.len() / 6);
    let mut chars = source.char_indices().peekable();
    while let Some((start, character)) = chars.next() {
        let kind = match character {
            '\n' | ';' | '；' => TokenKind::LineEnd,
            '{' | '｛' => TokenKind::OpenBrace,
            '}' | '｝' => TokenKind::CloseBrace,
            '(' | '（' => TokenKind::OpenParen,
            ')' | '）' => TokenKind::CloseParen,
            '#' | '＃' => comment(&mut chars),
            '/' if chars.peek().is_some_and(|(_, next)| *next == '/') => comment(&mut chars),
            '"' | '＂' | '“' | '”' | '「' => quoted(character, &mut chars),
            _ if is_space(character) => continue,
            _ if character.is_ascii_digit() || ('０'..='９').contains(&character) => {
                while chars
                    .next_if(|(_, next)| next.is_ascii_digit() || ('０'..='９').contains(next))
                    .is_some()
                {}
                TokenKind::Number
            }
            _ if character == '_' || character.is_alphabetic() => {
                while chars
                    .next_if(|(_, next)| *next == '_' || *next == '·' || next.is_alphanumeric())
                    .is_some()
                {}
                TokenKind::Word
            }
            _ => TokenKind::Punctuation,
        };
        let end = chars.peek().map_or(source.len(), |(at, _)| *at);
        tokens.push(Token { kind, start, end });
    }
    tokens
}

fn comment(chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> TokenKind {
    while chars.next_if(|(_, next)| *next != '\n').is_some() {}
    TokenKind::Comment
}

fn quoted(open: char, chars: &mut std::iter::Peekable<std::str::CharIndices<'_>>) -> TokenKind {
    let closes = |character: char| match open {
        '"' | '＂' => matches!(character, '"' | '＂'),
        '「' => character == '」',
        _ => matches!(character, '“' | '”'),
    };
    while let Some((_, character)) = chars.next_if(|(_, next)| *next != '\n') {
        if character == '\\' {
            chars.next_if(|(_, next)| *next != '\n');
        } else if closes(character) {
            return TokenKind::Quoted;
        }
    }
    TokenKind::Unclosed
}

/// As the grammar's `WHITESPACE`: text pasted from web pages brings all of them.
fn is_space(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\r' | '\u{3000}' | '\u{A0}' | '\u{FEFF}' | '\u{0B}' | '\u{0C}' | '\u{2000}'
            ..='\u{200D}' | '\u{202F}' | '\u{205F}'
    )
}
