//! Vectors: what is declared, revealed and refused, and what it gives.

use quorate_circuit::{
    Bits, Circuit, Column, Disclosure, Domain, ELEMENTS_MAX, InvalidProgram, Outcome, Revealed,
    RowInstruction, Sharing, SharingKind, Study, StudyDraft, Undefined, check, compile, explain, oracle,
};
use quorate_field::{FieldId, Integer};

use super::support::{assert_refused_on, column, draft, integers, parse};

const COLUMNS: [(&str, &str); 3] =
    [("g", "vector[3] of -1.00 .. 1.00"), ("age", "0 .. 120"), ("h", "vector[2] of 0 .. 9")];

fn study() -> Study {
    draft(COLUMNS.map(|(name, domain)| column(name, domain)).to_vec(), 1000).document().unwrap().1
}

fn circuit(reveals: &str) -> String {
    let inputs = COLUMNS.map(|(name, domain)| format!("input {name} : {domain}\n")).concat();
    format!("circuit learning\n{inputs}{reveals}\n")
}

/// Two rows.
fn table() -> Vec<Vec<Integer>> {
    vec![integers(&[10, -100, 1, 25, 50, 2]), integers(&[30, 50]), integers(&[9, 0, 4, 1])]
}

#[test]
fn domains_of_vectors_are_read_and_written() {
    for (text, written) in [
        ("vector[3] of -1.00 .. 1.00", "vector[3] of -1.00 .. 1.00"),
        ("vector [ 1_000 ] of 0 .. 2.5", "vector[1000] of 0.0 .. 2.5"),
        ("vector[1] of 0 .. 0", "vector[1] of 0 .. 0"),
        ("vector[3] of -1.00 .. 1.00 norm 1.5", "vector[3] of -1.00 .. 1.00 norm 1.50"),
        ("vector[4] of 0 .. 3 norm 6", "vector[4] of 0 .. 3 norm 6"),
    ] {
        let domain = Domain::parse(text).unwrap();
        assert_eq!(domain.to_string(), written);
        assert_eq!(Domain::parse(written).unwrap(), domain);
    }
    let longest = Domain::parse("vector[1_000_000] of 0 .. 1").unwrap();
    assert_eq!(Column::new("g", longest).width(), ELEMENTS_MAX as usize);
    assert_eq!(Domain::parse("norm | of").unwrap().to_string(), "norm | of", "names elsewhere");
    assert_eq!(Domain::parse("vector | scalar").unwrap().to_string(), "vector | scalar", "a name elsewhere");
    assert_eq!(study().cells_per_row(), 6);
    let text = circuit("reveal of = sum(g)");
    assert_eq!(
        Circuit::parse(&Circuit::parse(&text).unwrap().to_string()).unwrap().inputs(),
        parse(&text).inputs()
    );
}

