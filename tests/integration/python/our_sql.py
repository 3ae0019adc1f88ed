"""Asks a server of ours in SQL."""

import io
import json
import urllib.request

import pyarrow


def ask(server, sql):
    """The rows of a statement as an Arrow table."""
    request = urllib.request.Request(
        f"{server}/api/v1/sql",
        json.dumps({"query": sql}).encode(),
        {"content-type": "application/json", "accept": "application/vnd.apache.arrow.stream"},
    )
    with urllib.request.urlopen(request) as answer:
        return pyarrow.ipc.open_stream(io.BytesIO(answer.read())).read_all()
