use yingda_engine::conversation::{Owner, Queued};

use super::samples::*;
use crate::store::*;

async fn put(store: &SqliteStore, commit: Commit) {
    let committed = store.commit(commit).await.unwrap();
    assert!(matches!(committed, Committed::Done { .. }));
}

fn owned(account: &str, customer: &str, owner: Owner, changed_at: i64) -> Commit {
    let mut write = write(customer, 0);
    write.conversation.id = format!("{account}-{customer}");
    write.conversation.account = account.to_owned();
    if let Owner::Queue { group } = &owner {
        write.conversation.queue = Some(Queued {
            group: group.clone(),
            since: at(changed_at),
            urgent: false,
            reason: "要人工".to_owned(),
            over: None,
        });
    }
    write.conversation.owner = owner;
    let mut entry = entry("", "changed");
    entry.at = at(changed_at);
    Commit {
        conversation: Some(write),
        audit: vec![entry],
        ..Commit::default()
    }
}

#[tokio::test]
async fn conversations_are_listed_newest_first_by_account_and_owner() {
    let temp = TempStore::new().await;
    let queue = |group: Option<&str>| Owner::Queue {
        group: group.map(str::to_owned),
    };
    let agent = |agent: &str| Owner::Agent {
        agent: agent.to_owned(),
    };
    for commit in [
        owned("a", "li", Owner::Bot, 1),
        owned("b", "li", queue(Some("售后")), 2),
        owned("a", "wang", agent("lan"), 3),
        owned("b", "he", queue(Some("售后")), 4),
        owned("b", "zhao", queue(None), 5),
        owned("a", "qian", agent("bei"), 6),
    ] {
        put(&temp.store, commit).await;
    }
    type Case = (
        Option<&'static str>,
        Option<&'static str>,
        u32,
        u32,
        &'static [&'static str],
    );
    let cases: [Case; 7] = [
        (
            None,
            None,
            9,
            0,
            &["a-qian", "b-zhao", "b-he", "a-wang", "b-li", "a-li"],
        ),
        (None, None, 2, 1, &["b-zhao", "b-he"]),
        (Some("a"), None, 9, 0, &["a-qian", "a-wang", "a-li"]),
        (None, Some("bot"), 9, 0, &["a-li"]),
        (None, Some("queue"), 2, 0, &["b-zhao", "b-he"]),
        (Some("a"), Some("agent"), 9, 0, &["a-qian", "a-wang"]),
        (Some("a"), Some("nobody"), 9, 0, &[]),
    ];
    for (account, owner, limit, offset, expected) in cases {
        let filter = ConversationFilter {
            account: account.map(str::to_owned),
            owner: owner.map(str::to_owned),
            limit,
            offset,
        };
        let found = temp.store.conversations(filter.clone()).await.unwrap();
        let ids: Vec<&str> = found.iter().map(|summary| summary.id.as_str()).collect();
        assert_eq!(ids, expected, "{filter:?}");
    }
    let lengths = temp.store.queue_lengths().await.unwrap();
    let length = |group: Option<&str>, waiting| QueueLength {
        account: "b".to_owned(),
        group: group.map(str::to_owned),
        waiting,
    };
    assert_eq!(lengths, [length(None, 1), length(Some("售后"), 2)]);
}

#[tokio::test]
async fn conversations_are_due_when_their_time_has_come_soonest_first() {
    let temp = TempStore::new().await;
    for (customer, wake_at) in [
        ("late", Some(30)),
        ("soon", Some(10)),
        ("never", None),
        ("now", Some(20)),
    ] {
        let mut write = write(customer, 0);
        write.wake_at = wake_at.map(at);
        put(
            &temp.store,
            Commit {
                conversation: Some(write),
                ..Commit::default()
            },
        )
        .await;
    }
    let due = async |seconds, limit| -> Vec<String> {
        let due = temp
            .store
            .due_conversations(at(seconds), limit)
            .await
            .unwrap();
        due.into_iter()
            .map(|stored| stored.conversation.customer)
            .collect()
    };
    assert_eq!(due(9, 9).await, Vec::<String>::new());
    assert_eq!(due(20, 9).await, ["soon", "now"]);
    assert_eq!(due(40, 1).await, ["soon"]);
    put(
        &temp.store,
        Commit {
            conversation: Some(write("soon", 1)),
            ..Commit::default()
        },
    )
    .await;
    assert_eq!(due(40, 9).await, ["now", "late"]);
}

