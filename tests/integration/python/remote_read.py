"""The client side of Prometheus' remote read, by hand from its protocol buffers.

    ReadRequest{queries = 1, accepted_response_types = 2}
    Query{start_timestamp_ms = 1, end_timestamp_ms = 2, matchers = 3}
    LabelMatcher{type = 1, name = 2, value = 3}
    ReadResponse{results = 1}  QueryResult{timeseries = 1}  TimeSeries{labels = 1, samples = 2}
    Label{name = 1, value = 2}  Sample{value = 1, timestamp = 2}

Raw samples are asked for, so values come bit for bit, staleness markers among them.
"""

import struct
import urllib.request

import pyarrow

from protobuf import field, fields, number, read_varint

NOT_EQUAL = 1
STALE = 0x7FF0000000000002
SNAPPY = pyarrow.Codec("snappy")


def request(start_ms, end_ms):
    every_name = number(1, NOT_EQUAL) + field(2, b"__name__") + field(3, b"")
    query = number(1, start_ms) + number(2, end_ms) + field(3, every_name)
    return field(1, query)


def label(data, begin, end):
    pair = dict(fields(data, begin, end))
    return tuple(data[slice(*pair[part])].decode() if part in pair else "" for part in (1, 2))


def sample(data, begin, end):
    bits = time_ms = 0
    for part, value in fields(data, begin, end):
        if part == 1:
            (bits,) = struct.unpack_from("<Q", data, value[0])
        elif part == 2:
            time_ms = value
    return time_ms, bits


def read(source, start_ms, end_ms):
    """Every sample of a Prometheus in [start_ms, end_ms]: {labels, sorted: {time_ms: bits}}."""
    headers = {
        "content-type": "application/x-protobuf",
        "content-encoding": "snappy",
        "x-prometheus-remote-read-version": "0.1.0",
    }
    body = SNAPPY.compress(request(start_ms, end_ms), asbytes=True)
    with urllib.request.urlopen(urllib.request.Request(f"{source}/api/v1/read", body, headers)) as answer:
        compressed = answer.read()
    length, _ = read_varint(compressed, 0)
    data = SNAPPY.decompress(compressed, length, asbytes=True)
    found = {}
    for part, result in fields(data, 0, len(data)):
        assert part == 1, "not a ReadResponse"
        for _, series in fields(data, *result):
            labels, samples = [], {}
            for part, place in fields(data, *series):
                if part == 1:
                    labels.append(label(data, *place))
                elif part == 2:
                    time_ms, bits = sample(data, *place)
                    samples[time_ms] = bits
            found.setdefault(tuple(sorted(labels)), {}).update(samples)
    return found
