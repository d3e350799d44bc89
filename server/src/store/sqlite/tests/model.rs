//! The store does what a plain model of it does, whatever shares a batch, whatever the cache holds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::join_all;
use proptest::prelude::*;

use super::samples::*;
use crate::audit::verify_store;
use crate::store::*;

#[derive(Debug, Clone)]
struct Step {
    customer: u8,
    key: Option<u8>,
    done: bool,
    /// Added to the true revision.
    off_by: i64,
    next_conversation: bool,
    writes_conversation: bool,
    finish: Option<u8>,
    update: Option<(u8, OutboxState)>,
}

fn step() -> impl Strategy<Value = Step> {
    let state = prop_oneof![
        Just(OutboxState::Sending),
        Just(OutboxState::Sent),
        Just(OutboxState::Held)
    ];
    (
        0..4u8,
        proptest::option::weighted(0.8, 0..20u8),
        any::<bool>(),
        prop_oneof![8 => Just(0), 1 => Just(1), 1 => Just(-1)],
        proptest::bool::weighted(0.1),
        proptest::bool::weighted(0.9),
        proptest::option::weighted(0.3, 0..20u8),
        proptest::option::weighted(0.3, (0..30u8, state)),
    )
        .prop_map(
            |(
                customer,
                key,
                done,
                off_by,
                next_conversation,
                writes_conversation,
                finish,
                update,
            )| Step {
                customer,
                key,
                done,
                off_by,
                next_conversation,
                writes_conversation,
                finish,
                update,
            },
        )
}

#[derive(Default)]
struct Model {
    steps: u32,
    current: BTreeMap<String, StoredConversation>,
    all: BTreeMap<String, StoredConversation>,
    inbound: BTreeMap<String, StoredInbound>,
    outbox: BTreeMap<String, OutboxRow>,
    audit: Vec<String>,
}

impl Model {
    /// The commit of a step, made with what is known now.
    fn commit(&mut self, step: &Step) -> Commit {
        self.steps += 1;
        let n = self.steps;
        let customer = format!("u{}", step.customer);
        let now = self.current.get(&customer);
        let revision = now.map_or(0, |now| now.revision);
        let conversation = step.writes_conversation.then(|| {
            let mut conversation = conversation(&customer, n);
            if step.next_conversation {
                conversation.id = format!("c-{customer}-{n}");
            } else if let Some(now) = now {
                conversation.id.clone_from(&now.conversation.id);
            }
            ConversationWrite {
                conversation,
                read_revision: (revision + step.off_by).max(0),
                wake_at: None,
            }
        });
        Commit {
            inbound: step.key.map(|key| {
                let mut new = inbound(&customer, &format!("k{key}"));
                new.done = step.done;
                new.reply = step.done.then(|| format!("reply {n}"));
                new
            }),
            // Only what exists can be finished or updated: callers know of it by an acknowledgement.
            finish_inbound: step
                .finish
                .filter(|key| self.inbound.contains_key(&format!("k{key}")))
                .map(|key| FinishInbound {
                    account: ACCOUNT.to_owned(),
                    dedupe_key: format!("k{key}"),
                    reply: Some(format!("finished {n}")),
                })
                .into_iter()
                .collect(),
            conversation,
            outbox: vec![outbox(&format!("o{n}"), &customer, OutboxState::Queued)],
            outbox_updates: step
                .update
                .filter(|(id, _)| self.outbox.contains_key(&format!("o{id}")))
                .map(|(id, state)| OutboxUpdate {
                    id: format!("o{id}"),
                    state,
                    attempts: n,
                    due_at: at(i64::from(n)),
                    last_error: Some(format!("error {n}")),
                })
                .into_iter()
                .collect(),
            audit: vec![entry("c", &format!("step {n}"))],
        }
    }

    fn apply(&mut self, commit: &Commit) -> Committed {
        if let Some(new) = &commit.inbound
            && let Some(known) = self.inbound.get(&new.inbound.dedupe_key)
        {
            return Committed::Duplicate(Box::new(known.clone()));
        }
        let mut revision = 0;
        if let Some(write) = &commit.conversation {
            let customer = &write.conversation.customer;
            let now = self.current.get(customer).map_or(0, |now| now.revision);
            if now != write.read_revision {
                return Committed::Conflict;
            }
            revision = now + 1;
            let stored = StoredConversation {
                conversation: write.conversation.clone(),
                revision,
            };
            self.all
                .insert(stored.conversation.id.clone(), stored.clone());
            self.current.insert(customer.clone(), stored);
        }
        if let Some(new) = &commit.inbound {
            let stored = StoredInbound {
                inbound: new.inbound.clone(),
                done: new.done,
                reply: new.reply.clone(),
            };
            self.inbound.insert(new.inbound.dedupe_key.clone(), stored);
        }
        for finish in &commit.finish_inbound {
            if let Some(stored) = self.inbound.get_mut(&finish.dedupe_key)
                && !stored.done
            {
                stored.done = true;
                stored.reply.clone_from(&finish.reply);
            }
        }
        for row in &commit.outbox {
            self.outbox.insert(row.id.clone(), row.clone());
        }
        for update in &commit.outbox_updates {
            if let Some(row) = self.outbox.get_mut(&update.id) {
                row.state = update.state;
                row.attempts = update.attempts;
                row.due_at = update.due_at;
                row.last_error.clone_from(&update.last_error);
            }
        }
        self.audit
            .extend(commit.audit.iter().map(|entry| entry.body.clone()));
        Committed::Done { revision }
    }

