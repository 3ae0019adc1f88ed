//! Who may push, who may read, and who learns of a secret: nobody.

use std::path::Path;

use reqwest::{Client, StatusCode};
use rustix::process::Signal;
use tempfile::tempdir;

use crate::otlp::gauge;
use crate::peers::{Prometheus, fleetscope};
use crate::remote_write::{HEADERS, body, now_ms};
use crate::server::{PATIENCE, Server, Setup, authority, eventually};
use crate::tls::Certificates;

/// Secrets of a test, as `fleetscope token new` made them, and what the configuration may know of them.
pub(crate) struct Secret {
    pub(crate) token: String,
    pub(crate) hash: String,
}

impl Secret {
    pub(crate) fn new() -> Self {
        let (code, printed, _) = fleetscope(&["token", "new", "--cluster", "berlin"]);
        assert_eq!(code, Some(0));
        let line = |key: &str| printed.lines().find_map(|line| line.strip_prefix(key)).unwrap().to_owned();
        Secret { token: line("token: "), hash: line("sha256: ") }
    }

    fn is_in(&self, text: &str) -> bool {
        // Nor is a part of it anywhere.
        text.contains(&self.token[4..24]) || text.contains(&self.token[24..])
    }
}

/// A configuration with these clusters, and each with the secret that its senders show.
pub(crate) fn clusters<const N: usize>(names: [String; N]) -> (String, [(String, Secret); N]) {
    let all = names.map(|name| (name, Secret::new()));
    let lines =
        all.iter().map(|(name, secret)| format!("  - {{name: {name}, tokens: [{{sha256: {}}}]}}\n", secret.hash));
    (format!("clusters:\n{}", lines.collect::<String>()), all)
}

/// Pushes one sample with these labels and gives status and body of the answer.
async fn push(server: &Server, client: &Client, token: Option<&str>, labels: &[(&str, &str)]) -> (StatusCode, String) {
    let request = client.post(server.url("/api/v1/write")).body(body(&[(labels, &[(now_ms(), 1.0)])]));
    let request = HEADERS.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    let answer = request.send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// Whoever shows no reader's token sees only whether the server lives.
async fn reads_only_with_a_token(server: &Server, stranger: &Client, reader: &Secret, others: [&Secret; 2]) {
    for path in ["/metrics", "/api/v1/sources", "/api/v1/sql", "/-/reload", "/nowhere"] {
        for token in [None, Some(&others[0].token), Some(&others[1].token)] {
            let request = stranger.get(server.url(path));
            let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer, Basic realm=\"fleetscope\"");
            let text = answer.text().await.unwrap();
            assert_eq!(text, "{\"kind\":\"forbidden\",\"message\":\"unauthorized\"}", "{path}");
        }
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(stranger.get(server.url(path)).send().await.unwrap().status(), StatusCode::OK, "{path}");
    }
    let basic = stranger.get(server.url("/api/v1/sources")).basic_auth("grafana", Some(&reader.token));
    assert_eq!(basic.send().await.unwrap().status(), StatusCode::OK);
}

fn write(path: &Path, text: &str) {
    std::fs::write(path.with_extension("fresh"), text).unwrap();
    std::fs::rename(path.with_extension("fresh"), path).unwrap();
}

