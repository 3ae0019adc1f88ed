//! The command line.

use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: oracle --address-file FILE --log FILE [--seed N] [--connections N] [--series N] [--samples N]
              [--pause-ms N] [--rewrites] [--late]

--address-file  holds host:port of the server, and in a second line that of its OTLP over gRPC; read again at every
                connect, so it may change
--log           the log of rows and acknowledgements
--seed          what the load is drawn from (default 1)
--connections   senders at once, each with series of its own, over the ten ways in turn (default 10)
--series        series of one sender (default 20)
--samples       rows of one request (default 50)
--pause-ms      between two requests of a sender whose rows are no deltas (default 0)
--rewrites      now and then give an acknowledged row another value
--late          now and then send rows of days past, over 40 dates";

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) address_file: PathBuf,
    pub(crate) log: PathBuf,
    pub(crate) seed: u64,
    pub(crate) connections: u64,
    pub(crate) series: u64,
    pub(crate) samples: usize,
    pub(crate) pause_ms: u64,
    pub(crate) rewrites: bool,
    pub(crate) late: bool,
}

impl Options {
    /// Reads the arguments.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut arguments = arguments;
        let mut options = Options {
            address_file: PathBuf::new(),
            log: PathBuf::new(),
            seed: 1,
            connections: 10,
            series: 20,
            samples: 50,
            pause_ms: 0,
            rewrites: false,
            late: false,
        };
        while let Some(flag) = arguments.next() {
            match flag.as_str() {
                "--rewrites" => options.rewrites = true,
                "--late" => options.late = true,
                _ => {
                    let value = arguments.next().ok_or_else(|| format!("{flag} needs a value"))?;
                    options.set(&flag, &value)?;
                }
            }
        }
        if options.address_file.as_os_str().is_empty() || options.log.as_os_str().is_empty() {
            return Err("--address-file and --log are needed".into());
        }
        Ok(options)
    }

    fn set(&mut self, flag: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<u64>().map_err(|_| format!("{flag} {value:?} is not a number"));
        match flag {
            "--address-file" => self.address_file = value.into(),
            "--log" => self.log = value.into(),
            "--seed" => self.seed = number()?,
            "--connections" => self.connections = number()?,
            "--series" => self.series = number()?.max(1),
            "--pause-ms" => self.pause_ms = number()?,
            "--samples" => self.samples = number()?.max(1) as usize,
            _ => return Err(format!("unknown flag {flag}")),
        }
        Ok(())
    }
}
