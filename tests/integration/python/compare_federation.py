"""Compares what a Prometheus has of the last minutes with what we have of its cluster, bit for bit; prints counts."""

import io
import json
import struct
import sys
import time
import urllib.parse
import urllib.request

import pyarrow

server, cluster, source = sys.argv[1:4]


def bits(value):
    # The source's JSON says "NaN" whatever the payload, so a NaN is compared as one; staleness markers are in neither.
    if value != value:
        return "NaN"
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def source_samples(window):
    query = urllib.parse.urlencode({"query": '{job=~".+"}[%ds]' % window})
    with urllib.request.urlopen(f"{source}/api/v1/query?{query}") as answer:
        result = json.load(answer)["data"]["result"]
    found = {}
    for series in result:
        labels = dict(series["metric"])
        key = (labels.pop("__name__"), tuple(sorted(labels.items())))
        for seconds, text in series["values"]:
            found[(key, round(seconds * 1000))] = bits(float(text))
    return found


def our_samples():
    sql = f"SELECT ts, name, labels, value FROM metrics WHERE cluster = '{cluster}'"
    request = urllib.request.Request(
        f"{server}/api/v1/sql",
        json.dumps({"query": sql}).encode(),
        {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"},
    )
    with urllib.request.urlopen(request) as answer:
        table = pyarrow.ipc.open_stream(io.BytesIO(answer.read())).read_all()
    times = table["ts"].cast(pyarrow.timestamp("ms", table["ts"].type.tz)).cast(pyarrow.int64()).to_pylist()
    rows = zip(times, table["name"].to_pylist(), table["labels"].to_pylist(), table["value"].to_pylist())
    found = {}
    for time_ms, name, labels, value in rows:
        pairs = dict(labels)
        # What we say of the fetching itself is ours, not the source's.
        if pairs.get("job") == "federate":
            continue
        key = ((name, tuple(sorted(pairs.items()))), time_ms)
        assert key not in found, f"twice: {key}"
        found[key] = bits(value)
    return found


ours = our_samples()
first, last = min(t for _, t in ours), max(t for _, t in ours)
theirs = source_samples(int(time.time() - first / 1000) + 5)
# Between our first and our last sample; at the ends a fetch may have come too early or too late.
inside = {key: value for key, value in theirs.items() if first + 1000 <= key[1] <= last - 1000}
missing = [key for key in inside if key not in ours]
wrong = [key for key in ours if key in theirs and theirs[key] != ours[key]]
foreign = [key for key in ours if key not in theirs and key[1] <= last - 1000]
print(
    json.dumps(
        {
            "ours": len(ours),
            "theirs": len(inside),
            "missing": len(missing),
            "not_theirs": len(foreign) + len(wrong),
            "examples": [str(key) for key in (missing + wrong + foreign)[:3]],
        }
    )
)
