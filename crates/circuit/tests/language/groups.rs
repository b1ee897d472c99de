//! Disclosure rules: groups that are too small are suppressed, however one asks for them.

use proptest::prelude::*;
use quorate_circuit::{
    Circuit, Compiled, Disclosure, Explanation, Outcome, Study, StudyDraft, Undefined, check_after, compile,
    compile_after, explain, explain_after, lower, oracle,
};
use quorate_field::Integer;

use super::support::{assert_refused_on, column, draft, integers, parse};
use super::whole::{circuit, columns, is_same, leaf_truth, reveal, row_truth, table};

const SUPPRESSED: Outcome = Outcome::Undefined(Undefined::Suppressed);

fn rules(min_group: u64) -> Disclosure {
    Disclosure { min_group, ..Disclosure::default() }
}

fn study(min_group: u64, capacity: u64) -> Study {
    let draft = StudyDraft { disclosure: rules(min_group), ..draft(columns(), capacity) };
    draft.document().unwrap().1
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn helpers_suppress_what_the_oracle_does(
        reveals in prop::collection::vec(reveal(), 1..4),
        before in prop::collection::vec(reveal(), 0..2),
        table in table(1..9),
        min_group in 2_u64..5,
        capacity in prop::sample::select(vec![8_u64, 1000]),
    ) {
        let (text, study) = (circuit(&reveals), study(min_group, capacity));
        let earlier = if before.is_empty() { vec![] } else { vec![circuit(&before)] };
        let parsed: Result<Vec<Circuit>, _> = earlier.iter().map(|text| Circuit::parse(text)).collect();
        let (Ok(circuit), Ok(parsed)) = (Circuit::parse(&text), parsed) else { return Ok(()) };
        let Ok(checked) = check_after(&circuit, &study, &parsed) else { return Ok(()) };
        let Ok(program) = lower(&checked, &study) else { return Ok(()) };
        // Of fewer rows than a group, nothing is computed.
        prop_assume!(table[0].len() as u64 >= min_group);
        prop_assert_eq!(program.validate(), Ok(()), "{}", &text);
        let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), table[0].len() as u64);
        let expected = oracle(&checked, &table);
        let same = outcomes.iter().zip(&expected).all(|(left, right)| is_same(&left.1, &right.1));
        prop_assert!(same, "{}\nafter {:?}\n{:?}\n{:?}", text, earlier, outcomes, expected);
    }

    /// Whatever is shown, in one run or after others, cuts the rows into blocks that are empty or large enough.
    #[test]
    fn what_is_shown_tells_no_small_group_apart(
        conditions in prop::collection::vec(prop_oneof![leaf_truth().boxed(), row_truth().boxed()], 2..6),
        table in table(6..16),
        min_group in 2_u64..5,
        runs in 1_usize..3,
    ) {
        let study = study(min_group, 1000);
        let rows = table[0].len();
        let mut blocks: Vec<Vec<usize>> = vec![(0..rows).collect()];
        let mut earlier: Vec<String> = Vec::new();
        for part in conditions.chunks(conditions.len().div_ceil(runs)) {
            let reveals: Vec<String> = part.iter().map(|condition| format!("sum(a) where {condition}")).collect();
            let text = circuit(&reveals);
            let Ok(Compiled { program, .. }) = compile_after(&text, &study, &earlier) else { return Ok(()) };
            let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), rows as u64);
            for (condition, (_, outcome)) in part.iter().zip(outcomes) {
                if outcome == SUPPRESSED {
                    continue;
                }
                let members = members(condition, &table);
                blocks = blocks.iter().flat_map(|block| {
                    let (inside, outside): (Vec<usize>, Vec<usize>) = block.iter().copied().partition(|row| members[*row]);
                    [inside, outside]
                }).filter(|block| !block.is_empty()).collect();
            }
            earlier.push(text);
        }
        let smallest = blocks.iter().map(Vec::len).min().unwrap_or_default() as u64;
        prop_assert!(smallest >= min_group || blocks.len() == 1, "{:?} {:?}", conditions, blocks);
    }
}

