//! Order statistics of tables with ties, by the programs that circuits make of them.

use quorate_circuit::{Bits, Column, Domain, Sharing, SharingKind, Study, StudyDraft, compile};

use super::*;

/// A study with the tests' columns.
fn study(field: FieldId) -> Study {
    let columns = COLUMNS.iter().enumerate().map(|(index, (min, max))| {
        Column::new(format!("x{index}"), Domain::parse(&format!("{min} .. {max}")).unwrap())
    });
    let sharing = Sharing { kind: SharingKind::Shamir, helpers: 4, threshold: 1 };
    let draft = StudyDraft {
        bits: Some(Bits::None),
        field: Some(field),
        ..StudyDraft::new("test", sharing, columns.collect(), 100)
    };
    draft.document().unwrap().1
}

const REVEALS: [&str; 6] = [
    "min(x0)",
    "max(x1) - min(x1)",
    "median(x3) where x0 > 8",
    "quantile(x1, 0.9)",
    "median(x0 * x2) > 3",
    "median(x0) where x2 == 1 and x0 < 0",
];

fn program(field: FieldId) -> Program {
    let inputs: Vec<String> =
        (0..).zip(COLUMNS).map(|(index, (min, max))| format!("input x{index} : {min} .. {max}\n")).collect();
    let reveals: Vec<String> =
        (0..).zip(REVEALS).map(|(index, reveal)| format!("reveal r{index} = {reveal}\n")).collect();
    compile(&format!("circuit order\n{}{}", inputs.concat(), reveals.concat()), &study(field)).unwrap()
}

#[test]
fn order_statistics_agree_with_the_clear() {
    let mut rng = ChaCha20Rng::seed_from_u64(3);
    for (place, federation) in federations().iter().enumerate() {
        for rows in [1, 2, 63, 64, 65, 100] {
            // The larger thresholds once, the others with all numbers of rows.
            if place >= 5 && rows != 65 {
                continue;
            }
            let table = table(rows, &mut rng);
            let program = program(FieldId::F61);
            let expected = program.evaluate(&table).unwrap();
            let (found, _) =
                compute::<F61>(&program, &table, federation, rows % 2 == 0, Shape::Prefix, &mut rng);
            assert_eq!(found, expected, "{place}, {rows} rows");
        }
    }
    let table = table(65, &mut rng);
    let program = program(FieldId::F127);
    let expected = program.evaluate(&table).unwrap();
    let (found, _) = compute::<F127>(&program, &table, &federations()[0], true, Shape::Serial, &mut rng);
    assert_eq!(found, expected);
}
