"""Asks a Prometheus by its HTTP API."""

import json
import struct
import urllib.parse
import urllib.request


def api(prometheus, path, **parameters):
    """The data of an answer."""
    with urllib.request.urlopen(f"{prometheus}/api/v1/{path}?{urllib.parse.urlencode(parameters)}") as answer:
        return json.load(answer)["data"]


def selector(labels):
    """What selects this one series."""
    return "{" + ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels) + "}"


def exemplars(prometheus, start_ms, end_ms):
    """All exemplars: {(labels of the series, time_ms, bits of the value, labels of its own)}."""
    span, found = {"start": start_ms / 1000, "end": end_ms / 1000}, set()
    for series in api(prometheus, "query_exemplars", query='{__name__=~".+"}', **span):
        labels = tuple(sorted(series["seriesLabels"].items()))
        for one in series["exemplars"]:
            (bits,) = struct.unpack("<Q", struct.pack("<d", float(one["value"])))
            found.add((labels, round(one["timestamp"] * 1000), bits, tuple(sorted(one["labels"].items()))))
    return found
