//! What is no callback of WeChat: one answer for everything, a word in the log about the cause, nothing kept.

use std::sync::Arc;
use std::time::{Duration, Instant};

use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use yingda_server::wechat::callback::{CallbackSettings, Mode};
use yingda_server::wechat::crypt;
use yingda_server::wechat::document::Format;
use yingda_server::wechat::platform::{Freshness, Push, push_request};
use yingda_server::wechat::signature;
use yingda_tests::bench::Bench;
use yingda_tests::server::{Server, Setup};

const TIME: &str = "1700000000";
const NONCE: &str = "415670741";
const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";

/// A request, whatever is in it.
struct Request {
    query: String,
    body: Vec<u8>,
}

fn settings(bench: &Bench) -> CallbackSettings {
    bench.platform.account(bench.account()).callback_settings()
}

fn text(id: u64) -> Push {
    Push::text("oStranger", "gh_shop", 1_700_000_000, id, "你好")
}

fn fresh(random: u8) -> Freshness {
    Freshness {
        timestamp: 1_700_000_000,
        nonce: NONCE.into(),
        random: [random; 16],
    }
}

fn right(settings: &CallbackSettings, id: u64) -> Request {
    let request = push_request(settings, &text(id), Format::Xml, &fresh(7));
    Request {
        query: request.query,
        body: request.body.into_bytes(),
    }
}

/// An encrypted body, rightly signed, around any base64.
fn signed(settings: &CallbackSettings, encrypt: &str) -> Request {
    let plain = signature::sign([&settings.token, TIME, NONCE]);
    let sealed = signature::sign([&settings.token, TIME, NONCE, encrypt]);
    Request {
        query: format!(
            "signature={plain}&timestamp={TIME}&nonce={NONCE}&encrypt_type=aes&msg_signature={sealed}"
        ),
        body: format!(
            "<xml><ToUserName><![CDATA[gh_shop]]></ToUserName><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>"
        )
        .into_bytes(),
    }
}

/// A body, encrypted and signed as it should be.
fn sealed(settings: &CallbackSettings, inner: &str) -> Request {
    let key = settings.key.as_ref().unwrap();
    signed(
        settings,
        &crypt::encrypt(key, [7; 16], inner.as_bytes(), &settings.app_id),
    )
}

/// A plaintext of whole blocks under the account's key, framed or not.
fn encrypted_blocks(plaintext: &[u8]) -> String {
    let lenient = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let key = lenient.decode(format!("{KEY}=")).unwrap();
    let cipher = cbc::Encryptor::<aes::Aes256>::new_from_slices(&key, &key[..16]).unwrap();
    lenient.encode(cipher.encrypt_padded_vec::<NoPadding>(plaintext))
}

fn framed(length: u32, message: &[u8], app_id: &str) -> Vec<u8> {
    let mut plain = vec![b'r'; 16];
    plain.extend(length.to_be_bytes());
    plain.extend(message);
    plain.extend(app_id.as_bytes());
    let pad = 32 - plain.len() % 32;
    plain.extend(std::iter::repeat_n(pad as u8, pad));
    plain
}

fn deep(levels: usize) -> String {
    format!(
        "<xml>{}{}</xml>",
        "<a>".repeat(levels),
        "</a>".repeat(levels)
    )
}

