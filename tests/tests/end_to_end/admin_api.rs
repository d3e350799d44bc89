//! The admin API and what a monitor asks for.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yingda_tests::bench::Bench;
use yingda_tests::server::{ADMIN_TOKEN, Setup};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Every method and path of the document, with something in the place of its parameters.
fn endpoints(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
            let path = path.replace("{account}", "shop").replace("{id}", "nobody");
            found.push((method.to_uppercase(), path));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_endpoint_of_the_document_is_there_and_closed_to_strangers() {
    let bench = Bench::start(Setup::new("试验台")).await;
    bench.say("o1", "你好").await;
    let server = bench.server();
    let (status, text) = server.get("/api/openapi.json").await;
    assert_eq!(status, 200);
    let document: Value = serde_json::from_str(&text).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    let paths: BTreeSet<&str> = document["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    for path in [
        "/api/v1/accounts",
        "/api/v1/accounts/{account}/packages",
        "/api/v1/accounts/{account}/rollback",
        "/api/v1/conversations",
        "/api/v1/conversations/{id}",
        "/api/v1/conversations/{id}/take",
        "/api/v1/conversations/{id}/say",
        "/api/v1/conversations/{id}/return",
        "/api/v1/conversations/{id}/close",
        "/api/v1/audit",
    ] {
        assert!(paths.contains(path), "{path} is not in the document");
    }
    let closed = [
        "",
        "Bearer ",
        "Bearer wrong",
        "Basic dXNlcjpwYXNz",
        &format!("bearer{ADMIN_TOKEN}"),
        &format!("Bearer {ADMIN_TOKEN}x"),
    ]
    .map(str::to_owned);
    for (method, path) in endpoints(&document) {
        let request = || {
            server
                .http
                .request(method.parse().unwrap(), server.url(&path))
        };
        assert_eq!(
            request().send().await.unwrap().status().as_u16(),
            401,
            "{method} {path} without a token"
        );
        for header in &closed {
            let answer = request()
                .header("authorization", header)
                .send()
                .await
                .unwrap();
            assert_eq!(
                answer.status().as_u16(),
                401,
                "{method} {path} with {header:?}"
            );
            let body: Value = answer.json().await.unwrap();
            assert_eq!(body["code"], "unauthorized");
        }
        // An administrator may do everything; what is asked here names nobody and sends no body.
        let (status, body) = server.api(&method, &path, None).await;
        let expected = match (method.as_str(), path.as_str()) {
            ("GET", "/api/v1/conversations/nobody") => vec![404],
            ("GET", _) => vec![200],
            (_, "/api/v1/accounts/shop/rollback") => vec![409],
            _ => vec![400, 404],
        };
        assert!(
            expected.contains(&status),
            "{method} {path}: {status} {body}"
        );
        assert!(
            document["paths"]
                .to_string()
                .contains(&format!("\"{status}\""))
        );
    }
    for (method, path) in [
        ("GET", "/api/v1/nothing"),
        ("DELETE", "/api/v1/accounts"),
        ("GET", "/"),
    ] {
        let status = server.api(method, path, None).await.0;
        assert!(matches!(status, 404 | 405), "{method} {path}: {status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_get_a_sentence_and_never_a_5xx() {
    let bench = Bench::start(Setup::new("试验台")).await;
    bench.say("o1", "你好").await;
    let server = bench.server();
    let (_, list) = server
        .api(
            "GET",
            "/api/v1/conversations?account=shop&owner=bot&limit=1",
            None,
        )
        .await;
    let id = list[0]["id"].as_str().unwrap();
    let cases: Vec<(&str, String, Option<Value>, u16)> = vec![
        (
            "POST",
            format!("/api/v1/conversations/{id}/take"),
            Some(json!({})),
            400,
        ),
        (
            "POST",
            format!("/api/v1/conversations/{id}/take"),
            Some(json!({"agent": ""})),
            400,
        ),
        (
            "POST",
            format!("/api/v1/conversations/{id}/take"),
            Some(json!({"agent": "x".repeat(65)})),
            400,
        ),
        (
            "POST",
            format!("/api/v1/conversations/{id}/say"),
            Some(json!({"agent": "amy", "text": " "})),
            400,
        ),
        (
            "POST",
            format!("/api/v1/conversations/{id}/say"),
            Some(json!({"agent": "amy", "text": "您好"})),
            409,
        ),
        (
            "POST",
            "/api/v1/conversations/nobody/take".into(),
            Some(json!({"agent": "amy"})),
            404,
        ),
        (
            "POST",
            "/api/v1/accounts/nobody/packages".into(),
            Some(json!({"files": {}})),
            404,
        ),
        (
            "POST",
            "/api/v1/accounts/shop/packages".into(),
            Some(json!({"files": 1})),
            400,
        ),
        (
            "POST",
            "/api/v1/accounts/shop/packages".into(),
            Some(json!({"files": {}})),
            422,
        ),
        ("GET", "/api/v1/accounts/nobody/packages".into(), None, 404),
        ("GET", "/api/v1/conversations?limit=many".into(), None, 400),
        (
            "GET",
            "/api/v1/audit?after=-1&limit=100000".into(),
            None,
            200,
        ),
        (
            "GET",
            "/api/v1/audit?conversation=%27%20OR%201%3D1".into(),
            None,
            200,
        ),
    ];
    for (method, path, body, status) in cases {
        let (answered, said) = server.api(method, &path, body.as_ref()).await;
        assert_eq!(answered, status, "{method} {path} {body:?}: {said}");
    }
    let (_, rows) = server
        .api("GET", &format!("/api/v1/audit?conversation={id}"), None)
        .await;
    let turn = rows
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["kind"] == "turn")
        .unwrap();
    assert_eq!(turn["body"]["reply"], "收到：你好", "{turn}");
    assert_eq!(turn["hash"].as_str().map(str::len), Some(64));
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_masked_in_the_api_and_in_the_log() {
    let bench = Bench::start(Setup::new("试验台")).await;
    bench.say("o1", "我的手机是13812345678，快递呢").await;
    let server = bench.server();
    let (_, list) = server.api("GET", "/api/v1/conversations", None).await;
    let id = list[0]["id"].as_str().unwrap();
    for path in [
        format!("/api/v1/conversations/{id}"),
        "/api/v1/audit".into(),
    ] {
        let (_, body) = server.api("GET", &path, None).await;
        assert!(!body.to_string().contains("13812345678"), "{path}: {body}");
        assert!(body.to_string().contains("138"), "{path}: {body}");
    }
    assert!(!server.log().contains("13812345678"));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_readiness_and_metrics_are_open_and_say_what_happens() {
    let bench = Bench::start(Setup::new("试验台")).await;
    bench.say("o1", "你好").await;
    bench.say("o1", "三条").await;
    bench.sees("o1", 4).await;
    let server = bench.server();
    assert_eq!(server.get("/healthz").await, (200, "ok".into()));
    assert_eq!(server.get("/readyz").await, (200, "ok".into()));
    let (status, text) = server.get("/metrics").await;
    assert_eq!(status, 200);
    for name in [
        "yingda_callbacks_total{account=\"shop\",outcome=\"replied\"} 2",
        "yingda_callback_seconds_bucket",
        "yingda_decision_seconds_count 2",
        "yingda_commit_seconds_count",
        "yingda_turns_total",
        "yingda_sent_total{account=\"shop\"} 2",
        "yingda_callbacks_in_flight 0",
        "yingda_conversations_active",
    ] {
        assert!(text.contains(name), "{name}:\n{text}");
    }
    bench.say("o2", "人工").await;
    yingda_tests::wait::eventually("the queue's length", || async {
        let line = "yingda_queue_length{account=\"shop\",group=\"客服组\"}";
        (server.metric(line).await == 1.0).then_some(())
    })
    .await;
}
