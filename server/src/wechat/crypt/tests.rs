use super::*;
use crate::wechat::signature;
use aes::cipher::block_padding::NoPadding;
use proptest::prelude::*;

/// Of Tencent's page on message encryption.
const OFFICIAL_ID: &str = "wxba5fad812f8e6fb9";
const V3: &str = "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcvZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3Fn2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSeOBrebufAlr7F9mFUPAJGj04=";
/// Of Tencent's sample code, as SKIT's and EasyWeChat's tests have it: its padding is 30 bytes.
const B_KEY: &str = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
const B_ID: &str = "wx5823bf96d3bd56c7";
const B: &str = "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==";

fn official_key() -> CryptKey {
    CryptKey::parse(&"A".repeat(43)).unwrap()
}

#[test]
fn the_official_request_decrypts() {
    let message = decrypt(&official_key(), V3, OFFICIAL_ID).unwrap();
    assert_eq!(
        String::from_utf8(message).unwrap(),
        r#"{"ToUserName":"gh_97417a04a28d","FromUserName":"o9AgO5Kd5ggOC-bXrbNODIiE3bGY","CreateTime":1714112445,"MsgType":"event","Event":"debug_demo","debug_str":"hello world"}"#
    );
    assert!(signature::verify(
        ["AAAAA", "1714112445", "415670741", V3],
        "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
    ));
}

#[test]
fn the_official_reply_encrypts() {
    let message = br#"{"demo_resp":"good luck"}"#;
    let cipher = encrypt(&official_key(), *b"707722b803182950", message, OFFICIAL_ID);
    assert_eq!(
        cipher,
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    );
    assert_eq!(
        signature::sign(["AAAAA", "1713424427", "415670741", &cipher]),
        "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1"
    );
}

#[test]
fn padding_longer_than_an_aes_block_is_taken_off() {
    let message = decrypt(&CryptKey::parse(B_KEY).unwrap(), B, B_ID).unwrap();
    let message = String::from_utf8(message).unwrap();
    assert!(
        message.contains("<Content><![CDATA[hello]]></Content>"),
        "{message}"
    );
    assert!(message.contains("<MsgId>4561255354251345929</MsgId>"));
    assert!(signature::verify(
        ["QDG6eK", "1409659813", "1372623149", B],
        "477715d11cdb4164915debcba66cb864d751f3e6"
    ));
}

#[test]
fn keys_with_bits_left_over_in_the_last_character_are_taken() {
    // The last character stands for four bits; the two bits beyond are given in the clear by some generators.
    for last in ["A", "B", "C", "D", "2C", "/"] {
        let key = format!("{}{last}", "k".repeat(43 - last.len()));
        assert!(CryptKey::parse(&key).is_ok(), "{key}");
    }
}

#[test]
fn what_is_no_key_is_told_why() {
    let cases = [
        ("", KeyError::Length(0)),
        (&"A".repeat(42), KeyError::Length(42)),
        (&"A".repeat(44), KeyError::Length(44)),
        (&"钥".repeat(43), KeyError::Alphabet),
        (&("A".repeat(42) + "="), KeyError::Alphabet),
        (&("A".repeat(42) + "-"), KeyError::Alphabet),
    ];
    for (text, expected) in cases {
        assert_eq!(CryptKey::parse(text), Err(expected), "{text}");
    }
}

#[test]
fn a_key_does_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", official_key()), "CryptKey(…)");
}

/// A ciphertext of bytes that `encrypt` would never write.
fn encrypt_raw(plain: &[u8]) -> String {
    let key = official_key();
    let cipher = cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into())
        .encrypt_padded_vec::<NoPadding>(plain);
    STANDARD.encode(cipher)
}

/// 16 random bytes, a length field, `rest`, and padding bytes of value `pad` up to `total`.
fn plain(length: u32, rest: &[u8], pad: u8, total: usize) -> Vec<u8> {
    let mut plain = vec![b'r'; 16];
    plain.extend_from_slice(&length.to_be_bytes());
    plain.extend_from_slice(rest);
    plain.resize(total, pad);
    plain
}

#[test]
fn hostile_ciphertexts_are_refused_by_cause() {
    let id = OFFICIAL_ID.as_bytes();
    let cases: Vec<(&str, String, CryptError)> = vec![
        ("nothing", String::new(), CryptError::Blocks),
        ("not base64", "***".into(), CryptError::Base64),
        ("url-safe base64", V3.replace('+', "-"), CryptError::Base64),
        (
            "base64 cut short",
            V3[..V3.len() - 3].into(),
            CryptError::Base64,
        ),
        ("spaces", format!(" {V3}"), CryptError::Base64),
        ("half a block", STANDARD.encode([0; 8]), CryptError::Blocks),
        (
            "one and a half blocks",
            STANDARD.encode([0; 24]),
            CryptError::Blocks,
        ),
        (
            "padding 0",
            encrypt_raw(&plain(0, id, 0, 64)),
            CryptError::Padding,
        ),
        (
            "padding 33",
            encrypt_raw(&plain(0, id, 33, 96)),
            CryptError::Padding,
        ),
        (
            "padding over the end",
            encrypt_raw(&[17; 16]),
            CryptError::Padding,
        ),
        (
            "uneven padding",
            encrypt_raw(&[&[1; 30][..], &[3, 2]].concat()),
            CryptError::Padding,
        ),
        (
            "only padding",
            encrypt_raw(&[32; 32]),
            CryptError::MessageLength,
        ),
        (
            "no room for a length",
            encrypt_raw(&[14; 32]),
            CryptError::MessageLength,
        ),
        (
            "length FFFFFFFF",
            encrypt_raw(&plain(u32::MAX, id, 26, 64)),
            CryptError::MessageLength,
        ),
        (
            "length one too long",
            encrypt_raw(&plain(19, id, 26, 64)),
            CryptError::MessageLength,
        ),
        (
            "length swallows the id",
            encrypt_raw(&plain(18, id, 26, 64)),
            CryptError::ReceiveId,
        ),
        (
            "another AppID",
            encrypt(&official_key(), [0; 16], b"hi", "wx0000000000000000"),
            CryptError::ReceiveId,
        ),
        (
            "an AppID that begins the same",
            encrypt(&official_key(), [0; 16], b"hi", &format!("{OFFICIAL_ID}x")),
            CryptError::ReceiveId,
        ),
        (
            "no AppID",
            encrypt(&official_key(), [0; 16], b"hi", ""),
            CryptError::ReceiveId,
        ),
    ];
    for (name, cipher, expected) in cases {
        assert_eq!(
            decrypt(&official_key(), &cipher, OFFICIAL_ID),
            Err(expected),
            "{name}"
        );
    }
}

proptest! {
    #[test]
    fn what_was_encrypted_decrypts(
        key in "[A-Za-z0-9+/]{43}",
        random: [u8; 16],
        message in prop::collection::vec(any::<u8>(), 0..300),
        id in "[a-z0-9]{0,40}",
    ) {
        let key = CryptKey::parse(&key).unwrap();
        let cipher = encrypt(&key, random, &message, &id);
        prop_assert_eq!(STANDARD.decode(&cipher).unwrap().len() % 32, 0);
        prop_assert_eq!(decrypt(&key, &cipher, &id), Ok(message));
    }

    #[test]
    fn a_changed_ciphertext_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decrypt(&official_key(), &STANDARD.encode(&bytes), OFFICIAL_ID);
        let _ = decrypt(&official_key(), &String::from_utf8_lossy(&bytes), OFFICIAL_ID);
    }
}
