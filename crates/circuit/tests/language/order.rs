//! Order statistics: what leaves the helpers, how often the rows are gone over, and programs that are not in order.

use quorate_circuit::{
    InvalidProgram, Program, Reduction, RowInstruction, ScalarInstruction, StudyDraft, compile, explain,
};
use quorate_field::{FieldId, Integer};

use super::support::{assert_refused, circuit, draft, study};

fn lowered(reveals: &str) -> Program {
    let program =
        compile(&circuit(reveals), &study()).unwrap_or_else(|d| panic!("{}", d.render(reveals, false)));
    program.validate().unwrap();
    program
}

fn meanings(reveals: &str) -> Vec<String> {
    lowered(reveals).outputs.into_iter().map(|output| output.meaning).collect()
}

fn count(program: &Program, is: fn(&RowInstruction) -> bool) -> usize {
    program.row.iter().filter(|instruction| is(instruction)).count()
}

#[test]
fn the_answer_leaves_and_whether_there_is_one() {
    assert_eq!(meanings("reveal x = median(salary)"), ["median(salary)"]);
    assert_eq!(
        meanings("reveal x = quantile(salary, 0.5)\nreveal y = median(salary) * 2"),
        ["median(salary)"]
    );
    assert_eq!(meanings("reveal x = max(salary) - min(salary)"), ["max(salary) - min(salary)"]);
    assert_eq!(meanings("reveal x = quantile(hourly, 0.9)"), ["quantile(hourly, 9/10), in units of 0.01"]);
    assert_eq!(
        meanings("reveal x = median(salary) where gender == male"),
        ["median(salary where gender == male)", "count(gender == male) > 0"]
    );
    // Both are zero where a group is empty, so that the difference does not say which.
    assert_eq!(
        meanings("reveal x = (max(salary) where gender == male) - (max(salary) where gender == other)").len(),
        2
    );
    assert_eq!(meanings("reveal x = (median(salary) > 5_000) where gender == male").len(), 1);
    assert_eq!(meanings("reveal x = median(7)"), [""; 0]);
    // Nobody, and a condition that everybody meets.
    assert_eq!(meanings("reveal x = median(salary) where salary > 1_000_000"), [""; 0]);
    assert_eq!(meanings("reveal x = median(salary) where salary >= 0").len(), 2);
}

#[test]
fn all_order_statistics_share_their_passes() {
    let passes = |reveals: &str| lowered(reveals).passes().count();
    // 20 bits, two a pass.
    let one = passes("reveal x = median(salary)");
    assert_eq!(one, 10);
    assert_eq!(passes("reveal x = median(salary) by gender by region"), one);
    assert_eq!(
        passes(
            "reveal x = quantile(salary, 0.1)\nreveal y = min(salary)\nreveal z = max(hourly) where salary > 5"
        ),
        one
    );
    assert_eq!(passes("reveal x = median(\"yrs.service\")"), 3);
    assert_eq!(passes("reveal x = variance(salary) > 5"), 1);
    // They share bits, and those of a multiple are those of the number.
    let bits = |reveals: &str| count(&lowered(reveals), |i| matches!(i, RowInstruction::Bit(_)));
    assert_eq!(bits("reveal x = median(salary) by gender\nreveal y = max(3 * salary - 7)"), 20);
    // Two bits are three counts.
    let program = lowered("reveal x = median(salary)");
    let counts = program.reductions.iter().filter(|r| matches!(r, Reduction::Count(_))).count();
    assert_eq!((counts, program.reductions.len()), (30, 30));
    assert_eq!(count(&program, |i| matches!(i, RowInstruction::Number(_))), 0);
    assert_eq!(count(&program, |i| matches!(i, RowInstruction::And(..))), 10 + 9 * 9);
}

#[test]
fn the_explanation_counts_passes_and_their_rounds() {
    let cost = |reveals: &str| explain(&circuit(reveals), &study()).unwrap().cost.unwrap();
    let (one, ten) = (cost("reveal x = count(salary > 5) > 3"), cost("reveal x = median(salary)"));
    assert_eq!((one.passes, ten.passes), (1, 10));
    // The first pass makes bits as well.
    assert!((5 * one.rounds..8 * one.rounds).contains(&ten.rounds), "{} and {}", one.rounds, ten.rounds);
    assert_eq!(cost("reveal x = median(salary) by gender").passes, 10);
    let said = explain(&circuit("reveal x = median(salary)"), &study()).unwrap().to_string();
    assert!(said.contains("passes over the rows"), "{said}");
}

