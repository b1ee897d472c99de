//! What a process used, as Linux counts it.

use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Processor time and memory of one process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, user and system together.
    pub cpu: Duration,
    /// The most memory it had resident at any time, in bytes.
    pub memory_peak_bytes: u64,
}

impl Usage {
    /// The usage of a running process; `None` if there is none, or no `/proc`. Processor time is exact as long as none of its
    /// threads has ended; then it may be two of the system's ticks too short, usually 20 ms.
    pub fn of(process: u32) -> Option<Usage> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        // Neither counts too much: the larger is closer.
        let cpu = cpu(&stat)?.max(cpu_of_threads(process).unwrap_or_default());
        Some(Usage { cpu, memory_peak_bytes: memory_peak(&status)? })
    }
}

/// The first field of `/proc/PID/task/TID/schedstat`, in nanoseconds, of all threads that there are.
fn cpu_of_threads(process: u32) -> Option<Duration> {
    let of_thread = |thread: fs::DirEntry| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_ascii_whitespace().next()?.parse::<u64>().ok()
    };
    let threads = fs::read_dir(format!("/proc/{process}/task")).ok()?;
    Some(Duration::from_nanos(threads.flatten().filter_map(of_thread).sum()))
}

/// Processor time of the thread that asks, in nanoseconds' steps.
pub fn cpu_of_thread() -> Duration {
    cpu_by(ClockId::ThreadCPUTime)
}

/// Processor time of this process, all threads together, in nanoseconds' steps.
pub fn cpu_of_process() -> Duration {
    cpu_by(ClockId::ProcessCPUTime)
}

fn cpu_by(clock: ClockId) -> Duration {
    // Processor time is never negative.
    clock_gettime(clock).try_into().unwrap_or_default()
}

/// Fields 14 and 15 of `/proc/PID/stat` (proc(5)), in clock ticks. The second field is the program's name in
/// parentheses, which may hold anything.
fn cpu(stat: &str) -> Option<Duration> {
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 1_000 / rustix::param::clock_ticks_per_second().max(1)))
}

/// `VmHWM` of `/proc/PID/status`, in kibibytes.
fn memory_peak(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let fields: Vec<String> = (3..=52).map(|field| format!("{}", field * 100)).collect();
        let stat = format!("17 (a) b) {}", fields.join(" "));
        let ticks = 1_400 + 1_500;
        let expected = ticks * 1_000 / rustix::param::clock_ticks_per_second();
        assert_eq!(cpu(&stat), Some(Duration::from_millis(expected)));
        assert_eq!(cpu("17 (a) S 1"), None);
    }

    #[test]
    fn work_takes_processor_time() {
        let (thread, process) = (cpu_of_thread(), cpu_of_process());
        let sum = (0..1_000_000_u64).fold(0, |sum, i| std::hint::black_box(sum ^ i));
        assert_ne!(sum, 1);
        assert!(cpu_of_thread() > thread && cpu_of_process() > process);
    }

    #[test]
    fn this_process_uses_memory_and_an_absent_one_nothing() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.memory_peak_bytes > 1 << 20 && usage.cpu > Duration::ZERO, "{usage:?}");
        assert_eq!(Usage::of(u32::MAX), None);
    }
}
