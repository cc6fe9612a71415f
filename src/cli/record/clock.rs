//! When a run began, how long it took, what it ran on: all that differs between two equal runs. Dates are UTC in the
//! proleptic Gregorian calendar, counted from days by the algorithm of H. Hinnant ("chrono-compatible low-level date
//! algorithms", `civil_from_days`).

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value as Json, json};

/// Year, month, day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Seconds since 1970 as `2026-11-25T00:31:05Z`.
pub fn utc(seconds: i64) -> String {
    let (year, month, day) = civil(seconds.div_euclid(86_400));
    let rest = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60)
}

/// Seconds since 1970 by the clock of the system.
pub fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}

/// A moment as the name of a folder: `20261125T003105Z`.
pub fn folder_name(seconds: i64) -> String {
    utc(seconds).chars().filter(|c| *c != '-' && *c != ':').collect()
}

/// Processor seconds of this process so far; wall-clock seconds since `started` where the system does not tell.
pub fn cpu_seconds(started: Instant) -> f64 {
    #[cfg(unix)]
    {
        let _ = started;
        on_processor(rustix::time::ClockId::ProcessCPUTime)
    }
    #[cfg(not(unix))]
    started.elapsed().as_secs_f64()
}

/// Seconds of a clock of the processor.
#[cfg(unix)]
fn on_processor(clock: rustix::time::ClockId) -> f64 {
    let t = rustix::time::clock_gettime(clock);
    t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9
}

/// The processor time of one thread, for others to look at.
#[derive(Clone, Debug)]
pub struct ThreadClock {
    /// Its figures in /proc; `None` where the system has none.
    file: Option<PathBuf>,
    started: Instant,
}

impl ThreadClock {
    /// That of the calling thread, from now on where the system does not tell.
    pub fn here() -> ThreadClock {
        let place = std::fs::read_link("/proc/thread-self").ok();
        let file = place.map(|p| Path::new("/proc").join(p).join("schedstat")).filter(|f| f.is_file());
        ThreadClock { file, started: Instant::now() }
    }

    /// Processor seconds so far, late by a tick of the scheduler; wall-clock seconds where the system does not tell.
    pub fn seconds(&self) -> f64 {
        // Documentation/scheduler/sched-stats: the first field is the time on the processor in nanoseconds.
        let text = self.file.as_ref().and_then(|f| std::fs::read_to_string(f).ok());
        let nanoseconds = text.and_then(|t| t.split_whitespace().next()?.parse::<f64>().ok());
        nanoseconds.map_or_else(|| self.started.elapsed().as_secs_f64(), |n| n * 1e-9)
    }
}

/// Processor seconds of the calling thread; wall-clock seconds since `started` where the system does not tell.
pub fn thread_seconds(started: Instant) -> f64 {
    #[cfg(unix)]
    {
        let _ = started;
        on_processor(rustix::time::ClockId::ThreadCPUTime)
    }
    #[cfg(not(unix))]
    started.elapsed().as_secs_f64()
}

/// What the run is on.
pub fn host(threads: usize) -> Json {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let name = read("/proc/sys/kernel/hostname").map(|n| n.trim().to_string());
    let cpu = read("/proc/cpuinfo").and_then(|text| {
        let line = text.lines().find(|l| l.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_string())
    });
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    json!({
        "name": name,
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cpu": cpu,
        "cores": cores,
        "threads": if threads == 0 { cores } else { threads },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(951_868_800), "2000-03-01T00:00:00Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
        assert_eq!(utc(-1), "1969-12-31T23:59:59Z");
        assert_eq!(folder_name(1_000_000_000), "20010909T014640Z");
    }
}