/// With many rows, counts times a denominator leave F61.
#[test]
fn ranks_are_lifted_where_they_must() {
    let (_, large) = draft(study().columns, 1 << 36).document().unwrap();
    let program = compile(&circuit("reveal x = min(salary)"), &large).unwrap();
    program.validate().unwrap();
    assert!(program.scalar.iter().any(|i| matches!(i, ScalarInstruction::Lift { .. })));
    let wide = StudyDraft { field: Some(FieldId::F127), ..draft(study().columns, 1 << 36) };
    let program = compile(&circuit("reveal x = min(salary)"), &wide.document().unwrap().1).unwrap();
    assert!(!program.scalar.iter().any(|i| matches!(i, ScalarInstruction::Lift { .. })));
}

#[test]
fn helpers_that_cannot_multiply_put_nothing_in_order() {
    use quorate_circuit::{Sharing, SharingKind};
    let sharing = Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 };
    let study = StudyDraft { sharing, ..draft(study().columns, 1000) }.document().unwrap().1;
    let refused = compile(&circuit("reveal x = median(salary)"), &study).unwrap_err();
    let text = refused.render(&circuit("reveal x = median(salary)"), false);
    assert!(text.contains("putting rows in order"), "{text}");
    assert_refused(&circuit("reveal x = median(stddev(salary))"), "stddev(salary)", &["cannot take this"]);
}

type Damage = fn(&mut Program);

#[test]
fn validation_finds_what_is_not_in_order() {
    fn everywhere(program: &mut Program) -> &mut u32 {
        let is_everywhere = |i: &&mut RowInstruction| matches!(i, RowInstruction::Everywhere(_));
        match program.row.iter_mut().find(is_everywhere) {
            Some(RowInstruction::Everywhere(scalar)) => scalar,
            _ => unreachable!(),
        }
    }
    let damages: [(Damage, &str); 8] = [
        (|p| *everywhere(p) = 100_000, "`row` refers to 100000"),
        // A count is no comparison.
        (|p| *everywhere(p) = 0, "which is not decided before it"),
        // The last comparison is of what comes of the first.
        (
            |p| {
                let last = p.scalar.iter().rposition(|i| matches!(i, ScalarInstruction::Below(_))).unwrap();
                *everywhere(p) = u32::try_from(p.reductions.len() + last).unwrap();
            },
            "which is not decided before it",
        ),
        (
            |p| {
                let decided = p.row.iter().rposition(|i| matches!(i, RowInstruction::Xor(..))).unwrap();
                p.row.push(RowInstruction::Number(u32::try_from(decided).unwrap()));
            },
            "makes a number of what scalars decide",
        ),
        (|p| bit(p).place = 20, "`row` has an interval out of bounds"),
        (|p| bit(p).interval.max = p_half(), "`row` has an interval out of bounds"),
        (|p| bit(p).interval.min = Integer::from(-1), "`row` has an interval out of bounds"),
        (|p| bit(p).value = 1, "refers to"),
    ];
    let program = lowered("reveal x = median(salary)\nreveal y = min(salary) where gender == male");
    for (place, (damage, words)) in damages.into_iter().enumerate() {
        let mut program = program.clone();
        damage(&mut program);
        let error: InvalidProgram = program.validate().expect_err(words);
        assert!(error.to_string().contains(words), "{place}: {words:?} expected in {error}");
    }
}

fn bit(program: &mut Program) -> &mut quorate_circuit::Bit {
    match program.row.iter_mut().find(|i| matches!(i, RowInstruction::Bit(_))) {
        Some(RowInstruction::Bit(bit)) => bit,
        _ => unreachable!(),
    }
}

/// One more than F61 holds.
fn p_half() -> Integer {
    FieldId::F61.half().checked_add(&Integer::ONE).unwrap()
}

/// A program whose scalars and rows follow each other ten thousand times is checked and put in passes all the same.
#[test]
fn long_chains_take_no_stack() {
    let mut program = lowered("reveal x = count(salary > 5) > 3");
    let first = u32::try_from(program.row.len()).unwrap() - 1;
    let (truth, below) =
        (first, program.scalar.iter().find(|i| matches!(i, ScalarInstruction::Below(_))).cloned());
    let Some(ScalarInstruction::Below(below)) = below else { unreachable!() };
    let links = 10_000;
    program.reductions.resize(links + 1, Reduction::Count(truth));
    program.scalar.clear();
    for link in 0..links {
        let scalar = u32::try_from(links + 1 + link).unwrap();
        let mut below = below.clone();
        below.value = u32::try_from(link).unwrap();
        program.scalar.push(ScalarInstruction::Below(below));
        program.row.push(RowInstruction::Everywhere(scalar));
        program.reductions[link + 1] = Reduction::Count(u32::try_from(program.row.len()).unwrap() - 1);
    }
    program.outputs[0].scalar = u32::try_from(links + 1).unwrap();
    program.validate().unwrap();
    assert_eq!(program.passes().count(), u32::try_from(links).unwrap() + 1);
}
