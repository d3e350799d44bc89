//! Which version each account runs: publishing swaps one pointer, rolling back swaps it again.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use yingda_dsl::catalogue::Catalogue;
use yingda_dsl::diagnostic::{Diagnostic, Severity};
use yingda_dsl::source::PackageFiles;
use yingda_engine::Bot;
use yingda_models::Understander;

use crate::store::{AuditEntry, PackageRow, Publication, Store, StoreError};

/// Versions kept in memory besides the current ones, for open conversations.
const OLD_VERSIONS: usize = 8;

/// A compiled package ready to decide.
pub struct Loaded {
    pub bot: Bot,
    /// Words that no message to a customer may hold: the word list 敏感词.
    pub forbidden: Vec<String>,
    /// Appended to answers.
    pub licence: Option<String>,
    pub merge_pause_ms: Option<u64>,
}

impl Loaded {
    pub fn version(&self) -> &str {
        self.bot.version()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// The package does not pass the check; the files are there to render the diagnostics.
    #[error("the package does not pass the check")]
    Refused {
        diagnostics: Vec<Diagnostic>,
        files: Box<PackageFiles>,
    },
    /// Its own tests fail; their names.
    #[error("{} of the package's own tests fail", .0.len())]
    TestsFail(Vec<String>),
    #[error("the package cannot be built: {0}")]
    Build(String),
    #[error("version {0} is not kept here")]
    UnknownVersion(String),
    #[error("there is no earlier version to go back to")]
    NothingEarlier,
    #[error("no account {0:?}")]
    UnknownAccount(String),
    #[error("a kept package cannot be read: {0}")]
    Corrupt(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Compile and index a package; warnings come back with it. With `today`, the end of its holiday table is among them.
pub fn compile(
    files: &PackageFiles,
    understander: &Arc<Understander>,
    catalogue: &Catalogue,
    today: Option<Date>,
) -> Result<(Loaded, Vec<Diagnostic>), PackageError> {
    let compiled = yingda_dsl::compile_on(files, catalogue, today);
    let Some(program) = compiled.program else {
        return Err(PackageError::Refused {
            diagnostics: compiled.diagnostics,
            files: Box::new(files.clone()),
        });
    };
    let forbidden = program
        .words
        .iter()
        .filter(|list| list.name == "敏感词")
        .flat_map(|list| list.words.clone())
        .collect();
    let licence = program.bot.licence.clone();
    let merge_pause_ms = program.bot.merge_pause_ms;
    let bot = Bot::build(program, understander.clone())
        .map_err(|error| PackageError::Build(error.to_string()))?;
    let warnings = compiled
        .diagnostics
        .into_iter()
        .filter(|d| d.severity == Severity::Warning)
        .collect();
    Ok((
        Loaded {
            bot,
            forbidden,
            licence,
            merge_pause_ms,
        },
        warnings,
    ))
}

fn failing_tests(bot: &Bot) -> Vec<String> {
    let reports = yingda_engine::scenario::run_tests(bot);
    reports
        .into_iter()
        .filter(|report| !report.passed())
        .map(|report| report.name)
        .collect()
}

/// The version under the current one: publications pile up, going back takes them off, so that going back twice goes
/// back further instead of forward again.
fn below(newest_first: &[Publication]) -> Option<String> {
    let mut pile: Vec<&str> = Vec::new();
    for publication in newest_first.iter().rev() {
        let version = publication.version.as_str();
        if publication.source == "rollback" {
            while pile.last().is_some_and(|top| *top != version) {
                pile.pop();
            }
        }
        if pile.last() != Some(&version) {
            pile.push(version);
        }
    }
    pile.iter()
        .rev()
        .nth(1)
        .map(|version| (*version).to_string())
}

/// The versions in memory and the current one of each account.
pub struct Registry {
    store: Arc<dyn Store>,
    understander: Arc<Understander>,
    catalogue: Catalogue,
    current: FxHashMap<String, arc_swap::ArcSwapOption<Loaded>>,
    loaded: Mutex<Vec<Arc<Loaded>>>,
}

impl Registry {
    pub fn new(
        store: Arc<dyn Store>,
        understander: Arc<Understander>,
        catalogue: Catalogue,
        accounts: impl Iterator<Item = String>,
    ) -> Self {
        let current = accounts
            .map(|account| (account, arc_swap::ArcSwapOption::empty()))
            .collect();
        Self {
            store,
            understander,
            catalogue,
            current,
            loaded: Mutex::default(),
        }
    }

    /// The version the account runs; `None` before anything was published.
    pub fn current(&self, account: &str) -> Option<Arc<Loaded>> {
        self.current.get(account)?.load_full()
    }

    /// A version by its hash, from memory or from the store.
    pub async fn version(&self, version: &str) -> Result<Arc<Loaded>, PackageError> {
        if let Some(found) = self.in_memory(version) {
            return Ok(found);
        }
        let row = self
            .store
            .package(version)
            .await?
            .ok_or_else(|| PackageError::UnknownVersion(version.to_string()))?;
        let files: PackageFiles = postcard::from_bytes(&row.files)
            .map_err(|error| PackageError::Corrupt(error.to_string()))?;
        let (loaded, _) = self.compile(files, None).await?;
        Ok(self.remember(loaded))
    }

    /// Check a package and make it the account's current version. On any error the running one stays.
    pub async fn publish(
        &self,
        account: &str,
        files: PackageFiles,
        by: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<(Arc<Loaded>, Vec<Diagnostic>), PackageError> {
        if !self.current.contains_key(account) {
            return Err(PackageError::UnknownAccount(account.to_string()));
        }
        let blob = postcard::to_stdvec(&files)
            .map_err(|error| PackageError::Corrupt(error.to_string()))?;
        let version = files.content_hash();
        let (loaded, warnings) = match self.in_memory(&version) {
            Some(loaded) => (loaded, Vec::new()),
            None => {
                let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
                let (loaded, warnings) = self.compile(files, Some(today)).await?;
                (self.remember(loaded), warnings)
            }
        };
        // The folder's own tests gate what people publish; a start takes what ran before it stopped.
        if source == "api" {
            let tested = loaded.clone();
            let failed = tokio::task::spawn_blocking(move || failing_tests(&tested.bot))
                .await
                .map_err(|error| PackageError::Build(error.to_string()))?;
            if !failed.is_empty() {
                return Err(PackageError::TestsFail(failed));
            }
        }
        self.store
            .keep_package(PackageRow {
                version,
                files: blob,
                kept_at: now,
            })
            .await?;
        self.swing(account, &loaded, by, source, now).await?;
        Ok((loaded, warnings))
    }

    /// Back to the version that ran before the current one, or to a named one.
    pub async fn rollback(
        &self,
        account: &str,
        version: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<Arc<Loaded>, PackageError> {
        self.current(account)
            .ok_or_else(|| PackageError::UnknownAccount(account.to_string()))?;
        let target = match version {
            Some(version) => version.to_string(),
            None => self
                .store
                .publications(account, 1000)
                .await
                .map(|newest_first| below(&newest_first))?
                .ok_or(PackageError::NothingEarlier)?,
        };
        let loaded = self.version(&target).await?;
        self.swing(account, &loaded, by, "rollback", now).await?;
        Ok(loaded)
    }

    /// Run a kept version again after a restart, without a new publication.
    pub async fn resume(&self, account: &str, version: &str) -> Result<Arc<Loaded>, PackageError> {
        let loaded = self.version(version).await?;
        if let Some(pointer) = self.current.get(account) {
            pointer.store(Some(loaded.clone()));
        }
        Ok(loaded)
    }

    async fn swing(
        &self,
        account: &str,
        loaded: &Arc<Loaded>,
        by: &str,
        source: &str,
        now: Timestamp,
    ) -> Result<(), PackageError> {
        let publication = Publication {
            account: account.to_string(),
            version: loaded.version().to_string(),
            at: now,
            by: by.to_string(),
            source: source.to_string(),
        };
        let body = serde_json::json!({
            "account": account, "version": publication.version, "by": by, "source": source,
        });
        let audit = AuditEntry {
            at: now,
            account: account.to_string(),
            conversation: String::new(),
            kind: if source == "rollback" {
                "rollback"
            } else {
                "publish"
            }
            .to_string(),
            body: body.to_string(),
            sealed: None,
        };
        self.store.publish(publication, audit).await?;
        if let Some(pointer) = self.current.get(account) {
            pointer.store(Some(loaded.clone()));
        }
        Ok(())
    }

    async fn compile(
        &self,
        files: PackageFiles,
        today: Option<Date>,
    ) -> Result<(Loaded, Vec<Diagnostic>), PackageError> {
        let understander = self.understander.clone();
        let catalogue = self.catalogue.clone();
        tokio::task::spawn_blocking(move || compile(&files, &understander, &catalogue, today))
            .await
            .map_err(|error| PackageError::Build(error.to_string()))?
    }

    fn in_memory(&self, version: &str) -> Option<Arc<Loaded>> {
        self.loaded
            .lock()
            .iter()
            .find(|loaded| loaded.version() == version)
            .cloned()
    }

    fn remember(&self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        let mut all = self.loaded.lock();
        all.retain(|other| other.version() != loaded.version());
        all.push(loaded.clone());
        // Oldest unused first: the current ones are held by their pointers as well.
        while all.len() > OLD_VERSIONS + self.current.len() {
            match all.iter().position(|old| Arc::strong_count(old) == 1) {
                Some(unused) => drop(all.remove(unused)),
                None => break,
            }
        }
        loaded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_back_twice_goes_back_further() {
        let publication = |(version, source): (&str, &str)| Publication {
            account: "shop".into(),
            version: version.into(),
            at: Timestamp::UNIX_EPOCH,
            by: "ops".into(),
            source: source.into(),
        };
        // Oldest first, and what a rollback then leads to.
        type Case<'a> = (&'a [(&'a str, &'a str)], Option<&'a str>);
        let cases: [Case<'_>; 5] = [
            (&[("a", "folder")], None),
            (&[("a", "folder"), ("b", "api")], Some("a")),
            (&[("a", "folder"), ("b", "api"), ("c", "api")], Some("b")),
            (
                &[
                    ("a", "folder"),
                    ("b", "api"),
                    ("c", "api"),
                    ("b", "rollback"),
                ],
                Some("a"),
            ),
            (&[("a", "folder"), ("b", "api"), ("a", "rollback")], None),
        ];
        for (history, expected) in cases {
            let newest_first: Vec<Publication> =
                history.iter().rev().copied().map(publication).collect();
            assert_eq!(below(&newest_first).as_deref(), expected, "{history:?}");
        }
    }
}
