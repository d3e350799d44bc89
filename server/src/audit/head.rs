//! The head of the chain kept apart from the database, signed, so that a tail that was cut off is missed.
//!
//! Beside a database `<data>`: `<data>.audit-key` (32 random bytes in hex, mode 0600, made at first start) and
//! `<data>.audit-head` (the last row's number and hash with their HMAC-SHA-256). Who wants more than that keeps the key or
//! copies of the head on another machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::chain::{Digest, digest};

/// The last row of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 0 for an empty chain.
    pub seq: i64,
    pub hash: Digest,
}

#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// Gone, although every start writes one.
    #[error("the signed head {0} is missing")]
    Missing(PathBuf),
    /// Its signature does not fit: the head or the key was changed.
    #[error("the signed head {0} was changed: its signature does not fit the key")]
    Forged(PathBuf),
    #[error("{0}: {1}")]
    Io(PathBuf, #[source] io::Error),
}

/// Where the heads of one database are kept.
#[derive(Debug, Clone)]
pub struct HeadFile {
    path: PathBuf,
    key_path: PathBuf,
}

/// Heads as written. `lost` keeps heads that the database no longer had when the server started: evidence that
/// outlives the next head.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Signed {
    seq: i64,
    hash: String,
    #[serde(default)]
    lost: Vec<(i64, String)>,
    mac: String,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub head: Head,
    /// Heads that were found missing from the database at some start.
    pub lost: Vec<Head>,
}

impl HeadFile {
    /// The files beside the database `data`.
    pub fn beside(data: &Path) -> Self {
        let with = |suffix: &str| {
            let mut name = data.as_os_str().to_owned();
            name.push(suffix);
            PathBuf::from(name)
        };
        Self {
            path: with(".audit-head"),
            key_path: with(".audit-key"),
        }
    }

    /// Read and check the signature.
    pub fn read(&self) -> Result<Kept, HeadError> {
        let text = match fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(HeadError::Missing(self.path.clone()));
            }
            Err(error) => return Err(HeadError::Io(self.path.clone(), error)),
        };
        let forged = || HeadError::Forged(self.path.clone());
        let signed: Signed = serde_json::from_str(&text).map_err(|_| forged())?;
        let mac = hex::decode(&signed.mac).map_err(|_| forged())?;
        let key = self.key()?.ok_or_else(forged)?;
        signature(&key, &signed)
            .verify_slice(&mac)
            .map_err(|_| forged())?;
        let head = |seq, hash: &str| digest(hash).map(|hash| Head { seq, hash });
        Ok(Kept {
            head: head(signed.seq, &signed.hash).ok_or_else(forged)?,
            lost: signed
                .lost
                .iter()
                .map(|(seq, hash)| head(*seq, hash).ok_or_else(forged))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Replace the file in one step, so that a crash leaves the old head or the new one.
    pub fn write(&self, kept: &Kept) -> Result<(), HeadError> {
        let key = match self.key()? {
            Some(key) => key,
            None => self.make_key()?,
        };
        let mut signed = Signed {
            seq: kept.head.seq,
            hash: hex::encode(kept.head.hash),
            lost: kept
                .lost
                .iter()
                .map(|head| (head.seq, hex::encode(head.hash)))
                .collect(),
            mac: String::new(),
        };
        signed.mac = hex::encode(signature(&key, &signed).finalize().into_bytes());
        let text = serde_json::to_string(&signed)
            .map_err(|error| HeadError::Io(self.path.clone(), error.into()))?;
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let replace = || -> io::Result<()> {
            let mut file = File::create(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_data()?;
            fs::rename(&new, &self.path)
        };
        replace().map_err(|error| HeadError::Io(self.path.clone(), error))
    }

    /// Move files that cannot be trusted out of the way, as evidence.
    pub fn set_aside(&self) {
        for path in [&self.path, &self.key_path] {
            let mut aside = path.clone().into_os_string();
            aside.push(".bad");
            // A missing file is what may be wrong with it.
            fs::rename(path, aside).ok();
        }
    }

    fn key(&self) -> Result<Option<Vec<u8>>, HeadError> {
        match fs::read_to_string(&self.key_path) {
            Ok(text) => hex::decode(text.trim())
                .map(Some)
                .map_err(|_| HeadError::Forged(self.key_path.clone())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(HeadError::Io(self.key_path.clone(), error)),
        }
    }

    fn make_key(&self) -> Result<Vec<u8>, HeadError> {
        let key: [u8; 32] = rand::random();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let write = || -> io::Result<()> {
            let mut file = options.open(&self.key_path)?;
            file.write_all(hex::encode(key).as_bytes())?;
            file.sync_all()
        };
        write().map_err(|error| HeadError::Io(self.key_path.clone(), error))?;
        Ok(key.to_vec())
    }
}

fn signature(key: &[u8], signed: &Signed) -> Hmac<Sha256> {
    // A block-sized key made from any key: HMAC takes keys of every length, the short way never fails.
    let mut block = [0; 64];
    for (place, byte) in block.iter_mut().zip(key) {
        *place = *byte;
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(&signed.seq.to_be_bytes());
    mac.update(signed.hash.as_bytes());
    for (seq, hash) in &signed.lost {
        mac.update(&seq.to_be_bytes());
        mac.update(hash.as_bytes());
    }
    mac
}
