//! A fake WeChat platform: a real HTTP server on this machine that behaves like `api.weixin.qq.com`, and the
//! platform's hands that post callbacks to the server under test.
//!
//! ```no_run
//! # async fn example() {
//! use yingda_tests::platform::{Account, Platform};
//! let platform = Platform::start().await;
//! let account = platform.add_account(Account::verified("shop"));
//! platform.set_callback(&account, "http://127.0.0.1:8080/wechat/shop");
//! let delivery = platform.say(&account, "oUser1", "退货怎么办").await;
//! assert!(!delivery.text().is_empty());
//! # }
//! ```

mod account;
mod api;
mod clock;
mod delivery;
mod desk;
mod ledger;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use parking_lot::Mutex;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use yingda_server::wechat::api::{ApiSettings, install_crypto};
use yingda_server::wechat::platform::{Freshness, Push, url_check};

pub use account::{Account, Fault, Seen};
use account::{AccountState, Desk};
pub use clock::Clock;
pub use delivery::{Attempt, Delivery, Outcome, Patience, Retry};

/// What the HTTP server and the deliveries share.
struct Shared {
    clock: Clock,
    accounts: Mutex<BTreeMap<String, AccountState>>,
    http: Client,
    announcements: Mutex<Vec<JoinHandle<()>>>,
    next_msg_id: AtomicU64,
    /// Told whenever a customer may have seen something.
    changed: Notify,
}

/// A running platform; it stops when it is dropped. Accounts are named by their AppID, which
/// [`Platform::add_account`] returns.
pub struct Platform {
    shared: Arc<Shared>,
    base: String,
    server: JoinHandle<()>,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.server.abort();
    }
}

