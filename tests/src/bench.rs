//! A platform, its accounts and a server, connected with each other.

use std::path::Path;

use tempfile::TempDir;
use yingda_server::wechat::platform::Push;

use crate::database::Database;
use crate::platform::{Delivery, Outcome, Patience, Platform, Seen};
use crate::server::{Server, Setup};
use crate::wait::eventually;

/// Everything a test needs; all of it ends with it.
pub struct Bench {
    pub platform: Platform,
    /// AppIDs, in the order of the configuration.
    pub accounts: Vec<String>,
    pub setup: Setup,
    server: Option<Server>,
    folder: TempDir,
}

#[allow(clippy::expect_used, clippy::indexing_slicing)]
impl Bench {
    /// Starts everything.
    pub async fn start(setup: Setup) -> Self {
        let mut bench = Self::prepare(setup).await;
        bench.restart().await;
        bench
    }

    /// As [`Bench::start`], without the server.
    pub async fn prepare(setup: Setup) -> Self {
        let platform = Platform::start().await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        setup.write(folder.path(), platform.base());
        let accounts = setup
            .accounts
            .iter()
            .map(|account| platform.add_account(account.platform.clone()))
            .collect();
        Self {
            platform,
            accounts,
            setup,
            server: None,
            folder,
        }
    }

    /// Starts the server (again), and tells the platform where it is.
    pub async fn restart(&mut self) {
        let server = Server::start(self.folder.path()).await;
        self.adopt(server);
    }

    /// From now on callbacks go to this server.
    pub fn adopt(&mut self, server: Server) {
        for (account, app_id) in self.setup.accounts.iter().zip(&self.accounts) {
            let url = server.url(&format!("/wechat/{}", account.id()));
            self.platform.set_callback(app_id, &url);
        }
        self.server = Some(server);
    }

    pub fn server(&self) -> &Server {
        self.server.as_ref().expect("a running server")
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        self.take_server().kill().await;
    }

    /// The server, to be ended by the test.
    pub fn take_server(&mut self) -> Server {
        self.server.take().expect("a running server")
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The first account's AppID.
    pub fn account(&self) -> &str {
        &self.accounts[0]
    }

    /// A look into the database.
    pub async fn database(&self) -> Database {
        Database::open(&self.folder.path().join("yingda.db")).await
    }

    /// Says something as a customer of the first account; the text in the response, empty where there was none.
    pub async fn say(&self, openid: &str, content: &str) -> String {
        self.platform
            .say(self.account(), openid, content)
            .await
            .text()
    }

    /// Sends a push to the first account.
    pub async fn deliver(&self, push: &Push) -> Delivery {
        self.platform
            .deliver(self.account(), push, Patience::default())
            .await
    }

    /// Sends an event to the first account.
    pub async fn event(&self, openid: &str, event: &str, fields: &[(&str, &str)]) -> Outcome {
        let push = self.platform.event(self.account(), openid, event, fields);
        self.deliver(&push).await.outcome
    }

    /// What a customer of the first account saw, as text.
    pub fn seen(&self, openid: &str) -> Vec<String> {
        let seen = self.platform.seen(self.account(), openid);
        seen.iter().map(Seen::text).collect()
    }

    /// Waits until a customer has seen so many messages, and returns them.
    pub async fn sees(&self, openid: &str, count: usize) -> Vec<String> {
        eventually(&format!("{openid} sees {count} messages"), || async {
            let seen = self.seen(openid);
            (seen.len() >= count).then_some(seen)
        })
        .await
    }
}
