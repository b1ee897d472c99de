//! Names for expressions: `let` and `define`.

use quorate_circuit::compile;

use super::support::{assert_refused, circuit, parse, study};

/// Asserts that two circuits are one program.
#[track_caller]
fn assert_same(named: &str, written_out: &str) {
    let [named, written_out] = [named, written_out]
        .map(|text| compile(&circuit(text), &study()).unwrap_or_else(|error| panic!("{error}")));
    assert_eq!(named, written_out);
}

#[test]
fn a_name_stands_for_its_expression() {
    assert_same("define monthly = salary / 12\nreveal x = sum(monthly)", "reveal x = sum(salary / 12)");
    assert_same(
        "define senior = \"yrs.service\" >= 10\ndefine junior = not senior\nreveal x = mean(salary) where junior",
        "reveal x = mean(salary) where not (\"yrs.service\" >= 10)",
    );
    assert_same(
        "let gap = (mean(salary) where gender == male) - (mean(salary) where gender == female)\n\
         reveal x = gap where region == north\nreveal gap = gap",
        "reveal x = ((mean(salary) where gender == male) - (mean(salary) where gender == female)) where region == north\n\
         reveal gap = (mean(salary) where gender == male) - (mean(salary) where gender == female)",
    );
    assert_same(
        "define service = bins(\"yrs.service\", [0, 10, 60])\nlet most = 60\n\
         reveal x = mean(salary + most) by service",
        "reveal x = mean(salary + 60) by bins(\"yrs.service\", [0, 10, 60])",
    );
    assert_same(
        "let a = variance(salary)\nreveal x = a + a > 5",
        "reveal x = variance(salary) + variance(salary) > 5",
    );
}

#[test]
fn definitions_are_printed_and_read_again() {
    let text = circuit(
        "define a = salary / 12\nlet b = mean(a) by gender\nreveal x = b\nreveal y = histogram(a, [0, 2.5])\n\
         reveal z = regression(a ~ hourly + (gender == male))\nreveal w = mean(a) weighted hourly",
    );
    let printed = parse(&text).to_string();
    assert!(printed.contains("define a = salary / 12\nlet b = mean(a) by gender\n"), "{printed}");
    assert!(printed.contains("histogram(a, [0, 2.5])"), "{printed}");
    assert_eq!(parse(&printed).to_string(), printed);
}

#[test]
fn mistakes_have_their_place() {
    for (text, place, words) in [
        ("let a = salary\nreveal x = count()", "salary", ["this is a row's number", "`define`"]),
        (
            "define a = sum(salary)\nreveal x = count()",
            "sum(salary)",
            ["this is an aggregate number", "`let`"],
        ),
        ("define a = gender\nreveal x = count()", "gender", ["this is a row's category", "gender == female"]),
        (
            "define a = 1\nlet a = 2\nreveal x = count()",
            "a",
            ["a has a meaning already", "a name of its own"],
        ),
        ("define salary = 1\nreveal x = count()", "salary", ["salary has a meaning already", "again"]),
        // Used before it is defined, and not there at all.
        ("define a = b\ndefine b = 1\nreveal x = count()", "b", ["unknown column b", "inputs are"]),
        (
            "define monthly = salary / 12\nreveal x = sum(montly)",
            "montly",
            ["unknown column", "did you mean monthly?"],
        ),
        // What is wrong with a definition is said once, not at every use.
        (
            "define a = salery\nreveal x = sum(a)\nreveal y = mean(a)",
            "salery",
            ["unknown column", "did you mean salary?"],
        ),
    ] {
        assert_refused(&circuit(text), place, &words);
    }
}

#[test]
fn doubling_is_not_hidden_by_names() {
    let mut text = "define a0 = salary + 1\n".to_owned();
    for i in 1..40 {
        text += &format!("define a{i} = a{} - a{}\n", i - 1, i - 1);
    }
    let error = compile(&circuit(&(text + "reveal x = sum(a39)")), &study()).unwrap_err().to_string();
    assert!(error.contains("too much for one statement") && error.contains("at most 600"), "{error}");
}
