//! The access token: fetched once for all who ask at the same time, renewed before it ends, and renewed once when
//! the platform says it is no longer good, however many calls are told so.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::error::SendError;

/// Renewed this long before the end; the platform hands out the next token in its last five minutes.
const MARGIN: Duration = Duration::from_secs(300);
/// Forced renewals are limited to one in this time (and 20 a day).
const BETWEEN_FORCED: Duration = Duration::from_secs(30);

/// Whether the platform is asked to replace a token that it believes good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    Stable,
    Forced,
}

/// What the platform gave.
pub(super) struct Issued {
    pub(super) token: String,
    /// Seconds from now.
    pub(super) expires_in: u64,
}

#[derive(Clone)]
struct Cached {
    token: Arc<str>,
    renew_at: Instant,
    expires_at: Instant,
}

/// What only the one who refreshes may touch.
#[derive(Default)]
struct Refreshes {
    forced_at: Option<Instant>,
    /// The last failure, for those who were already waiting when it came.
    failure: Option<(Instant, SendError)>,
}

#[derive(Default)]
pub(super) struct TokenKeeper {
    cached: RwLock<Option<Cached>>,
    refreshes: Mutex<Refreshes>,
}

impl TokenKeeper {
    /// A token that should be good; fetched where there is none or it is about to end.
    pub(super) async fn current<F, R>(&self, fetch: F) -> Result<Arc<str>, SendError>
    where
        F: Fn(Renewal) -> R,
        R: Future<Output = Result<Issued, SendError>>,
    {
        if let Some(cached) = self.fresh() {
            return Ok(cached);
        }
        let asked = Instant::now();
        let mut refreshes = self.refreshes.lock().await;
        if let Some(cached) = self.fresh() {
            return Ok(cached);
        }
        let fetched = self
            .fetch(&mut refreshes, asked, Renewal::Stable, &fetch)
            .await;
        // Between renewal and end the old one still serves.
        fetched.or_else(|error| self.unexpired().ok_or(error))
    }

    /// A token other than `refused`: the one somebody has fetched meanwhile, else a new one.
    pub(super) async fn renewed<F, R>(&self, refused: &str, fetch: F) -> Result<Arc<str>, SendError>
    where
        F: Fn(Renewal) -> R,
        R: Future<Output = Result<Issued, SendError>>,
    {
        let asked = Instant::now();
        let mut refreshes = self.refreshes.lock().await;
        let cached = self
            .cached
            .read()
            .as_ref()
            .map(|cached| cached.token.clone());
        if let Some(newer) = cached.filter(|token| token.as_ref() != refused) {
            return Ok(newer);
        }
        let token = self
            .fetch(&mut refreshes, asked, Renewal::Stable, &fetch)
            .await?;
        let may_force = refreshes
            .forced_at
            .is_none_or(|at| at.elapsed() >= BETWEEN_FORCED);
        if token.as_ref() != refused || !may_force {
            return Ok(token);
        }
        // The platform hands out the very token that it refuses.
        refreshes.forced_at = Some(Instant::now());
        self.fetch(&mut refreshes, asked, Renewal::Forced, &fetch)
            .await
    }