/// Name, the reason that the log and the counter give, and the request.
fn cases(settings: &CallbackSettings) -> Vec<(&'static str, &'static str, Request)> {
    let plain_mode = CallbackSettings {
        mode: Mode::Plain,
        ..settings.clone()
    };
    let other_app = CallbackSettings {
        app_id: "wx0000000000000bad".into(),
        ..settings.clone()
    };
    let other_token = CallbackSettings {
        token: "another".into(),
        ..settings.clone()
    };
    let one = right(settings, 1);
    let message = text(1).body(Format::Xml);
    let right_length = message.len() as u32;
    let encrypt = crypt::encrypt(
        settings.key.as_ref().unwrap(),
        [7; 16],
        message.as_bytes(),
        &settings.app_id,
    );
    let doctype = format!(
        "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
        message.replace("你好", "&e;")
    );
    let bomb = format!(
        "<!DOCTYPE lolz [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\">]>{}",
        message.replace("你好", "&b;&b;")
    );
    let of = |query: &str, body: &[u8]| Request {
        query: query.into(),
        body: body.to_vec(),
    };
    vec![
        ("no query at all", "missing_parameter", of("", &one.body)),
        ("nothing at all", "missing_parameter", of("", b"")),
        ("wrong signature", "msg_signature", right(&other_token, 1)),
        (
            "a byte of the body changed",
            "msg_signature",
            of(
                &one.query,
                &String::from_utf8(one.body.clone())
                    .unwrap()
                    .replace("Encrypt><![CDATA[", "Encrypt><![CDATA[A")
                    .into_bytes(),
            ),
        ),
        (
            "no nonce",
            "missing_parameter",
            of(&one.query.replace("nonce=", "none="), &one.body),
        ),
        (
            "plain body in safe mode",
            "downgrade",
            right(&plain_mode, 1),
        ),
        ("plain body that says it is encrypted", "downgrade", {
            let r = right(&plain_mode, 1);
            of(&format!("{}&encrypt_type=aes", r.query), &r.body)
        }),
        (
            "another AppID inside a good signature",
            "app_id",
            right(&other_app, 1),
        ),
        (
            "truncated base64",
            "decrypt",
            signed(settings, &encrypt[..encrypt.len() - 3]),
        ),
        ("no base64", "decrypt", signed(settings, "!!!!")),
        ("empty ciphertext", "decrypt", signed(settings, "AAAA")),
        ("half a block", "decrypt", signed(settings, &encrypt[..40])),
        (
            "a length of 4 GB",
            "decrypt",
            signed(
                settings,
                &encrypted_blocks(&framed(u32::MAX, message.as_bytes(), &settings.app_id)),
            ),
        ),
        (
            "a length one too long for the AppID",
            "app_id",
            signed(
                settings,
                &encrypted_blocks(&framed(
                    right_length + 1,
                    message.as_bytes(),
                    &settings.app_id,
                )),
            ),
        ),
        (
            "padding of 0",
            "decrypt",
            signed(settings, &encrypted_blocks(&[0; 64])),
        ),
        (
            "padding of 255",
            "decrypt",
            signed(settings, &encrypted_blocks(&[255; 64])),
        ),
        (
            "DOCTYPE outside",
            "doctype",
            of(
                &one.query,
                format!("<!DOCTYPE x>{}", String::from_utf8_lossy(&one.body)).as_bytes(),
            ),
        ),
        ("DOCTYPE inside", "doctype", sealed(settings, &doctype)),
        ("entity bomb inside", "doctype", sealed(settings, &bomb)),
        (
            "10,000 levels of XML outside",
            "too_deep",
            of(&one.query, deep(4000).as_bytes()),
        ),
        (
            "10,000 levels of XML inside",
            "too_deep",
            sealed(settings, &deep(6000)),
        ),
        (
            "10,000 levels of JSON inside",
            "malformed",
            sealed(
                settings,
                &format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
            ),
        ),
        (
            "not UTF-8 outside",
            "malformed",
            of(&one.query, &[b'<', 0xff, 0xfe]),
        ),
        (
            "half a document inside",
            "malformed",
            sealed(settings, &message[..message.len() / 2]),
        ),
        (
            "no MsgType inside",
            "malformed",
            sealed(settings, "<xml><FromUserName>o1</FromUserName></xml>"),
        ),
        (
            "no sender inside",
            "malformed",
            sealed(
                settings,
                "<xml><MsgType>text</MsgType><Content>x</Content><CreateTime>1</CreateTime><MsgId>1</MsgId></xml>",
            ),
        ),
    ]
}

