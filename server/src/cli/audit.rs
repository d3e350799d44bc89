//! `yingda audit verify|show|export|replay`.

use std::path::PathBuf;

use futures::StreamExt;
use yingda_dsl::diagnostic::Lang;

use super::arguments::{
    AuditCommand, AuditExportOptions, AuditOptions, AuditShowOptions, ConfigOption,
};
use super::output::{block_on, fail, line};
use super::{Exit, package_file};
use crate::audit::{self, Verified};
use crate::config::Config;
use crate::serve::store_sentence;
use crate::store::{ConversationFilter, SqliteStore, Store, StoreError};

/// Rows read at a time.
const PAGE: u32 = 500;

pub fn run(options: &AuditOptions, lang: Lang) -> Exit {
    match &options.command {
        AuditCommand::Verify(config) => verify(config, lang),
        AuditCommand::Show(options) => show(options, lang),
        AuditCommand::Export(options) => export(options, lang),
        AuditCommand::Replay(options) => replay(options, lang),
    }
}

/// Open the configured database for reading, beside a running server.
async fn open(config: &ConfigOption, lang: Lang) -> Result<(SqliteStore, PathBuf), Exit> {
    let config = Config::load(config.config.as_deref())
        .map_err(|error| fail(Exit::Environment, &error.sentence(lang)))?;
    let path = config.data_path();
    match SqliteStore::open_read_only(&path).await {
        Ok(store) => Ok((store, path)),
        Err(error) => Err(fail(Exit::Environment, &store_sentence(&path, &error))),
    }
}

fn verify(config: &ConfigOption, lang: Lang) -> Exit {
    block_on(async {
        let (store, _) = match open(config, lang).await {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        match audit::verify_store(&store, &store.head_file()).await {
            Ok(verified) => {
                line(&verified_sentence(&verified, lang));
                if verified.head_problems.is_empty() {
                    Exit::Done
                } else {
                    Exit::Problem
                }
            }
            Err(fault) => fail(Exit::Problem, &fault.sentence(lang)),
        }
    })
}

/// The conversation meant: by id, by the customer's openid, or the one that changed last.
async fn conversation_id(
    store: &SqliteStore,
    wanted: Option<&str>,
) -> Result<Option<String>, StoreError> {
    let Some(wanted) = wanted else {
        let filter = ConversationFilter {
            limit: 1,
            ..ConversationFilter::default()
        };
        return Ok(store
            .conversations(filter)
            .await?
            .into_iter()
            .next()
            .map(|summary| summary.id));
    };
    if store.conversation_by_id(wanted).await?.is_some() {
        return Ok(Some(wanted.to_string()));
    }
    let mut offset = 0;
    loop {
        let filter = ConversationFilter {
            limit: PAGE,
            offset,
            ..ConversationFilter::default()
        };
        let page = store.conversations(filter).await?;
        if let Some(found) = page.iter().find(|summary| summary.customer == wanted) {
            return Ok(Some(found.id.clone()));
        }
        if page.len() < PAGE as usize {
            return Ok(None);
        }
        offset += PAGE;
    }
}

fn show(options: &AuditShowOptions, lang: Lang) -> Exit {
    block_on(async {
        let (store, path) = match open(&options.config, lang).await {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let id = match conversation_id(&store, options.conversation.as_deref()).await {
            Ok(Some(id)) => id,
            Ok(None) => {
                return fail(
                    Exit::Problem,
                    "没有这个会话。会话编号可以在管理接口 /api/v1/conversations 里看到。",
                );
            }
            Err(error) => return fail(Exit::Environment, &store_sentence(&path, &error)),
        };
        match audit::show(&store, &id, lang).await {
            Ok(text) => {
                line(text.trim_end());
                Exit::Done
            }
            Err(error) => fail(Exit::Environment, &store_sentence(&path, &error)),
        }
    })
}

fn export(options: &AuditExportOptions, lang: Lang) -> Exit {
    block_on(async {
        let (store, path) = match open(&options.config, lang).await {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let filter = audit::ExportFilter {
            conversation: options.conversation.clone(),
            ..audit::ExportFilter::default()
        };
        let rows = audit::export(&store, &filter);
        futures::pin_mut!(rows);
        while let Some(row) = rows.next().await {
            match row {
                Ok(row) if line(&row) => {}
                Ok(_) => return Exit::Done,
                Err(error) => return fail(Exit::Environment, &store_sentence(&path, &error)),
            }
        }
        Exit::Done
    })
}

fn replay(options: &AuditShowOptions, lang: Lang) -> Exit {
    block_on(async {
        let (store, path) = match open(&options.config, lang).await {
            Ok(opened) => opened,
            Err(exit) => return exit,
        };
        let understander = match package_file::understander() {
            Ok(understander) => understander,
            Err(exit) => return exit,
        };
        let id = match conversation_id(&store, options.conversation.as_deref()).await {
            Ok(Some(id)) => id,
            Ok(None) => return fail(Exit::Problem, "没有这个会话。"),
            Err(error) => return fail(Exit::Environment, &store_sentence(&path, &error)),
        };
        match crate::turn::replay(&store, &id, understander).await {
            Ok(replayed) => {
                for difference in &replayed.differences {
                    line(&format!(
                        "第 {} 条：重放结果不一样：{}",
                        difference.seq, difference.what
                    ));
                }
                line(&format!(
                    "重放了 {} 步，{} 步一致，{} 步已抹去或没有封存。",
                    replayed.turns,
                    replayed.turns - replayed.differences.len(),
                    replayed.skipped
                ));
                if replayed.differences.is_empty() {
                    Exit::Done
                } else {
                    Exit::Problem
                }
            }
            Err(sentence) => fail(Exit::Environment, &sentence),
        }
    })
}

fn verified_sentence(verified: &Verified, lang: Lang) -> String {
    let (rows, erased, signed) = (verified.rows, verified.erased, verified.signed);
    let mut sentence = match lang {
        Lang::Zh => format!("审计链完整：{rows} 条记录首尾相接，签名到第 {signed} 条。"),
        Lang::En => format!("the audit chain is whole: {rows} rows, signed up to row {signed}"),
    };
    if erased > 0 {
        sentence.push_str(&match lang {
            Lang::Zh => format!("其中 {erased} 条的内容已按规定抹去。"),
            Lang::En => format!("; {erased} of them erased on record"),
        });
    }
    if !verified.head_problems.is_empty() {
        let at = &verified.head_problems;
        sentence.push_str(&match lang {
            Lang::Zh => format!("但启动时发现过签名文件缺失或对不上（第 {at:?} 条），请查明原因。"),
            Lang::En => {
                format!("; the signed head was missing or did not fit at a start, see rows {at:?}")
            }
        });
    }
    sentence
}
