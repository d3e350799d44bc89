//! The audit chain of a real file, and what tampering with it leaves to be seen.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use std::path::Path;

use super::samples::*;
use crate::audit::{AuditFault, HeadFile, Part, Verified, verify_store};
use crate::store::*;

pub const ROWS: i64 = 24;

/// A closed database with a chain of [`ROWS`] rows, its head beside it.
pub async fn chain() -> tempfile::TempDir {
    let temp = TempStore::new().await;
    for n in 1..=ROWS {
        temp.store
            .commit(Commit {
                audit: vec![entry(&format!("c-{}", n % 3), &format!("body {n}"))],
                ..Commit::default()
            })
            .await
            .unwrap();
    }
    temp.store.close().await;
    temp.folder
}

pub async fn verified(data: &Path) -> Result<Verified, AuditFault> {
    let store = SqliteStore::open_read_only(data).await.unwrap();
    let result = verify_store(&store, &HeadFile::beside(data)).await;
    store.close().await;
    result
}

pub async fn raw(data: &Path) -> SqliteConnection {
    let mut connection = SqliteConnectOptions::new()
        .filename(data)
        .connect()
        .await
        .unwrap();
    run(
        &mut connection,
        "DROP TRIGGER audit_keep; DROP TRIGGER audit_fixed",
    )
    .await;
    connection
}

pub async fn run(connection: &mut SqliteConnection, sql: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(sql.into()))
        .execute(connection)
        .await
        .unwrap();
}

/// A tampering, and what must be said of it.
async fn tampered(sql: &str) -> Result<Verified, AuditFault> {
    let folder = chain().await;
    let data = folder.path().join("yingda.db");
    let mut connection = raw(&data).await;
    run(&mut connection, sql).await;
    connection.close().await.unwrap();
    verified(&data).await
}

#[tokio::test]
async fn an_untouched_chain_verifies() {
    let folder = chain().await;
    let verified = verified(&folder.path().join("yingda.db")).await.unwrap();
    assert_eq!((verified.rows, verified.signed), (24, 24));
    assert_eq!(verified.head_problems, Vec::<i64>::new());
}

#[tokio::test]
async fn the_first_wrong_row_and_its_cause_are_named() {
    let changed = |seq, part, against| AuditFault::Changed { seq, part, against };
    let cases = [
        (
            "UPDATE audit SET body = 'x' WHERE seq = 5",
            changed(5, Part::Body, "digest"),
        ),
        (
            "UPDATE audit SET sealed = 'x' WHERE seq = 5",
            changed(5, Part::Sealed, "digest"),
        ),
        (
            "UPDATE audit SET at = at + 1 WHERE seq IN (5, 9)",
            changed(5, Part::Record, "hash"),
        ),
        (
            "UPDATE audit SET account = '' WHERE seq = 24",
            changed(24, Part::Record, "hash"),
        ),
        (
            "DELETE FROM audit WHERE seq IN (7, 8)",
            AuditFault::Removed { first: 7, last: 8 },
        ),
        (
            "DELETE FROM audit WHERE seq = 7; \
             UPDATE audit SET seq = -seq + 1 WHERE seq > 7; UPDATE audit SET seq = -seq WHERE seq < 0",
            AuditFault::Removed { first: 7, last: 7 },
        ),
        (
            "DELETE FROM audit WHERE seq > 20",
            AuditFault::Cut {
                last: 20,
                signed: 24,
            },
        ),
        (
            "DELETE FROM audit",
            AuditFault::Cut {
                last: 0,
                signed: 24,
            },
        ),
        (
            "UPDATE audit SET seq = -7 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 11; \
             UPDATE audit SET seq = 11 WHERE seq = -7",
            AuditFault::Swapped {
                seq: 7,
                written_as: 11,
            },
        ),
        (
            "UPDATE audit SET seq = -7 WHERE seq = 7; UPDATE audit SET seq = 7 WHERE seq = 8; \
             UPDATE audit SET seq = 8 WHERE seq = -7",
            AuditFault::Swapped {
                seq: 7,
                written_as: 8,
            },
        ),
        (
            "UPDATE audit SET seq = -seq - 1 WHERE seq > 7; UPDATE audit SET seq = -seq WHERE seq < 0; \
             INSERT INTO audit SELECT 8, at, account, conversation, kind, 'new', body_digest, sealed, \
             sealed_digest, prev, hash FROM audit WHERE seq = 3",
            AuditFault::Swapped {
                seq: 8,
                written_as: 3,
            },
        ),
        (
            "UPDATE audit SET seq = -seq - 1 WHERE seq > 7; UPDATE audit SET seq = -seq WHERE seq < 0; \
             INSERT INTO audit SELECT 8, at, 'new', conversation, kind, body, body_digest, sealed, \
             sealed_digest, prev, hash FROM audit WHERE seq = 3",
            AuditFault::Inserted { seq: 8 },
        ),
        (
            "UPDATE audit SET body = NULL WHERE seq = 5",
            AuditFault::Erased {
                seq: 5,
                part: Part::Body,
            },
        ),
        (
            "UPDATE audit SET sealed = NULL WHERE seq = 5",
            AuditFault::Erased {
                seq: 5,
                part: Part::Sealed,
            },
        ),
    ];
    for (sql, fault) in cases {
        assert_eq!(tampered(sql).await, Err(fault), "{sql}");
    }
}

