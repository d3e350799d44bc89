//! What comes back when the disk, the file or another process stands in the way.

use futures::future::join_all;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _};

use super::samples::*;
use crate::audit::verify_store;
use crate::store::*;

#[tokio::test]
async fn a_full_disk_acknowledges_nothing_and_is_over_when_there_is_room_again() {
    let temp = TempStore::new().await;
    // A limit below the size is taken as the size: no page more.
    temp.store
        .execute("PRAGMA max_page_count = 1")
        .await
        .unwrap();
    let big = |n: usize| {
        let mut commit = turn(&format!("c{n}"), &format!("k{n}"), 0);
        commit.audit[0].body = "满".repeat(1_000);
        commit
    };
    let mut acknowledged = Vec::new();
    let mut refused = Vec::new();
    for round in 0..10 {
        let range = round * 20..(round + 1) * 20;
        let answers = join_all(range.clone().map(|n| temp.store.commit(big(n)))).await;
        for (n, answer) in range.zip(answers) {
            match answer {
                Ok(Committed::Done { .. }) => acknowledged.push(n),
                Err(StoreError::DiskFull) => refused.push(n),
                other => panic!("{other:?}"),
            }
        }
    }
    assert!(!refused.is_empty());
    assert_eq!(audit_bodies(&temp.store).await.len(), acknowledged.len());
    for n in &refused {
        let customer = format!("c{n}");
        assert_eq!(temp.store.conversation(ACCOUNT, &customer).await, Ok(None));
        assert_eq!(
            temp.store.inbound(ACCOUNT, &format!("k{n}")).await,
            Ok(None)
        );
    }
    temp.store
        .execute("PRAGMA max_page_count = 1073741823")
        .await
        .unwrap();
    let answers = join_all(refused.iter().map(|n| temp.store.commit(big(*n)))).await;
    assert!(
        answers
            .iter()
            .all(|answer| *answer == Ok(Committed::Done { revision: 1 }))
    );
    let verified = verify_store(&temp.store, &temp.store.head_file())
        .await
        .unwrap();
    assert_eq!(verified.rows, 200);
    temp.store.close().await;
    let mut file = SqliteConnectOptions::new()
        .filename(temp.path())
        .connect()
        .await
        .unwrap();
    let found: String = sqlx::query_scalar("PRAGMA integrity_check")
        .fetch_one(&mut file)
        .await
        .unwrap();
    assert_eq!(found, "ok");
}

#[tokio::test]
async fn readiness_tells_a_database_that_cannot_be_written() {
    let temp = TempStore::new().await;
    assert_eq!(temp.store.ready().await, Ok(()));
    temp.store.execute("PRAGMA query_only = 1").await.unwrap();
    let refused = temp.store.commit(turn("li", "k1", 0)).await;
    assert!(
        matches!(refused, Err(StoreError::ReadOnly(_))),
        "{refused:?}"
    );
    // A failure of this kind costs the connection, and the next one is not restricted.
    assert_eq!(temp.store.ready().await, Ok(()));
    assert!(temp.store.commit(turn("li", "k1", 0)).await.is_ok());
}

#[tokio::test]
async fn a_second_server_is_refused_while_a_reader_is_not() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("li", "k1", 0)).await.unwrap();
    let second = SqliteStore::open(&temp.path(), SqliteOptions::default()).await;
    assert_eq!(second.err(), Some(StoreError::Locked));
    let reader = SqliteStore::open_read_only(&temp.path()).await.unwrap();
    assert_eq!(audit_bodies(&reader).await, ["k1"]);
    assert!(matches!(
        reader.commit(turn("li", "k2", 1)).await,
        Err(StoreError::ReadOnly(_))
    ));
    temp.store.commit(turn("li", "k2", 1)).await.unwrap();
    let li = reader.conversation(ACCOUNT, "li").await.unwrap().unwrap();
    assert_eq!(li.revision, 2);
}

#[tokio::test]
async fn a_writer_from_outside_delays_but_does_not_break_the_store() {
    let temp = TempStore::new().await;
    let mut other = SqliteConnectOptions::new()
        .filename(temp.path())
        .connect()
        .await
        .unwrap();
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut other)
        .await
        .unwrap();
    let answers = join_all((0..3).map(|n| {
        temp.store
            .commit(turn(&format!("c{n}"), &format!("k{n}"), 0))
    }))
    .await;
    assert_eq!(answers, vec![Err(StoreError::Locked); 3]);
    other.close().await.unwrap();
    temp.store.commit(turn("c0", "k0", 0)).await.unwrap();
    assert_eq!(audit_bodies(&temp.store).await, ["k0"]);
}

#[tokio::test]
async fn why_a_file_cannot_be_opened_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |name: &str| -> Option<StoreError> {
        let path = folder.path().join(name);
        match SqliteStore::open(&path, SqliteOptions::default()).await {
            Ok(store) => {
                store.close().await;
                None
            }
            Err(error) => Some(error),
        }
    };
    std::fs::write(
        folder.path().join("text"),
        "no database, but long enough to be read as one ".repeat(40),
    )
    .unwrap();
    assert!(
        matches!(open("text").await, Some(StoreError::NotADatabase(path)) if path.ends_with("text"))
    );

    let sql = |name: &str, sql: &'static str| {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join(name))
            .create_if_missing(true);
        async move {
            let mut connection = options.connect().await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        }
    };
    sql("foreign", "CREATE TABLE theirs (id)").await;
    assert!(matches!(
        open("foreign").await,
        Some(StoreError::NotADatabase(_))
    ));

    assert_eq!(open("newer").await, None);
    sql(
        "newer",
        "INSERT INTO _sqlx_migrations VALUES (99, 'next', 0, 1, x'00', 0)",
    )
    .await;
    let newer = StoreError::NewerSchema {
        found: 99,
        known: 1,
    };
    assert_eq!(open("newer").await, Some(newer.clone()));
    let read_only = SqliteStore::open_read_only(&folder.path().join("newer")).await;
    assert_eq!(read_only.err(), Some(newer));

    let missing = SqliteStore::open_read_only(&folder.path().join("none")).await;
    assert!(matches!(missing.err(), Some(StoreError::Missing(_))));

    std::fs::create_dir(folder.path().join("folder")).unwrap();
    assert!(matches!(
        open("folder").await,
        Some(StoreError::ReadOnly(_))
    ));
    std::fs::write(folder.path().join("file"), "").unwrap();
    assert!(matches!(
        open("file/yingda.db").await,
        Some(StoreError::ReadOnly(_))
    ));
}
