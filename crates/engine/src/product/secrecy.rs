//! Secrecy of reshare, king, zero sharings and openings, with every draw in the hands of the test.
//!
//! What `t` workers see together, their keys' values and what they received, must have one distribution, whatever the
//! other workers' inputs are. At (3,1) over p = 7 and 31 every value of the randomness is tried and views are counted.
//! For any (n,t), views are linear in randomness and inputs: they tell nothing about an input if its column is in the
//! span of those of the randomness, which is a question of rank. The columns come from running the protocol itself on
//! unit vectors, one a row. Each planted leak must be caught by the same check.

mod mutants;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use quorate_field::Field;
use quorate_field::tiny::{F7, F31, M127, Tiny};
use quorate_sharing::prss::{Draw, KeyName, Purpose, Script};
use quorate_sharing::{HelperNumber, Scheme, Shares, lagrange_at_zero};

use super::king::rows_of;
use super::reshare::reshare_as;
use super::*;
use crate::opening::{Mask, Points, open};
use crate::round::{Member, Outbox};
use crate::testing::{Network, scheme};
use crate::verified::Segment;
use mutants::{honest, with_one_power, without_dealer, without_direction, without_mask, without_zero};

/// Which variable a draw from a key stands for; `None` for none, always zero. The honest one is the identity.
type Mutant = fn(KeyName, Draw) -> Option<(KeyName, Draw)>;

/// Runs a protocol on the inputs `[place][row]`, and says which row each received element is of.
type Protocol<F> = fn(&mut Network, &[Vec<F>]);

/// Which row an element of a message is of.
#[derive(Clone, Copy, PartialEq)]
enum Layout {
    /// Each message has one element a row.
    InOrder,
    /// A first round to kings and a second from kings, each of its part of the rows.
    ByKings,
}

/// One uniform value a row, and the keys that give it away.
struct Variable {
    draw: (KeyName, Draw),
    keys: BTreeSet<KeyName>,
}

/// All draws of a run.
struct Oracle {
    mutant: Mutant,
    drawn: Mutex<Drawn>,
    value: Box<dyn Fn(usize, u64) -> u64 + Send + Sync>,
}

#[derive(Default)]
struct Drawn {
    variables: Vec<Variable>,
    /// Which variable a draw from a key is.
    index: HashMap<(KeyName, Draw), Option<usize>>,
}

impl Script for Oracle {
    fn value(&self, key: KeyName, draw: &Draw, row: u64) -> u64 {
        let Drawn { variables, index } = &mut *self.drawn.lock().unwrap();
        let index = index.entry((key, *draw)).or_insert_with(|| {
            let draw = (self.mutant)(key, *draw)?;
            let found = variables.iter().position(|variable| variable.draw == draw);
            let index = found.unwrap_or_else(|| {
                variables.push(Variable { draw, keys: BTreeSet::new() });
                variables.len() - 1
            });
            variables[index].keys.insert(key);
            Some(index)
        });
        index.map_or(0, |index| (self.value)(index, row))
    }
}

/// A protocol among workers, to be looked into.
struct Experiment<F> {
    scheme: Scheme,
    workers: Vec<HelperNumber>,
    protocol: Protocol<F>,
    layout: Layout,
    mutant: Mutant,
}

/// What a run showed: the elements that each worker received, `[place][row]`, and the variables.
struct Views<F> {
    received: Vec<Vec<Vec<F>>>,
    variables: Vec<Variable>,
}

impl Layout {
    /// The row of element `index` of what `member` received in a round.
    fn row(self, member: &Member, round: usize, from: HelperNumber, rows: usize, index: usize) -> usize {
        match (self, round) {
            (Layout::InOrder, _) => index,
            (Layout::ByKings, 0) => rows_of(member, member.me(), rows).start + index,
            (Layout::ByKings, _) => rows_of(member, from, rows).start + index,
        }
    }

    /// How often all rows must be tried: each worker is king of one block.
    fn blocks(self, workers: usize) -> usize {
        if self == Layout::ByKings { workers } else { 1 }
    }
}

