//! Confirms the text cases of `query/promql/cases` by a real Prometheus, or writes its answers into them.
//!
//! Owns: the comparison of a file's answers with those of a server.
//! Does not own: the format of the files (`tests/cases/format.rs`), the server's life (`server`).

use std::path::{Path, PathBuf};
use std::process::ExitCode;

#[path = "../../tests/cases/format.rs"]
mod format;
mod remote_write;
mod server;

use format::CaseFile;
use format::answers::Answer;
use server::Server;

const USAGE: &str = "usage: cargo run -p promql --example cases -- --prometheus PATH [--write] [FILE…]

Asks the program at PATH, a Prometheus 3.14, every case of the files (all in query/promql/cases if none is named) and
compares. With --write the answers in the files become those of the program.";

/// What the command line says.
struct Request {
    prometheus: PathBuf,
    writes: bool,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let request = match request(std::env::args().skip(1)) {
        Ok(request) => request,
        Err(error) => {
            eprintln!("{error}\n\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let (mut cases, mut wrong) = (0, 0);
    for path in &request.files {
        match confirm(&request, path) {
            Ok((asked, failed)) => {
                println!("{}: {asked} cases, {failed} wrong", path.display());
                cases += asked;
                wrong += failed;
            }
            Err(error) => {
                eprintln!("{}: {error}", path.display());
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{cases} cases in {} files, {wrong} wrong", request.files.len());
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn request(mut arguments: impl Iterator<Item = String>) -> Result<Request, String> {
    let (mut prometheus, mut writes, mut files) = (None, false, Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--prometheus" => prometheus = arguments.next().map(PathBuf::from),
            "--write" => writes = true,
            option if option.starts_with("--") => return Err(format!("{option} is not known")),
            file => files.push(PathBuf::from(file)),
        }
    }
    if files.is_empty() {
        files = all_files()?;
    }
    Ok(Request { prometheus: prometheus.ok_or("--prometheus PATH is missing")?, writes, files })
}

fn all_files() -> Result<Vec<PathBuf>, String> {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("name files, or run it with cargo")?;
    let folder = Path::new(&package).join("cases");
    let entries = std::fs::read_dir(&folder).map_err(|e| format!("cannot read {}: {e}", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<PathBuf> = paths.filter(|path| path.extension().is_some_and(|end| end == "cases")).collect();
    files.sort();
    Ok(files)
}

/// Asks the cases of one file, and says how many there are and how many have another answer.
fn confirm(request: &Request, path: &Path) -> Result<(usize, usize), String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read it: {e}"))?;
    let file = CaseFile::parse(&text)?;
    let server = Server::start(&request.prometheus, &file.without)?;
    server.store(&file.series)?;
    let mut answers: Vec<Answer> = Vec::with_capacity(file.cases.len());
    let mut wrong = 0;
    for case in &file.cases {
        let answer = server.ask(case).map_err(|error| format!("line {}: {error}", case.line))?;
        if !request.writes && !case.accepts(&answer) {
            wrong += 1;
            let lines = answer.lines(case.times).join("\n  ");
            println!("{}:{}: {}\n  {lines}", path.display(), case.line, case.expression);
        }
        answers.push(answer);
    }
    if request.writes {
        std::fs::write(path, file.with_answers(&answers)).map_err(|e| format!("cannot write it: {e}"))?;
    }
    Ok((file.cases.len(), wrong))
}
