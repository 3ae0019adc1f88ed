"""Asks a server of ours in SQL."""

import io
import json
import struct
import urllib.request

import pyarrow


def ask(server, sql):
    """The rows of a statement as an Arrow table."""
    request = urllib.request.Request(
        f"{server}/api/v1/sql",
        json.dumps({"query": sql}).encode(),
        {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"},
    )
    with urllib.request.urlopen(request) as answer:
        return pyarrow.ipc.open_stream(io.BytesIO(answer.read())).read_all()


PAGE_MS = 30_000


def key(name, labels):
    """A series as the peers' answers name it: its labels, the name among them, sorted."""
    return tuple(sorted([("__name__", name), *labels]))


def milliseconds(column):
    """The times of a column of timestamps, as numbers."""
    return column.cast(pyarrow.timestamp("ms", column.type.tz)).cast(pyarrow.int64()).to_pylist()


def values(server, cluster, first, last):
    """What `metrics` answers, in pages, so that no limit on rows is met: {labels: {time_ms: bits}}."""
    found = {}
    for begin in range(first, last + 1, PAGE_MS):
        table = ask(
            server,
            f"SELECT ts, name, labels, value FROM metrics WHERE cluster = '{cluster}' "
            f"AND ts >= to_timestamp_millis({begin}) AND ts < to_timestamp_millis({begin + PAGE_MS})",
        ).combine_chunks()
        bits = pyarrow.concat_arrays([chunk.view(pyarrow.uint64()) for chunk in table["value"].chunks]).to_pylist() \
            if table.num_rows else []
        rows = zip(milliseconds(table["ts"]), table["name"].to_pylist(), table["labels"].to_pylist(), bits)
        for time_ms, name, labels, value in rows:
            series = found.setdefault(key(name, labels), {})
            assert time_ms not in series, f"twice: {name} {labels} at {time_ms}"
            series[time_ms] = value
    return found


def markers(server, cluster):
    """The staleness markers, which are rows of `samples` with neither value nor mantissa: {labels: {time_ms}}."""
    rows = ask(
        server,
        "SELECT DISTINCT s.name, r.labels, s.time_ms FROM samples s JOIN series r ON r.name = s.name "
        "AND r.cluster = s.cluster AND r.series_id = s.series_id "
        f"WHERE s.cluster = '{cluster}' AND s.mantissa IS NULL AND s.value IS NULL",
    ).to_pylist()
    found = {}
    for row in rows:
        found.setdefault(key(row["name"], row["labels"]), set()).add(row["time_ms"])
    return found


def rows_of_series(server, cluster, table):
    """The rows of a table that names series by their ids, each with the key of its series."""
    rows = ask(
        server,
        f"SELECT t.*, r.labels AS of_series FROM {table} t JOIN series r ON r.name = t.name AND r.cluster = t.cluster "
        f"AND r.series_id = t.series_id WHERE t.cluster = '{cluster}'",
    ).to_pylist()
    for row in rows:
        yield key(row["name"], row["of_series"]), row


def exemplars(server, cluster):
    """All exemplars: {(series, time_ms, bits of the value, labels of its own, the ids of the trace among them)}."""
    found = set()
    for series, row in rows_of_series(server, cluster, "exemplars"):
        own = [(name, row[name]) for name in ("trace_id", "span_id") if row[name]] + row["labels"]
        (bits,) = struct.unpack("<Q", struct.pack("<d", row["value"]))
        found.add((series, row["time_ms"], bits, tuple(sorted(own))))
    return found


def plain(column):
    """A column as Python has it: times in nanoseconds since 1970, maps as dictionaries, whatever is nested in it likewise."""
    if isinstance(column, pyarrow.ChunkedArray):
        column = column.combine_chunks()
    kind = column.type
    if pyarrow.types.is_timestamp(kind):
        return column.cast(pyarrow.timestamp("ns", kind.tz)).cast(pyarrow.int64()).to_pylist()
    if pyarrow.types.is_map(kind):
        maps = [dict(pairs) for pairs in column.to_pylist()]
        assert [len(pairs) for pairs in column.to_pylist()] == list(map(len, maps)), f"a key twice: {column}"
        return maps
    if pyarrow.types.is_list(kind):
        items, ends = plain(column.values), column.offsets.to_pylist()
        return [items[begin:end] for begin, end in zip(ends, ends[1:])]
    if pyarrow.types.is_struct(kind):
        parts = [plain(column.field(place)) for place in range(kind.num_fields)]
        return [dict(zip((field.name for field in kind), row)) for row in zip(*parts)]
    return column.to_pylist()


def rows(server, sql):
    """The rows of a statement, each a dictionary of all its columns."""
    table = ask(server, sql)
    columns = [plain(column) for column in table.columns]
    return [dict(zip(table.column_names, row)) for row in zip(*columns)]
