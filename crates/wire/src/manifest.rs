//! What a seal agreed on.

use quorate_federation::{Federation, Signature};
use quorate_hash::{Digest, Tagged};
use serde::{Deserialize, Serialize};

/// The agreed, checked set of a sealed study. Its id is the hash of its content; all sealing helpers sign it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The federation's id.
    pub federation: Digest,
    /// The study's id.
    pub study: Digest,
    /// The session in which it was sealed.
    pub session: Digest,
    /// The sealing helpers: only they take part in runs.
    pub members: Vec<u8>,
    /// Merkle root over the accepted contributions in canonical order: ascending ids, each leaf the hash of id and
    /// number of rows.
    pub root: Digest,
    /// Accepted contributions.
    pub contributions: u64,
    /// Their rows.
    pub rows: u64,
    /// Contributions that all sealing helpers had but that failed a check.
    pub excluded: Exclusions,
    /// Contributions that some but not all sealing helpers had.
    pub left_out: LeftOut,
    /// Whether the degree check ran, so that every contribution is one polynomial at all sealing helpers.
    pub degree_checked: bool,
    /// Whether values out of their ranges were looked for.
    pub range_checked: bool,
    /// Whether vectors above the norm that their column allows were looked for.
    pub norm_checked: bool,
}

/// Contributions that all sealing helpers had but that failed a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exclusions {
    /// Contributions whose pieces do not lie on one polynomial of the threshold's degree.
    pub off_degree: u64,
    /// How many had a value out of its range.
    pub out_of_range: u64,
    /// How many had a vector above the norm that its column allows.
    pub above_norm: u64,
    /// Merkle root over their ids, ascending.
    pub root: Digest,
}

impl Exclusions {
    /// Contributions that were excluded, for whatever reason.
    pub fn total(&self) -> u64 {
        self.off_degree.saturating_add(self.out_of_range).saturating_add(self.above_norm)
    }
}

/// Contributions that not all sealing helpers had: unfinished uploads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// How many.
    pub contributions: u64,
    /// How many contributions each participating helper reported, by helper number.
    pub reported: Vec<(u8, u64)>,
}

/// A manifest and the signatures of all its members, in their order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedManifest {
    /// What was agreed.
    pub manifest: Manifest,
    /// One signature per member, in the order of `manifest.members`.
    pub signatures: Vec<Signature>,
}

const LABEL: &str = "quorate/1/manifest";

impl Manifest {
    /// The manifest's id: hash of its JSON text (fields in the order above, no spaces).
    ///
    /// # Panics
    /// Never: a manifest is plain data.
    #[expect(clippy::expect_used, reason = "a manifest is plain data with text keys")]
    pub fn id(&self) -> Digest {
        let text = serde_json::to_vec(self).expect("a manifest is plain data");
        Tagged::new(LABEL).bytes(&text).finish()
    }

    /// A member's signature.
    pub fn sign(&self, key: &quorate_federation::SecretKey) -> Signature {
        key.sign(LABEL, &self.id())
    }

    /// Whether the helper with `key` signed this manifest.
    pub fn is_signed_by(&self, key: &quorate_federation::PublicKey, signature: &Signature) -> bool {
        key.verify(LABEL, &self.id(), signature).is_ok()
    }
}

/// A signed manifest that proves nothing. To blame: whoever shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// It is of another federation or study.
    #[error("the manifest is of another federation or study")]
    Elsewhere,
    /// Its members are not ascending helpers of the federation, or fewer than a seal takes.
    #[error("the manifest's members are not helpers enough to seal the study")]
    Members,
    /// Not every member's signature is there and right.
    #[error("the manifest is not signed by helper {helper}")]
    Signature {
        /// The first member whose signature is missing or wrong.
        helper: u8,
    },
}

impl Manifest {
    /// Whether this can be a manifest of `study` that at least `needed` helpers of the federation seal.
    pub fn check(&self, federation: &Federation, study: &Digest, needed: usize) -> Result<(), ManifestError> {
        if self.federation != *federation.id() || self.study != *study {
            return Err(ManifestError::Elsewhere);
        }
        let are_helpers = self.members.iter().all(|member| federation.member(*member).is_some());
        if !self.members.is_sorted_by(|a, b| a < b) || !are_helpers || self.members.len() < needed {
            return Err(ManifestError::Members);
        }
        Ok(())
    }
}

impl SignedManifest {
    /// Whether this seals `study`: it can be its manifest, and every member signed it.
    pub fn check(&self, federation: &Federation, study: &Digest, needed: usize) -> Result<(), ManifestError> {
        self.manifest.check(federation, study, needed)?;
        let id = self.manifest.id();
        for (index, number) in self.manifest.members.iter().enumerate() {
            let key = federation.member(*number).map(|member| member.key);
            let signature = self.signatures.get(index);
            let is_signed =
                key.zip(signature).is_some_and(|(key, signature)| key.verify(LABEL, &id, signature).is_ok());
            if !is_signed {
                return Err(ManifestError::Signature { helper: *number });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use quorate_federation::{Card, Member, SecretKey};
    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::*;

    fn key(number: u8) -> SecretKey {
        SecretKey::generate(&mut ChaCha20Rng::from_seed([number; 32]))
    }

    fn federation() -> Federation {
        let card = |number: u8| {
            let (name, address) = (format!("h{number}"), format!("h{number}:7100"));
            Card::new(Member {
                name,
                address,
                peer_address: format!("h{number}:7200"),
                key: key(number).public(),
            })
        };
        Federation::of_cards("wages", 1, (1..=4).map(|number| card(number).unwrap()).collect()).unwrap()
    }

    fn signed(members: &[u8], signers: &[u8]) -> SignedManifest {
        let manifest = Manifest {
            federation: *federation().id(),
            study: Digest([1; 32]),
            session: Digest([2; 32]),
            members: members.to_vec(),
            root: Digest([3; 32]),
            contributions: 10,
            rows: 10,
            excluded: Exclusions::default(),
            left_out: LeftOut { contributions: 0, reported: Vec::new() },
            degree_checked: true,
            range_checked: true,
            norm_checked: false,
        };
        let signatures = signers.iter().map(|number| manifest.sign(&key(*number))).collect();
        SignedManifest { manifest, signatures }
    }

    #[test]
    fn only_enough_distinct_helpers_that_all_signed_seal_a_study() {
        let check = |members: &[u8], signers: &[u8]| {
            signed(members, signers).check(&federation(), &Digest([1; 32]), 3)
        };
        assert_eq!(check(&[1, 2, 4], &[1, 2, 4]), Ok(()));
        assert_eq!(check(&[1, 2, 4], &[1, 2]), Err(ManifestError::Signature { helper: 4 }));
        assert_eq!(check(&[1, 2, 4], &[1, 3, 4]), Err(ManifestError::Signature { helper: 2 }));
        for members in [&[][..], &[2], &[2, 2, 2], &[1, 2], &[4, 2, 1], &[1, 2, 9]] {
            assert_eq!(check(members, members), Err(ManifestError::Members), "{members:?}");
        }
        let elsewhere = signed(&[1, 2, 3], &[1, 2, 3]).check(&federation(), &Digest([9; 32]), 3);
        assert_eq!(elsewhere, Err(ManifestError::Elsewhere));
    }
}
