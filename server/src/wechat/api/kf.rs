//! Sessions of customers with agents in WeChat's own customer-service client.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ApiClient;
use super::error::SendError;

/// Who serves a customer now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KfSession {
    pub kf_account: String,
    /// Seconds.
    #[serde(default)]
    pub createtime: i64,
}

/// An agent who is signed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnlineAgent {
    pub kf_account: String,
    /// 1: in the web client.
    #[serde(default)]
    pub status: u32,
    /// Sessions the agent has.
    #[serde(default)]
    pub accepted_case: u32,
}

/// Customers nobody serves yet; the platform lists 100 at most.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct WaitingCustomers {
    #[serde(default)]
    pub count: u32,
    #[serde(default)]
    pub waitcaselist: Vec<WaitingCustomer>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingCustomer {
    pub openid: String,
    /// Seconds.
    #[serde(default)]
    pub latest_time: i64,
}

/// One page of what agents and customers wrote.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MessageRecords {
    #[serde(default)]
    pub recordlist: Vec<MessageRecord>,
    #[serde(default)]
    pub number: u32,
    /// Where the next page begins; there is none once `number` is below what was asked for.
    #[serde(default)]
    pub msgid: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRecord {
    pub openid: String,
    /// 2002: the agent wrote, 2003: the customer wrote.
    pub opercode: u32,
    #[serde(default)]
    pub text: String,
    /// Seconds.
    pub time: i64,
    /// The agent's account.
    #[serde(default)]
    pub worker: String,
}

impl ApiClient {
    /// Gives the customer to an agent, who must be bound and online.
    pub async fn create_kf_session(&self, openid: &str, agent: &str) -> Result<(), SendError> {
        let body = json!({"kf_account": agent, "openid": openid});
        self.post("/customservice/kfsession/create", &body)
            .await
            .map(|_| ())
    }

    /// Takes the customer from the agent.
    pub async fn close_kf_session(&self, openid: &str, agent: &str) -> Result<(), SendError> {
        let body = json!({"kf_account": agent, "openid": openid});
        self.post("/customservice/kfsession/close", &body)
            .await
            .map(|_| ())
    }

    /// The customer's session; `None` where nobody serves them.
    pub async fn kf_session(&self, openid: &str) -> Result<Option<KfSession>, SendError> {
        let answer = self
            .get("/customservice/kfsession/getsession", &[("openid", openid)])
            .await?;
        let session: KfSession = read(answer)?;
        Ok(Some(session).filter(|session| !session.kf_account.is_empty()))
    }

    /// Agents signed in now.
    pub async fn online_agents(&self) -> Result<Vec<OnlineAgent>, SendError> {
        let mut answer = self
            .get("/cgi-bin/customservice/getonlinekflist", &[])
            .await?;
        match answer.get_mut("kf_online_list").map(Value::take) {
            Some(list) => read(list),
            None => Ok(Vec::new()),
        }
    }

    /// Customers waiting for an agent.
    pub async fn waiting_customers(&self) -> Result<WaitingCustomers, SendError> {
        read(
            self.get("/customservice/kfsession/getwaitcase", &[])
                .await?,
        )
    }

    /// What was written between two times (seconds, at most 24 h apart), `number` records from `msg_id` (first page: 1).
    pub async fn message_records(
        &self,
        start: i64,
        end: i64,
        msg_id: u64,
        number: u32,
    ) -> Result<MessageRecords, SendError> {
        let body = json!({
            "starttime": start,
            "endtime": end,
            "msgid": msg_id,
            "number": number,
        });
        read(
            self.post("/customservice/msgrecord/getmsglist", &body)
                .await?,
        )
    }
}

fn read<T: DeserializeOwned>(answer: Value) -> Result<T, SendError> {
    serde_json::from_value(answer)
        .map_err(|error| SendError::Uncertain(format!("答复的字段不对：{error}")))
}
