"""Sends documents with Elastic's own client for Python and holds what SQL says of them against what was sent, field by field;
prints counts as JSON.

Usage: compare_elasticsearch.py SERVER CLUSTER TOKEN SEED FILE

Whatever else there is of this cluster is foreign. What was found is kept in FILE.
"""

import datetime
import json
import random
import sys
import time

import elasticsearch
import held_rows
import our_sql
from elasticsearch import helpers
from otlp_values import WORDS

DOCUMENTS = 60
# So many documents in a request.
CHUNK = 25
# Words for levels, and OpenTelemetry's numbers of them.
LEVELS = {"trace": 1, "debug": 5, "INFO": 9, "notice": 10, "warning": 13, "err": 17, "critical": 21, "": 0}
# What each shows its token as, and below which path it asks.
CLIENTS = [
    ("/elasticsearch", lambda token: {"basic_auth": ("any", token)}),
    ("/elasticsearch", lambda token: {"api_key": ("any", token)}),
    ("", lambda token: {"bearer_auth": token}),
]


def in_json(value):
    """A value as the client writes it."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def document(numbers, now):
    """A document, and its columns and the fields of its resource."""
    micros = now // 1000 - numbers.randrange(60_000_000)
    at = datetime.datetime.fromtimestamp(micros / 1_000_000, datetime.timezone.utc)
    at = at.replace(microsecond=micros % 1_000_000)
    line, level = numbers.choice(WORDS), numbers.choice(list(LEVELS))
    ids = f"{numbers.getrandbits(128) | 1:032x}", f"{numbers.getrandbits(64) | 1:016x}"
    own = {
        "count": numbers.getrandbits(53),
        "share": numbers.choice([0.5, 1e-7, -3.25, 1e22, numbers.random()]),
        "paid": numbers.random() < 0.5,
        "tags": numbers.sample(WORDS[1:5], numbers.randrange(3)),
        "wörter": numbers.choice(WORDS),
    }
    whose = {"kubernetes.namespace": "prod", "kubernetes.pod.name": "shop-1", "host.name": numbers.choice(["h1", "h2"])}
    sent = {
        "@timestamp": at,
        "message": line,
        "log": {"level": level, "file": {"path": "/var/log/日本.log"}},
        "trace.id": ids[0],
        "span": {"id": ids[1]},
        "app": own | {"nothing": None, "empty": {}},
        "kubernetes": {"namespace": "prod", "pod": {"name": "shop-1"}},
        "host": {"name": whose["host.name"]},
        "service.name": "shop",
    }
    return sent, {
        "ts": micros * 1000,
        "body": line,
        "severity_text": level,
        "severity_number": LEVELS[level],
        "trace_id": ids[0],
        "span_id": ids[1],
        "attributes": {"log.file.path": "/var/log/日本.log"} | {f"app.{name}": in_json(value) for name, value in own.items()},
    }, whose | {"service.name": "shop"}


def row(cluster, index, own, whose):
    told = {"container": "", "node": "", "scope_name": "", "scope_version": "", "flags": 0}
    told |= {"cluster": cluster, "service": "shop", "namespace": "prod", "pod": "shop-1"}
    return told | own | {"resource": whose | {"elasticsearch.index": index}}


class Sender:
    """Draws documents and keeps the rows of those that must be there."""

    def __init__(self, cluster, numbers):
        self.cluster, self.numbers, self.rows = cluster, numbers, []

    def actions(self, index, of_item, words):
        """Actions with these words by turns; every third goes to an index of its own."""
        now = time.time_ns()
        for place in range(DOCUMENTS):
            sent, own, whose = document(self.numbers, now)
            action = {"_op_type": words[place % len(words)], "_source": sent}
            if place % 3 == 0:
                action["_index"] = of_item
            self.rows.append(row(self.cluster, action.get("_index", index), own, whose))
            yield action

    def all_good(self, client):
        taken, errors = helpers.bulk(
            client, self.actions("logs-shop", "logs-other", ["index"]), index="logs-shop", chunk_size=CHUNK, refresh="wait_for"
        )
        assert (taken, errors) == (DOCUMENTS, []), (taken, errors)

    def one_bad(self, client):
        """Two of the items are wrong: one has no such time, one would take a row away."""
        bad = {"_op_type": "create", "_source": {"@timestamp": "yesterday", "message": "bad"}}
        gone = {"_op_type": "delete", "_id": "17"}
        actions = list(self.actions("logs-shop", "logs-other", ["create", "index"]))
        actions[7:7], actions[31:31] = [bad], [gone]
        told = helpers.streaming_bulk(client, actions, index="logs-shop", chunk_size=CHUNK, raise_on_error=False, refresh=True)
        told = list(told)
        wrong = [(place, *item.popitem()) for place, (is_good, item) in enumerate(told) if not is_good]
        assert [(place, word, item["status"]) for place, word, item in wrong] == [(7, "create", 400), (31, "delete", 400)], wrong
        assert "yesterday" in str(wrong[0][2]["error"]) and wrong[1][2]["_id"] == "17", wrong
        assert len(told) == DOCUMENTS + 2, len(told)


def main():
    server, cluster, token, seed, kept = sys.argv[1:]
    sender, begin = Sender(cluster, random.Random(int(seed))), time.time_ns()
    for path, auth in CLIENTS:
        with elasticsearch.Elasticsearch(server + path, **auth(token)) as client:
            assert client.info()["tagline"] == "You Know, for Search"
            sender.all_good(client)
            sender.one_bad(client)
    with elasticsearch.Elasticsearch(server, bearer_auth="wrong") as client:
        try:
            helpers.bulk(client, sender.actions("none", "none", ["index"]), index="none")
            sys.exit("a wrong token was taken")
        except elasticsearch.AuthenticationException:
            sender.rows = [row for row in sender.rows if row["resource"]["elasticsearch.index"] != "none"]
    statement = f"SELECT * FROM logs WHERE cluster = '{cluster}'"
    found = our_sql.rows(server, statement)
    held_rows.keep(kept, statement, found)
    found = held_rows.arrived(found, begin, time.time_ns())
    print(json.dumps({"logs": held_rows.hold("elasticsearch", sender.rows, found)}))


main()