#[test]
fn what_is_no_vector() {
    for (text, words) in [
        ("vector[0] of 0 .. 1", "a vector cannot have this many elements"),
        ("vector[1_000_001] of 0 .. 1", "a vector cannot have this many elements"),
        ("vector[2.5] of 0 .. 1", "a vector cannot have this many elements"),
        ("vector[99999999999999999999999999999999999999999999] of 0 .. 1", "this many elements"),
        ("vector[2] of 1 .. 0", "the range is empty"),
        ("vector[2] of a | b", "a vector is of numbers"),
        ("vector[2] of 2020-01-01 .. 2021-01-01", "a vector is of numbers"),
        ("vector[2] of vector[2] of 0 .. 1", "did not expect"),
        ("vector[2] 0 .. 1", "did not expect"),
        ("optional vector[2] of 0 .. 1", "a vector is not `optional`"),
        ("vector[2] of -1 .. 1 norm", "did not expect the end"),
        ("0 .. 1 norm 1", "did not expect"),
        ("vector[2] of -1.0 .. 1.0 norm 0.25", "the norm has more decimals than the elements"),
        ("vector[2] of -1.0 .. 1.0 norm 0", "a norm cannot be this"),
        ("vector[2] of 0 .. 2_000_000_000 norm 1_073_741_825", "at most 1073741824"),
        ("vector[2] of 1 .. 2 norm 2", "a norm is of elements on both sides of 0"),
        ("vector[4] of -3 .. 2 norm 7", "no vector in this range has such a norm"),
    ] {
        let error = Column::parse("g", text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn a_norm_decides_the_field_and_needs_products() {
    let drafted = |domain: &str, capacity| draft(vec![column("g", domain)], capacity);
    let study = |domain: &str, capacity| drafted(domain, capacity).document().unwrap();
    let (text, small) = study("vector[100000] of -1.0000 .. 1.0000 norm 5.0", 1000);
    assert!(text.contains("domain = \"vector[100000] of -1.0000 .. 1.0000 norm 5.0000\""), "{text}");
    assert_eq!(small.field, FieldId::F61);
    assert_eq!((small.bits, small.input_checks().norm), (Bits::None, true));
    let checks = small.input_checks().to_string();
    assert_eq!(checks, "contributors: degree check, range: trusted, norm: norm check");
    assert_eq!(small.norm_rules(), ["norm of g: at most 5.0000, or the seal leaves the contribution out"]);
    let without = study("vector[100000] of -1.0000 .. 1.0000", 1000).1;
    assert!(without.id() != small.id() && !without.input_checks().norm && without.norm_rules().is_empty());

    // 4 (16 B)^2 is at most 2^60 - 1 up to B = 2^25 - 1.
    assert_eq!(study("vector[4] of -99_999_999 .. 0 norm 33_554_431", 1).1.field, FieldId::F61);
    assert_eq!(study("vector[4] of -99_999_999 .. 0 norm 33_554_432", 1).1.field, FieldId::F127);
    // An element of an accepted vector may be as large as the norm.
    assert_eq!(study("vector[4] of -4_194_303 .. 0 norm 4_194_303", 1 << 38).1.field, FieldId::F61);
    assert_eq!(study("vector[4] of -4_194_303 .. 0 norm 4_194_304", 1 << 38).1.field, FieldId::F127);

    let narrow = StudyDraft {
        field: Some(FieldId::F61),
        ..drafted("vector[4] of -99_999_999 .. 0 norm 33_554_432", 1)
    };
    let error = narrow.document().unwrap_err().to_string();
    assert!(
        error.contains("computed of column `g`") && error.contains("field = \"f127\" would do"),
        "{error}"
    );
    let norm = "vector[4] of -1 .. 1 norm 1";
    let many =
        |count| draft((0..count).map(|number| column(&format!("g{number}"), norm)).collect(), 9).document();
    assert!(many(63).is_ok());
    let error = many(64).unwrap_err().to_string();
    assert!(error.contains("`columns` is 64 with a norm: expected at most 63"), "{error}");
    let additive = Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 };
    let few = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 2 };
    for (sharing, field) in [(additive, None), (few, None), (draft(vec![], 1).sharing, Some(FieldId::F256))] {
        let error = StudyDraft { sharing, field, ..drafted(norm, 9) }.document().unwrap_err().to_string();
        assert!(error.contains("column `g` has a norm: helpers check norms with products"), "{error}");
    }
}

#[test]
fn sums_and_means_are_of_every_element() {
    let text = circuit(
        "reveal total = sum(g)\nreveal n = count()\nreveal mean_g = mean(g)\nreveal years = sum(age)\n\
                        let other = sum(h)\nreveal other_total = other",
    );
    let (study, table) = (study(), table());
    let program = compile(&text, &study).unwrap();
    assert!(program.is_linear());
    assert_eq!(program.vectors.len(), 2, "one sum for both sum and mean");
    assert_eq!(program.output_bytes(), 8 * (1 + 3 + 2));
    let outputs = program.evaluate(&table).unwrap();
    assert_eq!(outputs, integers(&[80, 35, -50, 3, 13, 1]));
    let outcomes = program.outcomes(&outputs, 2);
    assert_eq!(outcomes, oracle(&check(&parse(&text), &study).unwrap(), &table));
    let json: Vec<String> =
        outcomes.iter().map(|(_, outcome)| serde_json::to_string(outcome).unwrap()).collect();
    assert_eq!(json, ["[0.35,-0.5,0.03]", "2", "[0.175,-0.25,0.015]", "80", "[13,1]"]);
    let none = vec![vec![], vec![], vec![]];
    let outcomes = program.outcomes(&program.evaluate(&none).unwrap(), 0);
    assert_eq!(outcomes, oracle(&check(&parse(&text), &study).unwrap(), &none));
    assert_eq!(outcomes[2].1, Outcome::Undefined(Undefined::DivisionByZero));
}

#[test]
fn a_table_with_a_part_of_a_vector_is_none() {
    let program = compile(&circuit("reveal n = count()\nreveal t = sum(h)"), &study()).unwrap();
    let mut parts = table();
    parts[2].pop();
    assert!(program.evaluate(&parts).unwrap_err().to_string().contains("column 2"));
    let mut outside = table();
    outside[2][0] = Integer::from(1_000_000);
    assert!(program.evaluate(&outside).unwrap_err().to_string().contains("outside their columns' domains"));
}

#[test]
fn the_program_is_this_one() {
    let program = compile(&circuit("reveal m = mean(g)"), &study()).unwrap();
    let text = serde_json::to_string(&program).unwrap();
    let expected = concat!(
        r#"{"format":6,"name":"learning","field":"f61","columns":[3,1,2],"rows_max":1000,"row":[],"reductions":[],"#,
        r#""scalar":[],"noise":[],"loss":{"rho":"0","epsilon":"0"},"outputs":[],"vectors":[{"column":0,"length":3,"interval":{"min":"-100000","max":"100000"},"#,
        r#""meaning":"sum(g), in units of 0.01","noise":null}],"public":[],"#,
        r#""reveals":[{"name":"m","result":{"vector":{"vector":0,"divisor":["0","100"]}}}]}"#,
    );
    assert_eq!(text, expected);
}

#[test]
fn everything_else_on_a_vector_is_refused_where_it_stands() {
    let study = study();
    for (reveal, place, words) in [
        ("sum(g) + 1", "sum(g) + 1", &["`+` cannot join these", "compute with its numbers"][..]),
        ("2 * mean(g)", "2 * mean(g)", &["compute with its numbers"]),
        ("-sum(g)", "-sum(g)", &["compute with its numbers"]),
        ("sum(g) / count()", "sum(g) / count()", &["compute with its numbers"]),
        ("sum(g) > 3", "sum(g) > 3", &["compute with its numbers"]),
        ("sum(g + 1)", "g + 1", &["`+` cannot join these", "a row's vector"]),
        ("sum(g * age)", "g * age", &["`*` cannot join these"]),
        (
            "if count() > 2 then sum(g) else sum(g)",
            "if count() > 2 then sum(g) else sum(g)",
            &["cannot join"],
        ),
        ("g", "g", &["a row's value cannot be revealed", "sum(g)"]),
        ("variance(g)", "g", &["`variance` cannot take this", "sum(g), mean(g)"]),
        ("median(g)", "g", &["`median` cannot take this", "element by element"]),
        ("count(g)", "g", &["`count` cannot take this", "element by element"]),
        ("count(g > 0)", "g > 0", &["`>` cannot join these"]),
        ("missing(g)", "g", &["`missing` cannot take this", "element by element"]),
        ("covariance(g, age)", "g", &["`covariance` cannot take this", "a row's vector"]),
        ("histogram(g, [0, 1])", "g", &["`histogram` cannot take this"]),
        ("mean(g) weighted age", "mean(g)", &["only a mean is weighted", "a sum of vectors"]),
        ("mean(age) weighted g", "g", &["`weighted` cannot take this"]),
        (
            "sum(g) where age > 3",
            "sum(g)",
            &["`where` cannot stand behind a sum of vectors", "over all rows"],
        ),
        ("sum(g) by bins(age, [0, 9])", "sum(g)", &["`by` cannot stand behind a sum of vectors"]),
        ("count() by g", "g", &["`by` cannot take a row's vector"]),
        ("count() where g", "g", &["`where` cannot take a row's vector"]),
    ] {
        assert_refused_on(&circuit(&format!("reveal r = {reveal}")), &study, place, words);
    }
    assert_refused_on(
        &circuit("define x = g\nreveal n = count()"),
        &study,
        "g",
        &["a row's vector", "let total"],
    );
}

#[test]
fn a_circuit_that_sums_vectors_is_linear() {
    let study = study();
    for (reveal, place) in [
        ("count(age > 50)", "age > 50"),
        ("variance(age)", "variance(age)"),
        ("median(age)", "median(age)"),
        ("mean(age) where age > 3", "age > 3"),
    ] {
        compile(&circuit(&format!("reveal r = {reveal}")), &study).expect("alone it can be asked");
        let text = circuit(&format!("reveal t = sum(g)\nreveal r = {reveal}"));
        let diagnostics = compile(&text, &study).unwrap_err();
        let first = &diagnostics.0[0];
        assert!(text[first.span.start..first.span.end].contains(place), "{diagnostics}");
        assert!(first.message.contains("in a run that sums vectors"), "{diagnostics}");
        assert!(first.help.as_ref().unwrap().contains("in one of its own"), "{diagnostics}");
    }
}

/// Where helpers cannot multiply at all, that is the reason, and another circuit is no help.
#[test]
fn where_nothing_is_multiplied_vectors_are_not_to_blame() {
    let sharing = Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 };
    let (_, study) = StudyDraft { sharing, ..draft(study().columns, 100) }.document().unwrap();
    let text = circuit("reveal t = sum(g)\nreveal v = variance(age)");
    let diagnostics = compile(&text, &study).unwrap_err();
    assert_eq!(diagnostics.0[0].message, "this study's helpers cannot multiply");
    compile(&circuit("reveal t = sum(g)"), &study).expect("it is linear");
}

