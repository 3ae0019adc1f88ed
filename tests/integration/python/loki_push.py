"""The client side of Loki's push, by hand: protocol buffers in snappy, as Promtail and Alloy send them, and JSON.

    PushRequest{streams = 1}  Stream{labels = 1, entries = 2}  Entry{timestamp = 1, line = 2, structured metadata = 3}
    Timestamp{seconds = 1, nanos = 2}  LabelPair{name = 1, value = 2}
"""

import json
import urllib.error
import urllib.request

import pyarrow

from protobuf import field, number

SNAPPY = pyarrow.Codec("snappy")
NANOS = 1_000_000_000


def pair(number_of_field, name, value):
    return field(number_of_field, field(1, name.encode()) + field(2, value.encode()))


def entry(time_ns, line, metadata):
    seconds, nanos = divmod(time_ns, NANOS)
    pairs = b"".join(pair(3, name, value) for name, value in metadata.items())
    return field(2, field(1, number(1, seconds) + number(2, nanos)) + field(2, line.encode()) + pairs)


def stream(labels, entries):
    # JSON's escapes are escapes of Go's too.
    text = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items())
    return field(1, field(1, f"{{{text}}}".encode()) + b"".join(entry(*one) for one in entries))


def in_protobuf(streams):
    return SNAPPY.compress(b"".join(stream(*one) for one in streams), asbytes=True), "application/x-protobuf"


def in_json(streams):
    told = [
        {"stream": labels, "values": [[str(time_ns), line, metadata] if metadata else [str(time_ns), line] for time_ns, line, metadata in of_stream]}
        for labels, of_stream in streams
    ]
    return json.dumps({"streams": told}).encode(), "application/json"


def push(url, token, streams, form):
    """Pushes streams, each of labels and of entries of time, line and structured metadata; whoever refuses fails the test."""
    body, content_type = form(streams)
    headers = {"content-type": content_type, "authorization": f"Bearer {token}"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            assert answer.status == 204, answer.status
    except urllib.error.HTTPError as error:
        raise RuntimeError(f"{url}: {error.code}: {error.read().decode()}") from error
