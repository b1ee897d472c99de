//! Helpers' directories: made once, joined once, and every mistake named.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use quorate_federation::{Card, Federation, Member};
use quorate_helper::{HelperDir, HelperError, run};

use crate::support::key;

fn init(dir: &Path, host: &str) -> Result<Card, HelperError> {
    let (api, peer) = (format!("{host}:7100"), format!("{host}:7200"));
    HelperDir::init(dir, "Statistics Office", &api, &peer, &[key(1).public()])
}

/// A federation of the helper on `card` and another one.
fn federation(card: Card, threshold_name: &str) -> Federation {
    let other = Member {
        name: "Another".to_owned(),
        address: "another.example:7100".to_owned(),
        peer_address: "another.example:7200".to_owned(),
        key: key(2).public(),
    };
    Federation::of_cards(threshold_name, 1, vec![card, Card::new(other).unwrap()]).unwrap()
}

#[test]
fn a_new_helper_reads_back_and_its_files_are_private() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("new/helper");
    let card = init(&dir, "stat.example").unwrap();
    let helper = HelperDir::open(&dir).unwrap();
    assert_eq!(helper.key.public(), card.member.key);
    assert_eq!(helper.settings.study_owners, [key(1).public()]);
    assert_eq!(helper.settings.listen_address(), "0.0.0.0:7100");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir), mode(&dir.join("identity.key"))), (0o700, 0o600));
    assert!(!format!("{helper:?}").contains(&helper.key.to_text()[..64]));
    assert!(matches!(init(&dir, "stat.example"), Err(HelperError::Exists { .. })));
    assert_eq!(HelperDir::open(&dir).unwrap().key.public(), card.member.key);
}

#[test]
fn loopback_addresses_are_listened_on_as_they_are() {
    for (host, expected) in [
        ("127.0.0.1", "127.0.0.1:7100"),
        ("localhost", "127.0.0.1:7100"),
        ("[::1]", "[::1]:7100"),
        ("[2001:db8::1]", "[::]:7100"),
        ("10.0.0.5", "0.0.0.0:7100"),
    ] {
        let root = tempfile::tempdir().unwrap();
        init(root.path(), host).unwrap();
        assert_eq!(HelperDir::open(root.path()).unwrap().settings.listen_address(), expected);
    }
}

#[test]
fn the_port_for_other_helpers_may_be_behind_another() {
    let root = tempfile::tempdir().unwrap();
    let card = init(root.path(), "127.0.0.1").unwrap();
    HelperDir::join(root.path(), federation(card, "f").text()).unwrap();
    let at = "127.0.0.1:7300".parse().unwrap();
    HelperDir::listen_for_peers(root.path(), at).unwrap();
    let helper = HelperDir::open(root.path()).unwrap();
    assert_eq!(helper.settings.peer_listen_address(), "127.0.0.1:7300");
    assert_eq!(helper.settings.peer_address, "127.0.0.1:7200", "as the federation file has it");
    assert!(helper.federation.is_some());
}

#[test]
fn joining_takes_the_file_that_lists_this_helper_once() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let card = init(dir, "stat.example").unwrap();
    let wages = federation(card.clone(), "wages");
    HelperDir::join(dir, wages.text()).unwrap();
    HelperDir::join(dir, wages.text()).unwrap();
    let other = federation(card, "health");
    assert!(matches!(HelperDir::join(dir, other.text()), Err(HelperError::OtherFederation { .. })));
    assert_eq!(HelperDir::open(dir).unwrap().federation, Some(wages));
}

#[test]
fn a_file_that_lists_another_key_or_address_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let card = init(root.path(), "stat.example").unwrap();
    let stranger = Member { key: key(3).public(), ..card.member.clone() };
    let text = federation(Card::new(stranger).unwrap(), "wages");
    let error = HelperDir::join(root.path(), text.text()).unwrap_err();
    assert!(matches!(error, HelperError::NotListed { .. }), "{error}");
    let moved = Member { peer_address: "old.example:7200".to_owned(), ..card.member };
    let text = federation(Card::new(moved).unwrap(), "wages");
    let error = HelperDir::join(root.path(), text.text()).unwrap_err();
    assert!(matches!(error, HelperError::ListedElsewhere { field: "peer_address", .. }), "{error}");
    let error = HelperDir::join(root.path(), "threshold = 1").unwrap_err();
    assert!(matches!(error, HelperError::Federation { .. }), "{error}");
    assert!(!root.path().join("federation.toml").exists());
}

#[test]
fn an_exposed_or_damaged_key_is_refused() {
    let root = tempfile::tempdir().unwrap();
    init(root.path(), "stat.example").unwrap();
    let path = root.path().join("identity.key");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let error = HelperDir::open(root.path()).unwrap_err();
    assert!(matches!(error, HelperError::KeyExposed { mode: 0o640, .. }), "{error}");
    assert!(error.to_string().contains("chmod 600"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&path, "abc").unwrap();
    assert!(matches!(HelperDir::open(root.path()), Err(HelperError::Key { .. })));
    fs::remove_file(&path).unwrap();
    let error = HelperDir::open(root.path()).unwrap_err();
    assert!(matches!(error, HelperError::NoHelper { missing: "identity.key", .. }), "{error}");
}

#[test]
fn settings_that_do_not_read_are_refused_with_their_file() {
    let root = tempfile::tempdir().unwrap();
    init(root.path(), "stat.example").unwrap();
    let path = root.path().join("helper.toml");
    let good = fs::read_to_string(&path).unwrap();
    for bad in [
        "format = 1\n".to_owned(),
        good.replace("format = 1", "format = 2"),
        format!("unknown = 1\n{good}"),
        format!("listen = \"nowhere\"\n{good}"),
        good.replace(&key(1).public().to_string(), "12"),
    ] {
        fs::write(&path, &bad).unwrap();
        let error = HelperDir::open(root.path()).unwrap_err();
        assert!(matches!(error, HelperError::Settings { .. }), "{bad}: {error}");
        assert!(error.to_string().contains("helper.toml"));
    }
    fs::write(&path, format!("listen = \"10.1.1.1:80\"\n{good}")).unwrap();
    assert_eq!(HelperDir::open(root.path()).unwrap().settings.listen_address(), "10.1.1.1:80");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_cannot_start_says_why() {
    let root = tempfile::tempdir().unwrap();
    let never = std::future::pending::<()>;
    let error = run(root.path(), never()).await.unwrap_err();
    assert!(matches!(error, HelperError::NoHelper { missing: "helper.toml", .. }), "{error}");

    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let address = taken.local_addr().unwrap().to_string();
    let card = HelperDir::init(root.path(), "h", &free, &address, &[]).unwrap();
    let error = run(root.path(), never()).await.unwrap_err();
    assert!(matches!(error, HelperError::NotJoined { .. }), "{error}");

    HelperDir::join(root.path(), federation(card, "wages").text()).unwrap();
    let error = run(root.path(), never()).await.unwrap_err();
    assert!(matches!(error, HelperError::Listen { setting: "peer_listen", .. }), "{error}");
}
