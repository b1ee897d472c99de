//! A helper's directory: `helper.toml`, `identity.key`, `federation.toml` and `data/`.
//!
//! The key is made here and never leaves ([`HelperDir::init`]); what leaves is the card. One directory is one
//! helper in one federation for life: another federation file is refused, because what is stored belongs to the
//! first. Files appear complete or not at all.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use quorate_federation::{Card, Federation, FederationError, Member, PublicKey, SecretKey};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::HelperError;

const FORMAT: u32 = 1;
const SETTINGS: &str = "helper.toml";
const KEY: &str = "identity.key";
const FEDERATION: &str = "federation.toml";
const DATA: &str = "data";

/// A helper's directory, read and checked: everything [`run`](crate::run()) needs to start.
#[derive(Debug)]
pub struct HelperDir {
    dir: PathBuf,
    /// `helper.toml`.
    pub settings: Settings,
    /// `identity.key`.
    pub key: SecretKey,
    /// `federation.toml`; `None` before [`HelperDir::join`].
    pub federation: Option<Federation>,
}

/// What `helper.toml` says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Version of this format: 1.
    pub format: u32,
    /// The organisation's name.
    pub name: String,
    /// `host:port` of the API, as others reach it.
    pub address: String,
    /// `host:port` for the other helpers, as they reach it.
    pub peer_address: String,
    /// `ip:port` to listen on for the API, where it is not `address`'s port on all interfaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listen: Option<String>,
    /// `ip:port` to listen on for the other helpers, where it is not `peer_address`'s port on all interfaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer_listen: Option<String>,
    /// Whose studies this helper keeps. Empty: nobody's.
    #[serde(default)]
    pub study_owners: Vec<PublicKey>,
}

impl Settings {
    /// Where to listen for the API.
    pub fn listen_address(&self) -> String {
        self.listen.clone().unwrap_or_else(|| listen_on(&self.address))
    }

    /// Where to listen for the other helpers.
    pub fn peer_listen_address(&self) -> String {
        self.peer_listen.clone().unwrap_or_else(|| listen_on(&self.peer_address))
    }
}

impl HelperDir {
    /// Makes a new helper in `dir` with a fresh key, and returns its card for the federation's organiser. An
    /// existing helper is never overwritten.
    pub fn init(
        dir: &Path,
        name: &str,
        address: &str,
        peer_address: &str,
        owners: &[PublicKey],
    ) -> Result<Card, HelperError> {
        if [SETTINGS, KEY, FEDERATION, DATA].iter().any(|file| dir.join(file).exists()) {
            return Err(HelperError::Exists { dir: dir.to_owned() });
        }
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut()).map_err(HelperError::Randomness)?;
        let key = SecretKey::generate(&mut ChaCha20Rng::from_seed(*seed));
        let member = Member {
            name: name.to_owned(),
            address: address.to_owned(),
            peer_address: peer_address.to_owned(),
            key: key.public(),
        };
        let card = Card::new(member).map_err(|source| federation_error("the new helper's card", source))?;
        let settings = Settings {
            format: FORMAT,
            name: name.to_owned(),
            address: address.to_owned(),
            peer_address: peer_address.to_owned(),
            listen: None,
            peer_listen: None,
            study_owners: owners.to_vec(),
        };
        make_dir(dir)?;
        write_whole(&dir.join(KEY), key.to_text().as_bytes(), 0o600)?;
        write_settings(dir, &settings)?;
        Ok(card)
    }

    /// Lets the helper of `dir` listen at `address` for the others, who reach it where its card says: something in between
    /// leads there. In force from its next start.
    pub fn listen_for_peers(dir: &Path, address: SocketAddr) -> Result<(), HelperError> {
        let peer_listen = Some(address.to_string());
        write_settings(dir, &Settings { peer_listen, ..HelperDir::open(dir)?.settings })
    }

    /// Keeps the federation file, after checking that it lists this helper as `helper.toml` has it. Joining the
    /// same federation again changes nothing.
    pub fn join(dir: &Path, federation_text: &str) -> Result<Federation, HelperError> {
        let what = "the federation file";
        let federation =
            Federation::parse(federation_text).map_err(|source| federation_error(what, source))?;
        let helper = HelperDir::open(dir)?;
        helper.check_listed(what, &federation)?;
        match helper.federation {
            Some(before) if before.id() == federation.id() => Ok(federation),
            Some(before) => Err(HelperError::OtherFederation {
                dir: dir.to_owned(),
                federation: before.name().to_owned(),
            }),
            None => {
                write_whole(&dir.join(FEDERATION), federation_text.as_bytes(), 0o644)?;
                Ok(federation)
            }
        }
    }

    /// Reads and checks a helper's directory.
    pub fn open(dir: &Path) -> Result<HelperDir, HelperError> {
        let path = dir.join(SETTINGS);
        let Some(text) = read_text(&path)? else {
            return Err(HelperError::NoHelper { dir: dir.to_owned(), missing: SETTINGS });
        };
        let settings = parse_settings(path, &text)?;
        let key = read_key(dir)?;
        let path = dir.join(FEDERATION);
        let what = path.display().to_string();
        let federation = match read_text(&path)? {
            None => None,
            Some(text) => Some(Federation::parse(&text).map_err(|source| federation_error(&what, source))?),
        };
        let helper = HelperDir { dir: dir.to_owned(), settings, key, federation };
        if let Some(federation) = &helper.federation {
            helper.check_listed(&what, federation)?;
        }
        Ok(helper)
    }

    /// The directory of the store, made if it is not there.
    pub fn data(&self) -> Result<PathBuf, HelperError> {
        let path = self.dir.join(DATA);
        make_dir(&path)?;
        Ok(path)
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    fn check_listed(&self, what: &str, federation: &Federation) -> Result<(), HelperError> {
        let key = self.key.public();
        let not_listed = || HelperError::NotListed { what: what.to_owned(), key };
        let number = federation.number_of(&key).map_err(|_| not_listed())?;
        let member = federation.member(number).ok_or_else(not_listed)?;
        let fields = [
            ("address", &member.address, &self.settings.address),
            ("peer_address", &member.peer_address, &self.settings.peer_address),
        ];
        match fields.into_iter().find(|(_, listed, own)| listed != own) {
            None => Ok(()),
            Some((field, listed, own)) => Err(HelperError::ListedElsewhere {
                what: what.to_owned(),
                field,
                listed: listed.clone(),
                own: own.clone(),
            }),
        }
    }
}

