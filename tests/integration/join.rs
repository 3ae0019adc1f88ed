//! `fleetscope join` beside real Prometheus servers and servers that are none: what it prints is a configuration that works.

use std::path::{Path, PathBuf};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::StreamExt;
use model::worker::Worker;
use tempfile::tempdir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::peers::{Prometheus, fleetscope};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// Exit code, standard output and standard error of a run that must not keep this thread, which serves what is asked.
async fn join(arguments: &[&str]) -> (Option<i32>, String, String) {
    let arguments: Vec<String> = ["join"].iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
    let run = move || fleetscope(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Puts what was printed into a file, which `check` must like.
fn checked(folder: &Path, page: &str) -> PathBuf {
    let file = folder.join("printed.yaml");
    std::fs::write(&file, page).unwrap();
    let (code, stdout, stderr) = fleetscope(&["check", "--config", &file.to_string_lossy()]);
    assert_eq!(code, Some(0), "{stdout}{stderr}\n{page}");
    file
}

/// Starts a server on what was printed, and waits for rows of a cluster.
async fn federates(folder: &Path, page: &str, cluster: &str) -> Server {
    let server = Server::start(&Setup::new(folder, page)).await;
    // The source's own `up`, which is there whether it lets itself in or not.
    let rows = format!(
        "SELECT count(*) FROM metrics WHERE cluster = '{cluster}' AND name = 'up' AND labels['job'] = 'prometheus'"
    );
    eventually("rows of the source", PATIENCE, async || (server.number(&rows).await > 0).then_some(())).await;
    let errors = server.rows("SELECT cluster, error FROM sources WHERE error IS NOT NULL").await;
    assert!(errors.is_empty(), "{errors:?}");
    server
}

/// Stands before a Prometheus and hides its remote read.
async fn without_remote_read(url: &str) -> (String, Worker) {
    async fn pass(State(url): State<String>, request: Request) -> Response {
        if request.uri().path() == "/api/v1/read" {
            return (StatusCode::NOT_FOUND, "404 page not found\n").into_response();
        }
        let answer = reqwest::get(format!("{url}{}", request.uri())).await.unwrap();
        let content_type = answer.headers()["content-type"].clone();
        (answer.status(), [("content-type", content_type)], answer.bytes().await.unwrap()).into_response()
    }
    serve(Router::new().fallback(any(pass)).with_state(url.to_owned())).await
}

async fn serve(router: Router) -> (String, Worker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (url, Worker::task("server", |_| async move { axum::serve(listener, router).await.unwrap() }))
}

#[tokio::test]
async fn an_ha_pair_is_one_cluster_and_what_is_printed_federates_it() {
    let folder = tempdir().unwrap();
    let start = async |replica: &str| {
        let labels = format!("{{cluster: berlin, region: 'eu # \"1\"', replica: {replica}}}");
        Prometheus::start_of_itself(&folder.path().join(replica), &labels, None).await
    };
    let (a, b) = tokio::join!(start("a"), start("b"));
    let known = async || {
        let (code, page, stderr) = join(&["--prometheus", &a.url, &b.url]).await;
        assert_eq!(code, Some(0), "{stderr}");
        (!page.contains(" 0, by its own count")).then_some(page)
    };
    let page = eventually("series of the servers", PATIENCE, known).await;
    for expected in [
        "  - name: berlin\n    region: \"eu # \\\"1\\\"\"\n".to_owned(),
        format!("  - cluster: berlin\n    url: {}\n    via: remote_read\n    scrape_interval: 1s\n", a.url),
        format!("  # - cluster: berlin\n  #   url: {}\n", b.url),
        format!("this is an HA pair with {}, told apart by replica", a.url),
        "remote read       yes, in streamed chunks".to_owned(),
        "a guess: each series once in an interval".to_owned(),
        "retention         15d".to_owned(),
        ": Prometheus 2.".to_owned(),
    ] {
        assert!(page.contains(&expected), "{expected}\n{page}");
    }
    checked(folder.path(), &page);
    federates(folder.path(), &page, "berlin").await.terminate().await;
}

#[tokio::test]
async fn a_server_without_remote_read_is_federated_by_its_newest_samples() {
    let folder = tempdir().unwrap();
    let prometheus = Prometheus::start_of_itself(&folder.path().join("p"), "{team: x}", None).await;
    let (url, _proxy) = without_remote_read(&prometheus.url).await;
    let (code, page, stderr) = join(&["--prometheus", &url]).await;
    assert_eq!(code, Some(0), "{stderr}");
    let place = url.trim_start_matches("http://");
    assert!(page.contains("no hole heals") && stderr.contains("no hole heals") && !page.contains("via:"), "{page}");
    assert!(page.contains("nothing names the cluster of") && page.contains(&format!("- name: \"{place}\"")), "{page}");
    checked(folder.path(), &page);
    federates(folder.path(), &page, place).await.terminate().await;
}

#[tokio::test]
async fn a_password_is_sent_and_only_its_file_is_printed() {
    let folder = tempdir().unwrap();
    let hash = crate::tls::PASSWORD_HASH;
    let web = format!("basic_auth_users: {{fleetscope: '{hash}'}}\n");
    let prometheus = Prometheus::start_of_itself(&folder.path().join("p"), "{cluster: a}", Some(&web)).await;
    let file = folder.path().join("password");
    let file = file.to_string_lossy();
    std::fs::write(&*file, "open sesame\n").unwrap();
    let arguments = ["--username", "fleetscope", "--password-file", &file, "--prometheus", &prometheus.url];
    let (code, page, stderr) = join(&arguments).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(page.contains("remote read       yes") && page.contains("username: fleetscope"), "{page}");
    assert!(page.contains(&*file) && !format!("{page}{stderr}").contains("sesame"), "{page}{stderr}");
    federates(folder.path(), &page, "a").await.terminate().await;
    let (code, page, stderr) = join(&["--prometheus", &prometheus.url]).await;
    assert_eq!(code, Some(1));
    assert!(page.contains("it answered 401") && stderr.contains("401 Unauthorized"), "{page}{stderr}");
}

/// A server that reads a request, writes these bytes, over and over if they are to have no end, and hangs up.
async fn raw(bytes: Vec<u8>, is_endless: bool) -> (String, Worker) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accept = async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            // Whoever has seen enough hangs up.
            while stream.write_all(&bytes).await.is_ok() && is_endless {}
        }
    };
    (url, Worker::task("raw", |_| accept))
}

