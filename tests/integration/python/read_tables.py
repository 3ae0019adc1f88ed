"""Reads a store with deltalake and with DuckDB and prints what each found as JSON."""

import json
import pathlib
import sys

import duckdb
import duckdb_extension_delta
from deltalake import DeltaTable

store = sys.argv[1]
samples, series = f"{store}/samples", f"{store}/series"
RECORDS = ["logs", "spans"]
# The one line of SQL that gives any engine the value.
VALUE = "coalesce(value, mantissa / power(10e0, scale))"


def summary(connection, samples_from, series_from):
    rows, stale, total = connection.execute(
        f"""SELECT count(*), count(*) FILTER (value IS NULL AND mantissa IS NULL),
                   sum({VALUE}) FILTER (name = 'decimal') FROM {samples_from}"""
    ).fetchone()
    count = connection.execute(f"SELECT count(DISTINCT (name, cluster, series_id)) FROM {series_from}").fetchone()[0]
    return {"rows": rows, "stale": stale, "sum_of_decimal": total, "series": count}


def texts(row):
    """A row with its ids as hex and its maps sorted."""
    shown = {}
    for key, value in row.items():
        if isinstance(value, (bytes, bytearray)):
            value = bytes(value).hex()
        elif isinstance(value, dict):
            value = dict(sorted(value.items()))
        elif isinstance(value, list):
            value = dict(sorted(tuple(pair) for pair in value))
        shown[key] = value
    return shown


def records(connection, table, source):
    """The rows of logs or spans in order of time."""
    time, text = ("time_unix_nano", "body") if table == "logs" else ("start_time_unix_nano", "name")
    columns = ["cluster", "service", "trace_id", "span_id", "attributes", "resource"]
    names = ["time", "text", *columns]
    rows = connection.execute(f"SELECT {time}, {text}, {', '.join(columns)} FROM {source} ORDER BY 1, 2").fetchall()
    return [texts(dict(zip(names, row))) for row in rows]


arrow = duckdb.connect()
arrow.register("samples", DeltaTable(samples).to_pyarrow_table())
arrow.register("series", DeltaTable(series).to_pyarrow_table())
found = {"deltalake": summary(arrow, "samples", "series")}
for table in RECORDS:
    arrow.register(table, DeltaTable(f"{store}/{table}").to_pyarrow_table())
    found["deltalake"][table] = records(arrow, table, table)

delta = duckdb.connect(config={"allow_unsigned_extensions": "true"})
# The package brings the extension's file along, so that nothing is fetched from anywhere.
folder = pathlib.Path(duckdb_extension_delta.__file__).parent / "extensions"
extension = next(folder.rglob("delta.duckdb_extension"))
delta.execute(f"LOAD '{extension}'")
found["duckdb"] = summary(delta, f"delta_scan('{samples}')", f"delta_scan('{series}')")
for table in RECORDS:
    found["duckdb"][table] = records(delta, table, f"delta_scan('{store}/{table}')")
print(json.dumps(found))