#[test]
fn a_sum_that_leaves_the_field_is_refused() {
    let columns = vec![column("g", "vector[4] of 0 .. 1_000_000_000_000_000")];
    let text = "circuit c\ninput g : vector[4] of 0 .. 1_000_000_000_000_000\nreveal t = sum(g)\n";
    let (_, study) = draft(columns.clone(), 2_000).document().unwrap();
    assert_eq!(study.field, FieldId::F127, "two thousand of them are more than F61 holds");
    assert_eq!(compile(text, &study).unwrap().output_bytes(), 4 * 16);
    let small = StudyDraft { field: Some(FieldId::F61), ..draft(columns, 2_000) };
    assert!(small.document().unwrap_err().to_string().contains("computed of column `g`"));
}

#[test]
fn studies_of_vectors() {
    let vector = |domain: &str| vec![column("g", domain)];
    let bits = StudyDraft { bits: Some(Bits::Sealed), ..draft(vector("vector[4] of 0 .. 1"), 9) };
    let error = bits.document().unwrap_err().to_string();
    assert!(error.contains("no bits of vectors, as `g` is one; write bits = \"none\""), "{error}");
    let best = StudyDraft { bits: None, ..draft(vector("vector[4] of 0 .. 1"), 9) };
    assert_eq!(best.document().unwrap().1.bits, Bits::None);
    draft(vector("vector[1_000_000] of -1.0000 .. 1.0000"), 1000).document().expect("8 MB in F61");
    let error = draft(
        vector("vector[1_000_000] of 0 .. 1e9".replace("1e9", "1_000_000_000_000_000").as_str()),
        100_000,
    )
    .document()
    .unwrap_err()
    .to_string();
    assert!(error.contains("1000000 cells in a row: expected at most 524288 cells in F127"), "{error}");
    let functions = [("g".to_owned(), vec!["mean".to_owned()])].into();
    let disclosure = Disclosure { min_group: 5, functions, ..Disclosure::default() };
    let ruled = StudyDraft { disclosure, ..draft(study().columns, 100) };
    let (_, ruled) = ruled.document().unwrap();
    compile(&circuit("reveal m = mean(g)"), &ruled).expect("it is of all rows");
    assert_refused_on(&circuit("reveal t = sum(g)"), &ruled, "sum(g)", &["does not allow `sum` of g"]);
}

