//! A real Prometheus behind TLS that wants a certificate and a password, federated in right and wrong ways.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::tempdir;

use crate::peers::{Prometheus, fleetscope};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// bcrypt of `open sesame`, with the fewest rounds.
pub(crate) const PASSWORD_HASH: &str = "$2b$04$ME5LEq04dUdAnuFYc7Ju5.AfKM2O2IrqKJ2amICmWvnMMLYtHB82K";
/// The name in the server's certificate, which no resolver knows.
const NAME: &str = "prometheus.test";

/// An authority made for one test, and what it vouches for.
pub(crate) struct Certificates(PathBuf);

impl Certificates {
    /// An authority, a server of [`NAME`] and a client, and an authority that vouches for nobody.
    pub(crate) fn make(folder: &Path) -> Self {
        let made = Certificates(folder.to_owned());
        let config = format!(
            "[req]\ndistinguished_name = name\n[name]\n[ca]\nbasicConstraints = critical, CA:TRUE\n[server]\n\
             basicConstraints = critical, CA:FALSE\nsubjectAltName = DNS:{NAME}\nextendedKeyUsage = serverAuth\n[client]\n\
             basicConstraints = critical, CA:FALSE\nextendedKeyUsage = clientAuth\n[here]\nbasicConstraints = critical, CA:FALSE\n\
             subjectAltName = IP:127.0.0.1\nextendedKeyUsage = serverAuth\n"
        );
        std::fs::write(folder.join("openssl.cnf"), config).unwrap();
        made.request("ca", "ca", &[]);
        made.request("other", "ca", &[]);
        let by_ca = ["-CA".to_owned(), made.path("ca.pem"), "-CAkey".to_owned(), made.path("ca.key")];
        made.request("server", "server", &by_ca);
        made.request("client", "client", &by_ca);
        std::fs::write(folder.join("password"), "open sesame\n").unwrap();
        made
    }

    /// Has an authority vouch for a server on this machine.
    pub(crate) fn make_server(&self, name: &str, authority: &str) {
        let (cert, key) = (self.path(&format!("{authority}.pem")), self.path(&format!("{authority}.key")));
        self.request(name, "here", &["-CA".to_owned(), cert, "-CAkey".to_owned(), key]);
    }

