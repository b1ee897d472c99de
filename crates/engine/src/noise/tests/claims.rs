//! What is claimed of noisy results, held against 150,000 runs: they have the variance that is said, and tell no more of a
//! contribution to an analyst with whom one helper shares what it drew.
//!
//! How much they tell is bounded from below: for an event that is likelier in a study than in its neighbour, picked by the
//! first half of the runs, the second half bounds both probabilities (Clopper, Pearson, "The use of confidence or fiducial limits",
//! Biometrika 1934), and so the epsilon that they need. If helpers drew less than they should, or more of them told, the same bound
//! is above the claim: it is one that can fail.
//!
//! Shares, messages and sums are real. A draw of 1,000 numbers for each entry of the program's noise serves as many runs.

use quorate_circuit::{Program, Sharing, SharingKind, StudyDraft, compile};
use quorate_field::F61;
use quorate_privacy::{Amount, epsilon_of};
use statrs::distribution::{Beta, ContinuousCDF};

use super::*;
use crate::linear::LinearRun;
use crate::product::tests::share;

/// Runs that share a draw.
const RUNS: u16 = 1_000;
/// For a study, and as many for its neighbour.
const DRAWS: u16 = 75;
const QUORUM: [HelperNumber; 3] = [1, 2, 3];
/// Of a Clopper-Pearson interval: it does not hold the probability in one case of a thousand.
const DOUBT: f64 = 0.001;

/// Contributions have ten rows, so that parts of Gaussian noise need not be made larger.
const CIRCUIT: &str = "circuit claims\ninput x : 0 .. 4\ninput g : a | b\nreveal total = sum(x) with AMOUNT\n\
                       reveal people = count() by g with AMOUNT\n";

/// What comes of many runs on one study.
struct Runs {
    /// What would come without noise, of each output.
    exact: Vec<i128>,
    /// What came, run by run.
    results: Vec<Vec<i128>>,
    /// What each helper drew, run by run.
    parts: [Vec<Vec<i128>>; 3],
}

fn program(amount: &str) -> Program {
    let text = CIRCUIT.replace("AMOUNT", amount);
    let circuit = quorate_circuit::Circuit::parse(&text).unwrap();
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 3, threshold: 1 };
    let draft = StudyDraft { rows_max: 10, ..StudyDraft::new("claims", sharing, circuit.inputs(), 10) };
    let program = compile(&text, &draft.document_for(&circuit).unwrap().1).unwrap();
    assert!(program.is_linear() && program.noise.len() == 3);
    program
}

/// A study of sixteen rows, of which the contribution in question has ten: each with this value in this group.
fn table((x, g): (i64, i64)) -> Vec<Vec<Integer>> {
    let column = |own: i64, others: [i64; 6]| std::iter::repeat_n(own, 10).chain(others);
    let columns = [(x, [0, 1, 2, 3, 4, 4]), (g, [0, 0, 1, 1, 1, 0])];
    columns.map(|(own, others)| column(own, others).map(Integer::from).collect()).to_vec()
}

fn small(integer: &Integer) -> i128 {
    integer.to_i128().unwrap()
}

fn run(program: &Program, table: &[Vec<Integer>], first: u16) -> Runs {
    let (scheme, rows) = (Scheme::shamir(3, 1).unwrap(), table[0].len() as u64);
    let sums: Vec<Vec<F61>> = table
        .iter()
        .map(|column| {
            let elements: Vec<F61> = column.iter().map(|value| F61::from_integer(value).unwrap()).collect();
            let shares = share(&scheme, &QUORUM, &elements, 7);
            shares.iter().map(|shares| shares.as_slice().iter().copied().sum()).collect()
        })
        .collect();
    let entries: Vec<Noise> =
        program.noise.iter().map(|entry| Noise { count: RUNS.into(), ..entry.clone() }).collect();
    let exact = program.evaluate(table).unwrap().iter().map(small).collect();
    let mut runs = Runs { exact, results: vec![], parts: [vec![], vec![], vec![]] };
    for session in first..first + DRAWS {
        let held = shares::<F61>(&entries, &scheme, &QUORUM, session);
        let outputs: Vec<Shares<F61>> = QUORUM
            .iter()
            .zip(&held)
            .map(|(helper, held)| {
                let of_run = |run: usize| {
                    let one = |entry| Shares::from_vec(vec![held.base(entry).as_slice()[run]]);
                    let noise = (0..3).map(|entry| EntryShares::Base(one(entry))).collect();
                    let mut computed = LinearRun::<F61>::new(program, &scheme, *helper);
                    for (column, sums) in (0..).zip(&sums) {
                        computed.add(column, sums[usize::from(*helper) - 1]);
                    }
                    computed.finish(program, rows, Verified::local(NoiseShares(noise))).release()
                };
                let all = (0..usize::from(RUNS)).map(of_run);
                Shares::from_vec(all.flat_map(|shares| shares.as_slice().to_vec()).collect())
            })
            .collect();
        let points: Vec<(HelperNumber, &[F61])> =
            QUORUM.iter().zip(&outputs).map(|(helper, shares)| (*helper, shares.as_slice())).collect();
        let found = recombine(&scheme, &points).unwrap().values;
        let of_run = |run: &[F61]| run.iter().map(|value| small(&value.to_integer())).collect();
        runs.results.extend(found.chunks(program.outputs.len()).map(of_run));
        for (helper, parts) in QUORUM.iter().zip(&mut runs.parts) {
            let drawn = drawn(&entries, &scheme, &QUORUM, &seed(session, *helper));
            let of_run = |run: usize| {
                let noise = |output: &quorate_circuit::Output| output.noise.unwrap() as usize;
                program.outputs.iter().map(|output| small(&drawn[noise(output)][run])).collect()
            };
            parts.extend((0..usize::from(RUNS)).map(of_run));
        }
    }
    runs
}

