//! Private results: which numbers get how much noise, and what is said of it.

use quorate_circuit::{
    Disclosure, Margin, Outcome, Parts, Program, Study, StudyDraft, Uncertainty, compile, explain,
};
use quorate_field::{Integer, Quantity};
use quorate_privacy::{Budget, Distribution, Loss};

use super::support::{assert_refused, assert_refused_on, circuit, column, draft, integers, study};

fn budget(rho: Option<&str>, epsilon: Option<&str>) -> Budget {
    let amount = |text: &str| text.parse().unwrap();
    Budget::of(rho.map(amount), epsilon.map(amount), None).unwrap()
}

/// [`study`] with a budget.
fn private_study(budget: Budget) -> Study {
    let columns = study().columns;
    StudyDraft { privacy: Some(budget), ..draft(columns, 1000) }.document().unwrap().1
}

fn lowered(reveals: &str) -> Program {
    let text = circuit(reveals);
    compile(&text, &study()).unwrap_or_else(|error| panic!("{}", error.render(&text, false)))
}

fn quantity(numerator: i64, denominator: i64) -> Quantity {
    Quantity::new(Integer::from(numerator), Integer::from(denominator)).unwrap()
}

fn sensitivities(program: &Program) -> Vec<i128> {
    program.noise.iter().map(|noise| noise.sensitivity.to_i128().unwrap()).collect()
}

/// Variances of Gaussian noise and scales of Laplace noise: of a rho of 0.5, the former is short of one unit of 10^-12.
fn variances(program: &Program) -> Vec<Quantity> {
    let rounded = |quantity: Quantity| quantity.numerator().div_rem(&quantity.denominator()).unwrap().0;
    let variance = |distribution: Distribution| match distribution {
        Distribution::Gaussian { variance } => {
            let less = quantity(999_999_999_998, 1_000_000_000_000);
            rounded(variance.checked_mul(&less).unwrap().checked_add(&quantity(1, 2)).unwrap()).into()
        }
        Distribution::Laplace { scale } => scale,
    };
    program.noise.iter().map(|noise| variance(noise.distribution)).collect()
}

#[test]
fn a_mean_of_all_rows_has_the_noise_of_one_sum() {
    let program = lowered("reveal m = mean(salary) with epsilon 0.5");
    assert_eq!(sensitivities(&program), [1_000_000]);
    assert_eq!(program.noise[0].distribution, Distribution::Laplace { scale: quantity(2_000_000, 1) });
    assert_eq!(program.outputs[0].noise, Some(0));
    assert!(program.is_linear());
    let epsilon = |text: &str| Some(text.parse().unwrap());
    assert_eq!(program.loss, Loss { rho: "0.125".parse().unwrap(), epsilon: epsilon("0.5") });
    // In units of 0.01, and both ends count: of 205.00.
    let program = lowered("reveal m = mean(hourly) with rho 0.5\nreveal n = count() with rho 1");
    assert_eq!(
        (sensitivities(&program), variances(&program)),
        (vec![20_500], vec![quantity(20_500 * 20_500, 1)])
    );
    // The number of rows costs nothing.
    assert_eq!(program.loss, Loss { rho: "0.5".parse().unwrap(), epsilon: None });
    let approximate = lowered("reveal m = mean(salary) with epsilon 1 delta 0.000001");
    assert!(approximate.loss.epsilon.is_none() && approximate.loss.rho < "0.03".parse().unwrap());
}

#[test]
fn a_table_moves_in_two_cells() {
    let program = lowered("reveal n = count() by gender with rho 0.5");
    assert_eq!((sensitivities(&program), variances(&program)), (vec![1; 3], vec![quantity(2, 1); 3]));
    let program = lowered("reveal n = count() by gender by region with epsilon 1");
    assert_eq!((sensitivities(&program), variances(&program)), (vec![1; 6], vec![quantity(2, 1); 6]));
    // A sum and a count in each of two cells, the sum about the middle of its range: 1/4 + 1/4 + 1 + 1.
    let program = lowered("reveal m = mean(salary) by gender with rho 0.5");
    let large = quantity(2_500_000_000_000, 1);
    assert_eq!(variances(&program).iter().filter(|variance| **variance == large).count(), 3);
    assert!(program.outputs.iter().any(|output| output.meaning.contains("500000*count(gender == male)")));
    // Who moves from one to the other is in both where they overlap.
    let program = lowered("reveal n = count(salary > 5) + 2 * count(salary > 7) with rho 0.5");
    assert_eq!((sensitivities(&program), variances(&program)), (vec![3], vec![quantity(9, 1)]));
    let program = lowered("reveal n = histogram(salary, [0, 10, 100, 1000]) with rho 0.5");
    assert!(variances(&program).iter().all(|variance| *variance == quantity(2, 1)));
    assert_eq!(program.noise.len(), 3);
}

