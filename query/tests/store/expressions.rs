//! Expressions of labels, wherever a question has them: beside and between joins, in groups, windows and subqueries.

use super::columnar::{logs, spans};
use super::*;

/// Questions and what they are answered with.
const QUESTIONS: [(&str, &str); 37] = [
    (
        "SELECT count(*) FROM logs a JOIN logs b ON coalesce(a.attributes['code'], '') = coalesce(b.attributes['code'], '')",
        "272",
    ),
    (
        "SELECT count(*) FROM logs a JOIN logs b ON a.cluster = b.cluster \
         AND nullif(a.attributes['n'], '3') = nullif(b.attributes['n'], '4')",
        "24",
    ),
    (
        "SELECT count(*) FROM logs a LEFT JOIN logs b \
         ON CASE WHEN a.attributes['code'] IS NULL THEN a.attributes['n'] END = b.attributes['code']",
        "20",
    ),
    (
        "SELECT count(*), count(a.body), count(b.body) FROM logs a FULL JOIN logs b \
         ON upper(a.resource['host']) = a.attributes['n'] AND a.severity_number = b.severity_number",
        "40,20,20",
    ),
    (
        "SELECT count(*), count(a.body) FROM logs a RIGHT JOIN logs b \
         ON concat(a.attributes['n'], '00') = b.attributes['code'] AND a.service = b.service",
        "20,0",
    ),
    (
        "SELECT count(*) FROM logs a JOIN logs b ON a.service = b.service \
         AND (a.attributes['n'] = b.attributes['code'] OR coalesce(a.attributes['n'], b.attributes['n']) = '2')",
        "40",
    ),
    (
        "SELECT a.attributes['n'], b.attributes['n'], count(*) FROM logs a JOIN logs b \
         ON a.attributes['n'] || 'x' = b.attributes['n'] || 'x' \
         WHERE a.attributes['n'] > '2' OR b.attributes['code'] IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        "0,0,16\n3,3,16\n4,4,16",
    ),
    (
        "SELECT coalesce(a.attributes['code'], '-'), coalesce(b.attributes['code'], '-'), count(*) FROM logs a JOIN logs b \
         ON coalesce(a.attributes['code'], '-') = coalesce(b.attributes['code'], '-') AND a.severity_number = 17 \
         GROUP BY 1, 2",
        "500,500,16",
    ),
    (
        "SELECT l.attributes['n'], s.attributes['http.route'], count(*) FROM logs l LEFT JOIN spans s \
         ON l.trace_id = s.trace_id WHERE l.attributes['n'] IS NOT NULL OR s.attributes['http.route'] IS NULL \
         GROUP BY 1, 2 ORDER BY 1, 2",
        "0,/pay,8\n1,,4\n2,/pay,8\n3,,4\n4,/pay,8",
    ),
    (
        "SELECT p.attributes['n'], count(*) FROM logs p LEFT JOIN logs c ON p.span_id = c.span_id \
         WHERE c.attributes['code'] IS NOT NULL GROUP BY 1 ORDER BY 1",
        "0,16\n2,16\n4,16",
    ),
    (
        "SELECT a.attributes['n'], c.labels['cpu'], count(*) FROM logs a JOIN spans b ON a.trace_id = b.trace_id \
         LEFT JOIN metrics c ON coalesce(a.attributes['n'], '-') = coalesce(c.labels['cpu'], '-') \
         WHERE b.attributes['http.route'] = '/pay' OR c.labels['mode'] IS NULL GROUP BY 1, 2 ORDER BY 1, 2",
        "0,0,3840\n2,,8\n4,,8",
    ),
    (
        "SELECT a.labels['cpu'], count(*) FROM metrics a JOIN metrics b \
         ON coalesce(a.labels['cpu'], '') = coalesce(b.labels['cpu'], '') AND a.ts = b.ts AND a.cluster <> b.cluster \
         GROUP BY a.labels['cpu'] ORDER BY a.labels['cpu']",
        "0,480\n1,480",
    ),
    (
        "SELECT count(*) FROM series a JOIN series b ON coalesce(a.labels['cpu'], '') = coalesce(b.labels['cpu'], '')",
        "8",
    ),
    (
        "SELECT count(*) FROM logs \
         WHERE coalesce(attributes['code'], '') IN (SELECT coalesce(attributes['code'], 'none') FROM logs)",
        "4",
    ),
    (
        "SELECT count(*) FROM logs a WHERE NOT EXISTS \
         (SELECT 1 FROM logs b WHERE coalesce(a.attributes['code'], b.attributes['n']) = b.attributes['n'])",
        "4",
    ),
    (
        "SELECT c.name, (SELECT count(*) FROM logs l WHERE l.cluster = c.name AND coalesce(l.attributes['n'], '') = '3') \
         FROM (SELECT DISTINCT cluster AS name FROM logs) c ORDER BY 1",
        "east,2\nwest,2",
    ),
    (
        "SELECT count(*) FROM logs a WHERE a.attributes['n'] NOT IN (SELECT coalesce(attributes['code'], '1') FROM logs)",
        "16",
    ),
    (
        "WITH c AS (SELECT attributes, random() AS r FROM logs LIMIT 50) \
         SELECT a.attributes['n'], count(*), count(b.r) FROM c a LEFT JOIN c b ON a.attributes['n'] = b.attributes['n'] \
         AND nullif(a.attributes['code'], '') = nullif(b.attributes['code'], '') GROUP BY 1 ORDER BY 1 LIMIT 2",
        "0,16,16\n1,4,0",
    ),
    (
        "SELECT c.cluster, x.n FROM (SELECT DISTINCT cluster FROM logs) c, \
         LATERAL (SELECT count(*) AS n FROM logs l WHERE l.cluster = c.cluster AND coalesce(l.attributes['n'], '') > '2') x \
         ORDER BY 1",
        "east,4\nwest,4",
    ),
    ("SELECT attributes['n'], (SELECT max(attributes['n']) FROM logs) FROM logs ORDER BY 1 LIMIT 1", "0,4"),
    // Columns of labels that are one, and a label that is a column already.
    (
        "SELECT k['n'], l['n'], max(k['code']), max(l['code']), count(*) FROM \
         (SELECT attributes AS k, attributes AS l FROM logs LIMIT 50) GROUP BY CUBE (k['n'], l['n']) ORDER BY 1, 2 LIMIT 3",
        "0,0,500,500,4\n0,,500,500,4\n1,1,,,4",
    ),
    (
        "SELECT count(*), count(n), sum(c) FROM (SELECT k, attributes['n'] AS n, count(*) AS c FROM \
         (SELECT attributes['n'] AS k, attributes FROM logs LIMIT 50) GROUP BY GROUPING SETS ((k), (k, attributes['n'])))",
        "10,5,40",
    ),
    (
        "SELECT attributes['n'], count(*) FROM (SELECT DISTINCT attributes FROM logs) GROUP BY 1 ORDER BY 1 LIMIT 2",
        "0,1\n1,1",
    ),
    ("SELECT attributes['n'] FROM logs EXCEPT SELECT attributes['code'] FROM logs ORDER BY 1 LIMIT 2", "0\n1"),
    // Columns that have the names of others.
    (
        "SELECT attributes['n'], __label_2, sum(__label_3) FROM \
         (SELECT body AS __label_1, service AS __label_2, severity_number AS __label_3, attributes FROM logs LIMIT 50) \
         WHERE attributes['n'] > '1' OR __label_1 LIKE 'pay%' GROUP BY 1, 2 ORDER BY 1, 2 LIMIT 2",
        "0,pay,34\n1,pay,18",
    ),
    (
        "SELECT a.attributes['n'], count(*) FROM logs a \
         JOIN (SELECT trace_id, service AS __label_1, attributes AS __label_2 FROM logs) logs ON a.trace_id = logs.trace_id \
         WHERE logs.__label_1 > a.attributes['n'] OR logs.__label_2['n'] < a.attributes['code'] GROUP BY 1 ORDER BY 1 LIMIT 1",
        "0,16",
    ),
    (
        "SELECT body, service, k FROM \
         (SELECT service AS body, body AS service, attributes['n'] AS k, attributes FROM logs WHERE service = 'pay') \
         WHERE attributes['n'] = '3' ORDER BY 1, 2, 3",
        "pay,pay handled request 3 in east,3\npay,pay handled request 3 in west,3",
    ),
    (
        "SELECT a, c, s['n'] FROM (SELECT t.b AS a, t.a AS c, s FROM \
         (SELECT body AS a, cluster AS b, attributes AS s FROM logs) t LIMIT 50) \
         WHERE c LIKE 'pay%' AND s['code'] IS NOT NULL ORDER BY 1, 2, 3",
        "east,pay handled request 0 in east,0\nwest,pay handled request 0 in west,0",
    ),
    (
        "WITH some AS (SELECT severity_number v, attributes s, cluster env FROM logs), \
         more AS (SELECT v, s, env FROM some UNION ALL SELECT v, s, env FROM some WHERE 1 = 2) \
         SELECT env, max(s['n']), sum(v) FROM more GROUP BY env ORDER BY env",
        "east,4,106\nwest,4,106",
    ),
    (
        "SELECT m['n'], m['http.route'], count(*) FROM \
         (SELECT attributes AS m, cluster FROM logs UNION ALL SELECT attributes, cluster FROM spans) u \
         JOIN (SELECT DISTINCT cluster FROM logs) c USING (cluster) GROUP BY 1, 2 ORDER BY 1, 2",
        "0,,4\n1,,4\n2,,4\n3,,4\n4,,4\n,/pay,10",
    ),
    (
        "SELECT x.k, count(*) FROM (SELECT coalesce(a.attributes['n'], b.attributes['n']) AS k FROM logs a \
         FULL JOIN logs b ON a.attributes['code'] = b.attributes['n']) x \
         JOIN (SELECT DISTINCT attributes['n'] AS k FROM logs) y ON nullif(x.k, '1') = nullif(y.k, '2') \
         GROUP BY x.k ORDER BY 1",
        "0,8\n3,8\n4,8",
    ),
    (
        "SELECT attributes['n'], attributes['code'], grouping(attributes['code']), count(*) FROM logs \
         GROUP BY ROLLUP (attributes['n'], attributes['code']) ORDER BY 1, 2, 3 LIMIT 4",
        "0,500,0,4\n0,,1,4\n1,,0,4\n1,,1,4",
    ),
    (
        "SELECT attributes['n'], row_number() OVER (PARTITION BY attributes['n'] ORDER BY cluster, service) FROM logs \
         WHERE resource['host'] = 'h' ORDER BY 1, 2 LIMIT 5",
        "0,1\n0,2\n0,3\n0,4\n1,1",
    ),
    (
        "SELECT CASE WHEN attributes['n'] > '3' THEN resource['host'] END, row_number() OVER \
         (PARTITION BY CASE WHEN attributes['n'] > '3' THEN resource['host'] END ORDER BY severity_number) \
         FROM logs ORDER BY 1, 2 LIMIT 5",
        "h,1\nh,2\nh,3\nh,4\n,1",
    ),
    (
        "SELECT body, max(attributes['n']) OVER (PARTITION BY coalesce(attributes['code'], '-')), \
         lag(attributes['n']) OVER (ORDER BY body) FROM logs WHERE cluster = 'east' ORDER BY body LIMIT 2",
        "cart handled request 0 in east,0,\ncart handled request 1 in east,4,0",
    ),
    (
        "SELECT DISTINCT ON (attributes['n']) attributes['n'], body FROM logs ORDER BY attributes['n'], body LIMIT 2",
        "0,cart handled request 0 in east\n1,cart handled request 1 in east",
    ),
    (
        "SELECT count(DISTINCT attributes['n']), max(attributes['code']) FILTER (WHERE attributes['n'] < '1') \
         FROM (SELECT * FROM logs ORDER BY ts LIMIT 20)",
        "5,500",
    ),
];

