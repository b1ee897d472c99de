//! Every mistake an analyst can make has its place and its words.

use quorate_circuit::{Circuit, Sharing, SharingKind, StudyDraft, compile};
use quorate_field::FieldId;

use super::support::{
    assert_refused, assert_refused_on, checks, circuit, column, draft, parse, refused, study,
};

/// `reveal` lines with one mistake: the line, the place underlined, words that must be said.
#[test]
fn types() {
    for (reveal, place, words) in [
        ("reveal x = salary", "salary", ["a row's value cannot be revealed", "sum(...), mean(...)"]),
        ("reveal x = gender", "gender", ["a row's value cannot be revealed", "count(gender == female)"]),
        ("reveal x = salary > 5", "salary > 5", ["a row's value cannot be revealed", "count(...)"]),
        ("reveal x = 5 + 2", "5 + 2", ["a constant needs no helpers", "count()"]),
        ("reveal x = sum(salery)", "salery", ["unknown column salery", "did you mean salary?"]),
        ("reveal x = sum(zzz)", "zzz", ["unknown column", "inputs are salary, hourly"]),
        ("reveal x = summ(salary)", "summ", ["unknown function summ", "did you mean sum?"]),
        ("reveal x = median(salary > 5)", "salary > 5", ["cannot take this", "a row's number"]),
        (
            "reveal x = median(max(salary))",
            "max(salary)",
            ["cannot take this", "leave the outer function away"],
        ),
        ("reveal x = quantile(salary)", "quantile(salary)", ["takes two arguments", "1 arguments"]),
        ("reveal x = quantile(salary, 0)", "0", ["no share of the rows", "the least value is min(x)"]),
        ("reveal x = quantile(salary, -0.5)", "-0.5", ["no share of the rows", "more than 0, at most 1"]),
        ("reveal x = quantile(salary, 1.01)", "1.01", ["no share of the rows", "the greatest max(x)"]),
        (
            "reveal x = quantile(salary, hourly)",
            "hourly",
            ["takes a constant share", "this is a row's number"],
        ),
        ("reveal x = quantile(gender, 0.5)", "gender", ["cannot take this", "quantile(salary, 0.9)"]),
        ("reveal x = sum(salary, hourly)", "sum(salary, hourly)", ["takes one argument", "2 arguments"]),
        ("reveal x = sum()", "sum()", ["takes one argument", "0 arguments"]),
        ("reveal x = sum(salary > 5)", "salary > 5", ["cannot take this", "count(...) counts the rows"]),
        ("reveal x = count(salary)", "salary", ["cannot take this", "count(x > 0)"]),
        ("reveal x = mean(gender)", "gender", ["cannot take this", "mean(gender == female)"]),
        ("reveal x = sum(sum(salary))", "sum(salary)", ["cannot take this", "leave the outer function away"]),
        ("reveal x = sum(salary) + salary", "sum(salary) + salary", ["cannot join", "do not mix"]),
        ("reveal x = count(salary and 5)", "salary and 5", ["cannot join", "take comparisons"]),
        ("reveal x = count(gender == femal)", "femal", ["no label of gender", "did you mean female?"]),
        (
            "reveal x = count(gender == 5)",
            "5",
            ["no label of gender", "expected one of female | male | other"],
        ),
        ("reveal x = count(gender == region)", "region", ["no label of gender", "expected one of"]),
        ("reveal x = count(gender < male)", "gender < male", ["labels have no order", "== or !="]),
        ("reveal x = count(1 < 2)", "1 < 2", ["compares two constants", "always the same"]),
        ("reveal x = count(not salary)", "salary", ["a row's number", "expected a truth value"]),
        ("reveal x = sum(-gender)", "-gender", ["cannot join", "compared with one of its labels"]),
        ("reveal x = sum(salary / hourly)", "salary / hourly", ["cannot be a divisor", "sum(a) / sum(b)"]),
        ("reveal x = sum(salary / 0)", "0", ["division by zero", "the divisor is zero"]),
        ("reveal x = sum(salary / (3 - 3))", "(3 - 3)", ["division by zero", "the divisor is zero"]),
        (
            "reveal x = sum(salary) / (count() - count())",
            "sum(salary) / (count() - count())",
            ["division by zero", ""],
        ),
        (
            "reveal x = salary where hourly > 2",
            "salary",
            ["`where` stands behind a row's number", "mean(salary) where"],
        ),
        (
            "reveal x = count() where salary",
            "salary",
            ["`where` cannot take a row's number", "write a comparison"],
        ),
        (
            "reveal x = count() by salary",
            "salary",
            ["`by` cannot take a row's number", "expected a category"],
        ),
        ("reveal x = count() by gender by gender", "gender", ["by the same groups already", "again"]),
        (
            "reveal x = (count() by gender) + (count() by region)",
            "(count() by gender) + (count() by region)",
            ["different groups", "same `by`"],
        ),
        (
            "reveal x = sum(if salary then 1 else 2)",
            "salary",
            ["this is a row's number", "expected a truth value"],
        ),
        (
            "reveal x = sum(if salary > 5 then hourly else gender)",
            "if salary > 5 then hourly else gender",
            ["branches are not of the same kind", "two row numbers"],
        ),
        ("reveal x = stddev(salary) > 5", "stddev(salary)", ["no square roots", "variance"]),
        ("reveal x = covariance(salary)", "covariance(salary)", ["takes two arguments", "1 arguments"]),
        ("reveal x = covariance(salary, gender)", "gender", ["cannot take this", "this is a row's category"]),
        (
            "reveal x = sum(salary) weighted hourly",
            "sum(salary)",
            ["only a mean is weighted", "an aggregate"],
        ),
        ("reveal x = mean(salary) weighted gender", "gender", ["cannot take this", "a row's category"]),
        ("reveal x = regression(salary)", "regression(salary)", ["takes a model", "y ~ x1 + x2"]),
        ("reveal x = sum(salary ~ hourly)", "salary ~ hourly", ["a model cannot stand here", "regression"]),
        (
            "reveal x = regression(salary ~ gender)",
            "gender",
            ["numbers and conditions of rows", "a row's category"],
        ),
        ("reveal x = regression(salary ~ hourly + 5)", "5", ["a constant explains nothing", "an intercept"]),
        ("reveal x = regression(salary ~ hourly + hourly)", "hourly", ["a predictor twice", "again"]),
        (
            "reveal x = 2 * regression(hourly ~ salary)",
            "2 * regression(hourly ~ salary)",
            ["cannot join", "revealed as it is"],
        ),
        ("reveal x = ttest(salary)", "ttest(salary)", ["a number by two groups", "ttest(salary by gender)"]),
        ("reveal x = ttest(salary by gender)", "gender", ["a t-test is of two groups", "this has 3"]),
        ("reveal x = ttest(gender by salary > 5)", "gender", ["`ttest` takes numbers", "a row's category"]),
        (
            "reveal x = ttest(salary by hourly)",
            "hourly",
            ["a category, a condition or bins", "a row's number"],
        ),
        ("reveal x = chisq(gender, gender)", "gender", ["depends on itself", "the same again"]),
        ("reveal x = chisq(gender, salary)", "salary", ["a category, a condition or bins", "a row's number"]),
        ("reveal x = chisq(gender)", "chisq(gender)", ["two arguments", "1 arguments"]),
        (
            "reveal x = ttest(hourly by salary > 5) + 1",
            "ttest(hourly by salary > 5) + 1",
            ["cannot join", "revealed as it is"],
        ),
        ("reveal x = [1, 2]", "[1, 2]", ["a list cannot stand here", "histogram"]),
        ("reveal x = histogram(salary, 5)", "5", ["these are no edges", "expected a list"]),
        ("reveal x = histogram(salary, [5])", "[5]", ["no groups", "1 edges"]),
        ("reveal x = histogram(salary, [5, 5])", "5", ["edges are ascending", "not above"]),
        ("reveal x = histogram(salary, [5, salary])", "salary", ["an edge is a constant", "a row's number"]),
        ("reveal x = histogram(gender, [0, 1])", "gender", ["cannot take this", "edges"]),
        ("reveal x = bins(salary, [0, 1])", "bins(salary, [0, 1])", ["cannot be revealed", "by bins"]),
    ] {
        assert_refused(&circuit(reveal), place, &words);
    }
}