#[test]
fn a_contribution_moves_by_all_its_rows() {
    let columns = vec![column("x", "5 .. 10"), column("g", "a | b")];
    let study = StudyDraft { rows_max: 3, ..draft(columns, 100) }.document().unwrap().1;
    let text = "circuit c\ninput x : 5 .. 10\ninput g : a | b\n";
    let of = |reveal: &str| compile(&format!("{text}reveal r = {reveal} with rho 0.5\n"), &study).unwrap();
    assert_eq!(sensitivities(&of("sum(x)")), [15]);
    assert_eq!(sensitivities(&of("sum(x) where g == a")), [30]);
    let table = of("sum(x) by g");
    assert_eq!((sensitivities(&table), variances(&table)), (vec![30, 30], vec![quantity(1800, 1); 2]));
    assert_eq!(sensitivities(&of("variance(x)")), [15, 3 * 75]);
}

#[test]
fn order_statistics_are_searched_for_with_noisy_counts() {
    let program = lowered("reveal m = median(salary) with rho 0.5");
    // Twenty bits, each a comparison of twice a count with the number of rows.
    assert_eq!((sensitivities(&program), variances(&program)), (vec![2; 20], vec![quantity(4 * 20, 1); 20]));
    assert_eq!((program.outputs.len(), program.outputs[0].noise), (1, None));
    let table = whole_table();
    let exact = compile(&circuit("reveal m = median(salary)"), &study()).unwrap();
    let rows = table[0].len() as u64;
    let outcomes = |program: &Program| program.outcomes(&program.evaluate(&table).unwrap(), rows);
    assert_eq!(outcomes(&program), outcomes(&exact));
    let extremes = |reveal: &str| circuit(&format!("reveal m = {reveal} with rho 0.5"));
    for reveal in
        ["min(salary)", "max(hourly)", "quantile(salary, 1) where gender == male", "max(salary) > 5"]
    {
        assert_refused(&extremes(reveal), reveal, &["no noise that hides an extreme", "quantile(x, 0.99)"]);
    }
}

fn whole_table() -> Vec<Vec<Integer>> {
    let salaries = [5, 70_000, 40_000, 40_000, 1_000_000, 123, 9];
    let cells = |modulus: i64| integers(&(0..7).map(|row| row % modulus).collect::<Vec<_>>());
    vec![integers(&salaries), cells(5), cells(3), cells(4), cells(2)]
}

#[test]
fn comparisons_are_made_of_noisy_sums() {
    let program = lowered("reveal b = mean(salary) > 50_000 with epsilon 1");
    assert_eq!((sensitivities(&program), program.outputs.len()), (vec![1_000_000], 1));
    assert_eq!(program.outputs[0].noise, None, "one bit leaves, and no sum");
    let rows = 7;
    let bit = |noise: i64| {
        let outputs = program.evaluate_with(&whole_table(), &integers(&[noise])).unwrap();
        program.outcomes(&outputs, rows).remove(0).1
    };
    // 1_150_137 in all.
    assert_eq!((bit(0), bit(-900_000)), (Outcome::Truth(true), Outcome::Truth(false)));
    let among = lowered("reveal b = mean(salary) > 50_000 where gender == male with rho 0.5");
    // Somebody comes in with 950,000 above the mark.
    assert_eq!(sensitivities(&among), [1_000_000]);
    let equal = circuit("reveal b = count(salary > 5) == 3 with rho 0.5");
    assert_refused(&equal, "count(salary > 5) == 3", &["no noise goes with `==`"]);
    let two = circuit(
        "reveal b = mean(salary) where gender == male > mean(salary) where gender == other with rho 0.5",
    );
    assert!(compile(&two, &study()).is_err());
}

