//! The first questions to a fleet, asked and answered on standard output.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::time::Duration;

use model::Error;

use crate::cli::{Color, Connection, Format, Query, Status};
use crate::client;

/// Questions worth asking, with what they are about.
const QUESTIONS: [(&str, &str); 3] = [
    (
        "Could another cluster take over? Cores that are there, and that are busy.",
        "SELECT cluster, role, round(sum(value) FILTER (WHERE metric = 'kube_node_status_allocatable'), 0) AS cores,
       round(sum(value) FILTER (WHERE metric = 'node_load1'), 1) AS busy
  FROM (SELECT m.cluster, c.role, m.name AS metric, m.labels['node'] AS node, m.labels['instance'] AS instance, avg(m.value) AS value
          FROM metrics m JOIN clusters c ON c.name = m.cluster
         WHERE (m.name = 'node_load1' OR m.name = 'kube_node_status_allocatable' AND m.labels['resource'] = 'cpu')
           AND m.ts > now() - INTERVAL '2 minutes' GROUP BY 1, 2, 3, 4, 5)
 GROUP BY cluster, role ORDER BY busy DESC",
    ),
    (
        "Where do the users go? Requests a second in each cluster, now and twelve hours ago.",
        "SELECT cluster, round(sum(d) FILTER (WHERE age = 'now') / 300, 1) AS now,
       round(sum(d) FILTER (WHERE age = 'then') / 300, 1) AS twelve_hours_ago
  FROM (SELECT cluster, labels, CASE WHEN ts > now() - INTERVAL '5 minutes' THEN 'now' ELSE 'then' END AS age,
               max(value) - min(value) AS d
          FROM metrics WHERE name = 'http_requests_total' AND (ts > now() - INTERVAL '5 minutes'
            OR ts BETWEEN now() - INTERVAL '12 hours 5 minutes' AND now() - INTERVAL '12 hours')
         GROUP BY 1, 2, 3)
 GROUP BY cluster ORDER BY now DESC",
    ),
    (
        "What has restarted most in the last day?",
        "SELECT cluster, labels['namespace'] AS namespace, labels['pod'] AS pod, max(value) AS restarts
  FROM metrics WHERE name = 'kube_pod_container_status_restarts_total' AND value > 0
 GROUP BY 1, 2, 3 ORDER BY restarts DESC, cluster LIMIT 5",
    ),
];

/// How often it is looked whether all clusters were heard of.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Waits until the server has heard of so many clusters, then asks. A question that fails is told, and the rest asked.
pub(super) async fn give(server: SocketAddr, exporters: SocketAddr, clusters: usize) {
    let server = format!("http://{server}");
    println!("demo: fleetscope answers on {server}, the simulated fleet is on http://{exporters}");
    while !is_ready(&server, clusters).await {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    println!("\n# Is every cluster alive?\n$ fleetscope status --server {server}");
    let status = Status { connection: Connection::open(&server), color: Color::Auto };
    told(client::status(&status, std::io::stdout().is_terminal(), &mut std::io::stdout()).await);
    for (what, sql) in QUESTIONS {
        println!("\n# {what}\n$ fleetscope query --server {server} \"{sql}\"");
        let query = Query { sql: sql.to_owned(), connection: Connection::open(&server), format: Format::Table };
        told(client::query(&query, &mut std::io::stdout()).await);
    }
    println!(
        "\ndemo: running; one cluster is silent for a minute in every ten. ctrl-C ends it and removes everything.\n\
         demo: silence a cluster and see the load go over: curl -X POST http://{exporters}/berlin/silence (or /revive)"
    );
}

/// Whether the server has samples of its own fetching of so many clusters: those that were played are older.
async fn is_ready(server: &str, clusters: usize) -> bool {
    let sql =
        "SELECT count(DISTINCT cluster) FROM sources WHERE last_attempt IS NOT NULL AND kind IN ('scrape', 'federate')";
    let query = Query { sql: sql.to_owned(), connection: Connection::open(server), format: Format::Csv };
    let mut answer = Vec::new();
    let asked = client::query(&query, &mut answer).await;
    let count = String::from_utf8_lossy(&answer).lines().nth(1).and_then(|line| line.parse::<usize>().ok());
    asked.is_ok() && count.is_some_and(|count| count >= clusters)
}

fn told(answer: Result<(), Error>) {
    if let Err(error) = answer {
        println!("{error}");
    }
}
