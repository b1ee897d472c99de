//! Writes `seeds/`: one or a few good inputs for every target, from which the fuzzer starts.

use std::path::PathBuf;

use quorate_federation::EnvelopeOpener;
use quorate_fuzz::masks::{Kind, play};
use quorate_fuzz::world::{World, uploads};
use quorate_fuzz::{digest, federation, key, studies};
use quorate_hash::merkle;
use quorate_wire::{
    CommitHead, Elements, Exclusions, LeftOut, Manifest, Receipt, RunReply, SealRequest, SealedReply, Signed,
    SignedManifest,
};

fn main() {
    sealing_works();
    let studies = studies();
    let federation = federation();
    for (index, (document, study)) in studies.iter().enumerate() {
        write("study", &format!("study-{index}"), document.as_bytes());
        for (helper, upload) in (0..).zip(uploads(study)).take(2) {
            let choice = u8::try_from(index).expect("three studies") * 4 + helper;
            write(
                "upload",
                &format!("study-{index}-helper-{}", helper + 1),
                &[&[choice], &upload[..]].concat(),
            );
        }
    }
    let circuit =
        "circuit c\ninput salary : -1_000.00 .. 1_000_000.00\ninput gender : optional female | male\n";
    let reveals = [
        "count()",
        "mean(salary)",
        "sum(salary * 2 - 0.5) / count()",
        "mean(salary) where gender == male",
        "mean(salary) with rho 0.5",
        "median(salary) by gender with epsilon 0.5",
        "mean(salary) > 20 where gender == male with epsilon 1 delta 0.000001",
    ];
    for (index, reveal) in reveals.iter().enumerate() {
        write("circuit", &format!("reveal-{index}"), format!("{circuit}reveal r = {reveal}\n").as_bytes());
    }
    write("federation", "file", federation.text().as_bytes());
    write("federation", "key", key(1).to_text().as_bytes());
    write("table", "good", b"\x00salary,gender,other\n10.50,male,x\n-3,\"female\",\n");
    write("table", "skip", b"\x03gender,salary\nmale,1e3\nmale,0.125\nnobody,2\n");
    write(
        "npy",
        "doubles",
        &npy(0, "<f8", "(2, 2)", &[0.25_f64, -1.0, 1.0, 0.125].map(f64::to_le_bytes).concat()),
    );
    write("npy", "clipped", &npy(1, "<f4", "(2,)", &[3.5_f32, -0.5].map(f32::to_le_bytes).concat()));
    write("recombine", "line", &[4, 1, 1, 1, 3, 2, 5, 3, 7, 4, 9]);
    write("recombine", "one-wrong", &[4, 1, 1, 1, 3, 2, 5, 3, 7, 4, 0]);
    write("piece", "seed", &[&[0, 2, 0, 1, 1, 0], &[9; 32][..]].concat());
    write(
        "piece",
        "data",
        &[&[0, 4, 0, 1, 1, 1], &[1, 0, 0, 0, 0, 0, 0, 0][..], &[2, 0, 0, 0, 0, 0, 0, 0]].concat(),
    );
    write("log", "nothing", &[0, 0, 0]);
    write("log", "flip", &[0, 100, 2, 0xff]);
    write("log", "cut", &[2, 200, 3, 7]);
    write("log", "fresh", &[3, 0, 0, 1, 2, 3, 4]);
    write("peers", "good", &[0]);
    write("peers", "lossy", &[0, 0, 205, 0, 215, 0, 225, 0, 0, 245, 60, 0, 1]);
    messages_and_documents(&studies[0].1, federation.id());
    masks();
}

/// A round of each variant, and every kind of message in it where it belongs.
fn masks() {
    for is_active in [false, true] {
        let round = quorate_fuzz::masks::round(is_active);
        let name = if is_active { "active" } else { "passive" };
        write("masks", &format!("{name}-round"), &[&[0], round.document()].concat());
        let played = play(&round, None);
        let outcome = played.outcome.expect("nobody lies");
        assert_eq!(outcome.sum, quorate_fuzz::masks::sum(&outcome.survivors));
        for said in played.said.iter().filter(|said| said.party == 1) {
            let by = if said.by == Kind::Client { "client" } else { "server" };
            let place = [1 + u8::from(is_active), said.stage, u8::from(said.by == Kind::Server), 1];
            write("masks", &format!("{name}-{by}-{}", said.stage), &[&place, &said.message[..]].concat());
        }
    }
}

