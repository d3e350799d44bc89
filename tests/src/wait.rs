//! Waiting for a condition instead of for a time.

use std::time::{Duration, Instant};

/// How long a condition may take on a machine that is busy with other tests.
pub const PATIENCE: Duration = Duration::from_secs(30);
const STEP: Duration = Duration::from_millis(10);

/// Ask until there is an answer; after [`PATIENCE`] the test has failed.
#[allow(clippy::panic)] // Only tests wait.
pub async fn eventually<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        if begun.elapsed() > PATIENCE {
            panic!("waited {PATIENCE:?} in vain: {what}");
        }
        tokio::time::sleep(STEP).await;
    }
}

/// Ask until the answer is yes.
pub async fn until(what: &str, mut ask: impl FnMut() -> bool) {
    eventually(what, || {
        let yes = ask();
        async move { yes.then_some(()) }
    })
    .await;
}