impl<F: Field> Experiment<F> {
    fn run(&self, inputs: &[Vec<F>], value: impl Fn(usize, u64) -> u64 + Send + Sync + 'static) -> Views<F> {
        let oracle =
            Arc::new(Oracle { mutant: self.mutant, drawn: Mutex::default(), value: Box::new(value) });
        let script: Arc<dyn Script> = oracle.clone();
        let mut network = Network::scripted(self.scheme, &self.workers, &script);
        (self.protocol)(&mut network, inputs);
        let rows = inputs[0].len();
        let received = network.members().iter().map(|member| {
            let mut received = vec![Vec::new(); rows];
            for (round, messages) in network.view(member.me()).iter().enumerate() {
                for (from, blob) in messages {
                    for (index, bytes) in blob.chunks_exact(F::BYTES).enumerate() {
                        let row = self.layout.row(member, round, *from, rows, index);
                        received[row].push(F::read(bytes).unwrap());
                    }
                }
            }
            received
        });
        let received = received.collect();
        let variables = std::mem::take(&mut oracle.drawn.lock().unwrap().variables);
        Views { received, variables }
    }

    /// All coalitions of `t` workers, as places.
    fn coalitions(&self) -> Vec<Vec<usize>> {
        let places = 0..self.workers.len();
        let masks =
            (0_u32..1 << places.len()).filter(|mask| mask.count_ones() == u32::from(self.scheme.threshold()));
        masks.map(|mask| places.clone().filter(|place| mask >> place & 1 == 1).collect()).collect()
    }

    /// Whether a coalition holds a key that gives the variable.
    fn knows(&self, coalition: &[usize], variable: &Variable) -> bool {
        let holds = |key: &KeyName, helper: HelperNumber| match key {
            KeyName::Set(set) => !set.contains(helper),
            KeyName::Pair(low, high) => *low == helper || *high == helper,
        };
        coalition.iter().any(|place| variable.keys.iter().any(|key| holds(key, self.workers[*place])))
    }

    /// Whether no coalition's view depends on the inputs in the directions `(coalition) -> [direction][place]`.
    fn hides(&self, directions: impl Fn(&Self, &[usize]) -> Vec<Vec<F>>) -> bool {
        let (workers, blocks) = (self.workers.len(), self.layout.blocks(self.workers.len()));
        let variables = self.run(&vec![vec![F::ZERO; workers]; workers], |_, _| 0).variables.len();
        self.coalitions().iter().all(|coalition| {
            let directions = directions(self, coalition);
            let block = variables + directions.len();
            let input = |place: usize| {
                let direction =
                    |row: usize| (row % block).checked_sub(variables).map(|i| directions[i][place]);
                (0..blocks * block).map(|row| direction(row).unwrap_or(F::ZERO)).collect()
            };
            let inputs: Vec<Vec<F>> = (0..workers).map(input).collect();
            let views = self.run(&inputs, move |index, row| u64::from(row as usize % block == index));
            assert_eq!(views.variables.len(), variables);
            (0..blocks).all(|king| {
                let view = |row: usize| {
                    let known = views.variables.iter().enumerate().filter(|(_, v)| self.knows(coalition, v));
                    let known = known.map(|(index, _)| F::from_u64((row == index).into()));
                    let received =
                        coalition.iter().flat_map(|place| views.received[*place][king * block + row].iter());
                    known.chain(received.copied()).collect::<Vec<F>>()
                };
                let columns: Vec<Vec<F>> = (0..block).map(view).collect();
                rank(&columns[..variables]) == rank(&columns)
            })
        })
    }
}

/// The rank of vectors of equal length, by elimination.
fn rank<F: Field>(vectors: &[Vec<F>]) -> usize {
    let mut vectors = vectors.to_vec();
    let mut rank = 0;
    for column in 0..vectors.first().map_or(0, Vec::len) {
        let Some(pivot) = (rank..vectors.len()).find(|i| vectors[*i][column] != F::ZERO) else { continue };
        vectors.swap(rank, pivot);
        let inverse = vectors[rank][column].inverse().unwrap();
        let (done, rest) = vectors.split_at_mut(rank + 1);
        for vector in rest {
            let factor = vector[column] * inverse;
            vector.iter_mut().zip(&done[rank]).for_each(|(x, pivot)| *x -= factor * *pivot);
        }
        rank += 1;
    }
    rank
}

// Protocols.

fn degree_2t<F: Field>(inputs: &[F]) -> Degree2t<F> {
    Degree2t(Shares::from_vec(inputs.to_vec()))
}

fn reshare_round<F: Field>(network: &mut Network, inputs: &[Vec<F>]) {
    network.round(
        |place, member, outbox| {
            let z = degree_2t(&inputs[place]);
            reshare(member, Segment::new(0, 0, z.len()), &z, outbox)
        },
        |member, pending, inbox| pending.finish(member, inbox),
    );
}

