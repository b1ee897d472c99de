//! Key files: one line of hexadecimal digits that only its owner may read, and the public half beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use quorate_federation::{PublicKey, SecretKey};
use quorate_hash::Digest;
use quorate_sharing::ContributorSecret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use zeroize::Zeroizing;

use crate::failure::Failure;

/// Makes a key, writes it to `path` and its public half to `path` with the ending `.pub`. Never overwrites a file.
pub(crate) fn create(path: &Path) -> Result<SecretKey, Failure> {
    let key = SecretKey::generate(&mut ChaCha20Rng::from_seed(*random()?));
    write_secret(path, key.to_text().as_bytes())?;
    let public = public_path(path);
    let text = format!("{}\n", key.public());
    fs::write(&public, text).map_err(|source| Failure::File { doing: "write", path: public, source })?;
    Ok(key)
}

/// Where the public half of the key in `path` is.
pub(crate) fn public_path(path: &Path) -> PathBuf {
    path.with_extension("pub")
}

/// Reads a secret key; refused if other users can read it too.
pub(crate) fn read(path: &Path) -> Result<SecretKey, Failure> {
    let text = read_secret(path)?;
    SecretKey::from_text(&text).map_err(|error| Failure::Key { path: path.to_owned(), error })
}

/// A public key given as its digits or as the file that holds them.
pub(crate) fn public(text: &str) -> Result<PublicKey, Failure> {
    if let Ok(key) = text.parse() {
        return Ok(key);
    }
    let path = PathBuf::from(text);
    let content = fs::read_to_string(&path).map_err(|source| Failure::File {
        doing: "read",
        path: path.clone(),
        source,
    })?;
    content.trim().parse().map_err(|error| Failure::Key { path, error })
}

/// The contributor's secret in `path`, made there if there is none. The same secret makes a repeated upload harmless.
pub(crate) fn contributor_secret(path: &Path) -> Result<ContributorSecret, Failure> {
    if !path.exists() {
        let text = Zeroizing::new(format!("{}\n", Digest(*random()?)));
        write_secret(path, text.as_bytes())?;
    }
    let text = read_secret(path)?;
    let secret: Digest = text.trim_end().parse().map_err(|_| Failure::Invalid {
        message: format!("{} does not hold a contributor's secret", path.display()),
        hint: Some("restore it; with another secret, what was uploaded before would be counted twice".into()),
    })?;
    Ok(ContributorSecret::from_bytes(secret.0))
}

/// 32 bytes from the operating system.
pub(crate) fn random() -> Result<Zeroizing<[u8; 32]>, Failure> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).map_err(Failure::Randomness)?;
    Ok(bytes)
}

/// Writes a new file that only its owner may read; never overwrites one.
pub(crate) fn write_secret(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| Failure::File { doing: "write", path: path.to_owned(), source })
}

fn read_secret(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let failed = |source| Failure::File { doing: "read", path: path.to_owned(), source };
    let mode = fs::metadata(path).map_err(failed)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(Failure::Exposed { path: path.to_owned(), mode });
    }
    fs::read_to_string(path).map(Zeroizing::new).map_err(failed)
}