#[tokio::test]
async fn the_tables_own_rules_refuse_changes_but_for_erasure() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("li", "k1", 0)).await.unwrap();
    temp.store.close().await;
    let mut connection = SqliteConnectOptions::new()
        .filename(temp.path())
        .connect()
        .await
        .unwrap();
    for (sql, allowed) in [
        ("DELETE FROM audit", false),
        ("UPDATE audit SET body = 'x'", false),
        ("UPDATE audit SET at = 0", false),
        ("UPDATE audit SET hash = prev", false),
        ("UPDATE audit SET sealed = 'x', body = NULL", false),
        ("UPDATE audit SET sealed = NULL, body = NULL", true),
    ] {
        let result = sqlx::raw_sql(sql).execute(&mut connection).await;
        assert_eq!(result.is_ok(), allowed, "{sql}");
    }
}

#[tokio::test]
async fn a_cut_tail_stays_known_after_the_server_wrote_on() {
    let folder = chain().await;
    let data = folder.path().join("yingda.db");
    let mut connection = raw(&data).await;
    run(&mut connection, "DELETE FROM audit WHERE seq > 20").await;
    connection.close().await.unwrap();
    for _ in 0..2 {
        let store = SqliteStore::open(&data, SqliteOptions::default())
            .await
            .unwrap();
        for n in 0..10 {
            let audit = vec![entry("c-1", &format!("later {n}"))];
            store
                .commit(Commit {
                    audit,
                    ..Commit::default()
                })
                .await
                .unwrap();
        }
        store.close().await;
    }
    assert_eq!(
        verified(&data).await,
        Err(AuditFault::Rewritten { signed: 24 })
    );
}

#[tokio::test]
async fn a_head_that_is_gone_or_forged_is_a_fault_and_its_loss_is_recorded() {
    let folder = chain().await;
    let data = folder.path().join("yingda.db");
    let head = folder.path().join("yingda.db.audit-head");
    let forged = std::fs::read_to_string(&head).unwrap().replace("24", "20");
    std::fs::write(&head, forged).unwrap();
    assert!(matches!(verified(&data).await, Err(AuditFault::Head(_))));
    std::fs::remove_file(&head).unwrap();
    assert!(matches!(verified(&data).await, Err(AuditFault::Head(_))));
    let store = SqliteStore::open(&data, SqliteOptions::default())
        .await
        .unwrap();
    store.close().await;
    assert_eq!(verified(&data).await.unwrap().head_problems, [25]);
}