/// Who draws are the `t` lowest of the others: some pairs then draw in both directions.
fn reshare_to_the_lowest<F: Field>(network: &mut Network, inputs: &[Vec<F>]) {
    network.round(
        |place, member, outbox| {
            let z = degree_2t(&inputs[place]);
            reshare_as(member, Segment::new(0, 0, z.len()), &z, outbox, |member, dealer| {
                let others = member.workers().iter().copied().filter(|other| *other != dealer);
                others.take(member.threshold()).collect()
            })
        },
        |member, pending, inbox| pending.finish(member, inbox),
    );
}

fn king_rounds<F: Field>(network: &mut Network, inputs: &[Vec<F>]) {
    let pending = network.send(|place, member, outbox| {
        let z = degree_2t(&inputs[place]);
        king(member, Segment::new(0, 0, z.len()), z, outbox)
    });
    let mut second = Vec::new();
    let pending = network.receive(pending, |member, pending, inbox| {
        let mut outbox = Outbox::new();
        let pending = pending.share(member, inbox, &mut outbox)?;
        second.push(outbox);
        Ok(pending)
    });
    let mut second = second.into_iter();
    network.send(|_, _, outbox| *outbox = second.next().unwrap());
    let pending = pending.into_iter().map(Result::unwrap).collect();
    network.receive(pending, |member, pending, inbox| pending.finish(member, inbox));
}

/// What zero sharings by sets are for: everybody shows `z + r + zero` to everybody.
fn show_with_zero_of_sets<F: Field>(network: &mut Network, inputs: &[Vec<F>]) {
    network.round(
        |place, member, outbox| {
            let segment = Segment::new(0, 0, inputs[place].len());
            let keys = member.keys();
            let mut v = keys.random_shares::<F>(&segment.draw(Purpose::KingMask), segment.rows.clone());
            v.add_assign(&keys.zero_shares(0, 0, segment.rows));
            v.add_assign(&Shares::from_vec(inputs[place].clone()));
            member.others().for_each(|other| outbox.append_elements(other, v.as_slice()));
        },
        |member, (), inbox| {
            let take = |other| inbox.take_elements::<F>(other, inputs[0].len(), "values").map(|_| ());
            member.others().try_for_each(take)
        },
    );
}

fn opening_round<F: Field>(network: &mut Network, inputs: &[Vec<F>]) {
    network.round(
        |place, member, outbox| {
            let x = Shares::from_vec(inputs[place].clone());
            let mask = Mask::new(member, &Segment::new(0, 0, x.len()));
            open(member, mask.hide(&x), Points::All, outbox)
        },
        |member, pending, inbox| pending.finish(member, inbox),
    );
}

// Inputs that must not matter.

/// Each honest worker's share alone: the view does not depend on products or inputs at all.
fn every_honest_input<F: Field>(experiment: &Experiment<F>, coalition: &[usize]) -> Vec<Vec<F>> {
    let workers = 0..experiment.workers.len();
    let unit = |i: usize| workers.clone().map(|place| F::from_u64((place == i).into())).collect();
    workers.clone().filter(|place| !coalition.contains(place)).map(unit).collect()
}

/// The shared value, where the coalition's own shares stay as they are: shares change by the polynomial of degree `t`
/// that is 1 at 0 and 0 at the coalition.
fn the_shared_value<F: Field>(experiment: &Experiment<F>, coalition: &[usize]) -> Vec<Vec<F>> {
    let x = |place: usize| F::from_u64(experiment.workers[place].into());
    let at = |place: usize| {
        coalition.iter().fold(F::ONE, |f, c| f * (x(*c) - x(place)) * x(*c).inverse().unwrap())
    };
    vec![(0..experiment.workers.len()).map(at).collect()]
}

fn federations() -> Vec<(Scheme, Vec<HelperNumber>)> {
    vec![
        (scheme(3, 1), vec![1, 2, 3]),
        (scheme(4, 1), vec![1, 3, 4]),
        (scheme(5, 2), vec![1, 2, 3, 4, 5]),
        (scheme(6, 2), vec![1, 2, 4, 5, 6]),
        (scheme(7, 3), vec![1, 2, 3, 4, 5, 6, 7]),
    ]
}

