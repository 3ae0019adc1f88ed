//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Door;

const EXAMPLES: &str = "\
Examples:
  fleetscope demo                                    a simulated fleet to look at, nothing else needed
  fleetscope serve                                   store under ./data, listen on 127.0.0.1:9911
  fleetscope serve --config fleetscope.yaml          scrape and federate what the file names
  fleetscope join --prometheus http://prom:9090      ask a Prometheus, print the file that federates it
  fleetscope check --config fleetscope.yaml          validate the file, change nothing
  fleetscope token new --cluster berlin              a token for a cluster's pushes, and its hash for the file
  fleetscope status                                  which clusters are alive, and which are not
  fleetscope query \"SELECT cluster, last_sample FROM clusters\"

Signals:
  SIGTERM, SIGINT   answer what is in flight, write the head to blocks, exit 0
  SIGHUP            read the configuration again; a file with an error changes nothing

Exit codes:
  0 done, 1 failed, 2 the command line or the configuration is wrong, 3 data at rest is damaged";

/// One place that answers for every Kubernetes cluster.
#[derive(Debug, Parser)]
#[command(name = "fleetscope", version, about, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collect, keep and answer: the server.
    Serve(Serve),
    /// Ask a running server in SQL.
    Query(Query),
    /// Show how each cluster is, those that say nothing first.
    Status(Status),
    /// Run a simulated fleet of four clusters and the server over it; asks the first questions itself.
    Demo(Demo),
    /// Ask Prometheus servers about themselves and print the configuration that federates them.
    Join(Join),
    /// Make a token for the pushes of a cluster or for readers, or the hash of one.
    #[command(subcommand)]
    Token(Token),
    /// Validate a configuration file, and the credentials and certificates in the files that it names.
    Check(Check),
}

/// The arguments of `serve`. A flag wins over the environment, the environment over the file.
#[derive(Debug, Clone, Default, Args)]
pub struct Serve {
    /// The configuration file; without it every setting has its default and nothing is collected.
    #[arg(long, value_name = "FILE", env = "FLEETSCOPE_CONFIG")]
    pub config: Option<PathBuf>,
    /// Where the tables are: a folder, or the URL of a bucket. Wins over `storage.url` of the file.
    #[arg(long, value_name = "URL", env = "FLEETSCOPE_STORE")]
    pub store: Option<String>,
    /// Address and port for HTTP; port 0 takes a free one. The address in use is printed on standard output.
    #[arg(long, value_name = "ADDR", env = "FLEETSCOPE_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Address and port for OTLP over gRPC, or `off`. Wins over `otlp_listen.grpc` of the file, whose default is 127.0.0.1:4317.
    #[arg(long, value_name = "ADDR", env = "FLEETSCOPE_OTLP_GRPC_LISTEN")]
    pub otlp_grpc_listen: Option<Door>,
    /// Address and port for OTLP over HTTP, or `off`. Wins over `otlp_listen.http` of the file, whose default is 127.0.0.1:4318.
    #[arg(long, value_name = "ADDR", env = "FLEETSCOPE_OTLP_HTTP_LISTEN")]
    pub otlp_http_listen: Option<Door>,
    /// Listen on an address that other machines reach, although TLS or tokens are missing: whoever reaches it may then read
    /// along, write or ask.
    #[arg(long)]
    pub insecure_listen: bool,
    /// If the journal is damaged, keep every record that still decodes, move the rest aside and start.
    ///
    /// Prints how many rows were lost, by cluster and time.
    #[arg(long)]
    pub set_aside_damaged: bool,
}

/// How a running server is reached.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// The server to ask.
    #[arg(long, value_name = "URL", env = "FLEETSCOPE_SERVER", default_value = "http://127.0.0.1:9911")]
    pub server: String,
    /// The file with a reader's token, where the server wants one.
    #[arg(long, value_name = "FILE", env = "FLEETSCOPE_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// The certificates of the authorities that may vouch for the server, PEM, instead of the system's.
    #[arg(long, value_name = "FILE", env = "FLEETSCOPE_CA_FILE")]
    pub ca_file: Option<PathBuf>,
}

