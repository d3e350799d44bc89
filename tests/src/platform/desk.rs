//! The platform's own customer-service client: agents, their sessions with customers, and the API about them.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::Shared;
use super::account::{AccountState, Desk, Record, Seen};
use super::api::{Answer, ApiError};

type Parameters = Query<HashMap<String, String>>;

/// Records of the agent's and of the customer's messages.
const AGENT_WROTE: u32 = 2002;
const CUSTOMER_WROTE: u32 = 2003;

pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/cgi-bin/customservice/getkflist", get(agents))
        .route("/cgi-bin/customservice/getonlinekflist", get(online_agents))
        .route("/customservice/kfsession/create", post(create))
        .route("/customservice/kfsession/close", post(close))
        .route("/customservice/kfsession/getsession", get(session))
        .route("/customservice/kfsession/getsessionlist", get(sessions))
        .route("/customservice/kfsession/getwaitcase", get(waiting))
        .route("/customservice/msgrecord/getmsglist", post(records))
}

/// A change that the account's server is told by an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DeskChange {
    Created { agent: String },
    Closed { agent: String },
    Switched { from: String, to: String },
}

impl DeskChange {
    /// `Event` and its own fields.
    pub(super) fn event(&self) -> (&'static str, Vec<(&'static str, &str)>) {
        match self {
            Self::Created { agent } => ("kf_create_session", vec![("KfAccount", agent)]),
            Self::Closed { agent } => ("kf_close_session", vec![("KfAccount", agent)]),
            Self::Switched { from, to } => (
                "kf_switch_session",
                vec![("FromKfAccount", from), ("ToKfAccount", to)],
            ),
        }
    }
}

impl AccountState {
    /// Gives a customer to an agent; `None` where the agent has them already.
    pub(super) fn open_session(
        &mut self,
        openid: &str,
        agent: &str,
        now: i64,
    ) -> Result<Option<DeskChange>, ApiError> {
        if !self.settings.agents.iter().any(|known| known == agent) {
            return Err(ApiError(65401, "invalid custom service account"));
        }
        if !self.online.contains(agent) {
            return Err(ApiError(65415, "custom service account is offline"));
        }
        let customer = self
            .customers
            .get_mut(openid)
            .ok_or(ApiError(40003, "invalid openid"))?;
        match &customer.desk {
            Desk::With { agent: with, .. } if with == agent => return Ok(None),
            Desk::With { .. } => {
                return Err(ApiError(65414, "customer is served by another account"));
            }
            Desk::Nobody | Desk::Waiting { .. } => {}
        }
        let agent = agent.to_owned();
        customer.desk = Desk::With {
            agent: agent.clone(),
            since: now,
        };
        Ok(Some(DeskChange::Created { agent }))
    }

    /// Ends a customer's session.
    pub(super) fn close_session(
        &mut self,
        openid: &str,
        agent: &str,
    ) -> Result<DeskChange, ApiError> {
        let customer = self
            .customers
            .get_mut(openid)
            .ok_or(ApiError(40003, "invalid openid"))?;
        match &customer.desk {
            Desk::With { agent: with, .. } if with == agent => {
                customer.desk = Desk::Nobody;
                Ok(DeskChange::Closed {
                    agent: agent.to_owned(),
                })
            }
            Desk::With { .. } => Err(ApiError(65414, "customer is served by another account")),
            Desk::Nobody | Desk::Waiting { .. } => Err(ApiError(65413, "no session")),
        }
    }

    /// Gives a customer from one agent to another.
    pub(super) fn switch_session(
        &mut self,
        openid: &str,
        to: &str,
        now: i64,
    ) -> Result<DeskChange, ApiError> {
        let customer = self
            .customers
            .get_mut(openid)
            .ok_or(ApiError(40003, "invalid openid"))?;
        let Desk::With { agent: from, .. } = customer.desk.clone() else {
            return Err(ApiError(65413, "no session"));
        };
        customer.desk = Desk::With {
            agent: to.to_owned(),
            since: now,
        };
        Ok(DeskChange::Switched {
            from,
            to: to.to_owned(),
        })
    }

    /// What an agent writes in the client.
    pub(super) fn agent_says(&mut self, openid: &str, text: &str, now: jiff::Timestamp) -> bool {
        let Some(customer) = self.customers.get_mut(openid) else {
            return false;
        };
        let Desk::With { agent, .. } = customer.desk.clone() else {
            return false;
        };
        let said = Seen::Agent {
            agent: agent.clone(),
            text: text.to_owned(),
        };
        customer.seen.push((now, said));
        self.records.push(Record {
            openid: openid.to_owned(),
            opercode: AGENT_WROTE,
            text: text.to_owned(),
            time: now.as_second(),
            worker: agent,
        });
        true
    }

    /// A customer's message that goes to the agent and not to the server.
    pub(super) fn customer_says(&mut self, openid: &str, agent: &str, text: &str, now: i64) {
        self.records.push(Record {
            openid: openid.to_owned(),
            opercode: CUSTOMER_WROTE,
            text: text.to_owned(),
            time: now,
            worker: agent.to_owned(),
        });
    }
}

