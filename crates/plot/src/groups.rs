//! Means of groups that a circuit reveals the spread and the count of too: what an interval needs.

use quorate_circuit::syntax::{Circuit, DefinitionKind, Expression, ExpressionKind};

/// Results that belong together, by their positions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// `mean(x) by g`.
    pub(crate) mean: usize,
    /// `stddev(x) by g` or `variance(x) by g`.
    pub(crate) spread: usize,
    /// Whether the spread is a variance.
    pub(crate) is_variance: bool,
    /// `count() by g`.
    pub(crate) count: usize,
}

/// All of them in a circuit, in its order.
pub(crate) fn groups(circuit: &Circuit) -> Vec<Group> {
    let calls: Vec<Option<Call>> =
        circuit.reveals.iter().map(|reveal| Call::of(circuit, &reveal.expression)).collect();
    let find = |function: &str, argument: &str, around: &[String]| {
        calls.iter().position(|call| {
            call.as_ref().is_some_and(|call| {
                call.function == function && call.argument == argument && call.around == around
            })
        })
    };
    let mut found = Vec::new();
    for (mean, call) in calls.iter().enumerate() {
        let Some(Call { function, argument, around }) = call else { continue };
        let is_grouped = around.iter().any(|layer| layer.starts_with("by "));
        if function != "mean" || !is_grouped {
            continue;
        }
        let deviation = find("stddev", argument, around).map(|spread| (spread, false));
        let spread = deviation.or_else(|| find("variance", argument, around).map(|spread| (spread, true)));
        if let (Some((spread, is_variance)), Some(count)) = (spread, find("count", "", around)) {
            found.push(Group { mean, spread, is_variance, count });
        }
    }
    found
}

/// A function of one argument or none, and the `where` and `by` around it in alphabetical order.
struct Call {
    function: String,
    argument: String,
    around: Vec<String>,
}

impl Call {
    fn of(circuit: &Circuit, expression: &Expression) -> Option<Call> {
        let (mut inner, mut around) = (expression, Vec::new());
        // No longer than the circuit: a definition may use those before it only.
        loop {
            inner = match &inner.kind {
                ExpressionKind::By { body, category } => {
                    around.push(format!("by {category}"));
                    body
                }
                ExpressionKind::Where { body, condition } => {
                    around.push(format!("where {condition}"));
                    body
                }
                ExpressionKind::Name(name) => {
                    let is_it = |kind: DefinitionKind, of: &str| kind == DefinitionKind::Let && of == name;
                    let found = circuit.definitions.iter().find(|known| is_it(known.kind, &known.name.text));
                    &found?.expression
                }
                ExpressionKind::Call { function, arguments } => {
                    let argument = match arguments.as_slice() {
                        [] => String::new(),
                        [argument] => argument.to_string(),
                        _ => return None,
                    };
                    around.sort();
                    return Some(Call { function: function.text.clone(), argument, around });
                }
                _ => return None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(reveals: &str) -> Vec<Group> {
        let head =
            "circuit c\ninput pay : 0 .. 9\ninput sex : f | m\ninput team : a | b\nlet m = mean(pay)\n";
        groups(&Circuit::parse(&format!("{head}{reveals}")).unwrap())
    }

    #[test]
    fn a_mean_with_its_spread_and_count_of_the_same_rows() {
        let all = found(
            "reveal n = count() by sex\nreveal pay = mean(pay) by sex\nreveal s = stddev(pay) by sex\n\
             reveal again = m where pay > 3 by sex\nreveal v = variance(pay) by sex where pay > 3\n\
             reveal k = (count() where pay > 3) by sex",
        );
        let first = Group { mean: 1, spread: 2, is_variance: false, count: 0 };
        let second = Group { mean: 3, spread: 4, is_variance: true, count: 5 };
        assert_eq!(all, [first, second]);
    }

    #[test]
    fn nothing_of_other_rows_or_values() {
        for reveals in [
            "reveal pay = mean(pay) by sex\nreveal s = stddev(pay) by team\nreveal n = count() by sex",
            "reveal pay = mean(pay) by sex\nreveal s = stddev(pay + 1) by sex\nreveal n = count() by sex",
            "reveal pay = mean(pay) by sex\nreveal s = stddev(pay) by sex\nreveal n = count()",
            "reveal pay = mean(pay)\nreveal s = stddev(pay)\nreveal n = count()",
            "reveal pay = mean(pay) by sex\nreveal s = stddev(pay) by sex where pay > 1\nreveal n = count() by sex",
        ] {
            assert_eq!(found(reveals), [], "{reveals}");
        }
    }
}