#[tokio::test]
async fn a_transcript_holds_both_sides_in_order_of_time() {
    let temp = TempStore::new().await;
    let mut commit = turn("li", "k1", 0);
    commit.outbox.push(OutboxRow {
        position: 1,
        message: "second".to_owned(),
        ..outbox("o2", "li", OutboxState::Held)
    });
    commit.outbox[0].message = "first".to_owned();
    commit.outbox.reverse();
    put(&temp.store, commit).await;
    let mut later = turn("li", "k2", 1);
    later.inbound.as_mut().unwrap().inbound.received_at = at(5);
    later.outbox.clear();
    put(&temp.store, later).await;
    let lines = temp.store.transcript("c-li").await.unwrap();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (line.speaker.as_str(), line.state))
        .collect();
    assert_eq!(
        seen,
        [
            ("customer", None),
            ("bot", Some(OutboxState::Queued)),
            ("bot", Some(OutboxState::Held)),
            ("customer", None)
        ]
    );
    assert_eq!(
        (lines[1].body.as_str(), lines[2].body.as_str()),
        ("first", "second")
    );
    assert_eq!(temp.store.transcript("c-nobody").await, Ok(vec![]));
}

#[tokio::test]
async fn a_package_is_published_with_its_audit_row_or_not_at_all() {
    let temp = TempStore::new().await;
    let publication = |version: &str, seconds| Publication {
        account: ACCOUNT.to_owned(),
        version: version.to_owned(),
        at: at(seconds),
        by: "startup".to_owned(),
        source: "folder".to_owned(),
    };
    let publish = async |version: &str, seconds| {
        let entry = entry("", &format!("publish {version}"));
        temp.store
            .publish(publication(version, seconds), entry)
            .await
    };
    assert_eq!(
        publish("v1", 1).await,
        Err(StoreError::UnknownPackage("v1".to_owned()))
    );
    for version in ["v1", "v2", "v1"] {
        let package = PackageRow {
            version: version.to_owned(),
            files: version.as_bytes().to_vec(),
            kept_at: at(0),
        };
        temp.store.keep_package(package.clone()).await.unwrap();
        assert_eq!(temp.store.package(version).await, Ok(Some(package)));
    }
    assert_eq!(temp.store.package("v3").await, Ok(None));
    for (version, seconds) in [("v1", 1), ("v2", 2), ("v1", 3)] {
        publish(version, seconds).await.unwrap();
    }
    let newest = temp.store.publications(ACCOUNT, 2).await.unwrap();
    assert_eq!(newest, [publication("v1", 3), publication("v2", 2)]);
    assert_eq!(
        audit_bodies(&temp.store).await,
        ["publish v1", "publish v2", "publish v1"]
    );
}

#[tokio::test]
async fn audit_rows_are_read_in_pages_of_all_or_of_one_conversation() {
    let temp = TempStore::new().await;
    for n in 0..6 {
        let audit = vec![entry(["c-1", "c-2", ""][n % 3], &n.to_string())];
        put(
            &temp.store,
            Commit {
                audit,
                ..Commit::default()
            },
        )
        .await;
    }
    let seqs = async |conversation, after, limit| -> Vec<i64> {
        let rows = temp.store.audit(conversation, after, limit).await.unwrap();
        rows.iter().map(|row| row.seq).collect()
    };
    assert_eq!(seqs(None, 0, 4).await, [1, 2, 3, 4]);
    assert_eq!(seqs(None, 4, 4).await, [5, 6]);
    assert_eq!(seqs(Some("c-2"), 0, 9).await, [2, 5]);
    assert_eq!(seqs(Some("c-2"), 2, 9).await, [5]);
    assert_eq!(seqs(Some(""), 0, 9).await, Vec::<i64>::new());
}
