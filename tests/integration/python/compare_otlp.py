"""Sends metrics with OpenTelemetry's SDK and holds what SQL says of them against what was recorded, field by field; prints
counts as JSON.

Usage: compare_otlp.py SERVER CLUSTER PROTOCOL ADDRESS TOKEN SEED PROMETHEUS

Values are compared bit for bit. Whatever else there is of a sender of this name is foreign. A Prometheus without OTLP is given the
same by remote write; what it then has is held against what SQL says as well.
"""

import json
import sys

import native_histograms
import otlp_sdk
import our_sql
import prometheus_api
import remote_read
import remote_write


def rows_of(server, cluster, protocol, table):
    """The rows of a table that this sender's series have, each with the key of its series."""
    for series, row in our_sql.rows_of_series(server, cluster, table):
        if dict(series).get("instance") == protocol:
            yield series, row


def of_sender(protocol, rows):
    """The rows whose series are this sender's."""
    if isinstance(rows, set):
        return {row for row in rows if dict(row[0]).get("instance") == protocol}
    return {series: of_series for series, of_series in rows.items() if dict(series).get("instance") == protocol}


def read(server, cluster, protocol, span):
    """What the server has of this sender."""
    found = otlp_sdk.Rows()
    found.samples = of_sender(protocol, our_sql.values(server, cluster, *span))
    for series, row in rows_of(server, cluster, protocol, "histograms"):
        assert row["reset_hint"] == "unknown", row
        found.histograms.setdefault(series, {})[row["time_ms"]] = native_histograms.of_row(row)
    for series, row in rows_of(server, cluster, protocol, "starts"):
        assert series not in found.starts, f"two starts: {series}"
        found.starts[series] = row["time_ms"], row["start_time_ms"]
    found.exemplars = of_sender(protocol, our_sql.exemplars(server, cluster))
    for row in our_sql.ask(server, f"SELECT name, labels, kind FROM series WHERE cluster = '{cluster}'").to_pylist():
        if dict(row["labels"]).get("instance") == protocol:
            found.kinds[our_sql.key(row["name"], row["labels"])] = row["kind"]
    sql = f"SELECT DISTINCT name, kind, unit, help FROM metadata WHERE cluster = '{cluster}'"
    found.metadata = {tuple(row[c] or "" for c in ("name", "kind", "unit", "help")) for row in our_sql.ask(server, sql).to_pylist()}
    return found


def flat(rows):
    """One table's rows, each as a text."""
    if isinstance(rows, set):
        return {repr(row) for row in rows}
    found = set()
    for series, of_series in rows.items():
        for row in of_series.items() if isinstance(of_series, dict) else [of_series]:
            found.add(repr((series, row)))
    return found


def first_of_each_time(exemplars):
    """Of each series and time the exemplar that was written first: a Prometheus takes no second one."""
    found = {}
    for exemplar in sorted(exemplars):
        found.setdefault(exemplar[:2], exemplar)
    return set(found.values())


def held_by(prometheus, sent, protocol, span):
    """What a Prometheus has of these rows, written to it and read from it again."""
    series = [remote_write.series(labels, sorted(values.items())) for labels, values in sent.samples.items()]
    series += [remote_write.series(labels, histograms=sorted(all.items())) for labels, all in sent.histograms.items()]
    for labels, time_ms, value, own in sorted(sent.exemplars):
        series.append(remote_write.series(labels, exemplars=[(own, time_ms, value)]))
    remote_write.write(f"{prometheus}/api/v1/write", series)
    samples = {labels: values for labels, values in remote_read.read(prometheus, *span).items() if values}
    found = samples, native_histograms.held(prometheus, *span), prometheus_api.exemplars(prometheus, *span)
    return [of_sender(protocol, rows) for rows in found]


def main():
    server, cluster, protocol, address, token, seed, prometheus = sys.argv[1:]
    exported, recorded, ids = otlp_sdk.send(protocol, address, token, int(seed))
    sent = otlp_sdk.rows(protocol, exported, recorded, ids)
    times = [time_ms for values in sent.samples.values() for time_ms in values]
    # A second around it, so that a wrong time is seen as one.
    span = min(times) - 1000, max(times) + 1000
    ours = read(server, cluster, protocol, span)
    samples, histograms, exemplars = held_by(prometheus, sent, protocol, span)
    answered = {
        series: {time_ms: native_histograms.as_answered(one) for time_ms, one in of_series.items()}
        for series, of_series in ours.histograms.items()
    }
    compared = {table: (rows, getattr(ours, table)) for table, rows in vars(sent).items()}
    compared["samples of Prometheus"] = samples, ours.samples
    compared["histograms of Prometheus"] = histograms, answered
    compared["exemplars of Prometheus"] = exemplars, first_of_each_time(ours.exemplars)
    verdict = {}
    for what, (expected, found) in compared.items():
        expected, found = flat(expected), flat(found)
        verdict[what] = len(expected & found)
        if expected != found:
            missing, foreign = sorted(expected - found), sorted(found - expected)
            sys.exit(f"{protocol}, {what}: {len(missing)} missing, {len(foreign)} foreign: {missing[:5]} {foreign[:5]}")
    print(json.dumps(verdict))


main()
