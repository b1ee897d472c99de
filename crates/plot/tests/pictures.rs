//! Every kind of picture, drawn. The files are left in the target directory's `tmp`, to be looked at.

#![allow(clippy::unwrap_used, reason = "a test")]

use quorate_circuit::{
    ChiSquared, Circuit, Fit, FittedCoefficient, Margin, Outcome, Quantity, Regression, Sample, TTest,
    Uncertainty, Undefined,
};
use quorate_field::Integer;
use quorate_plot::{Axis, Chart, Picture, Series, draw, draw_charts};

fn number(thousandths: i64) -> Outcome {
    Outcome::Number(Quantity::new(Integer::from(thousandths), Integer::from(1_000_i64)).unwrap())
}

fn whole(value: i64) -> Outcome {
    number(value * 1_000)
}

fn table(cells: &[(&str, Outcome)]) -> Outcome {
    Outcome::Table(cells.iter().map(|(label, cell)| ((*label).to_owned(), cell.clone())).collect())
}

fn named(results: &[(&str, Outcome)]) -> Vec<(String, Outcome)> {
    results.iter().map(|(name, outcome)| ((*name).to_owned(), outcome.clone())).collect()
}

/// Draws results and leaves the files; the same results give the same bytes.
fn drawn(file: &str, results: &[(String, Outcome)], circuit: Option<&str>) -> (Picture, String) {
    let circuit = circuit.map(|text| Circuit::parse(text).unwrap());
    kept(file, || draw(results, &[], circuit.as_ref()))
}

fn kept(file: &str, draw: impl Fn() -> Picture) -> (Picture, String) {
    let (picture, again) = (draw(), draw());
    let (svg, png) = (picture.svg(), picture.png().unwrap());
    assert!(again.svg() == svg && again.png().unwrap() == png, "{file}: not the same again");
    assert_eq!(png[..8], *b"\x89PNG\r\n\x1a\n");
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{file}");
    for (end, bytes) in [("svg", svg.as_bytes()), ("png", &png[..])] {
        let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
        std::fs::write(dir.join(format!("{file}.{end}")), bytes).unwrap();
    }
    (picture, svg)
}

