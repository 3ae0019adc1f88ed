"""Holds rows against the witness' log. Ends with an error if one is lost, doubled, invented or changed; prints counts.

    judge.py STORE LOG MODE    the physical rows of the tables, as deltalake reads them
    judge.py URL LOG MODE      the rows that a server of ours answers in SQL

In each of `samples`, `histograms` and `exemplars`: acknowledged <= stored <= issued; in mode `new` no key is stored twice and
values are equal bit for bit; in mode `rewrites` the stored values of a key are among those issued for it, and its newest
row is no older than the newest acknowledged value. A row of deltas has the sum of all deltas that are stored up to its time, and
is once there in either mode. `starts` says of each sample, by its newest row that is not after it, what its sender said, and
has no row that nobody sent. `metadata` has the newest that was acknowledged of each metric.

`logs` and `spans` have no key: a row is there at least as often as it was acknowledged and at most as often as it was sent, and
all rows of a request are there equally often.
"""

import json
import os
import struct
import sys
from collections import Counter, defaultdict

import pyarrow
from deltalake import DeltaTable

import our_sql
from witness_log import Log

PREFIX = "oracle_"
MILLISECOND = 1_000_000
# Of logs and spans: the column of the time, that of the text, and one more that is read.
RECORDS = {
    "logs": ("time_unix_nano", "body", "severity_number"),
    "spans": ("start_time_unix_nano", "name", "duration_nano"),
}


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def hexadecimal(value):
    return f"{bits(value):016x}"


