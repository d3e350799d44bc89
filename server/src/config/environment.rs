//! The environment over the file: secrets belong here.

use super::{Config, ConfigError};

/// `YINGDA_LISTEN`, `YINGDA_DATA`, and per account `YINGDA_<ID>_APP_SECRET`, `…_TOKEN`, `…_ENCODING_AES_KEY`,
/// `…_APP_ID`, with the id in upper case and `-` as `_`. `variable` looks a name up.
pub fn apply(
    config: &mut Config,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<(), ConfigError> {
    if let Some(listen) = variable("YINGDA_LISTEN") {
        config.listen = listen;
    }
    if let Some(data) = variable("YINGDA_DATA") {
        config.data = std::env::current_dir()
            .map_err(|error| ConfigError::Unreadable {
                file: ".".into(),
                cause: error.to_string(),
            })?
            .join(data);
    }
    for account in &mut config.accounts {
        let prefix = format!("YINGDA_{}_", account.id.to_uppercase().replace('-', "_"));
        let set = |name: &str, target: &mut String| {
            if let Some(value) = variable(&format!("{prefix}{name}")) {
                *target = value;
            }
        };
        set("APP_ID", &mut account.app_id);
        set("APP_SECRET", &mut account.app_secret);
        set("TOKEN", &mut account.token);
        set("ENCODING_AES_KEY", &mut account.encoding_aes_key);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_wins_over_the_file() {
        let mut config: Config = toml::from_str(
            "[[account]]\nid = \"my-shop\"\ntoken = \"from-file\"\napp_secret = \"from-file\"",
        )
        .unwrap();
        apply(&mut config, |name| match name {
            "YINGDA_MY_SHOP_APP_SECRET" => Some("from-env".into()),
            "YINGDA_LISTEN" => Some("127.0.0.1:9".into()),
            _ => None,
        })
        .unwrap();
        assert_eq!(config.accounts[0].app_secret, "from-env");
        assert_eq!(config.accounts[0].token, "from-file");
        assert_eq!(config.listen, "127.0.0.1:9");
    }
}
