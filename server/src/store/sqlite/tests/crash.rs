//! kill -9 at any moment: what was acknowledged is there, once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::samples::*;
use crate::audit::{HeadFile, verify_store};
use crate::store::*;

const ROUNDS: usize = 20;

/// Names the database to the process that will be killed.
const CHILD: &str = "YINGDA_TEST_CRASH_DATABASE";

/// This test runs itself in a second process, which commits until it is killed.
#[test]
fn what_was_acknowledged_survives_a_kill_exactly_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if let Some(data) = std::env::var_os(CHILD) {
        runtime.block_on(commit_for_ever(Path::new(&data)));
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("yingda.db");
    let mut acknowledged = Vec::new();
    for round in 0..ROUNDS {
        let heard = run_and_kill(&data, 1 + rand::random_range(0..300));
        assert!(!heard.is_empty(), "round {round} acknowledged nothing");
        acknowledged.extend(heard);
        runtime.block_on(check(&data, &acknowledged));
    }
}

/// Kill the child once it has acknowledged so many commits; all that it acknowledged until it died.
fn run_and_kill(data: &Path, after: usize) -> Vec<String> {
    let this_test = std::thread::current().name().unwrap().to_owned();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &this_test, "--nocapture"])
        .env(CHILD, data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = Vec::new();
    for line in lines.map_while(Result::ok) {
        // The test harness speaks as well.
        if let Some(key) = line.strip_prefix("acknowledged ") {
            heard.push(key.to_owned());
            if heard.len() == after {
                child.kill().unwrap();
            }
        }
    }
    child.wait().unwrap();
    heard
}

async fn commit_for_ever(data: &Path) {
    let store = SqliteStore::open(data, SqliteOptions::default())
        .await
        .unwrap();
    let store = Arc::new(store);
    let callers = (0..16).map(|caller| commit_as(Arc::clone(&store), format!("u{caller}")));
    futures::future::join_all(callers).await;
}

async fn commit_as(store: Arc<SqliteStore>, customer: String) {
    loop {
        let read = store.conversation(ACCOUNT, &customer).await.unwrap();
        let revision = read.map_or(0, |read| read.revision);
        let key = format!("{customer}-{revision}");
        let committed = store.commit(turn(&customer, &key, revision)).await.unwrap();
        assert!(matches!(committed, Committed::Done { .. }));
        // One write a line, and nothing stays in a buffer. The test harness may have begun a line.
        let line = format!("\nacknowledged {key}\n");
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

async fn check(data: &Path, acknowledged: &[String]) {
    let store = SqliteStore::open_read_only(data).await.unwrap();
    let verified = verify_store(&store, &HeadFile::beside(data)).await.unwrap();
    assert_eq!(verified.head_problems, Vec::<i64>::new());
    let mut bodies = Vec::new();
    let mut after = 0;
    loop {
        let page = store.audit(None, after, 10_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.seq;
        bodies.extend(page.into_iter().filter_map(|row| row.body));
    }
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for body in &bodies {
        *counts.entry(body).or_default() += 1;
    }
    for key in acknowledged {
        assert_eq!(counts.get(key.as_str()), Some(&1), "audit row of {key}");
        let inbound = store.inbound(ACCOUNT, key).await.unwrap();
        assert!(
            inbound.is_some_and(|inbound| inbound.done),
            "callback {key}"
        );
    }
    // A turn is there as a whole: the conversation counts its turns.
    for caller in 0..16 {
        let customer = format!("u{caller}");
        let turns = bodies
            .iter()
            .filter(|body| body.starts_with(&format!("{customer}-")))
            .count();
        let stored = store.conversation(ACCOUNT, &customer).await.unwrap();
        let stored = stored.map_or(0, |stored| stored.conversation.turns);
        assert_eq!(usize::try_from(stored).unwrap(), turns, "{customer}");
    }
    store.close().await;
}