/// The experiment in every federation: in how many of them it hides.
fn hides_in<F: Field>(
    protocol: Protocol<F>,
    layout: Layout,
    mutant: Mutant,
    directions: fn(&Experiment<F>, &[usize]) -> Vec<Vec<F>>,
) -> Vec<bool> {
    let hides =
        |(scheme, workers)| Experiment { scheme, workers, protocol, layout, mutant }.hides(directions);
    federations().into_iter().map(hides).collect()
}

const EVERYWHERE: [bool; 5] = [true; 5];
const NOWHERE: [bool; 5] = [false; 5];

#[test]
fn reshare_hides_every_honest_input() {
    let hides = |protocol, mutant| hides_in::<M127>(protocol, Layout::InOrder, mutant, every_honest_input);
    assert_eq!(hides(reshare_round, honest), EVERYWHERE);
    assert_eq!(hides(reshare_round, without_dealer), NOWHERE);
    // With the cyclic assignment no pair draws in both directions; with another, only the direction saves it.
    assert_eq!(hides(reshare_round, without_direction), EVERYWHERE);
    assert_eq!(hides(reshare_to_the_lowest, honest), EVERYWHERE);
    assert_eq!(hides(reshare_to_the_lowest, without_direction), NOWHERE);
}

#[test]
fn king_hides_every_honest_input() {
    let hides = |mutant| hides_in::<M127>(king_rounds, Layout::ByKings, mutant, every_honest_input);
    assert_eq!(hides(honest), EVERYWHERE);
    assert_eq!(hides(without_zero), NOWHERE);
    assert_eq!(hides(without_mask), NOWHERE);
}

#[test]
fn zero_sharings_of_sets_hide_every_honest_input() {
    let hides =
        |mutant| hides_in::<M127>(show_with_zero_of_sets, Layout::InOrder, mutant, every_honest_input);
    assert_eq!(hides(honest), EVERYWHERE);
    assert_eq!(hides(without_zero), NOWHERE);
    assert_eq!(hides(without_mask), NOWHERE);
    assert_eq!(hides(with_one_power), [true, true, false, false, false], "for t = 1 there is one power");
}

#[test]
fn opening_hides_the_value() {
    let hides = |mutant| hides_in::<M127>(opening_round, Layout::InOrder, mutant, the_shared_value);
    assert_eq!(hides(honest), EVERYWHERE);
    assert_eq!(hides(without_mask), NOWHERE);
}

#[test]
fn zero_sharings_have_degree_2t_and_are_of_zero() {
    for (scheme, workers) in federations() {
        let network = Network::of(scheme, &workers, 1);
        let zeros = network.members().iter().map(|m| m.keys().zero_shares::<F31>(3, 0, 5..25));
        let zeros: Vec<_> = zeros.collect();
        let rows: Vec<&[F31]> = zeros.iter().map(Shares::as_slice).collect();
        let mut values = vec![F31::ZERO; 20];
        F31::weighted_sum(&mut values, &lagrange_at_zero(&workers), &rows);
        assert_eq!(values, vec![F31::ZERO; 20]);
        let points: Vec<(u8, &[F31])> = workers.iter().copied().zip(rows).collect();
        assert!(!quorate_sharing::is_degree_at_most(workers.len() - 2, &points), "degree 2t, not less");
    }
}

// Exhaustively, at (3,1).

/// Digit `index` of `code` to the base `p`.
fn digit<const B: u32>(code: u64, index: usize) -> u64 {
    let p = (1_u64 << B) - 1;
    code / p.pow(index as u32) % p
}

