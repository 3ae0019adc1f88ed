//! The server on a file layer that fails, or kills the process, at chosen calls.
//!
//! Owns: reading the rules, counting the calls they match, doing what they say.
//! Does not own: anything of the server, which is the product's own; the product has no such switch.
//!
//! The rules are in the environment variable `FLEETSCOPE_FAULTS`, separated by `;`, each
//! `op,part of the path,nth,when,action`:
//!
//! - op: `create open link rename remove create_dir list sync_dir write read allocate set_len sync`, or `any`
//! - nth: the call that is hit, counted from 1 over the calls that match op and path; `4+3` hits three from the fourth on
//! - when: `before` or `after` (only `kill` can come after)
//! - action: `kill`, `eio`, `enospc`, `short=BYTES`
//!
//! Each hit is told on standard error as `fault: RULE at PATH` before it happens.

use std::process::ExitCode;
use std::sync::Arc;

use fleetscope::app::Parts;
use model::files::Disk;
use model::files::faulty::Faulty;

mod rules;

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
    let (before, after) = (rules.clone(), rules);
    let files = Faulty::new(Arc::new(Disk), Arc::new(move |_, op, path| before.before(op, path)))
        .with_after(Arc::new(move |_, op, path| after.after(op, path)));
    fleetscope::main_with(Parts { files: Arc::new(files), ..Parts::default() })
}
