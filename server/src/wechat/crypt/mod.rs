//! WeChat's message encryption: AES-256-CBC over `random16 ‖ length (u32, big-endian) ‖ message ‖ receive id`,
//! PKCS#7 to a multiple of **32** bytes, IV = the first 16 bytes of the key, the result in standard base64.

use std::fmt;

use aes::Aes256;
use aes::cipher::array::Array;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};

const AES_BLOCK: usize = 16;
/// WeChat pads to this, not to the AES block.
const PAD_TO: usize = 32;
/// random16 and the length before the message.
const HEAD: usize = 20;

/// The 43rd character of a key may carry bits that belong to no byte; a strict decoder refuses three keys of four.
const KEY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The key made of an EncodingAESKey. Its `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct CryptKey([u8; 32]);

impl CryptKey {
    /// Reads the 43 characters that the WeChat console calls EncodingAESKey.
    pub fn parse(encoding_aes_key: &str) -> Result<Self, KeyError> {
        let length = encoding_aes_key.chars().count();
        if length != 43 {
            return Err(KeyError::Length(length));
        }
        let bytes = KEY_BASE64
            .decode(format!("{encoding_aes_key}="))
            .map_err(|_| KeyError::Alphabet)?;
        bytes.try_into().map(Self).map_err(|_| KeyError::Alphabet)
    }

    fn iv(&self) -> [u8; AES_BLOCK] {
        let mut iv = [0; AES_BLOCK];
        iv.copy_from_slice(&self.0[..AES_BLOCK]);
        iv
    }
}

impl fmt::Debug for CryptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CryptKey(…)")
    }
}

/// Why a text is no EncodingAESKey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("EncodingAESKey 应为 43 个字符，现为 {0} 个；请在公众平台“开发 - 基本配置”里重新复制")]
    Length(usize),
    #[error(
        "EncodingAESKey 只能由字母、数字、+ 和 / 组成；请在公众平台“开发 - 基本配置”里重新复制"
    )]
    Alphabet,
}

/// Why a ciphertext was refused. For the log only: the sender gets one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CryptError {
    #[error("the ciphertext is not standard base64")]
    Base64,
    #[error("the ciphertext is empty or no whole number of blocks")]
    Blocks,
    #[error("the padding is wrong (another EncodingAESKey?)")]
    Padding,
    #[error("the length field does not fit (another EncodingAESKey?)")]
    MessageLength,
    #[error("encrypted for another AppID")]
    ReceiveId,
}

/// Encrypts `message` for `receive_id` (the AppID). `random` must be fresh for every message.
pub fn encrypt(key: &CryptKey, random: [u8; 16], message: &[u8], receive_id: &str) -> String {
    let length = HEAD + message.len() + receive_id.len();
    let pad = PAD_TO - length % PAD_TO;
    let mut plain = Vec::with_capacity(length + pad);
    plain.extend_from_slice(&random);
    // A message over 4 GiB cannot be written down; nothing here comes near it.
    plain.extend_from_slice(
        &u32::try_from(message.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    plain.extend_from_slice(message);
    plain.extend_from_slice(receive_id.as_bytes());
    plain.resize(length + pad, pad as u8);
    let (blocks, _) = Array::slice_as_chunks_mut(&mut plain);
    cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into()).encrypt_blocks(blocks);
    STANDARD.encode(plain)
}

/// Decrypts base64 `text` and checks that it is meant for `receive_id`. Check the signature before calling this.
pub fn decrypt(key: &CryptKey, text: &str, receive_id: &str) -> Result<Vec<u8>, CryptError> {
    let mut plain = STANDARD.decode(text).map_err(|_| CryptError::Base64)?;
    let (blocks, rest) = Array::slice_as_chunks_mut(&mut plain);
    if blocks.is_empty() || !rest.is_empty() {
        return Err(CryptError::Blocks);
    }
    // The unpadder of the cipher crate knows padding of at most one AES block, so it is taken off by hand.
    cbc::Decryptor::<Aes256>::new(&key.0.into(), &key.iv().into()).decrypt_blocks(blocks);
    let unpadded = unpadded_length(&plain).ok_or(CryptError::Padding)?;
    plain.truncate(unpadded);
    let length = plain
        .get(16..HEAD)
        .and_then(|bytes| bytes.try_into().ok())
        .map(u32::from_be_bytes)
        .and_then(|length| usize::try_from(length).ok())
        .ok_or(CryptError::MessageLength)?;
    let end = HEAD.checked_add(length).ok_or(CryptError::MessageLength)?;
    let id = plain.get(end..).ok_or(CryptError::MessageLength)?;
    if id != receive_id.as_bytes() {
        return Err(CryptError::ReceiveId);
    }
    plain.truncate(end);
    plain.drain(..HEAD);
    Ok(plain)
}

fn unpadded_length(plain: &[u8]) -> Option<usize> {
    let pad = usize::from(*plain.last()?);
    let start = plain.len().checked_sub(pad)?;
    let padding = plain.get(start..)?;
    let good = (1..=PAD_TO).contains(&pad) && padding.iter().all(|byte| usize::from(*byte) == pad);
    good.then_some(start)
}

#[cfg(test)]
mod tests;
