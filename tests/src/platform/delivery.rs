//! Callbacks as the platform makes them: signed, encrypted, 5 s of patience, three attempts, and what the customer
//! sees in the end.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use yingda_server::wechat::platform::{
    Answer, Freshness, Push, PushRequest, push_request, read_answer,
};
use yingda_server::wechat::reply::PassiveReply;

use super::Shared;
use super::account::{Account, Desk, Seen};
use super::desk::DeskChange;
use super::ledger::Contact;

/// How a callback is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until an attempt is given up and its connection cut.
    pub wait: Duration,
    pub attempts: u32,
    /// Between a failed attempt and the next: time for a server to come back.
    pub pause: Duration,
    pub retry: Retry,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            wait: Duration::from_secs(5),
            attempts: 3,
            pause: Duration::ZERO,
            retry: Retry::Identical,
        }
    }
}

/// What a second attempt looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Same timestamp, nonce and bytes.
    Identical,
    /// Same message, signed (and encrypted) anew.
    Resigned,
}

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `None`: no answer in time, or no connection.
    pub status: Option<u16>,
    pub body: String,
    pub elapsed: Duration,
    /// Of a 200: what it says, or what is wrong with it.
    pub answer: Option<Result<Answer, String>>,
}

/// What became of a message or event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub attempts: Vec<Attempt>,
    pub outcome: Outcome,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An agent has the customer: it never went to the server.
    Desk {
        agent: String,
    },
    Acknowledged,
    Reply(PassiveReply),
    /// The customer saw that the service has failed.
    Failed(String),
}

impl Delivery {
    /// The text that came back in the response; empty for anything else.
    pub fn text(&self) -> String {
        match &self.outcome {
            Outcome::Reply(reply) => Seen::Reply(reply.clone()).text(),
            Outcome::Desk { .. } | Outcome::Acknowledged | Outcome::Failed(_) => String::new(),
        }
    }
}

impl Shared {
    /// Posts a push until it is answered or the attempts are used up, and shows the customer what comes of it.
    pub(super) async fn deliver(&self, app_id: &str, push: &Push, patience: Patience) -> Delivery {
        let account = match self.arrive(app_id, push) {
            Arrival::Server(account) => account,
            Arrival::Desk(agent) => {
                return Delivery {
                    attempts: Vec::new(),
                    outcome: Outcome::Desk { agent },
                };
            }
        };
        let mut attempts = Vec::new();
        let mut request = self.sign(&account, push);
        for number in 0..patience.attempts {
            if number > 0 {
                tokio::time::sleep(patience.pause).await;
                if patience.retry == Retry::Resigned {
                    request = self.sign(&account, push);
                }
            }
            let attempt = self.attempt(&account, push, &request, patience.wait).await;
            let answer = attempt.answer.clone();
            attempts.push(attempt);
            if let Some(answer) = answer {
                let outcome = self.show(app_id, push, answer);
                return Delivery { attempts, outcome };
            }
        }
        let outcome = self.show(app_id, push, Err("no attempt was answered with 200".into()));
        Delivery { attempts, outcome }
    }

    /// Posts the same request several times at once; the customer sees the first answer.
    pub(super) async fn deliver_copies(
        self: &Arc<Self>,
        app_id: &str,
        push: &Push,
        copies: usize,
        wait: Duration,
    ) -> Vec<Attempt> {
        let Arrival::Server(account) = self.arrive(app_id, push) else {
            return Vec::new();
        };
        let request = self.sign(&account, push);
        let tasks: Vec<_> = (0..copies)
            .map(|_| {
                let (shared, account) = (self.clone(), account.clone());
                let (push, request) = (push.clone(), request.clone());
                tokio::spawn(async move { shared.attempt(&account, &push, &request, wait).await })
            })
            .collect();
        let mut attempts = Vec::new();
        for task in tasks {
            attempts.extend(task.await);
        }
        if let Some(answer) = attempts.iter().find_map(|attempt| attempt.answer.clone()) {
            self.show(app_id, push, answer);
        }
        attempts
    }

    /// Tells the account's server of a change at the desk, in the background.
    pub(super) fn announce(self: &Arc<Self>, app_id: String, openid: String, change: DeskChange) {
        let shared = self.clone();
        let task = tokio::spawn(async move {
            shared.tell(&app_id, &openid, &change).await;
        });
        self.announcements.lock().push(task);
    }

    /// Tells the account's server of a change at the desk.
    pub(super) async fn tell(&self, app_id: &str, openid: &str, change: &DeskChange) -> Delivery {
        let (event, fields) = change.event();
        let account = self.settings(app_id).original_id;
        let push = Push::event(openid, &account, self.clock.second(), event, &fields);
        self.deliver(app_id, &push, Patience::default()).await
    }

