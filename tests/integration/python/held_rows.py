"""Holds the rows that there are against those that were sent, and keeps them for `compare_again.py`."""

import collections
import json
import pathlib
import sys


def text(row):
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def nearest(row, others):
    """In which columns a row differs from the one that is most like it: {column: (sent, there)}."""
    def differing(other):
        return {column: (row.get(column), other.get(column)) for column in row | other if row.get(column) != other.get(column)}

    return min(map(differing, others), key=len, default="nothing like it")


def hold(what, sent, found):
    """Ends the program unless the rows are the same, as often as each is there; returns how many they are."""
    expected, there = collections.Counter(map(text, sent)), collections.Counter(map(text, found))
    missing, foreign = expected - there, there - expected
    if missing or foreign:
        said = [f"{what}: {missing.total()} missing, {foreign.total()} foreign"]
        others = [json.loads(row) for row in foreign]
        said += [f"missing {row}\n  differs from one that is there: {nearest(json.loads(row), others)}" for row in list(missing)[:3]]
        said += [f"foreign {row}" for row in list(foreign)[:3]]
        sys.exit("\n".join(said))
    return expected.total()


def arrived(rows, begin, end):
    """The rows without the time of their arrival, which must be between these times in nanoseconds."""
    # The server's clock has whole milliseconds.
    begin -= begin % 1_000_000
    for row in rows:
        assert begin <= row["observed_ts"] <= end, f"not from {begin} to {end}: {row}"
    return [{column: value for column, value in row.items() if column != "observed_ts"} for row in rows]


def keep(path, statement, found):
    """Adds a statement and the rows that answered it to those in a file."""
    file = pathlib.Path(path)
    kept = json.loads(file.read_text()) if file.exists() else {}
    file.write_text(json.dumps(kept | {statement: found}))