#[test]
fn what_is_computed_of_sums_is_computed_of_noisy_ones() {
    let program = lowered("reveal v = variance(salary) with rho 0.5\nreveal s = stddev(salary) with rho 0.5");
    assert_eq!(program.noise.len(), 4, "each result has noise of its own");
    let model = lowered("reveal m = regression(salary ~ \"yrs.service\") with rho 0.5");
    // Two sums, three sums of products; the number of rows is public.
    assert_eq!(model.noise.len(), 5);
    for (reveal, words) in
        [("ttest(salary by gender == male)", "p-value"), ("chisq(gender, region)", "p-value")]
    {
        assert_refused(&circuit(&format!("reveal t = {reveal} with rho 0.5")), reveal, &[words]);
    }
}

#[test]
fn amounts_that_are_none_are_refused_where_they_stand() {
    for (with, place, words) in [
        ("with gamma 1", "gamma", &["no privacy by gamma", "epsilon, delta or rho"][..]),
        ("with epsilon 0", "0", &["no amount of privacy", "more than 0"]),
        ("with epsilon 1 epsilon 2", "epsilon", &["said twice"]),
        ("with epsilon 0.0000000000001", "0.0000000000001", &["at most twelve decimals"]),
        ("with rho 1 delta 0.1", "with rho 1 delta 0.1", &["no amount of privacy", "epsilon and delta"]),
        ("with delta 0.1", "with delta 0.1", &["expected epsilon"]),
        ("with epsilon 1 delta 1", "1", &["delta is a small probability"]),
        ("with epsilon 2000000", "2000000", &["at most 1000000"]),
    ] {
        let text = circuit(&format!("reveal m = mean(salary) {with}"));
        assert_refused(&text, place, words);
    }
    assert!(compile(&circuit("reveal m = mean(salary) with"), &study()).is_err());
    assert!(compile(&circuit("reveal m = mean(salary) with epsilon"), &study()).is_err());
}

#[test]
fn a_study_with_a_budget_answers_nothing_exactly_and_nothing_beyond_it() {
    let pure = private_study(budget(None, Some("1")));
    let text = circuit("reveal m = mean(salary)");
    assert_refused_on(
        &text,
        &pure,
        "mean(salary)",
        &["m is exact", "of the study's epsilon 1", "with epsilon 0.5"],
    );
    let text = circuit("reveal n = count()\nreveal m = mean(salary) with epsilon 0.6");
    assert!(compile(&text, &pure).is_ok());
    let text = circuit("reveal a = mean(salary) with epsilon 0.6\nreveal b = mean(hourly) with epsilon 0.5");
    assert_refused_on(
        &text,
        &pure,
        "with epsilon 0.5",
        &["costs more than the study may", "cost epsilon 1.1"],
    );
    let text = circuit("reveal m = mean(salary) with rho 0.1");
    assert_refused_on(&text, &pure, "with rho 0.1", &["allows no delta, and no rho"]);
    let concentrated = private_study(budget(Some("0.5"), None));
    assert!(compile(&circuit("reveal m = mean(salary) with epsilon 1"), &concentrated).is_ok());
    let text = circuit("reveal m = mean(salary) with epsilon 1.1");
    assert_refused_on(&text, &concentrated, "with epsilon 1.1", &["cost rho 0.605"]);
}

#[test]
fn suppression_and_noise_do_not_go_together() {
    let disclosure = Disclosure { min_group: 3, ..Disclosure::default() };
    let columns = study().columns;
    let groups = StudyDraft { disclosure, ..draft(columns, 1000) };
    let text = circuit("reveal m = mean(salary) with epsilon 1");
    let study = groups.document().unwrap().1;
    assert_refused_on(&text, &study, "with epsilon 1", &["noise and suppression do not go together"]);
    let both = StudyDraft { privacy: Some(budget(Some("1"), None)), ..groups };
    assert!(both.document().unwrap_err().to_string().contains("policy.min_group"));
}

