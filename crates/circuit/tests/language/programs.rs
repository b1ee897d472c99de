//! Programs: what is revealed and no more, canonical bytes, validation, outcomes.

use quorate_circuit::{
    Coefficient, Interval, InvalidProgram, Outcome, Output, Program, PublicInstruction, Quantity, Reduction,
    Revealed, RowInstruction, RowTerm, ScalarInstruction, ScalarTerm, StudyDraft, Undefined, compile,
};
use quorate_field::{FieldId, Integer};

use super::support::{circuit, draft, integers, study};

fn meanings(reveals: &str) -> Vec<String> {
    let program = compile(&circuit(reveals), &study()).unwrap();
    program.validate().unwrap();
    program.outputs.into_iter().map(|output| output.meaning).collect()
}

#[test]
fn a_run_reveals_what_is_named_and_nothing_on_the_way() {
    assert_eq!(meanings("reveal x = count()"), [""; 0]);
    assert_eq!(
        meanings("reveal x = mean(salary) - mean(\"yrs.service\")"),
        ["sum(salary) - sum(\"yrs.service\")"]
    );
    assert_eq!(
        meanings("reveal x = sum(salary) / sum(\"yrs.service\")"),
        ["sum(salary)", "sum(\"yrs.service\")"]
    );
    assert_eq!(meanings("reveal x = sum(salary + hourly) - sum(hourly)"), ["sum(salary)"]);
    assert_eq!(meanings("reveal x = sum(salary) - sum(salary)"), [""; 0]);
    assert_eq!(meanings("reveal x = mean(salary - 5) * 3 / 7 + 1"), ["sum(salary)"]);
    // A mean and a sum: the number of rows is a factor of one of them.
    assert_eq!(
        meanings("reveal x = mean(salary) - sum(\"yrs.service\")"),
        ["sum(salary) - n*sum(\"yrs.service\")"]
    );
    // However often a number is asked for, and with whatever sign or factor, it leaves once.
    let reveals = "reveal a = sum(hourly)\nreveal b = -2 * mean(hourly)\nreveal c = mean(hourly / 3) - 1";
    assert_eq!(meanings(reveals), ["sum(hourly), in units of 0.01"]);
}

/// What a test is computed of leaves, once, and nothing else.
#[test]
fn what_a_test_reveals() {
    let t_test = [
        "count(region == north)",
        "sum(salary where region == north)",
        "sum(salary^2 where region == north)",
        "count(region == south)",
        "sum(salary where region == south)",
        "sum(salary^2 where region == south)",
    ];
    assert_eq!(meanings("reveal x = ttest(salary by region)"), t_test);
    let more =
        "reveal x = ttest(salary by region)\nreveal n = count() by region\nreveal m = mean(salary) by region";
    assert_eq!(meanings(more), t_test, "equal numbers leave once");
    let of_both = "(region == north) and (gender == female)";
    let found = meanings("reveal x = chisq(region, gender)");
    assert_eq!((found.len(), found[0].as_str()), (6, format!("count({of_both})").as_str()));
    let among = meanings("reveal x = chisq(region, salary > 5) where \"yrs.service\" > 9");
    assert!(among.len() == 4 && among.iter().all(|meaning| meaning.contains("yrs.service")), "{among:?}");
}