    /// What the customer did takes effect, once, however often it is then posted.
    fn arrive(&self, app_id: &str, push: &Push) -> Arrival {
        let now = self.clock.now();
        self.with_account(app_id, |account| {
            let settings = account.settings.clone();
            let customer = account.customers.entry(push.from_user.clone()).or_default();
            match contact(push) {
                Effect::Opens(contact) => customer.ledger.contact(contact, now),
                Effect::Leaves => customer.ledger.close(),
                Effect::Nothing => {}
            }
            match customer.desk.clone() {
                Desk::With { agent, .. } if push.msg_type != "event" => {
                    let text = push.fields.get("Content").and_then(|text| text.as_str());
                    let text = text.unwrap_or_default();
                    account.customer_says(&push.from_user, &agent, text, now.as_second());
                    Arrival::Desk(agent)
                }
                _ => Arrival::Server(Box::new(settings)),
            }
        })
    }

    fn sign(&self, account: &Account, push: &Push) -> PushRequest {
        let fresh = Freshness {
            timestamp: self.clock.second(),
            nonce: rand::random::<u32>().to_string(),
            random: rand::random(),
        };
        push_request(&account.callback_settings(), push, account.format, &fresh)
    }

    async fn attempt(
        &self,
        account: &Account,
        push: &Push,
        request: &PushRequest,
        wait: Duration,
    ) -> Attempt {
        let url = format!("{}?{}", account.callback_url, request.query);
        self.with_account(&account.app_id, |account| account.posts += 1);
        let begun = std::time::Instant::now();
        let posted = post(&self.http, &url, request, wait).await;
        let elapsed = begun.elapsed();
        let Some((status, body)) = posted else {
            return Attempt {
                status: None,
                body: String::new(),
                elapsed,
                answer: None,
            };
        };
        let read = |body: &str| {
            read_answer(&account.callback_settings(), &push.from_user, body)
                .map_err(|error| error.to_string())
        };
        Attempt {
            status: Some(status),
            answer: (status == 200).then(|| read(&body)),
            body,
            elapsed,
        }
    }

    fn show(&self, app_id: &str, push: &Push, answer: Result<Answer, String>) -> Outcome {
        let now = self.clock.now();
        let outcome = self.with_account(app_id, |account| {
            let customer = account.customers.entry(push.from_user.clone()).or_default();
            let mut see = |seen| customer.seen.push((now, seen));
            match answer {
                Ok(Answer::Acknowledged) => Outcome::Acknowledged,
                Ok(Answer::Reply(reply)) => {
                    match &reply {
                        PassiveReply::TransferCustomerService { kf_account } => {
                            // Events cannot be transferred; the reply then does nothing.
                            if push.msg_type != "event" {
                                customer.desk = queue(&customer.desk, kf_account.clone(), now);
                            }
                        }
                        _ => see(Seen::Reply(reply.clone())),
                    }
                    Outcome::Reply(reply)
                }
                Err(reason) => {
                    see(Seen::ServiceFailed);
                    Outcome::Failed(reason)
                }
            }
        });
        self.changed.notify_waiters();
        outcome
    }
}

enum Arrival {
    Server(Box<Account>),
    Desk(String),
}

enum Effect {
    Opens(Contact),
    Leaves,
    Nothing,
}

fn contact(push: &Push) -> Effect {
    if push.msg_type != "event" {
        let tapped = push.fields.contains_key("bizmsgmenuid");
        return Effect::Opens(if tapped {
            Contact::Action
        } else {
            Contact::Message
        });
    }
    let event = push.fields.get("Event").and_then(|event| event.as_str());
    match event.unwrap_or_default().to_ascii_lowercase().as_str() {
        "subscribe" | "scan" | "click" | "scancode_push" | "scancode_waitmsg" => {
            Effect::Opens(Contact::Action)
        }
        "user_enter_tempsession" => Effect::Opens(Contact::Enter),
        "unsubscribe" => Effect::Leaves,
        _ => Effect::Nothing,
    }
}

/// In the queue, keeping the place of who waits already.
fn queue(desk: &Desk, agent: Option<String>, now: Timestamp) -> Desk {
    let since = match desk {
        Desk::Waiting { since, .. } => *since,
        Desk::Nobody | Desk::With { .. } => now.as_second(),
    };
    Desk::Waiting { since, agent }
}

async fn post(
    http: &Client,
    url: &str,
    request: &PushRequest,
    wait: Duration,
) -> Option<(u16, String)> {
    let response = http
        .post(url)
        .header("content-type", request.content_type)
        .body(request.body.clone())
        .timeout(wait)
        .send()
        .await
        .ok()?;
    let status = response.status().as_u16();
    Some((status, response.text().await.ok()?))
}
