"""Holds what SQL says of a cluster that is read by remote read against the source's own answers, bit for bit; prints
counts as JSON.

Usage: compare_remote_read.py SERVER CLUSTER SOURCE

Every sample that the source has must be there, once, at its time and with its bits, staleness markers among them, up to
the newest time that we say has been read. Rows that tell of the reading itself are ours; the source has none of them.
"""

import json
import sys

import our_sql
import remote_read
from our_sql import ask
from remote_read import STALE

SINCE = "fleetscope_remote_read_since_timestamp_seconds"


def of_source(found):
    """Without the rows that tell of the reading itself."""
    ours = [("job", "federate"), ("__name__", SINCE)]
    return {labels: rows for labels, rows in found.items() if not any(label in labels for label in ours)}


def main():
    server, cluster, source = sys.argv[1:4]
    times = ask(
        server,
        f"SELECT min(time_ms) FILTER (WHERE name <> '{SINCE}') AS first, "
        f"max(time_ms) FILTER (WHERE name = '{SINCE}') AS last FROM samples WHERE cluster = '{cluster}'",
    ).to_pylist()[0]
    last = times["last"]
    theirs = remote_read.read(source, 0, last)
    first = min(min(series) for series in theirs.values())
    # The helper fails for a row that comes twice.
    ours = of_source(our_sql.values(server, cluster, min(first, times["first"]), last))
    markers = of_source(our_sql.markers(server, cluster))
    for labels, ends in markers.items():
        for time_ms in ends:
            if time_ms <= last:
                ours.setdefault(labels, {}).setdefault(time_ms, STALE)

    counts = dict.fromkeys(["theirs", "stale", "missing", "ours", "foreign", "changed"], 0)
    examples = []

    def note(what, *about):
        counts[what] += 1
        if len(examples) < 5:
            examples.append(f"{what}: {about}")

    for labels, series in theirs.items():
        here = ours.get(labels, {})
        for time_ms, bits in series.items():
            counts["theirs"] += 1
            counts["stale"] += bits == STALE
            if time_ms not in here:
                note("missing", labels, time_ms, hex(bits))
            elif here[time_ms] != bits:
                note("changed", labels, time_ms, hex(here[time_ms]), hex(bits))
    for labels, series in ours.items():
        counts["ours"] += len(series)
        for time_ms in series.keys() - theirs.get(labels, {}).keys():
            note("foreign", labels, time_ms)
    print(json.dumps({**counts, "seconds": (last - first) / 1000, "examples": examples}))


main()