#[test]
fn products_and_conditions_reveal_what_is_named_too() {
    // A variance: one number of the two sums, and the public number of rows.
    let variance = "n*sum(salary^2) - sum(salary)^2";
    assert_eq!(meanings("reveal x = variance(salary)"), [variance]);
    assert_eq!(meanings("reveal x = stddev(salary)\nreveal y = 2 * variance(salary) + 1"), [variance]);
    assert_eq!(
        meanings("reveal x = mean(salary)\nreveal y = stddev(salary) / mean(salary)"),
        ["sum(salary)", variance]
    );
    // Among some rows, their count instead of `N*(N - 1)`: it tells the same.
    let among = "salary where gender == male";
    let count = "count(gender == male)".to_owned();
    assert_eq!(
        meanings("reveal x = variance(salary) where gender == male"),
        [format!("{count}*sum(salary^2 where gender == male) - sum({among})^2"), count.clone()]
    );
    assert_eq!(meanings("reveal x = mean(salary) where gender == male"), [format!("sum({among})"), count]);
    assert_eq!(
        meanings("reveal x = count() by region\nreveal y = mean(region == north)"),
        ["count(region == north)", "count(region == south)"]
    );
    // The square of what is not negative tells the same.
    assert_eq!(meanings("reveal x = sum(salary) * sum(salary)"), ["sum(salary)"]);
    assert_eq!(meanings("reveal x = sum(hourly) * mean(hourly)"), ["sum(hourly)^2, in units of 0.0001"]);
    assert_eq!(
        meanings("reveal x = sum(salary) * sum(\"yrs.service\")"),
        ["sum(salary)*sum(\"yrs.service\")"]
    );
    // What everybody knows beforehand is not revealed.
    assert_eq!(meanings("reveal x = mean(salary >= 0)\nreveal y = count(salary > 1_000_000)"), [""; 0]);
    assert_eq!(
        meanings("reveal x = mean(salary) where salary >= 0 or gender == male"),
        ["sum(salary where salary >= 0 or gender == male)"]
    );
}

#[test]
fn a_comparison_reveals_one_bit() {
    let bit = |reveal: &str| {
        let program = compile(&circuit(&format!("reveal x = {reveal}")), &study()).unwrap();
        assert_eq!(program.outputs.len(), 1, "{reveal}");
        assert_eq!(program.outputs[0].interval, Interval::BIT, "{reveal}");
        program.outputs.into_iter().next().unwrap().meaning
    };
    assert_eq!(bit("sum(salary) > 20_000_000"), "sum(salary) > 20000000");
    assert_eq!(bit("not sum(salary) > 20_000_000"), "sum(salary) > 20000000");
    assert_eq!(bit("mean(salary) <= mean(hourly)"), "(sum(salary)) / (n) <= (sum(hourly)) / (100*n)");
    bit("(mean(salary) where gender == male) >= (mean(salary) where gender == female)");
    bit("sum(salary) > 5 and not sum(hourly) < 7");
    bit("sum(salary) > 5 or sum(hourly) > 7 or variance(salary) > 8");
    bit("if sum(salary) > 5 then sum(hourly) > 7 else count(salary > 3) != 2");
    bit("(sum(salary) > 5) where gender == male");
    assert_eq!(meanings("reveal x = sum(salary) >= 0"), [""; 0]);
    assert_eq!(meanings("reveal x = (sum(salary) > 5) by region").len(), 2);
}

/// `n*sum(x^2)` of a million salaries is beyond F61, the bit that it decides is not.
#[test]
fn what_is_compared_may_be_lifted_and_the_bit_comes_back() {
    let (_, study) = draft(study().columns, 1_000_000).document().unwrap();
    let reveals = "reveal x = variance(salary) > 5 and sum(salary) > 7\nreveal y = if variance(salary) > 5 then sum(salary) else 0";
    let program = compile(&circuit(reveals), &study).unwrap();
    program.validate().unwrap();
    let lifts = program.scalar.iter().filter(|i| matches!(i, ScalarInstruction::Lift { .. })).count();
    let fields: Vec<_> = program.outputs.iter().map(|output| output.field).collect();
    assert_eq!((program.field, lifts), (FieldId::F61, 2));
    assert_eq!(fields, [FieldId::F61, FieldId::F61]);
    let compared = program.scalar.iter().filter_map(|i| match i {
        ScalarInstruction::Below(bounded) => Some(program.scalar_field(bounded.value)),
        _ => None,
    });
    assert_eq!(compared.collect::<Vec<_>>(), [FieldId::F127, FieldId::F61]);
    // With the columns in F127, nothing is.
    let larger = StudyDraft { field: Some(FieldId::F127), ..draft(study.columns, 1_000_000) };
    let program = compile(&circuit(reveals), &larger.document().unwrap().1).unwrap();
    assert!(!program.scalar.iter().any(|i| matches!(i, ScalarInstruction::Lift { .. })));
}

