"""Holds what we scraped against what a Prometheus scraped of the same pages, row by row; prints counts as JSON.

Usage: compare_scrapes.py SERVER CLUSTER SOURCE PAGES

The two do not scrape at the same instants. So a row at the time of a scrape (its `up` tells it) is compared by the number of
the scrape, which is the number of the page that both got; a row with a timestamp of the page by that. Judged are the first
PAGES scrapes of each target. Values are compared bit for bit, staleness markers among them, but for these:

1. The values of `scrape_duration_seconds` are each scraper's own, and so is what of a page counts that is refused, and which
   series are new after one (the target `limited` has some).
2. The wire of remote read has no minus zero: it leaves out what is equal to zero.
3. A Prometheus remembers the series of a page that it then refuses, and so marks, one scrape later, series as ended that it never
   had a row of. A marker that follows no value says nothing and is not compared.
4. For the same reason it does not mark a series at a scrape that failed after the series had been read. This cannot be told
   from a marker that is missing, so markers of the target `limited`, whose pages fail at their end, are not compared.
"""

import json
import sys

import our_sql
import remote_read
from remote_read import STALE

HOUR_MS = 3_600_000
MINUS_ZERO = 1 << 63


def telling(series):
    """The rows of a series without the markers that follow no value."""
    found, alive = {}, False
    for time_ms in sorted(series):
        is_marker = series[time_ms] == STALE
        if alive or not is_marker:
            found[time_ms] = series[time_ms]
        alive = not is_marker
    return found


def our_rows(server, cluster):
    """Every row, markers too: {labels: {time_ms: bits}}."""
    span = our_sql.ask(server, "SELECT min(time_ms) AS first, max(time_ms) AS last FROM samples").to_pylist()[0]
    found = our_sql.values(server, cluster, span["first"], span["last"])
    for labels, times in our_sql.markers(server, cluster).items():
        series = found.setdefault(labels, {})
        for time_ms in times:
            assert time_ms not in series, f"a value and a marker: {labels} at {time_ms}"
            series[time_ms] = STALE
    return found, span


def judged(rows, pages):
    """The rows of the first scrapes of each target, as (labels, number of the scrape or time, bits)."""
    scrapes, down = {}, {}
    for labels, series in rows.items():
        names = dict(labels)
        if names["__name__"] == "up":
            scrapes.setdefault(names["target"], set()).update(series)
            down.setdefault(names["target"], set()).update(time_ms for time_ms, bits in series.items() if bits == 0)
    numbers = {target: {t: n for n, t in enumerate(sorted(times))} for target, times in scrapes.items()}
    found = set()
    for labels, series in rows.items():
        names = dict(labels)
        number_of = numbers[names["target"]]
        last = max(t for t, n in number_of.items() if n < pages)
        for time_ms, bits in telling(series).items():
            if bits == STALE and names["target"] == "limited":
                continue
            if time_ms in number_of and number_of[time_ms] < pages:
                at = ("scrape", number_of[time_ms])
            elif time_ms not in number_of and time_ms <= last:
                at = ("time", time_ms)
            else:
                continue
            name, target = names["__name__"], names["target"]
            is_own = name == "scrape_duration_seconds" or (name, target) == ("scrape_series_added", "limited") \
                or name.startswith("scrape_") and time_ms in down.get(target, ())
            if is_own and bits != STALE:
                bits = "its own"
            if bits == MINUS_ZERO:
                bits = 0
            found.add((labels, at, bits))
    return found


def main():
    server, cluster, source, pages = sys.argv[1:4] + [int(sys.argv[4])]
    ours, span = our_rows(server, cluster)
    theirs = remote_read.read(source, span["first"] - HOUR_MS, span["last"] + HOUR_MS)
    ours, theirs = judged(ours, pages), judged(theirs, pages)

    def shown(rows):
        return [f"{dict(labels)} {at} {bits if isinstance(bits, str) else hex(bits)}" for labels, at, bits in rows]

    print(
        json.dumps(
            {
                "equal": len(ours & theirs),
                "markers": sum(bits == STALE for _, _, bits in ours & theirs),
                "missing": len(theirs - ours),
                "foreign": len(ours - theirs),
                "examples": {"missing": shown(sorted(theirs - ours, key=str)[:12]), "foreign": shown(sorted(ours - theirs, key=str)[:12])},
            }
        )
    )


main()