/// The texts of a picture, in the order in which they are drawn.
fn texts(svg: &str) -> Vec<&str> {
    svg.split("aria-label=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[test]
fn numbers_and_a_table_by_one_grouping() {
    let undefined = Outcome::Undefined(Undefined::DivisionByZero);
    let pay = [("assistant professor", number(80_776_000)), ("associate professor", number(93_876_400))];
    let pay = table(&[&pay[..], &[("professor", number(126_772_110)), ("emeritus", undefined)]].concat());
    let results = [("people", whole(397)), ("mean_salary", number(113_706_458)), ("pay_by_rank", pay)];
    let results = named(&[&results[..], &[("is_over", Outcome::Truth(true))]].concat());
    let (_, svg) = drawn("one-way", &results, None);
    let texts = texts(&svg);
    for expected in ["people", "397", "pay_by_rank", "emeritus", "not shown", "126772", "is_over", "true"] {
        assert!(texts.contains(&expected), "{expected} is not in {texts:?}");
    }
    assert_eq!(svg.matches("fill=\"#2d6ba0\"").count(), 3, "a bar for each value that there is");
}

#[test]
fn a_table_by_two_groupings() {
    let line = |a: i64, b: i64, c: i64| {
        table(&[("assistant", number(a)), ("associate", number(b)), ("full", number(c))])
    };
    let gap = table(&[("women", number(-3_500)), ("men", number(2_250)), ("all", whole(0))]);
    let pay = table(&[
        ("women", line(78_050_100, 88_512_000, 121_967_600)),
        ("men", line(81_311_460, 94_869_700, 0)),
    ]);
    let (_, svg) = drawn("two-way", &named(&[("pay", pay), ("gap", gap)]), None);
    let texts = texts(&svg);
    assert_eq!(texts.iter().filter(|text| **text == "associate").count(), 2);
    assert!(texts.contains(&"-3.50") && texts.contains(&"women") && texts.contains(&"88512"), "{texts:?}");
}

#[test]
fn histograms() {
    let counts = [12, 85, 143, 97, 41, 9, 0, 2];
    let cells: Vec<(String, Outcome)> = counts
        .iter()
        .enumerate()
        .map(|(index, count)| (format!("{}..{}", index * 25_000, (index + 1) * 25_000), whole(*count)))
        .collect();
    let many: Vec<(String, Outcome)> =
        (0..60).map(|i: i64| (format!("{i}..{}", i + 1), whole(i * (60 - i)))).collect();
    let below = table(&[("-10..0", number(-1_500)), ("0..10", number(2_500))]);
    let results = [("salaries", Outcome::Table(cells)), ("many", Outcome::Table(many)), ("change", below)];
    let (_, svg) = drawn("histogram", &named(&results), None);
    let texts = texts(&svg);
    assert!(texts.contains(&"143") && texts.contains(&"25000") && texts.contains(&"200000"), "{texts:?}");
    assert_eq!(svg.matches("fill=\"#2d6ba0\"").count(), 8 + 60 + 2);
}

fn model(coefficients: Vec<FittedCoefficient>, r_squared: f64, rows: u64) -> Outcome {
    Outcome::Fit(Box::new(Fit::Regression(Regression { coefficients, r_squared, rows })))
}

#[test]
fn tests_of_groups() {
    let sample = |label: &str, rows, mean| Sample { label: label.to_owned(), rows, mean };
    let test = TTest {
        samples: [sample("female", 39, 101_002.41), sample("male", 358, 115_090.42)],
        difference: -14_088.01,
        t: -3.161_47,
        freedom: 50.121_5,
        p_value: 0.002_663_6,
        margin: 8_949.9,
    };
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
    let crossed = ChiSquared {
        statistic: 8.525_93,
        freedom: 2,
        p_value: 0.014_080_5,
        cramers_v: 0.146_547,
        rows: labels(&["female", "male"]),
        columns: labels(&["assistant", "associate", "full"]),
        counts: vec![vec![11, 10, 18], vec![56, 54, 248]],
    };
    let fit = |fit| Outcome::Fit(Box::new(fit));
    let results = [("pay", fit(Fit::TTest(test))), ("rank", fit(Fit::ChiSquared(crossed)))];
    let (_, svg) = drawn("tests", &named(&results), None);
    let texts = texts(&svg);
    assert!(texts.contains(&"female less male") && texts.contains(&"248"), "{texts:?}");
    assert!(texts.iter().any(|text| text.contains("p = 0.0140805")), "{texts:?}");
}

#[test]
fn models_and_groups_with_intervals() {
    let one = |name: &str, estimate: f64, standard_error: f64| FittedCoefficient {
        name: name.to_owned(),
        estimate,
        standard_error,
    };
    let coefficients = vec![
        one("intercept", 65_955.2, 4_588.6),
        one("discipline == B", 14_417.6, 2_342.9),
        one("rank == full", 45_066.0, 4_237.5),
        one("sex == male", 4_783.5, 3_858.7),
    ];
    let near = model(coefficients, 0.4547, 397);
    let coefficients = vec![one("intercept", 1.0, 0.1), one("age", -0.002, 0.0004), one("group", 31.0, 18.0)];
    let apart = model(coefficients, 0.31, 120);
    let circuit = "circuit c\ninput pay : 0 .. 9\ninput rank : a | b | c\nreveal pay = mean(pay) by rank\n\
                   reveal s = stddev(pay) by rank\nreveal n = count() by rank";
    let of = |a: i64, b: i64, c: i64| {
        table(&[("assistant", number(a)), ("associate", number(b)), ("full", number(c))])
    };
    let results = named(&[
        ("pay", of(80_776_000, 93_876_000, 126_772_000)),
        ("s", of(8_174_000, 13_831_000, 27_718_000)),
        ("n", of(67_000, 64_000, 1_000)),
        ("model", near),
        ("apart", apart),
    ]);
    let (_, svg) = drawn("intervals", &results, Some(circuit));
    let texts = texts(&svg);
    // 80776 +- qt(0.975, 66) * 8174 / sqrt(67)
    assert!(texts.contains(&"80776 [78782, 82770]"), "{texts:?}");
    assert!(texts.contains(&"126772"), "one row has no interval: {texts:?}");
    assert!(texts.iter().any(|text| text.contains("on a scale of its own")), "{texts:?}");
    let without = draw(&results[..3], &[], None).svg();
    assert!(!without.contains("78782"), "which results belong together, the circuit says");
}

/// Of a number: its noise is within this of it with 95 percent.
fn within(value: f64, margin: f64) -> Uncertainty {
    Uncertainty::Number(Margin { stderr: margin / 1.96, low: value - margin, high: value + margin })
}

fn parts(parts: &[(&str, Uncertainty)]) -> Uncertainty {
    Uncertainty::Parts(parts.iter().map(|(name, part)| ((*name).to_owned(), Some(part.clone()))).collect())
}

#[test]
fn noisy_results_have_whiskers() {
    let circuit = "circuit c\ninput pay : 0 .. 9\ninput rank : a | b | c\nreveal pay = mean(pay) by rank with rho 1\n\
                   reveal s = stddev(pay) by rank with rho 1\nreveal n = count() by rank with rho 1";
    let circuit = Circuit::parse(circuit).unwrap();
    let pay = table(&[("assistant", number(80_776_310)), ("full", number(126_772_110))]);
    let ages = table(&[("0..18", number(12_000)), ("18..40", number(-3_000))]);
    let gap =
        table(&[("north", pay.clone()), ("south", table(&[("assistant", whole(9)), ("full", whole(-9))]))]);
    let one =
        |name: &str, estimate| FittedCoefficient { name: name.to_owned(), estimate, standard_error: 1.0 };
    let fitted = model(vec![one("intercept", 1.0), one("age", 250.0), one("years", 731.5)], 0.5, 397);
    let of_pay = parts(&[("assistant", within(80_776.31, 1_592.0)), ("full", within(126_772.11, 4_100.0))]);
    let of_ages = parts(&[("0..18", within(12.0, 6.2)), ("18..40", within(-3.0, 6.2))]);
    let of_fitted = parts(&[
        ("intercept", within(1.0, 9.0)),
        ("age", within(250.0, 66.0)),
        ("years", within(731.5, 81.0)),
    ]);
    let results = named(&[
        ("mean_pay", number(113_706_458)),
        ("pay", pay.clone()),
        ("s", pay.clone()),
        ("n", pay),
        ("gap", gap),
        ("ages", ages),
        ("model", fitted),
    ]);
    let noise = |name: &str, noise: Option<Uncertainty>| (name.to_owned(), noise);
    let noise = [
        noise("mean_pay", Some(within(113_706.458, 812.4))),
        noise("pay", Some(of_pay.clone())),
        noise("s", None),
        noise("n", None),
        noise("gap", Some(Uncertainty::Parts(vec![("north".into(), Some(of_pay)), ("south".into(), None)]))),
        noise("ages", Some(of_ages)),
        noise("model", Some(of_fitted)),
    ];
    let (_, svg) = kept("noise", || draw(&results, &noise, Some(&circuit)));
    let texts = texts(&svg);
    for expected in
        ["113710 ± 810", "80800 ± 1600", "126800 ± 4100", "12.0 ± 6.2", "-3.0 ± 6.2", "250 [184, 316]", "-9"]
    {
        assert!(texts.contains(&expected), "{expected} is not in {texts:?}");
    }
    assert_eq!(texts.iter().filter(|text| **text == "whiskers: 95% intervals of the noise alone").count(), 3);
    assert!(texts.iter().any(|text| text.starts_with("coefficients with 95% intervals of the noise alone")));
    // A line and two caps: two groups, two of one of two, two bins, two coefficients.
    assert_eq!(
        svg.matches("stroke-width=\"1.6\"").count(),
        3 * (2 + 2 + 2 + 2),
        "no interval of noisy spreads"
    );
}

#[test]
fn charts_with_a_line_for_each_series() {
    let series =
        |name: &str, points: &[(f64, f64)]| Series { name: name.to_owned(), points: points.to_vec() };
    let linear = Chart {
        title: "Bytes of one contributor".to_owned(),
        x: Axis::linear("helpers"),
        y: Axis::linear("bytes"),
        series: vec![
            series("threshold 1", &[(3.0, 700.0), (4.0, 1_000.0), (5.0, 1_400.0), (7.0, f64::NAN)]),
            series("threshold 2", &[(5.0, 1_380.0), (6.0, 1_800.0)]),
            series("alone", &[(9.0, 3_000.0)]),
        ],
    };
    let many = |index: i32| {
        let cost = f64::from(index + 1);
        let points = [(100.0, 0.02 * cost), (1_000.0, 0.05 * cost), (10_000.0, 0.4 * cost), (0.0, 1.0)];
        series(&format!("({}, 1)", index + 3), &points)
    };
    let log = Chart {
        title: "Seal and run".to_owned(),
        x: Axis::log("contributors"),
        y: Axis::log("s"),
        series: (0..16).map(many).collect(),
    };
    let (_, svg) = kept("charts", || draw_charts(&[linear.clone(), log.clone()]));
    let texts = texts(&svg);
    for expected in
        ["helpers", "bytes", "threshold 2", "alone", "3000", "contributors", "10000", "0.02", "(18, 1)"]
    {
        assert!(texts.contains(&expected), "{expected} is not in {texts:?}");
    }
    // Segments, and the legend's keys: two points, no number between them or nothing positive make none.
    assert_eq!(svg.matches("stroke-width=\"2\"").count(), 2 + 1 + 3 + 16 * 2 + 16);
    // Discs of 7 series with two or three points, rings of 7 that are two circles each, squares for the rest.
    assert_eq!(svg.matches("<circle").count(), 6 + 3 + 7 * (3 + 1) * 3);
    let empty = draw_charts(&[Chart { series: vec![], ..linear }]);
    assert!(empty.png().is_ok());
}

#[test]
fn whatever_labels_say() {
    let long = "a label that is much longer than anything that has room beside a bar, and then longer still";
    let table =
        table(&[(long, whole(1)), ("<&\">\u{7}", whole(2)), ("Ünïté Σ Ж", whole(0)), ("語", whole(3))]);
    let (_, svg) = drawn("labels", &named(&[(long, table), ("none", Outcome::Table(vec![]))]), None);
    assert!(svg.contains("&lt;&amp;&quot;&gt; ") && svg.contains('…'), "{svg}");
    let empty = draw(&[], &[], None);
    assert!(empty.svg().ends_with("</svg>\n") && empty.png().is_ok());
}
