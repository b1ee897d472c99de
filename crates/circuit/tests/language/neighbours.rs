//! Neighbouring studies: no contribution moves what gets noise by more than is said, and nothing leaves without noise.
//!
//! Everything that gets noise is looked at, what is compared inside as well: an order statistic's counts depend on what the comparisons
//! before gave, so these are forced to give the same in both studies, as they do where anybody could be led astray.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use quorate_circuit::{
    Circuit, Output, Parts, Program, ScalarInstruction, StudyDraft, check, compile, oracle,
};
use quorate_field::Integer;
use quorate_privacy::Distribution;

use super::support::{circuit, draft, integers, parse, study};
use super::whole;

/// What is drawn where a scalar is read.
fn noise_in(program: &Program, scalar: u32) -> Option<u32> {
    let place = (scalar as usize).checked_sub(program.reductions.len())?;
    match &program.scalar[place] {
        ScalarInstruction::Noise(entry) => Some(*entry),
        _ => None,
    }
}

/// The scalars that noise is added to, with its entry.
fn noisy(program: &Program) -> Vec<(u32, u32)> {
    let first = program.reductions.len();
    let of = |(place, instruction): (usize, &ScalarInstruction)| match instruction {
        ScalarInstruction::Linear { terms, .. } => {
            let entries: Vec<u32> = terms.iter().filter_map(|term| noise_in(program, term.scalar)).collect();
            assert!(entries.len() < 2, "one noise in a number");
            entries.first().map(|entry| (u32::try_from(first + place).unwrap(), *entry))
        }
        _ => None,
    };
    program.scalar.iter().enumerate().filter_map(of).collect()
}

/// Whether everything that leaves is computed of noisy numbers and public ones.
fn leaves_with_noise(program: &Program) -> bool {
    let noisy: BTreeSet<u32> = noisy(program).into_iter().map(|(scalar, _)| scalar).collect();
    let mut is_safe = vec![false; program.reductions.len()];
    for instruction in &program.scalar {
        let safe = |scalar: u32| is_safe[scalar as usize];
        let next = match instruction {
            ScalarInstruction::Linear { terms, .. } => {
                let place = u32::try_from(is_safe.len()).unwrap();
                noisy.contains(&place) || terms.iter().all(|term| safe(term.scalar))
            }
            ScalarInstruction::Multiply(left, right) => safe(*left) && safe(*right),
            ScalarInstruction::Lift { scalar, .. } => safe(*scalar),
            ScalarInstruction::Below(bounded) | ScalarInstruction::Equal(bounded) => safe(bounded.value),
            ScalarInstruction::Noise(_) => true,
        };
        is_safe.push(next);
    }
    program.outputs.iter().all(|output| is_safe[output.scalar as usize])
}

/// The same program with everything that gets noise as its outputs, and the entry of each.
fn opened(program: &Program) -> (Program, Vec<u32>) {
    let (scalars, entries): (Vec<u32>, Vec<u32>) = noisy(program).into_iter().unzip();
    let any = program.outputs.first().map_or(program.field, |output| output.field);
    let (max, meaning) = (Integer::pow10(120).unwrap(), String::new());
    let interval = quorate_circuit::Interval::new(max.checked_neg().unwrap(), max);
    let output = |scalar| Output { scalar, field: any, interval, meaning: meaning.clone(), noise: None };
    let outputs = scalars.into_iter().map(output).collect();
    (Program { outputs, vectors: vec![], ..program.clone() }, entries)
}

/// By how much each noisy number moves, if that costs no more than rho 0.5, or epsilon 1, in the noise that there is.
fn covered(program: &Program, before: &[Integer], after: &[Integer], entries: &[u32]) -> Result<(), String> {
    let mut moves: BTreeMap<u32, Integer> = BTreeMap::new();
    for ((before, after), entry) in before.iter().zip(after).zip(entries) {
        let moved = before.checked_sub(after).unwrap().abs();
        if *moves.entry(*entry).or_insert(moved) != moved {
            return Err(format!("entry {entry} is added to different numbers"));
        }
    }
    let (mut of_squares, mut of_moves) = (0.0, 0.0);
    for (entry, moved) in moves {
        let noise = &program.noise[entry as usize];
        if moved > noise.sensitivity {
            return Err(format!("{} moves by {moved}", noise.meaning));
        }
        match noise.distribution {
            Distribution::Gaussian { variance } => of_squares += moved.to_f64().powi(2) / variance.to_f64(),
            Distribution::Laplace { scale } => of_moves += moved.to_f64() / scale.to_f64(),
        }
    }
    // A unit of rho is taken off for the parts.
    match of_squares <= 1.0 + 1e-9 && of_moves <= 1.0 + 1e-9 {
        true => Ok(()),
        false => Err(format!("together by {of_squares} or {of_moves}")),
    }
}

/// Noise that decides every comparison of an order statistic, whatever the rows say; for all else none.
fn forcing(program: &Program, ways: u64) -> Vec<Integer> {
    let of = |(place, noise): (usize, &quorate_circuit::Noise)| match noise.rank {
        Some(_) if ways >> (place % 64) & 1 == 1 => noise.bound,
        Some(_) => noise.bound.checked_neg().unwrap(),
        None => Integer::ZERO,
    };
    program.noise.iter().enumerate().map(of).collect()
}

