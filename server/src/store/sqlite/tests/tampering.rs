//! A thousand random tamperings with a real file.

use proptest::prelude::*;
use proptest::sample::Index;
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};

use super::chain::{ROWS, chain, raw, run, verified};

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
