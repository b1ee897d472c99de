//! Requests that are not, each with its answer; and studies that outlive a restart.

use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_helper::Limits;
use quorate_wire::{Code, SealRequest, Signed, limits};

use crate::support::{Helpers, key, owner};

fn seal_of(study: Digest, owner: &SecretKey) -> Vec<u8> {
    let request = SealRequest {
        federation: Digest([0; 32]),
        study,
        members: vec![1, 2],
        number: 1,
        nonce: Digest([1; 32]),
    };
    serde_json::to_vec(&Signed::new(&request, owner)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_refused_in_json() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, Limits::default()).await;
    let nowhere = Digest([5; 32]);
    let study = |rest: &str| format!("/v1/studies/{nowhere}{rest}");
    let (_, strangers_study) = helpers.study("strange", &key(9));
    let seal_elsewhere = seal_of(Digest([6; 32]), &owner());
    let mut forged = seal_of(nowhere, &owner());
    let at = forged.iter().position(|byte| *byte == b'2').unwrap();
    forged[at] = b'3';

    let posts: &[(&str, &[u8], &str, Code, &str)] = &[
        ("/v1/studies", b"", "400", Code::Malformed, "not a signed request"),
        ("/v1/studies", b"{\"body\": 1}", "400", Code::Malformed, "not a signed request"),
        ("/v1/studies", b"\xff\xfe\x00", "400", Code::Malformed, "not a signed request"),
        ("/v1/studies", &strangers_study, "403", Code::Forbidden, "may not create"),
        (&study("/seal"), &seal_elsewhere, "400", Code::Malformed, "the signed body names study 0606"),
        (&study("/runs"), b"[]", "400", Code::Malformed, "not a signed request"),
        (&study("/contributions"), b"upload", "404", Code::Unknown, ""),
        ("/v1/studies/ABC/contributions", b"upload", "400", Code::Malformed, "64 lower-case hexadecimal"),
        ("/v1/studies/%ff/seal", b"{}", "400", Code::Malformed, "64 lower-case hexadecimal"),
        ("/v1/status", b"", "405", Code::Malformed, "does not take POST"),
        ("/v2/status", b"", "404", Code::Unknown, "nothing at /v2/status"),
    ];
    for (path, body, status, code, message) in posts {
        let answer = helpers.post(1, path, body).await;
        let refusal = answer.refusal();
        assert_eq!((&*answer.status, refusal.code), (*status, *code), "{path}: {refusal}");
        assert!(refusal.message.contains(message), "{path}: {refusal}");
        assert!(answer.head.contains("content-type: application/json"), "{answer:?}");
    }
    let forged = helpers.post(1, &study("/seal"), &forged).await;
    assert!(matches!(&*forged.status, "400" | "403" | "404"), "{forged:?}");
    let unknown = helpers.get(1, &study("")).await;
    assert_eq!((&*unknown.status, unknown.refusal().code), ("404", Code::Unknown));
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn oversized_truncated_and_garbled_bodies_are_refused() {
    let helpers = Helpers::new(2, 1);
    let one = helpers.start(1, Limits::default()).await;
    let (_, create) = helpers.study("ages", &owner());
    let id = helpers.post(1, "/v1/studies", &create).await.json()["study"].as_str().unwrap().to_owned();
    let path = format!("/v1/studies/{id}/contributions");

    let announced = limits::UPLOAD_MAX + 1;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {announced}\r\n\r\n"
    );
    let answer = helpers.send(1, head.as_bytes()).await;
    assert_eq!((&*answer.status, answer.refusal().code), ("413", Code::Malformed));

    let mut chunked =
        b"POST /v1/studies HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n"
            .to_vec();
    let chunk = [b"10000\r\n".to_vec(), vec![b' '; 0x10000], b"\r\n".to_vec()].concat();
    (0..=limits::STUDY_REQUEST_MAX / 0x10000).for_each(|_| chunked.extend(&chunk));
    let answer = helpers.send(1, &chunked).await;
    assert_eq!(answer.status, "413", "{answer:?}");

    for body in [&b""[..], b"garbage", &[0; 40], &[255; 4096]] {
        let answer = helpers.post(1, &path, body).await;
        assert_eq!((&*answer.status, answer.refusal().code), ("400", Code::Malformed), "{answer:?}");
    }

    let cut = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nabc");
    let mut stream = helpers.connect(1).await;
    tokio::io::AsyncWriteExt::write_all(&mut stream, cut.as_bytes()).await.unwrap();
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await.unwrap();
    let answer = crate::support::Answer::read(&mut stream).await;
    assert!(matches!(&*answer.status, "" | "400"), "{answer:?}");

    let no_http = helpers.send(1, b"\x16\x00 nonsense \r\n\r\n").await;
    assert_eq!(no_http.status, "400");
    assert_eq!(helpers.get(1, "/v1/health/live").await.status, "200");
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_helper_says_so_and_health_still_answers() {
    let helpers = Helpers::new(2, 1);
    let full = Limits { body_bytes: 64, ..Limits::default() };
    let one = helpers.start(1, full).await;
    let answer = helpers.post(1, "/v1/studies", &[b' '; 1000]).await;
    assert_eq!((&*answer.status, answer.refusal().code), ("503", Code::Busy));
    assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
    one.stop().await.unwrap();

    let one = helpers.start(1, Limits { requests: 0, ..Limits::default() }).await;
    assert_eq!(helpers.get(1, "/v1/status").await.refusal().code, Code::Busy);
    assert_eq!(helpers.get(1, "/v1/health/live").await.status, "200");
    one.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_study_is_kept_word_for_word_across_a_restart() {
    let helpers = Helpers::new(2, 1);
    let (document, create) = helpers.study("ages", &owner());
    let one = helpers.start(1, Limits::default()).await;
    let created = helpers.post(1, "/v1/studies", &create).await;
    assert_eq!(created.status, "200", "{created:?}");
    let id = created.json()["study"].as_str().unwrap().to_owned();
    one.stop().await.unwrap();

    let one = helpers.start(1, Limits::default()).await;
    let read = helpers.get(1, &format!("/v1/studies/{id}")).await;
    assert_eq!((&*read.status, &*read.body), ("200", &*document));
    assert!(read.head.contains("content-type: application/toml"));
    let status = helpers.get(1, "/v1/status").await.json();
    assert_eq!(status["studies"][0]["study"], id);
    one.stop().await.unwrap();
}