async fn agents(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    shared.call(&query, |account| {
        let list: Vec<Value> = account
            .settings
            .agents
            .iter()
            .zip(1001..)
            .map(|(agent, id)| json!({"kf_account": agent, "kf_nick": agent, "kf_id": id}))
            .collect();
        Ok(json!({"kf_list": list}))
    })
}

async fn online_agents(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    shared.call(&query, |account| {
        let list: Vec<Value> = account
            .online
            .iter()
            .zip(1001..)
            .map(|(agent, id)| {
                let accepted = account
                    .customers
                    .values()
                    .filter(|customer| matches!(&customer.desk, Desk::With { agent: with, .. } if with == agent))
                    .count();
                json!({"kf_account": agent, "status": 1, "kf_id": id, "accepted_case": accepted})
            })
            .collect();
        Ok(json!({"kf_online_list": list}))
    })
}

async fn create(
    State(shared): State<Arc<Shared>>,
    Query(query): Parameters,
    body: Bytes,
) -> Response {
    let now = shared.clock.second();
    change(&shared, &query, &body, |account, openid, agent| {
        account.open_session(openid, agent, now)
    })
}

async fn close(
    State(shared): State<Arc<Shared>>,
    Query(query): Parameters,
    body: Bytes,
) -> Response {
    change(&shared, &query, &body, |account, openid, agent| {
        account.close_session(openid, agent).map(Some)
    })
}

/// Changes a session and tells the account's server by an event, as a change in the client would.
fn change(
    shared: &Arc<Shared>,
    query: &HashMap<String, String>,
    body: &[u8],
    work: impl FnOnce(&mut AccountState, &str, &str) -> Result<Option<DeskChange>, ApiError>,
) -> Response {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let openid = body["openid"].as_str().unwrap_or_default();
    let agent = body["kf_account"].as_str().unwrap_or_default();
    let mut changed = None;
    let response = shared.call(query, |account| {
        let change = work(account, openid, agent)?;
        changed = change.map(|change| (account.settings.app_id.clone(), change));
        Ok(json!({"errcode": 0, "errmsg": "ok"}))
    });
    if let Some((app_id, change)) = changed {
        shared.announce(app_id, openid.to_owned(), change);
    }
    response
}

async fn session(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    shared.call(&query, |account| {
        let openid = query
            .get("openid")
            .ok_or(ApiError(40003, "invalid openid"))?;
        let customer = account.customers.get(openid);
        let (agent, since) = match customer.map(|customer| &customer.desk) {
            Some(Desk::With { agent, since }) => (agent.as_str(), *since),
            _ => ("", 0),
        };
        Ok(json!({"errcode": 0, "errmsg": "ok", "kf_account": agent, "createtime": since}))
    })
}

async fn sessions(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    shared.call(&query, |account| {
        let asked = query.get("kf_account");
        let list: Vec<Value> = account
            .customers
            .iter()
            .filter_map(|(openid, customer)| match &customer.desk {
                Desk::With { agent, since } if Some(agent) == asked => {
                    Some(json!({"openid": openid, "createtime": since}))
                }
                _ => None,
            })
            .collect();
        Ok(json!({"sessionlist": list}))
    })
}

async fn waiting(State(shared): State<Arc<Shared>>, Query(query): Parameters) -> Response {
    shared.call(&query, |account| {
        let list: Vec<Value> = account
            .customers
            .iter()
            .filter_map(|(openid, customer)| match customer.desk {
                Desk::Waiting { since, .. } => {
                    Some(json!({"openid": openid, "latest_time": since}))
                }
                _ => None,
            })
            .take(100)
            .collect();
        Ok(json!({"count": list.len(), "waitcaselist": list}))
    })
}

async fn records(
    State(shared): State<Arc<Shared>>,
    Query(query): Parameters,
    body: Bytes,
) -> Response {
    shared.call(&query, |account| list_records(account, &body))
}

fn list_records(account: &AccountState, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| {
        body[name]
            .as_i64()
            .ok_or(ApiError(65416, "invalid parameter"))
    };
    let (start, end) = (field("starttime")?, field("endtime")?);
    let (first, number) = (field("msgid")?.max(1), field("number")?.clamp(0, 10_000));
    if end <= start || end - start > 24 * 3600 {
        return Err(ApiError(65417, "time span out of limit"));
    }
    let page: Vec<(i64, &Record)> = (1..)
        .zip(&account.records)
        .filter(|(id, record)| *id >= first && (start..=end).contains(&record.time))
        .take(usize::try_from(number).unwrap_or_default())
        .collect();
    let next = page.last().map_or(first, |(id, _)| id + 1);
    let list: Vec<Value> = page
        .iter()
        .map(|(_, record)| {
            json!({
                "openid": record.openid,
                "opercode": record.opercode,
                "text": record.text,
                "time": record.time,
                "worker": record.worker,
            })
        })
        .collect();
    Ok(json!({"recordlist": list, "number": list.len(), "msgid": next}))
}