#[test]
fn explanations_count_the_numbers() {
    let explanation = explain(&circuit("reveal n = sum(age)\nreveal m = mean(g)"), &study()).unwrap();
    let numbers: Vec<u32> = explanation.outputs.iter().map(|output| output.numbers).collect();
    assert_eq!(numbers, [1, 3]);
    assert_eq!(explanation.reveals[1].outputs, [1]);
    assert_eq!(explanation.cost.unwrap().bytes_to_analyst, 8 * 4);
    let text = explanation.to_string();
    assert!(text.contains("[2] sum(g), in units of 0.01: 3 numbers") && text.contains("of [2]"), "{text}");
}

#[test]
fn programs_that_make_no_use_of_vectors() {
    let program = compile(&circuit("reveal t = sum(g)\nreveal y = sum(age)"), &study()).unwrap();
    program.validate().unwrap();
    let invalid = |change: fn(&mut quorate_circuit::Program)| {
        let mut program = program.clone();
        change(&mut program);
        program.validate().unwrap_err()
    };
    let entry = |part| InvalidProgram::Vector { part, entry: 0 };
    assert_eq!(invalid(|p| p.vectors[0].length = 2), entry("vectors"));
    assert_eq!(invalid(|p| p.row[0] = RowInstruction::Input { column: 0 }), entry("row"));
    assert_eq!(invalid(|p| p.row.push(RowInstruction::Multiply(0, 0))), entry("vectors"));
    let repeated = invalid(|p| p.vectors.push(p.vectors[0].clone()));
    assert_eq!(repeated, InvalidProgram::Vector { part: "vectors", entry: 1 });
    assert!(invalid(|p| p.vectors[0].column = 9).to_string().contains("`vectors` refers to 9"));
    let far = invalid(|p| {
        let divisor = quorate_circuit::Coefficient::rows();
        p.reveals[0].result = Revealed::Vector { vector: 1, divisor };
    });
    assert!(far.to_string().contains("`reveals` refers to 1"), "{far}");
}