/// Loopback addresses are listened on as they are, so that a trial stays on this machine; others on all interfaces.
fn listen_on(address: &str) -> String {
    let (host, port) = address.rsplit_once(':').unwrap_or((address, "0"));
    match host {
        "localhost" => format!("127.0.0.1:{port}"),
        "[::1]" => address.to_owned(),
        _ if host.starts_with("127.") => address.to_owned(),
        _ if host.starts_with('[') => format!("[::]:{port}"),
        _ => format!("0.0.0.0:{port}"),
    }
}

fn parse_settings(path: PathBuf, text: &str) -> Result<Settings, HelperError> {
    let settings: Settings = match toml::from_str(text) {
        Ok(settings) => settings,
        Err(error) => return Err(HelperError::Settings { path, reason: error.to_string() }),
    };
    if settings.format != FORMAT {
        let reason =
            format!("format {} is not known here; this version reads format {FORMAT}", settings.format);
        return Err(HelperError::Settings { path, reason });
    }
    for (name, address) in [("listen", &settings.listen), ("peer_listen", &settings.peer_listen)] {
        if let Some(address) = address
            && address.parse::<SocketAddr>().is_err()
        {
            let reason = format!("{name} = {address:?} is not an address to listen on; write ip:port");
            return Err(HelperError::Settings { path, reason });
        }
    }
    Ok(settings)
}

fn write_settings(dir: &Path, settings: &Settings) -> Result<(), HelperError> {
    let path = dir.join(SETTINGS);
    let text = toml::to_string(settings)
        .map_err(|error| HelperError::Settings { path: path.clone(), reason: error.to_string() })?;
    write_whole(&path, text.as_bytes(), 0o644)
}

fn read_key(dir: &Path) -> Result<SecretKey, HelperError> {
    let path = dir.join(KEY);
    let failed = |doing, source| HelperError::File { doing, path: path.clone(), source };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(HelperError::NoHelper { dir: dir.to_owned(), missing: KEY });
        }
        Err(error) => return Err(failed("open", error)),
    };
    let mode = file.metadata().map_err(|error| failed("examine", error))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(HelperError::KeyExposed { path, mode });
    }
    let text = io::read_to_string(file).map_err(|error| failed("read", error))?;
    SecretKey::from_text(&text).map_err(|source| HelperError::Key { path, source })
}

fn read_text(path: &Path) -> Result<Option<String>, HelperError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(HelperError::File { doing: "read", path: path.to_owned(), source }),
    }
}

fn make_dir(path: &Path) -> Result<(), HelperError> {
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|source| HelperError::File {
        doing: "make the directory",
        path: path.to_owned(),
        source,
    })
}

/// Writes a new file that is there in full or not at all, also after a power failure.
fn write_whole(path: &Path, bytes: &[u8], mode: u32) -> Result<(), HelperError> {
    let draft = path.with_extension("draft");
    let write = || {
        // A draft that a crash left may have another mode: always a new file.
        if let Err(error) = fs::remove_file(&draft)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&draft)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        path.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
    };
    write().map_err(|source| HelperError::File { doing: "write", path: path.to_owned(), source })
}

fn federation_error(what: &str, source: FederationError) -> HelperError {
    HelperError::Federation { what: what.to_owned(), source }
}