/// Results as analysts ask for them, beside whatever can be revealed.
fn reveal() -> impl Strategy<Value = String> {
    let group = || select(vec!["g", "h", "k", "q", "s", "bins(a, [0, 3, 9])", "bins(o + b, [-9, 0, 9])"]);
    let of_rows = || {
        prop_oneof![
            whole::row_number().prop_map(|x| format!("sum({x})")),
            whole::row_number().prop_map(|x| format!("mean({x})")),
            whole::row_truth().prop_map(|c| format!("count({c})")),
            whole::row_number().prop_map(|x| format!("missing({x})")),
            (whole::row_number(), whole::row_number()).prop_map(|(x, w)| format!("mean({x}) weighted ({w})")),
            (whole::row_number(), whole::row_number(), 1_u32..5)
                .prop_map(|(x, y, c)| format!("(sum({x}) - {c} * sum({y}))")),
            (whole::row_truth(), whole::row_truth(), whole::row_truth())
                .prop_map(|(x, y, z)| format!("(count({x}) + 3 * count({y}) - 2 * count({z}))")),
            whole::row_number().prop_map(|x| format!("variance({x})")),
        ]
    };
    let rank = (whole::row_number(), select(vec!["0.5", "1/3", "0.99", "0.9"]));
    prop_oneof![
        3 => whole::reveal(),
        2 => (of_rows(), whole::row_truth(), group()).prop_map(|(x, c, g)| format!("{x} where {c} by {g}")),
        2 => (of_rows(), group(), group()).prop_map(|(x, g, h)| format!("{x} by {g} by {h}")),
        2 => (rank, whole::row_truth()).prop_map(|((x, q), c)| format!("quantile({x}, {q}) where {c}")),
        2 => (of_rows(), whole::leaf_truth(), select(vec!["<", ">="]), -3_i32..9)
            .prop_map(|(x, c, op, k)| format!("({x} where {c}) {op} {k}")),
        1 => (of_rows(), select(vec!["<", ">="]), group()).prop_map(|(x, op, g)| format!("({x} {op} 2) by {g}")),
        1 => (whole::row_number(), whole::leaf_truth(), whole::aggregate())
            .prop_map(|(x, c, a)| format!("((median({x}) where {c}) + {a}) * (if count({c}) > 0 then 0 else 1)")),
    ]
}

/// Rows at the extremes of every column, and blanks.
fn extremes() -> impl Strategy<Value = Vec<i64>> {
    let (a, b, c) = (select(vec![0_i64, 9]), select(vec![-3_i64, 4]), select(vec![0_i64, 15]));
    let (g, h, k) = (0_i64..3, 0_i64..3, 0_i64..2);
    let optional = |values: &[(i64, i64)]| select(values.to_vec());
    let (o, p) = (optional(&[(-2, 1), (3, 1), (-2, 0)]), optional(&[(1, 1), (4, 1), (1, 0)]));
    let (q, s) = (optional(&[(0, 1), (1, 1), (2, 1), (0, 0)]), optional(&[(0, 1), (1, 1), (0, 0)]));
    let u = optional(&[(18_319, 1), (18_321, 1), (18_323, 1), (18_319, 0)]);
    let number = (a.clone(), b, c, a);
    (number, (g, h, k, 0_i64..2), (o, p, q, s, u)).prop_map(
        |((a, b, c, d), (g, h, k, t), (o, p, q, s, u))| {
            vec![a, b, c, d, g, h, k, o.0, o.1, p.0, p.1, q.0, q.1, s.0, s.1, t, u.0, u.1]
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn no_contribution_moves_results_by_more_than_is_said(
        reveal in reveal(),
        table in whole::table(4..12),
        others in prop::collection::vec((extremes(), extremes(), extremes()), 12),
        rows_max in 1_u32..4,
        ways in any::<u64>(),
        is_pure in any::<bool>(),
    ) {
        let with = if is_pure { "epsilon 1" } else { "rho 0.5" };
        let text = whole::circuit(&[format!("{reveal} with {with}")]);
        let draft = StudyDraft { rows_max, ..draft(whole::columns(), 1000) };
        let study = draft.document().unwrap().1;
        let Ok(circuit) = Circuit::parse(&text) else { return Ok(()) };
        let Ok(program) = compile(&text, &study) else { return Ok(()) };
        prop_assert_eq!(program.validate(), Ok(()), "{}", &text);
        prop_assert!(leaves_with_noise(&program), "{}", text);
        let (opened, entries) = opened(&program);
        let every: BTreeSet<u32> = entries.iter().copied().collect();
        prop_assert_eq!(every.len(), program.noise.len(), "{}", &text);
        let forcing = forcing(&program, ways);
        let mut found: Vec<Vec<Integer>> = vec![opened.evaluate_with(&table, &forcing).unwrap()];
        for (first, second, third) in &others {
            let mut moved = table.clone();
            for (row, values) in [first, second, third].into_iter().take(rows_max as usize).enumerate() {
                for (cells, value) in moved.iter_mut().zip(values) {
                    cells[row] = Integer::from(*value);
                }
            }
            found.push(opened.evaluate_with(&moved, &forcing).unwrap());
        }
        for (place, before) in found.iter().enumerate() {
            for after in &found[..place] {
                let covered = covered(&program, before, after, &entries);
                prop_assert!(covered.is_ok(), "{}\n{:?}\n{:?}\n{:?}\n{:?}", text, covered, before, after, program.noise);
            }
        }
        // With no noise it is the exact result, but for what noise cannot tell.
        let rows = table[0].len() as u64;
        let checked = check(&circuit, &study).unwrap();
        let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), rows);
        for ((_, outcome), (_, expected)) in outcomes.iter().zip(oracle(&checked, &table)) {
            // A comparison of what is undefined is false, and one of noise is not.
            let words = format!("{expected:?}");
            let is_told = reveal.contains(" then 0 else 1)") || words.contains("Undefined") || words.contains("Truth");
            prop_assert!(is_told || whole::is_same(outcome, &expected), "{}\n{:?}\n{:?}", text, outcome, expected);
        }
        // Whatever is drawn within what is said, something comes of it.
        let bounds = program.noise.iter().enumerate();
        let drawn: Vec<Integer> = bounds
            .map(|(place, noise)| if ways >> (place % 63) & 1 == 0 { noise.bound.checked_neg().unwrap() } else { noise.bound })
            .collect();
        let outputs = program.evaluate_with(&table, &drawn);
        prop_assert!(outputs.is_ok(), "{}\n{:?}", text, outputs);
        let outputs = outputs.unwrap();
        prop_assert_eq!(program.outcomes(&outputs, rows).len(), 1);
        prop_assert_eq!(program.uncertainties(&outputs, rows, Parts { all: 3, honest: 2 }).len(), 1);
        prop_assert_eq!(compile(&parse(&text).to_string(), &study).unwrap().hash(), program.hash());
    }
}