/// The instructions of a circuit with one result.
fn lowered(reveals: &str) -> Program {
    let program = compile(&circuit(reveals), &study()).unwrap();
    program.validate().unwrap();
    program
}

#[test]
fn products_and_conversions_are_made_where_they_are_needed_and_once() {
    use RowInstruction::{Multiply, Number};
    let count =
        |program: &Program, is: fn(&RowInstruction) -> bool| program.row.iter().filter(|i| is(i)).count();
    let products = |program: &Program| count(program, |i| matches!(i, Multiply(..)));
    let numbers = |program: &Program| count(program, |i| matches!(i, Number(_)));
    for (reveals, row_products, conversions, reductions) in [
        ("reveal x = sum(salary * hourly)", 0, 0, vec![Reduction::Dot(0, 1)]),
        ("reveal x = sum(salary * salary)", 0, 0, vec![Reduction::Dot(0, 0)]),
        ("reveal x = count(salary > 5)", 0, 0, vec![Reduction::Count(1)]),
        ("reveal x = count(salary > 5) + 2 * count(salary <= 5)", 0, 0, vec![Reduction::Count(1)]),
        (
            "reveal x = mean(salary) where hourly < 5",
            0,
            1,
            vec![Reduction::Dot(2, 3), Reduction::Sum { value: 2 }],
        ),
    ] {
        let program = lowered(reveals);
        assert_eq!((products(&program), numbers(&program)), (row_products, conversions), "{reveals}");
        assert_eq!(program.reductions, reductions, "{reveals}");
    }
    // One product of rows, whatever the number of groups; one conversion for each.
    let program = lowered("reveal x = stddev(salary) by gender\nreveal y = mean(salary) by gender");
    assert_eq!((products(&program), numbers(&program)), (1, 3));
    // Inputs of one scale are compared as they are, others by their difference.
    let less =
        lowered("reveal x = count(salary > \"yrs.service\")\nreveal y = mean(\"yrs.service\" >= salary)");
    assert_eq!(count(&less, |i| matches!(i, RowInstruction::Less(..))), 1);
    assert_eq!((less.row.len(), less.reductions.len()), (3, 1));
    let below = lowered("reveal x = count(salary > hourly)");
    assert_eq!(count(&below, |i| matches!(i, RowInstruction::Below(_))), 1);
    // 7.505 is between two hundredths.
    let rounded = lowered("reveal x = count(hourly > 7.505)\nreveal y = count(hourly >= 7.51)");
    assert_eq!((rounded.row.len(), rounded.reductions.len()), (2, 1));
}

#[test]
fn equal_circuits_have_equal_programs_and_others_have_not() {
    let program = |reveals: &str| compile(&circuit(reveals), &study()).unwrap();
    let first = program("reveal x = sum(salary) + 2 # a comment");
    assert_eq!(first.hash(), program("reveal   x = (sum(salary)) + 2.0").hash());
    assert_ne!(first.hash(), program("reveal x = sum(salary) + 3").hash());
    assert_ne!(first.hash(), program("reveal y = sum(salary) + 2").hash());
    let json = serde_json::to_string(&first).unwrap();
    assert_eq!(serde_json::from_str::<Program>(&json).unwrap(), first);
    assert!(serde_json::from_str::<Program>(&json.replacen("\"name\"", "\"nome\"", 1)).is_err());
}

