//! `quorate bench kernel`: the slice kernels beside what this machine can read, measured in the same process.
//!
//! Of every size the plain sum of words ([`roofline`]) and the kernel take turns, and the fastest turn of each counts: what
//! else goes on on the machine slows single turns. A fraction is the kernel's rate over the plain one's, of the same bytes,
//! size and number of threads. Threads have operands of their own and start together.
//!
//! With `--turns` one kernel runs so many times and nothing is timed: under a counter of instructions the difference of two
//! such runs is what a turn takes (`scripts/instructions`).

use std::hint::black_box;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit as _, StreamCipher as _};
use clap::Args;
use quorate_field::{Backend, F61, F127, Field, roofline, write_slice};
use quorate_sharing::{Seed, Stream, expand};
use serde::Serialize;

use crate::failure::Failure;
use crate::output;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  quorate bench kernel\n  QUORATE_BACKEND=portable quorate bench kernel --json\n  valgrind --tool=callgrind quorate bench kernel --only accumulate_f61 --turns 100"
)]
pub(crate) struct Arguments {
    /// Threads that work at the same time [default: 1, and then one for every core]
    #[arg(long, value_name = "COUNT", value_delimiter = ',', value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Vec<u16>,
    /// Bytes of the operands of one thread that do not fit any cache, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 256, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    dram: u32,
    /// Seconds that each measurement takes
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    seconds: f64,
    /// Run this kernel alone, on one thread, as often as `--turns` says, and time nothing
    #[arg(long, value_name = "KERNEL", requires = "turns", value_parser = clap::builder::PossibleValuesParser::new(KERNELS.map(|(name, _)| name)))]
    only: Option<String>,
    /// How often
    #[arg(long, value_name = "COUNT", requires = "only")]
    turns: Option<u32>,
    /// Print as JSON
    #[arg(long, conflicts_with = "only")]
    json: bool,
}

/// The kernels, by the names that they have in the JSON.
const KERNELS: [(&str, Kernel); 8] = [
    ("accumulate_f61", accumulate::<F61>),
    ("accumulate_encoded_f61", accumulate_encoded::<F61>),
    ("sum_encoded_f61", sum_encoded::<F61>),
    ("accumulate_f127", accumulate::<F127>),
    ("accumulate_encoded_f127", accumulate_encoded::<F127>),
    ("sum_encoded_f127", sum_encoded::<F127>),
    ("seed_accumulate", add_stream::<F61>),
    ("seed_accumulate_f127", add_stream::<F127>),
];

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    let range = 0.001..=60.0;
    range.contains(&seconds).then_some(seconds).ok_or_else(|| "take 0.001 to 60 seconds".to_owned())
}

/// Bytes of a thread's operands in the first and in the second level of cache.
const L1_BYTES: usize = 16 << 10;
const L2_BYTES: usize = 256 << 10;
/// Rows that are added into one.
const ROWS: usize = 32;
/// Elements of a seed's stream.
const STREAM_BYTES: usize = 1 << 20;
const GIB: f64 = (1_u64 << 30) as f64;

/// Rates of one kernel in one size, in GiB of its operands a second, all threads together.
#[derive(Clone, Copy, Debug, Serialize)]
struct Rate {
    kernel: f64,
    plain: f64,
    fraction: f64,
}

/// One kernel at one number of threads.
#[derive(Clone, Copy, Debug, Serialize)]
struct Line {
    threads: u16,
    l1_fraction: f64,
    l2_fraction: f64,
    dram_fraction: f64,
    l1: Rate,
    l2: Rate,
    dram: Rate,
}

/// A stream added to sums, at one number of threads.
#[derive(Clone, Copy, Debug, Serialize)]
struct StreamLine {
    threads: u16,
    prg_fraction: f64,
    kernel: f64,
    prg: f64,
}

/// What is measured at one number of threads, the first of them, and at others.
#[derive(Debug, Serialize)]
struct Lines<T> {
    #[serde(flatten)]
    first: T,
    more: Vec<T>,
}

impl<T> Lines<T> {
    fn of(threads: &[u16], measure: impl Fn(u16) -> T) -> Self {
        let (first, more) = threads.split_first().unwrap_or((&1, &[]));
        Lines { first: measure(*first), more: more.iter().map(|threads| measure(*threads)).collect() }
    }

    fn iter(&self) -> impl Iterator<Item = &T> {
        std::iter::once(&self.first).chain(&self.more)
    }
}

