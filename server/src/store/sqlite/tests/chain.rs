//! The audit chain of a real file, and what tampering with it leaves to be seen.

use proptest::prelude::*;
use proptest::sample::Index;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, SqliteConnection};
use std::path::Path;

use super::samples::*;
use crate::audit::{AuditFault, HeadFile, Part, Verified, verify_store};
use crate::store::*;

const ROWS: i64 = 24;

/// A closed database with a chain of [`ROWS`] rows, its head beside it.
async fn chain() -> tempfile::TempDir {
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

async fn verified(data: &Path) -> Result<Verified, AuditFault> {
    let store = SqliteStore::open_read_only(data).await.unwrap();
    let result = verify_store(&store, &HeadFile::beside(data)).await;
    store.close().await;
    result
}

async fn raw(data: &Path) -> SqliteConnection {
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

async fn run(connection: &mut SqliteConnection, sql: impl Into<String>) {
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

/// What somebody with the file in hand may do to it.
#[derive(Debug, Clone)]
enum Tampering {
    Flip {
        row: Index,
        column: Index,
        byte: Index,
        bit: u8,
    },
    Delete {
        row: Index,
        renumber: bool,
    },
    Insert {
        row: Index,
        copy: Index,
        linked: bool,
    },
    Swap {
        row: Index,
        other: Index,
        record: bool,
    },
    Cut {
        row: Index,
    },
}

fn tampering() -> impl Strategy<Value = Tampering> {
    prop_oneof![
        any::<(Index, Index, Index)>()
            .prop_flat_map(|fixed| (Just(fixed), 0..7u8))
            .prop_map(|((row, column, byte), bit)| Tampering::Flip {
                row,
                column,
                byte,
                bit
            }),
        any::<(Index, bool)>().prop_map(|(row, renumber)| Tampering::Delete { row, renumber }),
        any::<(Index, Index, bool)>().prop_map(|(row, copy, linked)| Tampering::Insert {
            row,
            copy,
            linked
        }),
        any::<(Index, Index, bool)>().prop_map(|(row, other, record)| Tampering::Swap {
            row,
            other,
            record
        }),
        any::<Index>().prop_map(|row| Tampering::Cut { row }),
    ]
}

fn row_of(index: &Index) -> i64 {
    1 + i64::try_from(index.index(usize::try_from(ROWS).unwrap())).unwrap()
}

async fn tamper(connection: &mut SqliteConnection, tampering: &Tampering) {
    match tampering {
        Tampering::Flip {
            row,
            column,
            byte,
            bit,
        } => {
            flip(connection, row_of(row), column, byte, *bit).await;
        }
        Tampering::Delete { row, renumber } => {
            let row = row_of(row);
            run(connection, format!("DELETE FROM audit WHERE seq = {row}")).await;
            if *renumber {
                shift(connection, row, -1).await;
            }
        }
        Tampering::Insert { row, copy, linked } => {
            let (row, mut copy) = (row_of(row), row_of(copy));
            shift(connection, row - 1, 1).await;
            copy += i64::from(copy >= row);
            // Linked: as if made at its place, with the hash of the row before as `prev`.
            let prev = if *linked && row > 1 {
                format!("(SELECT hash FROM audit WHERE seq = {row} - 1)")
            } else {
                "prev".to_owned()
            };
            run(
                connection,
                format!(
                    "INSERT INTO audit SELECT {row}, at, account, conversation, kind, body, body_digest, \
                     sealed, sealed_digest, {prev}, hash FROM audit WHERE seq = {copy}"
                ),
            )
            .await;
        }
        Tampering::Swap { row, other, record } => {
            let row = row_of(row);
            let mut other = row_of(other);
            if other == row {
                other = row % ROWS + 1;
            }
            if *record {
                run(
                    connection,
                    format!(
                        "UPDATE audit SET seq = -1 WHERE seq = {row}; \
                         UPDATE audit SET seq = {row} WHERE seq = {other}; \
                         UPDATE audit SET seq = {other} WHERE seq = -1"
                    ),
                )
                .await;
            } else {
                run(
                    connection,
                    format!(
                        "UPDATE audit SET body = (SELECT body FROM audit AS o WHERE o.seq = \
                         CASE audit.seq WHEN {row} THEN {other} ELSE {row} END) \
                         WHERE seq IN ({row}, {other})"
                    ),
                )
                .await;
            }
        }
        Tampering::Cut { row } => {
            run(
                connection,
                format!("DELETE FROM audit WHERE seq >= {}", row_of(row)),
            )
            .await;
        }
    }
}

/// Move the rows after `row` by one place.
async fn shift(connection: &mut SqliteConnection, row: i64, by: i64) {
    run(
        connection,
        format!(
            "UPDATE audit SET seq = -(seq + {by}) WHERE seq > {row}; \
             UPDATE audit SET seq = -seq WHERE seq < 0"
        ),
    )
    .await;
}

/// Flip one bit of one column, keeping texts valid UTF-8.
async fn flip(connection: &mut SqliteConnection, row: i64, column: &Index, byte: &Index, bit: u8) {
    const COLUMNS: [(&str, bool); 10] = [
        ("at", false),
        ("account", false),
        ("conversation", false),
        ("kind", false),
        ("body", false),
        ("body_digest", true),
        ("sealed", false),
        ("sealed_digest", true),
        ("prev", true),
        ("hash", true),
    ];
    let (column, blob) = *column.get(&COLUMNS);
    let sql = if column == "at" {
        format!("UPDATE audit SET at = at ^ {} WHERE seq = {row}", 1 << bit).replace(
            &format!("at ^ {}", 1 << bit),
            &format!("(at | {m}) - (at & {m})", m = 1 << bit),
        )
    } else {
        let mut bytes: Vec<u8> = sqlx::query_scalar(AssertSqlSafe(format!(
            "SELECT CAST({column} AS BLOB) FROM audit WHERE seq = {row}"
        )))
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        let place = byte.index(bytes.len());
        bytes[place] ^= 1 << bit;
        let value = format!("x'{}'", hex::encode(bytes));
        let value = if blob {
            value
        } else {
            format!("CAST({value} AS TEXT)")
        };
        format!("UPDATE audit SET {column} = {value} WHERE seq = {row}")
    };
    run(connection, sql).await;
}

#[test]
fn a_thousand_random_tamperings_are_all_found() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let original = runtime.block_on(chain());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 1_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    runner
        .run(&tampering(), |tampering| {
            let copy = tempfile::tempdir().unwrap();
            for file in std::fs::read_dir(original.path()).unwrap() {
                let file = file.unwrap();
                std::fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
            }
            let data = copy.path().join("yingda.db");
            let found = runtime.block_on(async {
                let mut connection = raw(&data).await;
                tamper(&mut connection, &tampering).await;
                connection.close().await.unwrap();
                verified(&data).await
            });
            prop_assert!(found.is_err(), "{:?}", found);
            Ok(())
        })
        .unwrap();
}