class Tables:
    """The tables of a store, or those that a server answers."""

    def __init__(self, place):
        self.place = place
        self.series = {}
        for row in self.rows("series"):
            pairs = dict(row["labels"])
            key = (row["name"], row["cluster"], row["series_id"])
            found = (pairs.get("connection"), pairs.get("series"))
            assert self.series.setdefault(key, found) == found, f"one id, two series: {key}"

    def rows(self, table):
        """All rows of ours, by names, so that no limit on the rows of an answer is met."""
        if not self.place.startswith("http://"):
            found = DeltaTable(f"{self.place}/{table}").to_pyarrow_table().to_pylist()
        elif table == "series":
            found = our_sql.ask(self.place, f"SELECT * FROM series WHERE name LIKE '{PREFIX}%'").to_pylist()
        else:
            names = sorted({name for name, _, _ in self.series} | {PREFIX})
            pages = (our_sql.ask(self.place, f"SELECT * FROM {table} WHERE name = '{name}'") for name in names)
            found = (row for page in pages for row in page.to_pylist())
        return (row for row in found if row["name"].startswith(PREFIX))

    def records(self, table, services):
        """The rows of `logs` or `spans`, each with its key as the log has it, or `None` if it is not as it was sent."""
        time, text, more = RECORDS[table]
        columns = ["service", "trace_id", "span_id", "attributes", text, more]
        if self.place.startswith("http://"):
            ask = f"SELECT ts AS {time}, {', '.join(columns)} FROM {table} WHERE service = "
            found = pyarrow.concat_tables(our_sql.ask(self.place, f"{ask}'{service}'") for service in sorted(services))
        else:
            found = DeltaTable(f"{self.place}/{table}").to_pyarrow_table(columns=[time, *columns])
        times = found[time].cast(pyarrow.int64()).to_pylist()
        for nanos, row in zip(times, found.drop_columns([time]).to_pylist()):
            ids = [id if isinstance(id, str) else id.hex() for id in (row["trace_id"], row["span_id"])]
            number, connection = row[text][:16], str(int(ids[0][:16], 16) - 1)
            is_as_sent = (
                row[text] == number * (30 if table == "logs" else 1)
                and ids == [ids[0][:16] + number, number]
                and ("connection", connection) in row["attributes"]
                and row[more] in (0, 9, int(number, 16) % 1_000_000_007)
                and nanos % MILLISECOND == 0
            )
            yield (row["service"], connection, nanos // MILLISECOND, number) if is_as_sent else None, row

    def commits(self):
        """How often something was committed to a table, if tables are read."""
        tables = () if self.place.startswith("http://") else ("samples", "logs", "spans")
        return {table: DeltaTable(f"{self.place}/{table}").version() for table in tables}

    def keyed(self, table):
        """The rows of a table that names series by their ids, each with its key as the log has it."""
        for row in self.rows(table):
            series = self.series.get((row["name"], row["cluster"], row["series_id"]))
            assert series is not None, f"a row of {table} without its series: {row}"
            yield (row["name"], *series, row["time_ms"]), row


def sample(row):
    value = row["value"] if row["mantissa"] is None else row["mantissa"] / 10 ** row["scale"]
    assert value is not None, f"a staleness marker nobody sent: {row}"
    return hexadecimal(value)


def exemplar(row):
    return f"{hexadecimal(row['value'])}:{row['trace_id']}:{row['span_id']}:" + ",".join(
        value if name == "draw" else f"{name}={value}" for name, value in row["labels"]
    )


def histogram(row):
    """As the log writes it."""
    is_float = row["count_float"] is not None
    suffix = "_float" if is_float else ""
    assert row[f"count{suffix}"] is not None, f"a staleness marker nobody sent: {row}"

    def count(number):
        return f"x{hexadecimal(number)}" if is_float else str(number)

    def side(sign):
        index, counts, found = 0, iter(row[f"{sign}_counts{suffix}"] or ()), []
        for offset, length in zip(row[f"{sign}_offsets"] or (), row[f"{sign}_lengths"] or (), strict=True):
            index += offset
            found += [(at, next(counts)) for at in range(index, index + length)]
            index += length
        assert next(counts, None) is None, f"counts beyond the runs: {row}"
        return ",".join(f"{at}={count(number)}" for at, number in found if number)

    bounds = ",".join(map(hexadecimal, row["custom_bounds"] or ()))
    head = f"{row['reset_hint']}:{row['schema']}:{hexadecimal(row['zero_threshold'])}:{hexadecimal(row['sum'])}"
    counts = f"{count(row[f'count{suffix}'])}:{count(row[f'zero_count{suffix}'])}"
    return f"{head}:{counts}:{side('positive')}:{side('negative')}:{bounds}"


def double(text):
    return struct.unpack("<d", struct.pack("<Q", int(text, 16)))[0]


class Sum:
    """What deltas of one series add up to. All doubles are such that their sums are exact."""

    def __init__(self):
        self.number, self.shape, self.counts = 0.0, None, (0, 0)
        self.sides = (defaultdict(int), defaultdict(int))

    def add(self, delta):
        """Adds what the log says, and gives the sum in the same form."""
        if ":" not in delta:
            self.number += double(delta)
            return hexadecimal(self.number)
        hint, schema, threshold, number, count, zero, *sides, bounds = delta.split(":")
        self.number += double(number)
        self.shape = self.shape or (hint, schema, threshold, bounds)
        assert self.shape == (hint, schema, threshold, bounds), delta
        self.counts = (self.counts[0] + int(count), self.counts[1] + int(zero))
        for side, buckets in zip(self.sides, sides):
            for bucket in filter(None, buckets.split(",")):
                at, observations = bucket.split("=")
                side[int(at)] += int(observations)
        positive, negative = (",".join(f"{at}={n}" for at, n in sorted(side.items())) for side in self.sides)
        counts = f"{self.counts[0]}:{self.counts[1]}"
        return f"{hint}:{schema}:{threshold}:{hexadecimal(self.number)}:{counts}:{positive}:{negative}:{bounds}"


def add_up(log, table, stored):
    """Puts in the place of deltas that are stored what they must have added up to by then, since when the first one counts."""
    by_series, expected = defaultdict(list), {}
    for key in stored:
        if table != "exemplars" and key[0] in log.deltas and key in log.issued[table]:
            by_series[key[:3]].append(key)
    for keys in by_series.values():
        keys.sort()
        total, start_ms = Sum(), log.issued[table][keys[0]][0].start_ms
        for key in keys:
            expected[key] = (total.add(log.issued[table][key][0].value), start_ms)
    return expected


class Verdict:
    def __init__(self, log, mode):
        self.log, self.mode = log, mode
        self.wrong, self.counts, self.commits = defaultdict(list), {}, {}
        self.by_name = defaultdict(int)
        self.wrong["partial"] += log.partial

    def hold(self, table, stored):
        """Holds the rows of a table, (value, start) of each key, against what was issued."""
        issued, sums = self.log.issued[table], add_up(self.log, table, stored)
        acknowledged = [key for key, sent in issued.items() if self.log.is_acknowledged(sent)]
        for name, *_ in acknowledged:
            self.by_name[name] += 1
        self.wrong["lost"] += [key for key in acknowledged if key not in stored]
        self.wrong["invented"] += [key for key in stored if key not in issued]
        for key, found in stored.items():
            if key not in issued:
                continue
            sent = [(i.value, i.start_ms) for i in issued[key]]
            may_be = {sums[key]} if key in sums else set(sent)
            if table == "samples":
                # They stand in a table of their own.
                found, may_be = [(value, None) for value, _ in found], {(value, None) for value, _ in may_be}
            if not set(found) <= may_be:
                self.wrong["changed"].append((key, found, sorted(may_be, key=str)))
            is_once = self.mode == "new" or key[0] in self.log.deltas or table == "exemplars"
            if is_once and len(found) > 1:
                self.wrong["doubled"].append(key)
            last = max((n for n, i in enumerate(issued[key]) if i.request in self.log.acknowledged), default=None)
            if key not in sums and last is not None and not {v for v, _ in found} & {v for v, _ in sent[last:]}:
                self.wrong["outdated"].append(key)
        rows = sum(map(len, stored.values()))
        self.counts[table] = {
            "issued": len(issued), "acknowledged": len(acknowledged), "stored": len(stored), "physical_rows": rows,
        }

    def hold_starts(self, starts, samples):
        """Holds the starts, (time, start) of each series, against those of the samples that are stored."""
        issued, sums = self.log.issued["samples"], add_up(self.log, "samples", samples)
        by_series = defaultdict(list)
        for key in samples:
            if key in issued:
                by_series[key[:3]].append(key)
        for series, rows in starts.items():
            times = {time_ms for *_, time_ms in by_series[series]}
            self.wrong["starts invented"] += [(series, row) for row in rows if row[0] not in times]
        for series, keys in by_series.items():
            rows, said = sorted(starts.get(series, ())), None
            if len(rows) != len(set(rows)):
                self.wrong["starts doubled"].append((series, rows[:10]))
            for key in sorted(keys):
                while rows and rows[0][0] <= key[3]:
                    said = rows.pop(0)[1]
                start_ms = sums[key][1] if key in sums else issued[key][0].start_ms
                if said != start_ms:
                    self.wrong["starts"].append((key, said, start_ms))
        self.counts["starts"] = {"stored": sum(map(len, starts.values()))}

    def hold_metadata(self, stored):
        """Of each metric the newest that was acknowledged is stored, or one after it: of two in one cut the later one counts.
        Each metric has one sender here, so the log has what is said of it in order."""
        for name, said in self.log.metadata.items():
            found = stored.pop(name, set())
            last = max((n for n, (_, request) in enumerate(said) if request in self.log.acknowledged), default=None)
            if last is not None and not found & {words for words, _ in said[last:]}:
                self.wrong["metadata lost"].append((name, said[last]))
            self.wrong["metadata invented"] += [(name, words) for words in found - {words for words, _ in said}]
        self.wrong["metadata invented"] += stored.items()

    def hold_records(self, table, services, rows):
        """Holds the rows of `logs` or `spans` against what was sent and how often that was acknowledged."""
        stored = Counter()
        for key, row in rows:
            if key is None or key not in self.log.records:
                self.wrong[f"{table} invented or changed"].append(row)
            stored[key] += 1
        of_table = {key: sent for key, sent in self.log.records.items() if key[0] in services}
        copies, acknowledged = defaultdict(set), 0
        for key, sent in of_table.items():
            least = sum(request in self.log.acknowledged for request in sent)
            acknowledged += least > 0
            self.by_name[key[0]] += least > 0
            copies[tuple(sent)].add(stored[key])
            if stored[key] < least:
                self.wrong[f"{table} lost"].append(key)
            if stored[key] > len(sent):
                self.wrong[f"{table} doubled"].append(key)
        self.wrong[f"{table} in part"] += [sent for sent, counts in copies.items() if len(counts) > 1]
        self.counts[table] = {
            "issued": len(of_table), "acknowledged": acknowledged, "stored": len(stored), "physical_rows": stored.total(),
        }

    def end(self):
        """Prints the counts; gives what is wrong, if anything is."""
        tables = [self.counts[table] for table in ("samples", "histograms", "exemplars")]
        totals = {what: sum(table[what] for table in tables) for what in tables[0]}
        print(json.dumps({
            **totals, **self.counts, "commits": self.commits, "by_name": self.by_name, "acknowledged_without_power": self.log.without_power,
        }))
        found = {what: (len(keys), keys[:3]) for what, keys in self.wrong.items() if keys}
        return str(found) if found else None


def main():
    place, path, mode = sys.argv[1:4]
    tables, log = Tables(place), Log(path)
    verdict, ways = Verdict(log, mode), {"mantissa": 0, "value": 0}
    stored = {table: defaultdict(list) for table in log.issued}
    for key, row in tables.keyed("samples"):
        ways["value" if row["mantissa"] is None else "mantissa"] += 1
        stored["samples"][key].append((sample(row), None))
    for key, row in tables.keyed("histograms"):
        stored["histograms"][key].append((histogram(row), row["start_time_ms"]))
    for key, row in tables.keyed("exemplars"):
        stored["exemplars"][key].append((exemplar(row), None))
    for table, rows in stored.items():
        verdict.hold(table, rows)
    starts = defaultdict(list)
    for key, row in tables.keyed("starts"):
        starts[key[:3]].append((row["time_ms"], row["start_time_ms"]))
    verdict.hold_starts(starts, stored["samples"])
    said = defaultdict(set)
    for row in tables.rows("metadata"):
        said[row["name"]].add((row["kind"], row["help"]))
    verdict.hold_metadata(said)
    services = {key[0] for key in log.records}
    for table, letter in (("logs", "l"), ("spans", "s")):
        of_table = {service for service in services if service.startswith(f"{PREFIX}{letter}")}
        verdict.hold_records(table, of_table, tables.records(table, of_table))
    verdict.commits = tables.commits()
    wrong = verdict.end()
    names = {key[0] for rows in log.issued.values() for key in rows} | services
    if not all(ways.values()) or len(names) < 20 or not all(verdict.by_name[name] for name in names):
        wrong = wrong or f"the load met only {ways} and {dict(verdict.by_name)}, it proves too little"
    if wrong:
        print(wrong, file=sys.stderr)
    # At once: threads of Arrow now and then abort a process that takes itself down (apache/arrow, issue 34314).
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1 if wrong else 0)


main()
