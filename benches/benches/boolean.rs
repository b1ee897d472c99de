//! Comparisons and conversions in one process: the processor time of all workers together, without a network.
//!
//! Throughput is in rows of the whole federation, one thread, on morsels of 8,192 rows of 32 bits: a row at (3,1) is the
//! work of three helpers. Messages are moved, not copied and not encrypted.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_engine::boolean::sum::Shape;
use quorate_engine::boolean::{CnfOneRound, Draft, Execution, OneRoundStreams, Program, Workers, compare};
use quorate_engine::interpret::{ColumnBits, SealPlan, Session};
use quorate_engine::testing::{Network, keys, scheme};
use quorate_field::{F61, Field, Integer};
use quorate_hash::Digest;
use quorate_sharing::Shares;

/// Rows of a morsel.
const ROWS: usize = 8192;

const FEDERATIONS: [(u8, u8); 3] = [(3, 1), (5, 2), (7, 3)];

/// One worker's comparison of 32-bit numbers with a constant.
type Comparison = Execution<Arc<Program>, CnfOneRound<Arc<OneRoundStreams>>>;

fn comparisons(criterion: &mut Criterion) {
    for shape in [Shape::Serial, Shape::Prefix] {
        let mut group = criterion.benchmark_group(format!("compare/{shape:?}").to_lowercase());
        group.throughput(Throughput::Elements(ROWS as u64));
        for (n, t) in FEDERATIONS {
            let mut network = Network::new(n, t);
            let workers: Vec<Workers> = network.members().iter().filter_map(Workers::new).collect();
            let streams: Vec<Arc<OneRoundStreams>> =
                workers.iter().map(|worker| Arc::new(worker.one_round(1))).collect();
            let mut draft = Draft::new();
            let x = draft.secret_number(32);
            let is_less = compare::less_than_constant(&mut draft, &x, 0x5555_5555, shape);
            let program = Arc::new(draft.finish(&[is_less]));
            group.bench_function(BenchmarkId::from_parameter(format!("{n},{t}")), |bencher| {
                bencher.iter(|| {
                    let execution = |streams: &Arc<OneRoundStreams>| {
                        let domain = CnfOneRound::new(streams.clone(), &program, 0);
                        Comparison::new(program.clone(), domain, ROWS)
                    };
                    let mut executions: Vec<Comparison> = streams.iter().map(execution).collect();
                    network.drive(&mut executions);
                    network.forget();
                    black_box(executions.into_iter().map(Comparison::finish).collect::<Vec<_>>())
                });
            });
        }
        group.finish();
    }
}

fn seals(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Elements(ROWS as u64));
    let column = ColumnBits {
        min: Integer::ZERO,
        max: Integer::from(u64::from(u32::MAX)),
        are_sealed: true,
        presence: None,
    };
    for (n, t) in FEDERATIONS {
        let mut network = Network::new(n, t);
        let (scheme, numbers) = (scheme(n, t), (1..=2 * t + 1).collect::<Vec<u8>>());
        let sessions = numbers
            .iter()
            .filter_map(|me| Session::new(scheme, *me, &numbers, keys(&scheme, *me, &Digest([0; 32]))));
        let workers: Vec<(Session, SealPlan<F61>)> = sessions
            .map(|mut session| {
                let plan = SealPlan::new(&[column], Shape::Serial, &mut session);
                (session, plan)
            })
            .collect();
        group.bench_function(BenchmarkId::from_parameter(format!("{n},{t}")), |bencher| {
            bencher.iter(|| {
                // All workers hold the value itself: a polynomial of degree 0.
                let values = || Shares::from_vec(vec![F61::from_u64(123_456_789); ROWS]);
                let mut tasks: Vec<_> =
                    workers.iter().map(|(session, plan)| plan.start(session, vec![values()], 0)).collect();
                network.drive(&mut tasks);
                network.forget();
                black_box(tasks.into_iter().map(|task| task.finish()).collect::<Vec<_>>())
            });
        });
    }
    group.finish();
}

criterion_group!(benches, comparisons, seals);
criterion_main!(benches);
