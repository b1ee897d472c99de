//! The study document: round trip, id, and every way to get it wrong.

use proptest::prelude::*;
use quorate_circuit::{Bits, Domain, Proportion, Sharing, SharingKind, Study, StudyDraft, StudyError};
use quorate_field::FieldId;
use quorate_hash::Tagged;

use super::support::{column, draft, study};

fn document() -> String {
    let columns = vec![column("salary", "0 .. 1_000_000"), column("yrs.service \\ 'x'", "a | \"b c\"")];
    draft(columns, 1000).document().unwrap().0
}

#[test]
fn what_a_draft_writes_is_what_is_read() {
    let (owner, analysts) = ([1; 32], vec![[2; 32]]);
    let draft = StudyDraft { owner, analysts, ..draft(study().columns, 1000) };
    let (text, study) = draft.document().unwrap();
    assert_eq!(study.columns, draft.columns);
    assert_eq!((study.name.as_str(), study.capacity, study.rows_max), ("test", 1000, 1));
    assert_eq!((study.owner, study.policy.analysts.as_slice()), ([1; 32], &[[2; 32]][..]));
    assert_eq!(study.policy.excluded_max.to_string(), "0.1");
    assert_eq!(study.id(), Tagged::new("quorate/1/study").bytes(text.as_bytes()).finish());
    assert_ne!(study.id(), Study::parse(&format!("{text}# a comment\n")).unwrap().id());
    assert_eq!(Study::parse(&document()).unwrap().columns[1].name, "yrs.service \\ 'x'");
}

#[test]
fn mistakes() {
    let good = document();
    for (from, to, words) in [
        ("format = 1", "format = 2", ["`format` is 2", "expected 1"]),
        ("format = 1\n", "", ["missing field `format`", ""]),
        ("rows_max = 1", "rows_max = 1\nrows_min = 1", ["unknown field `rows_min`", "expected one of"]),
        ("rows_max = 1", "rows_max = \"1\"", ["rows_max = \"1\"", "expected u32"]),
        ("rows_max = 1", "rows_max = 0", ["`rows_max` is 0", "at least 1"]),
        ("capacity = 1000", "capacity = 0", ["`policy.min_cohort` is 1", "capacity"]),
        (
            "capacity = 1000",
            "capacity = 2000000000000",
            ["`capacity` is 2000000000000", "1 to 1099511627776"],
        ),
        ("capacity = 1000", "capacity = -1", ["capacity = -1", "expected u64"]),
        ("field = \"f61\"", "field = \"f62\"", ["unknown variant `f62`", "`f127`"]),
        ("security = \"passive\"", "security = \"active\"", ["`security` is \"active\"", "not built yet"]),
        ("security = \"passive\"", "security = \"x\"", ["`security` is \"x\"", "expected \"passive\""]),
        ("bits = \"none\"", "bits = \"x\"", ["`bits` is \"x\"", "expected \"sealed\", \"on demand\" or"]),
        (
            "threshold = 1",
            "threshold = 4",
            ["`sharing` is shamir, 4 helpers, threshold 4", "below the number of helpers"],
        ),
        ("threshold = 1", "threshold = 0", ["`sharing`", "at least 1"]),
        ("helpers = 4", "helpers = 65", ["`sharing`", "2 to 64 helpers"]),
        ("kind = \"shamir\"", "kind = \"additive\"", ["`sharing`", "helpers - 1"]),
        ("min_cohort = 1", "min_cohort = 0", ["`policy.min_cohort` is 0", "1 to 1000"]),
        (
            "excluded_max = \"0.1\"",
            "excluded_max = \"1.1\"",
            ["`policy.excluded_max` is \"1.1\"", "\"0.05\" lets"],
        ),
        ("excluded_max = \"0.1\"", "excluded_max = 0.1", ["excluded_max = 0.1", "expected a string"]),
        ("name = \"salary\"", "name = \"\"", ["`columns.1.name` is \"\"", "1 to 128 bytes"]),
        ("name = \"salary\"", "name = \"a\\nb\"", ["`columns.1.name`", "control characters"]),
        (
            "domain = \"0 .. 1000000\"",
            "domain = \"0 - 5\"",
            ["`columns.1.domain` is \"0 - 5\"", "expected `..`"],
        ),
        ("domain = \"0 .. 1000000\"", "domain = \"5 .. 0\"", ["`columns.1.domain`", "the range is empty"]),
        ("name = \"test\"", "name = \"salary", ["does not read", "name = \"salary"]),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let error = Study::parse(&bad).expect_err(to).to_string();
        for word in words {
            assert!(error.contains(word), "{word:?} expected in {error}");
        }
    }
    let twice = format!("{good}\n[[columns]]\nname = \"salary\"\ndomain = \"0 .. 1\"\n");
    assert!(Study::parse(&twice).unwrap_err().to_string().contains("two columns have the same name"));
    let nobody = StudyDraft { analysts: vec![], ..draft(study().columns, 9) };
    assert!(nobody.document().unwrap_err().to_string().contains("list who may ask"));
    assert!(matches!(Study::parse(&" ".repeat(2 << 20)), Err(StudyError::TooLong { .. })));
}

