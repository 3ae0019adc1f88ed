"""The log of the witness, as `tests/oracle/src/main.rs` says it is written: what was issued, and what was acknowledged.

Beside it, `LOG.cuts` has the stretches of the log (first and last byte) that were written while the power was off:
acknowledgements there do not count.
"""

import os
from collections import defaultdict
from dataclasses import dataclass

LETTERS = {"S": "samples", "D": "samples", "H": "histograms", "G": "histograms", "E": "exemplars"}
DELTAS = "DG"


@dataclass(frozen=True)
class Issued:
    """A row as it was sent: what it says, since when it counts if that was said, under which request."""

    value: str
    start_ms: int | None
    request: str


class Log:
    """By table, of each key (name, connection, series, time_ms) all that was issued, in order; of each metric what was said; of
    each log row or span (service, connection, time_ms, text) the requests that it was sent with."""

    def __init__(self, path):
        self.issued = {table: defaultdict(list) for table in ("samples", "histograms", "exemplars")}
        self.metadata, self.records = defaultdict(list), defaultdict(list)
        self.deltas, self.acknowledged, self.partial = set(), set(), []
        self.without_power = 0
        powerless, offset = cuts(f"{path}.cuts"), 0
        with open(path) as lines:
            for line in lines:
                begin, offset = offset, offset + len(line)
                kind, request, *rest = line.split()
                if kind in LETTERS:
                    connection, name, series, time_ms, start, value = rest
                    key = (name, connection, series, int(time_ms))
                    issued = Issued(value, None if start == "-" else int(start), request)
                    self.issued[LETTERS[kind]][key].append(issued)
                    if kind in DELTAS:
                        self.deltas.add(name)
                elif kind == "K":
                    connection, service, time_ms, text = rest
                    self.records[service, connection, int(time_ms), text].append(request)
                elif kind == "M":
                    _, name, *words = rest
                    self.metadata[name].append((tuple(words), request))
                elif kind == "P":
                    self.partial.append(line)
                elif kind == "A" and any(cut <= begin < dead for cut, dead in powerless):
                    self.without_power += 1
                elif kind == "A":
                    self.acknowledged.add(request)

    def is_acknowledged(self, sent):
        """Whether a row was, under any request that it was sent with."""
        return any(issued.request in self.acknowledged for issued in sent)


def cuts(path):
    if not os.path.exists(path):
        return []
    with open(path) as lines:
        return [tuple(map(int, line.split())) for line in lines]