#[tokio::test]
async fn a_server_that_others_reach_knows_who_writes_and_who_reads_and_gives_no_secret_away() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    certificates.make_server("here", "ca");
    let (berlin, dublin, reader, nobody) = (Secret::new(), Secret::new(), Secret::new(), Secret::new());
    let (dublin_file, reader_file) = (folder.path().join("dublin.token"), folder.path().join("reader.token"));
    write(&dublin_file, &dublin.token);
    write(&reader_file, &reader.token);
    let yaml = format!(
        "log: {{level: trace}}\ntls_server_config: {{cert_file: {}, key_file: {}}}\nclusters:\n  - {{name: berlin, role: \
         active, tokens: [{{sha256: {}}}]}}\n  - {{name: dublin, tokens: [{{file: {}}}]}}\nreaders: {{tokens: [{{sha256: {}}}]}}\n",
        certificates.path("here.pem"),
        certificates.path("here.key"),
        berlin.hash,
        dublin_file.display(),
        reader.hash,
    );
    let setup = Setup::new(folder.path(), &yaml).trusting(certificates.path("ca.pem")).reading_with(&reader.token);
    let mut server = Server::start(&setup).await;
    let stranger = Client::builder().tls_certs_only([authority(certificates.path("ca.pem").as_ref())]).build().unwrap();
    let mut said = String::new();

    // Writing.
    let labels = [("__name__", "load"), ("cluster", "berlin")];
    for (token, expected) in [
        (Some(&berlin.token), StatusCode::NO_CONTENT),
        (Some(&dublin.token), StatusCode::NO_CONTENT),
        (Some(&nobody.token), StatusCode::UNAUTHORIZED),
        (Some(&reader.token), StatusCode::UNAUTHORIZED),
        (None, StatusCode::UNAUTHORIZED),
    ] {
        let (status, text) = push(&server, &stranger, token.map(String::as_str), &labels).await;
        assert_eq!(status, expected, "{text}");
        assert_eq!(
            text.starts_with("unauthorized: show the token of a cluster"),
            status == StatusCode::UNAUTHORIZED,
            "{text}"
        );
        said.push_str(&text);
    }
    let rows = "SELECT cluster, labels['exported_cluster'] FROM metrics WHERE name = 'load' ORDER BY cluster";
    assert_eq!(server.rows(rows).await, [["berlin", ""], ["dublin", "berlin"]]);

    reads_only_with_a_token(&server, &stranger, &reader, [&berlin, &nobody]).await;

    // From the command line.
    let (url, ca) = (server.url(""), certificates.path("ca.pem"));
    let with = |token: &Path, further: &[&str]| {
        let connection = ["--server", &url, "--ca-file", &ca, "--token-file", token.to_str().unwrap()];
        fleetscope(&[further, &connection].concat())
    };
    let (code, table, stderr) = with(&reader_file, &["status"]);
    assert_eq!((code, table.contains("berlin")), (Some(0), true), "{stderr}");
    let (code, _, stderr) = with(&dublin_file, &["query", "SELECT 1"]);
    assert_eq!(code, Some(2));
    assert!(stderr.contains("does not know the token"), "{stderr}");
    let (code, _, without) = fleetscope(&["query", "--server", &url, "--ca-file", &ca, "SELECT 1"]);
    assert_eq!(code, Some(2));
    assert!(without.contains("--token-file"), "{without}");
    let (code, checked, _) = fleetscope(&["check", "--config", &setup.arguments[4]]);
    assert_eq!(code, Some(0), "{checked}");

    // The secrets: in no log, at its finest level, no metric, no answer, no output.
    let metrics = server.get("/metrics").await.1;
    let refused = "fleetscope_push_refused_total{cluster=\"\",reason=\"unauthorized\"}";
    assert_eq!(server.metric(refused).await, Some(3.0));
    assert!(metrics.contains("fleetscope_push_token_files_failing{cluster=\"dublin\"} 0"), "{metrics}");
    assert!(metrics.contains("fleetscope_tls_files_failing 0\n"), "{metrics}");
    server.signal(Signal::TERM);
    assert!(server.ended().await.success());
    said.extend([table, stderr, without, checked, metrics, server.stderr()]);
    for secret in [&berlin, &dublin, &reader, &nobody] {
        assert!(!secret.is_in(&said), "{said}");
    }
    assert!(reader.is_in(&std::fs::read_to_string(&reader_file).unwrap()), "the search finds what is there");
}

