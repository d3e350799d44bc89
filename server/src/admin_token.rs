//! Who may use the admin API: bearer tokens, known here by their SHA-256 only.

use std::io::Write;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::config::Config;

/// Environment variable with an administrator's token.
pub const VARIABLE: &str = "YINGDA_ADMIN_TOKEN";

/// The tokens that open the API, each with the name that audit rows carry.
#[derive(Debug, Default)]
pub struct AdminTokens {
    tokens: Vec<(String, [u8; 32])>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}", file.display())]
pub struct TokenFileError {
    pub file: PathBuf,
    pub cause: String,
}

impl AdminTokens {
    /// From configuration and environment; where neither has one, a token is made and kept beside the database,
    /// readable by its owner only.
    pub fn load(config: &Config, environment: Option<String>) -> Result<Self, TokenFileError> {
        let mut tokens = Self::default();
        for admin in &config.admin {
            let mut digest = [0u8; 32];
            if hex::decode_to_slice(&admin.token_sha256, &mut digest).is_ok() {
                tokens.tokens.push((admin.name.clone(), digest));
            }
        }
        if let Some(token) = environment.filter(|token| !token.is_empty()) {
            tokens.add("admin", &token);
        }
        if tokens.tokens.is_empty() {
            tokens.add("local", &local_token(&config.data_path())?);
        }
        Ok(tokens)
    }

    /// Add a token in clear under a name.
    pub fn add(&mut self, name: &str, token: &str) {
        self.tokens
            .push((name.to_string(), Sha256::digest(token.as_bytes()).into()));
    }

    /// The name of who sent `Authorization: Bearer …`; every token is compared in constant time.
    pub fn name(&self, authorization: &str) -> Option<&str> {
        let token = authorization.strip_prefix("Bearer ")?.trim();
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (name, known) in &self.tokens {
            if bool::from(known.ct_eq(&digest)) {
                found = Some(name.as_str());
            }
        }
        found
    }
}

/// Where the token made at first start is kept.
pub fn local_token_path(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_os_string();
    name.push(".admin-token");
    PathBuf::from(name)
}

fn local_token(data: &Path) -> Result<String, TokenFileError> {
    let file = local_token_path(data);
    if let Ok(token) = std::fs::read_to_string(&file)
        && !token.trim().is_empty()
    {
        return Ok(token.trim().to_string());
    }
    let token = hex::encode(rand::random::<[u8; 24]>());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
        .open(&file)
        .and_then(|mut opened| opened.write_all(token.as_bytes()))
        .map_err(|error| TokenFileError {
            file: file.clone(),
            cause: error.to_string(),
        })?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest() {
        let mut tokens = AdminTokens::default();
        tokens.add("ops", "secret");
        assert_eq!(tokens.name("Bearer secret"), Some("ops"));
        assert_eq!(tokens.name("Bearer Secret"), None);
        assert_eq!(tokens.name("secret"), None);
        assert_eq!(tokens.name("Bearer "), None);
    }

    #[test]
    fn the_local_token_is_made_once_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("y.db");
        let token = local_token(&data).unwrap();
        assert_eq!(local_token(&data).unwrap(), token);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(local_token_path(&data))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
