//! How fast it is, with all workers on one thread: `cargo test --release -p quorate-engine speed -- --ignored --nocapture`.

use std::time::Instant;

use quorate_field::{F61, Field};

use super::super::convert::{Conversion, conversion_program};
use super::super::sum::Shape;
use super::super::{CnfKing, CnfOneRound, Domain, Draft, Execution, Program, compare};
use super::shared::{drive, network};

/// A morsel of 8,192 rows.
const ROWS: usize = 8_192;
const MORSELS: u64 = 40;

fn wide(gates: u32) -> Program {
    let mut draft = Draft::new();
    let (x, y) = (draft.secret_number(gates), draft.secret_number(gates));
    let products: Vec<_> = x.iter().zip(&y).map(|(x, y)| draft.and(*x, *y)).collect();
    draft.finish(&products)
}

fn less_than(width: u32, shape: Shape) -> Program {
    let mut draft = Draft::new();
    let x = draft.secret_number(width);
    let less = compare::less_than_constant(&mut draft, &x, 0x5a5a_1234, shape);
    draft.finish(&[less])
}

fn measure(name: &str, program: &Program, mut morsel: impl FnMut(u64)) {
    morsel(0);
    let start = Instant::now();
    (1..=MORSELS).for_each(&mut morsel);
    let seconds = start.elapsed().as_secs_f64();
    let rows = (MORSELS as usize * ROWS) as f64;
    let ands = rows * program.ands() as f64;
    println!(
        "{name:32} {:8.2} M rows/s  {:8.1} M ANDs/s of one thread for all workers  ({} ANDs, {} layers, {} registers)",
        rows / seconds / 1e6,
        ands / seconds / 1e6,
        program.ands(),
        program.depth(),
        program.registers()
    );
}

fn run(n: u8, t: u8, name: &str, program: &Program, king: bool) {
    let members: Vec<u8> = (1..=2 * t + 1).collect();
    let (mut network, workers) = network(n, t, &members);
    if king {
        let streams: Vec<_> = workers.iter().map(|worker| worker.king(0)).collect();
        measure(name, program, |morsel| {
            let domains = workers.iter().zip(&streams);
            let domains = domains.map(|(w, s)| CnfKing::new(w.layout(), s, program, morsel * 128));
            execute(&mut network, program, domains);
        });
    } else {
        let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
        measure(name, program, |morsel| {
            let domains = workers.iter().zip(&streams);
            let domains = domains.map(|(w, s)| CnfOneRound::new(w.layout(), s, program, morsel * 128));
            execute(&mut network, program, domains);
        });
    }
}

fn execute<D: Domain>(
    network: &mut crate::testing::Network,
    program: &Program,
    domains: impl Iterator<Item = D>,
) {
    let mut executions: Vec<_> = domains.map(|domain| Execution::new(program, domain, ROWS)).collect();
    drive(network, &mut executions);
    network.forget();
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    for (n, t) in [(3, 1), (5, 2), (7, 3)] {
        for king in [false, true] {
            println!("({n},{t}) {}", if king { "king" } else { "one round" });
            run(n, t, "64 ANDs wide", &wide(64), king);
            run(n, t, "x < c, 32 bits, tree", &less_than(32, Shape::Prefix), king);
            run(n, t, "x < c, 32 bits, serial", &less_than(32, Shape::Serial), king);
        }
        conversion(n, t, Shape::Serial);
        conversion(n, t, Shape::Prefix);
    }
}

/// A 32-bit column: its bits and the verdict of its range.
fn conversion(n: u8, t: u8, shape: Shape) {
    let members: Vec<u8> = (1..=2 * t + 1).collect();
    let (mut network, workers) = network(n, t, &members);
    let program = conversion_program::<F61>(t.into(), shape, |draft, x| {
        let above = compare::above(draft, x, u32::MAX.into(), Shape::Serial);
        x[..32].iter().copied().chain([above]).collect()
    });
    let conversions: Vec<Conversion<'_, F61>> =
        workers.iter().map(|worker| Conversion::new(worker, 0)).collect();
    let streams: Vec<_> = workers.iter().map(|worker| worker.one_round(0)).collect();
    let shares = vec![F61::from_u64(77); ROWS];
    measure(&format!("A2B and range check, {shape:?}"), &program, |morsel| {
        let pending = network.send(|place, _, outbox| {
            (place, conversions[place].start(&shares, F61::ZERO, morsel * 128, outbox))
        });
        let numbers =
            network.receive(pending, |_, (place, pending), inbox| pending.finish(&conversions[place], inbox));
        let mut executions = Vec::new();
        for ((worker, streams), numbers) in workers.iter().zip(&streams).zip(numbers) {
            let domain = CnfOneRound::new(worker.layout(), streams, &program, morsel * 128);
            let mut execution = Execution::new(&program, domain, ROWS);
            numbers.unwrap().load(&mut execution);
            executions.push(execution);
        }
        drive(&mut network, &mut executions);
        network.forget();
    });
}
