//! The binary: everything is in the library.

/// Rows come and go by the million. The allocators of the system do not give back what a cut has freed, or are slow: the
/// figures are in docs/performance.md.
#[cfg(target_os = "linux")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    fleetscope::run()
}