impl Runs {
    /// What an analyst makes of each run to whom so many helpers tell what they drew.
    fn seen(&self, tell: usize, weights: &[f64]) -> Vec<f64> {
        let of_run = |run: usize| {
            let told =
                |output: usize| self.parts[..tell].iter().map(|parts| parts[run][output]).sum::<i128>();
            let known = |output: usize| (self.results[run][output] - told(output)) as f64;
            weights.iter().enumerate().map(|(output, weight)| weight * known(output)).sum()
        };
        (0..self.results.len()).map(of_run).collect()
    }

    /// The same where everybody draws a part that is right if nobody tells, one of whom tells.
    fn seen_of_too_little(&self, program: &Program, weights: &[f64]) -> Vec<f64> {
        let mut rng = ChaCha20Rng::from_seed([9; 32]);
        let samplers: Vec<_> =
            program.noise.iter().map(|noise| noise.distribution.sampler(3).unwrap()).collect();
        let mut of_run = || {
            let mut noisy = |output: usize| {
                let mut part =
                    || small(&samplers[program.outputs[output].noise.unwrap() as usize].draw(&mut rng));
                (self.exact[output] + part() + part()) as f64
            };
            weights.iter().enumerate().map(|(output, weight)| weight * noisy(output)).sum()
        };
        self.results.iter().map(|_| of_run()).collect()
    }
}

/// The noise of all runs has the variance that is said, and is as often above as below.
fn check_variance(program: &Program, all: &[Runs; 2]) {
    let count = all.iter().map(|runs| runs.results.len()).sum::<usize>() as f64;
    for (place, output) in program.outputs.iter().enumerate() {
        let said = program.noise[output.noise.unwrap() as usize].distribution.variance(3, 2);
        let of_runs = |runs: &'_ Runs| -> Vec<f64> {
            runs.results.iter().map(|result| (result[place] - runs.exact[place]) as f64).collect()
        };
        let errors: Vec<f64> = all.iter().flat_map(of_runs).collect();
        let mean = errors.iter().sum::<f64>() / count;
        let variance = errors.iter().map(|error| error * error).sum::<f64>() / count;
        assert!((variance / said - 1.0).abs() < 0.02, "output {place}: {variance}, said is {said}");
        assert!(mean.abs() < 4.0 * (said / count).sqrt(), "output {place} is off by {mean}");
    }
}

/// How many values are from one number up to another.
fn within(sorted: &[f64], (from, to): (f64, f64)) -> usize {
    sorted.partition_point(|value| *value < to) - sorted.partition_point(|value| *value < from)
}

fn clopper_pearson(count: usize, of: usize) -> (f64, f64) {
    let (count, rest) = (count as f64, (of - count) as f64);
    let low = |a, b| Beta::new(a, b).unwrap().inverse_cdf(DOUBT / 2.0);
    let high = |a, b| Beta::new(a, b).unwrap().inverse_cdf(1.0 - DOUBT / 2.0);
    let low = if count == 0.0 { 0.0 } else { low(count, rest + 1.0) };
    (low, if rest == 0.0 { 1.0 } else { high(count + 1.0, rest) })
}