#[test]
fn the_field_holds_every_columns_sum() {
    let field =
        |domain: &str, capacity| draft(vec![column("x", domain)], capacity).document().unwrap().1.field;
    assert_eq!(field("0 .. 1_000_000", 1_000_000_000), FieldId::F61);
    assert_eq!(field("0 .. 1_152_921_504_606_846_975", 1), FieldId::F61);
    assert_eq!(field("0 .. 1_152_921_504_606_846_976", 1), FieldId::F127);
    assert_eq!(field("-1_152_921_504_606_846_976 .. 0", 1), FieldId::F127);
    assert_eq!(field("0.000000 .. 1_000_000_000.000000", 1 << 39), FieldId::F127);
    assert_eq!(field("0 .. 100_000_000_000_000_000_000_000_000_000_000_000_000", 2), FieldId::F256);

    let small =
        StudyDraft { field: Some(FieldId::F61), ..draft(vec![column("x", "0 .. 10_000_000_000")], 1 << 30) };
    let error = small.document().unwrap_err();
    assert!(
        error.to_string().contains("column `x` over 1073741824 rows reaches 10737418240000000000"),
        "{error}"
    );
    assert!(error.to_string().contains("field = \"f127\" would do"), "{error}");
    let vast = draft(vec![column("x", &format!("0 .. {}", "9".repeat(77)))], 10);
    assert!(vast.document().unwrap_err().to_string().contains("no field would do"));
}

#[test]
fn bits_are_made_where_helpers_can() {
    let shamir = |helpers, threshold| Sharing { kind: SharingKind::Shamir, helpers, threshold };
    let (four, additive) = (shamir(4, 1), Sharing { kind: SharingKind::Additive, helpers: 3, threshold: 2 });
    let drafted = |bits, sharing, field, domain: &str| {
        StudyDraft { bits: Some(bits), sharing, field: Some(field), ..draft(vec![column("x", domain)], 1) }
            .document()
    };
    for bits in Bits::ALL {
        let (text, study) = drafted(bits, four, FieldId::F61, "-5 .. 1_152_921_504_606_846_970").unwrap();
        assert!(text.contains(&format!("bits = \"{bits}\"")));
        assert_eq!((study.bits, study.input_checks().range), (bits, bits != Bits::None));
        assert_eq!(serde_json::to_string(&bits).unwrap().replace('-', " "), format!("\"{bits}\""));
        for (sharing, field, domain, words) in [
            (additive, FieldId::F61, "0 .. 1", "additive, 3 helpers, threshold 2 in F61 has not"),
            (shamir(4, 2), FieldId::F61, "0 .. 1", "shamir, 4 helpers, threshold 2 in F61 has not"),
            (shamir(31, 10), FieldId::F61, "0 .. 1", "at most 126 sets"),
            (four, FieldId::F256, "0 .. 1", "in F256 has not"),
            (four, FieldId::F127, "0 .. 1_152_921_504_606_846_976", "column `x` must be narrower than 2^60"),
        ] {
            match drafted(bits, sharing, field, domain) {
                Ok(_) => assert_eq!(bits, Bits::None),
                Err(error) => assert!(error.to_string().contains(words), "{words:?} expected in {error}"),
            }
        }
    }
    assert_eq!(Bits::best_for(&four, FieldId::F127, &study().columns), Bits::Sealed);
    assert_eq!(Bits::best_for(&four, FieldId::F256, &study().columns), Bits::None);
    assert_eq!(Bits::best_for(&additive, FieldId::F61, &study().columns), Bits::None);
}

#[test]
fn which_input_checks_a_seal_runs() {
    let checks = |kind, helpers, threshold| {
        let sharing = Sharing { kind, helpers, threshold };
        StudyDraft { sharing, ..draft(study().columns, 9) }.document().unwrap().1.input_checks()
    };
    assert!(checks(SharingKind::Shamir, 4, 1).degree);
    assert!(checks(SharingKind::Shamir, 9, 4).degree);
    assert!(!checks(SharingKind::Shamir, 4, 2).degree);
    assert!(!checks(SharingKind::Shamir, 31, 10).degree);
    let additive = checks(SharingKind::Additive, 3, 2);
    assert_eq!(additive.to_string(), "contributors: trusted, range: trusted");
    assert!(!checks(SharingKind::Shamir, 4, 1).range);
}

#[test]
fn proportions() {
    let proportion = |text: &str| Proportion::parse(text);
    assert!(proportion("0.1").unwrap().allows(10, 100));
    assert!(!proportion("0.1").unwrap().allows(11, 100));
    assert!(proportion("0").unwrap().allows(0, 5) && !proportion("0").unwrap().allows(1, u64::MAX));
    assert!(proportion("1").unwrap().allows(u64::MAX, u64::MAX));
    for bad in ["", ".", "-0.1", "1.1", "0.", "2", "0.1e1", "0.1234567890", " 0.1"] {
        assert!(proportion(bad).is_none(), "{bad:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", at in 0_usize..400, piece in "\\PC{0,8}") {
        let _ = Study::parse(&text);
        let mut damaged = document();
        let at = (0..=at.min(damaged.len())).rev().find(|at| damaged.is_char_boundary(*at)).unwrap();
        damaged.insert_str(at, &piece);
        let _ = Study::parse(&damaged);
    }

    #[test]
    fn domains_print_as_they_parse(low in -1_000_000_i64..1_000_000, width in 0_i64..1_000_000, decimals in 0_u32..6) {
        let domain = Domain::Number { min: low.into(), max: (low + width).into(), decimals };
        prop_assert_eq!(Domain::parse(&domain.to_string()).unwrap(), domain);
    }

    #[test]
    fn categories_print_as_they_parse(labels in prop::collection::btree_set("[a-z ]{0,6}[a-z]|if|é|1", 2..6)) {
        let domain = Domain::Category { labels: labels.into_iter().collect() };
        prop_assert_eq!(Domain::parse(&domain.to_string()).unwrap(), domain);
    }
}
