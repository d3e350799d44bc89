//! A turn again from its audit row: the same package, models, event, state and time give the same turn.

use std::collections::BTreeMap;
use std::sync::Arc;

use yingda_dsl::source::PackageFiles;
use yingda_models::Understander;

use super::record::{self, Sealed};
use crate::package::{Loaded, compile};
use crate::store::{AuditRow, Store};

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Replayed {
    pub turns: usize,
    /// Rows without what a replay needs.
    pub skipped: usize,
    pub differences: Vec<Difference>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub seq: i64,
    /// The part of the row that came out otherwise.
    pub what: String,
}

/// Replay every turn of a conversation. The error is a sentence for people.
pub async fn replay(
    store: &dyn Store,
    conversation: &str,
    understander: Arc<Understander>,
) -> Result<Replayed, String> {
    let mut packages: BTreeMap<String, Arc<Loaded>> = BTreeMap::new();
    let mut replayed = Replayed::default();
    let mut after = 0;
    loop {
        let rows = store
            .audit(Some(conversation), after, 500)
            .await
            .map_err(|error| format!("审计记录读不出来：{error}"))?;
        for row in &rows {
            after = row.seq;
            let Some(sealed) = row
                .sealed
                .as_deref()
                .and_then(|text| serde_json::from_str::<Sealed<'_>>(text).ok())
            else {
                replayed.skipped += 1;
                continue;
            };
            if sealed.models != understander.fingerprint() {
                return Err("这个会话是用另一个版本的模型判断的，要用当时的程序重放。".into());
            }
            let loaded = match packages.get(sealed.version.as_ref()) {
                Some(loaded) => loaded.clone(),
                None => {
                    let loaded = Arc::new(load(store, &sealed.version, &understander).await?);
                    packages.insert(sealed.version.to_string(), loaded.clone());
                    loaded
                }
            };
            let turn = loaded
                .bot
                .decide(&sealed.before, &sealed.event, &sealed.around);
            replayed.turns += 1;
            let again = record::body(&sealed.event, &turn, None, 0, &[]);
            if let Some(what) = difference(row, &again) {
                replayed.differences.push(Difference { seq: row.seq, what });
            }
        }
        if rows.len() < 500 {
            return Ok(replayed);
        }
    }
}

async fn load(
    store: &dyn Store,
    version: &str,
    understander: &Arc<Understander>,
) -> Result<Loaded, String> {
    let row = store
        .package(version)
        .await
        .map_err(|error| format!("规则版本读不出来：{error}"))?;
    let row = row.ok_or_else(|| format!("没有保存规则版本 {version}。"))?;
    let files: PackageFiles = postcard::from_bytes(&row.files)
        .map_err(|error| format!("规则版本 {version} 读不出来：{error}"))?;
    let (loaded, _) = compile(
        &files,
        understander,
        &yingda_engine::standard_catalogue(),
        None,
    )
    .map_err(|error| format!("规则版本 {version} 用现在的程序检查不过：{error}"))?;
    Ok(loaded)
}

fn difference(row: &AuditRow, again: &str) -> Option<String> {
    let was: serde_json::Value = serde_json::from_str(row.body.as_deref()?).ok()?;
    let now: serde_json::Value = serde_json::from_str(again).ok()?;
    [
        "event",
        "stage",
        "rule",
        "explanation",
        "effects",
        "owner",
        "epoch",
        "intent",
    ]
    .into_iter()
    .find(|part| was.get(*part) != now.get(*part))
    .map(str::to_string)
}
