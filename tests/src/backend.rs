//! A business system behind a connector: answers when the test lets it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A running business system; it stops when it is dropped.
pub struct Backend {
    shared: Arc<Shared>,
    url: String,
    task: JoinHandle<()>,
}

struct Shared {
    open: watch::Sender<bool>,
    calls: AtomicUsize,
}

impl Drop for Backend {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[allow(clippy::expect_used)]
impl Backend {
    /// Starts it; `open` says whether it answers at once.
    pub async fn start(open: bool) -> Self {
        let shared = Arc::new(Shared {
            open: watch::Sender::new(open),
            calls: AtomicUsize::new(0),
        });
        let router = Router::new()
            .route("/ask", post(answer))
            .with_state(shared.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}/ask", listener.local_addr().expect("an address"));
        let task = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Self { shared, url, task }
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// From now on everybody gets an answer, or nobody does.
    pub fn set_open(&self, open: bool) {
        self.shared.open.send_replace(open);
    }

    /// Requests so far, answered or not.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::SeqCst)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, Json(request): Json<Value>) -> Json<Value> {
    shared.calls.fetch_add(1, Ordering::SeqCst);
    // An error means that the backend is being dropped.
    let _ = shared.open.subscribe().wait_for(|open| *open).await;
    let asked = request["arguments"]["内容"].as_str().unwrap_or_default();
    Json(json!({ "答案": format!("答：{asked}") }))
}