/// In which rows a condition holds, by asking of each alone where everything may be asked.
fn members(condition: &str, table: &[Vec<Integer>]) -> Vec<bool> {
    let study = study(1, 1000);
    let program = compile(&circuit(&[format!("count({condition})")]), &study).unwrap();
    let alone = |row: usize| table.iter().map(|column| vec![column[row]]).collect::<Vec<_>>();
    let count = |row: usize| program.outcomes(&program.evaluate(&alone(row)).unwrap(), 1)[0].1.to_f64();
    (0..table[0].len()).map(|row| count(row) == Some(1.0)).collect()
}

/// Departments of 9, 8, 7 and 3 people; the three are what a nosy analyst is after.
const DEPARTMENTS: [usize; 4] = [9, 8, 7, 3];
const INPUTS: &str = "circuit nosy
input pay  : 0 .. 100_000
input code : 0 .. 3
input flag : 0 .. 1
input dept : north | south | east | board
input rank : junior | senior
";

fn people() -> Vec<Vec<Integer>> {
    let departments: Vec<usize> = (0..4).flat_map(|dept| vec![dept; DEPARTMENTS[dept]]).collect();
    let number = |of: &dyn Fn(usize) -> usize| {
        let of = |place: usize| i64::try_from(of(place)).unwrap();
        integers(&(0..departments.len()).map(of).collect::<Vec<_>>())
    };
    vec![
        number(&|place| 30_000 + 1_117 * place),
        number(&|place| departments[place]),
        number(&|place| usize::from(departments[place] == 3)),
        number(&|place| departments[place]),
        number(&|place| place % 2),
    ]
}

fn company() -> Study {
    let columns = parse(&format!("{INPUTS}reveal n = count()")).inputs();
    StudyDraft { disclosure: rules(5), ..draft(columns, 100) }
        .document_for(&parse(&format!("{INPUTS}reveal v = variance(pay)")))
        .unwrap()
        .1
}

/// What a circuit gives after others.
fn asked(reveals: &str, earlier: &[&str]) -> Vec<(String, Outcome)> {
    let text = |reveals: &str| format!("{INPUTS}{reveals}\n");
    let earlier: Vec<String> = earlier.iter().map(|reveals| text(reveals)).collect();
    let (text, study, people) = (text(reveals), company(), people());
    let Compiled { program, .. } = compile_after(&text, &study, &earlier)
        .unwrap_or_else(|error| panic!("{}", error.render(&text, false)));
    program.outcomes(&program.evaluate(&people).unwrap(), people[0].len() as u64)
}

fn cells(outcome: &Outcome) -> Vec<Option<f64>> {
    match outcome {
        Outcome::Table(cells) => cells.iter().flat_map(|(_, cell)| self::cells(cell)).collect(),
        Outcome::Undefined(Undefined::Suppressed) => vec![None],
        other => vec![Some(other.to_f64().unwrap_or(f64::NAN))],
    }
}

#[test]
fn a_nosy_analyst_learns_nothing_of_the_board() {
    // Each asks for the three of the board; where there are two results, one alone tells nothing.
    for reveals in [
        "reveal board = sum(pay) where dept == board",
        "reveal board = count(dept == board)",
        "reveal board = mean(dept == board)",
        "reveal board = mean(pay) where code == 3",
        "reveal board = mean(pay) where not (code < 3)",
        "reveal others = sum(pay) where dept != board",
        "reveal board = sum(pay) - (sum(pay) where dept != board)",
        "reveal board = sum(if dept == board then pay else 0)",
        "reveal board = sum(pay * flag)",
        "reveal board = sum(flag)",
        "reveal board = covariance(pay, flag)",
        "reveal board = mean(pay) weighted flag",
        "reveal board = (sum(pay) where dept == board) > 150_000",
        "reveal board = count(dept == board) >= 4",
        "reveal board = if count(dept == board) > 2 then 1 else 0",
        "reveal board = stddev(pay) where dept == board",
        "reveal board = regression(pay ~ (dept == board))",
        "reveal a = sum(pay) where dept == east or dept == board\nreveal b = sum(pay) where dept == east",
        "reveal a = sum(pay) where code >= 2\nreveal b = sum(pay) where code == 2",
        "reveal a = count(pay > 50_000)\nreveal b = count(pay > 51_000)",
        "reveal a = sum(pay) where dept != board\nreveal b = sum(pay)",
    ] {
        let outcomes = asked(reveals, &[]);
        assert!(outcomes.iter().any(|(_, outcome)| *outcome == SUPPRESSED), "{reveals}: {outcomes:?}");
    }
}

