//! `quorate masks explain`: how masks cancel, what one dropout does to them, and the protocol that survives it.

use std::sync::Arc;

use clap::Args;
use quorate_federation::SecretKey;
use quorate_hash::Digest;
use quorate_masking::trial::{self, Parts, Unmetered};
use quorate_masking::{Encoding, Input, Position, Ring, Round, Stage, Terms, Variant, Words, plain};
use quorate_sharing::Seed;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

use crate::failure::Failure;
use crate::keys;
use crate::output::{self, aligned};

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  quorate masks explain --contributors 8")]
pub(super) struct Arguments {
    /// How many contribute
    #[arg(long, value_name = "COUNT", default_value_t = 6, value_parser = clap::value_parser!(u32).range(4..=20))]
    contributors: u32,
}

const ENCODING: Encoding =
    Encoding { ring: Ring::Mod32, length: 1, fraction_bits: 0, bound: 100_000, weight_max: 0 };

/// What each of them has to hide.
fn salary(contributor: Position) -> i64 {
    40_000 + 1_700 * i64::from(contributor * contributor % 13)
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let contributors = arguments.contributors;
    let mut rng = ChaCha20Rng::from_seed(*keys::random()?);
    let total: i64 = (0..contributors).map(salary).sum();
    output::heading("1. Masks in pairs")?;
    output::line(
        "Every two contributors share a secret seed. One adds its mask, the other subtracts it, modulo 2^32.\n\
         What each sends is uniformly random; in the sum every mask meets its opposite.\n",
    )?;
    let sent = masked(contributors, &mut rng)?;
    let mut rows = vec![["contributor", "salary", "sends"].map(str::to_owned).to_vec()];
    rows.extend((0..).zip(&sent).map(|(contributor, sent)| {
        vec![contributor.to_string(), salary(contributor).to_string(), number(sent).to_string()]
    }));
    rows.push(vec!["sum".to_owned(), total.to_string(), number(&sum(&sent)).to_string()]);
    output::line(aligned(rows, true, &[0, 1, 2]))?;

    let gone = contributors - 1;
    output::line("")?;
    output::heading("2. One dropout")?;
    output::line(format_args!(
        "Contributor {gone} does not send. The masks that the others share with it meet nothing:\n"
    ))?;
    let rest = total - salary(gone);
    output::line(aligned(
        vec![
            vec!["the sum of the others' salaries".into(), rest.to_string()],
            vec!["the sum of what they sent".into(), number(&sum(&sent[..gone as usize])).to_string()],
        ],
        false,
        &[1],
    ))?;

    output::line("")?;
    output::heading("3. The protocol that survives")?;
    let threshold = contributors / 2 + 1;
    output::line(format_args!(
        "Everybody shares the key of its masks among the others, any {threshold} of whom recover it, and adds a mask of its own, \
         whose seed it shares too.\nOf a contributor that vanished the others give shares of the key, and its masks are taken out; \
         of one that did not, of the seed.\nNever both of one: with both its number could be read.\n"
    ))?;
    let identities: Vec<Arc<SecretKey>> =
        (0..contributors).map(|_| Arc::new(SecretKey::generate(&mut rng))).collect();
    let round = round(&identities, threshold)?;
    let parts = Parts {
        identities: &identities,
        vector: &|contributor| vec![salary(contributor)],
        weight: &|_| 1,
        vanishes: &|contributor| (contributor == gone).then_some(Stage::Inputs),
    };
    let outcome = trial::run(&round, &parts, &mut rng, &mut Unmetered).outcome;
    let outcome = outcome.map_err(|abort| Failure::Invalid { message: abort.to_string(), hint: None })?;
    output::line(aligned(
        vec![
            vec!["the sum of the others' salaries".into(), rest.to_string()],
            vec![format!("the sum of {} survivors", outcome.survivors.count()), outcome.sum[0].to_string()],
        ],
        false,
        &[1],
    ))?;
    let expected = rest.to_string();
    if outcome.sum[0] == rest {
        return Ok(());
    }
    Err(Failure::Differs { name: "the sum".into(), found: outcome.sum[0].to_string(), expected })
}

/// What contributors send whose masks merely cancel.
fn masked(contributors: u32, rng: &mut ChaCha20Rng) -> Result<Vec<Words>, Failure> {
    let mut base = Digest::default();
    rand_core::Rng::fill_bytes(rng, &mut base.0);
    let seed = |one: Position, other: Position| {
        let pair = quorate_hash::Tagged::new("quorate/1/masks/explain").digest(&base);
        Seed::from_bytes(pair.u64(one.min(other).into()).u64(one.max(other).into()).finish().0)
    };
    let masked = (0..contributors).map(|own| {
        let vector = ENCODING.encode(Input::Integers(&[salary(own)]), 1);
        let mut vector =
            vector.map_err(|fault| Failure::Invalid { message: fault.to_string(), hint: None })?;
        let others = (0..contributors).filter(|other| *other != own);
        plain::mask(&mut vector, own, others.map(|other| (other, seed(own, other))).collect());
        Ok(vector)
    });
    masked.collect()
}

fn sum(vectors: &[Words]) -> Words {
    let mut sum = Words::zeros(&ENCODING);
    for vector in vectors {
        sum.add_bytes(&vector.to_bytes());
    }
    sum
}

fn number(words: &Words) -> i64 {
    ENCODING.decode(words).0.first().copied().unwrap_or_default()
}

fn round(identities: &[Arc<SecretKey>], threshold: u32) -> Result<Arc<Round>, Failure> {
    let clients: Vec<_> = identities.iter().map(|identity| identity.public()).collect();
    let neighbours = u32::try_from(clients.len()).unwrap_or(u32::MAX) - 1;
    let round = Round::new(Terms {
        number: 1,
        server: clients[0],
        clients,
        variant: Variant::Active,
        neighbours,
        threshold: threshold.min(neighbours - 1),
        survivors_min: threshold + 1,
        encoding: ENCODING,
        model: Digest::default(),
    });
    round.map(Arc::new).map_err(|fault| Failure::Invalid { message: fault.to_string(), hint: None })
}
