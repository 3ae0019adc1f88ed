"""Runs the query of docs/formats/tables.md in DuckDB, as it is written there, and compares its rows with what our SQL
answers, bit for bit; prints counts as JSON. Does so again on a copy whose log is a checkpoint and the last commit.

Usage: deduplicate.py SERVER STORE TABLES_MD
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile

import duckdb
import duckdb_extension_delta
import pyarrow
from deltalake import DeltaTable

from our_sql import ask

PAGE_ROWS = 200_000
CHECKPOINT = "-- once there is a checkpoint: "

server, store, document = sys.argv[1:4]


def bits(column):
    chunks = column.combine_chunks()
    chunks = chunks.chunks if isinstance(chunks, pyarrow.ChunkedArray) else [chunks]
    return [value for chunk in chunks for value in chunk.view(pyarrow.uint64()).to_pylist()]


def key(cluster, name, labels, time_ms):
    return cluster, name, tuple(sorted(labels)), time_ms


def documented_query(store):
    blocks = re.findall(r"```sql\n(.*?)```", pathlib.Path(document).read_text(), re.DOTALL)
    (query,) = [block for block in blocks if "gen_max" in block]
    if list(pathlib.Path(store, "samples/_delta_log").glob("*.checkpoint.parquet")):
        assert CHECKPOINT in query
        query = query.replace(CHECKPOINT, "")
    assert "'data/samples" in query
    return query.replace("'data/samples", f"'{store}/samples")


connection = duckdb.connect(config={"allow_unsigned_extensions": "true"})
# The package brings the extension's file along, so that nothing is fetched from anywhere.
folder = pathlib.Path(duckdb_extension_delta.__file__).parent / "extensions"
connection.execute(f"LOAD '{next(folder.rglob('delta.duckdb_extension'))}'")
(physical,) = connection.execute(f"SELECT count(*) FROM delta_scan('{store}/samples')").fetchone()
series = {}
for row in connection.execute(f"SELECT * FROM delta_scan('{store}/series')").to_arrow_table().to_pylist():
    series[row["name"], row["cluster"], row["series_id"]] = row["labels"]


def newest(store):
    """What the documented query gives: {key: bits, None for a staleness marker}."""
    table = connection.execute(documented_query(store)).to_arrow_table()
    found = {}
    columns = (table[name].to_pylist() for name in ["name", "cluster", "series_id", "time_ms"])
    for (name, cluster, series_id, time_ms), value in zip(zip(*columns), bits(table["value"])):
        row = key(cluster, name, series[name, cluster, series_id], time_ms)
        assert row not in found, f"twice: {row}"
        found[row] = value
    return found


theirs = newest(store)
with tempfile.TemporaryDirectory() as copy:
    shutil.copytree(f"{store}/samples", f"{copy}/samples")
    DeltaTable(f"{copy}/samples").create_checkpoint()
    for commit in sorted(pathlib.Path(copy, "samples/_delta_log").glob("*.json"))[:-1]:
        commit.unlink()
    for older in sorted(pathlib.Path(copy, "samples/_delta_log").glob("*.checkpoint.parquet"))[:-1]:
        older.unlink()
    assert newest(copy) == theirs, "from a checkpoint the query gives other rows"
stale = sum(value is None for value in theirs.values())

# In pages by time, so that no limit on the rows of an answer is met; the first and the last are open.
times = sorted(found[-1] for found in theirs)
edges = [None, *sorted(set(times[PAGE_ROWS::PAGE_ROWS])), None]
ours = {}
for begin, end in zip(edges, edges[1:]):
    sql = "SELECT ts, cluster, name, labels, value FROM metrics WHERE true"
    sql += f" AND ts >= to_timestamp_millis({begin})" if begin is not None else ""
    sql += f" AND ts < to_timestamp_millis({end})" if end is not None else ""
    table = ask(server, sql)
    times = table["ts"].cast(pyarrow.timestamp("ms", table["ts"].type.tz)).cast(pyarrow.int64()).to_pylist()
    columns = (table[name].to_pylist() for name in ["cluster", "name", "labels"])
    for time_ms, (cluster, name, labels), value in zip(times, zip(*columns), bits(table["value"])):
        found = key(cluster, name, labels, time_ms)
        assert found not in ours, f"twice: {found}"
        ours[found] = value

# Staleness markers are not in `metrics`.
values = {found: value for found, value in theirs.items() if value is not None}
different = [found for found in values.keys() | ours.keys() if values.get(found) != ours.get(found)]
counts = {
    "physical": physical,
    "keys": len(theirs),
    "stale": stale,
    "values": len(values),
    "ours": len(ours),
    "different": len(different),
    "examples": [(str(found), str(values.get(found)), str(ours.get(found))) for found in different[:3]],
}
print(json.dumps(counts))
