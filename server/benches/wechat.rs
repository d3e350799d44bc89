//! What a callback costs before and after the decision: check, decrypt and read; render, encrypt and sign.
//!
//! `cargo bench -p yingda --bench wechat`

#![allow(clippy::unwrap_used)] // A benchmark without its fixtures has nothing to measure.

use divan::{Bencher, black_box};
use jiff::Timestamp;
use yingda_server::wechat::callback::{CallbackQuery, CallbackSettings, Mode, receive};
use yingda_server::wechat::crypt::{self, CryptKey};
use yingda_server::wechat::document::Format;
use yingda_server::wechat::platform::{Freshness, Push, PushRequest, push_request};
use yingda_server::wechat::reply::{Addressing, PassiveReply, render, seal};
use yingda_server::wechat::signature;

fn main() {
    divan::main();
}

const FORMATS: [Format; 2] = [Format::Xml, Format::Json];
const MODES: [Mode; 3] = [Mode::Plain, Mode::Compat, Mode::Safe];

fn settings(mode: Mode) -> CallbackSettings {
    CallbackSettings {
        app_id: "wx1234567890abcdef".into(),
        token: "shop".into(),
        key: CryptKey::parse("jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C").ok(),
        mode,
        max_skew: None,
    }
}

fn request(mode: Mode, format: Format) -> PushRequest {
    let content = "你好，我上周买的那件衬衫还没有收到，订单号 20231114，麻烦帮我查一下快递到哪里了";
    let push = Push::text(
        "oUser0001",
        "gh_shop01",
        1_700_000_000,
        24_000_000_000_000_001,
        content,
    );
    let fresh = Freshness {
        timestamp: 1_700_000_000,
        nonce: "415670741".into(),
        random: *b"0123456789abcdef",
    };
    push_request(&settings(mode), &push, format, &fresh)
}

fn reply() -> PassiveReply {
    PassiveReply::Text {
        content: "您的订单已于昨天发出，目前在广州转运中心，预计明天送达。还有其他可以帮您的吗？"
            .into(),
    }
}

fn back(format: Format) -> Addressing {
    Addressing {
        customer: "oUser0001".into(),
        account: "gh_shop01".into(),
        create_time: 1_700_000_002,
        format,
    }
}

/// The whole way in.
#[divan::bench(args = cases())]
fn inbound(bencher: Bencher, case: &Case) {
    let settings = settings(case.mode);
    let request = request(case.mode, case.format);
    let now = Timestamp::UNIX_EPOCH;
    bencher.bench(|| {
        let query = CallbackQuery::parse(black_box(&request.query));
        receive(&settings, &query, black_box(request.body.as_bytes()), now).unwrap()
    });
}

/// The whole way out.
#[divan::bench(args = FORMATS)]
fn outbound(bencher: Bencher, format: Format) {
    let (settings, reply, back) = (settings(Mode::Safe), reply(), back(format));
    bencher.bench(|| {
        let body = render(black_box(&reply), &back);
        seal(
            &body,
            &settings,
            "415670741",
            1_700_000_002,
            [7; 16],
            format,
        )
        .unwrap()
    });
}

#[divan::bench]
fn sign() -> String {
    signature::sign(black_box(["shop", "1700000000", "415670741"]))
}

#[divan::bench(args = [200, 2_000, 20_000])]
fn decrypt(bencher: Bencher, length: usize) {
    let settings = settings(Mode::Safe);
    let key = settings.key.unwrap();
    let cipher = crypt::encrypt(&key, [7; 16], &vec![b'x'; length], &settings.app_id);
    bencher.bench(|| crypt::decrypt(&key, black_box(&cipher), &settings.app_id).unwrap());
}

struct Case {
    mode: Mode,
    format: Format,
}

impl std::fmt::Display for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?}", self.mode, self.format)
    }
}

fn cases() -> impl Iterator<Item = Case> {
    MODES
        .into_iter()
        .flat_map(|mode| FORMATS.map(|format| Case { mode, format }))
}