#[test]
fn a_table_hides_one_cell_more_where_one_would_give_itself_away() {
    let outcomes =
        asked("reveal pay = sum(pay) by dept\nreveal people = count() by dept\nreveal all = sum(pay)", &[]);
    for table in &outcomes[..2] {
        let cells = cells(&table.1);
        assert!(cells[0].is_some() && cells[1].is_some(), "{cells:?}");
        // The board's, and the one that the total would give it away by.
        assert_eq!(&cells[2..], [None, None]);
    }
    assert!(outcomes[2].1.to_f64().is_some());
    let both = asked("reveal by_rank = mean(pay) by rank\nreveal both = mean(pay) by dept by rank", &[]);
    assert!(cells(&both[0].1).iter().all(Option::is_some));
    // 9, 8 and 7 people halved are 4 or 5, and 4 or 3.
    assert!(cells(&both[1].1).iter().filter(|cell| cell.is_some()).count() <= 1);
}

#[test]
fn two_runs_are_judged_together() {
    let (first, second) = ("reveal a = sum(pay) where code >= 2", "reveal b = sum(pay) where code == 2");
    assert!(asked(first, &[])[0].1.to_f64().is_some());
    assert!(asked(second, &[])[0].1.to_f64().is_some());
    assert_eq!(asked(second, &[first])[0].1, SUPPRESSED);
    // The same again is no news, and what was shown stays shown.
    assert_eq!(asked(first, &[first, second]), asked(first, &[]));
    assert_eq!(asked(second, &[first, second])[0].1, SUPPRESSED);
}

#[test]
fn explanations_say_whether_earlier_circuits_are_counted() {
    let text = |reveals: &str| format!("{INPUTS}{reveals}\n");
    let (circuit, study) = (text("reveal a = sum(pay) by dept"), company());
    let alone = explain(&circuit, &study).unwrap();
    assert!(alone.rules.iter().any(|rule| rule.contains("not counted here")), "{:?}", alone.rules);
    let earlier = [text("reveal b = mean(pay) where code == 2")];
    let after = explain_after(&circuit, &study, Some(&earlier)).unwrap();
    assert!(after.rules.iter().any(|rule| rule.ends_with("here of 1")), "{:?}", after.rules);
    let comparisons = |explained: &Explanation| explained.cost.as_ref().unwrap().comparisons;
    assert!(comparisons(&after) > comparisons(&alone));
}

#[test]
fn a_few_blanks_hide_no_mean_but_themselves() {
    let inputs = "circuit blanks\ninput x : optional 0 .. 9\ninput y : 0 .. 9\n";
    let text = format!(
        "{inputs}reveal x = mean(x)\nreveal middle = stddev(x)\nreveal none = missing(x)\nreveal both = covariance(x, y)\n"
    );
    let parsed = parse(&text);
    let study =
        StudyDraft { disclosure: rules(5), ..draft(parsed.inputs(), 100) }.document_for(&parsed).unwrap().1;
    let values: Vec<i64> = (0..20).map(|place| if place < 2 { 0 } else { place % 10 }).collect();
    let there: Vec<i64> = (0..20).map(|place| i64::from(place >= 2)).collect();
    let table = [values, there, (0..20).map(|place| place % 7).collect()].map(|column| integers(&column));
    let program = compile(&text, &study).unwrap();
    let outcomes = program.outcomes(&program.evaluate(&table).unwrap(), 20);
    assert!(outcomes[..2].iter().all(|(_, outcome)| outcome.to_f64().is_some()), "{outcomes:?}");
    // How many have no value is a group of two; so is what y says of them.
    assert!(outcomes[2..].iter().all(|(_, outcome)| *outcome == SUPPRESSED), "{outcomes:?}");
}

