//! The parser: statements by their first word, expressions by precedence.
//!
//! A text is cut at the words `circuit`, `input` and `reveal`, which are never names unless quoted; each statement
//! is parsed for itself, so that one that does not parse hides nothing of the others. Within a statement the
//! `chumsky` crate's Pratt parser (Pratt, "Top down operator precedence", POPL 1973) does the rest. Weakest first:
//! `where`, `by`; `or`; `and`; `not`; comparisons, which do not chain; `+ -`; `* /`; signs.

use chumsky::error::{RichPattern, RichReason};
use chumsky::input::{Input as _, MappedInput};
use chumsky::pratt::{infix, left, none, prefix};
use chumsky::prelude::*;

use super::token::{Keyword, Placed, Token, check_nesting, statements, tokenize};
use super::tree::{
    Binary, Circuit, Comparison, Definition, DefinitionKind, Expression, ExpressionKind, Input, Name,
    Privacy, PrivacyAmount, Reveal, Unary,
};
use super::written::{Number, Written, WrittenVector};
use crate::column::Domain;
use crate::diagnostics::{Diagnostic, Diagnostics, Span};

type Tokens<'a> = MappedInput<'a, Token<'a>, SimpleSpan, &'a [(Token<'a>, SimpleSpan)]>;
type Failure<'a> = extra::Err<Rich<'a, Token<'a>>>;
type Rule<'a, T> = Boxed<'a, 'a, Tokens<'a>, T, Failure<'a>>;

/// A column's declaration as written: whether it may be blank, and its domain.
type Declared = (bool, Written);

enum Statement {
    Circuit(Name),
    Input(Name, Declared, Span),
    Definition(Definition),
    Reveal(Reveal),
}

/// Reads a whole circuit.
pub(super) fn parse_circuit(text: &str) -> Result<Circuit, Diagnostics> {
    let tokens = tokenize(text)?;
    let placed: Vec<_> =
        tokens.iter().map(|(token, span)| (*token, SimpleSpan::from(span.start..span.end))).collect();
    let (rule, mut diagnostics) = (statement(), Diagnostics::default());
    let mut circuit = Circuit {
        name: Name { text: String::new(), span: Span::default() },
        inputs: vec![],
        definitions: vec![],
        reveals: vec![],
    };
    let mut names = Vec::new();
    for range in statements(&tokens) {
        let from = range.start;
        let end = placed.get(range.end).map_or(text.len(), |(_, span)| span.start);
        match parse_with(&rule, &tokens[range.clone()], &placed[range], end) {
            Ok(Statement::Circuit(name)) => names.push((from, name)),
            Ok(Statement::Input(name, (is_optional, written), span)) => {
                match written.declared(is_optional, span) {
                    Ok(domain) => circuit.inputs.push(Input { name, domain, is_optional, span }),
                    Err(diagnostic) => diagnostics.push(diagnostic),
                }
            }
            Ok(Statement::Definition(definition)) => circuit.definitions.push(definition),
            Ok(Statement::Reveal(reveal)) => circuit.reveals.push(reveal),
            Err(errors) => diagnostics.0.extend(errors.0),
        }
    }
    check_header(text, &tokens, names, &mut circuit, &mut diagnostics);
    diagnostics.or(circuit)
}

/// Reads a column's declaration alone, as in a study's document: whether it may be blank, and its domain.
pub(crate) fn parse_declaration(text: &str) -> Result<(bool, Domain), Diagnostics> {
    let tokens = tokenize(text)?;
    let placed: Vec<_> =
        tokens.iter().map(|(token, span)| (*token, SimpleSpan::from(span.start..span.end))).collect();
    let (is_optional, written) = parse_with(&declaration(), &tokens, &placed, text.len())?;
    Ok((is_optional, written.declared(is_optional, Span::new(0, text.len()))?))
}

/// `circuit name` comes first, once, and there is something to reveal.
fn check_header(
    text: &str,
    tokens: &[Placed<'_>],
    names: Vec<(usize, Name)>,
    circuit: &mut Circuit,
    diagnostics: &mut Diagnostics,
) {
    let mut names = names.into_iter();
    match names.next() {
        Some((0, name)) => circuit.name = name,
        Some((_, name)) => diagnostics.push(
            Diagnostic::new(name.span, "`circuit` is not the first statement", "expected at the top")
                .help("move this line to the beginning of the text"),
        ),
        // A first statement that is `circuit` and did not parse was reported already.
        None if matches!(tokens.first(), Some((Token::Keyword(Keyword::Circuit), _))) => {}
        None => {
            let span = tokens.first().map_or(Span::new(0, text.len().min(1)), |(_, span)| *span);
            diagnostics.push(
                Diagnostic::new(span, "the circuit has no name", "expected `circuit` here")
                    .help("begin with a line like: circuit salaries"),
            );
        }
    }
    for (_, name) in names {
        diagnostics.push(
            Diagnostic::new(name.span, "the circuit has two names", "a second `circuit`")
                .help("remove this line"),
        );
    }
    if diagnostics.is_empty() && circuit.reveals.is_empty() {
        diagnostics.push(
            Diagnostic::new(circuit.name.span, "the circuit reveals nothing", "no `reveal` follows")
                .help("add a line like: reveal people = count()"),
        );
    }
}

fn parse_with<'a, T>(
    rule: &Rule<'a, T>,
    statement: &[Placed<'a>],
    placed: &'a [(Token<'a>, SimpleSpan)],
    end: usize,
) -> Result<T, Diagnostics> {
    check_nesting(statement)?;
    let last = statement.last().map_or(end, |(_, span)| span.end);
    let tokens = placed.split_token_span(SimpleSpan::from(last..last));
    let (output, errors) = rule.parse(tokens).into_output_errors();
    match output {
        Some(output) if errors.is_empty() => Ok(output),
        _ => Err(Diagnostics(errors.into_iter().map(explain).collect())),
    }
}

/// A parser error as a diagnostic.
fn explain(error: Rich<'_, Token<'_>>) -> Diagnostic {
    let span = Span::new(error.span().start, error.span().end);
    let RichReason::ExpectedFound { expected, found } = error.into_reason() else {
        return Diagnostic::new(span, "this does not parse", "here");
    };
    let mut expected: Vec<String> = expected
        .iter()
        .map(|pattern| match pattern {
            RichPattern::EndOfInput => "the end of the statement".to_owned(),
            RichPattern::Token(token) => token.to_string(),
            RichPattern::Label(label) => label.to_string(),
            _ => "something else".to_owned(),
        })
        .collect();
    expected.sort();
    expected.dedup();
    let found = found.map_or("the end of the statement".to_owned(), |token| token.to_string());
    let chained = found.len() <= 4
        && ["==", "!=", "<", "<=", ">", ">="].iter().any(|symbol| found == format!("`{symbol}`"));
    let diagnostic = Diagnostic::new(
        span,
        format!("did not expect {found} here"),
        match expected.as_slice() {
            [] => "not expected".to_owned(),
            [one] => format!("expected {one}"),
            [first @ .., last] => format!("expected {} or {last}", first.join(", ")),
        },
    );
    match found.as_str() {
        "`=`" => diagnostic.help("values are compared with `==`"),
        "`,`" => diagnostic.help("a table by two categories is written: mean(x) by a by b"),
        "`..`" | "`:`" => diagnostic.help("a range is declared as in: input salary : 0 .. 1_000_000"),
        _ if chained => diagnostic.help("comparisons do not chain: join them with `and`"),
        _ => diagnostic,
    }
}

fn statement<'a>() -> Rule<'a, Statement> {
    let header = keyword(Keyword::Circuit).ignore_then(name()).map(Statement::Circuit);
    let input = keyword(Keyword::Input)
        .ignore_then(name())
        .then_ignore(symbol(":"))
        .then(declaration().map_with(|written, extra| (written, span_of(extra.span()))))
        .map(|(name, (written, span))| Statement::Input(name, written, span));
    let reveal = keyword(Keyword::Reveal)
        .ignore_then(name())
        .then_ignore(symbol("="))
        .then(expression())
        .then(privacy().or_not())
        .map(|((name, expression), privacy)| Statement::Reveal(Reveal { name, expression, privacy }));
    let kind = choice((
        keyword(Keyword::Let).to(DefinitionKind::Let),
        keyword(Keyword::Define).to(DefinitionKind::Define),
    ));
    let definition = kind
        .then(name())
        .then_ignore(symbol("="))
        .then(expression())
        .map(|((kind, name), expression)| Statement::Definition(Definition { kind, name, expression }));
    choice((header, input, definition, reveal)).then_ignore(end()).boxed()
}

/// `with epsilon 0.5`. Which names there are is the checker's to say.
fn privacy<'a>() -> Rule<'a, Privacy> {
    let placed = number().map_with(|number, extra| (number, span_of(extra.span())));
    let amount = name().then(placed).map(|(name, (Number { digits, decimals }, span))| PrivacyAmount {
        name,
        digits,
        decimals,
        span,
    });
    keyword(Keyword::With)
        .ignore_then(amount.repeated().at_least(1).collect())
        .map_with(|amounts, extra| Privacy { amounts, span: span_of(extra.span()) })
        .boxed()
}

fn declaration<'a>() -> Rule<'a, Declared> {
    keyword(Keyword::Optional).or_not().map(|word| word.is_some()).then(domain()).boxed()
}

fn domain<'a>() -> Rule<'a, Written> {
    let bound = || symbol("-").or_not().map(|sign| sign.is_some()).then(number());
    let range = bound().then_ignore(symbol("..")).then(bound()).map(|(low, high)| Written::Range(low, high));
    let labels = name().separated_by(symbol("|")).at_least(1).collect().map(Written::Labels);
    let dates = date().then_ignore(symbol("..")).then(date()).map(|(from, to)| Written::Dates(from, to));
    let elements = choice((range.clone(), dates.clone(), labels.clone()));
    let placed = || number().map_with(|number, extra| (number, span_of(extra.span())));
    let vector = word("vector")
        .ignore_then(placed().delimited_by(symbol("["), symbol("]")))
        .then_ignore(word("of"))
        .then(elements)
        .then(word("norm").ignore_then(placed()).or_not())
        .map(|((length, elements), norm)| WrittenVector { length, elements: Box::new(elements), norm })
        .map(Written::Vector);
    choice((range, dates, vector, labels)).boxed()
}

/// A name that means something where it stands, and is a name elsewhere.
fn word<'a>(word: &'static str) -> Rule<'a, Token<'a>> {
    just(Token::Name(word)).boxed()
}