/// A NumPy file behind the choice of what to do with numbers out of range.
fn npy(choice: u8, kind: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
    let length = u16::try_from(header.len()).expect("a short header").to_le_bytes();
    [&[choice], &b"\x93NUMPY\x01\x00"[..], &length, header.as_bytes(), numbers].concat()
}

fn messages_and_documents(study: &quorate_circuit::Study, federation: &quorate_hash::Digest) {
    let owner = key(100);
    let request = SealRequest {
        federation: *federation,
        study: study.id(),
        members: vec![1, 2],
        number: 1,
        nonce: digest(1),
    };
    let signed = Signed::new(&request, &owner);
    let manifest = Manifest {
        federation: *federation,
        study: study.id(),
        session: digest(2),
        members: vec![1],
        root: digest(3),
        contributions: 3,
        rows: 3,
        excluded: Exclusions::default(),
        left_out: LeftOut { contributions: 1, reported: vec![(1, 3)] },
        degree_checked: true,
        range_checked: true,
        norm_checked: false,
    };
    let signatures = vec![manifest.sign(&key(1))];
    let manifest = SignedManifest { manifest, signatures };
    let leaf = merkle::root(&[digest(1)]);
    let head = CommitHead { study: study.id(), helper: 1, uploads: 1, root: merkle::root(&[leaf]) };
    let signature = head.sign(&key(1));
    let receipt = Receipt { head, signature, index: 0, path: Vec::new(), repeated: 0 };
    let program = quorate_circuit::compile("circuit c\nreveal n = count()\n", study).expect("a good circuit");
    let json = |value: Result<Vec<u8>, serde_json::Error>| value.expect("plain data");
    write("documents", "signed", &json(serde_json::to_vec(&signed)));
    write("documents", "manifest", &json(serde_json::to_vec(&manifest)));
    write("documents", "receipt", &json(serde_json::to_vec(&receipt)));
    write("documents", "program", &json(serde_json::to_vec(&program)));
    let opener = EnvelopeOpener::from_seed([1; 32]);
    let reply = RunReply {
        helper: 1,
        session: digest(2),
        shares: vec!["0100000000000000".into()],
        vectors: vec![Elements::new(vec![1; 16])],
        elapsed_ms: 1,
        bytes_to_helpers: 2,
        signature,
    };
    let sealed =
        SealedReply::close(&reply, &opener.key(), &digest(1), &mut quorate_fuzz::rng(9)).expect("a good key");
    write("documents", "reply", &json(serde_json::to_vec(&sealed)));
    write("messages", "reply", &[&[9], &quorate_wire::encode(&reply)[..]].concat());
    let frame = World::sealing().messages.pop_front().expect("an opening").frame;
    write("messages", "upload", &[&[0], &uploads(study)[0][..]].concat());
    write("messages", "signed", &[&[2], &quorate_wire::encode(&signed)[..]].concat());
    write("messages", "frame", &[&[3], &frame[..]].concat());
    write("messages", "manifest", &[&[8], &quorate_wire::encode(&manifest)[..]].concat());
}

/// The federation of the target `peers` seals when nobody tampers: what the fuzzer disturbs does happen.
fn sealing_works() {
    let mut world = World::sealing();
    while let Some(message) = world.messages.pop_front() {
        world.deliver(message);
    }
    assert_eq!(world.sealed.len(), 4);
    assert_eq!(world.sealed[0].manifest.contributions, 3);
}

fn write(target: &str, name: &str, bytes: &[u8]) {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    std::fs::create_dir_all(&directory).expect("a directory");
    std::fs::write(directory.join(name), bytes).expect("a file");
}
