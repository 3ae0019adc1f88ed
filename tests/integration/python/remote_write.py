"""The client side of Prometheus' remote write 1.0, by hand from its protocol buffers.

    WriteRequest{timeseries = 1}  TimeSeries{labels = 1, samples = 2, exemplars = 3, histograms = 4}
    Label{name = 1, value = 2}  Sample{value = 1, timestamp = 2}  Exemplar{labels = 1, value = 2, timestamp = 3}
"""

import urllib.error
import urllib.request

import pyarrow

import native_histograms
from protobuf import field, fixed, number

SNAPPY = pyarrow.Codec("snappy")
HEADERS = {
    "content-type": "application/x-protobuf",
    "content-encoding": "snappy",
    "x-prometheus-remote-write-version": "0.1.0",
}


def label(pair):
    return field(1, field(1, pair[0].encode()) + field(2, pair[1].encode()))


def series(labels, samples=(), exemplars=(), histograms=()):
    """One series: sorted labels, (time, bits) of samples, (labels, time, bits) of exemplars, (time, histogram)."""
    out = b"".join(map(label, labels))
    for time_ms, bits in samples:
        out += field(2, fixed(1, bits) + number(2, time_ms))
    for of_exemplar, time_ms, bits in exemplars:
        out += field(3, b"".join(map(label, of_exemplar)) + fixed(2, bits) + number(3, time_ms))
    for time_ms, histogram in histograms:
        out += field(4, native_histograms.message(histogram, time_ms))
    return field(1, out)


def write(url, all_series):
    """Pushes; whoever refuses fails the test, with what it says."""
    body = SNAPPY.compress(b"".join(all_series), asbytes=True)
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, HEADERS)) as answer:
            assert answer.status in (200, 204), answer.status
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url}: {error.code}: {error.read().decode()}") from error