#[tokio::test]
async fn tokens_in_files_rotate_without_a_restart() {
    let folder = tempdir().unwrap();
    let (old, new, file) = (Secret::new(), Secret::new(), folder.path().join("berlin.token"));
    write(&file, &old.token);
    let yaml = format!("clusters: [{{name: berlin, tokens: [{{file: {}}}]}}]\n", file.display());
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    let client = Client::new();
    let status = async |secret: &Secret| push(&server, &client, Some(&secret.token), &[("__name__", "a")]).await.0;
    assert_eq!(status(&old).await, StatusCode::NO_CONTENT);
    assert_eq!(status(&new).await, StatusCode::UNAUTHORIZED);
    write(&file, &format!("{}\n{}\n", old.token, new.token));
    let known = async || (status(&new).await == StatusCode::NO_CONTENT).then_some(());
    eventually("the new token", PATIENCE, known).await;
    assert_eq!(status(&old).await, StatusCode::NO_CONTENT);
    write(&file, &new.token);
    let gone = async || (status(&old).await == StatusCode::UNAUTHORIZED).then_some(());
    eventually("the end of the old token", PATIENCE, gone).await;
    write(&file, "");
    let failing = "fleetscope_push_token_files_failing{cluster=\"berlin\"}";
    eventually("the bad file", PATIENCE, async || server.metric(failing).await.filter(|count| *count == 1.0)).await;
    assert_eq!(status(&new).await, StatusCode::NO_CONTENT);
    assert!(server.stderr().contains("berlin.token is empty"), "{}", server.stderr());
    server.terminate().await;
}

#[tokio::test]
async fn a_prometheus_pushes_over_tls_with_a_token_and_comes_again_above_its_rate() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    certificates.make_server("here", "ca");
    let (berlin, path) = (Secret::new(), folder.path().join("berlin.token"));
    write(&path, &berlin.token);
    let yaml = format!(
        "tls_server_config: {{cert_file: {}, key_file: {}}}\nclusters:\n  - name: berlin\n    tokens: [{{sha256: {}}}]\n    \
         limits: {{sample_rate_limit: 150, rate_burst: 1s}}\n",
        certificates.path("here.pem"),
        certificates.path("here.key"),
        berlin.hash
    );
    let server = Server::start(&Setup::new(folder.path(), &yaml).trusting(certificates.path("ca.pem"))).await;
    let remote_write = format!(
        "{{url: '{}', authorization: {{credentials_file: {}}}, tls_config: {{ca_file: {}}}, queue_config: \
         {{batch_send_deadline: 1s}}}}",
        server.url("/api/v1/write"),
        path.display(),
        certificates.path("ca.pem")
    );
    let prometheus = folder.path().join("prometheus");
    let _prometheus = Prometheus::start_pushing(&prometheus, "{cluster: elsewhere}", &remote_write).await;
    let rows = "SELECT count(*) FROM metrics WHERE cluster = 'berlin' AND name = 'up' \
                AND labels['exported_cluster'] = 'elsewhere'";
    eventually("rows", PATIENCE, async || (server.number(rows).await > 0).then_some(())).await;
    // It scrapes hundreds of series of itself a second: what it is told to send later comes.
    let refused = "fleetscope_push_refused_total{cluster=\"berlin\",reason=\"sample_rate\"}";
    eventually("a rate that is used up", PATIENCE, async || server.metric(refused).await).await;
    let all = server.number(rows).await;
    eventually("more rows", PATIENCE, async || (server.number(rows).await > all).then_some(())).await;
    assert_eq!(server.number("SELECT count(DISTINCT cluster) FROM metrics").await, 1);
    server.terminate().await;
}

/// A configuration that other machines may reach.
fn whole(certificates: &Certificates) -> String {
    let (secret, reader) = (Secret::new(), Secret::new());
    format!(
        "tls_server_config: {{cert_file: {}, key_file: {}}}\nclusters: [{{name: berlin, tokens: [{{sha256: {}}}]}}]\n\
         readers: {{tokens: [{{sha256: {}}}]}}\n",
        certificates.path("here.pem"),
        certificates.path("here.key"),
        secret.hash,
        reader.hash
    )
}

