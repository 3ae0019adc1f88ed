"""Holds the physical rows of `samples`, read by deltalake, against the witness' log. Ends with an error if a row is lost,
doubled, invented or changed; prints counts.

acknowledged <= stored <= issued; in mode `new` no key is stored twice and values are equal bit for bit; in mode
`rewrites` the stored values of a key are among those issued for it, and its newest row is no older than the newest
acknowledged value. Beside the log, `LOG.cuts` has the stretches of the log (first and last byte) that were written while
the power was off: acknowledgements there do not count.
"""

import json
import os
import struct
import sys

from deltalake import DeltaTable

store, log, mode = sys.argv[1:4]


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


powerless = []
if os.path.exists(f"{log}.cuts"):
    with open(f"{log}.cuts") as lines:
        powerless = [tuple(map(int, line.split())) for line in lines]

issued, acknowledged, requests, spurious, offset = {}, set(), {}, 0, 0
with open(log) as lines:
    for line in lines:
        begin, offset = offset, offset + len(line)
        kind, request, *rest = line.split()
        if kind == "S":
            connection, series, time_ms, value = rest
            key = (connection, series, int(time_ms))
            issued.setdefault(key, []).append((int(value, 16), request))
            requests.setdefault(request, []).append(key)
        elif kind == "A" and any(cut <= begin < dead for cut, dead in powerless):
            spurious += 1
        elif kind == "A":
            acknowledged.add(request)

labels = {}
for row in DeltaTable(f"{store}/series").to_pyarrow_table(columns=["name", "cluster", "series_id", "labels"]).to_pylist():
    pairs = dict(row["labels"])
    key = (row["name"], row["cluster"], row["series_id"])
    found = (pairs.get("connection"), pairs.get("series"))
    assert labels.setdefault(key, found) == found, f"one id, two series: {key}"

stored, rows, mantissas, values = {}, 0, 0, 0
table = DeltaTable(f"{store}/samples").to_pyarrow_table()
names = ["name", "cluster", "series_id", "time_ms", "mantissa", "scale", "value"]
for name, cluster, series_id, time_ms, mantissa, scale, value in zip(*(table[n].to_pylist() for n in names)):
    if name != "oracle_sample":
        continue
    rows += 1
    series = labels.get((name, cluster, series_id))
    assert series is not None, f"a sample without its series: {name} {series_id}"
    if mantissa is not None:
        value = mantissa / 10**scale
        mantissas += 1
    else:
        values += 1
    assert value is not None, f"a staleness marker nobody sent: {series} {time_ms}"
    stored.setdefault((*series, time_ms), []).append(bits(value))

lost = [k for r in acknowledged for k in requests[r] if k not in stored]
invented = [k for k in stored if k not in issued]
changed = [k for k, v in stored.items() if k in issued and not set(v) <= {i[0] for i in issued[k]}]
doubled = [k for k, v in stored.items() if len(v) > 1] if mode == "new" else []
outdated = []
for key, sent in issued.items():
    last = max((n for n, (_, request) in enumerate(sent) if request in acknowledged), default=None)
    if last is not None and key in stored and not set(stored[key]) & {value for value, _ in sent[last:]}:
        outdated.append(key)

verdict = {
    "issued": len(issued),
    "acknowledged": len({k for r in acknowledged for k in requests[r]}),
    "acknowledged_without_power": spurious,
    "stored": len(stored),
    "physical_rows": rows,
    "as_mantissa": mantissas,
    "as_value": values,
}
wrong = {"lost": lost, "invented": invented, "changed": changed, "doubled": doubled, "outdated": outdated}
found = {what: (len(keys), keys[:3]) for what, keys in wrong.items() if keys}
print(json.dumps(verdict))
if found:
    sys.exit(f"{found}")
if not (mantissas and values):
    sys.exit("the load met only one of the two ways to keep a value, it proves too little")