fn date<'a>() -> Rule<'a, i64> {
    select! { Token::Date(days) => days }.labelled("a date").boxed()
}

fn name<'a>() -> Rule<'a, Name> {
    select! { Token::Name(name) => name, Token::Quoted(name) => name }
        .map_with(|name, extra| Name { text: name.to_owned(), span: span_of(extra.span()) })
        .labelled("a name")
        .boxed()
}

fn number<'a>() -> Rule<'a, Number> {
    select! { Token::Number(text) => text }
        .filter(|text: &&str| text.bytes().any(|digit| digit.is_ascii_digit()))
        .map(|text: &str| {
            let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
            let fraction = fraction.replace('_', "");
            let digits = format!("{}{fraction}", whole.replace('_', ""));
            // At most DIGITS_MAX digits: they fit 512 bits and count in 32.
            let decimals = u32::try_from(fraction.len()).unwrap_or(u32::MAX);
            Number { digits: digits.parse().unwrap_or_default(), decimals }
        })
        .labelled("a number")
        .boxed()
}

fn symbol<'a>(symbol: &'static str) -> Rule<'a, Token<'a>> {
    just(Token::Symbol(symbol)).boxed()
}

fn keyword<'a>(keyword: Keyword) -> Rule<'a, Token<'a>> {
    just(Token::Keyword(keyword)).boxed()
}

