//! Blanks, booleans and dates: what each aggregate makes of them, by hand, and what helpers need for it.

use quorate_circuit::{Circuit, Program, Reduction, RowInstruction, Study, check, compile, lower, oracle};

use super::support::{assert_refused_on, column, draft, integers, parse};

const INPUTS: &str = "circuit blanks
input age   : 0 .. 120
input bonus : optional -10 .. 50
input years : optional 1 .. 40
input smokes : optional no | yes
input member : yes | no
input answer : optional maybe | yes | no
input joined : optional 2024-02-28 .. 2024-03-02
";

/// Five people: age, bonus, years, whether they smoke, whether they are members, answer, when they joined.
fn table() -> Vec<Vec<quorate_field::Integer>> {
    [
        &[20, 30, 40, 50, 60][..],
        &[10, -10, 20, -10, 0],
        &[1, 0, 1, 0, 1],
        &[5, 7, 1, 1, 9],
        &[1, 1, 0, 0, 1],
        &[1, 0, 0, 0, 1],
        &[1, 1, 0, 1, 1],
        &[0, 1, 0, 1, 0],
        &[0, 2, 1, 0, 0],
        &[0, 1, 1, 0, 1],
        &[19_782, 19_781, 19_784, 19_783, 19_781],
        &[1, 0, 1, 1, 1],
    ]
    .map(integers)
    .to_vec()
}

fn study() -> Study {
    draft(parse(&format!("{INPUTS}reveal n = count()")).inputs(), 1000).document().unwrap().1
}

/// What the oracle says, and that the program says the same.
fn answer(reveal: &str) -> String {
    let (text, study) = (format!("{INPUTS}reveal r = {reveal}\n"), study());
    let checked =
        check(&parse(&text), &study).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
    let program = lower(&checked, &study).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
    let (said, table) = (oracle(&checked, &table()), table());
    assert_eq!(program.outcomes(&program.evaluate(&table).unwrap(), 5), said, "{reveal}");
    serde_json::to_string(&said[0].1).unwrap()
}

