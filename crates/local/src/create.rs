//! Making the directories of a federation on this machine.

use std::fs;
use std::path::{Path, PathBuf};

use quorate_federation::{Federation, FederationError, HELPERS_MAX, PublicKey};
use quorate_helper::HelperDir;

use crate::LocalError;
use crate::ports::free_ports;

/// The federation file in the directory of a local federation.
pub const FEDERATION_FILE: &str = "federation.toml";

/// Makes `dir` with one helper's directory for each of `helpers` helpers on free loopback ports, and the federation
/// file. `owners` may create studies at all of them. The helpers' keys are all here: for trials only.
///
/// # Errors
/// The numbers make no federation; there is one already; this machine cannot write or has no ports.
pub fn create(
    dir: &Path,
    name: &str,
    helpers: u8,
    threshold: u8,
    owners: &[PublicKey],
) -> Result<Federation, LocalError> {
    // Checked before any key is made; `of_cards` checks the rest.
    if !(2..=HELPERS_MAX).contains(&helpers.into()) {
        return Err(FederationError::HelperCount { found: helpers.into(), max: HELPERS_MAX }.into());
    }
    if !(1..helpers).contains(&threshold) {
        return Err(FederationError::Threshold { threshold, helpers: helpers.into() }.into());
    }
    let path = dir.join(FEDERATION_FILE);
    if path.exists() {
        return Err(LocalError::Exists { dir: dir.to_owned() });
    }
    let ports = free_ports(2 * usize::from(helpers))?;
    let cards = (1..=helpers).zip(ports.chunks_exact(2)).map(|(number, ports)| {
        let address = |port: u16| format!("127.0.0.1:{port}");
        let name = format!("helper {number}");
        HelperDir::init(&helper_dir(dir, number), &name, &address(ports[0]), &address(ports[1]), owners)
    });
    let cards = cards.collect::<Result<Vec<_>, _>>()?;
    let federation = Federation::of_cards(name, threshold, cards)?;
    for number in 1..=helpers {
        HelperDir::join(&helper_dir(dir, number), federation.text())?;
    }
    fs::write(&path, federation.text()).map_err(|source| LocalError::File {
        doing: "write",
        path,
        source,
    })?;
    Ok(federation)
}

/// The directory of helper `number` in the directory of a local federation.
pub fn helper_dir(dir: &Path, number: u8) -> PathBuf {
    dir.join(format!("helper-{number}"))
}

/// The log of helper `number` in the directory of a local federation.
pub fn helper_log(dir: &Path, number: u8) -> PathBuf {
    dir.join(format!("helper-{number}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_helper_is_a_member_of_the_one_federation() {
        let dir = tempfile::tempdir().unwrap();
        let federation = create(dir.path(), "trial", 3, 1, &[]).unwrap();
        for (number, member) in federation.members() {
            let helper = HelperDir::open(&helper_dir(dir.path(), number)).unwrap();
            assert_eq!(helper.key.public(), member.key);
            assert_eq!(helper.federation.as_ref(), Some(&federation));
            assert!(member.address.starts_with("127.0.0.1:"));
        }
        let text = fs::read_to_string(dir.path().join(FEDERATION_FILE)).unwrap();
        assert_eq!(Federation::parse(&text).unwrap(), federation);
        assert!(matches!(create(dir.path(), "trial", 3, 1, &[]), Err(LocalError::Exists { .. })));
    }

    #[test]
    fn numbers_that_make_no_federation_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        for (helpers, threshold) in [(1, 1), (0, 0), (65, 1), (3, 0), (3, 3)] {
            let error = create(dir.path(), "trial", helpers, threshold, &[]).unwrap_err();
            assert!(matches!(error, LocalError::Federation(_)), "{error}");
        }
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
