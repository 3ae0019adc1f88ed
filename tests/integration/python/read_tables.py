"""Reads a store with deltalake and with DuckDB and prints what each found as JSON."""

import json
import pathlib
import sys

import duckdb
import duckdb_extension_delta
from deltalake import DeltaTable

store = sys.argv[1]
samples, series = f"{store}/samples", f"{store}/series"
# The one line of SQL that gives any engine the value.
VALUE = "coalesce(value, mantissa / power(10e0, scale))"


def summary(connection, samples_from, series_from):
    rows, stale, total = connection.execute(
        f"""SELECT count(*), count(*) FILTER (value IS NULL AND mantissa IS NULL),
                   sum({VALUE}) FILTER (name = 'decimal') FROM {samples_from}"""
    ).fetchone()
    count = connection.execute(f"SELECT count(DISTINCT (name, cluster, series_id)) FROM {series_from}").fetchone()[0]
    return {"rows": rows, "stale": stale, "sum_of_decimal": total, "series": count}


arrow = duckdb.connect()
arrow.register("samples", DeltaTable(samples).to_pyarrow_table())
arrow.register("series", DeltaTable(series).to_pyarrow_table())
found = {"deltalake": summary(arrow, "samples", "series")}

delta = duckdb.connect(config={"allow_unsigned_extensions": "true"})
# The package brings the extension's file along, so that nothing is fetched from anywhere.
folder = pathlib.Path(duckdb_extension_delta.__file__).parent / "extensions"
extension = next(folder.rglob("delta.duckdb_extension"))
delta.execute(f"LOAD '{extension}'")
found["duckdb"] = summary(delta, f"delta_scan('{samples}')", f"delta_scan('{series}')")
print(json.dumps(found))
