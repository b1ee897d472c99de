//! Circuits in one process, from their text: the processor time of all workers together, without a network.
//!
//! Throughput is in rows of the whole federation, one thread, on a column of 100,000 rows, in the morsels of the plan. Messages are moved, not copied and not encrypted. `count` compares 32 bits from the seal, `count with conversion` makes
//! them, `job` is "sum, mean, variance, count(x > c)", and `job and seal` checks the column and makes its bits first.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_circuit::{
    Bits, Circuit, Disclosure, Plan, Program, Proportion, Sharing, SharingKind, Study, StudyDraft,
};
use quorate_engine::boolean::lanes;
use quorate_engine::boolean::sum::Shape;
use quorate_engine::interpret::{ColumnBits, Morsel, RowPlan, ScalarPlan, SealPlan, Session, Sums};
use quorate_engine::noise::NoiseShares;
use quorate_engine::testing::{Network, keys, scheme};
use quorate_field::{F61, Field};
use quorate_hash::Digest;
use quorate_sharing::Shares;
use zeroize::Zeroizing;

const ROWS: usize = 100_000;
const FEDERATIONS: [(u8, u8); 2] = [(3, 1), (5, 2)];
const COUNT: &str = "input x : 0 .. 4_294_967_295\nreveal high = count(x < 1_500_000_001)\n";
const JOB: &str = "input x : 0 .. 1_000_000\nreveal total = sum(x)\nreveal average = mean(x)\nreveal spread = variance(x)\n\
                   reveal high = count(x > 500_000)\n";

/// A circuit, ready to run by all workers of a federation.
struct Bench {
    network: Network,
    study: Study,
    program: Arc<Program>,
    column: ColumnBits,
    sessions: Vec<Session>,
}

impl Bench {
    fn new((n, t): (u8, u8), bits: Bits, body: &str) -> Option<Bench> {
        let text = format!("circuit bench\n{body}");
        let draft = StudyDraft {
            name: "bench".into(),
            federation: Digest([1; 32]),
            sharing: Sharing { kind: SharingKind::Shamir, helpers: n, threshold: t },
            columns: Circuit::parse(&text).ok()?.inputs(),
            rows_max: 1,
            capacity: ROWS as u64,
            bits: Some(bits),
            field: None,
            owner: [1; 32],
            min_cohort: 2,
            excluded_max: Proportion::parse("0")?,
            analysts: vec![[2; 32]],
            disclosure: Disclosure::default(),
            privacy: None,
        };
        let (_, study) = draft.document().ok()?;
        let program = Arc::new(quorate_circuit::compile(&text, &study).ok()?);
        let (scheme, numbers) = (scheme(n, t), (1..=2 * t + 1).collect::<Vec<u8>>());
        let session = |me: &u8| Session::new(scheme, *me, &numbers, keys(&scheme, *me, &Digest([0; 32])));
        let sessions = numbers.iter().filter_map(session).collect();
        let range = study.columns[0].domain.interval();
        let column =
            ColumnBits { min: range.min, max: range.max, are_sealed: bits == Bits::Sealed, presence: None };
        Some(Bench { network: Network::new(n, t), study, program, column, sessions })
    }

    /// One run by all workers.
    fn run(&mut self) {
        let plan = Plan::of(&self.program, &self.study, ROWS as u64);
        let mut sessions = self.sessions.clone();
        let plans: Vec<_> = sessions
            .iter_mut()
            .map(|session| {
                let rows =
                    Arc::new(RowPlan::<F61>::new(&self.program, &[self.column], Shape::Serial, session));
                (rows, Arc::new(ScalarPlan::<F61>::new(&self.program, ROWS as u64, session)))
            })
            .collect();
        let mut sums: Vec<Sums<F61>> = sessions.iter().map(|_| Sums::zero(&self.program)).collect();
        let step = plan.morsel_rows as usize;
        for first in (0..ROWS).step_by(step) {
            let rows = step.min(ROWS - first);
            let start = |(session, (plan, _)): (&Session, &(Arc<RowPlan<F61>>, _))| {
                plan.start(session, self.morsel(session, first, rows))
            };
            let mut tasks: Vec<_> = sessions.iter().zip(&plans).map(start).collect();
            self.network.drive(&mut tasks);
            self.network.forget();
            sums.iter_mut().zip(tasks).for_each(|(sums, task)| sums.add(task.finish().0));
        }
        let mut tasks = Vec::new();
        for ((session, sums), (_, plan)) in sessions.iter().zip(sums).zip(&plans) {
            tasks.push(plan.start(session, sums, NoiseShares::none().into()));
        }
        self.network.drive(&mut tasks);
        self.network.forget();
        black_box(tasks.into_iter().map(|task| task.finish()).collect::<Vec<_>>());
    }

    /// Everybody's shares of the value 0: the work is the same for every other one.
    fn morsel(&self, session: &Session, first: usize, rows: usize) -> Morsel<F61> {
        let width = session.workers().layout().width();
        let bits = vec![0; self.column.width() as usize * width * lanes::words(rows)];
        Morsel {
            first_row: first as u64,
            rows,
            columns: BTreeMap::from([(0, Shares::zeros(rows))]),
            bits: BTreeMap::from([(0, Zeroizing::new(bits))]),
        }
    }

    /// The check of the column and the making of its bits, among the workers.
    fn seal(&mut self) {
        let mut sessions = self.sessions.clone();
        let plan = |session: &mut Session| SealPlan::<F61>::new(&[self.column], Shape::Serial, session);
        let plans: Vec<_> = sessions.iter_mut().map(plan).collect();
        const STEP: usize = 24_576;
        for first in (0..ROWS).step_by(STEP) {
            let rows = STEP.min(ROWS - first);
            let first_word = (first / lanes::LANES) as u64;
            let start = |(session, plan): (&Session, &SealPlan<F61>)| {
                plan.start(session, vec![Shares::from_vec(vec![F61::ZERO; rows])], first_word)
            };
            let mut tasks: Vec<_> = sessions.iter().zip(&plans).map(start).collect();
            self.network.drive(&mut tasks);
            self.network.forget();
            black_box(tasks.into_iter().map(|task| task.finish()).collect::<Vec<_>>());
        }
    }
}

fn circuits(criterion: &mut Criterion) {
    let cases = [
        ("count", Bits::Sealed, COUNT, false),
        ("count with conversion", Bits::OnDemand, COUNT, false),
        ("job", Bits::Sealed, JOB, false),
        ("job and seal", Bits::Sealed, JOB, true),
    ];
    for (name, bits, body, with_seal) in cases {
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(ROWS as u64)).sample_size(20);
        for federation in FEDERATIONS {
            let Some(mut bench) = Bench::new(federation, bits, body) else { panic!("{name} compiles") };
            let id = BenchmarkId::from_parameter(format!("{},{}", federation.0, federation.1));
            group.bench_function(id, |bencher| {
                bencher.iter(|| {
                    if with_seal {
                        bench.seal();
                    }
                    bench.run();
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, circuits);
criterion_main!(benches);