    async fn assert_current(&self, store: &SqliteStore) {
        for customer in (0..4).map(|n| format!("u{n}")) {
            let stored = store.conversation(ACCOUNT, &customer).await.unwrap();
            assert_eq!(stored.as_ref(), self.current.get(&customer));
        }
    }

    async fn assert_same(&self, store: &SqliteStore) {
        self.assert_current(store).await;
        for (id, stored) in &self.all {
            let found = store.conversation_by_id(id).await.unwrap();
            assert_eq!(found.as_ref(), Some(stored));
        }
        for key in (0..20).map(|n| format!("k{n}")) {
            let stored = store.inbound(ACCOUNT, &key).await.unwrap();
            assert_eq!(stored.as_ref(), self.inbound.get(&key), "{key}");
        }
        let in_state = |state| {
            let rows = self.outbox.values().filter(move |row| row.state == state);
            rows.map(|row| (row.id.clone(), row.clone()))
                .collect::<BTreeMap<_, _>>()
        };
        let by_id = |rows: Vec<OutboxRow>| -> BTreeMap<_, _> {
            rows.into_iter().map(|row| (row.id.clone(), row)).collect()
        };
        let due = store.due_outbox(at(1_000_000), 10_000).await.unwrap();
        assert_eq!(by_id(due), in_state(OutboxState::Queued));
        let sending = store.sending_outbox().await.unwrap();
        assert_eq!(by_id(sending), in_state(OutboxState::Sending));
        let mut held = BTreeMap::new();
        for customer in (0..4).map(|n| format!("u{n}")) {
            held.extend(by_id(store.held_outbox(ACCOUNT, &customer).await.unwrap()));
        }
        assert_eq!(held, in_state(OutboxState::Held));
        assert_eq!(audit_bodies(store).await, self.audit);
        verify_store(store, &store.head_file()).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_store_answers_and_keeps_what_the_model_does(
        groups in prop::collection::vec(prop::collection::vec(step(), 1..8), 1..10),
        cache_bytes in prop_oneof![Just(0u64), Just(1_500), Just(1 << 20)],
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let options = SqliteOptions { cache_bytes, readers: 1 };
            let temp = TempStore::with(options).await;
            let mut model = Model::default();
            for group in groups {
                let mut commits = Vec::new();
                let mut expected = Vec::new();
                for step in &group {
                    let commit = model.commit(step);
                    expected.push(Ok(model.apply(&commit)));
                    commits.push(commit);
                }
                // Polled in order, so they reach the writer in order.
                let answers = join_all(commits.into_iter().map(|commit| temp.store.commit(commit))).await;
                assert_eq!(answers, expected);
                model.assert_current(&temp.store).await;
            }
            model.assert_same(&temp.store).await;
            let temp = temp.restarted().await;
            model.assert_same(&temp.store).await;
        });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_reader_never_sees_less_than_was_acknowledged_and_no_increment_is_lost() {
    let options = SqliteOptions {
        cache_bytes: 2_000,
        readers: 2,
    };
    let temp = TempStore::with(options).await;
    let store = Arc::new(temp.store);
    let acknowledged: Arc<Vec<AtomicI64>> = Arc::new((0..6).map(|_| AtomicI64::new(0)).collect());
    let tasks = (0..12).map(|task| {
        let (store, acknowledged) = (Arc::clone(&store), Arc::clone(&acknowledged));
        tokio::spawn(async move {
            for round in 0..60_usize {
                let customer = (task + round) % acknowledged.len();
                let name = format!("u{customer}");
                loop {
                    let least = acknowledged[customer].load(Ordering::SeqCst);
                    let read = store.conversation(ACCOUNT, &name).await.unwrap();
                    let revision = read.as_ref().map_or(0, |read| read.revision);
                    assert!(revision >= least, "{revision} read after {least}");
                    assert_eq!(
                        i64::from(read.map_or(0, |read| read.conversation.turns)),
                        revision
                    );
                    let commit = Commit {
                        conversation: Some(write(&name, revision)),
                        ..Commit::default()
                    };
                    if let Committed::Done { revision } = store.commit(commit).await.unwrap() {
                        acknowledged[customer].fetch_max(revision, Ordering::SeqCst);
                        break;
                    }
                }
            }
        })
    });
    for task in join_all(tasks).await {
        task.unwrap();
    }
    let total: i64 = acknowledged
        .iter()
        .map(|count| count.load(Ordering::SeqCst))
        .sum();
    assert_eq!(total, 12 * 60);
}