/// The canonical form is part of what helpers agree on: a change of it is a change of format.
#[test]
fn the_canonical_form_of_a_small_program() {
    let program = compile(&circuit("reveal x = mean(hourly)"), &study()).unwrap();
    assert_eq!(
        serde_json::to_string(&program).unwrap(),
        concat!(
            r#"{"format":6,"name":"test","field":"f61","columns":[1,1,1,1,1],"rows_max":1000,"row":[{"input":{"column":1}}],"#,
            r#""reductions":[{"sum":{"value":0}}],"scalar":[],"noise":[],"loss":{"rho":"0","epsilon":"0"},"#,
            r#""outputs":[{"scalar":0,"field":"f61","interval":"#,
            r#"{"min":"-500000","max":"20000000"},"meaning":"sum(hourly), in units of 0.01","noise":null}],"#,
            r#""vectors":[],"public":[{"output":0},{"rows":["0","100"]},{"divide":[0,1]}],"reveals":[{"name":"x","result":{"number":2}}]}"#
        )
    );
}

#[test]
fn outcomes_are_exact_and_a_mean_of_nobody_is_undefined() {
    let program = compile(&circuit("reveal x = mean(hourly)\nreveal n = count()"), &study()).unwrap();
    let outcome = |sum: i64, rows| program.outcomes(&integers(&[sum]), rows).remove(0).1;
    assert_eq!(outcome(1250, 4).to_string(), "3.125");
    assert_eq!(outcome(1000, 3).to_string(), "3.33333333333");
    assert_eq!(serde_json::to_string(&outcome(1250, 4)).unwrap(), "3.125");
    assert_eq!(serde_json::to_string(&outcome(-1000, 3)).unwrap(), "-3.3333333333333335");
    assert_eq!(outcome(0, 0), Outcome::Undefined(Undefined::DivisionByZero));
    assert_eq!(serde_json::to_string(&outcome(0, 0)).unwrap(), "null");
    assert_eq!(serde_json::to_string(&program.outcomes(&integers(&[5]), 2)[1].1).unwrap(), "2");
}

/// Row programs are for more than single columns: the interpreter's other instructions.
fn by_hand() -> Program {
    let mut program = compile(&circuit("reveal x = sum(salary)"), &study()).unwrap();
    let terms = vec![RowTerm { value: 0, factor: Integer::from(3) }];
    program.row.push(RowInstruction::Linear { constant: Integer::from(-1), terms });
    program.reductions.push(Reduction::Sum { value: 1 });
    let terms = vec![ScalarTerm { scalar: 1, factor: Coefficient::rows() }];
    program.scalar.push(ScalarInstruction::Linear { constant: Coefficient::constant(7_u64), terms });
    let output = Output { scalar: 2, meaning: "by hand".into(), ..program.outputs[0].clone() };
    program.outputs.push(output);
    program
}

#[test]
fn the_evaluator_runs_every_instruction() {
    let program = by_hand();
    program.validate().unwrap();
    let table =
        vec![integers(&[10, 20]), integers(&[0, 0]), integers(&[0, 0]), integers(&[0, 0]), integers(&[0, 0])];
    // 2 rows of 3x - 1: 29 + 59 = 88; times n, plus 7.
    assert_eq!(program.evaluate(&table).unwrap(), integers(&[30, 2 * 88 + 7]));
    assert_eq!(program.columns_read(), [0]);
    assert_eq!(program.output_bytes(), 16);
}

#[test]
fn the_evaluator_refuses_tables_that_do_not_fit() {
    let program = by_hand();
    let zero = integers(&[0]);
    assert!(program.evaluate(&[]).unwrap_err().to_string().contains("0 columns: the program reads 5"));
    let ragged = vec![zero.clone(), vec![], zero.clone(), zero.clone(), zero.clone()];
    assert!(program.evaluate(&ragged).unwrap_err().to_string().contains("column 1"));
    let outside = vec![integers(&[-1]), zero.clone(), zero.clone(), zero.clone(), zero.clone()];
    assert!(program.evaluate(&outside).unwrap_err().to_string().contains("outside their columns' domains"));
    let many = vec![vec![Integer::ZERO; 1001]; 5];
    assert!(program.evaluate(&many).unwrap_err().to_string().contains("1001 rows"));
}

type Damage = fn(&mut Program);

