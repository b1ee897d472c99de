//! Budgets at real helper processes: killed around the end of runs, and asked by two analysts at once.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, StatusCode};
use futures_util::future::{join, join_all};
use quorate_circuit::{Plan, StudyDraft, compile};
use quorate_client::budget::{behind, budgets, most_spent};
use quorate_client::{ClientError, Pinned, analyst, contributor, fresh_nonce, fresh_opener, owner};
use quorate_field::Integer;
use quorate_privacy::{Amount, Budget};
use quorate_wire::{Manifest, RunRequest, SealedReply, Signed, Spent};

use crate::study::{Created, create};

const INPUT: &str = "circuit wages\ninput pay : 0 .. 1_000\n";

/// A sealed study of twenty contributions with this budget.
async fn sealed(rho: &str) -> (Created, Manifest) {
    let budget = Budget::of(Some(rho.parse().unwrap()), None, None).unwrap();
    let rules = |draft| StudyDraft { privacy: Some(budget), ..draft };
    let created = create("wages", &format!("{INPUT}reveal n = count()\n"), 100, rules).await;
    for position in 0..20 {
        let cells = [Integer::from(37 * position)];
        let batch = created.packer.pack_alone(position, 1, &cells).unwrap();
        contributor::upload_batch(created.local.helpers(), &created.study.id(), batch).await.unwrap();
    }
    let sealed =
        owner::seal(created.local.helpers(), &created.owner, &created.study, &[]).await.unwrap().manifest;
    (created, sealed)
}

fn circuit(rho: &str) -> String {
    format!("{INPUT}reveal total = sum(pay) with rho {rho}\n")
}

fn amount(text: &str) -> Amount {
    text.parse().unwrap()
}

/// A fresh request of all helpers, as its body.
fn request(created: &Created, manifest: &Manifest, circuit: &str) -> Bytes {
    let program = compile(circuit, &created.study).unwrap();
    let request = RunRequest {
        federation: *created.local.helpers().federation().id(),
        study: created.study.id(),
        manifest: manifest.id(),
        circuit: circuit.to_owned(),
        earlier: vec![],
        program: program.hash(),
        plan: Plan::of(&program, &created.study, manifest.rows).hash(&program),
        quorum: vec![1, 2, 3, 4],
        reply_key: fresh_opener().unwrap().key(),
        nonce: fresh_nonce().unwrap(),
    };
    serde_json::to_vec(&Signed::new(&request, &created.analyst)).unwrap().into()
}

/// The helpers' doors.
struct Doors {
    path: String,
    helpers: Vec<Pinned>,
}

impl Doors {
    fn of(created: &Created) -> Self {
        let members = created.local.helpers().federation().members();
        let helpers = members.map(|(_, member)| Pinned::new(&member.address, member.key).unwrap());
        Doors { path: format!("/v1/studies/{}/runs", created.study.id()), helpers: helpers.collect() }
    }

    /// The exact bytes of each helper's answer, if it gives one.
    async fn post(&self, body: &Bytes) -> Vec<Option<Bytes>> {
        let post = async |helper: &Pinned| {
            let content = Some(("application/json", body.clone()));
            let asked = helper.ask(Method::POST, &self.path, content, Duration::from_secs(60)).await;
            let (status, bytes) = asked.ok()?;
            let is_answer = status == StatusCode::OK && serde_json::from_slice::<SealedReply>(&bytes).is_ok();
            is_answer.then_some(bytes)
        };
        join_all(self.helpers.iter().map(post)).await
    }
}

async fn spent(created: &Created) -> Vec<Spent> {
    let reports = budgets(created.local.helpers(), &created.study.id()).await;
    reports.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_killed_had_charged_what_it_answered_and_says_the_same_again() {
    let (mut created, manifest) = sealed("10").await;
    let (doors, circuit) = (Doors::of(&created), circuit("0.25"));
    let mut answered = [0_u64; 4];
    // From before the noise leaves to after the answers.
    for (round, delay_ms) in [20, 60, 90, 120, 150, 200].into_iter().enumerate() {
        let victim = 1 + u8::try_from(round % 4).unwrap();
        let body = request(&created, &manifest, &circuit);
        let killed = async {
            tokio::time::sleep(Duration::from_millis(delay_ms)).await;
            created.local.kill(victim).unwrap();
        };
        let (before, ()) = join(doors.post(&body), killed).await;
        created.local.start_again(victim).await.unwrap();
        created.local.wait_until_connected().await.unwrap();
        let after = doors.post(&body).await;
        for ((before, after), answered) in before.iter().zip(&after).zip(&mut answered) {
            assert!(before.is_none() || before == after, "identical bytes, round {round}");
            *answered += u64::from(after.is_some());
        }
        for (spent, answered) in spent(&created).await.iter().zip(answered) {
            assert!(spent.runs >= answered, "round {round}: {spent:?}, {answered} answered");
            assert!(spent.loss.rho <= amount("10"));
        }
    }
    assert!(answered.iter().sum::<u64>() > 0, "some run was answered");
    // With nobody killed everybody answers, and knows all.
    let last = request(&created, &manifest, &circuit);
    assert!(doors.post(&last).await.iter().all(Option::is_some));
    let reports = budgets(created.local.helpers(), &created.study.id()).await;
    assert_eq!(behind(&reports), [0_u8; 0], "{reports:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_analysts_at_once_spend_no_more_than_the_budget() {
    let (created, _) = sealed("0.5").await;
    let circuit = circuit("0.1");
    let spend = async || {
        let mut answers = 0;
        loop {
            match analyst::run(created.local.helpers(), &created.analyst, &created.study, &circuit).await {
                Ok(_) => answers += 1,
                Err(ClientError::GaveUp { .. }) => {}
                Err(error) => return (answers, error.to_string()),
            }
        }
    };
    let ((first, refused), (second, _)) = join(spend(), spend()).await;
    assert!(refused.contains("study's budget of rho 0.5") && refused.contains("rho 0 left"), "{refused}");
    let reports = budgets(created.local.helpers(), &created.study.id()).await;
    let spent = most_spent(&reports).unwrap();
    assert_eq!((spent.runs, spent.loss.rho), (5, amount("0.5")), "{reports:?}");
    assert_eq!(first + second, 5, "what was charged was answered");
}