#[test]
fn everybody_may_be_asked_of_and_nobody_is_left_over() {
    let outcomes =
        asked("reveal all = mean(pay)\nreveal same = mean(pay) where code >= 0\nreveal n = count()", &[]);
    assert!(outcomes.iter().all(|(_, outcome)| outcome.to_f64().is_some()), "{outcomes:?}");
    let nobody = asked("reveal nobody = count(pay > 99_000)", &[]);
    assert_eq!(nobody[0].1, SUPPRESSED);
}

#[test]
fn without_the_rule_programs_stay_as_they_are() {
    let text = format!("{INPUTS}reveal board = sum(pay) where dept == board\n");
    let columns = parse(&text).inputs();
    let free = draft(columns, 100).document_for(&parse(&text)).unwrap().1;
    let program = compile(&text, &free).unwrap();
    let after = compile_after(&text, &free, std::slice::from_ref(&text)).unwrap();
    assert_eq!(after, Compiled { program: program.clone(), asks_anew: false });
    assert_eq!(program.outputs.len(), 1);
}

#[test]
fn rules_refuse_and_are_named() {
    let functions = [("pay".to_owned(), vec!["mean".to_owned(), "by".to_owned()])].into();
    let columns = parse(&format!("{INPUTS}reveal n = count()")).inputs();
    let disclosure = Disclosure { functions, ..Disclosure::default() };
    let study = StudyDraft { disclosure, ..draft(columns, 100) }.document().unwrap().1;
    let ask = |reveals: &str| format!("{INPUTS}{reveals}\n");
    assert!(compile(&ask("reveal a = mean(pay + code) by dept\nreveal b = sum(code)"), &study).is_ok());
    assert!(
        compile(&ask("define much = pay / 2\nreveal a = mean(much) by bins(pay, [0, 9])"), &study).is_ok()
    );
    for (reveals, place) in [
        ("reveal a = sum(pay)", "sum(pay)"),
        ("define much = pay > 10\nreveal a = count(much)", "count(much)"),
        ("reveal a = mean(code) where pay > 3", "pay > 3"),
        ("reveal a = mean(code) weighted pay", "pay"),
    ] {
        assert_refused_on(
            &ask(reveals),
            &study,
            place,
            &["does not allow", "policy.functions.pay", "study show"],
        );
    }
}

#[test]
fn rules_are_written_and_read() {
    let functions = [("x".to_owned(), vec!["mean".to_owned(), "where".to_owned()])].into();
    let disclosure = Disclosure { min_group: 7, order_statistics: Some(true), runs_max: Some(3), functions };
    let draft = StudyDraft { disclosure: disclosure.clone(), ..draft(vec![column("x", "0 .. 9")], 50) };
    let (text, study) = draft.document().unwrap();
    assert_eq!(study.policy.disclosure, disclosure);
    assert_eq!(study.policy.disclosure.rules().len(), 3);
    for (from, to, words) in [
        ("min_group = 7", "min_group = 0", ["policy.min_group", "1 to 50"]),
        ("min_group = 7", "min_group = 51", ["policy.min_group", "1 to 50"]),
        ("runs_max = 3", "runs_max = 0", ["policy.runs_max", "at least 1"]),
        ("\"mean\"", "\"average\"", ["policy.functions.x", "\"average\""]),
        ("x = [", "y = [", ["policy.functions", "names of the study's columns"]),
    ] {
        let bad = text.replacen(from, to, 1);
        assert_ne!(bad, text, "{from}");
        let error = Study::parse(&bad).expect_err(to).to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let many = quorate_circuit::Sharing { helpers: 5, ..draft.sharing };
    let error = StudyDraft { sharing: many, ..draft }.document().unwrap_err().to_string();
    assert!(error.contains("two runs must have an answering helper in common"), "{error}");
}