fn expression<'a>() -> Rule<'a, Expression> {
    recursive(|expression| {
        plain(expression.boxed()).pratt((
            infix(left(1), keyword(Keyword::Where), |body: Expression, _, condition: Expression, _| {
                let (body, condition) = (Box::new(body), Box::new(condition));
                Expression {
                    span: body.span.to(condition.span),
                    kind: ExpressionKind::Where { body, condition },
                }
            }),
            infix(left(1), keyword(Keyword::By), |body: Expression, _, category: Expression, _| {
                let (body, category) = (Box::new(body), Box::new(category));
                Expression { span: body.span.to(category.span), kind: ExpressionKind::By { body, category } }
            }),
        ))
    })
    .boxed()
}

/// Everything but `where` and `by`. `whole` is any expression, for what stands in parentheses.
fn plain<'a>(whole: Rule<'a, Expression>) -> Rule<'a, Expression> {
    recursive(|plain| {
        let sign = choice((symbol("-").to(Unary::Negate), symbol("+").to(Unary::Plus)));
        let factor = choice((symbol("*").to(Binary::Multiply), symbol("/").to(Binary::Divide)));
        let term = choice((symbol("+").to(Binary::Add), symbol("-").to(Binary::Subtract)));
        let not = keyword(Keyword::Not).to(Unary::Not);
        let and = keyword(Keyword::And).to(Binary::And);
        let or = keyword(Keyword::Or).to(Binary::Or);
        operand(whole, plain.boxed()).pratt((
            infix(left(9), keyword(Keyword::Weighted), |body: Expression, _, weight: Expression, _| {
                let (body, weight) = (Box::new(body), Box::new(weight));
                let span = body.span.to(weight.span);
                Expression { span, kind: ExpressionKind::Weighted { body, weight } }
            }),
            prefix(8, sign.boxed(), |operator, operand, extra| {
                unary(operator, operand, span_of(extra.span()))
            }),
            infix(left(7), factor.boxed(), |left, operator, right, _| binary(left, operator, right)),
            infix(left(6), term.boxed(), |left, operator, right, _| binary(left, operator, right)),
            infix(none(5), comparison(), |left, operator, right, _| binary(left, operator, right)),
            prefix(4, not.boxed(), |operator, operand, extra| {
                unary(operator, operand, span_of(extra.span()))
            }),
            infix(left(3), and.boxed(), |left, operator, right, _| binary(left, operator, right)),
            infix(left(2), or.boxed(), |left, operator, right, _| binary(left, operator, right)),
        ))
    })
    .boxed()
}

