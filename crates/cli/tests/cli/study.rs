//! A study at helper processes, for tests that contribute what no command would send.

use quorate_circuit::{Circuit, Sharing, SharingKind, Study, StudyDraft};
use quorate_client::owner;
use quorate_contribute::Packer;
use quorate_federation::SecretKey;
use quorate_local::LocalFederation;
use quorate_sharing::ContributorSecret;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use tempfile::TempDir;

/// A study at four helpers with threshold 1, and whoever may do something with it.
pub(crate) struct Created {
    // Declared before the directory, so that the processes are gone when it is removed.
    pub(crate) local: LocalFederation,
    _dir: TempDir,
    pub(crate) study: Study,
    pub(crate) owner: SecretKey,
    pub(crate) analyst: SecretKey,
    pub(crate) packer: Packer,
}

/// A study of a circuit's inputs, with what `rules` make of its draft.
pub(crate) async fn create(
    name: &str,
    circuit: &str,
    capacity: u64,
    rules: impl FnOnce(StudyDraft) -> StudyDraft,
) -> Created {
    let key = |seed: u8| SecretKey::generate(&mut ChaCha20Rng::from_seed([seed; 32]));
    let (owner, analyst) = (key(1), key(2));
    let dir = TempDir::new().unwrap();
    let federation = quorate_local::create(dir.path(), "trial", 4, 1, &[owner.public()]).unwrap();
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
    let columns = Circuit::parse(circuit).unwrap().inputs();
    let draft = rules(StudyDraft {
        federation: *federation.id(),
        owner: *owner.public().as_bytes(),
        analysts: vec![*analyst.public().as_bytes()],
        ..StudyDraft::new(name, sharing, columns, capacity)
    });
    let (document, study) = draft.document().unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_quorate"));
    let local = LocalFederation::start(binary, dir.path()).await.unwrap();
    owner::create_study(local.helpers(), &owner, &document).await.unwrap();
    let packer = Packer::new(&study, ContributorSecret::from_bytes([3; 32])).unwrap();
    Created { local, _dir: dir, study, owner, analyst, packer }
}
