//! The model file (`.yim`): `YIM` and a zero byte, schema version (u16, little end first), feature-spec version (u16),
//! length of the body (u64), SHA-256 of the body, the body: postcard of [`Body`].

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::ModelError;
use crate::features::SPEC;

const MAGIC: &[u8; 4] = b"YIM\0";
const SCHEMA: u16 = 1;
const HEADER: usize = 4 + 2 + 2 + 8 + 32;

/// What a model file holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Body {
    pub intents: Packed,
    pub emotions: Packed,
    /// Raw greatest intent score below which the classifier refuses.
    pub refusal: f32,
    /// SHA-256 over the training data, in hexadecimal.
    pub data: String,
    /// Figures measured on held-out data when the model was made, by name.
    pub figures: Vec<(String, f64)>,
}

/// A linear classifier with its vocabulary, weights in eight bits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Packed {
    pub labels: Vec<String>,
    /// Ascending, as differences from one to the next.
    pub hashes: Vec<u32>,
    /// Inverse document frequencies in steps of [`IDF_STEP`].
    pub idf: Vec<u8>,
    /// `weights[feature * labels + label]`, each `weight / scale[label]`.
    pub weights: Vec<i8>,
    pub scales: Vec<f32>,
    pub bias: Vec<f32>,
    /// What scores are multiplied by before the softmax.
    pub sharpness: f32,
}

/// One step of a packed inverse document frequency.
pub const IDF_STEP: f32 = 1.0 / 16.0;

/// Writes a model file.
pub fn write(body: &Body) -> Vec<u8> {
    // Serialising plain vectors and numbers into memory has no way to fail.
    let bytes = postcard::to_allocvec(body).unwrap_or_default();
    let mut out = Vec::with_capacity(HEADER + bytes.len());
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(&SCHEMA.to_le_bytes());
    out.extend_from_slice(&SPEC.to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(&Sha256::digest(&bytes));
    out.extend_from_slice(&bytes);
    out
}

/// Reads a model file and its fingerprint (the first 16 hexadecimal digits of the body's SHA-256).
///
/// # Errors
/// A file that is foreign, cut short, damaged, of another schema or feature spec, or whose parts do not fit each other.
pub fn read(bytes: &[u8]) -> Result<(Body, String), ModelError> {
    if !bytes.starts_with(MAGIC) {
        return Err(ModelError::Foreign);
    }
    let (Some(header), Some(body)) = (bytes.get(..HEADER), bytes.get(HEADER..)) else {
        return Err(ModelError::Truncated {
            found: bytes.len(),
            expected: HEADER,
        });
    };
    let schema = u16::from_le_bytes([header[4], header[5]]);
    if schema != SCHEMA {
        return Err(ModelError::Schema {
            found: schema,
            expected: SCHEMA,
        });
    }
    let spec = u16::from_le_bytes([header[6], header[7]]);
    if spec != SPEC {
        return Err(ModelError::FeatureSpec {
            found: spec,
            expected: SPEC,
        });
    }
    let mut length = [0; 8];
    length.copy_from_slice(&header[8..16]);
    let length = u64::from_le_bytes(length);
    if body.len() as u64 != length {
        let expected = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .saturating_add(HEADER);
        return Err(ModelError::Truncated {
            found: bytes.len(),
            expected,
        });
    }
    let digest = Sha256::digest(body);
    if digest.as_slice() != &header[16..48] {
        return Err(ModelError::Damaged);
    }
    let body: Body = postcard::from_bytes(body).map_err(|_| ModelError::Damaged)?;
    body.intents.check()?;
    body.emotions.check()?;
    let fingerprint = hex::encode(&digest.as_slice()[..8]);
    Ok((body, fingerprint))
}

impl Packed {
    fn check(&self) -> Result<(), ModelError> {
        let labels = self.labels.len();
        let features = self.hashes.len();
        let fits = labels > 0
            && self.idf.len() == features
            && self.weights.len() == features * labels
            && self.scales.len() == labels
            && self.bias.len() == labels
            && self.sharpness.is_finite()
            && self.scales.iter().chain(&self.bias).all(|x| x.is_finite());
        if fits {
            Ok(())
        } else {
            Err(ModelError::Inconsistent("各部分的长度不一致"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Body {
        let packed = Packed {
            labels: vec!["a".into(), "b".into()],
            hashes: vec![1, 2, 3],
            idf: vec![16; 3],
            weights: vec![1; 6],
            scales: vec![0.1; 2],
            bias: vec![0.0; 2],
            sharpness: 1.0,
        };
        Body {
            intents: packed.clone(),
            emotions: packed,
            refusal: 0.5,
            data: "0".repeat(64),
            figures: vec![("accuracy".into(), 0.9)],
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = write(&body());
        let (read, fingerprint) = read(&bytes).unwrap();
        assert_eq!(read, body());
        assert_eq!(fingerprint.len(), 16);
    }

    #[test]
    fn no_damage_goes_unnoticed() {
        let good = write(&body());
        for cut in 0..good.len() {
            assert!(read(&good[..cut]).is_err(), "cut at {cut}");
        }
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 4;
            assert!(read(&bad).is_err(), "flipped in byte {byte}");
        }
        assert!(matches!(read(b"PK\x03\x04"), Err(ModelError::Foreign)));
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        let mut bad = body();
        bad.intents.weights.pop();
        assert!(matches!(
            read(&write(&bad)),
            Err(ModelError::Inconsistent(_))
        ));
    }
}
