"""Holds what SQL says of a federated cluster against the source's own remote read, bit for bit; prints counts as JSON.

Usage: compare_federation.py SERVER CLUSTER SOURCE

Judged is the time between our first and our last sample, less MARGIN_MS at either end, where a fetch may have come
too early or too late. Two things may differ, and nothing else:

1. Rows that tell of the fetching itself (`up` and `scrape_*` with the job `federate`) are ours; the source has none of them.
2. The time of a staleness marker. `/federate` leaves a stale series out and cannot say since when, so ours has the time of
   the first fetch that lacked it. One of ours is right if the source's newest sample of the series up to that time, or up
   to MARGIN_MS before it (a scrape that began before the fetch may be there only after it), is a marker too, or older than
   the five minutes after which a Prometheus gives nothing for a series. One of the source is found if we have one from its
   time on, before the series' next sample.
"""

import bisect
import json
import sys

import our_sql
import remote_read
from our_sql import ask, milliseconds
from remote_read import STALE

MARGIN_MS = 2000
LOOKBACK_MS = 5 * 60 * 1000


def of_source(found):
    """Without the rows that tell of the fetching itself."""
    return {labels: rows for labels, rows in found.items() if ("job", "federate") not in labels}


def our_fetches(server, cluster):
    """When fetches that went well began, in order."""
    sql = f"SELECT ts, labels FROM metrics WHERE cluster = '{cluster}' AND name = 'up' AND value = 1"
    table = ask(server, sql)
    return sorted(t for t, labels in zip(milliseconds(table["ts"]), table["labels"].to_pylist()) if ("job", "federate") in labels)


def is_gone(series, time_ms):
    """Whether a source gives nothing for a series at a time: its newest sample is a marker, too old, or not there."""
    newest = max((t for t in series if t <= time_ms), default=None)
    return newest is None or series[newest] == STALE or newest <= time_ms - LOOKBACK_MS


def main():
    server, cluster, source = sys.argv[1:4]
    span = ask(
        server,
        "SELECT min(time_ms) AS first, max(time_ms) AS last FROM samples "
        f"WHERE cluster = '{cluster}' AND name = 'prometheus_build_info'",
    ).to_pylist()[0]
    first, last = span["first"], span["last"]
    ours = of_source(our_sql.values(server, cluster, first - MARGIN_MS, last + MARGIN_MS))
    markers = of_source(our_sql.markers(server, cluster))
    # Read after ours, so that it has whatever ours can have.
    theirs = remote_read.read(source, first - LOOKBACK_MS, last + LOOKBACK_MS)

    fetches = our_fetches(server, cluster)
    kinds = ["theirs", "stale", "missing", "unasked", "ours", "markers", "foreign", "changed"]
    counts = dict.fromkeys(kinds, 0)
    examples = []

    def note(what, *about):
        counts[what] += 1
        if len(examples) < 5:
            examples.append(f"{what}: {about}")

    for labels, series in theirs.items():
        values, ends = ours.get(labels, {}), sorted(markers.get(labels, ()))
        times = sorted(series)
        for place, time_ms in enumerate(times):
            if not first + MARGIN_MS <= time_ms <= last - MARGIN_MS:
                continue
            counts["theirs"] += 1
            until = times[place + 1] if place + 1 < len(times) else float("inf")
            if series[time_ms] != STALE:
                if time_ms not in values:
                    note("missing", labels, time_ms)
                    asked = bisect.bisect(fetches, until) > bisect.bisect(fetches, time_ms)
                    counts["unasked"] += not asked
                continue
            counts["stale"] += 1
            if not any(time_ms <= end < until for end in ends):
                note("missing", labels, time_ms, "stale")
    for labels, values in ours.items():
        series = theirs.get(labels, {})
        for time_ms, bits in values.items():
            counts["ours"] += 1
            if time_ms not in series:
                note("foreign", labels, time_ms)
            elif series[time_ms] != bits:
                note("changed", labels, time_ms, hex(bits), hex(series[time_ms]))
    for labels, ends in markers.items():
        series = theirs.get(labels, {})
        for time_ms in ends:
            counts["markers"] += 1
            if not any(is_gone(series, t) for t in (time_ms, time_ms - MARGIN_MS)):
                note("foreign", labels, time_ms, "stale")
    print(json.dumps({**counts, "fetches": len(fetches), "seconds": (last - first) / 1000, "examples": examples}))


main()