#[tokio::test]
async fn an_address_that_others_reach_needs_tls_and_tokens_or_to_be_insisted_on() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    certificates.make_server("here", "ca");
    let whole = whole(&certificates);
    let without =
        |key: &str| whole.lines().filter(|line| !line.starts_with(key)).map(|line| format!("{line}\n")).collect();
    let anonymous = format!("{whole}push: {{allow_anonymous: true}}\n");
    let cases: [(String, &[&str]); 5] = [
        (String::new(), &["tls_server_config", "tokens of at least one", "readers.tokens"]),
        (without("tls_server_config"), &["tls_server_config"]),
        (without("clusters"), &["tokens of at least one"]),
        (without("readers"), &["readers.tokens"]),
        (anonymous, &["push.allow_anonymous"]),
    ];
    for (yaml, missing) in cases {
        let mut setup = Setup::new(folder.path(), &yaml).listening("0.0.0.0:0");
        if yaml.contains("tls_server_config") {
            setup = setup.trusting(certificates.path("ca.pem"));
        }
        let refused = Server::spawn(&setup).unwrap_err();
        assert!(refused.contains("--insecure-listen") && refused.contains("exit status: 2"), "{refused}");
        assert_eq!(refused.matches(" (whoever ").count(), missing.len(), "{refused}");
        missing.iter().for_each(|part| assert!(refused.contains(part), "{part}: {refused}"));
        setup.arguments.push("--insecure-listen".into());
        let mut server = Server::spawn(&setup).unwrap();
        assert!(server.address.ip().is_unspecified());
        server.signal(Signal::TERM);
        assert!(server.ended().await.success(), "also while it is still starting: {}", server.stderr());
        assert!(server.stderr().contains("INSECURE"), "{}", server.stderr());
        missing.iter().for_each(|part| assert!(server.stderr().contains(part), "{part}: {}", server.stderr()));
    }
    let setup = Setup::new(folder.path(), &whole).listening("0.0.0.0:0").trusting(certificates.path("ca.pem"));
    let mut server = Server::spawn(&setup).unwrap();
    assert!(server.becomes_ready_at("127.0.0.1").await, "{}", server.stderr());
    // A reload does not open what the start would have refused.
    std::fs::write(folder.path().join("fleetscope.yaml"), without("readers")).unwrap();
    server.signal(Signal::HUP);
    let refused = async || server.stderr().contains("reload refused").then_some(());
    eventually("the refusal", PATIENCE, refused).await;
    assert!(server.stderr().contains("readers.tokens") && !server.stderr().contains("INSECURE"), "{}", server.stderr());
    server.terminate().await;
}

#[test]
fn check_names_what_is_wrong_with_tokens_and_certificates() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let (file, token) = (certificates.path("f.yaml"), certificates.path("some.token"));
    let secret = Secret::new();
    std::fs::write(&token, &secret.token).unwrap();
    let (hash, long) = (&secret.hash, "x".repeat(64));
    let cases = [
        (format!("clusters:\n  - {{name: a, tokens: [{{sha256: {long}}}]}}\n"), ":2:", "64 hexadecimal digits"),
        (format!("clusters:\n  - {{name: a, tokens: [{{token: {hash}}}]}}\n"), ":2:", "known here: sha256, file"),
        ("clusters:\n  - {name: a, limits: {series: 1}}\n".into(), ":2:", "did you mean \"series_limit\""),
        ("clusters:\n  - {name: a, limits: {sample_rate_limit: 0}}\n".into(), ":2:5", "sample_rate_limit is 0"),
        ("push: {limits: {label_limit: 5000}}\n".into(), ":1:7", "label_limit is not between 1 and 1024"),
        (
            format!("clusters:\n  - {{name: a, tokens: [{{file: {token}.no}}]}}\n"),
            ":2:5",
            "some.token.no cannot be read",
        ),
        (
            format!(
                "clusters:\n  - {{name: a, tokens: [{{sha256: {hash}}}]}}\n  - {{name: b, tokens: [{{file: {token}}}]}}\n"
            ),
            ":3:5",
            "is of cluster \"a\" and of cluster \"b\"",
        ),
        (
            format!(
                "clusters: [{{name: a, tokens: [{{sha256: {hash}}}]}}]\nreaders: {{tokens: [{{sha256: {hash}}}]}}\n"
            ),
            ":2:10",
            "is of cluster \"a\" and of readers",
        ),
        (
            format!(
                "tls_server_config: {{cert_file: {}, key_file: {}}}\n",
                certificates.path("server.pem"),
                certificates.path("client.key")
            ),
            ":1:20",
            "are not a certificate and its key",
        ),
        (
            format!("tls_server_config: {{cert_file: {token}, key_file: {token}}}\n"),
            ":1:20",
            "holds no certificate in PEM",
        ),
    ];
    for (yaml, place, expected) in cases {
        std::fs::write(&file, &yaml).unwrap();
        let (code, _, stderr) = fleetscope(&["check", "--config", &file]);
        assert_eq!(code, Some(2), "{yaml}");
        assert!(stderr.contains(&format!("{file}{place}")), "{yaml}: {stderr}");
        assert!(stderr.contains(expected), "{expected}: {stderr}");
        assert!(!secret.is_in(&stderr) && !stderr.contains(&long), "{stderr}");
    }
}

