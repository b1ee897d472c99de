//! Programs: what is revealed and no more, canonical bytes, validation, outcomes.

use quorate_circuit::{
    Coefficient, InvalidProgram, Outcome, Output, Program, PublicInstruction, Quantity, Reduction, Revealed,
    RowInstruction, RowTerm, ScalarInstruction, ScalarTerm, Undefined, compile,
};
use quorate_field::Integer;

use super::support::{circuit, integers, study};

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
            r#"{"format":2,"name":"test","field":"f61","columns":5,"rows_max":1000,"row":[{"input":{"column":1}}],"#,
            r#""reductions":[{"sum":{"value":0}}],"scalar":[],"outputs":[{"scalar":0,"field":"f61","interval":"#,
            r#"{"min":"-500000","max":"20000000"},"meaning":"sum(hourly), in units of 0.01"}],"public":[{"output":0},"#,
            r#"{"rows":["0","100"]},{"divide":[0,1]}],"reveals":[{"name":"x","result":{"number":2}}]}"#
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
    let damages: [(Damage, &str); 14] = [
        (|p| p.format = 1, "format 1"),
        (|p| p.columns = 5000, "`columns` has 5000"),
        (|p| p.rows_max = u64::MAX, "rows_max"),
        (|p| p.row[0] = RowInstruction::Input { column: 5 }, "`row` refers to 5"),
        (|p| p.row.swap(0, 1), "`row` refers to 0"),
        (|p| p.reductions[0] = Reduction::Sum { value: 2 }, "`reductions` refers to 2"),
        (|p| p.outputs[0].scalar = 3, "`outputs` refers to 3"),
        (|p| p.outputs[0].interval.max = p.field.modulus(), "beyond its field F61"),
        (|p| p.field = quorate_field::FieldId::F127, "in another field"),
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
                terms[0].factor = Coefficient::constant(quorate_field::FieldId::F61.modulus());
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
