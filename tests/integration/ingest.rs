//! Samples in, rows out, across restarts.

use tempfile::tempdir;

use crate::remote_write::{now_ms, write};
use crate::server::{PATIENCE, Server, Setup, eventually};

/// Far enough back that a sample an hour or a month old is kept.
const KEEP: &str = "storage: {retention: 1000d}\n";

#[tokio::test]
async fn what_is_acknowledged_is_answered_at_once_and_after_every_kind_of_restart() {
    let folder = tempdir().unwrap();
    let setup = Setup::new(folder.path(), KEEP);
    let now = now_ms();
    let sql = "SELECT cluster, name, value FROM metrics ORDER BY ts, value";
    let expected = [["berlin", "month", "0.1"], ["berlin", "hour", "-0.25"], ["dublin", "load", "1.5"]];

    let server = Server::start(&setup).await;
    let old = now - 30 * 86_400_000;
    write(
        &server,
        &[
            (&[("__name__", "load"), ("cluster", "dublin"), ("host", "a")], &[(now, 1.5)]),
            (&[("__name__", "hour"), ("cluster", "berlin")], &[(now - 3_600_000, -0.25)]),
            (&[("__name__", "month"), ("cluster", "berlin")], &[(old, 0.1)]),
        ],
    )
    .await;
    assert_eq!(server.rows(sql).await, expected);
    server.kill().await;

    let server = Server::start(&setup).await;
    assert_eq!(server.rows(sql).await, expected, "after SIGKILL");
    server.terminate().await;

    let server = Server::start(&setup).await;
    assert_eq!(server.rows(sql).await, expected, "after SIGTERM");
    write(&server, &[(&[("__name__", "load"), ("cluster", "dublin"), ("host", "a")], &[(now, 2.5)])]).await;
    let rewritten = server.rows("SELECT value FROM metrics WHERE name = 'load'").await;
    assert_eq!(rewritten, [["2.5"]], "the newer value of the same series and time wins over the block");
    server.kill().await;

    let server = Server::start(&setup).await;
    assert_eq!(server.rows("SELECT value FROM metrics WHERE name = 'load'").await, [["2.5"]]);
    server.terminate().await;
}

#[tokio::test]
async fn cuts_go_on_while_rows_come_and_answers_do_not_move() {
    let folder = tempdir().unwrap();
    let server = Server::start(&Setup::new(folder.path(), "storage: {cut_every: 1s, retention: 1000d}\n")).await;
    let begin = now_ms() - 7_200_000;
    let mut written = 0;
    let cut = async || server.metric("fleetscope_storage_cuts_total").await.filter(|cuts| *cuts >= 2.0);
    eventually("two cuts", PATIENCE, async || {
        let samples: Vec<(i64, f64)> = (0..10).map(|n| (begin + written + n, (written + n) as f64)).collect();
        write(&server, &[(&[("__name__", "steady")], &samples)]).await;
        written += 10;
        let answer = server.rows("SELECT count(*), sum(value) FROM metrics WHERE name = 'steady'").await;
        assert_eq!(answer[0][0], written.to_string());
        assert_eq!(answer[0][1].parse::<f64>().unwrap(), (written * (written - 1) / 2) as f64);
        cut().await
    })
    .await;
    server.terminate().await;
}