impl Connection {
    /// To a server that wants no token.
    pub fn open(server: &str) -> Self {
        Connection { server: server.to_owned(), token_file: None, ca_file: None }
    }
}

/// The arguments of `query`.
#[derive(Debug, Clone, Args)]
pub struct Query {
    /// The statement, for example "SELECT ts, cluster, value FROM metrics WHERE name = 'up' LIMIT 10".
    #[arg(value_name = "SQL")]
    pub sql: String,
    /// How the server is reached.
    #[command(flatten)]
    pub connection: Connection,
    /// How to print the rows.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
}

/// The arguments of `status`.
#[derive(Debug, Clone, Args)]
pub struct Status {
    /// How the server is reached.
    #[command(flatten)]
    pub connection: Connection,
    /// When to use colours.
    #[arg(long, value_enum, default_value_t)]
    pub color: Color,
}

/// When colours are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Color {
    /// On a terminal, unless the environment has `NO_COLOR`.
    #[default]
    Auto,
    /// Also into a pipe or a file.
    Always,
    /// Never.
    Never,
}

/// How rows are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns side by side, for reading.
    Table,
    /// Comma-separated values with a header.
    Csv,
    /// JSON, as the server sends it.
    Json,
}

/// The arguments of `demo`.
#[derive(Debug, Clone, Args)]
pub struct Demo {
    /// Address and port for HTTP; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9911")]
    pub listen: SocketAddr,
    /// Where the tables are; without it in a folder that goes with the demo.
    #[arg(long, value_name = "URL")]
    pub store: Option<String>,
    /// How much of the past is there at once.
    #[arg(long, value_name = "DURATION", default_value = "24h", value_parser = model::duration::parse)]
    pub history: Duration,
    /// Silence a cluster from the start; may be given again for another one.
    #[arg(long, value_name = "CLUSTER")]
    pub silence: Vec<String>,
    /// Another seed is another fleet; the same is the same.
    #[arg(long, default_value_t = 7)]
    pub seed: u64,
    /// The least level of what is logged to standard error.
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    pub log: String,
}

/// The arguments of `join`.
#[derive(Debug, Clone, Args)]
pub struct Join {
    /// A server to ask: scheme, host, port, and a path if it is not at the root. Several, or given again, for more.
    #[arg(long, value_name = "URL", required = true, num_args = 1..)]
    pub prometheus: Vec<String>,
    /// The file with the bearer token that the servers want. Goes into the configuration as `authorization`.
    #[arg(long, value_name = "FILE", conflicts_with = "username")]
    pub bearer_token_file: Option<PathBuf>,
    /// The user that the servers want. Goes into the configuration as `basic_auth`.
    #[arg(long, value_name = "NAME", requires = "password_file")]
    pub username: Option<String>,
    /// The file with the password of `--username`.
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// The certificates of the authorities that may vouch for the servers, PEM, instead of the system's. Goes into the
    /// configuration as `tls_config`.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The time that one question may take, its answer included.
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = model::duration::parse)]
    pub timeout: Duration,
}

/// The arguments of `check`.
#[derive(Debug, Clone, Args)]
pub struct Check {
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "FLEETSCOPE_CONFIG")]
    pub config: PathBuf,
}

/// What to do with a token.
#[derive(Debug, Clone, Subcommand)]
pub enum Token {
    /// Make a token of 256 random bits; print it, its SHA-256 and the lines for the configuration.
    ///
    /// The token is shown this once. Give it to the sender; only the hash belongs into the configuration.
    New(NewToken),
    /// Read a token on standard input and print its SHA-256 for the configuration.
    Hash,
}

/// The arguments of `token new`.
#[derive(Debug, Clone, Args)]
pub struct NewToken {
    /// The cluster whose pushes it is for; without it, a token for readers.
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
}
