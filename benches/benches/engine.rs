//! Products in one process: the processor time of all workers together, without a network.
//!
//! Throughput is in products (or terms of a sum of products) of the whole federation, one thread: a product at (3,1) is
//! the work of three helpers. Messages are moved, not copied and not encrypted.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use quorate_engine::product::{Degree2t, king, reshare, sums_of_products};
use quorate_engine::round::{Member, Outbox};
use quorate_engine::testing::Network;
use quorate_engine::verified::Segment;
use quorate_field::{F61, F127, Field};
use quorate_sharing::Shares;

/// Rows of a morsel.
const ROWS: usize = 8192;

const FEDERATIONS: [(u8, u8); 4] = [(3, 1), (4, 1), (5, 2), (7, 3)];

/// Some shares, different and not small: what they are shares of does not matter here.
fn shares<F: Field>(seed: u64) -> Shares<F> {
    let step = F::from_u64(seed).inverse().unwrap_or(F::ONE);
    Shares::from_vec(std::iter::successors(Some(step), |x| Some(*x * step + F::ONE)).take(ROWS).collect())
}

fn reshare_morsel<F: Field>(network: &mut Network, x: &Shares<F>, y: &Shares<F>) {
    let segment = Segment::new(0, 0, x.len());
    let products = network.round(
        |_, member, outbox| reshare(member, segment.clone(), &Degree2t::product(x, y), outbox),
        |member, pending, inbox| pending.finish(member, inbox),
    );
    network.forget();
    black_box(products);
}

fn king_morsel<F: Field>(network: &mut Network, x: &Shares<F>, y: &Shares<F>) {
    let segment = Segment::new(0, 0, x.len());
    let pending = network
        .send(|_, member: &Member, outbox| king(member, segment.clone(), Degree2t::product(x, y), outbox));
    let mut answers = Vec::new();
    let pending = network.receive(pending, |member, pending, inbox| {
        let mut outbox = Outbox::new();
        let pending = pending.share(member, inbox, &mut outbox)?;
        answers.push(outbox);
        Ok(pending)
    });
    let mut answers = answers.into_iter();
    network.send(|_, _, outbox| *outbox = answers.next().unwrap_or_default());
    let pending = pending.into_iter().filter_map(Result::ok).collect();
    let products = network.receive(pending, |member, pending, inbox| pending.finish(member, inbox));
    network.forget();
    black_box(products);
}

fn dot_morsel<F: Field>(network: &mut Network, x: &Shares<F>, y: &Shares<F>) {
    let sums = network.round(
        |_, member, outbox| reshare(member, Segment::new(0, 0, 1), &sums_of_products(&[(x, y)]), outbox),
        |member, pending, inbox| pending.finish(member, inbox),
    );
    network.forget();
    black_box(sums);
}

type Morsel<F> = fn(&mut Network, &Shares<F>, &Shares<F>);

fn products<F: Field>(criterion: &mut Criterion) {
    let (x, y) = (shares::<F>(3), shares::<F>(5));
    let protocols: [(&str, Morsel<F>); 3] =
        [("reshare", reshare_morsel), ("king", king_morsel), ("dot", dot_morsel)];
    for (name, morsel) in protocols {
        let mut group = criterion.benchmark_group(format!("{}/{name}", F::NAME.to_lowercase()));
        group.throughput(Throughput::Elements(ROWS as u64));
        for (helpers, threshold) in FEDERATIONS {
            let mut network = Network::new(helpers, threshold);
            let id = BenchmarkId::from_parameter(format!("({helpers},{threshold})"));
            group.bench_function(id, |bencher| bencher.iter(|| morsel(&mut network, &x, &y)));
        }
        group.finish();
    }
}

fn every_product(criterion: &mut Criterion) {
    products::<F61>(criterion);
    products::<F127>(criterion);
}

criterion_group!(benches, every_product);
criterion_main!(benches);