/// That rows are there is taken for granted of private order statistics, and of nothing else.
#[test]
fn what_is_taken_for_granted_is_not_told() {
    for of in ["sum(salary)", "count(salary > 7)", "5"] {
        let reveal = format!(
            "reveal r = ((median(hourly) where salary > 7) + {of}) * (if count(salary > 7) > 0 then 0 else 1) with epsilon 1"
        );
        let program = compile(&circuit(&reveal), &study()).unwrap();
        assert!(leaves_with_noise(&program), "{of}");
        assert!(
            program.outputs.is_empty() && program.loss.is_none(),
            "nothing is told, and nothing is charged"
        );
    }
    let exact = compile(&circuit("reveal m = mean(salary) where gender == male"), &study()).unwrap();
    assert!(!leaves_with_noise(&exact), "what leaves without is noticed");
}

/// The sensitivity of one number that is understated is noticed, of what is compared as well.
#[test]
fn what_moves_further_is_noticed() {
    let (from, to) = ([1_000_000, 0, 1, 0, 0], [1_000_000, 0, 2, 0, 0]);
    for (reveal, from, to) in [
        ("mean(salary) by gender", from, to),
        ("mean(salary) > 50_000 where gender == male", [0, 0, 1, 0, 0], from),
        ("median(\"yrs.service\")", from, [0, 0, 0, 60, 0]),
    ] {
        let program = compile(&circuit(&format!("reveal r = {reveal} with rho 0.5")), &study()).unwrap();
        let (opened, entries) = opened(&program);
        let others = [7, 7, 1, 7, 1];
        let table =
            |row: [i64; 5]| (0..5).map(|column| integers(&[row[column], others[column]])).collect::<Vec<_>>();
        let [before, after] = [from, to].map(table);
        let forcing = forcing(&program, 0);
        let [before, after] = [before, after].map(|table| opened.evaluate_with(&table, &forcing).unwrap());
        assert_eq!(covered(&program, &before, &after, &entries), Ok(()), "{reveal}");
        let mut less = program.clone();
        for noise in &mut less.noise {
            let Distribution::Gaussian { variance } = noise.distribution else { panic!("Gaussian") };
            let quarter = variance.checked_div(&quorate_field::Quantity::from(4_u64)).unwrap();
            noise.distribution = Distribution::Gaussian { variance: quarter };
        }
        assert!(covered(&less, &before, &after, &entries).is_err(), "{reveal}");
    }
}

/// A median that noise leads astray may be no value that a row can have, and is an answer none the less.
#[test]
fn searches_that_are_led_astray_end() {
    let program = compile(&circuit("reveal m = median(salary) with rho 0.5"), &study()).unwrap();
    let table: Vec<_> = (0..5).map(|_| integers(&[0, 0])).collect();
    for (ways, found) in [(0, 1_048_575), (u64::MAX, 0)] {
        let outputs = program.evaluate_with(&table, &forcing(&program, ways)).unwrap();
        assert_eq!(outputs, integers(&[found]), "of twenty bits");
    }
}
