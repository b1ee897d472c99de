//! Circuits: what the analysts ask.

use quorate_circuit::{Column, Domain, Program, Study, compile};
use quorate_field::Integer;

use crate::chance::Chance;

/// Circuits for the study that compile, each with its program.
pub(crate) fn circuits(count: u64, study: &Study, chance: &mut Chance) -> Vec<(String, Program)> {
    let circuit = |number| match study.policy.disclosure.has_groups() {
        true => circuit_of_groups(number, study, chance),
        false if study.privacy.is_some() => circuit_with_noise(number, study, chance),
        false => circuit(number, study, chance),
    };
    (0..count).map(circuit).collect()
}

/// A number in the middle of a column's range, as a circuit writes it.
fn middle(study: &Study, name: &str) -> String {
    let domain = study.column(name).map(|column| study.columns[column].domain.clone());
    match domain {
        Some(Domain::Number { min, max, .. }) => {
            let sum = min.checked_add(&max).unwrap_or(min);
            sum.div_rem(&Integer::from(2_u64)).map_or(min, |(half, _)| half).to_string()
        }
        _ => "0".to_owned(),
    }
}

fn circuit(number: u64, study: &Study, chance: &mut Chance) -> (String, Program) {
    let (a, b) = (name(study, chance), name(study, chance));
    let middle = middle(study, &a);
    let forms = [
        "count()".to_owned(),
        format!("sum({a})"),
        format!("mean({b})"),
        format!("sum({a} + {b})"),
        format!("sum(2 * {a} - {b} + 7)"),
        format!("mean({a}) - mean({b})"),
        format!("3 * sum({a}) - count()"),
        format!("count({a} > {middle})"),
        format!("sum({a} * {b})"),
        format!("variance({a})"),
        format!("mean({a}) where {b} >= {a}"),
        format!("sum({b}) where not ({a} == {middle})"),
        format!("mean({a}) > mean({b})"),
        format!("missing({a} + {b})"),
    ];
    // They take many rounds: seldom.
    let in_order = [
        format!("median({a})"),
        format!("max({a}) - min({b})"),
        format!("quantile({b}, 0.9) where {a} > {middle}"),
    ];
    let mut text = format!("{}reveal people = count()\n", head(number, study));
    if let Some(vector) = study.declared().find(|column| column.is_vector())
        && chance.hit(500)
    {
        text += &format!("reveal total = sum({})\n", vector.name);
    }
    for reveal in 0..chance.between(1, 3) {
        let is_in_order = chance.hit(20);
        let forms = if is_in_order { &in_order[..] } else { &forms[..] };
        let form = &forms[chance.index(forms.len())];
        let longer = format!("{text}reveal r{reveal} = {form}\n");
        if compile(&longer, study).is_ok() {
            text = longer;
        }
    }
    #[expect(clippy::expect_used, reason = "the shortest of these counts only")]
    let program = compile(&text, study).expect("a circuit that counts compiles");
    (text, program)
}

/// A circuit each of whose results is of the rows where one condition holds, the last words of its line.
fn circuit_of_groups(number: u64, study: &Study, chance: &mut Chance) -> (String, Program) {
    let mut text = head(number, study);
    for reveal in 0..chance.between(1, 2) {
        let (a, b) = (name(study, chance), name(study, chance));
        let (point, other) = (chance.between(0, 9), chance.between(0, 9));
        let conditions = [
            format!("{b} > {point}"),
            format!("{b} == {point}"),
            format!("not ({b} <= {point})"),
            format!("{b} > {point} and {a} < {other}"),
        ];
        let condition = &conditions[chance.index(conditions.len())];
        let function = if chance.hit(100) { "median" } else { "sum" };
        text += &format!("reveal r{reveal} = {function}({a}) where {condition}\n");
    }
    #[expect(clippy::expect_used, reason = "columns of groups are from 0 to 9, and their helpers multiply")]
    let program = compile(&text, study).expect("a circuit of few groups compiles");
    (text, program)
}

/// A circuit each of whose results costs something of a budget that a few exhaust.
fn circuit_with_noise(number: u64, study: &Study, chance: &mut Chance) -> (String, Program) {
    let mut text = head(number, study);
    for reveal in 0..chance.between(1, 2) {
        let name = name(study, chance);
        let middle = middle(study, &name);
        let is_pure = chance.hit(500) || study.privacy.is_some_and(|budget| budget.measure() == "epsilon");
        let amount = chance.between(5, 30);
        let price = if is_pure { format!("epsilon 0.{amount:02}") } else { format!("rho 0.{amount:02}") };
        let forms = [
            format!("sum({name})"),
            format!("mean({name})"),
            format!("count({name} > {middle})"),
            format!("variance({name})"),
            format!("count({name} > {middle}) > 3"),
        ];
        let noise = compile(&text, study).map_or(0, |program| program.noise.len());
        // It takes many rounds: seldom.
        let median = format!("median({name})");
        let form = if chance.hit(30) { &median } else { &forms[chance.index(forms.len())] };
        for form in [form, &forms[0]] {
            let longer = format!("{text}reveal r{reveal} = {form} with {price}\n");
            // What the declarations decide already costs nothing.
            if compile(&longer, study).is_ok_and(|program| program.noise.len() > noise) {
                text = longer;
                break;
            }
        }
    }
    #[expect(clippy::expect_used, reason = "every column has a noisy sum")]
    let program = compile(&text, study).expect("a circuit with noise compiles");
    (text, program)
}

fn head(number: u64, study: &Study) -> String {
    let input = |column: &Column| format!("input {} : {}\n", column.name, column.declaration());
    let inputs: String = study.declared().map(input).collect();
    format!("circuit sim{number}\n{inputs}")
}

/// The name of one of the study's columns.
fn name(study: &Study, chance: &mut Chance) -> String {
    let declared: Vec<&Column> = study.declared().collect();
    declared[chance.index(declared.len())].name.clone()
}