#[test]
fn inputs() {
    let with = |input: &str| format!("circuit test\n{input}\nreveal n = count()");
    for (input, place, words) in [
        ("input salry : 0 .. 1_000_000", "salry", ["the study has no column salry", "did you mean salary?"]),
        ("input zzz : 0 .. 1", "zzz", ["the study has no column", "\"yrs.service\""]),
        (
            "input salary : 0 .. 1_000",
            "0 .. 1_000",
            ["declared otherwise", "write: input salary : 0 .. 1000000"],
        ),
        ("input salary : 0.0 .. 1_000_000.0", "0.0 .. 1_000_000.0", ["declared otherwise", "the study says"]),
        (
            "input gender : male | female | other",
            "male | female | other",
            ["declared otherwise", "female | male"],
        ),
        ("input region : north | north", "north", ["a label is given twice", "remove"]),
        ("input region : north", "north", ["at least two labels", "only one"]),
        ("input salary : 10 .. 5", "10 .. 5", ["the range is empty", "perhaps 5 .. 10"]),
        (
            "input salary : 0 .. 0.1234567890123456789",
            "0 .. 0.1234567890123456789",
            ["too many decimals", "at most 18"],
        ),
    ] {
        assert_refused(&with(input), place, &words);
    }
    let twice = "circuit t\ninput salary : 0 .. 1_000_000\ninput salary : 0 .. 1_000_000\nreveal n = count()";
    assert_refused(twice, "salary", &["salary is declared twice"]);
    let undeclared = "circuit t\ninput gender : female | male | other\nreveal s = sum(salary)";
    assert_refused(
        undeclared,
        "salary",
        &["unknown column salary", "add the line: input salary : 0 .. 1000000"],
    );
}

