use futures::future::join_all;

use super::samples::*;
use crate::store::*;

#[tokio::test]
async fn a_turn_is_stored_and_survives_a_restart() {
    let temp = TempStore::new().await;
    let commit = turn("li", "k1", 0);
    assert_eq!(
        temp.store.commit(commit.clone()).await,
        Ok(Committed::Done { revision: 1 })
    );
    let temp = temp.restarted().await;
    let stored = temp
        .store
        .conversation(ACCOUNT, "li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.revision, 1);
    assert_eq!(
        stored.conversation,
        commit.conversation.unwrap().conversation
    );
    let by_id = temp.store.conversation_by_id("c-li").await.unwrap();
    assert_eq!(by_id, Some(stored));
    let inbound = temp.store.inbound(ACCOUNT, "k1").await.unwrap().unwrap();
    assert_eq!(inbound.inbound, commit.inbound.unwrap().inbound);
    assert_eq!(temp.store.due_outbox(at(10), 9).await, Ok(commit.outbox));
    assert_eq!(audit_bodies(&temp.store).await, ["k1"]);
}

#[tokio::test]
async fn a_known_callback_writes_nothing_and_brings_its_reply() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("li", "k1", 0)).await.unwrap();
    let temp = temp.restarted().await;
    for read_revision in [0, 1] {
        let Ok(Committed::Duplicate(stored)) =
            temp.store.commit(turn("li", "k1", read_revision)).await
        else {
            panic!("written twice");
        };
        assert_eq!(stored.reply.as_deref(), Some("您好"));
    }
    assert_eq!(audit_bodies(&temp.store).await, ["k1"]);
    let stored = temp
        .store
        .conversation(ACCOUNT, "li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(stored.revision, 1);
}

#[tokio::test]
async fn a_commit_on_an_old_revision_conflicts_and_writes_nothing() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("li", "k1", 0)).await.unwrap();
    for wrong in [0, 2] {
        assert_eq!(
            temp.store.commit(turn("li", "k2", wrong)).await,
            Ok(Committed::Conflict)
        );
    }
    assert_eq!(temp.store.inbound(ACCOUNT, "k2").await, Ok(None));
    assert_eq!(audit_bodies(&temp.store).await, ["k1"]);
}

#[tokio::test]
async fn commits_of_one_batch_are_judged_in_order_and_do_not_harm_each_other() {
    let temp = TempStore::new().await;
    temp.store.commit(turn("old", "known", 0)).await.unwrap();
    let mut broken = turn("he", "k7", 0);
    broken.outbox[0].id = "o-known".to_owned();
    let commits = vec![
        turn("li", "k1", 0),
        turn("li", "k1", 1),      // the same callback again
        turn("li", "k2", 0),      // too late
        turn("li", "k3", 1),      // goes on from the first
        turn("wang", "known", 0), // known from before
        turn("wang", "k2", 0),    // its key was not used up by the conflict
        broken,                   // breaks a rule of the schema
        turn("zhao", "k8", 0),
    ];
    let answers = join_all(commits.into_iter().map(|commit| temp.store.commit(commit))).await;
    let words: Vec<&str> = answers
        .iter()
        .map(|answer| match answer {
            Ok(Committed::Done { .. }) => "done",
            Ok(Committed::Duplicate(_)) => "duplicate",
            Ok(Committed::Conflict) => "conflict",
            Err(_) => "error",
        })
        .collect();
    assert_eq!(
        words,
        [
            "done",
            "duplicate",
            "conflict",
            "done",
            "duplicate",
            "done",
            "error",
            "done"
        ]
    );
    assert_eq!(
        audit_bodies(&temp.store).await,
        ["known", "k1", "k3", "k2", "k8"]
    );
    assert_eq!(temp.store.conversation(ACCOUNT, "he").await, Ok(None));
    let li = temp
        .store
        .conversation(ACCOUNT, "li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(li.revision, 2);
}

#[tokio::test]
async fn a_customers_next_conversation_leaves_the_former_as_it_was() {
    let temp = TempStore::new().await;
    let next = |read_revision| {
        let mut commit = turn("li", &format!("k{read_revision}"), read_revision);
        commit.conversation.as_mut().unwrap().conversation.id = "c-li-2".to_owned();
        commit
    };
    let commits = [turn("li", "k0", 0), next(1), next(2)];
    let answers = join_all(commits.map(|commit| temp.store.commit(commit))).await;
    assert_eq!(answers.last(), Some(&Ok(Committed::Done { revision: 3 })));
    let temp = temp.restarted().await;
    let now = temp
        .store
        .conversation(ACCOUNT, "li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((now.conversation.id.as_str(), now.revision), ("c-li-2", 3));
    let former = temp
        .store
        .conversation_by_id("c-li")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(former.conversation.turns, 1);
}

#[tokio::test]
async fn a_fragment_is_pending_until_a_later_turn_decides_it_once() {
    let temp = TempStore::new().await;
    let mut fragment = inbound("li", "k1");
    fragment.done = false;
    fragment.reply = None;
    let keep = Commit {
        inbound: Some(fragment.clone()),
        ..Commit::default()
    };
    temp.store.commit(keep).await.unwrap();
    assert_eq!(
        temp.store.pending_inbound().await,
        Ok(vec![fragment.inbound])
    );
    let finish = |reply: &str| Commit {
        finish_inbound: vec![FinishInbound {
            account: ACCOUNT.to_owned(),
            dedupe_key: "k1".to_owned(),
            reply: Some(reply.to_owned()),
        }],
        ..Commit::default()
    };
    join_all(["first", "second"].map(|reply| temp.store.commit(finish(reply)))).await;
    temp.store.commit(finish("third")).await.unwrap();
    let stored = temp.store.inbound(ACCOUNT, "k1").await.unwrap().unwrap();
    assert_eq!(
        (stored.done, stored.reply.as_deref()),
        (true, Some("first"))
    );
    assert_eq!(temp.store.pending_inbound().await, Ok(vec![]));
}

#[tokio::test]
async fn nothing_is_taken_after_closing_and_all_before_is_written() {
    let temp = TempStore::new().await;
    let commits = (0..200).map(|n| {
        temp.store
            .commit(turn(&format!("c{n}"), &format!("k{n}"), 0))
    });
    let (answers, ()) = tokio::join!(join_all(commits), temp.store.close());
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(
        temp.store.commit(turn("li", "late", 0)).await,
        Err(StoreError::Closed)
    );
    let again = SqliteStore::open(&temp.path(), SqliteOptions::default())
        .await
        .unwrap();
    assert_eq!(audit_bodies(&again).await.len(), 200);
}