#[allow(clippy::expect_used)] // A test bench that cannot start has nothing better to do than say so.
impl Platform {
    /// Starts on a free port.
    pub async fn start() -> Self {
        install_crypto();
        let shared = Arc::new(Shared {
            clock: Clock::default(),
            accounts: Mutex::default(),
            http: Client::builder()
                .no_proxy()
                .tls_certs_only(std::iter::empty())
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("an HTTP client"),
            announcements: Mutex::default(),
            next_msg_id: AtomicU64::new(24_000_000_000_000_001),
            changed: Notify::new(),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = api::router(shared.clone());
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self {
            shared,
            base: format!("http://{address}"),
            server,
        }
    }

    /// For `api_base`.
    pub fn base(&self) -> &str {
        &self.base
    }

    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Registers an account and returns its AppID.
    pub fn add_account(&self, account: Account) -> String {
        let app_id = account.app_id.clone();
        let state = AccountState::new(account);
        self.shared.accounts.lock().insert(app_id.clone(), state);
        app_id
    }

    /// The settings of an account, for the configuration of the server under test.
    pub fn account(&self, app_id: &str) -> Account {
        self.shared.settings(app_id)
    }

    /// What a client of the API needs.
    pub fn api_settings(&self, app_id: &str) -> ApiSettings {
        let account = self.account(app_id);
        ApiSettings {
            base: self.base.clone(),
            app_id: account.app_id,
            app_secret: account.app_secret,
            timeout: Duration::from_secs(5),
        }
    }

    /// Changes an account's settings in the console.
    pub fn configure(&self, app_id: &str, change: impl FnOnce(&mut Account)) {
        self.shared
            .with_account(app_id, |account| change(&mut account.settings));
    }

    /// Where the account's callbacks go from now on.
    pub fn set_callback(&self, app_id: &str, url: &str) {
        self.configure(app_id, |account| account.callback_url = url.to_owned());
    }

    /// The console's check of the callback's URL: whether it echoes exactly.
    pub async fn check_url(&self, app_id: &str) -> bool {
        let account = self.account(app_id);
        let echo = rand::random::<u64>().to_string();
        let fresh = Freshness {
            timestamp: self.shared.clock.second(),
            nonce: rand::random::<u32>().to_string(),
            random: rand::random(),
        };
        let query = url_check(&account.callback_settings(), &fresh, &echo);
        let url = format!("{}?{query}", account.callback_url);
        match self.shared.http.get(url).send().await {
            Ok(response) => {
                response.status().as_u16() == 200
                    && response.text().await.is_ok_and(|body| body == echo)
            }
            Err(_) => false,
        }
    }
}

/// Customers: what they do, and what they see.
impl Platform {
    /// A text message of a customer, not sent yet.
    pub fn text(&self, app_id: &str, openid: &str, content: &str) -> Push {
        let id = self.shared.next_msg_id.fetch_add(1, Ordering::Relaxed);
        let account = self.account(app_id).original_id;
        Push::text(openid, &account, self.shared.clock.second(), id, content)
    }

    /// An event of a customer, not sent yet.
    pub fn event(&self, app_id: &str, openid: &str, event: &str, fields: &[(&str, &str)]) -> Push {
        let account = self.account(app_id).original_id;
        Push::event(openid, &account, self.shared.clock.second(), event, fields)
    }

    /// Sends a text as a customer does, with WeChat's own patience.
    pub async fn say(&self, app_id: &str, openid: &str, content: &str) -> Delivery {
        let push = self.text(app_id, openid, content);
        self.deliver(app_id, &push, Patience::default()).await
    }

    /// Posts a message or event until it is answered or given up.
    pub async fn deliver(&self, app_id: &str, push: &Push, patience: Patience) -> Delivery {
        self.shared.deliver(app_id, push, patience).await
    }

    /// Posts one message several times at once, as retries that overlap; the attempts in order of posting.
    pub async fn deliver_copies(
        &self,
        app_id: &str,
        push: &Push,
        copies: usize,
        wait: Duration,
    ) -> Vec<Attempt> {
        self.shared.deliver_copies(app_id, push, copies, wait).await
    }

    /// What a customer saw, in order.
    pub fn seen(&self, app_id: &str, openid: &str) -> Vec<Seen> {
        let timed = self.seen_at(app_id, openid);
        timed.into_iter().map(|(_, seen)| seen).collect()
    }

    /// What a customer saw, as soon as it is `count` things or more; after `limit` whatever it is.
    pub async fn wait_seen(
        &self,
        app_id: &str,
        openid: &str,
        count: usize,
        limit: Duration,
    ) -> Vec<Seen> {
        let enough = async {
            loop {
                let changed = self.shared.changed.notified();
                if self.seen(app_id, openid).len() >= count {
                    return;
                }
                changed.await;
            }
        };
        let _ = tokio::time::timeout(limit, enough).await;
        self.seen(app_id, openid)
    }

    /// What a customer saw, with the platform's time.
    pub fn seen_at(&self, app_id: &str, openid: &str) -> Vec<(Timestamp, Seen)> {
        self.shared.with_account(app_id, |account| {
            let customer = account.customers.get(openid);
            customer
                .map(|customer| customer.seen.clone())
                .unwrap_or_default()
        })
    }

    /// Typing notices of a customer: `Typing`, `CancelTyping`.
    pub fn typing(&self, app_id: &str, openid: &str) -> Vec<String> {
        self.shared.with_account(app_id, |account| {
            let customer = account.customers.get(openid);
            customer
                .map(|customer| customer.typing.clone())
                .unwrap_or_default()
        })
    }
}

/// The API from behind: what was asked of it, and what is to go wrong.
impl Platform {
    /// Requests for a token so far.
    pub fn token_fetches(&self, app_id: &str) -> u32 {
        self.shared
            .with_account(app_id, |account| account.token_fetches)
    }

    /// Calls with one of the account's tokens so far, whatever came of them.
    pub fn calls(&self, app_id: &str) -> u32 {
        self.shared.with_account(app_id, |account| account.calls)
    }

    /// Callbacks posted so far, each attempt counted.
    pub fn posts(&self, app_id: &str) -> u32 {
        self.shared.with_account(app_id, |account| account.posts)
    }

    /// The account's tokens are no longer good (40001), as if another server had forced a new one.
    pub fn revoke_token(&self, app_id: &str) {
        self.shared.with_account(app_id, AccountState::revoke_token);
    }

    /// The account's next `times` calls go wrong.
    pub fn fail_next(&self, app_id: &str, fault: Fault, times: usize) {
        self.shared.with_account(app_id, |account| {
            account.faults.extend(std::iter::repeat_n(fault, times));
        });
    }

    /// The account's next `times` requests for a token go wrong.
    pub fn fail_next_token(&self, app_id: &str, fault: Fault, times: usize) {
        self.shared.with_account(app_id, |account| {
            account
                .token_faults
                .extend(std::iter::repeat_n(fault, times));
        });
    }

    /// A media id that is refused from now on (40007).
    pub fn expire_media(&self, app_id: &str, media_id: &str) {
        self.shared.with_account(app_id, |account| {
            account.expired_media.insert(media_id.to_owned());
        });
    }

    /// A file that a customer sent, to be downloaded.
    pub fn keep_media(&self, app_id: &str, media_id: &str, content_type: &str, bytes: &[u8]) {
        self.shared.with_account(app_id, |account| {
            let media = (content_type.to_owned(), bytes.to_vec());
            account.media.insert(media_id.to_owned(), media);
        });
    }
}

/// Agents in the platform's own client.
impl Platform {
    pub fn sign_in(&self, app_id: &str, agent: &str) {
        self.shared.with_account(app_id, |account| {
            account.online.insert(agent.to_owned());
        });
    }

    pub fn sign_out(&self, app_id: &str, agent: &str) {
        self.shared.with_account(app_id, |account| {
            account.online.remove(agent);
        });
    }

    /// Customers handed over and not yet taken, longest wait first.
    pub fn waiting(&self, app_id: &str) -> Vec<String> {
        self.shared.with_account(app_id, |account| {
            let mut waiting: Vec<(i64, String)> = account
                .customers
                .iter()
                .filter_map(|(openid, customer)| match customer.desk {
                    Desk::Waiting { since, .. } => Some((since, openid.clone())),
                    Desk::Nobody | Desk::With { .. } => None,
                })
                .collect();
            waiting.sort();
            waiting.into_iter().map(|(_, openid)| openid).collect()
        })
    }

    /// An agent takes a customer; the server is told by kf_create_session. `None` where that cannot be.
    pub async fn take(&self, app_id: &str, openid: &str, agent: &str) -> Option<Delivery> {
        let now = self.shared.clock.second();
        let change = self
            .shared
            .with_account(app_id, |account| account.open_session(openid, agent, now));
        Some(self.shared.tell(app_id, openid, &change.ok()??).await)
    }

    /// An agent writes to the customer they serve; false where nobody serves them.
    pub fn agent_says(&self, app_id: &str, openid: &str, text: &str) -> bool {
        let now = self.shared.clock.now();
        let said = self
            .shared
            .with_account(app_id, |account| account.agent_says(openid, text, now));
        self.shared.changed.notify_waiters();
        said
    }

    /// The customer goes to another agent; the server is told by kf_switch_session.
    pub async fn hand_on(&self, app_id: &str, openid: &str, to: &str) -> Option<Delivery> {
        let now = self.shared.clock.second();
        let change = self
            .shared
            .with_account(app_id, |account| account.switch_session(openid, to, now));
        Some(self.shared.tell(app_id, openid, &change.ok()?).await)
    }

    /// The agent closes the session; the server is told by kf_close_session.
    pub async fn close(&self, app_id: &str, openid: &str, agent: &str) -> Option<Delivery> {
        let change = self
            .shared
            .with_account(app_id, |account| account.close_session(openid, agent));
        Some(self.shared.tell(app_id, openid, &change.ok()?).await)
    }

    /// Waits until the server has been told of every session that the API opened or closed.
    pub async fn settle(&self) {
        loop {
            let Some(task) = self.shared.announcements.lock().pop() else {
                return;
            };
            let _ = task.await;
        }
    }
}

impl Shared {
    #[allow(clippy::panic)] // A test that names an account it never added is wrong itself.
    fn with_account<T>(&self, app_id: &str, work: impl FnOnce(&mut AccountState) -> T) -> T {
        match self.accounts.lock().get_mut(app_id) {
            Some(account) => work(account),
            None => panic!("no account {app_id}"),
        }
    }

    fn settings(&self, app_id: &str) -> Account {
        self.with_account(app_id, |account| account.settings.clone())
    }
}
