//! `fleetscope token`: makes a token, or the hash of one, for the configuration.

use std::io::{Read, Write};

use model::{Error, ErrorKind};

use crate::cli;
use crate::client::write;

/// No token is longer, and a wrong file must not be read into memory whole.
const MAX_BYTES: u64 = 64 << 10;

/// Prints a new token with the lines that make it known, or the hash of the token in `input`.
///
/// # Errors
/// `Invalid` if the input is no token, `Unavailable` if it cannot be read or the answer cannot be written.
pub fn run(command: &cli::Token, input: &mut (dyn Read + Send), out: &mut (dyn Write + Send)) -> Result<(), Error> {
    let text = match command {
        cli::Token::New(new) => made(new.cluster.as_deref())?,
        cli::Token::Hash => {
            let mut text = String::new();
            let read = input.take(MAX_BYTES).read_to_string(&mut text);
            read.map_err(|e| Error::new(ErrorKind::Unavailable, "cannot read standard input").with_source(e))?;
            format!("{}\n", collector::Token::parse(&text)?.hash())
        }
    };
    write(out, text.as_bytes())
}

fn made(cluster: Option<&str>) -> Result<String, Error> {
    let token = collector::Token::new()?;
    let (secret, hash) = (token.reveal(), token.hash());
    let lines = match cluster {
        Some("") => return Err(Error::invalid("a cluster needs a name that is not empty")),
        // JSON's quotes are YAML's too.
        Some(name) => {
            format!("clusters:\n  - name: {}\n    tokens:\n      - sha256: {hash}\n", serde_json::json!(name))
        }
        None => format!("readers:\n  tokens:\n    - sha256: {hash}\n"),
    };
    Ok(format!("token: {secret}\nsha256: {hash}\n\n# for the configuration; the token is shown this once\n{lines}"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    fn run(command: &cli::Token, input: &str) -> Result<String, Error> {
        let mut out = Vec::new();
        super::run(command, &mut input.as_bytes(), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_printed_is_a_configuration_that_knows_the_token() {
        for cluster in [None, Some("berlin".to_owned()), Some("a: \"b\" #".to_owned())] {
            let command = cli::Token::New(cli::NewToken { cluster: cluster.clone() });
            let printed = run(&command, "").unwrap();
            let line = |key: &str| printed.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
            let (token, hash) = (line("token: "), line("sha256: "));
            assert_eq!(run(&cli::Token::Hash, &format!("{token}\n")).unwrap(), format!("{hash}\n"));
            let yaml = printed.split_once("\n\n").unwrap().1;
            assert!(!yaml.contains(&token), "{yaml}");
            let config = Config::parse(yaml, Path::new("f")).unwrap();
            let known = match &cluster {
                Some(name) => {
                    assert_eq!(&config.clusters[0].name, name);
                    format!("{:?}", config.collector.clusters[0].tokens)
                }
                None => format!("{:?}", config.readers.tokens),
            };
            assert!(known.contains(&hash), "{known}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_without_being_shown() {
        for input in ["", "short", "two words that are long"] {
            let error = run(&cli::Token::Hash, input).unwrap_err().to_string();
            assert!(input.is_empty() || !error.contains(input), "{error}");
        }
        let unnamed = cli::Token::New(cli::NewToken { cluster: Some(String::new()) });
        assert!(run(&unnamed, "").is_err());
    }
}