/// All that is measured.
#[derive(Debug, Serialize)]
struct Measured {
    backend: &'static str,
    accumulate_f61: Lines<Line>,
    accumulate_encoded_f61: Lines<Line>,
    sum_encoded_f61: Lines<Line>,
    accumulate_f127: Lines<Line>,
    accumulate_encoded_f127: Lines<Line>,
    sum_encoded_f127: Lines<Line>,
    seed_accumulate: Lines<StreamLine>,
    seed_accumulate_f127: Lines<StreamLine>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    if let Some(only) = &arguments.only {
        let kernel = KERNELS.iter().find(|(name, _)| name == only);
        let mut turn = kernel.map(|(_, kernel)| kernel(L2_BYTES));
        (0..arguments.turns.unwrap_or(0)).for_each(|_| turn.iter_mut().for_each(|turn| turn()));
        return Ok(());
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut threads = arguments.threads.clone();
    if threads.is_empty() {
        threads = vec![1, u16::try_from(cores).unwrap_or(u16::MAX)];
        threads.dedup();
    }
    let bench = Bench { threads, dram: arguments.dram as usize * (1 << 20), seconds: arguments.seconds };
    let measured = Measured {
        backend: Backend::active().as_str(),
        accumulate_f61: bench.kernel(accumulate::<F61>),
        accumulate_encoded_f61: bench.kernel(accumulate_encoded::<F61>),
        sum_encoded_f61: bench.kernel(sum_encoded::<F61>),
        accumulate_f127: bench.kernel(accumulate::<F127>),
        accumulate_encoded_f127: bench.kernel(accumulate_encoded::<F127>),
        sum_encoded_f127: bench.kernel(sum_encoded::<F127>),
        seed_accumulate: bench.stream::<F61>(),
        seed_accumulate_f127: bench.stream::<F127>(),
    };
    if arguments.json { output::json(&measured) } else { print(&measured) }
}

/// The operands of one thread, and the kernel on them.
type Turn = Box<dyn FnMut() + Send>;

/// Makes operands of so many bytes.
type Kernel = fn(usize) -> Turn;

/// Elements of so many bytes, uniform.
fn elements<F: Field>(bytes: usize) -> Vec<F> {
    expand::<F>(&Seed::from_bytes([7; 32]), bytes / F::BYTES).as_slice().to_vec()
}

/// Bytes of a row of operands of so many bytes: whole vectors.
fn row_bytes(bytes: usize) -> usize {
    (bytes / ROWS).next_multiple_of(64)
}

fn accumulate<F: Field>(bytes: usize) -> Turn {
    let x = elements::<F>(bytes);
    let mut acc = vec![F::ZERO; row_bytes(bytes) / F::BYTES];
    Box::new(move || {
        let rows: Vec<&[F]> = x.chunks_exact(acc.len()).collect();
        F::accumulate_rows(&mut acc, black_box(&rows));
        black_box(&mut acc);
    })
}

fn accumulate_encoded<F: Field>(bytes: usize) -> Turn {
    let x = write_slice(&elements::<F>(bytes));
    let mut acc = vec![F::ZERO; row_bytes(bytes) / F::BYTES];
    Box::new(move || {
        black_box(F::accumulate_encoded(&mut acc, black_box(&x)).is_ok());
        black_box(&mut acc);
    })
}

fn sum_encoded<F: Field>(bytes: usize) -> Turn {
    let x = write_slice(&elements::<F>(bytes));
    Box::new(move || {
        black_box(F::sum_encoded(black_box(&x)).is_ok());
    })
}

fn plain(bytes: usize) -> Turn {
    let words: Vec<u64> = elements::<F61>(bytes).into_iter().map(F61::to_u64).collect();
    Box::new(move || {
        black_box(roofline::wrapping_sum(black_box(&words)));
    })
}

/// The generator alone, into a buffer that stays in the first level of cache.
fn generator(bytes: usize) -> Turn {
    let mut block = [0; 1024];
    Box::new(move || {
        let mut cipher = ChaCha20::new(&[7; 32].into(), &[0; 12].into());
        (0..bytes / block.len()).for_each(|_| cipher.write_keystream(black_box(&mut block)));
    })
}

fn add_stream<F: Field>(bytes: usize) -> Turn {
    let stream = Stream::new(&Seed::from_bytes([7; 32]));
    let mut sums = vec![F::ZERO; bytes / F::BYTES];
    Box::new(move || stream.add_to(0, black_box(&mut sums)))
}

struct Bench {
    threads: Vec<u16>,
    dram: usize,
    seconds: f64,
}

impl Bench {
    fn kernel(&self, turn: Kernel) -> Lines<Line> {
        Lines::of(&self.threads, |threads| {
            let [l1, l2, dram] = [L1_BYTES, L2_BYTES, self.dram].map(|bytes| {
                let (kernel, plain) = self.rates(threads, bytes, (turn, plain));
                Rate { kernel, plain, fraction: kernel / plain }
            });
            let [l1_fraction, l2_fraction, dram_fraction] = [l1, l2, dram].map(|rate| rate.fraction);
            Line { threads, l1_fraction, l2_fraction, dram_fraction, l1, l2, dram }
        })
    }

