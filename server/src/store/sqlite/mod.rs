//! The store in one SQLite file, written by one server process.

mod batch;
mod cache;
mod erase;
mod error;
mod head;
mod open;
mod queue;
mod read;
mod rows;
mod statement;
mod writer;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use parking_lot::Mutex;
use sqlx::Connection as _;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use self::batch::Pending;
use self::cache::{ConversationCache, Key};
use self::erase::Erasure;
use self::head::HeadKeeper;
use self::open::ServerLock;
use self::queue::{Entrance, Request, queue};
use self::read::Reader;
use self::writer::Writer;
use crate::audit::HeadFile;
use crate::store::{
    AuditEntry, AuditRow, Commit, Committed, ConversationFilter, ConversationSummary, Inbound,
    OutboxRow, PackageRow, Publication, QueueLength, Store, StoreError, StoredConversation,
    StoredInbound, TranscriptLine,
};

#[derive(Debug, Clone)]
pub struct SqliteOptions {
    /// Memory for conversations kept at hand, bytes.
    pub cache_bytes: u64,
    /// Connections that read.
    pub readers: u32,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 << 20,
            readers: 4,
        }
    }
}

pub struct SqliteStore {
    path: PathBuf,
    reader: Reader,
    /// `None` when opened for reading.
    writer: Option<Handle>,
}

/// What the writer shares with its callers.
struct Handle {
    entrance: Entrance,
    cache: Arc<ConversationCache>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl SqliteStore {
    /// Open for a server, making the file and bringing its schema up to date where needed.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another server has the file, [`StoreError::NotADatabase`],
    /// [`StoreError::NewerSchema`], [`StoreError::ReadOnly`] (folder or file), [`StoreError::DiskFull`],
    /// [`StoreError::Corrupt`].
    pub async fn open(path: &Path, options: SqliteOptions) -> Result<Self, StoreError> {
        let lock = ServerLock::take(path)?;
        let writer_options = open::writer_options(path);
        let mut connection = open::connect_writer(path, &writer_options).await?;
        let head_file = HeadFile::beside(path);
        let (kept, problem) = open::check_head(&mut connection, &head_file).await?;
        let pool = match open::connect_readers(path, options.readers).await {
            Ok(pool) => pool,
            Err(error) => {
                connection.close().await.ok();
                return Err(error);
            }
        };
        let (entrance, queue) = queue();
        let cache = Arc::new(ConversationCache::new(options.cache_bytes));
        let writer = Writer {
            options: writer_options,
            connection: Some(connection),
            head: Some(kept.head),
            head_keeper: HeadKeeper::new(head_file, kept),
            cache: Arc::clone(&cache),
            queue,
            texts: statement::Texts::default(),
            written_at: None,
        };
        let task = tokio::spawn(async move {
            writer.run().await;
            drop(lock);
        });
        let store = Self {
            path: path.to_owned(),
            reader: Reader { pool },
            writer: Some(Handle {
                entrance,
                cache,
                task: Mutex::new(Some(task)),
            }),
        };
        if let Some(problem) = problem {
            tracing::error!(%problem, "the audit log does not fit its signed head; see audit verify");
            store.record_head_problem(problem).await?;
        }
        Ok(store)
    }

    /// Open beside a server, or without one, for reading alone.
    ///
    /// # Errors
    /// [`StoreError::Missing`], [`StoreError::NotADatabase`], [`StoreError::OlderSchema`],
    /// [`StoreError::NewerSchema`].
    pub async fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        let pool = open::connect_readers(path, 1).await?;
        open::check_schema(path, &pool).await?;
        Ok(Self {
            path: path.to_owned(),
            reader: Reader { pool },
            writer: None,
        })
    }

    /// Where the signed head of the audit chain is kept.
    pub fn head_file(&self) -> HeadFile {
        HeadFile::beside(&self.path)
    }

    async fn record_head_problem(&self, problem: String) -> Result<(), StoreError> {
        let entry = AuditEntry {
            at: Timestamp::now(),
            account: String::new(),
            conversation: String::new(),
            kind: crate::audit::HEAD_PROBLEM.to_owned(),
            body: serde_json::json!({ "problem": problem }).to_string(),
            sealed: None,
        };
        self.commit(Commit {
            audit: vec![entry],
            ..Commit::default()
        })
        .await
        .map(drop)
    }

    /// A statement on the writer's own connection.
    #[cfg(test)]
    async fn execute(&self, sql: &'static str) -> Result<(), StoreError> {
        self.writer()?
            .entrance
            .ask(|reply| Request::Execute(sql, reply))
            .await
    }