    async fn fetch<F, R>(
        &self,
        refreshes: &mut Refreshes,
        asked: Instant,
        renewal: Renewal,
        fetch: &F,
    ) -> Result<Arc<str>, SendError>
    where
        F: Fn(Renewal) -> R,
        R: Future<Output = Result<Issued, SendError>>,
    {
        if let Some((_, failure)) = refreshes.failure.as_ref().filter(|(at, _)| *at > asked) {
            return Err(failure.clone());
        }
        let now = Instant::now();
        match fetch(renewal).await {
            Ok(issued) => {
                let life = Duration::from_secs(issued.expires_in.min(7200));
                let token: Arc<str> = issued.token.into();
                *self.cached.write() = Some(Cached {
                    token: token.clone(),
                    renew_at: now + (life - MARGIN.min(life / 2)),
                    expires_at: now + life,
                });
                refreshes.failure = None;
                Ok(token)
            }
            Err(error) => {
                refreshes.failure = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    fn fresh(&self) -> Option<Arc<str>> {
        let cached = self.cached.read();
        let cached = cached
            .as_ref()
            .filter(|cached| Instant::now() < cached.renew_at)?;
        Some(cached.token.clone())
    }

    fn unexpired(&self) -> Option<Arc<str>> {
        let cached = self.cached.read();
        let cached = cached
            .as_ref()
            .filter(|cached| Instant::now() < cached.expires_at)?;
        Some(cached.token.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A platform that counts, and whose tokens are numbered.
    #[derive(Default)]
    struct Source {
        fetches: AtomicU64,
        forced: AtomicU64,
        /// Number of the token it hands out without being forced.
        number: AtomicU64,
    }

    impl Source {
        async fn fetch(&self, renewal: Renewal) -> Result<Issued, SendError> {
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.fetches.fetch_add(1, Ordering::SeqCst);
            if renewal == Renewal::Forced {
                self.forced.fetch_add(1, Ordering::SeqCst);
                self.number.fetch_add(1, Ordering::SeqCst);
            }
            Ok(Issued {
                token: format!("T{}", self.number.load(Ordering::SeqCst)),
                expires_in: 7200,
            })
        }

        fn fetches(&self) -> u64 {
            self.fetches.load(Ordering::SeqCst)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_who_ask_at_once_share_one_fetch() {
        let (keeper, source) = (TokenKeeper::default(), Source::default());
        let all = (0..50).map(|_| keeper.current(|renewal| source.fetch(renewal)));
        for token in futures::future::join_all(all).await {
            assert_eq!(token.unwrap().as_ref(), "T0");
        }
        assert_eq!(source.fetches(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_renewed_five_minutes_before_its_end() {
        let (keeper, source) = (TokenKeeper::default(), Source::default());
        let ask = || keeper.current(|renewal| source.fetch(renewal));
        ask().await.unwrap();
        tokio::time::advance(Duration::from_secs(6899)).await;
        ask().await.unwrap();
        assert_eq!(source.fetches(), 1);
        tokio::time::advance(Duration::from_secs(2)).await;
        ask().await.unwrap();
        assert_eq!(source.fetches(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn fifty_who_are_refused_share_one_renewal() {
        let (keeper, source) = (TokenKeeper::default(), Source::default());
        let old = keeper
            .current(|renewal| source.fetch(renewal))
            .await
            .unwrap();
        source.number.store(7, Ordering::SeqCst);
        let all = (0..50).map(|_| keeper.renewed(&old, |renewal| source.fetch(renewal)));
        for token in futures::future::join_all(all).await {
            assert_eq!(token.unwrap().as_ref(), "T7");
        }
        assert_eq!(source.fetches(), 2);
        assert_eq!(source.forced.load(Ordering::SeqCst), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_that_comes_again_is_forced_out_once_in_thirty_seconds() {
        let (keeper, source) = (TokenKeeper::default(), Source::default());
        let renew = async |refused: &str| {
            let token = keeper
                .renewed(refused, |renewal| source.fetch(renewal))
                .await;
            token.unwrap().to_string()
        };
        keeper
            .current(|renewal| source.fetch(renewal))
            .await
            .unwrap();
        assert_eq!(renew("T0").await, "T1");
        assert_eq!(renew("T1").await, "T1", "too soon to force again");
        assert_eq!(source.forced.load(Ordering::SeqCst), 1);
        tokio::time::advance(BETWEEN_FORCED).await;
        assert_eq!(renew("T1").await, "T2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_by_those_who_waited_and_forgotten_after() {
        let keeper = TokenKeeper::default();
        let fetches = AtomicU64::new(0);
        let fail = async |_| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            fetches.fetch_add(1, Ordering::SeqCst);
            Err(SendError::Unreachable("refused".into()))
        };
        let all = (0..50).map(|_| keeper.current(fail));
        assert!(
            futures::future::join_all(all)
                .await
                .iter()
                .all(Result::is_err)
        );
        assert_eq!(fetches.load(Ordering::SeqCst), 1);
        let source = Source::default();
        let token = keeper.current(|renewal| source.fetch(renewal)).await;
        assert_eq!(token.unwrap().as_ref(), "T0");
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_not_yet_ended_serves_while_no_new_one_can_be_had() {
        let (keeper, source) = (TokenKeeper::default(), Source::default());
        let fail = async |_| Err(SendError::Unreachable("refused".into()));
        keeper
            .current(|renewal| source.fetch(renewal))
            .await
            .unwrap();
        tokio::time::advance(Duration::from_secs(7000)).await;
        assert_eq!(keeper.current(fail).await.unwrap().as_ref(), "T0");
        tokio::time::advance(Duration::from_secs(201)).await;
        assert!(keeper.current(fail).await.is_err());
    }
}
