use super::*;
use crate::wechat::platform::{Freshness, Push, PushRequest, push_request, url_check};
use crate::wechat::push_event::PushEvent;
use proptest::prelude::*;
use serde_json::json;

const KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const V3: &str = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=";

fn settings(mode: Mode) -> CallbackSettings {
    CallbackSettings {
        app_id: "wx1234567890abcdef".into(),
        token: "shop".into(),
        key: Some(CryptKey::parse(KEY).unwrap()),
        mode,
        max_skew: None,
    }
}

fn official() -> CallbackSettings {
    CallbackSettings {
        app_id: "wxba5fad812f8e6fb9".into(),
        token: "AAAAA".into(),
        key: Some(CryptKey::parse(&"A".repeat(43)).unwrap()),
        mode: Mode::Safe,
        max_skew: None,
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap()
}

fn fresh() -> Freshness {
    Freshness {
        timestamp: 1_700_000_000,
        nonce: "415670741".into(),
        random: *b"0123456789abcdef",
    }
}

fn text(content: &str) -> Push {
    Push::text(
        "oUser0001",
        "gh_shop01",
        1_700_000_000,
        24_000_000_000_000_001,
        content,
    )
}

fn take(settings: &CallbackSettings, request: &PushRequest) -> Result<Callback, Refusal> {
    receive(
        settings,
        &CallbackQuery::parse(&request.query),
        request.body.as_bytes(),
        now(),
    )
}

#[test]
fn the_official_url_check_is_answered_with_its_echostr() {
    let query = CallbackQuery::parse(
        "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&echostr=4375120948345356249&timestamp=1714036504&nonce=1514711492",
    );
    assert_eq!(
        verify_url(&official(), &query, now()),
        Ok("4375120948345356249".into())
    );
    let other = CallbackSettings {
        token: "BBBBB".into(),
        ..official()
    };
    assert_eq!(verify_url(&other, &query, now()), Err(Refusal::Signature));
}

#[test]
fn a_url_check_without_its_parameters_is_refused() {
    let whole = url_check(&official(), &fresh(), "123");
    for name in ["signature", "timestamp", "nonce", "echostr"] {
        let query = whole.replace(&format!("{name}="), "other=");
        let refusal = verify_url(&official(), &CallbackQuery::parse(&query), now());
        assert_eq!(refusal, Err(Refusal::Missing(name)));
    }
}

#[test]
fn the_official_encrypted_post_is_read() {
    let query = CallbackQuery::parse(
        "signature=6c5c811b55cc85e0e1b54100749188c20beb3f5d&timestamp=1714112445&nonce=415670741&openid=o9AgO5Kd5ggOC-bXrbNODIiE3bGY&encrypt_type=aes&msg_signature=046e02f8204d34f8ba5fa3b1db94908f3df2e9b3",
    );
    let body = json!({"ToUserName": "gh_97417a04a28d", "Encrypt": V3}).to_string();
    let callback = receive(&official(), &query, body.as_bytes(), now()).unwrap();
    assert_eq!(callback.from_user, "o9AgO5Kd5ggOC-bXrbNODIiE3bGY");
    assert_eq!(callback.format, Format::Json);
    assert!(callback.encrypted);
    assert_eq!(callback.nonce, "415670741");
    let event = PushEvent::Unknown {
        name: "debug_demo".into(),
    };
    assert_eq!(callback.received, Received::Event { event });
}

#[test]
fn the_official_plain_post_passes_its_signature() {
    let query = CallbackQuery::parse(
        "signature=899cf89e464efb63f54ddac96b0a0a235f53aa78&timestamp=1714037059&nonce=486452656",
    );
    let settings = CallbackSettings {
        mode: Mode::Plain,
        key: None,
        ..official()
    };
    let body = text("您好").body(Format::Xml);
    assert!(receive(&settings, &query, body.as_bytes(), now()).is_ok());
}

/// Made by wechatpy 1.8 (`WeChatCrypto.encrypt_message`) with the settings of these tests.
const WECHATPY: &str = "qRQKDlwZbSz0x8IEpznI50+y1Yhh4LmeAHFPs7khRnouQthRSUNMiECbIvukiejpxf6lF44Uq8oCTY1uRGlQwQHkGCa7xKwhV/mS5SosgyuP1LG1Q2QDeJ6YazlStYnFeSsHJ9A0k7NHNJZskwI5kUGnqA53kGfy1kD5efg+c8fuWHQzf2mYi7/M4ljVwQGUQURoTasne73ug0vSnErMh+U14EtsuLDXYyh+Q/gXyYMQF8c+Q+wpsNSzvBmqmlI26Di6LZGwiDUwFQj0Xe5sWsD6sjomIgTM5qY13d7QZlsHQ360fXqG8Mn7Tny1eh/LnjwhkJ0BQ6YGPgAkiQh9fJtheXg4T4p/cTnt4KS1ohN14VshPAoz2LN0VJVxw4xyk0/IFRZqa3DhQvqg+SFo08uUEvqOpVlfTTM8gx/jKf8=";

#[test]
fn what_another_library_encrypted_is_read() {
    let query = CallbackQuery::parse(
        "timestamp=1700000000&nonce=415670741&encrypt_type=aes&msg_signature=68cf22aa5b894ab22def2f99dde16b0c415f21ad",
    );
    let body = format!("<xml>\n<Encrypt><![CDATA[{WECHATPY}]]></Encrypt>\n</xml>");
    let callback = receive(&settings(Mode::Safe), &query, body.as_bytes(), now()).unwrap();
    assert!(
        matches!(callback.received, Received::Text { content, .. } if content == "退货怎么办😀")
    );
}

#[test]
fn every_mode_is_read_in_both_formats() {
    for mode in [Mode::Plain, Mode::Compat, Mode::Safe] {
        for format in [Format::Xml, Format::Json] {
            let request = push_request(&settings(mode), &text("退货怎么办😀"), format, &fresh());
            let callback = take(&settings(mode), &request).unwrap();
            let expected = Callback {
                received: Received::Text {
                    content: "退货怎么办😀".into(),
                    menu_id: None,
                },
                format,
                encrypted: mode != Mode::Plain,
                nonce: "415670741".into(),
                to_user: "gh_shop01".into(),
                from_user: "oUser0001".into(),
                create_time: 1_700_000_000,
                dedupe_key: "1700000000:oUser0001:24000000000000001".into(),
            };
            assert_eq!(callback, expected, "{mode:?} {format:?}");
        }
    }
}

#[test]
fn plain_and_compatible_accounts_take_both_kinds_of_body() {
    for sent in [Mode::Plain, Mode::Compat, Mode::Safe] {
        for set in [Mode::Plain, Mode::Compat] {
            let request = push_request(&settings(sent), &text("在吗"), Format::Xml, &fresh());
            assert!(
                take(&settings(set), &request).is_ok(),
                "{sent:?} to {set:?}"
            );
        }
    }
}

#[test]
fn a_plain_body_to_a_safe_account_is_a_downgrade() {
    let request = push_request(&settings(Mode::Plain), &text("在吗"), Format::Xml, &fresh());
    assert_eq!(
        take(&settings(Mode::Safe), &request),
        Err(Refusal::Downgrade)
    );
    // Nor does saying that it is encrypted help.
    let mut claimed = request.clone();
    claimed.query += "&encrypt_type=aes";
    assert_eq!(
        take(&settings(Mode::Plain), &claimed),
        Err(Refusal::Downgrade)
    );
}

#[test]
fn an_encrypted_body_needs_a_key_and_its_own_signature() {
    let mut request = push_request(&settings(Mode::Safe), &text("在吗"), Format::Xml, &fresh());
    let keyless = CallbackSettings {
        key: None,
        ..settings(Mode::Plain)
    };
    assert_eq!(take(&keyless, &request), Err(Refusal::NoKey));
    // The plain signature is good, but says nothing about the body.
    request.query = request.query.replace("msg_signature", "other");
    assert_eq!(
        take(&settings(Mode::Safe), &request),
        Err(Refusal::Missing("msg_signature"))
    );
}

#[test]
fn in_compatible_mode_only_what_was_encrypted_counts() {
    let mut request = push_request(
        &settings(Mode::Compat),
        &text("真的"),
        Format::Xml,
        &fresh(),
    );
    assert!(request.body.contains("<Content><![CDATA[真的]]></Content>"));
    request.body = request
        .body
        .replace("真的", "假的")
        .replace("oUser0001", "oUser0002");
    let callback = take(&settings(Mode::Compat), &request).unwrap();
    assert_eq!(callback.from_user, "oUser0001");
    assert!(matches!(callback.received, Received::Text { content, .. } if content == "真的"));
}

#[test]
fn each_failing_check_is_named_for_the_log() {
    let safe = settings(Mode::Safe);
    let plain = settings(Mode::Plain);
    let sealed = push_request(&safe, &text("在吗"), Format::Xml, &fresh());
    let open = push_request(&plain, &text("在吗"), Format::Xml, &fresh());
    let other_token = CallbackSettings {
        token: "other".into(),
        ..safe.clone()
    };
    let other_key = CallbackSettings {
        key: Some(CryptKey::parse(&"B".repeat(43)).unwrap()),
        ..safe.clone()
    };
    let other_app = CallbackSettings {
        app_id: "wxffffffffffffffff".into(),
        ..safe.clone()
    };
    let with_body = |body: &str| PushRequest {
        body: body.to_owned(),
        ..open.clone()
    };
    let deep_xml = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
    let deep_json = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    let deep_list = "{\"a\":".to_owned() + &"[".repeat(10_000);
    let cases = [
        (&other_token, sealed.clone(), "msg_signature"),
        (&other_token, open.clone(), "signature"),
        (&other_key, sealed.clone(), "decrypt"),
        (&other_app, sealed.clone(), "app_id"),
        (&safe, open.clone(), "downgrade"),
        (&plain, with_body(""), "malformed"),
        (&plain, with_body("   "), "malformed"),
        (&plain, with_body("hello"), "malformed"),
        (&plain, with_body("<xml>"), "malformed"),
        (&plain, with_body("<xml></xml>"), "malformed"),
        (&plain, with_body("<xml/><xml/>"), "malformed"),
        (&plain, with_body("{}"), "malformed"),
        (&plain, with_body("{\"MsgType\":"), "malformed"),
        (&plain, with_body("[]"), "malformed"),
        (
            &plain,
            with_body(&open.body.replace("CreateTime", "Time")),
            "malformed",
        ),
        (
            &plain,
            with_body(&open.body.replace("FromUserName", "From")),
            "malformed",
        ),
        (
            &plain,
            with_body(&format!("<!DOCTYPE xml>{}", open.body)),
            "doctype",
        ),
        (
            &plain,
            with_body(&format!(
                "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{}",
                open.body
            )),
            "doctype",
        ),
        (
            &plain,
            with_body("<xml><MsgType>&e;</MsgType></xml>"),
            "entity",
        ),
        (&plain, with_body(&deep_xml), "too_deep"),
        (&plain, with_body(&deep_json), "too_deep"),
        (&plain, with_body(&deep_list), "too_deep"),
    ];
    for (settings, request, reason) in cases {
        let refusal = take(settings, &request).unwrap_err();
        assert_eq!(refusal.reason(), reason, "{refusal}: {:.80}", request.body);
    }
}

#[test]
fn a_doctype_inside_the_encrypted_body_is_refused_as_well() {
    let safe = settings(Mode::Safe);
    let inner = "<!DOCTYPE xml [<!ENTITY a \"aaaa\">]><xml><MsgType>text</MsgType></xml>";
    let key = safe.key.as_ref().unwrap();
    let encrypt = crypt::encrypt(key, [7; 16], inner.as_bytes(), &safe.app_id);
    let signature = signature::sign([&safe.token, "1", "2", &encrypt]);
    let query = CallbackQuery {
        timestamp: Some("1".into()),
        nonce: Some("2".into()),
        msg_signature: Some(signature),
        ..CallbackQuery::default()
    };
    let body = format!("<xml><Encrypt>{encrypt}</Encrypt></xml>");
    let refusal = receive(&safe, &query, body.as_bytes(), now()).unwrap_err();
    assert_eq!(refusal.reason(), "doctype");
}

#[test]
fn a_doctype_that_a_customer_wrote_is_a_text() {
    let plain = settings(Mode::Plain);
    let written = "<!DOCTYPE html> &e; ]]> <b>";
    let request = push_request(&plain, &text(written), Format::Xml, &fresh());
    let callback = take(&plain, &request).unwrap();
    assert!(matches!(callback.received, Received::Text { content, .. } if content == written));
}

#[test]
fn old_timestamps_are_refused_only_where_asked_for() {
    let asked = CallbackSettings {
        max_skew: Some(SignedDuration::from_mins(10)),
        ..settings(Mode::Safe)
    };
    for (age, taken) in [(0, true), (600, true), (601, false), (-601, false)] {
        let fresh = Freshness {
            timestamp: 1_700_000_000 - age,
            ..fresh()
        };
        let request = push_request(&asked, &text("在吗"), Format::Xml, &fresh);
        assert!(take(&settings(Mode::Safe), &request).is_ok());
        let result = take(&asked, &request);
        assert_eq!(result.err(), (!taken).then_some(Refusal::Skew), "{age} s");
    }
}

#[test]
fn dedupe_keys_tell_apart_what_is_different_and_nothing_else() {
    let plain = settings(Mode::Plain);
    let key = |push: &Push, format| {
        take(&plain, &push_request(&plain, push, format, &fresh()))
            .unwrap()
            .dedupe_key
    };
    let event = |user: &str, time, name: &str, fields: &[(&str, &str)]| {
        key(
            &Push::event(user, "gh_shop01", time, name, fields),
            Format::Xml,
        )
    };
    let message =
        |user: &str, time, id| key(&Push::text(user, "gh_shop01", time, id, "在"), Format::Xml);
    let long = "k".repeat(5000);
    let different = [
        message("a", 1, 1),
        message("b", 1, 1),
        message("a", 2, 1),
        message("a", 1, 2),
        event("a", 1, "CLICK", &[("EventKey", "1")]),
        event("a", 1, "CLICK", &[("EventKey", "2")]),
        event("a", 2, "CLICK", &[("EventKey", "1")]),
        event("a", 1, "VIEW", &[("EventKey", "1")]),
        event("a", 1, "unsubscribe", &[]),
        event("a", 1, "TEMPLATESENDJOBFINISH", &[("MsgID", "1")]),
        event("a", 1, "TEMPLATESENDJOBFINISH", &[("MsgID", "2")]),
        event("a", 1, "kf_create_session", &[("KfAccount", "amy@x")]),
        event("a", 1, "kf_create_session", &[("KfAccount", "bob@x")]),
        event("a", 1, "CLICK", &[("EventKey", &long)]),
        event("a", 1, "CLICK", &[("EventKey", &(long.clone() + "x"))]),
    ];
    for (index, key) in different.iter().enumerate() {
        assert!(key.len() < 200, "{key}");
        assert!(!different[..index].contains(key), "{key}");
    }
    assert_eq!(
        key(&text("在"), Format::Xml),
        key(&text("在"), Format::Json),
        "one message, whatever it is written in"
    );
    assert_eq!(
        event("a", 1, "click", &[("EventKey", "1")]),
        event("a", 1, "CLICK", &[("EventKey", "1")])
    );
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let shown = format!("{:?}", settings(Mode::Safe));
    assert!(!shown.contains("shop") && !shown.contains(KEY), "{shown}");
}

#[test]
fn of_a_parameter_given_twice_the_first_counts() {
    let query = CallbackQuery::parse("nonce=1&nonce=2&timestamp=%31+0&x=y&&=");
    assert_eq!(query.nonce.as_deref(), Some("1"));
    assert_eq!(query.timestamp.as_deref(), Some("1 0"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    /// A good signature over any bytes at all: read or refused, never a panic.
    #[test]
    fn no_body_makes_it_panic(
        body in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            "[<>/!\\[\\]&;a-zA-Z\"'= {}:,0-9\\-]{0,200}".prop_map(String::into_bytes),
            mangled(Mode::Plain),
        ],
        query in "[a-z_=&%0-9+]{0,80}",
    ) {
        let plain = settings(Mode::Plain);
        let signed = push_request(&plain, &text("在吗"), Format::Xml, &fresh());
        let _ = receive(&plain, &CallbackQuery::parse(&signed.query), &body, now());
        prop_assert!(receive(&plain, &CallbackQuery::parse(&query), &body, now()).is_err());
    }

    /// A changed sealed body never passes as something else.
    #[test]
    fn a_mangled_sealed_body_is_refused_or_unchanged(body in mangled(Mode::Safe)) {
        let safe = settings(Mode::Safe);
        let request = push_request(&safe, &text("退货怎么办😀"), Format::Xml, &fresh());
        if let Ok(callback) = receive(&safe, &CallbackQuery::parse(&request.query), &body, now()) {
            prop_assert_eq!(Ok(callback), take(&safe, &request));
        }
    }
}

/// A good body with bytes changed, taken out and put in.
fn mangled(mode: Mode) -> impl Strategy<Value = Vec<u8>> {
    let body = push_request(
        &settings(mode),
        &text("退货怎么办😀"),
        Format::Xml,
        &fresh(),
    )
    .body;
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0..3), 1..5);
    edits.prop_map(move |edits| {
        let mut body = body.clone().into_bytes();
        for (index, byte, kind) in edits {
            if body.is_empty() {
                break;
            }
            let at = index.index(body.len());
            match kind {
                0 => body[at] = byte,
                1 => body.truncate(at),
                _ => body.insert(at, byte),
            }
        }
        body
    })
}