#[test]
fn budgets_are_read_as_they_are_written() {
    let approximate = Budget::of(None, Some("1".parse().unwrap()), Some(quantity(1, 1_000_000))).unwrap();
    for budget in [budget(Some("0.5"), None), budget(None, Some("2.25")), approximate] {
        let (text, study) = StudyDraft { privacy: Some(budget), ..draft(vec![column("x", "0 .. 9")], 10) }
            .document()
            .unwrap();
        assert_eq!(study.privacy, Some(budget), "{text}");
    }
    let (text, _) = draft(vec![column("x", "0 .. 9")], 10).document().unwrap();
    let with = |table: &str| {
        Study::parse(&text.replace("\n[[columns]]", &format!("\n[privacy]\n{table}\n[[columns]]")))
    };
    for (table, words) in [
        ("rho = \"0\"", "a budget of nothing"),
        ("rho = \"1\"\nepsilon = \"1\"", "either rho, or epsilon"),
        ("delta = \"0.1\"", "either rho, or epsilon"),
        ("epsilon = \"1\"\ndelta = \"1\"", "delta is above 0 and below 1"),
        ("epsilon = \"x\"", "privacy.epsilon"),
        ("epsilon = 1", "expected a string"),
        ("sigma = \"1\"", "unknown field"),
    ] {
        let error = with(table).unwrap_err().to_string();
        assert!(error.contains(words), "{table}: {error}");
    }
}

#[test]
fn vectors_have_noise_in_every_element() {
    let columns =
        vec![column("g", "vector[16] of -1.00 .. 1.00"), column("h", "vector[4] of -1.0 .. 1.0 norm 0.5")];
    let study = draft(columns, 100).document().unwrap().1;
    let text = |reveals: &str| {
        format!(
            "circuit c\ninput g : vector[16] of -1.00 .. 1.00\ninput h : vector[4] of -1.0 .. 1.0 norm 0.5\n{reveals}"
        )
    };
    let program =
        compile(&text("reveal s = sum(g) with rho 0.5\nreveal t = mean(h) with rho 0.5\n"), &study).unwrap();
    assert_eq!(program.noise.iter().map(|noise| noise.count).collect::<Vec<_>>(), [16, 4]);
    // 16 elements that move by 200 each; and two vectors of norm 5.
    assert_eq!(variances(&program), [quantity(16 * 200 * 200, 1), quantity(100, 1)]);
    assert_eq!(program.vectors.iter().map(|vector| vector.noise).collect::<Vec<_>>(), [Some(0), Some(1)]);
    let pure = compile(&text("reveal t = mean(h) with epsilon 1\n"), &study).unwrap();
    assert_eq!(variances(&pure), [quantity(21, 1)]);
    let twice = text("reveal s = sum(g) with rho 0.5\nreveal t = mean(g)\n");
    assert_refused_on(&twice, &study, "mean(g)", &["revealed once", "revealed twice"]);
}

const PARTS: Parts = Parts { all: 3, honest: 2 };

fn margin(uncertainty: &Option<Uncertainty>) -> Margin {
    match uncertainty {
        Some(Uncertainty::Number(margin)) => *margin,
        other => panic!("a number's uncertainty, not {other:?}"),
    }
}

