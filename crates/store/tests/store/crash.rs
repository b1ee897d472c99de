//! Power cuts and kills: everywhere in a short trace, and at random in many.

use quorate_store::{Fate, Fault, SimDisk, StoreError, Write};

use super::model::{Generator, Model, open, short_trace};

/// Runs a trace until it is done or the disk stops; what was acknowledged, and the batch that was not.
fn run(disk: &SimDisk, trace: &[Vec<Write>]) -> (Model, Vec<Write>) {
    let mut model = Model::default();
    let Ok((mut store, _)) = open(disk) else { return (model, Vec::new()) };
    for batch in trace {
        if store.commit(batch).is_err() {
            assert!(matches!(store.commit(batch), Err(StoreError::Poisoned)));
            return (model, batch.clone());
        }
        model.apply(batch);
        assert_eq!(Model::observe(&store.reader()), model.without_building());
    }
    (model, Vec::new())
}

#[test]
fn every_step_of_a_short_trace_survives_every_fate() {
    let trace = short_trace();
    let whole = SimDisk::new(0);
    let (model, interrupted) = run(&whole, &trace);
    assert!(interrupted.is_empty() && model.contributions.len() > 8 && model.finished.len() == 1);
    let steps = whole.steps();
    assert!(steps > 100, "{steps} steps");

    let mut torn = 0;
    for step in 1..=steps {
        let fates = [Fate::Lose, Fate::Keep, Fate::Tear, Fate::Tear, Fate::Tear, Fate::Tear];
        for (seed, fate) in fates.into_iter().enumerate() {
            let context = (step, seed, fate);
            let disk = SimDisk::new(step * 100 + seed as u64);
            disk.fail(Fault::StopAtStep(step));
            let (mut model, interrupted) = run(&disk, &trace);
            if seed == 0 {
                disk.kill()
            } else {
                disk.crash(fate)
            }

            let (mut store, recovery) =
                open(&disk).unwrap_or_else(|error| panic!("{context:?}: could not reopen: {error}"));
            torn += u32::from(recovery.torn.is_some());
            let seen = Model::observe(&store.reader());
            model.check(&seen, &interrupted, &context);
            model = seen;

            // What recovery showed is durable, and the store goes on.
            disk.crash(Fate::Lose);
            drop(store);
            store = open(&disk).unwrap().0;
            assert_eq!(Model::observe(&store.reader()), model, "{context:?}");
            if !interrupted.is_empty() {
                let again = interrupted.iter().filter(|write| !names_columns(write)).cloned();
                let again: Vec<Write> = again.collect();
                store.commit(&again).unwrap();
                model.apply(&again);
                assert_eq!(Model::observe(&store.reader()), model, "{context:?}");
            }
        }
    }
    assert!(torn > 10, "only {torn} crashes tore the log: the test has lost its teeth");
}

fn names_columns(write: &Write) -> bool {
    !matches!(write, Write::Contribution { .. } | Write::Control { .. } | Write::ControlRemove { .. })
}

#[test]
fn random_traces_survive_loops_of_crashes() {
    let traces: u64 = std::env::var("QUORATE_STORE_TRACES").map_or(1000, |count| count.parse().unwrap());
    let mut acknowledged = 0;
    for seed in 0..traces {
        acknowledged += random_trace(seed);
    }
    assert!(acknowledged > traces * 5, "{acknowledged} batches acknowledged");
}

fn random_trace(seed: u64) -> u64 {
    let disk = SimDisk::new(seed);
    let mut generator = Generator::new(seed);
    let mut model = Model::default();
    let mut interrupted = Vec::new();
    let mut acknowledged = 0;
    for life in 0..3 {
        if generator.below(3) > 0 {
            disk.fail(Fault::StopAtStep(1 + generator.below(200)));
        }
        if let Ok((mut store, _)) = open(&disk) {
            let seen = Model::observe(&store.reader());
            model.check(&seen, &interrupted, &(seed, life));
            (model, interrupted) = (seen, Vec::new());
            for _ in 0..1 + generator.below(12) {
                let batch = generator.batch(&model);
                if store.commit(&batch).is_err() {
                    interrupted = batch;
                    break;
                }
                model.apply(&batch);
                acknowledged += 1;
            }
            if generator.below(4) == 0 && interrupted.is_empty() {
                // A failed close may leave nothing undone but the vouching.
                let _ = store.close();
            } else if generator.below(2) == 0 {
                drop(store);
            } else {
                disk.kill(); // the handle is dropped dead
            }
        }
        match generator.below(4) {
            0 => disk.kill(),
            1 => disk.crash(Fate::Lose),
            _ => disk.crash(Fate::Tear),
        }
    }
    let (store, _) = open(&disk).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    model.check(&Model::observe(&store.reader()), &interrupted, &seed);
    acknowledged
}