#[test]
fn what_a_blank_means_in_every_aggregate() {
    // bonus: 10, -, 20, -, 0; years: 5, 7, -, -, 9; smokes: yes, no, -, no, yes; answer: -, no, yes, -, maybe.
    for (reveal, expected) in [
        ("count()", "5"),
        ("missing(bonus)", "2"),
        ("missing(age)", "0"),
        ("missing(bonus + years)", "3"),
        ("missing(answer)", "2"),
        ("missing(smokes)", "1"),
        ("missing(bonus) where age > 30", "1"),
        ("missing(bonus) by smokes", r#"{"no":2,"yes":0}"#),
        ("missing(bonus > 5 and years > 6)", "3"),
        ("missing(bonus > 5 or years > 6)", "1"),
        ("missing(if smokes then bonus else years)", "2"),
        ("sum(bonus)", "30"),
        ("sum(bonus + 1)", "33"),
        ("sum(bonus + years)", "24"),
        ("sum(bonus * years)", "50"),
        ("mean(bonus)", "10"),
        ("mean(2 * bonus - 1)", "19"),
        ("mean(bonus) where years > 0", "5"),
        ("mean(age) where bonus >= 0", "40"),
        ("mean(age) by answer", r#"{"maybe":60,"yes":40,"no":30}"#),
        ("count(bonus < 15)", "2"),
        ("count(not bonus < 15)", "1"),
        ("mean(bonus > 5)", "0.6666666666666666"),
        ("count(bonus > 5 or age > 45)", "4"),
        ("count(bonus > 5 and age > 30)", "1"),
        ("count(if smokes then age > 30 else age < 40)", "2"),
        ("variance(bonus)", "100"),
        ("pvariance(years)", "2.6666666666666665"),
        ("stddev(bonus)", "10"),
        ("covariance(bonus, years)", "-20"),
        ("correlation(bonus, age)", "-0.5"),
        ("mean(bonus) weighted years", "3.5714285714285716"),
        ("histogram(bonus, [-10, 0, 20])", r#"{"-10..0":0,"0..20":3}"#),
        ("missing(joined)", "1"),
    ] {
        assert_eq!(answer(reveal), expected, "{reveal}");
    }
}

#[test]
fn models_are_of_complete_cases() {
    // Two rows have age, bonus and years: no model is determined; three have age and bonus.
    assert_eq!(answer("regression(age ~ bonus + years)"), "null");
    let fit = answer("regression(age ~ bonus)");
    assert!(fit.contains(r#""n":3"#) && fit.contains(r#""bonus":-1.0"#), "{fit}");
    assert!(answer("regression(age ~ smokes)").contains(r#""n":4"#));
}

#[test]
fn booleans_are_truths_and_categories() {
    for (reveal, expected) in [
        ("count(member)", "3"),
        ("count(member == no)", "2"),
        ("mean(smokes)", "0.5"),
        ("count(not smokes)", "2"),
        ("mean(age) where member and age < 45", "30"),
        ("sum(if member then 1 else 0)", "3"),
        ("mean(age) by member", r#"{"yes":40,"no":40}"#),
        ("count(smokes or member)", "3"),
        ("count(smokes == no and member)", "0"),
    ] {
        assert_eq!(answer(reveal), expected, "{reveal}");
    }
}

#[test]
fn dates_are_days() {
    for (reveal, expected) in [
        ("count(joined >= 2024-03-01)", "2"),
        ("mean(joined - 2024-02-29)", "0.5"),
        ("count(joined + 1 == 2024-02-29)", "1"),
        (
            "count() by bins(joined, [2024-02-28, 2024-03-01, 2024-03-02])",
            r#"{"2024-02-28..2024-03-01":2,"2024-03-01..2024-03-02":2}"#,
        ),
    ] {
        assert_eq!(answer(reveal), expected, "{reveal}");
    }
    let text = "circuit c\ninput joined : 2024-02-28 .. 2024-03-02\nreveal n = count(joined > 2023-02-29)\n";
    let study = draft(vec![column("joined", "2024-02-28 .. 2024-03-02")], 9).document().unwrap().1;
    assert_refused_on(text, &study, "2023-02-29", &["there is no such date", "2024-03-01"]);
    let text = "circuit c\ninput joined : 2024-03-02 .. 2024-02-28\nreveal n = count()\n";
    assert_refused_on(text, &study, "2024-03-02 .. 2024-02-28", &["empty", "2024-02-28 .. 2024-03-02"]);
}

/// The program of a reveal.
fn program(reveal: &str) -> Program {
    compile(&format!("{INPUTS}reveal r = {reveal}\n"), &study()).unwrap()
}

#[test]
fn what_is_stored_takes_no_bits_and_no_products() {
    for reveal in [
        "sum(bonus)",
        "mean(bonus)",
        "mean(3 * bonus - 1)",
        "missing(bonus)",
        "missing(answer)",
        "count(smokes)",
        "mean(smokes)",
        "mean(member)",
        "count(not member)",
        "count(smokes == no)",
        "count() by smokes",
        "mean(joined)",
        "count() - missing(bonus)",
    ] {
        let program = program(reveal);
        let is_linear = |value: &RowInstruction| {
            matches!(value, RowInstruction::Input { .. } | RowInstruction::Linear { .. })
        };
        assert!(program.row.iter().all(is_linear), "{reveal}: {:?}", program.row);
        let is_sum = |reduction: &Reduction| matches!(reduction, Reduction::Sum { .. });
        assert!(program.reductions.iter().all(is_sum), "{reveal}: {:?}", program.reductions);
        let columns = draft(study().columns, 1000);
        let sharing = quorate_circuit::Sharing {
            kind: quorate_circuit::SharingKind::Additive,
            helpers: 3,
            threshold: 2,
        };
        let additive = quorate_circuit::StudyDraft { sharing, ..columns }.document().unwrap().1;
        let text = format!("{INPUTS}reveal r = {reveal}\n");
        compile(&text, &additive).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
    }
}

#[test]
fn a_sum_of_two_that_may_be_blank_takes_one_product_each() {
    let dots = |reveal: &str| {
        let program = program(reveal);
        assert!(
            !program
                .row
                .iter()
                .any(|value| matches!(value, RowInstruction::And(..) | RowInstruction::Number(_)))
        );
        program.reductions.iter().filter(|reduction| matches!(reduction, Reduction::Dot(..))).count()
    };
    assert_eq!(dots("sum(bonus + years)"), 2, "each where the other is there");
    assert_eq!(dots("sum(bonus * years)"), 1, "either is 0 where it is blank");
    assert_eq!(dots("mean(bonus + years)"), 3, "and those where both are there are counted");
}

#[test]
fn what_no_blank_passes_needs_no_presence() {
    let ands = |reveal: &str| {
        let program = program(reveal);
        program.row.iter().filter(|value| matches!(value, RowInstruction::And(..))).count()
    };
    for (reveal, expected) in [
        ("count(bonus > 15)", 0),
        ("count(bonus == 0)", 0),
        ("count(answer == no)", 0),
        ("mean(age) where bonus >= 0", 0),
        ("count(bonus < 15)", 1),
        ("count(bonus == -10)", 1),
        ("count(answer == maybe)", 1),
        ("count(bonus > 5 and years > 6)", 1),
        ("count(not bonus > 15)", 0),
    ] {
        assert_eq!(ands(reveal), expected, "{reveal}");
    }
}

#[test]
fn what_is_optional_is_declared_so() {
    let study = study();
    let missing = "circuit c\ninput bonus : -10 .. 50\nreveal n = sum(bonus)\n";
    assert_refused_on(
        missing,
        &study,
        "-10 .. 50",
        &["declared otherwise", "input bonus : optional -10 .. 50"],
    );
    let not_one = "circuit c\ninput age : optional 0 .. 120\nreveal n = sum(age)\n";
    assert_refused_on(not_one, &study, "optional 0 .. 120", &["declared otherwise", "input age : 0 .. 120"]);
    let presence = "circuit c\ninput \"bonus is there\" : 0 .. 1\nreveal n = count()\n";
    assert_refused_on(
        presence,
        &study,
        "\"bonus is there\"",
        &["no column", "the study's columns are age, bonus, years"],
    );
    let not_boolean = format!("{INPUTS}reveal n = count(answer)\n");
    assert_refused_on(&not_boolean, &study, "answer", &["cannot take this"]);
}

#[test]
fn studies_store_a_column_that_may_be_blank_as_two() {
    let study = study();
    let names: Vec<_> = study.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names[..5], ["age", "bonus", "bonus is there", "years", "years is there"]);
    assert_eq!((study.column("bonus"), study.column("bonus is there")), (Some(1), None));
    let (text, again) = draft(study.columns.clone(), 1000).document().unwrap();
    assert!(text.contains("domain = \"optional -10 .. 50\"") && !text.contains("is there"), "{text}");
    assert_eq!(again.columns, study.columns);
    let twice = vec![column("x", "optional 0 .. 1"), column("x is there", "0 .. 1")];
    assert!(draft(twice, 9).document().unwrap_err().to_string().contains("two columns have the same name"));
}

#[test]
fn the_printer_writes_what_the_parser_read() {
    let text = format!("{INPUTS}reveal r = count(joined >= 2024-03-01) where smokes\n");
    let printed = parse(&text).to_string();
    assert!(printed.contains("input bonus : optional -10 .. 50"), "{printed}");
    assert!(printed.contains("optional 2024-02-28 .. 2024-03-02"), "{printed}");
    assert_eq!(Circuit::parse(&printed).unwrap().to_string(), printed);
}