#[tokio::test]
async fn servers_that_are_none_are_told_one_by_one_and_the_good_one_is_printed() {
    let folder = tempdir().unwrap();
    let prometheus = Prometheus::start_of_itself(&folder.path().join("p"), "{cluster: good}", None).await;
    let (good, _proxy) = without_remote_read(&prometheus.url).await;
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/json\r\n";
    let pages: [(&str, Vec<u8>, bool); 7] = [
        ("no words", b"\x00\xff\xfe garbage\r\n\r\n".to_vec(), false),
        ("hangs up", Vec::new(), false),
        ("a page", format!("{head}content-length: 12\r\n\r\n<html>\x1b[2Jhi").into_bytes(), false),
        ("broken off", format!("{head}content-length: 100\r\n\r\n{{\"status\"").into_bytes(), false),
        ("deep", format!("{head}content-length: 90000\r\n\r\n{}", "[".repeat(90_000)).into_bytes(), false),
        (
            "elsewhere",
            b"HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: https://other/\r\ncontent-length: 0\r\n\r\n"
                .to_vec(),
            false,
        ),
        ("no end of headers", b"HTTP/1.1 200 OK\r\na: b\r\n".repeat(100), true),
    ];
    let mut urls = vec![good.clone()];
    for (_, bytes, is_endless) in pages {
        urls.push(raw(bytes, is_endless).await.0);
    }
    let endless = |_: Request| async {
        let body = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1 << 16]));
        Body::from_stream(body.take(1 << 20))
    };
    let silent = |_: Request| async { std::future::pending::<()>().await };
    for router in [Router::new().fallback(any(endless)), Router::new().fallback(any(silent))] {
        urls.push(serve(router).await.0);
    }
    urls.push(format!("http://127.0.0.1:{}", crate::peers::free_port()));
    let mut arguments = vec!["--timeout", "3s", "--prometheus"];
    arguments.extend(urls.iter().map(String::as_str));
    let (code, page, stderr) = join(&arguments).await;
    assert_eq!(code, Some(1), "{stderr}");
    assert!(page.contains(&format!("  - cluster: good\n    url: {good}\n")), "{page}");
    for url in &urls[1..] {
        assert!(page.contains(&format!("# WARNING: {url} could not be asked")), "{url}\n{page}");
        assert!(stderr.contains(&format!("\n{url}: ")), "{url}\n{stderr}");
    }
    for reason in ["no whole answer within 3s", "larger than 1048576 bytes", "leads to https://other/", "refused"] {
        assert!(stderr.contains(reason), "{reason}\n{stderr}");
    }
    assert!(stderr.contains("10 of 11 servers could not be asked"), "{stderr}");
    assert!(!format!("{page}{stderr}").contains('\x1b') && !stderr.contains("panicked"), "{stderr}");
    checked(folder.path(), &page);
}

#[tokio::test]
async fn what_a_server_says_of_itself_cannot_break_out_of_the_page() {
    let folder = tempdir().unwrap();
    let name = "x\"\nlisten: 0.0.0.0:1 #\u{2028}\u{1b}[2J";
    let yaml = serde_json::json!({"global": {"external_labels": {"cluster": name, "region": name, name: name}}});
    let answer = move |request: Request| {
        let data = match request.uri().path() {
            "/api/v1/query" => serde_json::json!({"resultType": "scalar", "result": [1, "1795684818.048"]}),
            "/api/v1/status/config" => serde_json::json!({"yaml": yaml.to_string()}),
            "/api/v1/status/buildinfo" => serde_json::json!({"version": name}),
            _ => serde_json::json!({"storageRetention": name, "headStats": {"numSeries": u64::MAX}}),
        };
        let body = serde_json::json!({"status": "success", "data": data}).to_string();
        async move { ([("content-type", name.replace(|c: char| !c.is_ascii_graphic(), "?"))], body) }
    };
    let (url, _worker) = serve(Router::new().fallback(any(answer))).await;
    let (code, page, stderr) = join(&["--prometheus", &url]).await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(page.contains("its clock is "), "{page}");
    for text in [&page, &stderr] {
        assert!(!text.contains(['\u{1b}', '\u{2028}']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("listen")), "{text}");
    }
    checked(folder.path(), &page);
}
