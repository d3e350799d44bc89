use super::samples::*;
use crate::audit::{AuditFault, Part, verify_store};
use crate::store::*;

#[tokio::test]
async fn an_erased_customer_leaves_tombstones_and_a_chain_that_verifies() {
    let temp = TempStore::new().await;
    let secret = |customer: &str, key: &str, revision| {
        let mut commit = turn(customer, key, revision);
        commit.inbound.as_mut().unwrap().inbound.event = "电话 13800138000".to_owned();
        commit.inbound.as_mut().unwrap().reply = Some("13800138000".to_owned());
        commit.outbox[0].message = "13800138000".to_owned();
        commit.audit[0].sealed = Some("13800138000".to_owned());
        let write = commit.conversation.as_mut().unwrap();
        write.conversation.tags.insert("13800138000".to_owned());
        write.wake_at = Some(at(1));
        commit
    };
    let mut next = secret("li", "k2", 1);
    next.conversation.as_mut().unwrap().conversation.id = "c-li-2".to_owned();
    for commit in [secret("li", "k1", 0), next, turn("wang", "k3", 0)] {
        temp.store.commit(commit).await.unwrap();
    }
    let erase = async |customer: &str| {
        let body = r#"{"by":"auditor"}"#.to_owned();
        temp.store
            .erase_customer(ACCOUNT, customer, at(9), body)
            .await
    };
    assert_eq!(erase("li").await, Ok(2));
    assert_eq!(erase("nobody").await, Ok(0));

    let li = temp
        .store
        .conversation(ACCOUNT, "li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((li.conversation.id.as_str(), li.revision), ("c-li-2", 3));
    assert!(li.conversation.closed && li.conversation.tags.is_empty());
    assert_eq!(temp.store.due_conversations(at(9), 9).await, Ok(vec![]));
    let due = temp.store.due_outbox(at(99), 9).await.unwrap();
    assert_eq!(due.len(), 1, "only wang's");
    // A turn that was decided before the erasure does not bring the state back.
    assert_eq!(
        temp.store.commit(secret("li", "k4", 2)).await,
        Ok(Committed::Conflict)
    );

    let rows = temp.store.audit(None, 0, 99).await.unwrap();
    let kinds: Vec<_> = rows
        .iter()
        .map(|row| (row.kind.as_str(), row.body.is_some()))
        .collect();
    let erased = ("turn", false);
    assert_eq!(
        kinds,
        [
            erased,
            erased,
            ("turn", true),
            ("erase", true),
            ("erase", true)
        ]
    );
    let verified = verify_store(&temp.store, &temp.store.head_file())
        .await
        .unwrap();
    assert_eq!((verified.rows, verified.erased), (5, 2));

    let path = temp.path();
    let (folder, store) = (temp.folder, temp.store);
    store.close().await;
    let file = std::fs::read(&path).unwrap();
    let secret_left = file.windows(11).any(|bytes| bytes == b"13800138000");
    assert!(!secret_left, "the file still holds what was erased");
    drop(folder);
}

#[tokio::test]
async fn an_erasure_of_one_conversation_does_not_excuse_another() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("li", "k1", 0)).await.unwrap();
    temp.store.commit(turn("wang", "k2", 0)).await.unwrap();
    temp.store
        .execute("UPDATE audit SET sealed = NULL WHERE seq = 2")
        .await
        .unwrap();
    temp.store
        .erase_customer(ACCOUNT, "li", at(9), "{}".to_owned())
        .await
        .unwrap();
    let found = verify_store(&temp.store, &temp.store.head_file()).await;
    assert_eq!(
        found,
        Err(AuditFault::Erased {
            seq: 2,
            part: Part::Sealed
        })
    );
}
