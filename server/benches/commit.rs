//! Commits a second by callers in flight, on a real disk: `cargo bench -p yingda --bench commit`.
//!
//! Prints for audit rows alone and for whole turns: rows a second, wall and processor time a row. Processor time is the whole
//! process's, callers included.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use yingda_engine::conversation::Conversation;
use yingda_server::store::{
    AuditEntry, Commit, Committed, ConversationWrite, Inbound, NewInbound, OutboxRow, OutboxState,
    SqliteOptions, SqliteStore, Store,
};

/// How long each row of the table is measured.
const MEASURED: Duration = Duration::from_secs(3);

const BODY: &str = include_str!("turn.json");

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    println!(
        "{:<12} {:>9} {:>12} {:>12} {:>14}",
        "what", "in flight", "rows/s", "µs a row", "CPU µs a row"
    );
    for (what, audit_only) in [("audit row", true), ("turn", false)] {
        for callers in [1, 8, 64, 256] {
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            let data = folder.path().join("yingda.db");
            let (rows, wall, processor) = runtime.block_on(measure(&data, callers, audit_only))?;
            let rows = rows as f64;
            println!(
                "{what:<12} {callers:>9} {:>12.0} {:>12.1} {:>14.1}",
                rows / wall.as_secs_f64(),
                wall.as_secs_f64() * 1e6 / rows,
                processor.as_secs_f64() * 1e6 / rows,
            );
        }
    }
    Ok(())
}

/// Commits by so many callers, each waiting for its own: rows, wall time, processor time.
async fn measure(
    data: &std::path::Path,
    callers: u64,
    audit_only: bool,
) -> Outcome<(u64, Duration, Duration)> {
    let store = Arc::new(SqliteStore::open(data, SqliteOptions::default()).await?);
    let rows = Arc::new(AtomicU64::new(0));
    let processor = processor_time()?;
    let start = Instant::now();
    let tasks: Vec<_> = (0..callers)
        .map(|caller| {
            let (store, rows) = (Arc::clone(&store), Arc::clone(&rows));
            tokio::spawn(async move {
                let mut turn = 0;
                while start.elapsed() < MEASURED {
                    let commit = if audit_only {
                        audit(caller)
                    } else {
                        whole_turn(&*store, caller, turn).await?
                    };
                    match store.commit(commit).await? {
                        Committed::Done { .. } => {}
                        other => return Err(format!("not written: {other:?}").into()),
                    }
                    rows.fetch_add(1, Ordering::Relaxed);
                    turn += 1;
                }
                Outcome::Ok(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    let wall = start.elapsed();
    let processor = processor_time()? - processor;
    store.close().await;
    Ok((rows.load(Ordering::Relaxed), wall, processor))
}

fn audit(caller: u64) -> Commit {
    Commit {
        audit: vec![AuditEntry {
            at: Timestamp::now(),
            account: "main".to_owned(),
            conversation: format!("{caller:032x}"),
            kind: "turn".to_owned(),
            body: BODY.to_owned(),
            sealed: Some(BODY.to_owned()),
        }],
        ..Commit::default()
    }
}

/// A turn as the server commits it: callback, conversation, reply, audit. Each caller serves a new customer every 8 turns.
async fn whole_turn(store: &dyn Store, caller: u64, turn: u64) -> Outcome<Commit> {
    let customer = format!("o{caller:013}{:014}", turn / 8);
    let now = Timestamp::now();
    let read = store.conversation("main", &customer).await?;
    let (mut conversation, read_revision) = match read {
        Some(read) => (read.conversation, read.revision),
        None => (
            Conversation {
                id: format!("{caller:016x}{:016x}", turn / 8),
                account: "main".to_owned(),
                customer: customer.clone(),
                ..Conversation::default()
            },
            0,
        ),
    };
    conversation.turns += 1;
    conversation.last_customer_at = Some(now);
    let mut commit = audit(caller);
    commit.inbound = Some(NewInbound {
        inbound: Inbound {
            account: "main".to_owned(),
            dedupe_key: format!("{}", turn * 1_000_003 + caller),
            customer: customer.clone(),
            conversation: conversation.id.clone(),
            received_at: now,
            platform_at: Some(now),
            event: r#"{"type":"message","kind":"text","text":"我的快递到哪了","menu_id":null}"#
                .to_owned(),
            envelope: r#"{"format":"xml","to":"gh_0123456789ab"}"#.to_owned(),
        },
        done: true,
        reply: Some("您的快递正在派送中".to_owned()),
    });
    commit.outbox = vec![OutboxRow {
        id: format!("{caller:016x}{turn:016x}"),
        account: "main".to_owned(),
        customer,
        conversation: conversation.id.clone(),
        epoch: 0,
        created_at: now,
        position: 0,
        message: r#"{"kind":"text","text":"您的快递正在派送中"}"#.to_owned(),
        speaker: "bot".to_owned(),
        state: OutboxState::Passive,
        attempts: 0,
        due_at: now,
        last_error: None,
    }];
    commit.conversation = Some(ConversationWrite {
        conversation,
        read_revision,
        wake_at: None,
    });
    Ok(commit)
}

/// User and system time of this process, Linux: <https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html>, in ticks of 10 ms.
fn processor_time() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit_once(") ").ok_or("no process name")?.1;
    let ticks: u64 = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}
