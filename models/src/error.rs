//! What can go wrong, by cause. Messages are Chinese sentences that say what to do.

use thiserror::Error;

/// A model file that cannot be used.
#[derive(Debug, Error)]
pub enum ModelError {
    #[error("这不是应答的模型文件，请用 yingda train 生成的 .yim 文件")]
    Foreign,
    #[error("模型文件不完整（只有 {found} 字节，应有 {expected} 字节），请重新复制或重新训练")]
    Truncated { found: usize, expected: usize },
    #[error("模型文件的校验和不对，内容已损坏，请重新复制或重新训练")]
    Damaged,
    #[error("模型文件是第 {found} 版格式，本程序只认第 {expected} 版，请重新训练")]
    Schema { found: u16, expected: u16 },
    #[error("模型用的是第 {found} 版特征，本程序是第 {expected} 版，请重新训练")]
    FeatureSpec { found: u16, expected: u16 },
    #[error("模型文件的内容自相矛盾（{0}），请重新训练")]
    Inconsistent(&'static str),
}

/// Training data that no model can be learnt from.
#[derive(Debug, Error)]
pub enum TrainError {
    #[error("{file} 第 {line} 行：{what}")]
    Line {
        file: String,
        line: usize,
        what: String,
    },
    #[error("训练数据是空的，每行应为「标签<Tab>文本」")]
    Empty,
    #[error("训练数据只有一个标签「{0}」，至少要两个标签才能学会区分")]
    OneLabel(String),
    #[error("标签「{label}」只有 {count} 条例句，每个标签至少要 {least} 条")]
    TooFew {
        label: String,
        count: usize,
        least: usize,
    },
    #[error("训练没有成功：{0}")]
    Estimator(#[from] linfa::Error),
}

/// A base of questions and answers that cannot be indexed.
#[derive(Debug, Error)]
pub enum FaqError {
    #[error("常见问题的编号「{id}」出现了两次（第 {first} 条和第 {second} 条），请改掉其中一个")]
    DuplicateId {
        id: String,
        first: usize,
        second: usize,
    },
    #[error("常见问题第 {index} 条（编号「{id}」）没有{what}，请补上")]
    Missing {
        index: usize,
        id: String,
        what: &'static str,
    },
    #[error("常见问题的索引没有建成：{0}")]
    Index(#[from] tantivy::TantivyError),
}