#[test]
fn syntax() {
    for (text, place, words) in [
        ("circuit t\nreveal x = sum(salary", "", ["did not expect the end of the statement", "`)`"]),
        ("circuit t\nreveal x = * 2", "*", ["did not expect `*`", "an expression"]),
        ("circuit t\nreveal x = count() 5", "5", ["did not expect `5`", "the end of the statement"]),
        ("circuit t\nreveal x = count(a = 5)", "=", ["did not expect `=`", "compared with `==`"]),
        ("circuit t\nreveal x = count(1 < a < 3)", "<", ["did not expect `<`", "do not chain"]),
        ("circuit t\nreveal = count()", "=", ["did not expect `=`", "a name"]),
        ("circuit t\ninput x 0 .. 5\nreveal n = count()", "0", ["did not expect `0`", "`:`"]),
        ("circuit t\ninput x : 0 - 5\nreveal n = count()", "-", ["did not expect `-`", "`..`"]),
        ("circuit t\nreveal x = 5€", "€", ["unexpected character '€'", "in quotes"]),
        ("circuit t\nreveal \"x = count()", "\"x = count()", ["a quoted name does not end", "closing"]),
        ("circuit t\nreveal \"\" = count()", "\"\"", ["a name is empty", ""]),
        ("circuit t\nreveal x = sum(2x)", "2x", ["neither a number nor a name", "begin with a digit"]),
        ("circuit t\nreveal optional = count()", "optional", ["did not expect `optional` here", "a name"]),
        ("reveal x = count()", "reveal", ["the circuit has no name", "begin with a line like"]),
        ("reveal x = count()\ncircuit t", "t", ["not the first statement", "move this line"]),
        ("circuit t\ncircuit u\nreveal x = count()", "u", ["two names", "remove"]),
        ("circuit t", "t", ["reveals nothing", "add a line like"]),
        (
            "circuit t\nreveal x = count()\nreveal x = count()",
            "x",
            ["x is revealed twice", "a name of its own"],
        ),
        ("", "", ["the circuit has no name", "circuit salaries"]),
    ] {
        assert_refused(text, place, &words);
    }
}

#[test]
fn several_mistakes_are_reported_at_once_in_the_order_of_the_text() {
    let text = circuit("reveal a = sum(zzz) + sum(yyy)\nreveal b = salary\nreveal c = count()");
    assert_eq!(refused(&text).0.len(), 3);
    let text = "circuit t\ninput a 5\nreveal b = )\nreveal c = count()\nreveal d = (";
    let places: Vec<_> = Circuit::parse(text).unwrap_err().0.iter().map(|d| d.span.start).collect();
    assert_eq!(places.len(), 3);
    assert!(places.is_sorted());
}

#[test]
fn limits_hold_before_anything_is_parsed() {
    let with = |expression: &str| format!("circuit t\nreveal x = {expression}");
    for count in [60_000, 100_000, 10_000_000] {
        let text = with(&"(".repeat(count));
        assert_refused(&text, "(", &["nested too deeply", "at most 32 levels"]);
        assert!(refused(&text).render(&text, false).len() < 1000);
    }
    for (piece, place) in [("not ", "not"), ("-", "-"), ("if 1 < 2 then ", "if"), ("sum(", "(")] {
        assert_refused(&with(&piece.repeat(40_000)), place, &["nested too deeply"]);
    }
    let long = with(&"a ".repeat(40_000));
    assert_refused(&long, &long[65_536..], &["the circuit is too long", "at most 65536 bytes"]);
    assert_refused(&with(&"1+".repeat(20_000)), "+", &["too many words"]);
    assert_refused(&with(&"1+".repeat(5_000)), "+", &["the statement is too long", "at most 600"]);
    assert_refused(&with(&"x".repeat(1_000)), &"x".repeat(1_000), &["a name is too long"]);
    assert_refused(&with(&"9".repeat(1_000)), &"9".repeat(1_000), &["a number is too long"]);
}

