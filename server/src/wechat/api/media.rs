//! Downloading what customers sent.

use serde_json::Value;

use super::error::{Action, SendError, classify};
use super::{ApiClient, after_renewal, of_status, of_transport, read_body};

/// The largest download: WeChat's own limit for temporary media is 10 MB.
const MAX_MEDIA_BYTES: usize = 20 << 20;

/// A temporary media file, kept by the platform for three days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Media {
    File {
        content_type: String,
        bytes: Vec<u8>,
    },
    /// Videos come as an address to fetch from.
    VideoUrl(String),
}

impl ApiClient {
    /// Fetches the media of a received message.
    pub async fn media(&self, media_id: &str) -> Result<Media, SendError> {
        let token = self.token().await?;
        match self.fetch_media(media_id, &token).await {
            Err(error) if error.action() == Action::RefreshToken => {
                let token = self.renewed_token(&token).await?;
                self.fetch_media(media_id, &token)
                    .await
                    .map_err(after_renewal)
            }
            other => other,
        }
    }

    async fn fetch_media(&self, media_id: &str, token: &str) -> Result<Media, SendError> {
        let url = format!("{}/cgi-bin/media/get", self.base);
        let request = self
            .http
            .get(url)
            .query(&[("access_token", token), ("media_id", media_id)]);
        let response = request.send().await.map_err(of_transport)?;
        let status = response.status();
        if !status.is_success() {
            return Err(of_status(status));
        }
        let content_type = response
            .headers()
            .get(reqwest::header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or("application/octet-stream")
            .to_owned();
        let bytes = read_body(response, MAX_MEDIA_BYTES).await?;
        // Errors and videos are JSON, under whatever type.
        if bytes.first() == Some(&b'{')
            && let Ok(answer) = serde_json::from_slice::<Value>(&bytes)
        {
            let answer = self.judge(answer, token, classify)?;
            if let Some(url) = answer.get("video_url").and_then(Value::as_str) {
                return Ok(Media::VideoUrl(url.to_owned()));
            }
        }
        Ok(Media::File {
            content_type,
            bytes,
        })
    }
}