    fn writer(&self) -> Result<&Handle, StoreError> {
        self.writer.as_ref().ok_or_else(|| {
            StoreError::ReadOnly(format!("{}: opened for reading", self.path.display()))
        })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn conversation(
        &self,
        account: &str,
        customer: &str,
    ) -> Result<Option<StoredConversation>, StoreError> {
        let Some(writer) = &self.writer else {
            let found = self.reader.conversation(account, customer).await?;
            return Ok(found.map(|(stored, _)| stored));
        };
        let key = Key::new(account, customer);
        if let Some(known) = writer.cache.get(&key) {
            return Ok(known.map(|stored| (*stored).clone()));
        }
        let load = writer.cache.begin_load(key);
        let found = self.reader.conversation(account, customer).await?;
        let bytes = found.as_ref().map_or(0, |(_, bytes)| *bytes);
        let known = found.map(|(stored, _)| Arc::new(stored));
        writer.cache.end_load(load, &known, bytes);
        Ok(known.map(|stored| (*stored).clone()))
    }

    async fn conversation_by_id(&self, id: &str) -> Result<Option<StoredConversation>, StoreError> {
        self.reader.conversation_by_id(id).await
    }

    async fn inbound(
        &self,
        account: &str,
        dedupe_key: &str,
    ) -> Result<Option<StoredInbound>, StoreError> {
        self.reader.inbound(account, dedupe_key).await
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, StoreError> {
        let entrance = &self.writer()?.entrance;
        let in_flight = entrance.count_in();
        let (reply, answer) = oneshot::channel();
        let pending = Pending::new(commit, reply)?;
        entrance
            .send(Request::Commit(Box::new(pending), in_flight))
            .await?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    async fn pending_inbound(&self) -> Result<Vec<Inbound>, StoreError> {
        self.reader.pending_inbound().await
    }

    async fn due_conversations(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<StoredConversation>, StoreError> {
        self.reader.due_conversations(now, limit).await
    }

    async fn due_outbox(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.reader.due_outbox(now, limit).await
    }

    async fn sending_outbox(&self) -> Result<Vec<OutboxRow>, StoreError> {
        self.reader.sending_outbox().await
    }

    async fn held_outbox(
        &self,
        account: &str,
        customer: &str,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        self.reader.held_outbox(account, customer).await
    }

    async fn conversations(
        &self,
        filter: ConversationFilter,
    ) -> Result<Vec<ConversationSummary>, StoreError> {
        self.reader.conversations(&filter).await
    }

    async fn transcript(&self, conversation: &str) -> Result<Vec<TranscriptLine>, StoreError> {
        self.reader.transcript(conversation).await
    }

    async fn queue_lengths(&self) -> Result<Vec<QueueLength>, StoreError> {
        self.reader.queue_lengths().await
    }

    async fn audit(
        &self,
        conversation: Option<&str>,
        after: i64,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.reader.audit(conversation, after, limit).await
    }

    async fn keep_package(&self, package: PackageRow) -> Result<(), StoreError> {
        self.writer()?
            .entrance
            .ask(|reply| Request::KeepPackage(Box::new(package), reply))
            .await
    }

    async fn package(&self, version: &str) -> Result<Option<PackageRow>, StoreError> {
        self.reader.package(version).await
    }

    async fn publish(&self, publication: Publication, audit: AuditEntry) -> Result<(), StoreError> {
        self.writer()?
            .entrance
            .ask(|reply| Request::Publish(Box::new((publication, audit)), reply))
            .await
    }

    async fn publications(
        &self,
        account: &str,
        limit: u32,
    ) -> Result<Vec<Publication>, StoreError> {
        self.reader.publications(account, limit).await
    }

    async fn erase_customer(
        &self,
        account: &str,
        customer: &str,
        at: Timestamp,
        body: String,
    ) -> Result<u64, StoreError> {
        let erasure = Erasure {
            account: account.to_owned(),
            customer: customer.to_owned(),
            at,
            body,
        };
        self.writer()?
            .entrance
            .ask(|reply| Request::Erase(Box::new(erasure), reply))
            .await
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.writer()?.entrance.ask(Request::Probe).await
    }

    async fn close(&self) {
        if let Some(writer) = &self.writer {
            writer.entrance.send(Request::Close).await.ok();
            let task = writer.task.lock().take();
            if let Some(task) = task
                && let Err(error) = task.await
            {
                tracing::error!(%error, "the writer stopped before its time");
            }
        }
        self.reader.pool.close().await;
    }
}