/// Worst cases within the limits parse, check, lower and are dropped on a small stack.
#[test]
fn the_deepest_circuit_fits_a_small_stack() {
    let deep = (0..30).fold("sum(salary)".to_owned(), |inner, _| format!("(1 + 2 * {inner})"));
    let long = vec!["sum(salary)"; 100].join(" + ");
    let (row, truth) = (vec!["salary"; 290].join(" + "), vec!["salary > hourly"; 140].join(" and "));
    let text = circuit(&format!(
        "reveal a = {deep}\nreveal b = {long}\nreveal c = mean({row})\nreveal d = count({truth})\n\
         reveal e = mean(salary * hourly) where {truth}"
    ));
    let compiled =
        move || compile(&text, &study()).unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
    std::thread::Builder::new().stack_size(2 << 20).spawn(compiled).unwrap().join().unwrap();
}

#[test]
fn overflow_is_refused_with_the_interval_and_the_largest_field() {
    let power = |exponent: usize| format!("1{}", "0".repeat(exponent));
    let text = circuit(&format!("reveal x = sum(salary * {})", power(69)));
    let words = [
        "this can overflow",
        &format!("between 0 and 1{}", "0".repeat(78)),
        "the largest field, F256, holds",
    ];
    assert_refused(&text, &format!("sum(salary * {})", power(69)), &words);
    let text = circuit(&format!("reveal x = sum(salary * {})", power(80)));
    assert_refused(&text, &format!("salary * {}", power(80)), &["this can overflow", "F256"]);
    // With products the largest field is F127.
    let text = circuit("reveal x = sum(salary * salary * salary * salary * salary * salary * salary)");
    let place = "salary * salary * salary * salary * salary * salary * salary";
    assert_refused(&text, place, &["this can overflow", "with products, F127"]);
    // A public factor is the analyst's: nothing at the helpers grows by it.
    let text = circuit("reveal x = sum(salary) * 1_000_000_000_000_000_000");
    compile(&text, &study()).unwrap();
}

#[test]
fn a_value_beyond_the_studys_field_is_lifted_or_asks_for_a_larger_one() {
    let text = circuit("reveal x = sum(salary) * 1_000_000_000_000 + sum(hourly)");
    let expression = "sum(salary) * 1_000_000_000_000 + sum(hourly)";
    let lifted = compile(&text, &study()).unwrap();
    assert_eq!((lifted.field, lifted.outputs[0].field), (FieldId::F61, FieldId::F127));
    let additive = StudyDraft { sharing: additive(), ..draft(study().columns, 1000) };
    let words = ["overflows the study's field", "larger `field`", "field = \"f127\""];
    assert_refused_on(&text, &additive.document().unwrap().1, expression, &words);
    let (_, larger) = additive.document_for(&parse(&text)).unwrap();
    assert_eq!(larger.field, FieldId::F127);
    compile(&text, &larger).unwrap();
    // Nobody lifts rows: a sum must fit as it is.
    let (_, many) = draft(study().columns, 1 << 30).document().unwrap();
    let text = circuit("reveal x = sum(salary * salary)");
    assert_refused_on(&text, &many, "salary * salary", &["overflows the study's field", "field = \"f127\""]);
}

fn additive() -> Sharing {
    Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 }
}