/// How often each coalition has each view, over all values of the variables and of `coins` digits of the inputs.
/// `input(place, coins)` gives a worker's input, and `holds(place, coins)` what it holds besides.
fn counts<const B: u32>(
    experiment: &Experiment<Tiny<B>>,
    coins: usize,
    input: impl Fn(usize, &[Tiny<B>]) -> Tiny<B>,
    holds: impl Fn(usize, &[Tiny<B>]) -> Vec<Tiny<B>>,
) -> Vec<HashMap<Vec<u8>, u32>> {
    let workers = experiment.workers.len();
    let zeros = vec![vec![Tiny::ZERO; workers]; workers];
    let variables = experiment.run(&zeros, |_, _| 0).variables.len();
    let block = ((1_usize << B) - 1).pow((variables + coins) as u32);
    let blocks = experiment.layout.blocks(workers);
    let coin = move |row: usize| -> Vec<Tiny<B>> {
        (0..coins).map(|i| Tiny::from_u64(digit::<B>((row % block) as u64, variables + i))).collect()
    };
    let inputs = |place| (0..blocks * block).map(|row| input(place, &coin(row))).collect();
    let inputs: Vec<Vec<Tiny<B>>> = (0..workers).map(inputs).collect();
    let views = experiment.run(&inputs, move |index, row| digit::<B>(row % block as u64, index));
    let count = |coalition: &Vec<usize>| {
        let known: Vec<usize> =
            (0..variables).filter(|index| experiment.knows(coalition, &views.variables[*index])).collect();
        let mut counts = HashMap::new();
        for row in 0..blocks * block {
            let mut view = vec![(row / block) as u8];
            view.extend(known.iter().map(|index| digit::<B>((row % block) as u64, *index) as u8));
            for place in coalition {
                view.extend(holds(*place, &coin(row)).iter().map(|x| x.to_u8()));
                view.extend(views.received[*place][row].iter().map(|x| x.to_u8()));
            }
            *counts.entry(view).or_default() += 1;
        }
        counts
    };
    experiment.coalitions().iter().map(count).collect()
}

/// Products of all pairs of secrets, from fresh sharings of the factors.
fn products_hide(mutant: Mutant) -> bool {
    let experiment = Experiment {
        scheme: scheme(3, 1),
        workers: vec![1, 2, 3],
        protocol: reshare_round::<F7>,
        layout: Layout::InOrder,
        mutant,
    };
    let of = |x: F7, y: F7| {
        let share = move |place: usize, coins: &[F7]| {
            let at = F7::from_u64(place as u64 + 1);
            [x + coins[0] * at, y + coins[1] * at]
        };
        let product = move |place: usize, coins: &[F7]| share(place, coins)[0] * share(place, coins)[1];
        counts(&experiment, 2, product, move |place, coins| share(place, coins).to_vec())
    };
    let expected = of(F7::ZERO, F7::ZERO);
    Tiny::every().step_by(2).all(|x| Tiny::every().all(|y| of(x, y) == expected))
}

#[test]
fn reshared_products_have_one_view_for_all_secrets() {
    assert!(products_hide(honest));
    assert!(!products_hide(without_dealer));
}

/// Whether the view is one for some shares of degree 2 that worker 1's coalition, {1}, cannot tell apart.
fn first_worker_learns_nothing<const B: u32>(
    protocol: Protocol<Tiny<B>>,
    layout: Layout,
    mutant: Mutant,
) -> bool {
    let experiment = Experiment { scheme: scheme(3, 1), workers: vec![1, 2, 3], protocol, layout, mutant };
    let of = |second: u64, third: u64| {
        let inputs = [Tiny::ZERO, Tiny::from_u64(second), Tiny::from_u64(third)];
        counts(&experiment, 0, move |place, _| inputs[place], |_, _| Vec::new()).swap_remove(0)
    };
    let expected = of(0, 0);
    [(1, 0), (0, 1), (2, 5), (6, 6)].iter().all(|(second, third)| of(*second, *third) == expected)
}

#[test]
fn reshare_hides_at_31_and_king_at_7() {
    assert!(first_worker_learns_nothing::<5>(reshare_round, Layout::InOrder, honest));
    assert!(!first_worker_learns_nothing::<5>(reshare_round, Layout::InOrder, without_dealer));
    assert!(first_worker_learns_nothing::<3>(king_rounds, Layout::ByKings, honest));
    assert!(!first_worker_learns_nothing::<3>(king_rounds, Layout::ByKings, without_zero));
}

/// The opened value's view is one for all values, by every value of the mask's three sets.
#[test]
fn openings_have_one_view_for_all_values() {
    let hides = |mutant| {
        let experiment = Experiment {
            scheme: scheme(3, 1),
            workers: vec![1, 2, 3],
            protocol: opening_round::<F7>,
            layout: Layout::InOrder,
            mutant,
        };
        let of = |x: F7| {
            let share = move |place: usize, coins: &[F7]| x + coins[0] * F7::from_u64(place as u64 + 1);
            counts(&experiment, 1, share, move |place, coins| vec![share(place, coins)])
        };
        let expected = of(F7::ZERO);
        Tiny::every().all(|x| of(x) == expected)
    };
    assert!(hides(honest));
    assert!(!hides(without_mask));
}