async fn filled(folder: &tempfile::TempDir) -> (Store, Engine) {
    let (store, engine) = open(folder, &Arc::new(ManualClock::new(NOON))).await;
    write(&store, NOON, 0.0).await;
    store.write_logs(logs(0, 3)).await.unwrap();
    store.write_spans(spans(0, 3)).await.unwrap();
    store.cut().await.unwrap();
    store.write_logs(logs(3, 5)).await.unwrap();
    store.write_spans(spans(3, 5)).await.unwrap();
    (store, engine)
}

#[tokio::test(flavor = "multi_thread")]
async fn expressions_of_labels_may_stand_anywhere() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, engine) = filled(&folder).await;
    for (question, answer) in QUESTIONS {
        assert_eq!(ask(&engine, question).await, answer, "{question}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_are_read_once_per_series_below_whatever_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (_store, engine) = filled(&folder).await;
    for (question, scans) in [
        (
            "SELECT count(*) FROM metrics a JOIN metrics b ON coalesce(a.labels['cpu'], '') = coalesce(b.labels['cpu'], '')",
            2,
        ),
        (
            "SELECT count(*) FROM metrics a LEFT JOIN metrics b ON a.value = b.value WHERE a.labels['cpu'] > b.labels['cpu']",
            2,
        ),
        (
            "SELECT m['cpu'] FROM (SELECT labels AS m FROM metrics UNION ALL SELECT labels FROM metrics) ORDER BY m['cpu']",
            2,
        ),
        ("SELECT row_number() OVER (PARTITION BY labels['cpu'] ORDER BY upper(labels['cpu'])) FROM metrics", 1),
        (
            "SELECT max(labels['cpu']) FROM (SELECT labels, value FROM metrics ORDER BY value LIMIT 9) GROUP BY labels['cpu']",
            1,
        ),
    ] {
        let plan = ask(&engine, &format!("EXPLAIN FORMAT INDENT {question}")).await;
        let columns: Vec<&str> = plan.split("SeriesColumnsExec: columns=[").skip(1).collect();
        assert_eq!(columns.len(), scans, "{plan}");
        for columns in columns {
            let columns = columns.split(", matchers=").next().unwrap();
            assert!(columns.contains("labels[\"cpu\"]") && !columns.contains("labels,"), "{plan}");
            assert!(!columns.contains("labels]"), "{plan}");
        }
    }
}
