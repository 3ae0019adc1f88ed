"""DuckDB on the store's own Parquet files: one query a line on standard input, one JSON answer a line on standard output."""

import json
import resource
import sys
import time

import duckdb

store, threads, *tables = sys.argv[1:]
db = duckdb.connect(config={"threads": int(threads)})
for table in tables:
    db.execute(
        f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{store}/{table}/date=*/*.parquet', hive_partitioning = false)"
    )


def cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


for line in sys.stdin:
    cpu, wall = cpu_seconds(), time.monotonic()
    rows = db.execute(line).fetchall()
    answer = {"cpu": cpu_seconds() - cpu, "wall": time.monotonic() - wall, "rows": rows}
    print(json.dumps(answer), flush=True)