    fn request(&self, name: &str, section: &str, further: &[String]) {
        let (key, cert) = (self.path(&format!("{name}.key")), self.path(&format!("{name}.pem")));
        let mut command = Command::new("openssl");
        command.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        command.args(["-days", "2", "-config", &self.path("openssl.cnf"), "-extensions", section]);
        command.args(["-subj", &format!("/CN={name}"), "-keyout", &key, "-out", &cert]).args(further);
        let output = command.output().unwrap_or_else(|e| panic!("openssl: {e}: run make setup"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.0.join(name).to_string_lossy().into_owned()
    }

    /// The web configuration of a server that lets in whoever has a certificate and the password.
    fn web_config(&self) -> String {
        let (cert, key, ca) = (self.path("server.pem"), self.path("server.key"), self.path("ca.pem"));
        format!(
            "tls_server_config: {{cert_file: {cert}, key_file: {key}, client_auth_type: RequireAndVerifyClientCert, \
             client_ca_file: {ca}}}\nbasic_auth_users: {{fleetscope: '{PASSWORD_HASH}'}}\n"
        )
    }
}

/// Each cluster asks the same server in another way: its TLS, whether with the password, and what `sources` must say.
fn ways(certificates: &Certificates) -> Vec<(&'static str, String, bool, &'static str)> {
    let path = |name: &str| certificates.path(name);
    let (ca, other, late) = (path("ca.pem"), path("other.pem"), path("late.pem"));
    let identity = format!("cert_file: {}, key_file: {}", path("client.pem"), path("client.key"));
    let name = format!("server_name: {NAME}");
    vec![
        ("right", format!("ca_file: {ca}, {identity}, {name}"), true, ""),
        ("careless", format!("insecure_skip_verify: true, {identity}"), true, ""),
        ("misnamed", format!("ca_file: {ca}, {identity}"), true, "127.0.0.1"),
        ("stranger", format!("ca_file: {other}, {identity}, {name}"), true, "UnknownIssuer"),
        ("trusting", format!("{identity}, {name}"), true, "UnknownIssuer"),
        ("nobody", format!("ca_file: {ca}, {name}"), true, "ertificate"),
        ("wordless", format!("ca_file: {ca}, {identity}, {name}"), false, "401"),
        ("late", format!("ca_file: {late}, {identity}, {name}"), true, "late.pem cannot be read"),
    ]
}

/// The error of a cluster's only source; empty after a success.
async fn error(server: &Server, cluster: &str) -> Option<String> {
    let tried = format!("SELECT error FROM sources WHERE cluster = '{cluster}' AND last_attempt IS NOT NULL");
    server.rows(&tried).await.first().map(|cells| cells.join(","))
}

#[tokio::test]
async fn a_prometheus_behind_tls_and_a_password_is_federated_only_in_the_right_way() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let prometheus = Prometheus::start_behind_tls(&folder.path().join("prometheus"), &certificates.web_config()).await;
    let password = format!("basic_auth: {{username: fleetscope, password_file: {}}}", certificates.path("password"));
    let source = |(cluster, tls, with_password, _): &(&str, String, bool, &str)| {
        let auth = if *with_password { format!(", {password}") } else { String::new() };
        format!("  - {{cluster: {cluster}, url: '{}', tls_config: {{{tls}}}{auth}}}\n", prometheus.url)
    };
    let ways = ways(&certificates);
    let sources: String = ways.iter().map(source).collect();
    let yaml = format!("global: {{scrape_interval: 1s}}\nfederate_configs:\n{sources}");
    let server = Server::start(&Setup::new(folder.path(), &yaml)).await;
    for (cluster, _, _, expected) in &ways {
        // An attempt a second: in TLS 1.3 the server may hang up before it is heard why, so the first may not say it.
        let is_said = |said: &String| if expected.is_empty() { said.is_empty() } else { said.contains(expected) };
        eventually(cluster, PATIENCE, async || error(&server, cluster).await.filter(is_said)).await;
    }
    for cluster in ["right", "careless"] {
        let rows = format!("SELECT count(*) FROM metrics WHERE cluster = '{cluster}' AND name = 'recorded'");
        eventually("rows", PATIENCE, async || (server.number(&rows).await > 0).then_some(())).await;
    }
    // The file comes while the server runs.
    std::fs::copy(certificates.path("ca.pem"), certificates.path("late.pem")).unwrap();
    eventually("the late file", PATIENCE, async || error(&server, "late").await.filter(String::is_empty)).await;
    server.terminate().await;
}

#[test]
fn check_looks_into_the_files_of_a_source_and_names_the_place() {
    let folder = tempdir().unwrap();
    let certificates = Certificates::make(folder.path());
    let path = |name: &str| certificates.path(name);
    let file = path("f.yaml");
    let check = |further: &str| {
        let yaml = format!(
            "federate_configs:\n  - {{cluster: a, url: 'http://a:1'}}\n  - cluster: b\n    url: https://b\n    {further}\n"
        );
        std::fs::write(&file, yaml).unwrap();
        fleetscope(&["check", "--config", &file])
    };
    let (ca, cert, key, password) = (path("ca.pem"), path("client.pem"), path("client.key"), path("password"));
    let (code, stdout, stderr) = check(&format!("tls_config: {{ca_file: {ca}, cert_file: {cert}, key_file: {key}}}"));
    assert_eq!((code, stderr.as_str()), (Some(0), ""), "{stdout}");
    let cases = [
        (format!("tls_config: {{ca_file: {ca}.nowhere}}"), "ca.pem.nowhere cannot be read"),
        (format!("tls_config: {{ca_file: {password}}}"), "holds no certificate"),
        (format!("tls_config: {{cert_file: {cert}}}"), "cert_file needs key_file"),
        (format!("tls_config: {{cert_file: {cert}, key_file: {password}}}"), "not a certificate and its key"),
        (format!("basic_auth: {{username: a, password_file: {password}.nowhere}}"), "password.nowhere cannot be read"),
        (format!("authorization: {{credentials_file: {password}.nowhere}}"), "password.nowhere cannot be read"),
    ];
    for (further, expected) in cases {
        let (code, _, stderr) = check(&further);
        assert_eq!(code, Some(2), "{further}: {stderr}");
        assert!(stderr.contains(&format!("{file}:3:5: federate_configs[1] (cluster \"b\"")), "{stderr}");
        assert!(stderr.contains(expected), "{further}: {stderr}");
    }
    let (_, _, stderr) = check("tls_config: {ca_fil: x}");
    assert!(stderr.contains(&format!("{file}:5:18: unknown key \"ca_fil\", did you mean \"ca_file\"")), "{stderr}");
}