#[test]
fn validation_finds_every_kind_of_damage() {
    let damages: [(Damage, &str); 15] = [
        (|p| p.format = 1, "format 1"),
        (|p| p.columns = vec![1; 5000], "`columns` has 5000"),
        (|p| p.columns[4] = 0, "`columns of no width` has 1"),
        (|p| p.rows_max = u64::MAX, "rows_max"),
        (|p| p.row[0] = RowInstruction::Input { column: 5 }, "`row` refers to 5"),
        (|p| p.row.swap(0, 1), "`row` refers to 0"),
        (|p| p.reductions[0] = Reduction::Sum { value: 2 }, "`reductions` refers to 2"),
        (|p| p.outputs[0].scalar = 3, "`outputs` refers to 3"),
        (|p| p.outputs[0].interval.max = p.field.modulus(), "beyond its field F61"),
        (|p| p.field = FieldId::F127, "in another field"),
        (|p| p.public.push(PublicInstruction::Add(0, 9)), "`public` refers to 9"),
        (|p| p.public.push(PublicInstruction::Output(2)), "`public` refers to 2"),
        (
            |p| p.public.push(PublicInstruction::Rows(Coefficient(vec![Integer::ONE; 20]))),
            "coefficient out of bounds",
        ),
        (|p| p.reveals[0].result = Revealed::Number(7), "`reveals` refers to 7"),
        (
            |p| {
                let ScalarInstruction::Linear { terms, .. } = &mut p.scalar[0] else { unreachable!() };
                terms[0].factor = Coefficient::constant(FieldId::F61.modulus());
            },
            "`scalar` has a coefficient out of bounds",
        ),
    ];
    for (damage, words) in damages {
        let mut program = by_hand();
        damage(&mut program);
        let error: InvalidProgram = program.validate().expect_err(words);
        assert!(error.to_string().contains(words), "{words:?} expected in {error}");
    }
}

/// A program with every kind of instruction.
fn of_everything() -> Program {
    let reveals = concat!(
        "reveal a = variance(salary) where hourly > 5 or salary < \"yrs.service\"\n",
        "reveal b = mean(if gender == male then salary * hourly else 1)\n",
        "reveal c = count(if gender == other then salary > 5 else hourly > 7)\n",
        "reveal d = sum(salary) > 5 and count(salary > 3) == 2\n",
        "reveal e = stddev(salary * 5)\n",
        "reveal f = sum(salary * salary) * sum(salary)",
    );
    lowered(reveals)
}

fn row(program: &mut Program, is: fn(&RowInstruction) -> bool) -> &mut RowInstruction {
    program.row.iter_mut().find(|instruction| is(instruction)).unwrap()
}

fn scalar(program: &mut Program, is: fn(&ScalarInstruction) -> bool) -> &mut ScalarInstruction {
    program.scalar.iter_mut().find(|instruction| is(instruction)).unwrap()
}

