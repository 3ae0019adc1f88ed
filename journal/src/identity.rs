//! The file that holds a journal's UUID.

use std::io;
use std::path::Path;

use model::files::{self, Files};
use uuid::Uuid;

use crate::error::Error;

/// Its name in the journal's directory.
pub(crate) const FILE: &str = "journal.uuid";

const PREFIX: &str = "fleetscope journal ";

/// Reads the UUID. `None` if there is no such file.
pub(crate) fn read(files: &dyn Files, dir: &Path) -> Result<Option<Uuid>, Error> {
    let path = dir.join(FILE);
    let bytes = match files::read(files, &path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io("reading", &path)(e)),
    };
    let uuid = std::str::from_utf8(&bytes).ok().and_then(|text| {
        let (uuid, crc) = text.strip_prefix(PREFIX)?.strip_suffix('\n')?.split_once(' ')?;
        let is_whole = crc == checksum(uuid);
        is_whole.then(|| Uuid::try_parse(uuid).ok()).flatten()
    });
    match uuid {
        Some(uuid) => Ok(Some(uuid)),
        None => Err(Error::Identity { path, what: "does not hold the journal's uuid any more".into() }),
    }
}

/// Makes the file, durably.
pub(crate) fn write(files: &dyn Files, dir: &Path, uuid: Uuid) -> Result<(), Error> {
    let path = dir.join(FILE);
    let text = uuid.to_string();
    let line = format!("{PREFIX}{text} {}\n", checksum(&text));
    files::replace(files, &path, line.as_bytes()).map_err(Error::io("writing", &path))
}

fn checksum(uuid: &str) -> String {
    format!("{:08x}", crc32c::crc32c(uuid.as_bytes()))
}