/// A lower bound on epsilon, where that is promised but for `delta`, of what is seen in a study and in its neighbour.
fn epsilon_above(before: &[f64], after: &[f64], delta: f64) -> f64 {
    let sorted = |values: &[f64]| {
        let mut values = values.to_vec();
        values.sort_by(f64::total_cmp);
        values
    };
    let half = before.len() / 2;
    let [first, second] =
        [0..half, half..2 * half].map(|runs| [before, after].map(|seen| sorted(&seen[runs.clone()])));
    let mut edges: Vec<f64> = first.iter().flatten().copied().collect::<Vec<_>>();
    edges.sort_by(f64::total_cmp);
    // Near the ends closer to each other.
    let places = (1..80).map(|place| 0.5 - 0.5 * (f64::from(place) / 80.0 * std::f64::consts::PI).cos());
    let mut edges: Vec<f64> = places.map(|share| edges[(share * edges.len() as f64) as usize]).collect();
    edges.dedup();
    edges.insert(0, f64::NEG_INFINITY);
    edges.push(f64::INFINITY);
    // As good as it looks, less three standard errors of either probability.
    let score = |event, more: usize| {
        let of = half as f64;
        let [likely, rare] = [more, 1 - more].map(|side| within(&first[side], event) as f64 / of);
        let likely = likely - 3.0 * (likely * (1.0 - likely) / of).sqrt() - delta;
        (likely / (rare + 3.0 * ((rare + 1.0 / of) / of).sqrt())).ln()
    };
    let events =
        edges.iter().enumerate().flat_map(|(place, from)| edges[place + 1..].iter().map(|to| (*from, *to)));
    let scored = events
        .flat_map(|event| [(event, 0), (event, 1)])
        .map(|(event, more)| (score(event, more), event, more));
    let best = scored.filter(|(score, ..)| score.is_finite()).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some((_, event, more)) = best else { return 0.0 };
    let (likely, _) = clopper_pearson(within(&second[more], event), half);
    let (_, rare) = clopper_pearson(within(&second[1 - more], event), half);
    ((likely - delta) / rare).ln()
}

/// By what an analyst weighs results to tell a study from its neighbour: some of the outputs.
fn weights(program: &Program, [before, after]: &[Runs; 2], outputs: &std::ops::Range<usize>) -> Vec<f64> {
    let weight = |output: usize| {
        let noise = &program.noise[program.outputs[output].noise.unwrap() as usize];
        let moved = (after.exact[output] - before.exact[output]) as f64;
        let is_in = outputs.contains(&output);
        if is_in { moved / noise.distribution.variance(1, 1) } else { 0.0 }
    };
    (0..program.outputs.len()).map(weight).collect()
}

/// Lower bounds on epsilon, by what an analyst is told.
struct Bounds {
    /// By one helper, as may be.
    one: f64,
    /// By one helper more than may be: as if each had drawn what is enough if nobody tells, in a quorum of two.
    two: f64,
    /// By all: what no honest helper hides.
    all: f64,
    /// By one, where each drew what is enough if nobody tells.
    too_little: f64,
}

/// Bounds where an epsilon is promised but for a `delta`, of all outputs together and of those of each result.
fn bounds(program: &Program, delta: f64) -> [Bounds; 3] {
    let both = [run(program, &table((0, 0)), 0), run(program, &table((4, 1)), DRAWS)];
    check_variance(program, &both);
    [0..3, 0..1, 1..3].map(|outputs| {
        let weights = weights(program, &both, &outputs);
        let bound = |seen: [Vec<f64>; 2]| epsilon_above(&seen[0], &seen[1], delta);
        let told_by = |tell| bound(both.each_ref().map(|runs| runs.seen(tell, &weights)));
        let little = both.each_ref().map(|runs| runs.seen_of_too_little(program, &weights));
        Bounds { one: told_by(1), two: told_by(2), all: told_by(3), too_little: bound(little) }
    })
}

#[test]
fn laplace_noise_is_what_is_claimed() {
    let program = program("epsilon 1");
    let [both, total, people] = bounds(&program, 0.0);
    assert_eq!(program.loss.epsilon, Some("2".parse().unwrap()));
    assert!(
        both.one < 2.0 && total.one < 1.0 && people.one < 1.0,
        "{} {} {}",
        both.one,
        total.one,
        people.one
    );
    assert!(total.one > 0.8, "a bound that says something: {}", total.one);
    assert!(total.two > 1.5 && total.too_little > 1.2, "{} {}", total.two, total.too_little);
    assert!(both.all > 4.0 && total.all > 4.0 && people.all > 4.0, "no noise hides nothing");
}

#[test]
fn gaussian_noise_is_what_is_claimed() {
    let program = program("rho 0.5");
    let [both, total, people] = bounds(&program, 0.05);
    let claim = |rho: Amount| {
        let delta = Quantity::new(Integer::ONE, Integer::from(20_u64)).unwrap();
        epsilon_of(&rho.quantity(), &delta).unwrap().to_f64()
    };
    let (of_both, of_each) = (claim(program.loss.rho), claim("0.5".parse().unwrap()));
    let is_within = both.one < of_both && total.one < of_each && people.one < of_each;
    assert!(is_within, "{} {} {}", both.one, total.one, people.one);
    assert!(total.one > 0.65 * of_each, "a bound that says something: {}", total.one);
    // Of a third less variance there is more to see than before, but not more than the claim: a conversion leaves room.
    assert!(total.too_little > 1.15 * total.one, "{} {}", total.one, total.too_little);
    let is_beyond = both.two > of_both && total.two > of_each && people.two > of_each;
    assert!(is_beyond, "{} {} {}", both.two, total.two, people.two);
    assert!(both.all > 4.0 && total.all > 4.0 && people.all > 4.0, "no noise hides nothing");
}
