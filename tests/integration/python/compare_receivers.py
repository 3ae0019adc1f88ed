"""Pushes the same requests of remote write 1.0 to us and to a Prometheus and holds what SQL says against what that has, row by
row; prints counts as JSON.

Usage: compare_receivers.py SERVER CLUSTER PROMETHEUS SEED

The sender's label `cluster` is our column. Values are compared bit for bit, staleness markers among them, but for this: the
wire of remote read has no minus zero, it leaves out what is equal to zero. Staleness markers of native histograms are in no answer
of Prometheus; that a query finds the series before its marker and not at it is.
"""

import json
import random
import sys
import time

import native_histograms
import our_sql
import prometheus_api
import remote_read
import remote_write
from native_histograms import STALE, Native, bits

ROUNDS, STEP_MS = 20, 15_000
MINUS_ZERO = 1 << 63
# Below all buckets: Prometheus answers one that reaches into the zero bucket as cut off.
ZERO_THRESHOLD = 2.0**-40
# What a float can be: a quiet NaN with a payload, both infinities, the smallest and the largest, tenths, whole numbers.
ODD = [0x7FF8000000000001, 0x7FF8000000001234, *map(bits, (float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308, 0.1, -0.3, 2.0**53))]


def made(numbers, end_ms, cluster):
    """Requests, each with one sample of every series; the last has markers for some."""
    requests, totals, natives = [], [0.0] * 4, {}
    for number in range(ROUNDS):
        time_ms, series = end_ms - (ROUNDS - 1 - number) * STEP_MS + numbers.randrange(100), []

        def add(name, labels, **rows):
            series.append(remote_write.series(our_sql.key(name, [("cluster", cluster), *labels]), **rows))

        is_last = number == ROUNDS - 1
        for n in range(len(totals)):
            totals[n] = 0.0 if number == 9 and n == 1 else totals[n] + numbers.choice([1, numbers.random(), 1 << 40])
            trace = [("span_id", f"{numbers.getrandbits(64):016x}"), ("trace_id", f"{numbers.getrandbits(128):032x}")]
            exemplar = ([*trace, ("user", f"ü{n}")] if n else trace, time_ms - 1, bits(numbers.random()))
            value = STALE if is_last and n == 2 else bits(totals[n])
            add("visits_total", [("path", f"/{n}"), ("quoted", 'a"b\\c\n')], samples=[(time_ms, value)], exemplars=[exemplar])
        for n in range(4):
            add("level", [("ort", f"zwölf {n}")], samples=[(time_ms, numbers.choice(ODD) if n else bits(numbers.gauss(0, 9)))])
        add("up", [("instance", "a:1"), ("job", "node")], samples=[(time_ms, STALE if is_last or number == 5 else bits(1))])
        for n in range(4):
            before = natives.get(n)
            grown = None if is_last and n == 3 else native(numbers, before, n)
            natives[n] = grown or before
            add("size_bytes", [("kind", f"{n}")], histograms=[(time_ms, grown)])
        requests.append(series)
    return requests


def native(numbers, before, n):
    """A histogram with observations beyond those of the one before; one kind is of floats, one starts anew now and then."""
    is_float = n == 1
    schema = (0, 3, 8, -2)[n]

    def grow(old):
        found = dict(old)
        for _ in range(3):
            index = numbers.randrange(-6, 7)
            found[index] = found.get(index, 0) + (numbers.random() if is_float else numbers.randrange(1, 1000))
        return tuple(sorted(found.items()))

    starts_anew = before is None or n == 2 and numbers.random() < 0.2
    positive, negative = ((), ()) if starts_anew else (before.positive, before.negative)
    positive, negative = grow(positive), grow(negative) if n != 3 else ()
    zero = (0 if starts_anew else before.zero_count) + (0.5 if is_float else 2) * (n != 2)
    count = zero
    for _, observations in positive + negative:
        count += observations
    return Native(schema, count, bits(numbers.uniform(-1e6, 1e6)), ZERO_THRESHOLD, zero, positive, negative, is_float)


def theirs(prometheus, cluster, span):
    """What the Prometheus has, the cluster taken out of the labels: samples, histograms, exemplars."""

    def without_cluster(labels):
        assert ("cluster", cluster) in labels, labels
        return tuple(label for label in labels if label[0] != "cluster")

    samples = {without_cluster(labels): rows for labels, rows in remote_read.read(prometheus, *span).items() if rows}
    histograms = {without_cluster(labels): rows for labels, rows in native_histograms.held(prometheus, *span).items()}
    exemplars = {(without_cluster(labels), *rest) for labels, *rest in prometheus_api.exemplars(prometheus, *span)}
    return samples, histograms, exemplars


def ours(server, cluster, span):
    """What SQL says: samples, histograms, exemplars, and the markers of histograms."""
    samples = our_sql.values(server, cluster, *span)
    for labels, times in our_sql.markers(server, cluster).items():
        for time_ms in times:
            assert time_ms not in samples.setdefault(labels, {}), f"a value and a marker: {labels} at {time_ms}"
            samples[labels][time_ms] = STALE
    histograms, markers = {}, set()
    for series, row in our_sql.rows_of_series(server, cluster, "histograms"):
        histogram = native_histograms.of_row(row)
        if histogram is None:
            markers.add((series, row["time_ms"]))
        else:
            histograms.setdefault(series, {})[row["time_ms"]] = native_histograms.as_answered(histogram)
    return samples, histograms, our_sql.exemplars(server, cluster), markers


def is_found(prometheus, series, time_ms):
    """Whether a query at this time gives the series."""
    return bool(prometheus_api.api(prometheus, "query", query=prometheus_api.selector(series), time=time_ms / 1000)["result"])


def flat(rows):
    if isinstance(rows, set):
        return rows
    return {(series, time_ms, 0 if row == MINUS_ZERO else row) for series, all_rows in rows.items() for time_ms, row in all_rows.items()}


def main():
    server, cluster, prometheus, seed = sys.argv[1:]
    end_ms = time.time_ns() // 1_000_000
    span = end_ms - (ROUNDS + 1) * STEP_MS, end_ms + STEP_MS
    for request in made(random.Random(int(seed)), end_ms, cluster):
        for receiver in (server, prometheus):
            remote_write.write(f"{receiver}/api/v1/write", request)
    *here, markers = ours(server, cluster, span)
    there = theirs(prometheus, cluster, span)
    verdict, examples = {}, []
    for what, expected, found in zip(("samples", "histograms", "exemplars"), map(flat, there), map(flat, here), strict=True):
        verdict[what] = {"equal": len(expected & found), "missing": len(expected - found), "foreign": len(found - expected)}
        examples += sorted(map(str, expected - found))[:3] + sorted(map(str, found - expected))[:3]
    verdict["markers"] = sum(row == STALE for *_, row in flat(here[0]))
    for series, time_ms in markers:
        assert is_found(prometheus, series, time_ms - 1), f"not there before its marker: {series}"
        assert not is_found(prometheus, series, time_ms), f"there at its marker: {series}"
    verdict["markers of histograms"] = len(markers)
    print(json.dumps(verdict | {"examples": examples}))


main()