    fn stream<F: Field>(&self) -> Lines<StreamLine> {
        Lines::of(&self.threads, |threads| {
            let (kernel, prg) = self.rates(threads, STREAM_BYTES, (add_stream::<F>, generator));
            StreamLine { threads, prg_fraction: kernel / prg, kernel, prg }
        })
    }

    /// GiB a second of two turns on so many bytes a thread.
    fn rates(&self, threads: u16, bytes: usize, turns: (Kernel, Kernel)) -> (f64, f64) {
        let times =
            fastest(threads, Duration::from_secs_f64(self.seconds), || (turns.0(bytes), turns.1(bytes)));
        let rate = |seconds: f64| (bytes * usize::from(threads)) as f64 / seconds / GIB;
        (rate(times.0), rate(times.1))
    }
}

/// Seconds of the fastest of both turns, which alternate for `limit`. All threads start a turn together, and it ends with the
/// last of them.
fn fastest(threads: u16, limit: Duration, turns: impl Fn() -> (Turn, Turn) + Sync) -> (f64, f64) {
    let (start, end) = (Barrier::new(threads.into()), Barrier::new(threads.into()));
    let (started, is_over) = (Instant::now(), std::sync::atomic::AtomicBool::new(false));
    let work = |is_first: bool| {
        let (mut kernel, mut plain) = turns();
        let mut times = (f64::MAX, f64::MAX);
        let time = |turn: &mut Turn| {
            // Many turns of a short one, so that neither the clock nor the barrier counts.
            start.wait();
            let before = Instant::now();
            let mut repeats = 0;
            while repeats == 0 || before.elapsed() < SHORTEST {
                turn();
                repeats += 1;
            }
            let each = before.elapsed().as_secs_f64() / f64::from(repeats);
            end.wait();
            each
        };
        loop {
            times = (time(&mut kernel).min(times.0), time(&mut plain).min(times.1));
            if is_first {
                is_over.store(started.elapsed() > limit, std::sync::atomic::Ordering::Release);
            }
            start.wait();
            if is_over.load(std::sync::atomic::Ordering::Acquire) {
                return times;
            }
        }
    };
    std::thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(|| work(false))).collect();
        let mine = work(true);
        let all = others.into_iter().filter_map(|other| other.join().ok());
        all.fold(mine, |slowest, other| (slowest.0.max(other.0), slowest.1.max(other.1)))
    })
}

/// The least that is timed at once.
const SHORTEST: Duration = Duration::from_millis(1);

fn print(measured: &Measured) -> Result<(), Failure> {
    let heading = ["kernel", "threads", "L1", "of plain", "L2", "of plain", "DRAM", "of plain"];
    let mut table = vec![heading.map(str::to_owned).to_vec()];
    let kernels = [
        ("accumulate F61", &measured.accumulate_f61),
        ("accumulate encoded F61", &measured.accumulate_encoded_f61),
        ("sum encoded F61", &measured.sum_encoded_f61),
        ("accumulate F127", &measured.accumulate_f127),
        ("accumulate encoded F127", &measured.accumulate_encoded_f127),
        ("sum encoded F127", &measured.sum_encoded_f127),
    ];
    for (name, lines) in kernels {
        for line in lines.iter() {
            let mut row = vec![name.to_owned(), line.threads.to_string()];
            for rate in [line.l1, line.l2, line.dram] {
                row.extend([format!("{:.1}", rate.kernel), format!("{:.2}", rate.fraction)]);
            }
            table.push(row);
        }
    }
    output::line(output::aligned(table, true, &[1, 2, 3, 4, 5, 6, 7]))?;
    let mut table = vec![["kernel", "threads", "rate", "of the generator"].map(str::to_owned).to_vec()];
    for (name, lines) in
        [("seed F61", &measured.seed_accumulate), ("seed F127", &measured.seed_accumulate_f127)]
    {
        table.extend(lines.iter().map(|line| {
            let (rate, fraction) = (format!("{:.2}", line.kernel), format!("{:.2}", line.prg_fraction));
            vec![name.to_owned(), line.threads.to_string(), rate, fraction]
        }));
    }
    output::line("")?;
    output::line(output::aligned(table, true, &[1, 2, 3]))?;
    output::line(format!("\nGiB of operands a second, backend {}", measured.backend))
}