fn comparison<'a>() -> Rule<'a, Binary> {
    choice(Comparison::ALL.map(|comparison| symbol(comparison.symbol()).to(Binary::Compare(comparison))))
        .labelled("a comparison")
        .boxed()
}

/// What operators stand between.
fn operand<'a>(whole: Rule<'a, Expression>, plain: Rule<'a, Expression>) -> Rule<'a, Expression> {
    let parenthesised = whole
        .clone()
        .delimited_by(symbol("("), symbol(")"))
        .map_with(|inner, extra| Expression { span: span_of(extra.span()), ..inner });
    let model = symbol("~").ignore_then(whole.clone()).or_not();
    let argument = whole.then(model).map(|(outcome, predictors)| match predictors {
        None => outcome,
        Some(predictors) => {
            let span = outcome.span.to(predictors.span);
            let (outcome, predictors) = (Box::new(outcome), Box::new(predictors));
            Expression { span, kind: ExpressionKind::Model { outcome, predictors } }
        }
    });
    let several = argument.separated_by(symbol(",")).collect::<Vec<_>>().boxed();
    let arguments = several.clone().delimited_by(symbol("("), symbol(")"));
    let list = several.delimited_by(symbol("["), symbol("]")).map(ExpressionKind::List);
    let name_or_call = name().then(arguments.or_not()).map(|(name, arguments)| match arguments {
        Some(arguments) => ExpressionKind::Call { function: name, arguments },
        None => ExpressionKind::Name(name.text),
    });
    let choose = keyword(Keyword::If)
        .ignore_then(plain.clone())
        .then_ignore(keyword(Keyword::Then))
        .then(plain.clone())
        .then_ignore(keyword(Keyword::Else))
        .then(plain)
        .map(|((condition, yes), no)| ExpressionKind::If {
            condition: Box::new(condition),
            yes: Box::new(yes),
            no: Box::new(no),
        });
    let constant = number().map(|Number { digits, decimals }| ExpressionKind::Number { digits, decimals });
    let date = date().map(|days| ExpressionKind::Date { days });
    let placed = choice((constant, date, name_or_call, list, choose))
        .map_with(|kind, extra| Expression { kind, span: span_of(extra.span()) });
    choice((placed, parenthesised)).labelled("an expression").boxed()
}

fn span_of(span: SimpleSpan) -> Span {
    Span::new(span.start, span.end)
}

fn binary(left: Expression, operator: Binary, right: Expression) -> Expression {
    let (left, right) = (Box::new(left), Box::new(right));
    Expression { span: left.span.to(right.span), kind: ExpressionKind::Binary { operator, left, right } }
}

fn unary(operator: Unary, operand: Expression, span: Span) -> Expression {
    Expression { span, kind: ExpressionKind::Unary { operator, operand: Box::new(operand) } }
}