#[test]
fn results_say_how_far_noise_may_have_taken_them() {
    let near =
        |found: f64, expected: f64| assert!((found / expected - 1.0).abs() < 1e-6, "{found}, {expected}");
    let of = |reveals: &str| {
        let program = lowered(reveals);
        let outputs = program.evaluate(&whole_table()).unwrap();
        program.uncertainties(&outputs, 7, PARTS)
    };
    let mean = of("reveal m = mean(hourly) with rho 0.5\nreveal n = count()");
    // 205.00 of one sum, half as much again of three parts of which two suffice; in the mean of seven.
    let stderr = 205.0 * 1.5_f64.sqrt() / 7.0;
    near(margin(&mean[0].1).stderr, stderr);
    let exact = 0.01 * 11.0 / 7.0;
    near(margin(&mean[0].1).low, exact - 1.96 * stderr);
    near(margin(&mean[0].1).high, exact + 1.96 * stderr);
    assert_eq!(mean[1].1, None);
    // The derivatives of a quotient of noisy numbers: female are rows 0, 3 and 6, with 40014 in all. Of a count, no part has a
    // variance below 4; the sum is about 500000 a row.
    let table = of("reveal m = mean(salary) by gender with rho 0.5");
    let Some(Uncertainty::Parts(cells)) = &table[0].1 else { panic!("a table: {table:?}") };
    let (of_sum, of_count) = ((2.5e12_f64 * 1.5).sqrt(), 12.0_f64.sqrt());
    near(margin(&cells[0].1).stderr, (of_sum / 3.0).hypot(of_count * (500_000.0 - 40_014.0 / 3.0) / 3.0));
    let json = serde_json::to_value(&cells[0].1).unwrap();
    assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), ["high", "low", "stderr"]);
    // A root, by half its inverse.
    let both = of("reveal v = pvariance(salary) with rho 0.5\nreveal s = pstddev(salary) with rho 0.5");
    let deviation = (margin(&both[1].1).low + margin(&both[1].1).high) / 2.0;
    near(margin(&both[1].1).stderr, margin(&both[0].1).stderr / (2.0 * deviation));
    let model = of("reveal m = regression(salary ~ \"yrs.service\") with rho 1000000");
    assert!(serde_json::to_value(&model[0].1).unwrap()["intercept"]["stderr"].is_number());
    let median = of("reveal m = median(salary) with rho 0.5\nreveal b = mean(salary) > 5 with rho 1");
    let Some(Uncertainty::Rank { rows }) = median[0].1 else { panic!("a rank: {median:?}") };
    near(rows, 3.023_341_4 * (20.0_f64 * 1.5).sqrt());
    assert_eq!(median[1].1, None);
}

#[test]
fn what_is_known_before_has_no_uncertainty() {
    for with in ["", " with epsilon 1", " with rho 0.5"] {
        for reveal in [
            "median(salary - salary)",
            "quantile(hourly * 0 + 3, 0.9) where gender == male",
            "count(salary >= 0)",
        ] {
            let program = lowered(&format!("reveal m = {reveal}{with}"));
            let outputs = program.evaluate(&whole_table()).unwrap();
            assert_eq!(program.uncertainties(&outputs, 7, PARTS)[0].1, None, "{reveal}{with}");
        }
    }
}

#[test]
fn explanations_say_what_is_promised_and_what_is_left() {
    let study = private_study(budget(None, Some("1")));
    let text =
        circuit("reveal m = mean(hourly) with epsilon 0.25\nreveal t = median(salary) with epsilon 0.25");
    let program = compile(&text, &study).unwrap();
    let explanation = explain(&text, &study).unwrap();
    let said = explanation.to_string();
    for words in [
        "what one row says, within the declared ranges",
        "moves by at most 20500",
        "a step of median(salary) (20 times)",
        "discrete Laplace, standard error",
        "4 helpers draw a part each, of which any 3 are noise enough",
        "the run costs epsilon 0.5, rho 0.0625 of the study's epsilon 1; its helpers say what is spent",
    ] {
        // With products, exactly 2t + 1 helpers compute.
        let words = words.replace("4 helpers", "3 helpers").replace("any 3", "any 2");
        assert!(said.contains(&words), "{words:?} in:\n{said}");
    }
    let spent = |epsilon: &str| Loss { rho: "0.1".parse().unwrap(), epsilon: Some(epsilon.parse().unwrap()) };
    let later = explanation.clone().with_spent(&program, Some(spent("0.125")), Some(100)).to_string();
    assert!(
        later.contains("of the study's epsilon 1: epsilon 0.125 is spent, 0.375 would be left"),
        "{later}"
    );
    // 205 / 0.25 in the mean of a hundred; of the median, nobody knows.
    assert!(later.contains("noise to expect in results:\n  m  standard error 14.2"), "{later}");
    let refused = explanation.with_spent(&program, Some(spent("0.75")), None).to_string();
    assert!(refused.contains("epsilon 0.75 is spent, so helpers refuse it"), "{refused}");
}