#[test]
fn products_are_refused_where_they_are_asked_for_and_there_are_none() {
    let shamir = |helpers, threshold| Sharing { kind: SharingKind::Shamir, helpers, threshold };
    for (reveal, place) in [
        ("reveal x = sum(salary * hourly)", "salary * hourly"),
        ("reveal x = sum(if gender == male then salary else 0)", "if gender == male then salary else 0"),
        ("reveal x = count(gender == male)", "gender == male"),
        ("reveal x = variance(salary)", "variance(salary)"),
        ("reveal x = sum(salary) * sum(hourly)", "sum(salary) * sum(hourly)"),
        (
            "reveal x = sum(salary) / sum(hourly) / sum(\"yrs.service\")",
            "sum(salary) / sum(hourly) / sum(\"yrs.service\")",
        ),
        ("reveal x = sum(salary) > 5 and sum(hourly) > 5", "sum(salary) > 5"),
        ("reveal x = count() by gender", "count() by gender"),
    ] {
        let text = circuit(reveal);
        compile(&text, &study()).unwrap();
        for (sharing, field, words) in [
            (additive(), FieldId::F61, "additive, 3 helpers, threshold 2"),
            (shamir(4, 2), FieldId::F127, "more than twice as many helpers"),
            (shamir(31, 10), FieldId::F61, "at most 126 sets"),
            (shamir(4, 1), FieldId::F256, "F256 are for linear circuits only"),
        ] {
            let draft = StudyDraft { sharing, field: Some(field), ..draft(study().columns, 1000) };
            let diagnostics = compile(&text, &draft.document().unwrap().1).unwrap_err();
            let first = &diagnostics.0[0];
            assert_eq!(first.message, "this study's helpers cannot multiply", "{reveal}");
            assert_eq!(&text[first.span.start..first.span.end], place);
            assert!(first.help.as_ref().unwrap().contains(words), "{words:?} expected in {diagnostics}");
        }
    }
}

#[test]
fn comparisons_that_turn_with_a_secret_sign_are_refused() {
    let reveal = "sum(salary) / sum(hourly) > 2";
    let words = ["turns with the sign of a secret", "the divisor, sum(hourly), may be above or below zero"];
    assert_refused(&circuit(&format!("reveal x = {reveal}")), reveal, &words);
    for reveal in [
        "sum(salary) / sum(\"yrs.service\") > 2",
        "mean(salary) > mean(hourly)",
        "variance(salary) >= 7",
        "(variance(salary) > 7) where gender == male",
        "(mean(salary) where gender == male) > (mean(salary) where gender == female)",
        "sum(salary) / -sum(\"yrs.service\") > 2",
        "sum(salary) / (count() - 3) > 2",
    ] {
        compile(&circuit(&format!("reveal x = {reveal}")), &study()).unwrap();
    }
}

#[test]
fn too_large_programs_are_refused() {
    let reveals: String =
        (0..1200).map(|i| format!("reveal r{i}=sum(salary)where salary>{i} by gender\n")).collect();
    assert_eq!(compile(&circuit(&reveals), &study()).unwrap().outputs.len(), 3600);
    let labels: Vec<_> = (0..200).map(|label| format!("l{label}")).collect();
    let study =
        draft(vec![column("g", &labels.join("|")), column("x", "0 .. 9999")], 9).document().unwrap().1;
    let reveals: String = (0..100).map(|i| format!("reveal r{i}=count()where x>{i} by g\n")).collect();
    let text = format!("circuit t\ninput g:{}\ninput x:0..9999\n{reveals}", labels.join("|"));
    let refused = compile(&text, &study).unwrap_err();
    assert!(refused.to_string().contains("the circuit computes too much: at most 16384"), "{refused}");
}

#[test]
fn a_diagnostic_is_drawn_with_its_place_underlined() {
    let text = "circuit t\ninput salary : 0 .. 1_000_000\nreveal x = sum(salry)\n";
    let drawn = refused(text).render(text, false);
    for piece in [
        "Error: unknown column salry",
        "circuit:3:16",
        "reveal x = sum(salry)",
        "not an input",
        "Help: did you mean salary?",
    ] {
        assert!(drawn.contains(piece), "{piece:?} expected in\n{drawn}");
    }
    assert!(!drawn.contains('\u{1b}'));
    assert!(refused(text).render(text, true).contains('\u{1b}'));
}

#[test]
fn what_is_allowed() {
    for reveals in [
        "reveal a = count(gender == \"female\" or not (male == gender) and salary != 5)",
        "reveal a = (mean(salary) by gender) - (mean(hourly) by gender)",
        "reveal a = mean(salary) / mean(hourly) by region where \"yrs.service\" <= 10",
        "reveal a = sum(if salary > hourly then salary else 0.5)\nreveal \"a b\" = stddev(salary) - stddev(hourly)",
        "reveal a = not sum(salary) > 5 and mean(hourly) < 2.5",
        "reveal a = if sum(salary) > 5 then sum(salary) else 0",
        "reveal a = sum(salary / 2080 + -hourly * 3 - +1)",
        "reveal a = count() where gender == male",
    ] {
        checks(&circuit(reveals));
    }
}
