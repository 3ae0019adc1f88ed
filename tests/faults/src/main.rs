//! The server on a file layer that fails, or kills the process, at chosen calls.
//!
//! Owns: reading the rules, counting the calls they match, doing what they say, the log of calls.
//! Does not own: anything of the server, which is the product's own; the product has no such switch.
//!
//! The rules are in the environment variable `FLEETSCOPE_FAULTS`, separated by `;`, each
//! `op,part of the path,nth,when,action`:
//!
//! - op: `create open link rename remove create_dir list sync_dir write read allocate set_len sync`, `change` for any of
//!   them that changes something, or `any`
//! - nth: the call that is hit, counted from 1 over the calls that match op and path; `4+3` hits three from the fourth on
//! - when: `before` or `after` (only `kill` can come after)
//! - action: `kill`, `eio`, `enospc`, `short=BYTES`
//!
//! Each hit is told on standard error as `fault: RULE at PATH` before it happens. If `FLEETSCOPE_CALLS` names a file, the
//! calls that change something are logged there (`calls`), so that what had been done at a kill can be read afterwards.

use std::process::ExitCode;
use std::sync::Arc;

use fleetscope::app::Parts;
use model::files::faulty::Faulty;
use model::files::{Disk, FilesRef};

mod calls;
mod rules;

use calls::Noted;
use rules::Rules;

fn main() -> ExitCode {
    let text = std::env::var("FLEETSCOPE_FAULTS").unwrap_or_default();
    let rules = match Rules::parse(&text) {
        Ok(rules) => Arc::new(rules),
        Err(message) => {
            eprintln!("faulty-server: FLEETSCOPE_FAULTS: {message}");
            return ExitCode::from(2);
        }
    };
    let disk = match std::env::var_os("FLEETSCOPE_CALLS") {
        Some(log) => match Noted::new(Arc::new(Disk), log.as_ref()) {
            Ok(noted) => Arc::new(noted) as FilesRef,
            Err(error) => {
                eprintln!("faulty-server: FLEETSCOPE_CALLS: {error}");
                return ExitCode::from(2);
            }
        },
        None => Arc::new(Disk),
    };
    let (before, after) = (rules.clone(), rules);
    // The log lies below the faults: what it says was done has been done, a kill between comes before or after it.
    let files = Faulty::new(disk, Arc::new(move |_, op, path| before.before(op, path)))
        .with_after(Arc::new(move |_, op, path| after.after(op, path)));
    fleetscope::main_with(Parts { files: Arc::new(files), ..Parts::default() })
}