#[test]
fn validation_finds_kinds_fields_and_bounds_mixed_up() {
    let damages: [(Damage, &str); 14] = [
        (|p| *row(p, |i| matches!(i, RowInstruction::Number(_))) = RowInstruction::Number(0), "another kind"),
        (|p| *row(p, |i| matches!(i, RowInstruction::Not(_))) = RowInstruction::Not(0), "another kind"),
        (|p| *row(p, |i| matches!(i, RowInstruction::And(..))) = RowInstruction::And(0, 0), "another kind"),
        (|p| *row(p, |i| matches!(i, RowInstruction::Xor(..))) = RowInstruction::Xor(0, 0), "another kind"),
        (
            |p| {
                let truth = p.row.iter().position(|i| matches!(i, RowInstruction::Less(..))).unwrap();
                let truth = u32::try_from(truth).unwrap();
                p.row.push(RowInstruction::Multiply(0, truth));
            },
            "another kind",
        ),
        (
            |p| {
                let product = p.row.iter().position(|i| matches!(i, RowInstruction::Multiply(..))).unwrap();
                let product = u32::try_from(product).unwrap();
                p.row.push(RowInstruction::Same(0, product));
            },
            "another kind",
        ),
        (
            |p| p.reductions[0] = Reduction::Count(0),
            "`reductions` refers to value 0, which is of another kind",
        ),
        (
            |p| {
                let RowInstruction::Below(bounded) = row(p, |i| matches!(i, RowInstruction::Below(_))) else {
                    unreachable!()
                };
                bounded.with = bounded.interval.max.checked_add(&Integer::ONE).unwrap();
            },
            "`row` has an interval out of bounds",
        ),
        (
            |p| {
                let RowInstruction::Equal(bounded) = row(p, |i| matches!(i, RowInstruction::Equal(_))) else {
                    unreachable!()
                };
                bounded.interval.max = p_half();
            },
            "`row` has an interval out of bounds",
        ),
        (
            |p| {
                let lift = scalar(p, |i| matches!(i, ScalarInstruction::Lift { .. }));
                let ScalarInstruction::Lift { interval, .. } = lift else { unreachable!() };
                interval.max = p_half();
            },
            "`scalar` has an interval out of bounds",
        ),
        (
            |p| {
                let below = scalar(p, |i| matches!(i, ScalarInstruction::Below(_)));
                let ScalarInstruction::Below(bounded) = below else { unreachable!() };
                bounded.with = Integer::from(-1);
            },
            "`scalar` has an interval out of bounds",
        ),
        (
            |p| {
                let lifted = lifted(p);
                p.scalar.push(ScalarInstruction::Multiply(0, lifted));
            },
            "which is in another field",
        ),
        (
            |p| {
                let (scalar, interval) = (lifted(p), Interval::BIT);
                p.scalar.push(ScalarInstruction::Lift { scalar, interval });
            },
            "which is in another field",
        ),
        (|p| p.public.push(PublicInstruction::Root(9999)), "`public` refers to 9999"),
    ];
    of_everything().validate().unwrap();
    for (place, (damage, words)) in damages.into_iter().enumerate() {
        let mut program = of_everything();
        damage(&mut program);
        let error: InvalidProgram = program.validate().expect_err(words);
        assert!(error.to_string().contains(words), "{place}: {words:?} expected in {error}");
    }
}

/// One more than F61 holds.
fn p_half() -> Integer {
    FieldId::F61.half().checked_add(&Integer::ONE).unwrap()
}

fn lifted(program: &Program) -> u32 {
    let place = program.scalar.iter().position(|i| matches!(i, ScalarInstruction::Lift { .. })).unwrap();
    u32::try_from(program.reductions.len() + place).unwrap()
}

#[test]
fn quantities_print_and_convert() {
    let quantity = |top: i64, bottom: i64| Quantity::new(top.into(), bottom.into()).unwrap();
    for (value, text) in [
        (quantity(1, 2), "0.5"),
        (quantity(-7, 4), "-1.75"),
        (quantity(10, -5), "-2"),
        (quantity(1, 3), "0.333333333333"),
        (quantity(2, 3), "0.666666666667"),
        (quantity(-200_000_000, 3), "-66666666.6667"),
        (quantity(1, 3_000_000_000), "3.33333333333e-10"),
        (quantity(0, 5), "0"),
    ] {
        assert_eq!(value.to_string(), text);
    }
    assert_eq!(quantity(1, 3).to_f64().to_bits(), (1.0_f64 / 3.0).to_bits());
    assert_eq!(quantity(113_182_659, 100).to_f64().to_bits(), 1_131_826.59_f64.to_bits());
    assert!(Quantity::new(Integer::ONE, Integer::ZERO).is_none());
    assert!(serde_json::from_str::<Quantity>(r#"{"numerator":"1","denominator":"0"}"#).is_err());
    let unreduced: Quantity = serde_json::from_str(r#"{"numerator":"2","denominator":"-4"}"#).unwrap();
    assert_eq!(unreduced, quantity(-1, 2));
}
