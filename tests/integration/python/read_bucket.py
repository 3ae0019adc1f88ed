"""Counts what deltalake finds in a store in a bucket: physical rows and distinct keys of samples, rows of series."""

import json
import os
import sys

from deltalake import DeltaTable

url, *options = sys.argv[1:]
options = dict(option.split("=", 1) for option in options)
samples = DeltaTable(f"{url}/samples", storage_options=options).to_pyarrow_table()
keys = samples.select(["name", "cluster", "series_id", "time_ms"])
distinct = keys.group_by(keys.column_names).aggregate([]).num_rows
series = DeltaTable(f"{url}/series", storage_options=options).to_pyarrow_table().num_rows
print(json.dumps({"rows": samples.num_rows, "keys": distinct, "series": series}))
sys.stdout.flush()
# Threads of the reader that still hold connections can abort the interpreter while it is torn down.
os._exit(0)