/// What a call of OTLP over gRPC is answered where nothing but the status matters: HTTP's, and gRPC's if it is a refusal.
async fn call(url: &str, token: Option<&str>, message: &[u8]) -> (StatusCode, Option<String>) {
    let client = Client::builder().http2_prior_knowledge().build().unwrap();
    let framed = [&[0][..], &(message.len() as u32).to_be_bytes(), message].concat();
    let path = "opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    let request = client.post(format!("{url}/{path}")).header("content-type", "application/grpc").body(framed);
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    let answer = request.header("te", "trailers").send().await.unwrap();
    let status = answer.headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned());
    (answer.status(), status)
}

/// The status of an OTLP request over HTTP.
async fn export(url: &str, token: Option<&str>, message: &[u8]) -> StatusCode {
    let request = Client::new().post(format!("{url}/v1/metrics")).header("content-type", "application/x-protobuf");
    let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
    request.body(message.to_vec()).send().await.unwrap().status()
}

#[tokio::test]
async fn the_ports_of_otlp_take_pushes_with_a_token_and_nothing_else() {
    const UNAUTHENTICATED: &str = "16";
    const UNIMPLEMENTED: &str = "12";
    let folder = tempdir().unwrap();
    let (secret, nobody) = (Secret::new(), Secret::new());
    let yaml = format!("clusters: [{{name: berlin, tokens: [{{sha256: {}}}]}}]\n", secret.hash);
    let setup = Setup::new(folder.path(), &yaml).with_otlp();
    let server = Server::start(&setup).await;
    let grpc = format!("http://{}", server.beside("OTLP over gRPC").await);
    let http = format!("http://{}", server.beside("OTLP over HTTP").await);
    let refused = (StatusCode::OK, Some(UNAUTHENTICATED.to_owned()));
    for token in [None, Some(&*nobody.token)] {
        assert_eq!(export(&http, token, &gauge("by_http")).await, StatusCode::UNAUTHORIZED);
        assert_eq!(call(&grpc, token, &gauge("by_grpc")).await, refused);
    }
    assert_eq!(server.number("SELECT count(*) FROM series").await, 0);
    assert_eq!(export(&http, Some(&secret.token), &gauge("by_http")).await, StatusCode::OK);
    // Of a call that succeeds the trailers say so, after the message.
    assert_eq!(call(&grpc, Some(&secret.token), &gauge("by_grpc")).await, (StatusCode::OK, None));
    let rows = server.rows("SELECT name, cluster FROM metrics ORDER BY name").await;
    assert_eq!(rows, [["by_grpc", "berlin"], ["by_http", "berlin"]]);

    let client = Client::new();
    for path in ["/metrics", "/healthz", "/api/v1/sql", "/-/reload", "/api/v1/write"] {
        let ask =
            async |url: &str| client.post(format!("{url}{path}")).bearer_auth(&secret.token).send().await.unwrap();
        assert_eq!(ask(&http).await.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(ask(&grpc).await.headers()["grpc-status"], UNIMPLEMENTED, "{path}");
    }
    let address = http.strip_prefix("http://").unwrap();
    let taken = Server::spawn(&setup.with_env("FLEETSCOPE_OTLP_HTTP_LISTEN", address)).unwrap_err();
    assert!(taken.contains(address) && taken.contains("--otlp-http-listen"), "{taken}");
    server.terminate().await;
}
