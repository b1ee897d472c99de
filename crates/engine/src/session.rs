//! Sessions: what every draw of randomness, message and result is bound to.
//!
//! A session is the hash of everything a seal or run is about and of one fresh 256-bit nonce of each member. One
//! honest fresh nonce makes all randomness of the session new, after a crash, from a restored backup or for a
//! malicious analyst; and helpers that mean different things are in different sessions, which shows before
//! anything is opened (`docs/protocols.md`, section 4).

use quorate_hash::{Digest, Tagged};
use quorate_sharing::{HelperNumber, Scheme};

/// What a session is about.
#[derive(Clone, Debug)]
pub struct Terms<'a> {
    /// `seal` or `run`.
    pub kind: &'static str,
    /// The federation's id.
    pub federation: &'a Digest,
    /// The study's scheme.
    pub scheme: &'a Scheme,
    /// The members, ascending.
    pub members: &'a [HelperNumber],
    /// The study's id.
    pub study: &'a Digest,
    /// The set it works on: for a seal the Merkle root of the agreed ids, for a run the manifest's id.
    pub set: &'a Digest,
    /// The lowered program, or zero for a seal.
    pub program: &'a Digest,
    /// The attempt: digest of the signed request.
    pub attempt: &'a Digest,
}

/// A fresh nonce of one member.
pub type Nonce = [u8; 32];

/// The session of these terms and nonces, one for each member in the order of `terms.members`.
///
/// # Panics
/// If the number of nonces is not the number of members.
pub fn session(terms: &Terms<'_>, nonces: &[Nonce]) -> Digest {
    assert_eq!(terms.members.len(), nonces.len(), "one nonce per member");
    Tagged::new("quorate/1/session")
        .bytes(terms.kind.as_bytes())
        .digest(terms.federation)
        .bytes(terms.scheme.to_string().as_bytes())
        .bytes(terms.members)
        .digest(terms.study)
        .digest(terms.set)
        .digest(terms.program)
        .digest(terms.attempt)
        .list(nonces.iter())
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that the helpers must agree on makes another session when it changes.
    #[test]
    fn every_term_matters() {
        let scheme = Scheme::shamir(4, 1).unwrap();
        let other_scheme = Scheme::shamir(5, 1).unwrap();
        let d = |i| Digest([i; 32]);
        let (one, two) = (d(1), d(2));
        let base = Terms {
            kind: "run",
            federation: &one,
            scheme: &scheme,
            members: &[1, 2, 3],
            study: &one,
            set: &one,
            program: &one,
            attempt: &one,
        };
        let nonces = [[1; 32], [2; 32], [3; 32]];
        let variants = [
            Terms { kind: "seal", ..base.clone() },
            Terms { federation: &two, ..base.clone() },
            Terms { scheme: &other_scheme, ..base.clone() },
            Terms { members: &[1, 2, 4], ..base.clone() },
            Terms { study: &two, ..base.clone() },
            Terms { set: &two, ..base.clone() },
            Terms { program: &two, ..base.clone() },
            Terms { attempt: &two, ..base.clone() },
        ];
        let mut sessions: Vec<Digest> = variants.iter().map(|terms| session(terms, &nonces)).collect();
        sessions.push(session(&base, &nonces));
        sessions.push(session(&base, &[[1; 32], [2; 32], [4; 32]]));
        sessions.push(session(&base, &[[2; 32], [1; 32], [3; 32]]));
        let distinct: std::collections::BTreeSet<_> = sessions.iter().collect();
        assert_eq!(distinct.len(), sessions.len());
    }
}
