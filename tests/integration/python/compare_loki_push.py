"""Pushes log rows as clients of Loki do and holds what SQL says of them against what was sent, field by field; prints counts
as JSON.

Usage: compare_loki_push.py SERVER CLUSTER CLIENT TOKEN SEED FILE

CLIENT is one of `protobuf` and `json`, which are written by hand (loki_push.py), and `handler`, PyPI's handler of Python's
logging, which sends JSON in gzip. Whatever else there is of this cluster is foreign. What was found is kept in FILE.
"""

import json
import logging
import random
import sys
import time

import held_rows
import loki_push
import our_sql
from loki_logger_handler.loki_logger_handler import LokiLoggerHandler
from otlp_values import WORDS

# Labels of streams, and the columns that are made of them.
STREAMS = [
    (
        {"app": "till", "namespace": "prod", "pod": "till-5", "container": "main", "node_name": "n1", "cluster": "dublin"},
        {"service": "till", "namespace": "prod", "pod": "till-5", "container": "main", "node": "n1"},
    ),
    ({"job": "zwölf \"Körbe\"\n\\", "filename": "/var/log/日本.log"}, {"service": "zwölf \"Körbe\"\n\\"}),
    ({"zone": "a"}, {"service": "unknown_service"}),
]
ENTRIES = 30
# What Python's logging calls a level: Loki's word, and OpenTelemetry's number.
LEVELS = {"DEBUG": ("debug", 5), "INFO": ("info", 9), "WARNING": ("warn", 13), "ERROR": ("error", 17), "CRITICAL": ("critical", 21)}


def row(cluster, labels, columns, own):
    """A row of a stream."""
    resource = dict(labels)
    if "cluster" in resource:
        # The cluster is who the token says.
        resource["exported_cluster"] = resource.pop("cluster")
    told = {"namespace": "", "pod": "", "container": "", "node": "", "scope_name": "", "scope_version": "", "flags": 0}
    told |= {"cluster": cluster, "resource": resource | {"service_name": columns["service"]}}
    return told | columns | own


def entry(numbers, now):
    """An entry, and its columns."""
    time_ns = now - numbers.randrange(60_000_000_000)
    metadata = {f"key_{numbers.randrange(9)}": numbers.choice(WORDS) for _ in range(numbers.randrange(4))}
    line, level, severity = numbers.choice(WORDS), "unknown", 0
    ids = None, None
    if numbers.random() < 0.3:
        level, severity = "error", 17
        line = f'level=error msg="no {numbers.getrandbits(20)} left"'
    elif numbers.random() < 0.3:
        level, severity = "warn", 13
        metadata["level"] = level
    attributes = metadata | {"detected_level": level}
    if numbers.random() < 0.5:
        ids = f"{numbers.getrandbits(128) | 1:032x}", f"{numbers.getrandbits(64) | 1:016x}"
        metadata |= {"trace_id": ids[0], "span_id": ids[1]}
    return (time_ns, line, metadata), {
        "ts": time_ns,
        "body": line,
        "severity_text": level,
        "severity_number": severity,
        "trace_id": ids[0],
        "span_id": ids[1],
        "attributes": attributes,
    }


def by_hand(form, url, cluster, token, numbers):
    """Pushes a few requests with all streams in each; returns their rows."""
    rows, now = [], time.time_ns()
    for _ in range(3):
        streams = []
        for labels, columns in STREAMS:
            drawn = [entry(numbers, now) for _ in range(ENTRIES)]
            # The same time once more, and the same row twice.
            again = (drawn[0][0][0], "another line at the same time", {})
            drawn += [drawn[1], (again, drawn[0][1] | {"body": again[1], "severity_text": "unknown", "severity_number": 0, "trace_id": None, "span_id": None, "attributes": {"detected_level": "unknown"}})]
            streams.append((labels, [one for one, _ in drawn]))
            rows += [row(cluster, labels, columns, own) for _, own in drawn]
        loki_push.push(url, token, streams, form)
    return rows


def with_handler(url, cluster, token, numbers):
    """Logs with Python's logging; returns the rows. The lines are those that the handler made, which has a form of its own."""
    labels, columns = STREAMS[0]
    handler = LokiLoggerHandler(
        url=url,
        labels=labels,
        label_keys=["level", "tier"],
        auth=("any", token),
        # It sends when it is told to, at the end.
        timeout=3600,
        enable_structured_loki_metadata=True,
        loki_metadata={"release": "1.2 \"final\""},
    )
    sent, send = [], handler.request.send
    handler.request.send = lambda data: (sent.append(data), send(data))[1]
    logger = logging.Logger("till")
    logger.addHandler(handler)
    logged = {}
    for place in range(ENTRIES):
        level, tier = numbers.choice(list(LEVELS)), numbers.choice(["web", "räume"])
        metadata = {f"key_{numbers.randrange(9)}": numbers.choice(WORDS), "count": numbers.getrandbits(40)}
        message = f"{place} {numbers.choice(WORDS)}"
        logger.log(getattr(logging, level), "%s", message, extra={"tier": tier, "loki_metadata": metadata})
        logged[message] = level, tier, {name: str(value) for name, value in metadata.items()}
    handler._send()
    assert not handler.error and len(sent) == 1, sent
    rows = []
    for stream in json.loads(sent[0])["streams"]:
        for time_ns, line, _ in stream["values"]:
            level, tier, metadata = logged.pop(json.loads(line)["message"])
            word, severity = LEVELS[level]
            own = {"ts": int(time_ns), "body": line, "severity_text": level, "severity_number": severity, "trace_id": None, "span_id": None}
            own["attributes"] = {"release": '1.2 "final"'} | metadata | {"detected_level": word}
            rows.append(row(cluster, labels | {"level": level, "tier": tier}, columns, own))
    assert not logged, f"the handler did not send {logged}"
    return rows


def main():
    server, cluster, client, token, seed, kept = sys.argv[1:]
    url, numbers, begin = f"{server}/loki/api/v1/push", random.Random(int(seed)), time.time_ns()
    if client == "handler":
        sent = with_handler(url, cluster, token, numbers)
    else:
        form = {"protobuf": loki_push.in_protobuf, "json": loki_push.in_json}[client]
        sent = by_hand(form, url, cluster, token, numbers)
    statement = f"SELECT * FROM logs WHERE cluster = '{cluster}'"
    found = our_sql.rows(server, statement)
    held_rows.keep(kept, statement, found)
    print(json.dumps({"logs": held_rows.hold(client, sent, held_rows.arrived(found, begin, time.time_ns()))}))


main()