async fn post(server: &Server, request: &Request) -> (u16, String, Vec<u8>) {
    let response = server
        .http
        .post(format!("{}?{}", server.url("/wechat/shop"), request.query))
        .body(request.body.clone())
        .send()
        .await
        .expect("an answer");
    let kind = response
        .headers()
        .get("content-type")
        .map(|kind| kind.to_str().unwrap().to_owned());
    (
        response.status().as_u16(),
        kind.unwrap_or_default(),
        response.bytes().await.unwrap().to_vec(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn every_refusal_looks_the_same_and_the_log_says_which_check_failed() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let (settings, server) = (settings(&bench), bench.server());
    assert_eq!(
        post(server, &right(&settings, 1)).await.0,
        200,
        "the table starts from a right request"
    );
    for (name, reason, request) in cases(&settings) {
        let counter =
            format!("yingda_callbacks_refused_total{{account=\"shop\",reason=\"{reason}\"}}");
        let (before, logged) = (server.metric(&counter).await, server.log().len());
        let answer = post(server, &request).await;
        assert_eq!(answer, (403, String::new(), Vec::new()), "{name}");
        let log = server.log()[logged..].to_owned();
        assert!(
            log.contains("callback refused") && log.contains(reason),
            "{name}: {log}"
        );
        assert_eq!(server.metric(&counter).await, before + 1.0, "{name}: {log}");
    }
    assert_too_large(&mut begin_body(server, 64 * 1024 + 1).await).await;
    let unknown = server
        .http
        .post(server.url("/wechat/nobody"))
        .body("x")
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
    let url_check = server
        .get("/wechat/shop?signature=0&timestamp=1&nonce=2&echostr=3")
        .await;
    assert_eq!(url_check, (403, String::new()));
    let database = bench.database().await;
    assert_eq!(database.inbox().await, 1, "nothing of all this was kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timestamp_out_of_bounds_is_refused_where_the_limit_is_set() {
    let bench = Bench::start(Setup::new("试验台").limit("timestamp_skew_s", 600)).await;
    let answer = post(bench.server(), &right(&settings(&bench), 1)).await;
    assert_eq!(answer.0, 403, "a request of 2023");
    assert_eq!(bench.say("o1", "你好").await, "收到：你好");
}

#[tokio::test(flavor = "multi_thread")]
async fn compat_mode_believes_what_is_encrypted_and_not_its_plain_twin() {
    let bench =
        Bench::start(Setup::new("试验台").account(|account| account.platform.mode = Mode::Compat))
            .await;
    let mut request = right(&settings(&bench), 1);
    let body = String::from_utf8(request.body).unwrap();
    assert!(body.contains("你好") && body.contains("oStranger"));
    request.body = body
        .replace("你好", "图片")
        .replace("oStranger", "oSomebodyElse")
        .into_bytes();
    assert_eq!(post(bench.server(), &request).await.0, 200);
    let database = bench.database().await;
    assert_eq!(database.written_by("oStranger").await, ["你好"]);
    assert!(database.written_by("oSomebodyElse").await.is_empty());
}

/// A right request with something wrong that no check may overlook.
fn spoilt(settings: &CallbackSettings, random: &mut StdRng) -> Request {
    let mut request = right(settings, random.random());
    match random.random_range(0..8) {
        0 => {
            let length = random.random_range(0..2000);
            request.body = (0..length).map(|_| random.random()).collect();
        }
        1 => request
            .body
            .truncate(random.random_range(0..request.body.len())),
        2 => {
            // Inside the ciphertext every byte counts.
            let at = random.random_range(100..request.body.len() - 30);
            request.body[at] ^= 1 << random.random_range(0..7);
        }
        3 => {
            let at = random.random_range(0..request.query.len());
            request.query.truncate(at);
        }
        4 => {
            let other = CallbackSettings {
                token: random.random::<u32>().to_string(),
                ..settings.clone()
            };
            request.query = right(&other, 1).query;
        }
        5 => {
            let length = 16 * random.random_range(1..20);
            let noise: Vec<u8> = (0..length).map(|_| random.random()).collect();
            request = signed(settings, &encrypted_blocks(&noise));
        }
        6 => {
            let noise: String = (0..random.random_range(0..200))
                .map(|_| random.random_range(' '..'~'))
                .collect();
            request = signed(settings, &noise.replace("]]>", ""));
        }
        _ => {
            let message = text(1).body(Format::Xml);
            let end = (0..random.random_range(0..message.len() - 10))
                .rev()
                .find(|end| message.is_char_boundary(*end));
            request = sealed(settings, &message[..end.unwrap_or(0)]);
        }
    }
    request
}

const MALFORMED: u64 = 10_000;

/// Announces a body of this length and sends the beginning of it; the connection, to be read from.
async fn begin_body(server: &Server, length: usize) -> TcpStream {
    let address = server.base().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /wechat/shop HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n{}",
        "x".repeat(10_000)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

async fn assert_too_large(stream: &mut TcpStream) {
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_malformed_callbacks_and_hostile_bodies_cost_a_403_each_and_no_memory() {
    let bench = Bench::start(Setup::new("试验台")).await;
    let settings = Arc::new(settings(&bench));
    let server = bench.server();
    assert_eq!(bench.say("o1", "你好").await, "收到：你好");
    for _ in 0..20 {
        assert_too_large(&mut begin_body(server, 1 << 20).await).await;
    }
    let memory = server.memory();
    let begun = Instant::now();
    let workers: Vec<_> = (0..8u64)
        .map(|worker| {
            let (settings, http, url) = (
                settings.clone(),
                server.http.clone(),
                server.url("/wechat/shop"),
            );
            tokio::spawn(async move {
                let mut random = StdRng::seed_from_u64(worker);
                for number in 0..MALFORMED / 8 {
                    let request = spoilt(&settings, &mut random);
                    let response = http
                        .post(format!("{url}?{}", request.query))
                        .body(request.body);
                    let response = response.send().await.expect("an answer");
                    assert_eq!(
                        response.status().as_u16(),
                        403,
                        "seed {worker}, request {number}"
                    );
                    assert!(response.bytes().await.unwrap().is_empty());
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    let took = begun.elapsed();
    for _ in 0..20 {
        assert_too_large(&mut begin_body(server, 1 << 20).await).await;
        let deep = Request {
            query: right(&settings, 1).query,
            body: deep(8000).into_bytes(),
        };
        assert_eq!(post(server, &deep).await.0, 403);
    }
    // Bodies that say they are 100 MB, and senders that never get on with it.
    let mut stalled = Vec::new();
    for _ in 0..20 {
        assert_too_large(&mut begin_body(server, 100 << 20).await).await;
        stalled.push(begin_body(server, 30_000).await);
    }
    let answered = Instant::now();
    assert_eq!(bench.say("o1", "还在吗").await, "收到：还在吗");
    assert!(
        answered.elapsed() < Duration::from_secs(2),
        "others are answered meanwhile"
    );
    let grown = server.memory().saturating_sub(memory) >> 20;
    assert!(grown < 20, "{grown} MB more");
    assert!(took < Duration::from_secs(120), "{took:?} for {MALFORMED}");
    let log = server.log();
    assert!(!log.contains("panicked"), "{log}");
    assert_eq!(bench.database().await.inbox().await, 2);
}
